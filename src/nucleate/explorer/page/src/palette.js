// Colours of points. Categories: the palette of Okabe and Ito, lifted in the dark. Numbers: perceptually uniform ramps
// that people with any colour vision can read, each without the end that would vanish into the paper.

const CATEGORIES = {
  light: ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8a6f00", "#5b4b8a"],
  dark: ["#4ea6ea", "#f5b83d", "#27c498", "#f47b42", "#e8a4cb", "#a5dcff", "#e6d95c", "#a796e0"],
};
const OTHER = { light: "#77818b", dark: "#98a2ac" };
const UNKNOWN = { light: "#bcc3ca", dark: "#4d5761" };
const DIMMED = { light: "#e3e6e9", dark: "#20262c" };

const ramp = (text) => text.split(" ").map((code) => rgb(`#${code}`));
const RAMPS = {
  viridis: ramp("440154 481a6c 472f7d 414487 39568c 31688e 2a788e 23888e 1f988b 22a884 35b779 54c568 7ad151 a5db36 d2e21b fde725"),
  cividis: ramp("00224e 002e6c 1e3a6f 35456c 47516c 575d6d 666970 757575 848279 948e77 a59c74 b7a96e c8b866 dbc75a eed649 fee838"),
  magma: ramp("000004 0b0924 20114b 3b0f70 57157e 721f81 8c2981 a8327d c43c75 de4968 f1605d fa7f5e fe9f6d febf84 fddea0 fcfdbf"),
  plasma: ramp("0d0887 330597 5002a2 6a00a8 8405a7 9c179e b12a90 c33d80 d35171 e16462 ed7953 f68f44 fca636 fec029 f9dc24 f0f921"),
};
const RANGE = { light: { default: [0, 0.94], magma: [0.04, 0.88] }, dark: { default: [0.2, 1], magma: [0.26, 1], plasma: [0.1, 1] } };

export const PALETTES = Object.keys(RAMPS);
export const SHOWN_KINDS = 8; // with colours of their own
export const OTHER_CODE = 254; // of a kind without a colour
export const UNKNOWN_CODE = 255; // of a point that has no value
export const STEPS = 254; // of numbers

export function rgb(hex) { return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)); }
export const css = (colour) => `rgb(${colour.map(Math.round).join(" ")})`;

// look: {palette, reversed}
export function shade(t, { palette, reversed }, theme) {
  const [low, high] = RANGE[theme][palette] ?? RANGE[theme].default, colours = RAMPS[palette];
  const at = (low + (reversed ? 1 - t : t) * (high - low)) * (colours.length - 1), i = Math.min(Math.floor(at), colours.length - 2);
  return colours[i].map((value, k) => value + (colours[i + 1][k] - value) * (at - i));
}

export const category = (i, theme) => (i < SHOWN_KINDS ? CATEGORIES[theme][i] : OTHER[theme]);
export const other = (theme) => OTHER[theme];
export const unknown = (theme) => UNKNOWN[theme];
export const dimmed = (theme) => rgb(DIMMED[theme]);

// 256 colours: of categories by code, or of numbers by step.
export function table(continuous, look, theme) {
  return Array.from({ length: 256 }, (_, code) => {
    if (code === UNKNOWN_CODE) return rgb(UNKNOWN[theme]);
    if (code === OTHER_CODE) return rgb(OTHER[theme]);
    return continuous ? shade(code / (STEPS - 1), look, theme) : rgb(category(code, theme));
  });
}

// A code per point; position: of numbers, from 0 to 1.
export function codes(values, position, missing) {
  const found = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (position) found[i] = value !== value ? UNKNOWN_CODE : Math.round(position(value) * (STEPS - 1));
    else found[i] = value === missing ? UNKNOWN_CODE : value < SHOWN_KINDS ? value : OTHER_CODE;
  }
  return found;
}
