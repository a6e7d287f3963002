// A unit cell on a canvas that can be turned. Plain JavaScript that loads nothing.
// Coordinates: x to the right, y up, z towards the viewer, in Å until they are drawn. A matrix is a list of rows.

const BOND_RADIUS = 0.13; // Å
const SHORTEST_BOND = 0.4; // Å; atoms that coincide are one ball
const EDGE_PIECES = 24; // an edge in short pieces sorts rightly behind and before the balls that it passes
const FOG = 0.42; // how far the rearmost ball fades into the background
const FOG_LEVELS = 6;
const SPRITE = 128; // pixels
const MARGIN = 14; // pixels

const BLACK = [0, 0, 0], WHITE = [255, 255, 255];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const times = (matrix, p) => matrix.map((row) => dot(row, p));
const lerp = (a, b, t) => a.map((value, k) => value + (b[k] - value) * t);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const largest = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const css = (colour) => `rgb(${colour.map(Math.round).join(" ")})`;

function triples(from, to) {
  const range = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return range.flatMap((i) => range.flatMap((j) => range.map((k) => [i, j, k])));
}

// The page's colours, and the balls painted with them. Read again when the system turns dark or light.
const theme = { sprites: new Map() };

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["stage", "edge", "ink"]) theme[name] = style.getPropertyValue(`--${name}`).trim();
  theme.sprites.clear();
}

// A colour moved by `amount` towards `target`, seen through fog.
const tint = (colour, target, amount, level) =>
  css(lerp(lerp(rgb(colour), target, amount), rgb(theme.stage), (FOG * level) / FOG_LEVELS));

// A lit ball, painted once for each colour and level of fog, then copied.
function sprite(colour, level) {
  const key = `${colour}/${level}`;
  if (!theme.sprites.has(key)) theme.sprites.set(key, paintBall(colour, level));
  return theme.sprites.get(key);
}

function paintBall(colour, level) {
  const canvas = Object.assign(document.createElement("canvas"), { width: SPRITE, height: SPRITE });
  const context = canvas.getContext("2d");
  const r = SPRITE / 2;
  const light = context.createRadialGradient(0.66 * r, 0.58 * r, 0.05 * r, 0.9 * r, 0.86 * r, 1.12 * r);
  light.addColorStop(0, tint(colour, WHITE, 0.7, level));
  light.addColorStop(0.16, tint(colour, WHITE, 0.26, level));
  light.addColorStop(0.5, tint(colour, BLACK, 0.02, level));
  light.addColorStop(0.85, tint(colour, BLACK, 0.28, level));
  light.addColorStop(1, tint(colour, BLACK, 0.42, level));
  context.fillStyle = light;
  context.strokeStyle = tint(colour, BLACK, 0.5, level);
  context.lineWidth = 2.5;
  context.beginPath();
  context.arc(r, r, r - 2, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  return canvas;
}

// Balls with their images on the boundary, bonds and edges of `repeats` cells along each axis, centred on the origin.
function buildScene(crystal, shared, repeats) {
  const columns = [0, 1, 2].map((k) => crystal.lattice.map((row) => row[k]));
  const place = (frac) => times(columns, frac.map((value) => value - repeats / 2));
  const shown = (value) => value > -shared.boundary && value < repeats + shared.boundary;
  const shifts = triples(-1, repeats);
  const balls = crystal.numbers.flatMap((number, i) => shifts
    .map((shift) => shift.map((s, k) => s + crystal.frac[i][k]))
    .filter((frac) => frac.every(shown))
    .map((frac) => ({ ...shared.elements[number], number, frac: crystal.frac[i], at: place(frac) })));
  const edges = [0, 1, 2].flatMap((axis) => triples(0, repeats)
    .filter((corner) => corner[axis] < repeats)
    .flatMap((corner) => Array.from({ length: EDGE_PIECES }, (_, piece) => [piece, piece + 1].map((end) =>
      place(corner.map((value, k) => (k === axis ? value + end / EDGE_PIECES : value)))))));
  return { balls, edges: edges.filter((edge) => !isInside(edge, balls)), bonds: findBonds(balls, crystal.bonds) };
}

function isInside([from, to], balls) {
  const [x, y, z] = lerp(from, to, 0.5);
  return balls.some(({ at, radius }) => Math.hypot(at[0] - x, at[1] - y, at[2] - z) < radius);
}

function findBonds(balls, limits) {
  const limit = new Map(limits.flatMap(([i, j, length]) => [[i * 256 + j, length], [j * 256 + i, length]]));
  const bonds = [];
  for (let i = 0; i < balls.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [balls[i], balls[j]];
      const length = Math.hypot(a.at[0] - b.at[0], a.at[1] - b.at[1], a.at[2] - b.at[2]);
      const longest = limit.get(a.number * 256 + b.number) ?? 0;
      if (length > SHORTEST_BOND && length < longest) bonds.push(...rods(a, b, length));
    }
  }
  return bonds;
}

// A bond is two rods in the colours of their balls, from where they leave these to the middle of what is in sight.
function rods(first, second, length) {
  const [a, b] = [first, second].map((ball) => Math.sqrt(ball.radius ** 2 - BOND_RADIUS ** 2) / length);
  const middle = (1 + a - b) / 2;
  return [[first, a, middle], [second, 1 - b, middle]].map(([ball, from, to]) => (
    { colour: ball.colour, from: lerp(first.at, second.at, from), to: lerp(first.at, second.at, to) }));
}

class Cell {
  // crystal: {numbers, frac, lattice, bonds}; shared: {elements, boundary, view}.
  constructor(canvas, crystal, shared) {
    Object.assign(this, { canvas, crystal, shared, visible: false, active: false, pending: false, painted: [] });
    this.repeat(1);
  }

  repeat(repeats) {
    Object.assign(this, { repeats, scene: null });
    this.reset();
  }

  reset() {
    Object.assign(this, { turn: this.shared.view, fitted: Infinity, zoom: 1 });
    this.redraw();
  }

  // Turns about the vertical and the horizontal of the screen, in radians.
  rotate(right, down) {
    const [c, s, d, t] = [Math.cos(right), Math.sin(right), Math.cos(down), Math.sin(down)];
    const step = [[c, 0, s], [s * t, d, -c * t], [-s * d, t, c * d]];
    const columns = [0, 1, 2].map((k) => this.turn.map((row) => row[k]));
    this.turn = step.map((row) => columns.map((column) => dot(row, column)));
    this.redraw();
  }

  magnify(factor) {
    this.zoom = clamp(this.zoom * factor, 0.4, 5);
    this.redraw();
  }

  // Under the pointer or with the keyboard's focus it shows the directions of its axes.
  activate(active) {
    this.active = active;
    this.redraw();
  }

  // Off the screen a canvas gives its pixels back: those of hundreds would not fit into memory.
  see(visible) {
    this.visible = visible;
    if (visible) this.redraw();
    else this.canvas.width = this.canvas.height = 0;
  }

  redraw() {
    if (!this.visible || this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      if (this.visible) this.draw();
    });
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const ratio = Math.min(window.devicePixelRatio, 2);
    Object.assign(this.canvas, { width: width * ratio, height: height * ratio });
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    this.scene ??= buildScene(this.crystal, this.shared, this.repeats);
    const balls = this.scene.balls.map((ball) => ({ ...ball, at: times(this.turn, ball.at) }));
    // While it is turned a crystal shrinks if it must, but does not swell again: that would look like breathing.
    const ends = this.scene.edges.flat().map((end) => times(this.turn, end));
    const reach = (k) => largest([...balls.map((ball) => Math.abs(ball.at[k]) + ball.radius), ...ends.map((end) => Math.abs(end[k]))]);
    this.fitted = Math.min(this.fitted, (width / 2 - MARGIN) / reach(0), (height / 2 - MARGIN) / reach(1));
    const scale = this.fitted * this.zoom;
    const screen = (p) => [width / 2 + p[0] * scale, height / 2 - p[1] * scale];
    const front = largest(balls.map((ball) => ball.at[2])), back = -largest(balls.map((ball) => -ball.at[2]));
    const fog = (z) => Math.round(FOG_LEVELS * clamp((front - z) / (front - back || 1), 0, 1));
    const steps = [
      ...balls.map((ball) => this.ballStep(context, ball, screen(ball.at), scale, fog)),
      ...this.scene.bonds.map((bond) => this.bondStep(context, bond, screen, scale, fog)),
      ...this.scene.edges.map((edge) => this.edgeStep(context, edge, screen)),
    ].sort((a, b) => a.z - b.z);
    steps.forEach((step) => step.paint());
    this.painted = steps.filter((step) => step.ball).reverse();
    if (this.active) this.drawAxes(context, height);
  }

  ballStep(context, ball, [x, y], scale, fog) {
    const r = ball.radius * scale, z = ball.at[2];
    const paint = () => context.drawImage(sprite(ball.colour, fog(z)), x - r, y - r, 2 * r, 2 * r);
    return { z, ball, x, y, r, paint };
  }

  bondStep(context, bond, screen, scale, fog) {
    const from = times(this.turn, bond.from), to = times(this.turn, bond.to), z = (from[2] + to[2]) / 2;
    const layers = [[BLACK, 0.42, 2], [BLACK, 0.06, 1.4], [WHITE, 0.3, 0.5]]; // rim, body, gloss
    const paint = () => layers.forEach(([target, amount, width]) => {
      const colour = tint(bond.colour, target, amount, fog(z));
      line(context, screen(from), screen(to), colour, width * BOND_RADIUS * scale);
    });
    return { z, paint };
  }

  edgeStep(context, edge, screen) {
    const [from, to] = edge.map((end) => times(this.turn, end));
    return { z: (from[2] + to[2]) / 2, paint: () => line(context, screen(from), screen(to), theme.edge, 1.1) };
  }

  // The directions of a, b and c in the lower left corner, with a halo that lifts them off what is behind.
  drawAxes(context, height) {
    context.font = "italic 13px ui-serif, Georgia, serif";
    Object.assign(context, { textAlign: "center", textBaseline: "middle" });
    const origin = [32, height - 32];
    const tips = this.crystal.lattice.map((row) => times(this.turn, row).map((value) => value / Math.hypot(...row)));
    const end = ([x, y], length) => [origin[0] + length * x, origin[1] - length * y];
    for (const [colour, halo] of [[theme.stage, 4], [theme.ink, 0]]) {
      tips.forEach((tip, axis) => {
        line(context, origin, end(tip, 18), colour, 1.3 + halo);
        if (halo) context.strokeText("abc"[axis], ...end(tip, 26));
        context.fillStyle = colour;
        context.fillText("abc"[axis], ...end(tip, 26));
      });
    }
  }

  // The foremost ball at a point of the canvas, if there is one.
  ballAt(x, y) {
    return this.painted.find((step) => Math.hypot(step.x - x, step.y - y) < step.r)?.ball;
  }
}

function line(context, from, to, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

export { Cell, clamp, readTheme };
