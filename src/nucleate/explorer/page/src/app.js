// The page: its state, what follows from it, and its parts.

import { read, simplified, write } from "./address.js";
import { Tools, Tooltip } from "./chrome.js";
import { Details } from "./details.js";
import { h, icon, number, plural } from "./dom.js";
import { Filters } from "./filters.js";
import { Legend } from "./legend.js";
import { MapView } from "./map.js";
import * as palette from "./palette.js";
import { Formulas } from "./query.js";
import { shapeOf } from "./raster.js";
import { Search } from "./search.js";
import { Selection } from "./selection.js";
import { Grid } from "./space.js";
import { readTheme } from "./stage.js";

const PAUSE = 200; // milliseconds of rest after which the address follows
const MAIN = 3; // properties of a tooltip
const narrow = matchMedia("(max-width: 760px)"), dark = matchMedia("(prefers-color-scheme: dark)");

export class App {
  constructor(store) {
    this.store = store;
    for (const about of store.header.properties) about.label = about.label.replace(/^./u, (letter) => letter.toUpperCase());
    this.symbols = store.header.elements.map(([symbol]) => symbol);
    this.grid = new Grid(store.column("positions"));
    this.formulas = new Formulas(store);
    this.state = read(location.hash.slice(1), store);
    this.ends = new Map();
    this.mask = new Uint8Array(store.rows).fill(1);
    this.shownCount = store.rows;
    this.selected = null;
    this.shapes = store.column("source").map(shapeOf);
    this.applyTheme(storedTheme());
    this.map = new MapView(this);
    this.parts = [this.legend = new Legend(this), this.filters = new Filters(this), this.search = new Search(this), this.selection = new Selection(this), this.tools = new Tools(this)];
    this.details = new Details(this);
    this.tooltip = new Tooltip(this);
    this.build();
  }

  build() {
    const { header } = this.store, facts = Object.entries(header.facts);
    this.live = h("p", { class: "unseen", "aria-live": "polite" });
    this.sheet = h("button", { type: "button", class: "sheet-button", "aria-expanded": "false", onclick: () => this.openFilters() }, icon("sliders"), "Filters");
    this.sidebar = h("aside", { class: "sidebar", "aria-label": "Map" },
      h("header", { class: "title" }, h("p", { class: "brand" }, "Nucleate"), h("h1", {}, header.title), h("p", { class: "sub" }, `${plural(header.rows, "crystal")} from ${plural(header.sources.length, "source")}`)),
      this.search.element,
      h("div", { class: "rest" }, h("button", { type: "button", class: "bare handle", "aria-label": "Close filters", onclick: () => this.openFilters(false) }, icon("close")), this.legend.element, this.filters.element,
        h("details", { class: "facts" }, h("summary", {}, "How this map was made"), h("dl", {}, facts.map(([label, text]) => h("div", {}, h("dt", {}, label), h("dd", {}, text)))))));
    this.map.element.append(this.tools.element, this.selection.element, this.sheet, this.tooltip.element);
    const main = h("main", {}, this.map.element, this.details.element);
    document.getElementById("app").replaceChildren(this.sidebar, main, this.tools.help, this.live);
    document.addEventListener("keydown", (event) => this.tools.key(event));
    dark.addEventListener("change", () => { if (!storedTheme()) { this.applyTheme(""); this.renderAll(); } });
    addEventListener("hashchange", () => { if (location.hash.slice(1) !== this.written) this.restore(); });
  }

  async start() {
    this.map.resize(); // it must know its size before a crystal is brought into sight
    await this.refresh();
    if (this.state.crystal >= 0) await this.open(this.state.crystal);
    this.map.redraw();
    document.documentElement.dataset.ready = "";
  }

  restore() {
    this.state = read(location.hash.slice(1), this.store);
    return this.refresh().then(() => this.open(this.state.crystal));
  }

  // --- state ---

  set(change) {
    Object.assign(this.state, change);
    this.moved();
    return this.refresh();
  }

  // The address follows once things rest; browsers allow few changes a second.
  moved() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.written = write(this.state, this.store.header.properties, this.store.header.sources);
      history.replaceState(null, "", `#${this.written}`);
    }, PAUSE);
  }

  // Everything that follows from the state, once its columns are there.
  async refresh() {
    const { state, store } = this, { properties } = store.header;
    const used = properties.flatMap(({ key }, i) => (key === state.colour || state.ranges[key] || state.kinds[key] ? [`property${i}`] : []));
    if (state.query) used.push("names");
    await store.load(used);
    if (this.state !== state) return;
    this.filter();
    this.selected = state.lasso ? this.grid.inside(state.lasso, this.mask) : null;
    this.recolour();
    this.renderAll();
  }

  renderAll() {
    for (const part of this.parts) part.render();
    this.map.redraw();
  }

  // Marks what all filters let pass.
  filter() {
    const { state, store } = this, key = JSON.stringify([state.query, [...state.off], state.ranges, Object.entries(state.kinds).map(([name, set]) => [name, ...set])], (_, value) => (Math.abs(value) === Infinity ? String(value) : value));
    if (key === this.filtered) return;
    this.filtered = key;
    const source = store.column("source"), on = store.header.sources.map((_, i) => !state.off.has(i));
    this.found = state.query ? this.formulas.search(state.query) : null;
    const mask = this.found ? this.found.rows : new Uint8Array(store.rows).fill(1);
    store.header.properties.forEach(({ key: name }, i) => {
      const values = store.column(`property${i}`), range = state.ranges[name], kinds = state.kinds[name];
      if (range) {
        const [low, high] = range.map(Math.fround);
        for (let row = 0; row < mask.length; row++) if (!(values[row] >= low && values[row] <= high)) mask[row] = 0;
      }
      if (kinds) for (let row = 0; row < mask.length; row++) if (!kinds.has(values[row])) mask[row] = 0;
    });
    this.sizes = store.header.sources.map(() => ({ shown: 0, all: 0 }));
    this.shownCount = 0;
    for (let row = 0; row < mask.length; row++) {
      const size = this.sizes[source[row]];
      size.all++;
      size.shown += mask[row]; // what the other filters let pass
      if (!on[source[row]]) mask[row] = 0;
      this.shownCount += mask[row];
    }
    this.mask = mask;
  }

  recolour() {
    const key = `${this.filtered}|${this.state.colour}|${this.state.lasso}`;
    if (key === this.coloured) return;
    this.coloured = key;
    const { continuous, values, limits } = this.colouring(), { missing } = this.store.header;
    let mask = this.mask;
    if (this.selected) {
      mask = new Uint8Array(mask.length);
      for (const row of this.selected) mask[row] = 1;
    }
    this.map.order(mask, palette.codes(values, continuous, limits, missing), this.shapes);
  }

  // What points are coloured by.
  colouring() {
    const { state, store } = this, index = store.header.properties.findIndex(({ key }) => key === state.colour);
    if (index < 0) return { continuous: false, values: store.column("source"), limits: [0, 1], index };
    const about = store.header.properties[index], values = store.column(`property${index}`), continuous = about.type === "number";
    const missing = values.some((value) => (continuous ? value !== value : value === store.header.missing));
    return { about, index, values, continuous, missing, limits: continuous ? this.limits(index) : [0, 1] };
  }

  limits(i) {
    if (!this.ends.has(i)) this.ends.set(i, palette.limits(this.store.column(`property${i}`)));
    return this.ends.get(i);
  }

  colours() {
    const continuous = this.state.colour !== "source" && this.store.header.properties.find(({ key }) => key === this.state.colour)?.type === "number";
    const key = `${continuous}/${this.theme}`;
    if (this.paletteKey !== key) {
      this.paletteKey = key;
      const paper = getComputedStyle(document.documentElement).getPropertyValue("--map").trim();
      this.paletteNow = { table: palette.table(continuous, this.theme), paper: palette.rgb(paper), dimmed: palette.dimmed(this.theme) };
    }
    return this.paletteNow;
  }

  shown() { return this.mask; }
  rowsShown() { return Array.from({ length: this.mask.length }, (_, i) => i).filter((i) => this.mask[i]); }
  sourceSizes() { return this.sizes; }
  sourceColour(i, always = false) { return always || this.state.colour === "source" ? palette.category(i, this.theme) : "var(--muted)"; }

  // --- what parts ask for ---

  toggleSource(i) {
    const off = new Set(this.state.off);
    if (!off.delete(i)) off.add(i);
    return this.set({ off });
  }

  onlySource(i) {
    const all = this.store.header.sources.map((_, k) => k).filter((k) => k !== i);
    const alone = !this.state.off.has(i) && all.every((k) => this.state.off.has(k));
    return this.set({ off: new Set(alone ? [] : all) });
  }

  toggleKind(index, code) {
    const { key } = this.store.header.properties[index], chosen = new Set(this.state.kinds[key]), kinds = { ...this.state.kinds };
    if (!chosen.delete(code)) chosen.add(code);
    if (chosen.size) kinds[key] = chosen;
    else delete kinds[key];
    return this.set({ kinds });
  }

  clearFilters() { return this.set({ query: "", off: new Set(), ranges: {}, kinds: {} }); }
  setLasso(line) { return this.set({ lasso: simplified(line) }); }

  select(row) {
    this.state.crystal = row;
    this.moved();
    return this.open(row);
  }

  async open(row) {
    if (row < 0) {
      this.details.close();
      this.map.redraw();
      return;
    }
    await this.details.show(row);
    if (this.state.crystal !== row) return;
    this.openFilters(false);
    this.map.reveal(row);
    this.map.redraw();
    this.say(`Selected ${this.sentence(row)}`);
  }

  escape() {
    if (this.details.isLarge) this.details.enlarge(false);
    else if (this.state.crystal >= 0) { this.select(-1); this.map.canvas.focus(); } else if (this.state.lasso) this.set({ lasso: null });
    else if (this.sidebar.classList.contains("open")) this.openFilters(false);
    else this.tools.mode("pan");
  }

  hover(row, at, changed) {
    this.hovering = row;
    const main = this.mainProperties().map((i) => `property${i}`);
    this.store.load(main).then(() => { if (this.hovering === row) this.tooltip.show(row, at, changed); });
  }

  // Properties of a tooltip: what is coloured by, then the first ones.
  mainProperties() {
    const { properties } = this.store.header, coloured = properties.findIndex(({ key }) => key === this.state.colour);
    const first = properties.map((_, i) => i).filter((i) => i !== coloured);
    return [...(coloured >= 0 ? [coloured] : []), ...first].slice(0, MAIN);
  }

  // The value of a property as people read it.
  text(i, row) {
    const about = this.store.header.properties[i], value = this.store.column(`property${i}`)[row];
    if (about.type === "kind") return about.kinds[value] ?? "unknown";
    return Number.isFinite(value) ? `${number(value, about.whole)}${about.unit ? ` ${about.unit}` : ""}` : "unknown";
  }

  name(row) { return this.store.has("names") && this.store.column("names") ? this.store.lines("names")[row] : ""; }

  sentence(row) {
    const { store } = this, known = this.mainProperties().filter((i) => store.column(`property${i}`));
    return [`${store.formula(row)}, ${store.header.sources[store.column("source")[row]]}`, ...known.map((i) => `${store.header.properties[i].label} ${this.text(i, row)}`)].join(", ");
  }

  // What a file says about a crystal.
  about(row, structure) {
    const { store } = this, formula = store.formula(row), units = structure.numbers.length / [...this.formulas.parse(formula).values()].reduce((a, b) => a + b, 0);
    const full = formula.replace(/([A-Z][a-z]?)(\d*)/g, (_, symbol, n) => { const amount = Number(n || 1) * units; return symbol + (amount > 1 ? amount : ""); });
    const properties = store.header.properties.map(({ key }, i) => [key, this.plain(i, row)]).filter(([, text]) => text);
    const name = this.name(row);
    return { formula, full, values: [["source", store.header.sources[store.column("source")[row]]], ...(name ? [["id", name]] : []), ["row", String(row)], ...properties] };
  }

  plain(i, row) {
    const about = this.store.header.properties[i], value = this.store.column(`property${i}`)[row];
    if (about.type === "kind") return about.kinds[value] ?? "";
    return Number.isFinite(value) ? String(Number(value.toPrecision(7))) : "";
  }

  // Pixels of the map that panels cover.
  inset() {
    const open = this.details && !this.details.element.hidden;
    return { right: open && !narrow.matches ? this.details.element.offsetWidth + 24 : 0, bottom: open && narrow.matches ? this.details.element.offsetHeight : 0 };
  }

  openSearch() { this.search.input.focus(); this.search.input.select(); }

  openFilters(open = !this.sidebar.classList.contains("open")) {
    this.sidebar.classList.toggle("open", open);
    this.sheet.setAttribute("aria-expanded", String(open));
    if (open) this.filters.element.querySelector("summary")?.focus({ preventScroll: !narrow.matches });
    if (open && narrow.matches && this.state.crystal >= 0) this.select(-1);
  }

  async copyLink(button) {
    const label = button.lastChild;
    this.written = write(this.state, this.store.header.properties, this.store.header.sources);
    history.replaceState(null, "", `#${this.written}`);
    await navigator.clipboard?.writeText(location.href).then(() => { label.textContent = "Copied"; }, () => { label.textContent = "In the address bar"; });
    setTimeout(() => { label.textContent = "Copy link"; }, 1600);
  }

  say(text) { this.live.textContent = text; }

  // --- theme ---

  applyTheme(wanted) {
    this.theme = wanted || (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = this.theme;
    this.paletteKey = null;
    readTheme();
    for (const stage of this.details ? [this.details.own, this.details.other] : []) stage.cell?.redraw();
  }

  toggleTheme() {
    const next = this.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("nucleate-theme", next === (dark.matches ? "dark" : "light") ? "" : next); } catch { /* a page from a file may keep nothing */ }
    this.applyTheme(next);
    this.renderAll();
    if (this.state.crystal >= 0) this.details.show(this.state.crystal);
  }
}

function storedTheme() {
  try { return localStorage.getItem("nucleate-theme") ?? ""; } catch { return ""; }
}
