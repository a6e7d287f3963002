// The view as the part of the address after #, and back.

import { PALETTES } from "./palette.js";
import { SCALES } from "./scales.js";
import { ON_MAP, nameOf } from "./views.js";

const short = (value) => Number(value.toPrecision(5)).toString();
const LINE = 60; // corners of a lasso that the address keeps

export const OPACITY = [0.05, 1], SIZE = [0.4, 3];

// Names in a list: those who wrote them may have used its bar.
const joined = (names) => names.map((name) => name.replace(/[%|]/g, encodeURIComponent)).join("|");
const parted = (text) => text.split("|").map((name) => { try { return decodeURIComponent(name); } catch { return name; } });

export const fresh = () => ({
  colour: "source", scale: "auto", palette: PALETTES[0], reversed: false, clip: true, opacity: 1, size: 1, front: -1, camera: { x: 0, y: 0, k: 1 }, axes: { ...ON_MAP },
  query: "", off: new Set(), ranges: {}, kinds: {}, texts: {}, unknown: new Set(), lasso: null, lassoAxes: { ...ON_MAP }, crystal: -1,
});

const logs = ({ logx, logy }) => `${logx ? "x" : ""}${logy ? "y" : ""}`;

export function write(state, properties, sources) {
  const words = new URLSearchParams(), { camera, axes, lassoAxes } = state;
  if (state.colour !== "source") words.set("colour", state.colour);
  for (const name of ["scale", "palette"]) if (state[name] !== fresh()[name]) words.set(name, state[name]);
  if (state.reversed) words.set("reversed", "yes");
  if (!state.clip) words.set("clip", "no");
  for (const name of ["opacity", "size"]) if (state[name] !== 1) words.set(name, short(state[name]));
  if (state.front >= 0) words.set("front", sources[state.front]);
  for (const side of ["x", "y"]) if (axes[side]) words.set(side, axes[side]);
  if (logs(axes)) words.set("log", logs(axes));
  if (camera.k !== 1 || camera.x || camera.y) words.set("view", [camera.x, camera.y, camera.k].map(short).join(","));
  if (state.query) words.set("search", state.query);
  if (state.off.size) words.set("hide", joined([...state.off].map((i) => sources[i])));
  for (const about of properties) {
    const range = state.ranges[about.key], kinds = state.kinds[about.key];
    if (range) words.set(`range.${about.key}`, range.map((value) => (Number.isFinite(value) ? short(value) : "")).join(".."));
    if (kinds) words.set(`kinds.${about.key}`, joined([...kinds].map((i) => about.kinds[i])));
    if (state.texts[about.key]) words.set(`text.${about.key}`, state.texts[about.key]);
    if (state.unknown.has(about.key)) words.set(`unknown.${about.key}`, "yes");
  }
  if (state.lasso) {
    words.set("lasso", state.lasso.flat().map((value) => value.toFixed(4)).join(","));
    if (nameOf(lassoAxes) !== nameOf(axes)) words.set("lasso.axes", joined([lassoAxes.x, lassoAxes.y, logs(lassoAxes)]));
  }
  if (state.crystal >= 0) words.set("crystal", String(state.crystal + 1));
  return words.toString().replaceAll("%2C", ",").replaceAll("%7C", "|");
}

export function read(text, store) {
  const words = new URLSearchParams(text), { properties, sources } = store.header, state = fresh();
  const has = (key, type) => properties.some((about) => about.key === key && about.type === type);
  const numbers = (name) => (words.get(name) ?? "").split(",").map(Number);
  const view = numbers("view"), lasso = numbers("lasso"), crystal = Number(words.get("crystal"));
  const axesOf = (x, y, log) => {
    const axes = { x: has(x, "number") ? x : "", y: has(y, "number") ? y : "" };
    return { ...axes, logx: Boolean(axes.x) && log.includes("x"), logy: Boolean(axes.y) && log.includes("y") };
  };
  if (has(words.get("colour"), "number") || has(words.get("colour"), "kind")) state.colour = words.get("colour");
  if (SCALES.includes(words.get("scale"))) state.scale = words.get("scale");
  if (PALETTES.includes(words.get("palette"))) state.palette = words.get("palette");
  state.reversed = words.get("reversed") === "yes";
  state.clip = words.get("clip") !== "no";
  for (const [name, [low, high]] of [["opacity", OPACITY], ["size", SIZE]]) if (Number(words.get(name)) > 0) state[name] = Math.min(Math.max(Number(words.get(name)), low), high);
  state.front = sources.indexOf(words.get("front"));
  state.axes = axesOf(words.get("x"), words.get("y"), words.get("log") ?? "");
  if (view.length === 3 && view.every(Number.isFinite) && view[2] > 0) state.camera = { x: view[0], y: view[1], k: view[2] };
  for (const name of parted(words.get("hide") ?? "")) if (sources.includes(name)) state.off.add(sources.indexOf(name));
  for (const about of properties) readFilter(words, about, state);
  if (lasso.length >= 6 && lasso.length % 2 === 0 && lasso.every(Number.isFinite)) {
    state.lasso = lasso.flatMap((value, i) => (i % 2 ? [] : [[value, lasso[i + 1]]]));
    const [x, y, log] = parted(words.get("lasso.axes") ?? "");
    state.lassoAxes = words.has("lasso.axes") ? axesOf(x, y, log ?? "") : { ...state.axes };
  }
  if (Number.isInteger(crystal) && crystal >= 1 && crystal <= store.rows) state.crystal = crystal - 1;
  state.query = words.get("search") ?? "";
  return state;
}

function readFilter(words, { key, type, kinds }, state) {
  const range = words.get(`range.${key}`)?.split(".."), chosen = words.get(`kinds.${key}`), text = words.get(`text.${key}`);
  if (range?.length === 2 && type === "number") state.ranges[key] = range.map((value, side) => (value === "" || Number.isNaN(Number(value)) ? [-Infinity, Infinity][side] : Number(value)));
  if (chosen && type === "kind") {
    const codes = parted(chosen).map((name) => kinds.indexOf(name)).filter((i) => i >= 0);
    if (codes.length) state.kinds[key] = new Set(codes);
  }
  if (text && type === "text") state.texts[key] = text;
  if (words.get(`unknown.${key}`) === "yes") state.unknown.add(key);
}

// A line with fewer corners, so that it fits into an address; rounded as the address rounds it.
export function simplified(line) {
  const step = Math.max(1, Math.ceil(line.length / LINE));
  return line.filter((_, i) => i % step === 0).map((p) => p.map((value) => Number(value.toFixed(4))));
}
