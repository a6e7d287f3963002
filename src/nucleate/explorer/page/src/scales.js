// From numbers to places between 0 and 1: along their size, its logarithm, or their rank.

export const SCALES = ["linear", "log", "quantile"];

const SAMPLE = 50_000; // numbers that are sorted
const DECADES = 1000; // between the outermost hundredths: more, of positive numbers, ask for a logarithm
const TAILS = 0.04; // of that range holds the middle half: less asks for ranks

const clamp = (value) => Math.min(Math.max(value, 0), 1);

function sorted(values) {
  const step = Math.max(1, Math.floor(values.length / SAMPLE)), known = [];
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value !== value) continue;
    if (value < low) low = value;
    if (value > high) high = value;
    if (i % step === 0) known.push(value);
  }
  if (!known.length) known.push(...(low <= high ? [low, high] : [0, 1]));
  return { known: Float64Array.from(known).sort(), low, high };
}

// The ends of a scale: of all numbers, or of all but the outermost hundredth where that helps.
function ends({ known, low, high }, clip) {
  if (!(low <= high)) return [0, 1];
  const at = (share) => known[Math.min(known.length - 1, Math.floor(share * known.length))], [from, to] = [at(0.01), at(0.99)];
  const trimmed = clip ? [low < from - 0.25 * (to - from) ? from : low, high > to + 0.25 * (to - from) ? to : high] : [low, high];
  return trimmed[0] < trimmed[1] ? trimmed : [low, high > low ? high : low + 1];
}

// Of what is asked for, or what suits the numbers; a logarithm only where all are positive.
export function choose(asked, { known, low }) {
  if (asked === "log") return low > 0 ? "log" : "linear";
  if (asked !== "auto") return asked;
  const at = (share) => known[Math.min(known.length - 1, Math.floor(share * known.length))], [a, b, c, d] = [0.01, 0.25, 0.75, 0.99].map(at);
  if (low > 0 && d > a * DECADES) return "log";
  return c > b && c - b < TAILS * (d - a) ? "quantile" : "linear";
}

// {kind, positive, low, high, clipped: [below, above], position(value), value(place)}
export function makeScale(values, asked = "linear", clip = true) {
  const found = sorted(values), kind = choose(asked, found), positive = found.low > 0;
  if (kind === "quantile") {
    const { known } = found, last = known.length - 1;
    return { kind, positive, low: found.low, high: found.high, clipped: [false, false], value: (t) => known[Math.round(clamp(t) * last)], position: (value) => (last ? clamp((rank(known, value, false) + rank(known, value, true) - 1) / 2 / last) : 0.5) };
  }
  const to = kind === "log" ? Math.log10 : (value) => value, back = kind === "log" ? (value) => 10 ** value : (value) => value;
  const changed = { known: found.known.map(to), low: to(found.low), high: to(found.high) }, [low, high] = ends(changed, clip);
  return {
    kind, positive, low: back(low), high: back(high), clipped: [changed.low < low, changed.high > high],
    position: (value) => clamp((to(value) - low) / (high - low)), value: (t) => back(low + t * (high - low)),
  };
}

// How many are smaller than a value, or not larger.
function rank(known, value, equal) {
  let low = 0, high = known.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (known[middle] < value || (equal && known[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Round numbers between two, about so many; of a logarithmic axis powers of ten, or round numbers where it is short.
export function ticks(low, high, about) {
  const raw = (high - low) / about, power = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].find((n) => n * power >= raw) * power;
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

export function logTicks(low, high, about) {
  const decades = high - low;
  if (decades < 0.7) return ticks(10 ** low, 10 ** high, about).filter((value) => value > 0);
  const every = Math.max(1, Math.ceil(decades / about)), steps = decades < 3 ? [1, 2, 5] : [1], found = [];
  for (let e = Math.ceil(low - 1); e <= high; e++) if (e % every === 0) for (const n of steps) if (Math.log10(n) + e >= low - 1e-9 && Math.log10(n) + e <= high + 1e-9) found.push(Number(`${n}e${e}`));
  return found;
}
