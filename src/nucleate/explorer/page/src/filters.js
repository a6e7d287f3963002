// One filter a property: a histogram with two handles for numbers, a list of kinds for the rest.

import { count, h, nextFrame, number, s } from "./dom.js";
import { isFiltered } from "./filtering.js";

const BINS = 40;
const SPARK = 24; // bars of a sketch
const STEPS = 400; // places of a handle
const LISTED = 6; // kinds in sight before one asks for more
const SAID = /left out|texts cut|infinite/; // facts that say what columns lack
const MORE = 100; // of them at a time

export class Filters {
  constructor(app) {
    this.app = app;
    this.panels = app.store.header.properties.map((about, i) => new { number: Range, kind: Kinds, text: Texts }[about.type](app, about, i));
    this.clear = h("button", { type: "button", class: "bare small", hidden: true, onclick: () => app.set({ ranges: {}, kinds: {}, texts: {}, unknown: new Set() }) }, "Clear all");
    const { facts } = app.store.header, first = this.panels.findIndex(({ about }) => about.file), notes = Object.entries(facts).filter(([label]) => SAID.test(label));
    const elements = this.panels.map((panel) => panel.element);
    if (first > 0) elements.splice(first, 0, h("h3", {}, "Columns of the files"));
    this.element = h("section", { class: "filters", "aria-label": "Filters" }, h("header", {}, h("h2", {}, "Filters"), this.clear), elements,
      notes.map(([label, text]) => h("p", { class: "note" }, `${label.replace(/^./u, (letter) => letter.toUpperCase())}: ${text}`)));
    this.element.hidden = !this.panels.length;
  }

  render() {
    const { state } = this.app;
    this.clear.hidden = !this.panels.some(({ about }) => isFiltered(state, about.key));
    for (const panel of this.panels) panel.render();
    this.sketch();
  }

  // One after the other, so that nothing waits for them.
  async sketch() {
    const ticket = (this.sketching = Symbol("sketch"));
    for (const panel of this.panels) {
      if (panel.element.open || panel.active || panel.about.type === "text") continue;
      await this.app.store.load([panel.name]);
      await nextFrame();
      if (this.sketching !== ticket) return;
      panel.sketch();
    }
  }
}

class Panel {
  constructor(app, about, index) {
    Object.assign(this, { app, about, index });
    this.state = h("span", { class: "state" });
    this.body = h("div", { class: "body" });
    this.element = h("details", {}, h("summary", {}, h("span", { class: "label" }, about.label), this.state, this.spark = h("span", { class: "spark", "aria-hidden": "true" })), this.body);
    this.element.addEventListener("toggle", () => this.open());
  }

  get name() { return `property${this.index}`; }

  async open() {
    if (!this.element.open) return;
    await this.app.store.load([this.name]);
    this.build();
    this.render();
  }

  // A box that lets in crystals without a value.
  unknownBox() {
    const { app, about } = this;
    if (!about.unknown) return null;
    this.unknown = h("input", { type: "checkbox", onchange: () => app.toggleUnknown(about.key) });
    return h("label", { class: "kind" }, this.unknown, h("span", {}, "unknown"), h("span", { class: "size" }, count(about.unknown)));
  }

  get letsIn() { return this.app.state.unknown.has(this.about.key); }

  // What the shown crystals are like, beside the name while the filter is closed.
  sketch() {
    const values = this.app.store.column(this.name);
    if (values && !this.element.open && !this.active) this.spark.replaceChildren(this.drawing(values, this.app.shown()));
  }

  // Opened when it filters, as after an address was followed.
  show(active) {
    this.element.classList.toggle("active", active);
    if (active && !this.active) this.element.open = true;
    this.active = active;
  }
}

class Range extends Panel {
  drawing(values, shown) {
    this.ends ??= ends(values, this.about.whole);
    const bins = histogram(values, this.ends, shown, SPARK), most = Math.max(...bins, 1);
    const path = Array.from(bins, (value, i) => (value ? `M${i + 0.5} 16v${-Math.max(15 * Math.sqrt(value / most), 1)}` : "")).join("");
    return s("svg", { viewBox: `0 0 ${SPARK} 16`, preserveAspectRatio: "none" }, s("path", { d: path }));
  }

  build() {
    if (this.handles) return;
    const values = this.app.store.column(this.name), { label } = this.about;
    this.ends ??= ends(values, this.about.whole);
    this.all = histogram(values, this.ends, null);
    this.bars = s("svg", { viewBox: `0 0 ${BINS} 40`, preserveAspectRatio: "none", class: "bars", "aria-hidden": "true" });
    this.handles = ["Least", "Most"].map((which, side) => h("input", { type: "range", min: 0, max: STEPS, step: 1, "aria-label": `${which} ${label}`, oninput: () => this.slide(side) }));
    this.fields = ["from", "to"].map((which, side) => h("input", { type: "text", inputmode: "decimal", "aria-label": `${label} ${which}`, onchange: () => this.type(side) }));
    this.body.append(h("div", { class: "histogram" }, this.bars, this.handles), h("div", { class: "fields" }, this.fields[0], h("span", {}, this.about.unit), this.fields[1]));
    if (!this.about.unknown) return;
    this.known = h("input", { type: "checkbox", onchange: () => this.set(...(this.range ? [-Infinity, Infinity] : [-Infinity, Infinity, true])) });
    this.body.append(h("label", { class: "kind" }, this.known, h("span", {}, "known"), h("span", { class: "size" }, count(this.app.store.rows - this.about.unknown))), this.unknownBox());
  }

  get range() { return this.app.state.ranges[this.about.key]; }

  value(place) {
    const [low, high] = this.ends, value = low + (place / STEPS) * (high - low);
    return this.about.whole ? Math.round(value) : value;
  }

  slide(side) {
    const [a, b] = this.handles.map((handle) => Number(handle.value));
    if (a > b) this.handles[side].value = side ? a : b;
    const [from, to] = this.handles.map((handle) => Number(handle.value));
    // A handle at its end asks for nothing on that side.
    this.set(from === 0 ? -Infinity : this.value(from), to === STEPS ? Infinity : this.value(to));
  }

  type(side) {
    const given = this.fields.map((field) => Number.parseFloat(field.value.replace("−", "-").replaceAll(",", "")));
    const before = this.range ?? [-Infinity, Infinity], next = [...before];
    next[side] = Number.isFinite(given[side]) ? given[side] : [-Infinity, Infinity][side];
    this.set(...next);
  }

  // always: also where both ends are open, which all known values pass.
  set(from, to, always = false) {
    const ranges = { ...this.app.state.ranges };
    if (from === -Infinity && to === Infinity && !always) delete ranges[this.about.key];
    else ranges[this.about.key] = [from, to].map((value) => Number(value.toPrecision(5))); // as the address keeps it
    this.app.set({ ranges });
  }

  render() {
    const { range } = this, [low, high] = range ?? [-Infinity, Infinity], { whole } = this.about;
    this.show(Boolean(range) || this.letsIn);
    const text = (value) => number(value, whole), open = low === -Infinity && high === Infinity;
    const within = !range ? "" : open ? "known" : low === -Infinity ? `≤ ${text(high)}` : high === Infinity ? `≥ ${text(low)}` : `${text(low)} – ${text(high)}`;
    this.state.textContent = [within, this.letsIn ? "unknown" : ""].filter(Boolean).join(", ");
    if (!this.handles || !this.element.open) return;
    if (this.known) [this.known.checked, this.unknown.checked] = [Boolean(range), this.letsIn];
    const [least, most] = this.ends, place = (value) => Math.round(((value - least) / (most - least)) * STEPS);
    const at = [low === -Infinity ? 0 : place(low), high === Infinity ? STEPS : place(high)];
    this.handles.forEach((handle, side) => {
      if (Number(handle.value) !== at[side]) handle.value = at[side];
      handle.setAttribute("aria-valuetext", `${text(this.value(at[side]))} ${this.about.unit}`);
    });
    this.fields.forEach((field, side) => { if (document.activeElement !== field) field.value = text([low === -Infinity ? least : low, high === Infinity ? most : high][side]); });
    this.paint(at);
  }

  paint([from, to]) {
    const shown = histogram(this.app.store.column(this.name), this.ends, this.app.shown()), most = Math.max(...this.all, 1);
    const tall = (value) => (value ? Math.max(39 * Math.sqrt(value / most), 0.8) : 0);
    const bar = (value, i, name) => s("rect", { x: i + 0.06, width: 0.88, y: 40 - tall(value), height: tall(value), class: name });
    const inside = (i) => (i + 1) / BINS > from / STEPS && i / BINS < to / STEPS;
    this.bars.replaceChildren(...Array.from(this.all, (value, i) => bar(value, i, inside(i) ? "all" : "all out")), ...Array.from(shown, (value, i) => bar(value, i, "shown")));
  }
}

class Kinds extends Panel {
  drawing(values, shown) {
    const sizes = new Uint32Array(this.about.kinds.length);
    for (let i = 0; i < values.length; i++) if (shown[i] && values[i] < sizes.length) sizes[values[i]]++;
    const most = Array.from(sizes).sort((a, b) => b - a), rest = most.splice(8).reduce((a, b) => a + b, 0);
    return h("span", { class: "parts" }, [...most, rest].filter(Boolean).map((value) => h("i", { style: { flex: String(value) } })));
  }

  build() {
    if (this.list) return;
    const { kinds } = this.about, sizes = new Uint32Array(kinds.length), { missing } = this.app.store.header;
    for (const code of this.app.store.column(this.name)) if (code !== missing) sizes[code]++;
    this.boxes = kinds.map((name, i) => {
      const box = h("input", { type: "checkbox", onchange: () => this.app.toggleKind(this.index, i) });
      return { box, row: h("label", { class: "kind" }, box, h("span", {}, name), h("span", { class: "size" }, count(sizes[i]))) };
    });
    this.list = h("div", { class: "kinds", role: "group", "aria-label": this.about.label }, this.boxes.slice(0, LISTED).map(({ row }) => row));
    const rest = this.boxes.slice(LISTED), more = h("button", { type: "button", class: "bare small", hidden: !rest.length, onclick: () => {
      this.list.append(...rest.splice(0, MORE).map(({ row }) => row));
      more.textContent = `${count(rest.length)} more`;
      more.hidden = !rest.length;
    } }, `${count(rest.length)} more`);
    this.body.append(this.list, more, ...[this.unknownBox()].filter(Boolean));
  }

  render() {
    const chosen = this.app.state.kinds[this.about.key];
    this.show(Boolean(chosen) || this.letsIn);
    const within = !chosen ? "" : chosen.size === 1 ? this.about.kinds[[...chosen][0]] : `${chosen.size} of ${this.about.kinds.length}`;
    this.state.textContent = [within, this.letsIn ? "unknown" : ""].filter(Boolean).join(", ");
    this.boxes?.forEach(({ box }, i) => { box.checked = Boolean(chosen?.has(i)); });
    if (this.unknown) this.unknown.checked = this.letsIn;
  }
}

// Texts of which nearly each is another: what has some letters in it.
class Texts extends Panel {
  build() {
    if (this.field) return;
    const { app, about } = this;
    this.field = h("input", { type: "search", class: "contains", autocomplete: "off", spellcheck: "false", placeholder: "has …", "aria-label": `${about.label} has`, oninput: () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.contain(this.field.value), 120);
    } });
    this.body.append(this.field, h("p", { class: "note" }, `${count(about.kinds)} different texts: searched, not coloured`), ...[this.unknownBox()].filter(Boolean));
  }

  contain(text) {
    const texts = { ...this.app.state.texts };
    if (text) texts[this.about.key] = text;
    else delete texts[this.about.key];
    this.app.set({ texts });
  }

  render() {
    const text = this.app.state.texts[this.about.key] ?? "";
    this.show(Boolean(text) || this.letsIn);
    this.state.textContent = [text && `“${text}”`, this.letsIn ? "unknown" : ""].filter(Boolean).join(", ");
    if (this.field && document.activeElement !== this.field) this.field.value = text;
    if (this.unknown) this.unknown.checked = this.letsIn;
  }
}

function ends(values, whole) {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(low <= high)) [low, high] = [0, 1];
  return low < high ? [low, high] : [low - (whole ? 1 : 0.5), high + (whole ? 1 : 0.5)];
}

function histogram(values, [low, high], shown, size = BINS) {
  const bins = new Uint32Array(size), factor = size / (high - low);
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== values[i] || (shown && !shown[i])) continue;
    bins[Math.min(((values[i] - low) * factor) | 0, size - 1)]++;
  }
  return bins;
}
