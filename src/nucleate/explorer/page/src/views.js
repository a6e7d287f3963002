// Where points stand: on the map, or by two numbers that are known of them.

import { Grid } from "./space.js";

export const ON_MAP = { x: "", y: "", logx: false, logy: false };
export const nameOf = ({ x, y, logx, logy }) => (x || y ? `${x}|${y}|${logx}|${logy}` : "");

export class Views {
  constructor(store) {
    Object.assign(this, { store, made: new Map() });
    this.made.set("", { key: "", grid: new Grid(store.column("positions")), axes: null, placeless: 0 });
  }

  index(key) { return this.store.header.properties.findIndex((about) => about.key === key && about.type === "number"); }

  // Columns that a view is made from.
  needs({ x, y }) { return [x, y].map((key) => this.index(key)).filter((i) => i >= 0).map((i) => `property${i}`); }

  // {key, grid, axes: null or {x, y}, placeless}; its columns must be there.
  of(axes) {
    const key = nameOf(axes);
    if (!this.made.has(key)) {
      if (this.made.size > 8) this.made = new Map([["", this.made.get("")]]); // memory
      this.made.set(key, this.make(axes, key));
    }
    return this.made.get(key);
  }

  make(axes, key) {
    const { rows } = this.store, places = new Float32Array(2 * rows), found = {};
    ["x", "y"].forEach((side, k) => { found[side] = this.lay(places, k, axes[side], axes[`log${side}`]); });
    let placeless = 0;
    for (let row = 0; row < rows; row++) {
      if (places[2 * row] === places[2 * row] && places[2 * row + 1] === places[2 * row + 1]) continue;
      places[2 * row] = places[2 * row + 1] = NaN;
      placeless++;
    }
    return { key, grid: new Grid(places), axes: found, placeless };
  }

  // Writes one coordinate, from -1 to 1; the axis {about, log, low, high}, whose ends are logarithms if it is logarithmic.
  lay(places, k, key, log) {
    const i = this.index(key), { rows } = this.store;
    if (i < 0) {
      const map = this.store.column("positions");
      for (let row = 0; row < rows; row++) places[2 * row + k] = map[2 * row + k];
      return { about: null, log: false, low: -1, high: 1 };
    }
    const values = this.store.column(`property${i}`), at = log ? (value) => (value > 0 ? Math.log10(value) : NaN) : (value) => value;
    let low = Infinity, high = -Infinity;
    for (const value of values) {
      const place = at(value);
      if (place < low) low = place;
      if (place > high) high = place;
    }
    if (!(low <= high)) [low, high] = [0, 1];
    if (low === high) [low, high] = [low - 0.5, high + 0.5];
    for (let row = 0; row < rows; row++) places[2 * row + k] = ((at(values[row]) - low) / (high - low)) * 2 - 1;
    return { about: this.store.header.properties[i], log, low, high };
  }
}
