// Cells that can be turned: several may turn together.

import { Cell, clamp, readTheme } from "../../../drawing/viewer.js";
import { h } from "./dom.js";

const STRETCH = 1.2, CATION_GAP = 0.7; // the rule of bonds, see nucleate.drawing.scene
const BY_PIXEL = 0.011, BY_KEY = 0.15; // radians

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const scaled = (a, factor) => a.map((value) => value * factor);
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = (a) => scaled(a, 1 / Math.hypot(...a));

export { readTheme };

// c up, a to the right.
function upright(lattice) {
  const up = unit(lattice[2]), right = unit(lattice[0].map((value, k) => value - dot(lattice[0], up) * up[k]));
  const deep = cross(up, right);
  return lattice.map((row) => [dot(row, right), dot(row, deep), dot(row, up)]);
}

// Longest bond of each pair of elements in Å; two cations have none.
function bonds(numbers, elements) {
  const present = [...new Set(numbers)].sort((a, b) => a - b), pull = (z) => elements[z][4];
  const highest = Math.max(...present.map(pull)), cation = (z) => pull(z) < highest - CATION_GAP;
  return present.flatMap((i) => present.filter((j) => j >= i && !(cation(i) && cation(j)))
    .map((j) => [i, j, STRETCH * (elements[i][3] + elements[j][3])]));
}

const drawn = (structure, elements) => ({ ...structure, lattice: upright(structure.lattice), bonds: bonds(structure.numbers, elements) });

export function shared(header) {
  const elements = Object.fromEntries(header.elements.map(([symbol, colour, radius], z) => [z, { symbol, colour, radius }]));
  return { elements, boundary: header.boundary, view: header.view };
}

// A picture that cannot be turned, for the tooltip.
export function still(canvas, structure, header) {
  const cell = new Cell(canvas, drawn(structure, header.elements), shared(header));
  cell.see(true);
  return cell;
}

export class Stage {
  constructor(label, onturn = () => {}) {
    this.canvas = h("canvas", { tabindex: 0, role: "img", "aria-label": label });
    this.tip = h("span", { class: "atom", hidden: true });
    this.element = h("div", { class: "stage" }, this.canvas, this.tip);
    this.onturn = onturn;
    this.cell = null;
    this.listen();
    new ResizeObserver(() => { if (this.cell) { this.cell.fitted = Infinity; this.cell.redraw(); } }).observe(this.canvas);
  }

  show(structure, header, label) {
    const repeats = this.cell?.repeats ?? 1, turn = this.cell?.turn;
    this.cell = new Cell(this.canvas, drawn(structure, header.elements), shared(header));
    this.cell.repeat(repeats);
    if (turn) this.cell.turn = turn;
    this.cell.see(true);
    this.cell.activate(true);
    this.canvas.setAttribute("aria-label", `${label}. Arrow keys turn it, plus and minus zoom, 0 resets.`);
  }

  act(change) {
    if (!this.cell) return;
    change(this.cell);
    this.onturn(change);
  }

  listen() {
    const { canvas } = this;
    const pointers = new Map();
    canvas.addEventListener("pointerdown", (event) => {
      pointers.set(event.pointerId, [event.clientX, event.clientY]);
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const last = pointers.get(event.pointerId);
      if (last && pointers.size === 1) this.act((cell) => cell.rotate((event.clientX - last[0]) * BY_PIXEL, (event.clientY - last[1]) * BY_PIXEL));
      if (last) pointers.set(event.pointerId, [event.clientX, event.clientY]);
      this.name(last ? null : this.cell?.ballAt(event.offsetX, event.offsetY), event);
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    canvas.addEventListener("dblclick", () => this.act((cell) => cell.reset()));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.act((cell) => cell.magnify(Math.exp(-event.deltaY * 0.0015)));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const change = {
      ArrowLeft: (cell) => cell.rotate(-BY_KEY, 0), ArrowRight: (cell) => cell.rotate(BY_KEY, 0),
      ArrowUp: (cell) => cell.rotate(0, -BY_KEY), ArrowDown: (cell) => cell.rotate(0, BY_KEY),
      "+": (cell) => cell.magnify(1.15), "=": (cell) => cell.magnify(1.15), "-": (cell) => cell.magnify(1 / 1.15),
      0: (cell) => cell.reset(),
    }[event.key];
    if (!change || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.act(change);
  }

  name(ball, event) {
    this.tip.hidden = !ball;
    if (!ball) return;
    this.tip.textContent = `${ball.symbol}  ${ball.frac.map((value) => value.toFixed(3)).join("  ")}`;
    this.tip.style.left = `${clamp(event.offsetX, 80, Math.max(this.canvas.clientWidth - 80, 80))}px`;
    this.tip.style.top = `${event.offsetY}px`;
  }
}
