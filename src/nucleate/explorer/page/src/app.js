// The page: its state, what follows from it, and its parts.

import { read, simplified, write } from "./address.js";
import { Tools, Tooltip } from "./chrome.js";
import { Details } from "./details.js";
import { h, icon, number, plural } from "./dom.js";
import { filterColumns, filterKey, filtered } from "./filtering.js";
import { Filters } from "./filters.js";
import { Formulas } from "./formulas.js";
import { Legend } from "./legend.js";
import { Look } from "./look.js";
import { MapView } from "./map.js";
import * as palette from "./palette.js";
import { Pictures } from "./picture.js";
import { Query } from "./query.js";
import { shapeOf } from "./raster.js";
import { makeScale } from "./scales.js";
import { Search } from "./search.js";
import { Selection } from "./selection.js";
import { readTheme } from "./stage.js";
import { ON_MAP, Views } from "./views.js";

const PAUSE = 200; // milliseconds of rest after which the address follows
const MAIN = 3; // properties of a tooltip
const PAPER = { light: "#f8f9fa", dark: "#0c0f13" }; // of the map, as in page.css
const narrow = matchMedia("(max-width: 760px)"), dark = matchMedia("(prefers-color-scheme: dark)");

export class App {
  constructor(store) {
    this.store = store;
    for (const about of store.header.properties) about.label = about.label.replace(/^./u, (letter) => letter.toUpperCase());
    this.symbols = store.header.elements.map(([symbol]) => symbol);
    this.views = new Views(store);
    this.view = this.views.of(ON_MAP);
    this.formulas = new Formulas(store);
    this.query = new Query(store, this.formulas);
    this.state = read(location.hash.slice(1), store);
    this.scales = new Map();
    this.ahead = null; // what is brought to the front for as long as it is pointed at
    this.mask = new Uint8Array(store.rows).fill(1);
    this.shownCount = store.rows;
    this.selected = null;
    this.shapes = store.column("source").map(shapeOf);
    this.applyTheme(storedTheme());
    this.map = new MapView(this);
    this.parts = [this.legend = new Legend(this), this.look = new Look(this), this.filters = new Filters(this), this.search = new Search(this), this.selection = new Selection(this), this.tools = new Tools(this)];
    this.details = new Details(this);
    this.pictures = new Pictures(this);
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
      h("div", { class: "rest" }, h("button", { type: "button", class: "bare handle", "aria-label": "Close filters", onclick: () => this.openFilters(false) }, icon("close")), this.legend.element, this.look.element, this.filters.element,
        h("details", { class: "facts" }, h("summary", {}, "How this map was made"), h("dl", {}, facts.map(([label, text]) => h("div", {}, h("dt", {}, label), h("dd", {}, text)))))));
    this.map.element.append(this.tools.element, this.selection.element, this.sheet, this.tooltip.element);
    const main = h("main", {}, this.map.element, this.details.element);
    document.getElementById("app").replaceChildren(this.sidebar, main, this.tools.help, this.search.help.element, this.live);
    document.body.append(this.tools.menu, this.pictures.sheet);
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
    const { state, store } = this, coloured = store.header.properties.findIndex(({ key }) => key === state.colour), { query } = state;
    const plan = query ? this.query.plan(query) : null, used = [...filterColumns(store.header, state), ...(plan?.needs ?? []), ...(coloured >= 0 ? [`property${coloured}`] : [])];
    await store.load([...used, ...this.views.needs(state.axes), ...this.views.needs(state.lassoAxes)]);
    if (this.state !== state || state.query !== query) return;
    this.view = this.views.of(state.axes);
    this.filter(plan);
    this.selected = state.lasso ? this.views.of(state.lassoAxes).grid.inside(state.lasso, this.mask) : null;
    this.recolour();
    this.renderAll();
  }

  get grid() { return this.view.grid; }

  // Draws the same points in another way.
  restyle(change) {
    Object.assign(this.state, change);
    this.moved();
    this.look.render();
    this.map.redraw();
  }

  renderAll() {
    for (const part of this.parts) part.render();
    this.map.redraw();
  }

  // Marks what all filters let pass.
  filter(plan) {
    const key = filterKey(this.state, this.view);
    if (key === this.filtered) return;
    this.filtered = key;
    this.found = plan ? this.query.run(plan) : null;
    const { mask, sizes, shown, placeless } = filtered(this.store, this.state, this.found, this.view);
    Object.assign(this, { mask, sizes, shownCount: shown, placeless });
  }

  recolour() {
    const { state } = this, ahead = this.ahead ?? (state.front >= 0 ? { name: "source", code: state.front } : null);
    const key = [this.filtered, state.colour, state.scale, state.clip, state.lasso, JSON.stringify(state.lassoAxes), ahead?.name, ahead?.code].join("/");
    if (key === this.coloured) return;
    this.coloured = key;
    const { scale, values } = this.colouring(), { missing } = this.store.header;
    let mask = this.mask;
    if (this.selected) {
      mask = new Uint8Array(mask.length);
      for (const row of this.selected) mask[row] = 1;
    }
    const front = ahead && this.store.column(ahead.name) ? { values: this.store.column(ahead.name), code: ahead.code } : null;
    this.map.order(mask, palette.codes(values, scale?.position, scale ? NaN : missing), this.shapes, front);
  }

  // What points are coloured by; scale: of numbers.
  colouring() {
    const { state, store } = this, index = store.header.properties.findIndex(({ key }) => key === state.colour);
    if (index < 0) return { values: store.column("source"), scale: null, index };
    const about = store.header.properties[index], values = store.column(`property${index}`);
    return { about, index, values, missing: about.unknown > 0, scale: about.type === "number" ? this.scale(index, state.scale, state.clip) : null };
  }

  scale(i, asked, clip) {
    const key = `${i}/${asked}/${clip}`;
    if (!this.scales.has(key)) this.scales.set(key, makeScale(this.store.column(`property${i}`), asked, clip));
    return this.scales.get(key);
  }

  colours(theme = this.theme) {
    const continuous = this.store.header.properties.find(({ key }) => key === this.state.colour)?.type === "number", { palette: name, reversed } = this.state;
    const key = `${continuous}/${theme}/${name}/${reversed}`;
    if (this.paletteKey !== key) {
      this.paletteKey = key;
      this.paletteNow = { table: palette.table(continuous, { palette: name, reversed }, theme), paper: palette.rgb(PAPER[theme]), dimmed: palette.dimmed(theme) };
    }
    return this.paletteNow;
  }

  // Brings a source or a kind to the front while it is pointed at; null lets it back.
  bring(name, code) {
    this.ahead = name ? { name, code } : null;
    this.recolour();
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

  // Lets kinds in, or not any more; code: one of them, or several at once.
  toggleKind(index, code) {
    const { key } = this.store.header.properties[index], chosen = new Set(this.state.kinds[key]), kinds = { ...this.state.kinds }, codes = [code].flat();
    const all = codes.every((one) => chosen.has(one));
    for (const one of codes) if (all) chosen.delete(one); else chosen.add(one);
    if (chosen.size) kinds[key] = chosen;
    else delete kinds[key];
    return this.set({ kinds });
  }

  toggleUnknown(key) {
    const unknown = new Set(this.state.unknown);
    if (!unknown.delete(key)) unknown.add(key);
    return this.set({ unknown });
  }

  toggleFront(i) { return this.set({ front: this.state.front === i ? -1 : i }); }

  clearFilters() { return this.set({ query: "", off: new Set(), ranges: {}, kinds: {}, texts: {}, unknown: new Set() }); }
  setLasso(line) { return this.set({ lasso: simplified(line), lassoAxes: { ...this.state.axes } }); }

  // Shows other axes, as a whole.
  setAxes(change) {
    this.state.camera = { x: 0, y: 0, k: 1 };
    this.returning = null;
    this.map.gliding = null;
    return this.set({ axes: { ...this.state.axes, ...change } });
  }

  select(row) {
    this.state.crystal = row;
    this.moved();
    return this.open(row);
  }

  async open(row) {
    if (row < 0) {
      this.details.close();
      this.goBack();
      this.map.redraw();
      return;
    }
    const before = this.returning?.from ?? { ...this.state.camera };
    await this.details.show(row);
    if (this.state.crystal !== row) return;
    this.openFilters(false);
    this.map.point(-1); // the panel says what the tooltip did
    const to = this.map.reveal(row);
    this.returning = to || this.returning ? { from: before, to: to ?? this.returning.to } : null;
    this.map.redraw();
    this.say(`Selected ${this.sentence(row)}`);
  }

  // Moves the map to where it was before it made room for a panel, unless somebody has moved it since.
  goBack() {
    const { returning, state: { camera } } = this;
    this.returning = null;
    if (returning && (this.map.gliding || ["x", "y", "k"].every((name) => camera[name] === returning.to[name]))) this.map.glide(returning.from);
  }

  escape() {
    if (this.details.isLarge) this.details.enlarge(false);
    else if (this.state.crystal >= 0) { this.select(-1); this.map.canvas.focus(); } else if (this.state.lasso) this.set({ lasso: null });
    else if (this.sidebar.classList.contains("open")) this.openFilters(false);
    else this.tools.mode("pan");
  }

  hover(row, at, changed) {
    if (row >= 0 && row === this.state.crystal && !this.details.element.hidden) row = -1;
    this.hovering = row;
    const main = this.mainProperties().map((i) => `property${i}`);
    this.store.load(main).then(() => { if (this.hovering === row) this.tooltip.show(row, at, changed); });
  }

  // Properties of a tooltip: what is coloured by, the axes, then the first ones.
  mainProperties() {
    const { properties } = this.store.header, { colour, axes } = this.state;
    const first = [colour, axes.x, axes.y].map((key) => properties.findIndex((about) => about.key === key)).filter((i) => i >= 0);
    return [...new Set([...first, ...properties.keys()])].slice(0, Math.max(MAIN, new Set(first).size));
  }

  // The value of a property as people read it.
  text(i, row) {
    const about = this.store.header.properties[i];
    if (about.type === "text") return this.store.lines(`property${i}`)[row] || "unknown";
    const value = this.store.column(`property${i}`)[row];
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
    const about = this.store.header.properties[i], values = this.store.column(`property${i}`);
    if (about.type === "text") return this.store.lines(`property${i}`)[row];
    if (about.type === "kind") return about.kinds[values[row]] ?? "";
    return Number.isFinite(values[row]) ? String(Number(values[row].toPrecision(values instanceof Float64Array ? 16 : 7))) : "";
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
