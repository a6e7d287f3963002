// Which crystals pass all filters.

// Columns that the filters read.
export function filterColumns({ properties }, { ranges, kinds, texts, unknown }) {
  return properties.flatMap(({ key }, i) => (ranges[key] || kinds[key] || texts[key] || unknown.has(key) ? [`property${i}`] : []));
}

export const isFiltered = ({ ranges, kinds, texts, unknown }, key) => Boolean(ranges[key] || kinds[key] || texts[key] || unknown.has(key));

// Text that changes whenever what passes does.
export function filterKey(state, view) {
  const { query, off, ranges, kinds, texts, unknown } = state, lists = Object.entries(kinds).map(([name, set]) => [name, ...set]);
  return JSON.stringify([query, [...off], ranges, lists, texts, [...unknown], view.key], (_, value) => (Math.abs(value) === Infinity ? String(value) : value));
}

// {mask, sizes of each source without its own switch, shown, and placeless: how many pass but have no place in the view};
// found: of the search, or null.
export function filtered(store, state, found, view) {
  const { header, rows } = store, source = store.column("source"), on = header.sources.map((_, i) => !state.off.has(i));
  const mask = found ? found.rows.slice() : new Uint8Array(rows).fill(1);
  header.properties.forEach((about, i) => { if (isFiltered(state, about.key)) narrow(mask, passing(store, state, about, i)); });
  let placeless = 0;
  for (let row = 0; view.placeless && row < rows; row++) {
    if (view.grid.has(row)) continue;
    placeless += mask[row] && on[source[row]] ? 1 : 0;
    mask[row] = 0;
  }
  const sizes = header.sources.map(() => ({ shown: 0, all: 0 }));
  let shown = 0;
  for (let row = 0; row < rows; row++) {
    const size = sizes[source[row]];
    size.all++;
    size.shown += mask[row]; // what the other filters let pass
    if (!on[source[row]]) mask[row] = 0;
    shown += mask[row];
  }
  return { mask, sizes, shown, placeless };
}

function narrow(mask, passes) {
  for (let row = 0; row < mask.length; row++) if (mask[row] && !passes(row)) mask[row] = 0;
}

// Whether a row passes the filter of one property: its own values, or being unknown where that is let in.
function passing(store, { ranges, kinds, texts, unknown }, { key, type }, i) {
  const name = `property${i}`, letIn = unknown.has(key);
  if (type === "text") {
    const lines = store.lines(name), wanted = texts[key]?.toLowerCase();
    return (row) => (lines[row] ? Boolean(wanted) && lines[row].toLowerCase().includes(wanted) : letIn);
  }
  const values = store.column(name);
  if (type === "kind") {
    const { missing } = store.header, chosen = kinds[key];
    return (row) => (values[row] === missing ? letIn : Boolean(chosen?.has(values[row])));
  }
  const single = values instanceof Float32Array, [low, high] = ranges[key] ? ranges[key].map((value) => (single ? Math.fround(value) : value)) : [Infinity, -Infinity];
  return (row) => (values[row] === values[row] ? values[row] >= low && values[row] <= high : letIn);
}
