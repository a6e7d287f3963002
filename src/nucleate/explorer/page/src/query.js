// What can be written into the search: elements (Li O), without one (-Pb), only these (Li-O), a formula, a name.

const gcd = (a, b) => (b ? gcd(b, a % b) : a);

export class Formulas {
  constructor(store) {
    this.store = store;
    this.symbols = new Map(store.header.elements.map(([symbol], z) => [symbol, z]).slice(1));
    this.lines = store.lines("formulas");
    this.made = false;
  }

  // Elements of each formula as bits, and formulas by composition; made when first needed.
  make() {
    if (this.made) return;
    Object.assign(this, { made: true, bits: new Uint32Array(4 * this.lines.length), places: new Map(), lower: new Map() });
    this.lines.forEach((line, i) => {
      for (const [, symbol] of line.matchAll(/([A-Z][a-z]?)\d*/g)) {
        const z = this.symbols.get(symbol);
        this.bits[4 * i + (z >> 5)] |= 1 << (z & 31);
      }
      this.lower.set(line.toLowerCase(), i);
    });
  }

  has(i, z) { return (this.bits[4 * i + (z >> 5)] >>> (z & 31)) & 1; }

  only(i, zs) {
    const bits = new Uint32Array(4);
    zs.forEach((z) => { bits[z >> 5] |= 1 << (z & 31); });
    return bits.every((value, k) => this.bits[4 * i + k] === value);
  }

  // Atoms by atomic number, or null if the text is no formula.
  parse(text) {
    const stack = [new Map()];
    let rest = text;
    while (rest) {
      const found = /^(?:([A-Z][a-z]?)|([([])|([)\]]))(\d*)/.exec(rest);
      if (!found || (found[2] && found[4])) return null;
      rest = rest.slice(found[0].length);
      if (found[2]) { stack.push(new Map()); continue; }
      const times = Number(found[4] || 1);
      if (found[1] && !this.symbols.has(found[1])) return null;
      const inner = found[1] ? new Map([[this.symbols.get(found[1]), 1]]) : stack.pop();
      if (!stack.length) return null;
      for (const [z, n] of inner) stack.at(-1).set(z, (stack.at(-1).get(z) ?? 0) + n * times);
    }
    return stack.length === 1 && stack[0].size ? stack[0] : null;
  }

  // The reduced formula as the table writes it.
  reduced(atoms) {
    const divisor = [...atoms.values()].reduce(gcd);
    const elements = this.store.header.elements;
    const ordered = [...atoms.keys()].sort((a, b) => elements[a][5] - elements[b][5]);
    return ordered.map((z) => elements[z][0] + (atoms.get(z) / divisor > 1 ? atoms.get(z) / divisor : "")).join("");
  }

  symbol(word) { return this.symbols.get(word) ?? (/^[a-z]{1,2}$/.test(word) ? this.symbols.get(word[0].toUpperCase() + word.slice(1)) : undefined); }

  // One word as {about, formula: (i) => boolean} or {about, text}.
  term(word) {
    this.make();
    const without = word.length > 1 && word.startsWith("-") ? this.symbol(word.slice(1)) : undefined;
    const name = (z) => this.store.header.elements[z][0];
    if (without) return { about: `without ${name(without)}`, formula: (i) => !this.has(i, without) };
    const single = this.symbol(word);
    if (single) return { about: `with ${name(single)}`, formula: (i) => this.has(i, single) };
    const system = word.includes("-") ? word.split("-").map((part) => this.symbol(part)) : [];
    if (system.length && system.every(Boolean)) return { about: `only ${system.map(name).join(", ")}`, formula: (i) => this.only(i, system) };
    const atoms = this.parse(word);
    const wanted = atoms ? this.lines.indexOf(this.reduced(atoms)) : this.lower.get(word.toLowerCase());
    if (atoms || wanted !== undefined) return { about: atoms ? this.reduced(atoms) : this.lines[wanted], formula: (i) => i === wanted };
    return { about: `named ${word}`, text: word.toLowerCase() };
  }

  // Marks the rows that fit all words with 1.
  search(query) {
    const terms = query.split(/[\s,;]+/).filter(Boolean).map((word) => this.term(word));
    const fit = new Uint8Array(this.lines.length).map((_, i) => terms.every((term) => !term.formula || term.formula(i)));
    const codes = this.store.column("formula"), rows = new Uint8Array(this.store.rows);
    for (let i = 0; i < rows.length; i++) rows[i] = fit[codes[i]];
    const texts = terms.filter((term) => term.text);
    if (texts.length) {
      const names = this.store.has("names") ? this.store.lines("names") : null;
      for (let i = 0; i < rows.length; i++) {
        if (rows[i]) rows[i] = names && texts.every((term) => names[i].toLowerCase().includes(term.text)) ? 1 : 0;
      }
    }
    return { rows, about: terms.map((term) => term.about) };
  }

  // How many crystals have each formula, and each element.
  sizes() {
    if (this.counted) return this.counted;
    this.make();
    const formulas = new Uint32Array(this.lines.length), elements = new Map();
    for (const code of this.store.column("formula")) formulas[code]++;
    for (const [symbol, z] of this.symbols) {
      let total = 0;
      for (let i = 0; i < formulas.length; i++) if (this.has(i, z)) total += formulas[i];
      if (total) elements.set(symbol, total);
    }
    this.counted = { formulas, elements };
    return this.counted;
  }

  // Completions of the last word: {word, size, kind}.
  suggest(query, limit = 8) {
    const word = /[^\s,;]*$/.exec(query)[0], start = word.replace(/^-/, "");
    if (!start) return [];
    const { formulas, elements } = this.sizes(), low = start.toLowerCase();
    const found = [...elements].filter(([symbol]) => symbol.toLowerCase().startsWith(low))
      .sort(([a], [b]) => a.length - b.length || a.localeCompare(b)).slice(0, word === start ? 4 : limit)
      .map(([symbol, size]) => ({ word: word === start ? symbol : `-${symbol}`, size, kind: word === start ? "element" : "without" }));
    if (word !== start) return found;
    for (let i = 0; i < this.lines.length && found.length < limit; i++) {
      if (this.lines[i].toLowerCase().startsWith(low) && this.lines[i] !== start && !elements.has(this.lines[i])) found.push({ word: this.lines[i], size: formulas[i], kind: "formula" });
    }
    return found;
  }
}
