// The two axes of a view by properties: lines, ticks and names, as an SVG group in pixels of the map.

import { number, s } from "./dom.js";
import { logTicks, ticks } from "./scales.js";

export const STRIP = { left: 64, bottom: 48 }; // pixels that axes take
const APART = { x: 110, y: 70 }; // pixels between ticks, about

const label = ({ about }) => `${about.label}${about.unit ? ` (${about.unit})` : ""}`;
const raised = (n) => String(n).replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
const text = (value, whole) => (Number.isInteger(value) && Math.abs(value) < 1e5 ? String(value).replace("-", "−") : number(value, whole && Number.isInteger(value)));

// Ticks of one axis in sight: [[place from -1 to 1, text], …].
function marks(axis, from, to, about) {
  const { low, high, log } = axis, value = (place) => low + ((place + 1) / 2) * (high - low), place = (at) => ((at - low) / (high - low)) * 2 - 1;
  const found = log ? logTicks(value(from), value(to), about) : ticks(value(from), value(to), about);
  const digits = found.length > 1 ? Math.max(0, Math.min(8, -Math.floor(Math.log10((found[1] - found[0]) * 1.0001)))) : 0;
  const power = (at) => (log && Math.abs(Math.log10(at)) >= 4 && Number.isInteger(Math.round(1e6 * Math.log10(at)) / 1e6) ? `10${raised(Math.round(Math.log10(at)))}` : null);
  const written = (at) => power(at) ?? (log ? String(Number(at.toPrecision(6))) : Math.abs(at) < 1e5 && digits < 5 ? at.toFixed(digits).replace("-", "−") : text(at, axis.about.whole));
  return found.map((at) => [place(log ? Math.log10(at) : at), written(at)]);
}

// map: its width, height, toMap and toScreen; colours: {ink, line, paper}.
export function drawAxes(map, axes, { ink, line, paper }) {
  const { width, height } = map, bottom = height - STRIP.bottom, [x0, y0] = map.toMap(STRIP.left, bottom), [x1, y1] = map.toMap(width, 0);
  const style = { fill: ink, "font-size": 12, "font-family": "system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif" }, group = s("g", style);
  group.append(s("rect", { x: 0, y: 0, width: STRIP.left, height, fill: paper }), s("rect", { x: 0, y: bottom, width, height: STRIP.bottom, fill: paper }));
  const across = axes.x.about ? marks(axes.x, x0, x1, (width - STRIP.left) / APART.x) : [], up = axes.y.about ? marks(axes.y, y0, y1, bottom / APART.y) : [];
  group.append(s("path", { d: `M${STRIP.left} 0V${bottom}H${width}`, fill: "none", stroke: line, "stroke-width": 1 }));
  for (const [at, words] of across) {
    const [x] = map.toScreen(at, 0);
    if (x > STRIP.left + 4 && x < width - 8) group.append(s("path", { d: `M${x.toFixed(1)} ${bottom}v5`, stroke: line }), s("text", { x: x.toFixed(1), y: bottom + 19, "text-anchor": "middle", class: "tick-x" }, words));
  }
  for (const [at, words] of up) {
    const [, y] = map.toScreen(0, at);
    if (y > 8 && y < bottom - 4) group.append(s("path", { d: `M${STRIP.left} ${y.toFixed(1)}h-5`, stroke: line }), s("text", { x: STRIP.left - 9, y: (y + 4).toFixed(1), "text-anchor": "end", class: "tick-y" }, words));
  }
  const middle = [(width + STRIP.left) / 2, bottom / 2], name = { "text-anchor": "middle", "font-weight": 600, "font-size": 13 };
  group.append(s("text", { ...name, x: middle[0], y: height - 10, class: "name-x" }, axes.x.about ? label(axes.x) : "Map, across"));
  group.append(s("text", { ...name, x: 0, y: 0, transform: `translate(15 ${middle[1]}) rotate(-90)`, class: "name-y" }, axes.y.about ? label(axes.y) : "Map, up"));
  return group;
}
