// What is coloured by, what the colours mean, and the sources, which can be switched off and brought to the front.

import { count, h, number, s } from "./dom.js";
import { PALETTES, SHOWN_KINDS, category, css, other, shade, unknown } from "./palette.js";
import { OUTLINES, shapeOf } from "./raster.js";
import { SCALES } from "./scales.js";

export const marker = (source, colour) => s("svg", { viewBox: "0 0 12 12", class: "marker", "aria-hidden": "true", style: `color:${colour}` }, s("path", { d: OUTLINES[shapeOf(source)] }));

const STOPS = 65; // of a ramp

const dot = (colour) => h("i", { class: "dot", style: { background: colour } });
const choice = (value, text = value) => h("option", { value }, text);

// Options for properties of a kind that a test admits: what was computed, and what the files say.
export function options(properties, admits) {
  const group = (label, of) => (of.length ? h("optgroup", { label }, of.map((about) => choice(about.key, about.label))) : "");
  const fit = properties.filter(admits);
  return [group("Computed", fit.filter(({ file }) => !file)), group("Columns of the files", fit.filter(({ file }) => file))].filter(Boolean);
}

// What a ramp says: colours from its beginning to its end, and texts below.
export function rampOf({ about, scale }, look, theme) {
  const { low, high, clipped } = scale, values = [low, scale.value(0.5), high];
  const texts = values.map((value, i) => `${clipped[0] && i === 0 ? "≤ " : clipped[1] && i === 2 ? "≥ " : ""}${number(value, about.whole && high - low > 3)}`);
  if (about.unit) texts[2] += ` ${about.unit}`;
  return { stops: Array.from({ length: STOPS }, (_, i) => css(shade(i / (STOPS - 1), look, theme))), texts };
}

// The kinds that have colours, the rest, and unknown: [{text, colour, code}], where code is a list for the rest.
export function kindsOf({ about, missing }, theme) {
  const rest = about.kinds.length - SHOWN_KINDS, found = about.kinds.slice(0, SHOWN_KINDS).map((text, code) => ({ text, colour: category(code, theme), code }));
  if (rest > 0) found.push({ text: rest === 1 ? about.kinds.at(-1) : `${count(rest)} others`, colour: other(theme), code: Array.from({ length: rest }, (_, i) => SHOWN_KINDS + i) });
  if (missing) found.push({ text: "unknown", colour: unknown(theme), code: null });
  return found;
}

export class Legend {
  constructor(app) {
    this.app = app;
    const { header } = app.store;
    this.select = h("select", { id: "colour", autocomplete: "off", onchange: () => app.set({ colour: this.select.value }) }, choice("source", "Source"), ...options(header.properties, ({ type }) => type !== "text"));
    this.scale = h("div", { class: "scale" });
    this.kind = h("select", { "aria-label": "Colour scale", autocomplete: "off", onchange: () => app.set({ scale: this.kind.value }) }, choice("auto"), SCALES.map((name) => choice(name)));
    this.palette = h("select", { "aria-label": "Palette", autocomplete: "off", onchange: () => this.look({ palette: this.palette.value }) }, PALETTES.map((name) => choice(name)));
    this.reverse = h("button", { type: "button", class: "quiet", "aria-label": "Reverse the colours", title: "Reverse the colours", onclick: () => this.look({ reversed: !app.state.reversed }) }, "⇄");
    this.clip = h("input", { type: "checkbox", onchange: () => app.set({ clip: this.clip.checked }) });
    this.clipping = h("label", { class: "kind" }, this.clip, h("span", {}, "one colour for the outermost 1 %"));
    this.controls = h("div", { class: "controls" }, h("div", { class: "pickers" }, this.kind, this.palette, this.reverse), this.clipping);
    this.sources = header.sources.map((name, i) => this.sourceButton(name, i));
    this.element = h("section", { class: "legend" },
      h("div", { class: "field" }, h("label", { for: "colour" }, "Colour by"), this.select), this.scale, this.controls,
      h("div", { class: "sources", role: "group", "aria-label": "Sources" }, this.sources.map(({ row }) => row)));
  }

  // Palettes change neither what is shown nor its order.
  look(change) {
    this.app.restyle(change);
    this.render();
  }

  sourceButton(name, i) {
    const { app } = this, swatch = h("span", { class: "swatch" }), size = h("span", { class: "size" });
    const button = h("button", { type: "button", class: "source", "aria-pressed": "true", title: "Show or hide", onclick: () => app.toggleSource(i) }, swatch, h("span", { class: "label" }, name), size);
    const only = h("button", { type: "button", class: "only", "aria-label": `Only ${name}`, onclick: () => app.onlySource(i) }, "only");
    const front = h("button", { type: "button", class: "only front", "aria-label": `${name} in front`, "aria-pressed": "false", title: "Keep it in front of the others", onclick: () => app.toggleFront(i) }, "front");
    const row = this.ahead(h("div", { class: "row" }, button, front, only), "source", i);
    return { row, button, swatch, size, front };
  }

  // An element that brings its points to the front while it is pointed at.
  ahead(element, name, code) {
    const { app } = this;
    for (const type of ["pointerenter", "focusin"]) element.addEventListener(type, () => app.bring(name, code));
    for (const type of ["pointerleave", "focusout"]) element.addEventListener(type, () => app.bring(null));
    return element;
  }

  render() {
    const { app } = this, { state, theme } = app, colour = app.colouring(), sizes = app.sourceSizes();
    this.select.value = state.colour;
    this.sources.forEach(({ button, swatch, size, front }, i) => {
      button.setAttribute("aria-pressed", String(!state.off.has(i)));
      front.setAttribute("aria-pressed", String(state.front === i));
      swatch.replaceChildren(marker(i, state.colour === "source" ? category(i, theme) : "var(--muted)"));
      const { shown, all } = sizes[i];
      size.textContent = shown === all ? count(all) : `${count(shown)} of ${count(all)}`;
    });
    this.controls.hidden = !colour.scale;
    const shape = `${state.colour}/${theme}/${JSON.stringify([...(state.kinds[state.colour] ?? [])])}/${state.unknown.has(state.colour)}/${state.scale}/${state.palette}/${state.reversed}/${state.clip}`;
    if (shape === this.drawn) return; // what is pointed at stays
    this.drawn = shape;
    this.scale.replaceChildren(...(state.colour === "source" ? [] : colour.scale ? this.bar(colour) : [this.kinds(colour)]));
    if (colour.scale) this.settings(colour);
  }

  settings({ scale }) {
    const { state } = this.app;
    this.kind.value = state.scale === "log" && !scale.positive ? scale.kind : state.scale;
    this.kind.options[0].textContent = state.scale === "auto" ? `auto: ${scale.kind}` : "auto";
    this.kind.querySelector("[value=log]").disabled = !scale.positive;
    this.kind.title = scale.positive ? "" : "No logarithm: some numbers are not positive";
    this.palette.value = state.palette;
    this.reverse.setAttribute("aria-pressed", String(state.reversed));
    this.clip.checked = state.clip;
    this.clipping.hidden = scale.kind === "quantile" || (state.clip && !scale.clipped.some(Boolean));
  }

  bar(colour) {
    const { app } = this, { about, missing } = colour, { stops, texts } = rampOf(colour, app.state, app.theme);
    return [
      h("div", { class: "ramp", role: "img", "aria-label": `Colours from ${texts[0]} to ${texts[2]}`, style: { background: `linear-gradient(90deg, ${stops.join(", ")})` } }),
      h("div", { class: "ticks", "aria-hidden": "true" }, texts.map((text) => h("span", {}, text))),
      missing ? h("button", { type: "button", class: "key", "aria-pressed": String(!app.state.unknown.size || app.state.unknown.has(about.key)), title: "Only these", onclick: () => app.toggleUnknown(about.key) }, dot(unknown(app.theme)), `unknown, ${count(about.unknown)}`) : "",
    ].filter(Boolean);
  }

  kinds(colour) {
    const { app } = this, { about, index } = colour, { kinds, unknown: letIn } = app.state, chosen = kinds[about.key], free = !chosen && !letIn.has(about.key);
    const pressed = (code) => (code === null ? letIn.has(about.key) : [code].flat().some((one) => chosen?.has(one)));
    return h("div", { class: "keys", role: "group", "aria-label": about.label }, kindsOf(colour, app.theme).map(({ text, colour: fill, code }) => {
      const button = h("button", { type: "button", class: "key", "aria-pressed": String(free || pressed(code)), title: "Only these", onclick: () => (code === null ? app.toggleUnknown(about.key) : app.toggleKind(index, code)) }, dot(fill), h("span", {}, text));
      return Array.isArray(code) ? button : this.ahead(button, `property${index}`, code ?? app.store.header.missing);
    }));
  }
}
