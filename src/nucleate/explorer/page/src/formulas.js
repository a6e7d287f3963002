// What can be said of compositions: elements (Li), only these (Li-O, Li-*-O), formulas (LiFePO4, *2O3, ABO3).

const gcd = (a, b) => (b ? gcd(b, a % b) : a);

export class Formulas {
  constructor(store) {
    this.store = store;
    this.symbols = new Map(store.header.elements.map(([symbol], z) => [symbol, z]).slice(1));
    this.lines = store.lines("formulas");
    Object.assign(this, { made: false, parsed: [] });
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

  // Amounts of the elements of a formula in the table, largest first: [[z, n], …].
  amounts(i) { return (this.parsed[i] ??= [...this.parse(this.lines[i]) ?? []].sort((a, b) => b[1] - a[1])); }

  // A formula with letters or stars for any elements, as {about, formula: (i) => boolean}, or null. Letters that are no
  // element stand for any, and B and C do where A, or A and B, are in the formula too. Different ones are different elements.
  pattern(word) {
    if (!/^([A-Z][a-z]?|\*)\d*/.test(word)) return null;
    const parts = [...word.matchAll(/([A-Z][a-z]?|\*)(\d*)/g)];
    if (parts.map((part) => part[0]).join("") !== word) return null;
    const letters = new Set(parts.map((part) => part[1])), any = (text) => text === "*" || (text.length === 1 && !this.symbols.has(text))
      || (text === "B" && letters.has("A")) || (text === "C" && letters.has("A") && letters.has("B"));
    if (!parts.some(([, text]) => any(text))) return null;
    if (parts.some(([, text]) => !any(text) && !this.symbols.has(text))) return null;
    const amounts = new Map();
    parts.forEach(([, text, n], k) => {
      const name = text === "*" ? `*${k}` : text;
      amounts.set(name, (amounts.get(name) ?? 0) + Number(n || 1));
    });
    const divisor = [...amounts.values()].reduce(gcd), fixed = [], free = [];
    for (const [name, n] of amounts) (any(name[0] === "*" ? "*" : name) ? free : fixed).push([this.symbols.get(name), n / divisor, name]);
    free.sort((a, b) => b[1] - a[1]);
    const text = [free.length === 1 ? "any one element" : `any ${free.length} elements`, ...fixed.map(([z]) => this.store.header.elements[z][0])];
    return {
      about: `formula ${word}, of ${text.join(" and ")}`,
      formula: (i) => {
        const here = this.amounts(i);
        if (here.length !== amounts.size || fixed.some(([z, n]) => !here.some((pair) => pair[0] === z && pair[1] === n))) return false;
        const rest = here.filter(([z]) => !fixed.some((pair) => pair[0] === z));
        return rest.every(([, n], k) => n === free[k][1]);
      },
    };
  }

  // What a word says of composition, as {about, formula: (i) => boolean, none: whether nothing here is so}, or null.
  term(word) {
    this.make();
    const single = this.symbol(word), name = (z) => this.store.header.elements[z][0];
    if (single) return { about: `with ${name(single)}`, formula: (i) => this.has(i, single) };
    const parts = word.includes("-") ? word.split("-") : [], known = parts.filter((part) => part !== "*").map((part) => this.symbol(part));
    if (parts.length && known.every(Boolean)) return this.system(parts.length, known);
    const atoms = this.parse(word), wanted = atoms ? this.lines.indexOf(this.reduced(atoms)) : this.lower.get(word.toLowerCase());
    if (atoms || wanted !== undefined) return { about: atoms ? this.reduced(atoms) : this.lines[wanted], formula: (i) => i === wanted, none: wanted < 0 };
    return this.pattern(word);
  }

  // So many elements in all, and these among them.
  system(size, zs) {
    const name = (z) => this.store.header.elements[z][0], names = zs.map(name);
    if (size === zs.length) return { about: `only ${names.join(", ")}`, formula: (i) => this.only(i, zs) };
    const any = size - zs.length, more = any === 1 ? "one more element" : `${any} more elements`;
    return { about: zs.length ? `only ${names.join(", ")} and ${more}` : `of ${size} elements`, formula: (i) => this.amounts(i).length === size && zs.every((z) => this.has(i, z)) };
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

  // Completions of the last word: {word, size, kind}; columns: what conditions can be on.
  suggest(query, columns, limit = 8) {
    const word = /[^\s,;]*$/.exec(query)[0], start = word.replace(/^-/, "");
    if (!start) return [];
    const { formulas, elements } = this.sizes(), low = start.toLowerCase();
    const found = [...elements].filter(([symbol]) => symbol.toLowerCase().startsWith(low))
      .sort(([a], [b]) => a.length - b.length || a.localeCompare(b)).slice(0, word === start ? 4 : limit)
      .map(([symbol, size]) => ({ word: word === start ? symbol : `-${symbol}`, size, kind: word === start ? "element" : "without" }));
    if (word !== start) return found;
    if (start.length > 1) found.push(...columns.filter((name) => name.toLowerCase().startsWith(low) && !/\s/.test(name)).slice(0, 3).map((name) => ({ word: name, size: null, kind: "column" })));
    for (let i = 0; i < this.lines.length && found.length < limit; i++) {
      if (this.lines[i].toLowerCase().startsWith(low) && this.lines[i] !== start && !elements.has(this.lines[i])) found.push({ word: this.lines[i], size: formulas[i], kind: "formula" });
    }
    return found;
  }
}
