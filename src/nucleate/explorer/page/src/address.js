// The view as the part of the address after #, and back.

const short = (value) => Number(value.toPrecision(5)).toString();
const LINE = 60; // corners of a lasso that the address keeps

export function write(state, properties, sources) {
  const words = new URLSearchParams();
  const { camera } = state;
  if (state.colour !== "source") words.set("colour", state.colour);
  if (camera.k !== 1 || camera.x || camera.y) words.set("view", [camera.x, camera.y, camera.k].map(short).join(","));
  if (state.query) words.set("search", state.query);
  if (state.off.size) words.set("hide", [...state.off].map((i) => sources[i]).join("|"));
  for (const about of properties) {
    const range = state.ranges[about.key], kinds = state.kinds[about.key];
    if (range) words.set(`range.${about.key}`, range.map((value) => (Number.isFinite(value) ? short(value) : "")).join(".."));
    if (kinds) words.set(`kinds.${about.key}`, [...kinds].map((i) => about.kinds[i]).join("|"));
  }
  if (state.lasso) words.set("lasso", state.lasso.flat().map((value) => value.toFixed(4)).join(","));
  if (state.crystal >= 0) words.set("crystal", String(state.crystal + 1));
  return words.toString().replaceAll("%2C", ",").replaceAll("%7C", "|");
}

export function read(text, store) {
  const words = new URLSearchParams(text), { properties, sources } = store.header;
  const keys = new Set(properties.map((about) => about.key));
  const numbers = (name) => (words.get(name) ?? "").split(",").map(Number);
  const view = numbers("view"), lasso = numbers("lasso"), crystal = Number(words.get("crystal"));
  const state = { colour: "source", camera: { x: 0, y: 0, k: 1 }, query: words.get("search") ?? "", off: new Set(), ranges: {}, kinds: {}, lasso: null, crystal: -1 };
  if (keys.has(words.get("colour"))) state.colour = words.get("colour");
  if (view.length === 3 && view.every(Number.isFinite) && view[2] > 0) state.camera = { x: view[0], y: view[1], k: view[2] };
  for (const name of (words.get("hide") ?? "").split("|")) if (sources.includes(name)) state.off.add(sources.indexOf(name));
  for (const about of properties) {
    const range = words.get(`range.${about.key}`)?.split(".."), kinds = words.get(`kinds.${about.key}`);
    if (range?.length === 2 && about.type === "number") {
      const [low, high] = range.map((value, side) => (value === "" || Number.isNaN(Number(value)) ? [-Infinity, Infinity][side] : Number(value)));
      state.ranges[about.key] = [low, high];
    }
    if (kinds && about.type === "kind") {
      const codes = kinds.split("|").map((name) => about.kinds.indexOf(name)).filter((i) => i >= 0);
      if (codes.length) state.kinds[about.key] = new Set(codes);
    }
  }
  if (lasso.length >= 6 && lasso.length % 2 === 0 && lasso.every(Number.isFinite)) state.lasso = lasso.flatMap((value, i) => (i % 2 ? [] : [[value, lasso[i + 1]]]));
  if (Number.isInteger(crystal) && crystal >= 1 && crystal <= store.rows) state.crystal = crystal - 1;
  return state;
}

// A line with fewer corners, so that it fits into an address; rounded as the address rounds it.
export function simplified(line) {
  const step = Math.max(1, Math.ceil(line.length / LINE));
  return line.filter((_, i) => i % step === 0).map((p) => p.map((value) => Number(value.toFixed(4))));
}
