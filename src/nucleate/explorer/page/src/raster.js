// Draws points into the pixels of a canvas. Without a GPU this is faster than WebGL, which would be computed on the
// processor as well, and it is the same everywhere.

export const BORDER = 40; // pixels around what is seen, for markers that reach into it
const PHASES = 4; // places within a pixel, in each direction, that a marker can stand at

const RIMMED = 5; // pixels of radius from which a marker stands off from those below it by a rim of paper

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

// The pixels of a marker in each place: those that are whole, and those on its edge with their coverage, as steps from
// the first pixel of the first row in a picture of this width.
function makeMasks(radius, width) {
  const rimmed = radius >= RIMMED, side = Math.ceil(2 * radius * 1.25) + (rimmed ? 4 : 2), phases = [];
  for (const shape of SHAPES) {
    for (let py = 0; py < PHASES; py++) {
      for (let px = 0; px < PHASES; px++) {
        const whole = [], edge = [], share = [], rim = [], around = [];
        const cx = side / 2 + (px + 0.5) / PHASES - 0.5, cy = side / 2 + (py + 0.5) / PHASES - 0.5;
        for (let j = 0; j < side; j++) {
          for (let i = 0; i < side; i++) {
            const away = shape((i + 0.5 - cx) / radius, (j + 0.5 - cy) / radius) * radius;
            if (away <= -0.45) whole.push(j * width + i);
            else if (away < 0.48) { edge.push(j * width + i); share.push(Math.round(256 * (0.5 - away))); }
            if (rimmed && away > -0.45 && away < 1.4) { rim.push(j * width + i); around.push(Math.round(256 * Math.min(1.5 - away, 1))); }
          }
        }
        phases.push({ whole: Int32Array.from(whole), edge: Int32Array.from(edge), share: Uint16Array.from(share), rim: Int32Array.from(rim), around: Uint16Array.from(around) });
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
    if (this.canvas.width === width && this.canvas.height === height && this.image) return;
    Object.assign(this.canvas, { width, height });
    this.image = this.context.createImageData(width + 2 * BORDER, height + 2 * BORDER);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  masksFor(radius) {
    const size = Math.round(radius * 4), key = `${size}/${this.image.width}`;
    if (!this.masks.has(key)) {
      if (this.masks.size > 64) this.masks.clear();
      this.masks.set(key, makeMasks(size / 4, this.image.width));
    }
    return this.masks.get(key);
  }

  clear(paper) {
    [this.paper] = wholePixels([paper]);
    this.pixels.fill(this.paper);
  }

  // points: {x, y, code, shape}, drawn from `from` to `to`; screen = place * scale + offset; y grows upward.
  draw(points, from, to, { scale, left, top }, radius, table, opacity = 1) {
    if (radius < 1.05) return this.dots(points, from, to, { scale, left, top }, radius < 0.7 ? 1 : 2, table, opacity);
    const { x, y, code, shape } = points, { pixels } = this, { width, height } = this.image;
    const { side, phases } = this.masksFor(radius), colours = wholePixels(table), half = side / 2 - 0.5, alpha = Math.round(256 * opacity);
    for (let n = from; n < to; n++) {
      const sx = x[n] * scale + left - half, sy = top - y[n] * scale - half;
      // Markers that cross the border of the picture are left out: the picture is a little larger than what is seen.
      if (!(sx >= 0 && sy >= 0 && sx < width - side && sy < height - side)) continue;
      const x0 = sx | 0, y0 = sy | 0, first = y0 * width + x0, colour = colours[code[n]];
      const { whole, edge, share, rim, around } = phases[(shape[n] * PHASES + (((sy - y0) * PHASES) | 0)) * PHASES + (((sx - x0) * PHASES) | 0)];
      blend(pixels, first, rim, around, this.paper, alpha);
      if (alpha === 256) for (let i = 0; i < whole.length; i++) pixels[first + whole[i]] = colour;
      else cover(pixels, first, whole, alpha, colour);
      blend(pixels, first, edge, share, colour, alpha);
    }
  }

  // Squares of one or two pixels, for very many points.
  dots({ x, y, code }, from, to, { scale, left, top }, side, table, opacity) {
    const { pixels } = this, { width, height } = this.image, whole = wholePixels(table), alpha = Math.round(256 * opacity);
    const square = side === 2 ? [0, 1, width, width + 1] : [0];
    for (let n = from; n < to; n++) {
      const sx = (x[n] * scale + left) | 0, sy = (top - y[n] * scale) | 0;
      if (sx < 0 || sy < 0 || sx >= width - 1 || sy >= height - 1) continue;
      const p = sy * width + sx, colour = whole[code[n]];
      if (alpha < 256) { cover(pixels, p, square, alpha, colour); continue; }
      pixels[p] = colour;
      if (side === 2) pixels[p + 1] = pixels[p + width] = pixels[p + width + 1] = colour;
    }
  }

  show() { this.context.putImageData(this.image, -BORDER, -BORDER); }
}

// Lays a colour over pixels with a share of 256, all of them times alpha: red and blue in one product, green in another.
function blend(pixels, first, steps, share, colour, alpha) {
  const rb = colour & 0xff00ff, g = colour & 0xff00;
  for (let i = 0; i < steps.length; i++) {
    const p = first + steps[i], under = pixels[p], a = (share[i] * alpha) >> 8, b = 256 - a;
    pixels[p] = 0xff000000 | (((rb * a + (under & 0xff00ff) * b) >>> 8) & 0xff00ff) | (((g * a + (under & 0xff00) * b) >>> 8) & 0xff00);
  }
}

// Lays a colour over pixels with one share for all.
function cover(pixels, first, steps, alpha, colour) {
  const b = 256 - alpha, rb = (colour & 0xff00ff) * alpha, g = (colour & 0xff00) * alpha;
  for (let i = 0; i < steps.length; i++) {
    const p = first + steps[i], under = pixels[p];
    pixels[p] = 0xff000000 | (((rb + (under & 0xff00ff) * b) >>> 8) & 0xff00ff) | (((g + (under & 0xff00) * b) >>> 8) & 0xff00);
  }
}

const wholePixels = (table) => Uint32Array.from(table, ([r, g, b]) => (255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r));
