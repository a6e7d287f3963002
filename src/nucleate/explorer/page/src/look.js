// How points look and what the axes are.

import { OPACITY, SIZE } from "./address.js";
import { count, h, plural } from "./dom.js";
import { options } from "./legend.js";

export class Look {
  constructor(app) {
    this.app = app;
    const { properties } = app.store.header, numbers = options(properties, ({ type }) => type === "number");
    const axis = (side, label) => {
      const select = h("select", { id: `axis-${side}`, autocomplete: "off", onchange: () => this.choose(side, select.value) }, h("option", { value: "" }, `Map, ${side === "x" ? "across" : "up"}`), ...options(properties, ({ type }) => type === "number"));
      const log = h("input", { type: "checkbox", "aria-label": `${label} axis logarithmic`, onchange: () => app.setAxes({ [`log${side}`]: log.checked }) });
      return { select, log, row: h("div", { class: "axis" }, h("label", { for: `axis-${side}` }, label), select, h("label", { class: "kind" }, log, h("span", {}, "log"))) };
    };
    this.sides = { x: axis("x", "Across"), y: axis("y", "Up") };
    const slider = (name, label, [low, high]) => {
      const input = h("input", { type: "range", id: `look-${name}`, min: Math.log(low), max: Math.log(high), step: 0.01, oninput: () => app.restyle({ [name]: Math.round(100 * Math.exp(Number(input.value))) / 100 }) });
      return { input, row: h("div", { class: "slider" }, h("label", { for: `look-${name}` }, label), input) };
    };
    this.sliders = { opacity: slider("opacity", "Opacity", OPACITY), size: slider("size", "Size", SIZE) };
    this.note = h("p", { class: "note", role: "status" });
    this.back = h("button", { type: "button", class: "bare small", onclick: () => app.setAxes({ x: "", y: "", logx: false, logy: false }) }, "Back to the map");
    this.axes = h("div", { class: "axes-choice" }, h("header", {}, h("h2", {}, "Axes"), this.back), this.sides.x.row, this.sides.y.row, this.note);
    this.axes.hidden = !numbers.length;
    this.element = h("section", { class: "look", "aria-label": "Axes and points" }, this.axes, h("h2", {}, "Points"), Object.values(this.sliders).map(({ row }) => row));
  }

  choose(side, key) {
    const about = this.app.store.header.properties.find((one) => one.key === key);
    return this.app.setAxes({ [side]: about ? key : "", [`log${side}`]: false });
  }

  render() {
    const { app } = this, { axes, opacity, size } = app.state, { placeless } = app.view;
    for (const [side, { select, log }] of Object.entries(this.sides)) {
      select.value = axes[side];
      log.checked = axes[`log${side}`];
      log.closest("label").hidden = !axes[side];
    }
    for (const [name, value] of [["opacity", opacity], ["size", size]]) {
      const { input } = this.sliders[name];
      if (document.activeElement !== input) input.value = Math.log(value);
      input.setAttribute("aria-valuetext", name === "opacity" ? `${Math.round(100 * value)} %` : `${value} times`);
    }
    app.map.element.classList.toggle("with-axes", Boolean(app.view.axes));
    this.back.hidden = !app.view.axes;
    this.note.textContent = placeless ? `${plural(placeless, "crystal")} of ${count(app.store.rows)} without a value${axes.logx || axes.logy ? ", or not positive," : ""} ${placeless === 1 ? "has" : "have"} no place here` : "";
  }
}
