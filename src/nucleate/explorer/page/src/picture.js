// The map as a picture with its title and legend: PNG, SVG, or on paper.

import { drawAxes } from "./axes.js";
import { count, h, plural, s, save } from "./dom.js";
import { kindsOf, rampOf } from "./legend.js";
import { category, css } from "./palette.js";
import { OUTLINES, Raster, shapeOf } from "./raster.js";

const WIDTH = 1600, LEGEND = 330, GAP = 40; // of the sheet
const SHARP = 2; // pixels of a PNG a unit of the sheet
const VECTORS = 60_000; // points of an SVG; more are drawn as pixels
const INK = { light: { ink: "#15202b", muted: "#596673", line: "#c8ced4", edge: "#97a1aa", paper: "#ffffff", map: "#f8f9fa" }, dark: { ink: "#e8edf1", muted: "#9ba7b2", line: "#343d47", edge: "#75818c", paper: "#12161b", map: "#0c0f13" } };
const FONT = "system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif";

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

export class Pictures {
  constructor(app) {
    this.app = app;
    this.sheet = h("div", { class: "print" });
    addEventListener("beforeprint", () => this.sheet.replaceChildren(this.compose("light", this.pixels("light", SHARP).toDataURL())));
    addEventListener("afterprint", () => this.sheet.replaceChildren());
  }

  get name() { return `${this.app.store.header.title.replace(/[^\w.-]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 60) || "map"}`; }

  // How much larger the map is on the sheet than on the screen.
  get factor() { return (WIDTH - LEGEND - 3 * GAP) / this.app.map.width; }

  async png() {
    const { theme } = this.app, frame = this.compose(theme, null), { width, height } = frame.viewBox.baseVal;
    const canvas = h("canvas", { width: width * SHARP, height: height * SHARP }), context = canvas.getContext("2d"), map = this.place();
    context.scale(SHARP, SHARP);
    context.fillStyle = INK[theme].paper;
    context.fillRect(0, 0, width, height);
    context.drawImage(this.pixels(theme, SHARP), map.left, map.top, map.width, map.height);
    const image = new Image(width, height), url = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(frame)], { type: "image/svg+xml" }));
    image.src = url;
    await image.decode();
    context.drawImage(image, 0, 0, width, height);
    URL.revokeObjectURL(url);
    save(`${this.name}.png`, [await new Promise((done) => canvas.toBlob(done, "image/png"))], "image/png");
    this.app.say("Saved the picture");
  }

  svg() {
    const { theme, map } = this.app, many = map.size > VECTORS;
    const sheet = this.compose(theme, many ? this.pixels(theme, SHARP).toDataURL() : this.points(theme));
    sheet.prepend(s("rect", { width: "100%", height: "100%", fill: INK[theme].paper }));
    save(`${this.name}.svg`, [new XMLSerializer().serializeToString(sheet)], "image/svg+xml");
    this.app.say("Saved the picture");
  }

  // Where the map is on the sheet.
  place() { const { map } = this.app; return { left: GAP, top: 120, width: map.width * this.factor, height: map.height * this.factor }; }

  pixels(theme, sharp) {
    const canvas = h("canvas", {});
    this.app.map.paint(new Raster(canvas), this.factor * sharp, theme);
    return canvas;
  }

  // Points as shapes, in pixels of the map.
  points(theme) {
    const { map, state } = this.app, { table, dimmed } = this.app.colours(theme), { x, y, code, shape } = map.points, group = s("g", { opacity: "1" });
    const outlines = s("defs", {}, ...OUTLINES.map((d, i) => s("path", { id: `marker${i}`, d, transform: "translate(-6 -6)" })));
    group.append(outlines);
    const size = (map.radius / 4.5).toFixed(3), colours = table.map(css), grey = css(dimmed);
    for (let n = 0; n < map.size; n++) {
      const [left, top] = map.toScreen(x[n], y[n]);
      if (!(left > -9 && top > -9 && left < map.width + 9 && top < map.height + 9)) continue;
      group.append(s("use", { href: `#marker${shape[n]}`, transform: `translate(${left.toFixed(1)} ${top.toFixed(1)}) scale(${size})`, fill: n < map.hidden ? grey : colours[code[n]], ...(state.opacity < 1 ? { "fill-opacity": state.opacity } : {}) }));
    }
    return group;
  }

  // Title, legend and axes as an SVG; points: the address of an image of them, shapes, or null where they lie below.
  compose(theme, points) {
    const { app } = this, { header } = app.store, colours = INK[theme], map = this.place(), clip = { x: 0, y: 0, width: map.width, height: map.height };
    const text = (x, y, words, more = {}) => s("text", { x, y, fill: colours.ink, "font-size": 19, ...more }, words);
    const height = Math.max(map.top + map.height + GAP, this.legendHeight(map.top) + GAP);
    const sheet = s("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${WIDTH} ${height.toFixed(0)}`, width: WIDTH, height: height.toFixed(0), "font-family": FONT, role: "img", "aria-label": header.title });
    sheet.append(s("clipPath", { id: "frame" }, s("rect", clip)), text(GAP, 62, cut(header.title, 80), { "font-size": 36, "font-weight": 640 }), text(GAP, 98, this.subtitle(), { fill: colours.muted }));
    const area = s("svg", { x: map.left, y: map.top, width: map.width, height: map.height, viewBox: `0 0 ${app.map.width} ${app.map.height}`, preserveAspectRatio: "none" });
    if (points) area.append(s("rect", { width: app.map.width, height: app.map.height, fill: colours.map }));
    if (typeof points === "string") area.append(s("image", { href: points, width: app.map.width, height: app.map.height, preserveAspectRatio: "none" }));
    else if (points) area.append(points);
    if (app.view.axes) area.append(drawAxes(app.map, app.view.axes, { ink: colours.muted, line: colours.edge, paper: colours.map }));
    sheet.append(area, s("rect", { x: map.left, y: map.top, width: map.width, height: map.height, fill: "none", stroke: colours.line }));
    this.legend(sheet, map.left + map.width + GAP, map.top, theme, text);
    return sheet;
  }

  subtitle() {
    const { app } = this, { header } = app.store, shown = app.selected?.length ?? app.shownCount, all = app.store.rows;
    const facts = [shown < all ? `${count(shown)} of ${plural(all, "crystal")}` : plural(all, "crystal"), header.facts.embedding, app.view.axes ? null : header.facts.projection, app.state.query && `search: ${app.state.query}`];
    return cut(facts.filter(Boolean).join(" · "), 150);
  }

  legendHeight(top) {
    const { app } = this, colour = app.colouring(), keys = colour.index < 0 ? 0 : colour.scale ? 5 : kindsOf(colour, "light").length + 2;
    return top + 40 + 32 * (keys + app.store.header.sources.length + 1);
  }

  legend(sheet, x, top, theme, text) {
    const { app } = this, { header } = app.store, colour = app.colouring(), muted = { fill: INK[theme].muted };
    let y = top + 16;
    const mark = (i, fill) => s("path", { d: OUTLINES[shapeOf(i)], fill, transform: `translate(${x} ${y - 15}) scale(1.4)` });
    if (colour.index >= 0) {
      sheet.append(text(x, y, cut(colour.about.label, 34), { "font-weight": 600 }));
      y += 32;
      y = colour.scale ? this.ramp(sheet, colour, x, y, theme, text) : this.kinds(sheet, colour, x, y, theme, text);
      y += 12;
    }
    sheet.append(text(x, y, "Sources", { "font-weight": 600 }));
    header.sources.forEach((name, i) => {
      y += 32;
      const off = app.state.off.has(i), size = app.sourceSizes()[i];
      sheet.append(mark(i, colour.index < 0 ? category(i, theme) : INK[theme].muted), text(x + 28, y, cut(name, 24), off ? { ...muted, "text-decoration": "line-through" } : {}), text(x + LEGEND, y, count(off ? 0 : size.shown), { ...muted, "text-anchor": "end" }));
    });
  }

  ramp(sheet, colour, x, y, theme, text) {
    const { stops, texts } = rampOf(colour, this.app.state, theme), wide = LEGEND / stops.length;
    stops.forEach((fill, i) => sheet.append(s("rect", { x: x + i * wide, y: y - 14, width: wide + 0.6, height: 18, fill })));
    texts.forEach((words, i) => sheet.append(text(x + (LEGEND * i) / 2, y + 28, words, { "font-size": 16, fill: INK[theme].muted, "text-anchor": ["start", "middle", "end"][i] })));
    sheet.append(text(x, y + 56, `${colour.scale.kind} scale`, { "font-size": 16, fill: INK[theme].muted }));
    if (colour.missing) sheet.append(s("circle", { cx: x + LEGEND - 96, cy: y + 50, r: 7, fill: css(this.app.colours(theme).table[255]) }), text(x + LEGEND, y + 56, "unknown", { "font-size": 16, fill: INK[theme].muted, "text-anchor": "end" }));
    return y + 92;
  }

  kinds(sheet, colour, x, y, theme, text) {
    for (const { text: words, colour: fill } of kindsOf(colour, theme)) {
      sheet.append(s("circle", { cx: x + 8, cy: y - 6, r: 8, fill }), text(x + 28, y, cut(words, 32)));
      y += 32;
    }
    return y + 8;
  }
}
