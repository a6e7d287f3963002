// Small helpers for elements and numbers.

// h("button", {class: "x", onclick}, "text", child, …); a property that starts with "on" listens, null leaves out.
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
export function s(tag, properties = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Icons on a grid of 20, drawn with one stroke.
const ICONS = {
  pan: "M10 2v16M2 10h16M7.5 4.5 10 2l2.5 2.5M7.5 15.5 10 18l2.5-2.5M4.5 7.5 2 10l2.5 2.5M15.5 7.5 18 10l-2.5 2.5",
  lasso: "M6 13.2C3.6 12.3 2.5 10.600 2.500 8.800 2.500 5.600 5.900 3 10 3s7.500 2.600 7.500 5.800-3.400 5.700-7.500 5.700c-.9 0-1.700-.1-2.400-.3M7.600 14.200c0 1.100-.8 1.900-1.800 1.900s-1.800-.7-1.800-1.600.8-1.600 1.800-1.600 1.800.5 1.800 1.300c0 1.600-.6 2.800-2.400 3.600",
  box: "M3 5V3h2M15 3h2v2M17 15v2h-2M5 17H3v-2M8.500 3h3M8.500 17h3M3 8.500v3M17 8.500v3",
  plus: "M10 4v12M4 10h12", minus: "M4 10h12",
  fit: "M7 3H3v4M13 3h4v4M17 13v4h-4M3 13v4h4",
  close: "m5 5 10 10M15 5 5 15",
  search: "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12zM13.500 13.500 17.500 17.500",
  sliders: "M3 6h8M15 6h2M3 14h2M9 14h8M13 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  light: "M10 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M4.300 15.700l1.100-1.100M14.600 5.400l1.100-1.100",
  dark: "M16.500 11.800A7 7 0 0 1 8.200 3.500a7 7 0 1 0 8.300 8.300z",
  help: "M7.500 7.500a2.500 2.500 0 1 1 3.600 2.200c-.7.4-1.100.9-1.100 1.800M10 14.500v.1M10 18a8 8 0 1 0 0-16 8 8 0 0 0 0 16z",
  picture: "M3 4.500h14v11H3zM3 13l4-4 3.500 3.500 2-2 4.500 4M13 8.300a1 1 0 1 0 0-2 1 1 0 0 0 0 2z",
  down: "M10 3v10M5.500 9 10 13.500 14.500 9M3.500 17h13",
  expand: "M12 3h5v5M17 3l-6 6M8 17H3v-5M3 17l6-6",
  link: "M8.500 11.500a3 3 0 0 0 4.300 0l3-3a3 3 0 0 0-4.300-4.300l-.7.7M11.500 8.500a3 3 0 0 0-4.300 0l-3 3a3 3 0 0 0 4.300 4.300l.7-.7",
};
export const icon = (name) => s("svg", { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));

export const count = (value) => value.toLocaleString("en-US");
export const plural = (value, word) => `${count(value)} ${word}${value === 1 ? "" : "s"}`;

// A number for people: about four digits, no exponent where there is room.
export function number(value, whole = false) {
  if (!Number.isFinite(value)) return "–";
  if (whole) return count(Math.round(value));
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e6)) return value.toExponential(2).replace("e+", "e");
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3).replace("-", "−");
}

// Fe2O3 with its numbers lowered.
export const formula = (text) => text.split(/(\d+)/).map((part, i) => (i % 2 ? h("sub", {}, part) : part));

export function save(name, parts, type) {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export const nextFrame = () => new Promise((done) => setTimeout(done, 0));
