// What is coloured by, what the colours mean, and the sources, which can be switched off.

import { count, h, number, s } from "./dom.js";
import { SHOWN_KINDS, category, css, other, viridis } from "./palette.js";
import { OUTLINES, shapeOf } from "./raster.js";

export const marker = (source, colour) => s("svg", { viewBox: "0 0 12 12", class: "marker", "aria-hidden": "true", style: `color:${colour}` }, s("path", { d: OUTLINES[shapeOf(source)] }));

const dot = (colour) => h("i", { class: "dot", style: { background: colour } });

export class Legend {
  constructor(app) {
    this.app = app;
    const { header } = app.store;
    this.select = h("select", { id: "colour", autocomplete: "off", onchange: () => app.set({ colour: this.select.value }) },
      h("option", { value: "source" }, "Source"), header.properties.map((about) => h("option", { value: about.key }, about.label)));
    this.scale = h("div", { class: "scale" });
    this.sources = header.sources.map((name, i) => this.sourceButton(name, i));
    this.element = h("section", { class: "legend" },
      h("div", { class: "field" }, h("label", { for: "colour" }, "Colour by"), this.select), this.scale,
      h("div", { class: "sources", role: "group", "aria-label": "Sources" }, this.sources.map(({ row }) => row)));
  }

  sourceButton(name, i) {
    const { app } = this, swatch = h("span", { class: "swatch" }), size = h("span", { class: "size" });
    const button = h("button", { type: "button", class: "source", "aria-pressed": "true", title: "Show or hide", onclick: () => app.toggleSource(i) }, swatch, h("span", { class: "label" }, name), size);
    const only = h("button", { type: "button", class: "only", "aria-label": `Only ${name}`, onclick: () => app.onlySource(i) }, "only");
    return { row: h("div", { class: "row" }, button, only), button, swatch, size };
  }

  render() {
    const { app } = this, { state, theme } = app, colour = app.colouring(), sizes = app.sourceSizes();
    this.select.value = state.colour;
    this.sources.forEach(({ button, swatch, size }, i) => {
      button.setAttribute("aria-pressed", String(!state.off.has(i)));
      swatch.replaceChildren(marker(i, state.colour === "source" ? category(i, theme) : "var(--muted)"));
      const { shown, all } = sizes[i];
      size.textContent = shown === all ? count(all) : `${count(shown)} of ${count(all)}`;
    });
    this.scale.replaceChildren(...(state.colour === "source" ? [] : colour.continuous ? this.bar(colour) : [this.kinds(colour)]));
  }

  bar({ about, limits, missing }) {
    const { theme } = this.app, stops = Array.from({ length: 17 }, (_, i) => css(viridis(i / 16, theme))).join(", ");
    const [low, high] = limits, ticks = [low, (low + high) / 2, high];
    return [
      h("div", { class: "ramp", role: "img", "aria-label": `Colours from ${number(low, about.whole)} to ${number(high, about.whole)} ${about.unit}`, style: { background: `linear-gradient(90deg, ${stops})` } }),
      h("div", { class: "ticks", "aria-hidden": "true" }, ticks.map((value, i) => h("span", {}, number(value, about.whole && high - low > 3), i === 2 && about.unit ? ` ${about.unit}` : ""))),
      missing ? h("p", { class: "unknown" }, dot(other(theme)), "unknown") : "",
    ].filter(Boolean);
  }

  kinds({ about, missing, index }) {
    const { app } = this, { theme } = app, chosen = app.state.kinds[about.key], kinds = about.kinds.slice(0, SHOWN_KINDS);
    const rest = about.kinds.length > SHOWN_KINDS || missing;
    return h("div", { class: "keys", role: "group", "aria-label": about.label }, kinds.map((name, i) => h("button", {
      type: "button", class: "key", "aria-pressed": String(!chosen || chosen.has(i)), title: "Only these", onclick: () => app.toggleKind(index, i),
    }, dot(category(i, theme)), name)), rest ? h("span", { class: "key rest" }, dot(other(theme)), about.kinds.length > SHOWN_KINDS ? "others" : "unknown") : "");
  }
}
