// The map: its camera, its points, and what pointers and keys do on it.

import { STRIP, drawAxes } from "./axes.js";
import { h, s } from "./dom.js";
import { BORDER, Raster } from "./raster.js";
import { nameOf } from "./views.js";

const ZOOM = [0.5, 4000];
const REACH = 10; // pixels from a point at which the pointer has it
const CLICK = 5; // pixels that a click may move
const EASE = 260; // milliseconds
const BARS = 132; // pixels that the bars above and below a plot take, which hide nothing of it
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class MapView {
  // app offers state, grid, shown(), select(row), hover(row, at), setLasso(line), moved().
  constructor(app) {
    this.app = app;
    this.canvas = h("canvas", { class: "points", tabindex: 0, role: "application", "aria-roledescription": "map", "aria-label": "Map of crystals", "aria-describedby": "map-help" });
    this.hovered = this.ring("hovered");
    this.chosen = this.ring("chosen");
    this.line = s("path", { class: "lasso" });
    this.axes = s("g", { class: "axes" });
    this.overlay = s("svg", { class: "overlay", "aria-hidden": "true" }, this.line, this.chosen, this.hovered, this.axes);
    this.element = h("div", { class: "map" }, this.canvas, this.overlay,
      h("p", { id: "map-help", class: "unseen" }, "Arrow keys move to the next crystal in a direction, Enter opens it, plus and minus zoom, question mark lists all keys."));
    this.raster = new Raster(this.canvas);
    Object.assign(this, { pointers: new Map(), mode: "pan", drawing: null, cursor: -1, pending: false, frames: 0 });
    this.listen();
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  ring(name) { return s("circle", { class: `ring ${name}`, r: 9, visibility: "hidden" }); }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return;
    Object.assign(this, { width, height, ratio: Math.min(devicePixelRatio, 2) });
    this.redraw();
  }

  // Pixels that axes take, and the middle of what they leave.
  get strip() { return this.app.view.axes ? STRIP : { left: 0, bottom: 0 }; }
  get middle() { return [(this.width + this.strip.left) / 2, (this.height - this.strip.bottom) / 2]; }

  // Pixels per unit of the map at zoom 1.
  get base() {
    const { width, height, strip } = this;
    return this.app.view.axes ? Math.min((width - strip.left) * 0.47, Math.max(height - strip.bottom - BARS, 120) * 0.5) : Math.min(width, height) * 0.46;
  }

  get scale() { return this.base * this.app.state.camera.k; }
  toScreen(x, y) { const { camera } = this.app.state, [mx, my] = this.middle; return [(x - camera.x) * this.scale + mx, my - (y - camera.y) * this.scale]; }
  toMap(left, top) { const { camera } = this.app.state, [mx, my] = this.middle; return [(left - mx) / this.scale + camera.x, (my - top) / this.scale + camera.y]; }

  // Points in the order they are drawn: those filtered out first, those brought to the front last. Others are mixed, so
  // that no source hides another. front: null or {values, code}, of which those with the code are in front.
  order(shown, codes, shapes, front) {
    const { grid } = this.app, { positions } = grid, n = shown.length;
    this.mixed ??= shuffled(n);
    const points = { x: new Float32Array(n), y: new Float32Array(n), code: new Uint8Array(n), shape: new Uint8Array(n), row: new Uint32Array(n) };
    let at = 0;
    const layer = (belongs) => {
      for (let i = 0; i < n; i++) {
        const row = this.mixed[i];
        if (!grid.has(row) || !belongs(row)) continue;
        points.x[at] = positions[2 * row];
        points.y[at] = positions[2 * row + 1];
        points.code[at] = codes[row];
        points.shape[at] = shapes[row];
        points.row[at++] = row;
      }
    };
    layer((row) => !shown[row]);
    this.hidden = at;
    if (front) {
      layer((row) => shown[row] && front.values[row] !== front.code);
      layer((row) => shown[row] && front.values[row] === front.code);
    } else layer((row) => shown[row]);
    Object.assign(this, { points, size: at });
    this.redraw();
  }

  redraw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => { this.pending = false; this.draw(); });
  }

  // The radius of a marker in pixels: small where points are many, larger when one looks closely.
  get radius() {
    const n = this.app.store.rows, room = Math.sqrt((this.width * this.height) / n);
    const fitted = Math.min(Math.max(0.33 * room, 0.6), 5);
    return this.app.state.size * Math.min(fitted * Math.max(this.app.state.camera.k, 0.6) ** 0.42, Math.max(6.5, fitted));
  }

  draw() {
    if (!this.points || !this.width) return;
    this.paint(this.raster, this.ratio);
    this.frames++;
    this.drawOverlay();
    this.axes.replaceChildren(...(this.app.view.axes ? [drawAxes(this, this.app.view.axes, { ink: "var(--muted)", line: "var(--edge)", paper: "var(--map)" })] : []));
  }

  // Draws what is in sight, so many times as large.
  paint(raster, ratio, theme) {
    const { table, paper, dimmed } = this.app.colours(theme), { opacity } = this.app.state;
    raster.resize(Math.round(this.width * ratio), Math.round(this.height * ratio));
    const [left, top] = this.toScreen(0, 0), place = { scale: this.scale * ratio, left: left * ratio + BORDER, top: top * ratio + BORDER };
    const radius = this.radius * ratio;
    raster.clear(paper);
    raster.draw(this.points, 0, this.hidden, place, Math.max(radius * 0.7, 0.5), table.map(() => dimmed), opacity);
    raster.draw(this.points, this.hidden, this.size, place, radius, table, opacity);
    raster.show();
  }

  drawOverlay() {
    const { state, grid } = this.app;
    for (const [ring, row] of [[this.chosen, state.crystal], [this.hovered, this.cursor]]) {
      const there = row >= 0 && grid.has(row);
      ring.setAttribute("visibility", there ? "visible" : "hidden");
      if (!there) continue;
      const [x, y] = this.toScreen(...grid.at(row));
      ring.setAttribute("cx", x);
      ring.setAttribute("cy", y);
      ring.setAttribute("r", this.radius + (ring === this.chosen ? 5 : 3.5));
    }
    const here = nameOf(state.lassoAxes) === this.app.view.key;
    const line = this.drawing?.line ?? (here ? state.lasso?.map((p) => this.toScreen(...p)) : null);
    this.line.setAttribute("d", line?.length > 1 ? `M${line.map((p) => p.map((v) => v.toFixed(1)).join(" ")).join("L")}Z` : "");
  }

  // --- camera ---

  move(camera) {
    const k = Math.min(Math.max(camera.k ?? this.app.state.camera.k, ZOOM[0]), ZOOM[1]);
    this.app.state.camera = { ...this.app.state.camera, ...camera, k };
    this.redraw();
    this.app.moved();
  }

  zoom(factor, left = this.middle[0] - this.app.inset().right / 2, top = this.middle[1]) {
    const [x, y] = this.toMap(left, top), { camera } = this.app.state;
    const k = Math.min(Math.max(camera.k * factor, ZOOM[0]), ZOOM[1]), kept = camera.k / k;
    this.move({ x: x + (camera.x - x) * kept, y: y + (camera.y - y) * kept, k });
  }

  // Glides to a camera.
  glide(target) {
    const from = { ...this.app.state.camera }, start = performance.now(), to = { ...from, ...target };
    if (calm.matches) return this.move(to);
    const ticket = (this.gliding = Symbol("glide"));
    const step = (now) => {
      if (this.gliding !== ticket) return;
      const t = Math.min(Math.max((now - start) / EASE, 0), 1), eased = 1 - (1 - t) ** 3;
      if (t === 1) {
        this.gliding = null;
        return this.move(to);
      }
      const between = (a, b) => a + (b - a) * eased;
      this.move({ x: between(from.x, to.x), y: between(from.y, to.y), k: Math.exp(between(Math.log(from.k), Math.log(to.k))) });
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  // The whole map in what no panel covers.
  fit() {
    const { right, bottom } = this.app.inset();
    const k = Math.min(1, (this.width - this.strip.left - right) * 0.46 / this.base, (this.height - this.strip.bottom - bottom) * 0.46 / this.base), scale = this.base * k;
    this.glide({ x: right / 2 / scale, y: -bottom / 2 / scale, k });
  }

  // Brings a point into sight, if it is not; returns the camera that it glides to, or null.
  reveal(row) {
    if (!this.app.grid.has(row)) return null;
    const [x, y] = this.app.grid.at(row), [left, top] = this.toScreen(x, y), { right, bottom } = this.app.inset(), { strip } = this;
    if (left >= 30 + strip.left && left <= this.width - right - 30 && top >= 60 && top <= this.height - strip.bottom - bottom - 40) return null;
    const to = { x: x + right / 2 / this.scale, y: y - bottom / 2 / this.scale };
    this.glide(to);
    return { ...this.app.state.camera, ...to };
  }

  // --- pointers ---

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.gliding = null;
      const lines = event.deltaMode === 1 ? 16 : 1;
      this.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018)), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointercancel", (event) => { this.pointers.delete(event.pointerId); this.drawing = null; this.redraw(); });
    canvas.addEventListener("pointerleave", () => { if (!this.pointers.size) this.point(-1); });
    canvas.addEventListener("dblclick", (event) => this.zoom(2, event.offsetX, event.offsetY));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.point(-1));
  }

  press(event) {
    if (event.button) return;
    this.gliding = null;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    const start = [event.offsetX, event.offsetY];
    this.start = this.pointers.size === 1 ? start : null;
    const mode = event.shiftKey && this.mode === "pan" ? "lasso" : this.mode;
    this.drawing = this.start && mode !== "pan" ? { mode, line: [start] } : null;
  }

  drag(event) {
    const at = [event.offsetX, event.offsetY], before = this.pointers.get(event.pointerId);
    if (!before) return this.point(this.pick(...at, event.pointerType), at);
    if (this.pointers.size === 2) this.pinch(event.pointerId, at);
    else if (this.drawing) this.extend(at);
    else {
      if (this.start && distance(at, this.start) < CLICK) return;
      this.start = null;
      this.point(-1);
      const { camera } = this.app.state;
      this.move({ x: camera.x - (at[0] - before[0]) / this.scale, y: camera.y + (at[1] - before[1]) / this.scale });
    }
    this.pointers.set(event.pointerId, at);
  }

  pinch(id, at) {
    const [[, other]] = [...this.pointers].filter(([key]) => key !== id), before = this.pointers.get(id);
    this.zoom(distance(at, other) / Math.max(distance(before, other), 1), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
    const { camera } = this.app.state;
    this.move({ x: camera.x - (at[0] - before[0]) / 2 / this.scale, y: camera.y + (at[1] - before[1]) / 2 / this.scale });
  }

  extend(at) {
    const { drawing } = this, [first] = drawing.line;
    if (distance(at, first) >= CLICK) this.start = null; // it may end where it began
    if (drawing.mode === "box") drawing.line = [first, [at[0], first[1]], at, [first[0], at[1]]];
    else if (distance(drawing.line.at(-1), at) > 3) drawing.line.push(at);
    this.drawOverlay();
  }

  release(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    const at = [event.offsetX, event.offsetY], { drawing, start } = this;
    this.drawing = null;
    if (start && distance(at, start) < CLICK) {
      const row = this.pick(...at, event.pointerType);
      this.app.select(row);
    } else if (drawing?.line.length > 2) {
      this.app.setLasso(drawing.line.map((p) => this.toMap(...p)));
    }
    this.drawOverlay();
  }

  pick(left, top, type) {
    const reach = Math.max(type === "touch" ? 2 * REACH : REACH, this.radius + 2) / this.scale;
    return this.app.grid.nearest(...this.toMap(left, top), reach, this.app.shown());
  }

  point(row, at) {
    if (row === this.cursor && row < 0) return;
    const changed = row !== this.cursor;
    this.cursor = row;
    if (changed) this.drawOverlay();
    this.canvas.style.cursor = row >= 0 ? "pointer" : "";
    this.app.hover(row, at ?? (row >= 0 ? this.toScreen(...this.app.grid.at(row)) : null), changed);
  }

  // --- keys ---

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (direction && event.shiftKey) {
      const { camera } = this.app.state;
      this.move({ x: camera.x + direction[0] * 80 / this.scale, y: camera.y + direction[1] * 80 / this.scale });
    } else if (direction) this.step(direction);
    else if (event.key === "Enter" || event.key === " ") this.app.select(this.cursor >= 0 ? this.cursor : this.app.state.crystal);
    else return;
    event.preventDefault();
  }

  step(direction) {
    const from = this.cursor >= 0 ? this.cursor : this.app.state.crystal, { grid } = this.app;
    const { camera } = this.app.state, shown = this.app.shown();
    const row = from >= 0 && grid.has(from) ? grid.next(...grid.at(from), direction, shown, from) : grid.nearest(camera.x, camera.y, 4, shown);
    if (row < 0) return;
    this.reveal(row);
    this.point(row);
    this.app.say(this.app.sentence(row));
  }
}

const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

// The same order each time.
function shuffled(n) {
  const rows = Uint32Array.from({ length: n }, (_, i) => i);
  let seed = 1;
  for (let i = n - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((seed / 2 ** 32) * (i + 1));
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
  return rows;
}
