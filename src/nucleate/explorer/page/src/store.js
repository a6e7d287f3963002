// What is known of the crystals: from the page itself, or from the server that sent it.

const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };
const BATCH = 20_000; // structures of one request

async function unpack(text) {
  const bytes = Uint8Array.fromBase64?.(text) ?? decoded(atob(text));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

function decoded(letters) {
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

export async function openStore() {
  const header = JSON.parse(document.getElementById("header").textContent);
  const data = document.getElementById("data");
  const text = data.textContent;
  data.remove();
  const store = text ? new Embedded(header, await unpack(text)) : new Served(header);
  await store.load(["positions", "source", "formula", "formulas", "atoms"]);
  return store;
}

class Store {
  constructor(header) {
    Object.assign(this, { header, rows: header.rows, columns: new Map(), texts: new Map(), loading: new Map() });
  }

  // A column that `load` has brought.
  column(name) { return this.columns.get(name); }

  async load(names) {
    await Promise.all(names.filter((name) => this.has(name) && !this.columns.has(name)).map((name) => {
      if (!this.loading.has(name)) this.loading.set(name, this.fetchColumn(name).then((values) => this.columns.set(name, values)));
      return this.loading.get(name);
    }));
  }

  // A column of texts.
  lines(name) {
    if (!this.texts.has(name)) this.texts.set(name, new TextDecoder().decode(this.column(name)).split("\n"));
    return this.texts.get(name);
  }

  formula(row) { return this.lines("formulas")[this.column("formula")[row]]; }
  referenceFormula(row) { return this.lines("formulas")[this.column("reference_formula")[row]]; }
}

// A crystal as {numbers, frac: [[x, y, z]], lattice: rows in Å}.
function structure(numbers, frac, lattice, grid) {
  const atoms = Array.from(numbers, (_, i) => [0, 1, 2].map((k) => frac[3 * i + k] / grid));
  return { numbers: Array.from(numbers), frac: atoms, lattice: [0, 3, 6].map((k) => Array.from(lattice.subarray(k, k + 3))) };
}

class Embedded extends Store {
  constructor(header, buffer) {
    super(header);
    this.buffer = buffer;
  }

  has(name) { return name in this.header.sections; }

  async fetchColumn(name) {
    const [offset, bytes, type] = this.header.sections[name];
    return new TYPES[type](this.buffer, offset, bytes / TYPES[type].BYTES_PER_ELEMENT);
  }

  async structures(kind, rows) {
    await this.load(["counts", "lattice", "numbers", "frac"].map((part) => `${kind}_${part}`));
    const [counts, lattice, numbers, frac] = ["counts", "lattice", "numbers", "frac"].map((part) => this.column(`${kind}_${part}`));
    const starts = this.starts(kind, counts);
    return rows.map((row) => {
      const from = starts[row], to = from + counts[row];
      return structure(numbers.subarray(from, to), frac.subarray(3 * from, 3 * to), lattice.subarray(9 * row, 9 * row + 9), this.header.grid);
    });
  }

  starts(kind, counts) {
    const key = `${kind}_starts`;
    if (!this.columns.has(key)) {
      const starts = new Uint32Array(counts.length + 1);
      counts.forEach((value, i) => { starts[i + 1] = starts[i] + value; });
      this.columns.set(key, starts);
    }
    return this.columns.get(key);
  }
}

class Served extends Store {
  has(name) { return name in this.header.columns; }

  async ask(path, options) {
    const answer = await fetch(path, options);
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    return answer.arrayBuffer();
  }

  async fetchColumn(name) { return new TYPES[this.header.columns[name]](await this.ask(`/columns/${name}`)); }

  async structures(kind, rows) {
    const found = [];
    for (let from = 0; from < rows.length; from += BATCH) {
      const some = Uint32Array.from(rows.slice(from, from + BATCH));
      found.push(...this.read(await this.ask(`/${kind}s`, { method: "POST", body: some }), some.length));
    }
    return found;
  }

  read(buffer, size) {
    const counts = new Uint32Array(buffer, 0, size), lattice = new Float32Array(buffer, 4 * size, 9 * size);
    const atoms = counts.reduce((sum, value) => sum + value, 0), first = 40 * size;
    const numbers = new Uint8Array(buffer, first, atoms), frac = new Uint16Array(buffer.slice(first + atoms));
    let from = 0;
    return Array.from(counts, (value, i) => {
      const range = [from, from += value];
      return structure(numbers.subarray(...range), frac.subarray(3 * range[0], 3 * range[1]), lattice.subarray(9 * i, 9 * i + 9), this.header.grid);
    });
  }
}
