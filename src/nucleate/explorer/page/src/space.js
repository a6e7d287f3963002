// Where points are, but for those without a place, whose coordinates are NaN: the nearest to a place, the next in a direction, those inside a line.

const PER_CELL = 4; // points, on average

export class Grid {
  constructor(positions) {
    this.positions = positions;
    const n = positions.length / 2;
    this.side = Math.max(1, Math.ceil(Math.sqrt(n / PER_CELL)));
    const cells = this.side ** 2, cell = new Uint32Array(n);
    this.starts = new Uint32Array(cells + 1);
    for (let i = 0; i < n; i++) if (this.has(i)) this.starts[(cell[i] = this.cellOf(positions[2 * i], positions[2 * i + 1])) + 1]++;
    for (let i = 0; i < cells; i++) this.starts[i + 1] += this.starts[i];
    const next = this.starts.slice();
    this.rows = new Uint32Array(n);
    for (let i = 0; i < n; i++) if (this.has(i)) this.rows[next[cell[i]]++] = i;
  }

  has(row) { return this.positions[2 * row] === this.positions[2 * row]; }

  place(value) { return Math.min(Math.max(Math.floor((value + 1) / 2 * this.side), 0), this.side - 1); }
  cellOf(x, y) { return this.place(y) * this.side + this.place(x); }

  // The nearest of the shown points within a radius; -1 if there is none.
  nearest(x, y, radius, shown) {
    let best = -1, least = radius * radius;
    this.within(x - radius, y - radius, x + radius, y + radius, (row, px, py) => {
      const d = (px - x) ** 2 + (py - y) ** 2;
      if (shown[row] && d <= least) { least = d; best = row; }
    });
    return best;
  }

  within(x0, y0, x1, y1, each) {
    for (let j = this.place(y0); j <= this.place(y1); j++) {
      const from = this.starts[j * this.side + this.place(x0)], to = this.starts[j * this.side + this.place(x1) + 1];
      for (let k = from; k < to; k++) {
        const row = this.rows[k];
        each(row, this.positions[2 * row], this.positions[2 * row + 1]);
      }
    }
  }

  // The `size` nearest shown neighbours of a point, nearest first.
  neighbours(row, size, shown) {
    if (!this.has(row)) return [];
    const [x, y] = this.at(row);
    for (let radius = 2 / this.side; ; radius *= 2) {
      const found = [];
      this.within(x - radius, y - radius, x + radius, y + radius, (other, px, py) => {
        const d = Math.hypot(px - x, py - y);
        if (shown[other] && other !== row && d <= radius) found.push([d, other]);
      });
      if (found.length >= size || radius > 4) return found.sort((a, b) => a[0] - b[0]).slice(0, size).map(([, other]) => other);
    }
  }

  // The next shown point from a place, within 45° of a direction.
  next(x, y, [dx, dy], shown, except) {
    let best = -1, least = Infinity;
    for (let row = 0; row < shown.length; row++) {
      if (!shown[row] || row === except) continue;
      const px = this.positions[2 * row] - x, py = this.positions[2 * row + 1] - y;
      const along = px * dx + py * dy, across = Math.abs(px * dy - py * dx);
      if (along <= 0 || across > along) continue;
      const cost = along + 2 * across;
      if (cost < least) { least = cost; best = row; }
    }
    return best;
  }

  at(row) { return [this.positions[2 * row], this.positions[2 * row + 1]]; }

  // Shown points inside a closed line of [x, y], in order of rows.
  inside(line, shown) {
    const xs = line.map((p) => p[0]), ys = line.map((p) => p[1]), found = [];
    this.within(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), (row, x, y) => {
      if (shown[row] && isInside(line, x, y)) found.push(row);
    });
    return Uint32Array.from(found).sort();
  }
}

// By counting crossings to the right.
export function isInside(line, x, y) {
  let inside = false;
  for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
    const [xi, yi] = line[i], [xj, yj] = line[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}
