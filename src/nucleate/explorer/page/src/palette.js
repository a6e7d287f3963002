// Colours of points. Categories: the palette of Okabe and Ito, lifted in the dark. Numbers: viridis, without the end that
// would vanish into the paper.

const CATEGORIES = {
  light: ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8a6f00", "#5b4b8a"],
  dark: ["#4ea6ea", "#f5b83d", "#27c498", "#f47b42", "#e8a4cb", "#a5dcff", "#e6d95c", "#a796e0"],
};
const OTHER = { light: "#a9b1b9", dark: "#646d77" };
const DIMMED = { light: "#e3e6e9", dark: "#262c33" };
const VIRIDIS = ("440154 481a6c 472f7d 414487 39568c 31688e 2a788e 23888e 1f988b 22a884 35b779 54c568 7ad151 a5db36 d2e21b "
  + "fde725").split(" ").map((code) => rgb(`#${code}`));
const RANGE = { light: [0, 0.94], dark: [0.2, 1] };

export const SHOWN_KINDS = 8; // with colours of their own
export const OTHER_CODE = 255; // of a point that has no value, or a kind without a colour
const STEPS = 255;

export function rgb(hex) { return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)); }
export const css = (colour) => `rgb(${colour.map(Math.round).join(" ")})`;

export function viridis(t, theme) {
  const [low, high] = RANGE[theme], at = (low + t * (high - low)) * (VIRIDIS.length - 1);
  const i = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return VIRIDIS[i].map((value, k) => value + (VIRIDIS[i + 1][k] - value) * (at - i));
}

export const category = (i, theme) => (i < SHOWN_KINDS ? CATEGORIES[theme][i] : OTHER[theme]);
export const other = (theme) => OTHER[theme];
export const dimmed = (theme) => rgb(DIMMED[theme]);

// 256 colours: of categories by code, or of numbers by step.
export function table(continuous, theme) {
  return Array.from({ length: 256 }, (_, code) => {
    if (code === OTHER_CODE) return rgb(OTHER[theme]);
    return continuous ? viridis(code / (STEPS - 1), theme) : rgb(category(code, theme));
  });
}

// Least and largest that are told apart: all but the outermost hundredth, where that helps.
export function limits(values) {
  const step = Math.max(1, Math.floor(values.length / 50_000)), known = [];
  for (let i = 0; i < values.length; i += step) if (values[i] === values[i]) known.push(values[i]);
  if (!known.length) return [0, 1];
  const sorted = Float32Array.from(known).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const [least, low, high, most] = [sorted[0], at(0.01), at(0.99), sorted.at(-1)];
  const trimmed = [least < low - 0.25 * (high - low) ? low : least, most > high + 0.25 * (high - low) ? high : most];
  return trimmed[0] < trimmed[1] ? trimmed : [least, most > least ? most : least + 1];
}

// A code per point.
export function codes(values, continuous, [low, high], missing) {
  const found = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!continuous) found[i] = value < SHOWN_KINDS && value !== missing ? value : OTHER_CODE;
    else if (value !== value) found[i] = OTHER_CODE;
    else found[i] = Math.round(Math.min(Math.max((value - low) / (high - low), 0), 1) * (STEPS - 1));
  }
  return found;
}
