// Draws points into the pixels of a canvas. Without a GPU this is faster than WebGL, which would be computed on the
// processor as well, and it is the same everywhere.

const PHASES = 4; // places within a pixel, in each direction, that a marker can stand at
const CORE = 250; // coverage from which a pixel is simply set

// Distance to the outline of each marker, in units of its radius; inside it is negative. All have the area of the disc.
const SHAPES = [
  (x, y) => Math.hypot(x, y) - 1,
  (x, y) => (Math.abs(x) + Math.abs(y) - 1.25) * Math.SQRT1_2,
  (x, y) => Math.max(y - 0.78, Math.abs(x) * 0.866 - y * 0.5 - 0.78),
  (x, y) => Math.max(Math.abs(x), Math.abs(y)) - 0.886,
  (x, y) => Math.abs(Math.hypot(x, y) - 0.85) - 0.33,
];
export const shapeOf = (source) => source % SHAPES.length;

// The marker as a path on a grid of 12, for legends.
export const OUTLINES = ["M6 1.5a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9z", "M6 .6 11.400 6 6 11.400.6 6z",
  "M6 .9 11.300 10H.7z", "M2 2h8v8H2z", "M6 .8a5.200 5.200 0 1 0 0 10.400A5.200 5.200 0 0 0 6 .8zm0 3.200a2 2 0 1 1 0 4 2 2 0 0 1 0-4z"];

function makeMasks(radius, opacity) {
  const side = Math.ceil(2 * radius * 1.25) + 2, phases = [];
  for (const shape of SHAPES) {
    for (let py = 0; py < PHASES; py++) {
      for (let px = 0; px < PHASES; px++) {
        const mask = new Uint8Array(side * side);
        const cx = side / 2 + (px + 0.5) / PHASES - 0.5, cy = side / 2 + (py + 0.5) / PHASES - 0.5;
        for (let j = 0; j < side; j++) {
          for (let i = 0; i < side; i++) {
            const away = shape((i + 0.5 - cx) / radius, (j + 0.5 - cy) / radius) * radius;
            mask[j * side + i] = Math.round(255 * opacity * Math.min(Math.max(0.5 - away, 0), 1));
          }
        }
        phases.push(mask);
      }
    }
  }
  return { side, phases };
}

export class Raster {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.masks = new Map();
  }

  resize(width, height) {
    if (this.image?.width === width && this.image.height === height) return;
    Object.assign(this.canvas, { width, height });
    this.image = this.context.createImageData(width, height);
    this.bytes = this.image.data;
    this.pixels = new Uint32Array(this.bytes.buffer);
  }

  masksFor(radius, opacity) {
    const key = `${Math.round(radius * 8)}/${opacity}`;
    if (!this.masks.has(key)) {
      if (this.masks.size > 64) this.masks.clear();
      this.masks.set(key, makeMasks(Math.round(radius * 8) / 8, opacity));
    }
    return this.masks.get(key);
  }

  clear([r, g, b]) { this.pixels.fill((255 << 24) | (b << 16) | (g << 8) | r); }

  // points: {x, y, code, shape}, drawn from `from` to `to`; screen = place * scale + offset; y grows upward.
  draw(points, from, to, { scale, left, top }, radius, opacity, table) {
    if (radius < 1.05) return this.dots(points, from, to, { scale, left, top }, radius < 0.7 ? 1 : 2, table);
    const { x, y, code, shape } = points, { bytes, pixels } = this, { width, height } = this.image;
    const { side, phases } = this.masksFor(radius, opacity);
    const colours = Uint8Array.from(table.flat()), whole = wholePixels(table), half = side / 2 - 0.5;
    for (let n = from; n < to; n++) {
      const sx = x[n] * scale + left - half, sy = top - y[n] * scale - half;
      const x0 = Math.floor(sx), y0 = Math.floor(sy);
      if (x0 < 0 || y0 < 0 || x0 + side > width || y0 + side > height) {
        if (x0 <= -side || y0 <= -side || x0 >= width || y0 >= height) continue;
        this.clipped(x0, y0, side, phases[shape[n] * PHASES * PHASES], colours, code[n]);
        continue;
      }
      const mask = phases[(shape[n] * PHASES + (((sy - y0) * PHASES) | 0)) * PHASES + (((sx - x0) * PHASES) | 0)];
      const at = code[n], r = colours[3 * at], g = colours[3 * at + 1], b = colours[3 * at + 2], full = whole[at];
      for (let j = 0, m = 0, p = y0 * width + x0; j < side; j++, p += width - side) {
        for (let i = 0; i < side; i++, m++, p++) {
          const a = mask[m];
          if (a === 0) continue;
          if (a >= CORE) { pixels[p] = full; continue; }
          const q = p << 2;
          bytes[q] += ((r - bytes[q]) * a) >> 8;
          bytes[q + 1] += ((g - bytes[q + 1]) * a) >> 8;
          bytes[q + 2] += ((b - bytes[q + 2]) * a) >> 8;
        }
      }
    }
  }

  clipped(x0, y0, side, mask, colours, at) {
    const { width, height } = this.image, { bytes } = this;
    for (let j = Math.max(0, -y0); j < Math.min(side, height - y0); j++) {
      for (let i = Math.max(0, -x0); i < Math.min(side, width - x0); i++) {
        const q = ((y0 + j) * width + x0 + i) << 2, a = mask[j * side + i];
        for (let k = 0; k < 3; k++) bytes[q + k] += ((colours[3 * at + k] - bytes[q + k]) * a) >> 8;
      }
    }
  }

  // Squares of one or two pixels, for very many points.
  dots({ x, y, code }, from, to, { scale, left, top }, side, table) {
    const { pixels } = this, { width, height } = this.image, whole = wholePixels(table);
    for (let n = from; n < to; n++) {
      const sx = (x[n] * scale + left) | 0, sy = (top - y[n] * scale) | 0;
      if (sx < 0 || sy < 0 || sx >= width - 1 || sy >= height - 1) continue;
      const p = sy * width + sx, colour = whole[code[n]];
      pixels[p] = colour;
      if (side === 2) pixels[p + 1] = pixels[p + width] = pixels[p + width + 1] = colour;
    }
  }

  show() { this.context.putImageData(this.image, 0, 0); }
}

const wholePixels = (table) => Uint32Array.from(table, ([r, g, b]) => (255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r));
