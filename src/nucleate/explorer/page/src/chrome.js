// What stands around the map: tools, the tooltip, help, and the switch of light and dark.

import { formula, h, icon } from "./dom.js";
import { marker } from "./legend.js";
import { still } from "./stage.js";

const REST = 110; // milliseconds that a pointer rests before the crystal is drawn
const LARGEST = 80; // atoms of a crystal that the tooltip draws

const KEYS = [["← → ↑ ↓", "next crystal in a direction"], ["Enter", "open the crystal"], ["Esc", "close, or clear the selection"], ["Shift + arrows", "move the map"],
  ["+  −", "zoom"], ["0", "whole map"], ["L", "select with a lasso (or drag with Shift)"], ["B", "select with a box"], ["V", "move with the pointer"],
  ["/", "search"], ["F", "filters"], ["E", "large picture of the crystal"], ["P", "save a picture (PNG)"], ["T", "light or dark"], ["?", "this list"]];

export class Tools {
  constructor(app) {
    this.app = app;
    const button = (name, label, key, act) => h("button", { type: "button", "aria-label": label, title: key ? `${label} (${key})` : label, onclick: act }, icon(name));
    this.modes = { pan: button("pan", "Move", "V", () => this.mode("pan")), lasso: button("lasso", "Lasso", "L", () => this.mode("lasso")), box: button("box", "Box", "B", () => this.mode("box")) };
    this.themeButton = button("dark", "Light or dark", "T", () => app.toggleTheme());
    this.element = h("div", { class: "tools-bar" },
      h("div", { class: "group", role: "group", "aria-label": "Pointer" }, Object.values(this.modes)),
      h("div", { class: "group zooming", role: "group", "aria-label": "Zoom" }, button("plus", "Zoom in", "+", () => app.map.zoom(1.5)), button("minus", "Zoom out", "−", () => app.map.zoom(1 / 1.5)), button("fit", "Whole map", "0", () => app.map.fit())),
      h("div", { class: "group", role: "group", "aria-label": "Page" }, this.themeButton, this.pictureButton(), button("help", "Keys", "?", () => this.help.showModal())));
    this.help = h("dialog", { class: "help", "aria-labelledby": "help-heading", onclick: (event) => { if (event.target === this.help) this.help.close(); } },
      h("div", {}, h("header", {}, h("h2", { id: "help-heading" }, "Keys"), h("button", { type: "button", class: "bare", "aria-label": "Close", onclick: () => this.help.close() }, icon("close"))),
        h("dl", {}, KEYS.map(([keys, text]) => h("div", {}, h("dt", {}, keys.split(/(?<=\S) (?=\S)|  /).map((key) => (key === "+" && keys.includes("Shift") ? "+" : h("kbd", {}, key)))), h("dd", {}, text)))),
        h("p", {}, h("button", { type: "button", class: "bare small", onclick: () => { this.help.close(); app.search.help.element.showModal(); } }, "What can be searched"))));
    this.mode("pan");
  }

  // A button with the formats of a picture below it.
  pictureButton() {
    const { app } = this, items = [["PNG", () => app.pictures.png()], ["SVG", () => app.pictures.svg()], ["Print", () => print()]];
    const menu = h("div", { class: "menu", role: "group", "aria-label": "Save picture as", popover: "auto" }, items.map(([name, act]) => h("button", { type: "button", onclick: () => { menu.hidePopover(); act(); } }, name)));
    const button = h("button", { type: "button", "aria-label": "Save picture", title: "Save picture (P)", "aria-haspopup": "true", onclick: () => {
      const { left, bottom } = button.getBoundingClientRect();
      menu.style.setProperty("--left", `${left}px`);
      menu.style.setProperty("--top", `${bottom + 6}px`);
      menu.togglePopover();
    } }, icon("picture"));
    this.menu = menu;
    return button;
  }

  mode(name) {
    if (this.app.map) {
      this.app.map.mode = name;
      this.app.map.element.dataset.mode = name;
    }
    for (const [key, button] of Object.entries(this.modes)) button.setAttribute("aria-pressed", String(key === name));
  }

  render() { this.themeButton.replaceChildren(icon(this.app.theme === "dark" ? "light" : "dark")); }

  // Keys that act anywhere but in fields.
  key(event) {
    const { app } = this;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.target.closest("input:not([type=checkbox]), select, textarea, dialog")) return;
    const act = {
      "/": () => app.openSearch(), "?": () => this.help.showModal(), Escape: () => app.escape(), l: () => this.mode("lasso"), b: () => this.mode("box"), v: () => this.mode("pan"),
      "+": () => app.map.zoom(1.3), "=": () => app.map.zoom(1.3), "-": () => app.map.zoom(1 / 1.3), 0: () => app.map.fit(), t: () => app.toggleTheme(), p: () => app.pictures.png(), f: () => app.openFilters(),
      e: () => { if (app.state.crystal >= 0) app.details.enlarge(); },
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

export class Tooltip {
  constructor(app) {
    this.app = app;
    this.canvas = h("canvas", {});
    this.picture = h("div", { class: "picture" }, this.canvas);
    this.name = h("b", {});
    this.lines = h("dl", {});
    this.element = h("div", { class: "tooltip", role: "tooltip", hidden: true }, this.picture, h("div", {}, this.name, this.lines));
  }

  async show(row, at, changed) {
    this.element.hidden = row < 0;
    if (row < 0) { clearTimeout(this.resting); return; }
    if (changed) this.fill(row);
    const { width, height } = this.app.map, { offsetWidth, offsetHeight } = this.element;
    const left = at[0] + 18 + offsetWidth > width - this.app.inset().right ? at[0] - 18 - offsetWidth : at[0] + 18;
    const top = Math.min(Math.max(at[1] - offsetHeight / 2, 8), height - offsetHeight - 8);
    this.element.style.transform = `translate(${Math.round(Math.max(left, 8))}px, ${Math.round(top)}px)`;
  }

  fill(row) {
    const { app } = this, { store } = app, source = store.column("source")[row];
    this.name.replaceChildren(...formula(store.formula(row)));
    const lines = [["", h("span", { class: "of" }, marker(source, app.sourceColour(source)), store.header.sources[source])],
      ...app.mainProperties().map((i) => [store.header.properties[i].label, app.text(i, row)])];
    this.lines.replaceChildren(...lines.map(([label, value]) => h("div", {}, label ? h("dt", {}, label) : "", h("dd", {}, value))));
    clearTimeout(this.resting);
    this.picture.classList.add("waiting");
    this.resting = setTimeout(() => this.draw(row), REST);
  }

  async draw(row) {
    const { store } = this.app;
    const small = store.column("atoms")[row] <= LARGEST;
    this.picture.hidden = !small;
    if (!small) return;
    const [structure] = await store.structures("crystal", [row]);
    if (this.app.map.cursor !== row) return;
    if (this.cell) this.cell.visible = false;
    this.cell = still(this.canvas, structure, store.header);
    this.picture.classList.remove("waiting");
  }
}
