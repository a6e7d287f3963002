// Conditions on what is known of each crystal: band_gap>3, band_gap 1..2, mineral=rutile, id:225, sg:Fm-3m, or any text.

const CONDITION = /^([^<>=:!]+?)\s*(>=|<=|!=|==|[<>=:])\s*([^=\s].*)$/;
const RANGE = /^(.+?)\s+(\S*?)\.\.(\S*)$/i, TIGHT = /^([-+\d.e]*)\.\.([-+\d.e]*)$/i;
const GROUP = /^(?:#|(?:sg|spg|space[_ ]?group)(?:\s*([=:#])\s*|\s+|(?=\d)))(.+)$/i;
const NAMES = new Set(["id", "materialid", "name"]), YES = /^(yes|true|1)$/i, NO = /^(no|false|0)$/i;
const UNKNOWN = /^(unknown|\?|none|nan)$/i;
const OTHERS = { natoms: "num_atoms", nsites: "num_atoms", numsites: "num_atoms", nelements: "num_elements", ehull: "e_above_hull", gap: "band_gap", eform: "formation_energy_per_atom" };

const fold = (text) => text.normalize("NFKC").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
const unquoted = (text) => text.replaceAll('"', "");
export const missingWord = (word) => `no such element, formula or column: “${word}”`;

export class ColumnTerms {
  constructor(store, groups) {
    Object.assign(this, { store, groups, properties: store.header.properties });
  }

  get knowsGroups() { return this.properties.some(({ key }) => key === "space_group_number" || key === "space_group"); }

  // Place of the property that a word names: its key, its label, or the only one that begins so; -1 if there is none.
  find(word) {
    const text = fold(word), keys = this.properties.map(({ key }) => fold(key)), labels = this.properties.map(({ label }) => fold(label));
    if (!text) return -1;
    for (const list of [keys, labels]) if (list.includes(text)) return list.indexOf(text);
    const known = OTHERS[text] ? keys.indexOf(fold(OTHERS[text])) : -1;
    if (known >= 0) return known;
    const begin = text.length < 3 ? [] : keys.flatMap((key, i) => (key.startsWith(text) || labels[i].startsWith(text) ? [i] : []));
    return begin.length === 1 ? begin[0] : -1;
  }

  // A condition that begins with the first of some words, as [term, words it takes]; null if there is none.
  condition(words) {
    if (/^[!\-¬]/.test(words[0])) return null;
    const group = this.groupOf(words);
    if (group) return group;
    for (let size = 1; size <= words.length; size++) {
      const term = this.read(words.slice(0, size).join(" "));
      if (term) return [term, size];
    }
    return null;
  }

  // A space group by a word before it, with as many words as its symbol has.
  groupOf(words) {
    for (let size = words.length; size; size--) {
      const [, sign, text] = GROUP.exec(words.slice(0, size).join(" ")) ?? [], number = text ? this.groups.find(unquoted(text)) : 0;
      if (number) return [this.group(number), size];
      if (size === 1 && text && (sign || words[0].startsWith("#")) && !text.includes("|")) return [{ about: "", problem: `no space group is “${unquoted(text)}”: write sg:225 or sg:Fm-3m` }, 1];
    }
    return null;
  }

  read(text) {
    const range = RANGE.exec(text.replace(/\s*[=:]\s*(?=[-+\d.]*\.\.)/, " "));
    if (range && this.find(range[1]) >= 0) return this.between(this.find(range[1]), range[2], range[3], text);
    const [, name, sign, value] = CONDITION.exec(text) ?? [];
    if (name && NAMES.has(fold(name)) && !this.properties.some(({ key }) => fold(key) === fold(name))) return this.called(unquoted(value), sign);
    if (name && fold(name) === "source") return this.from(unquoted(value), sign);
    const i = this.find(name ?? text);
    if (i < 0) return null;
    if (name) return this.compare(i, sign, value);
    const exact = [fold(this.properties[i].key), fold(this.properties[i].label)].includes(fold(text));
    return exact && this.properties[i].flag ? this.kinds(i, ["yes"], "=") : null;
  }

  label(i) { return this.properties[i].label; }

  example(i) {
    const { key, type, kinds, flag } = this.properties[i], name = /[\s,;]/.test(key) ? this.label(i) : key;
    if (type === "number") return `${name}>1 or ${name} 1..2`;
    if (flag) return `${name}=yes`;
    return type === "kind" ? `${name}=${kinds[0]}` : `${name}:text`;
  }

  compare(i, sign, value) {
    const { type } = this.properties[i], text = unquoted(value);
    if (UNKNOWN.test(text)) return this.unknown(i, sign === "!=");
    if (type === "number") return this.number(i, sign, text);
    if (/[<>]/.test(sign)) return { about: "", problem: `${this.label(i)} is not a number: write ${this.example(i)}` };
    return type === "kind" ? this.kinds(i, text.split("|"), sign) : this.lines(i, text, sign);
  }

  number(i, sign, text) {
    const tight = TIGHT.exec(text);
    if (tight) return this.between(i, tight[1], tight[2], text);
    const wanted = Number(text), label = this.label(i);
    if (!Number.isFinite(wanted) || !text) return { about: "", problem: `${label} is a number, not “${text}”: write ${this.example(i)}` };
    const test = { ">": (a) => a > wanted, "<": (a) => a < wanted, ">=": (a) => a >= this.same(i, wanted), "<=": (a) => a <= this.same(i, wanted), "!=": (a) => a === a && a !== this.same(i, wanted) }[sign] ?? ((a) => a === this.same(i, wanted));
    const words = { ":": "=", "==": "=", ">=": "≥", "<=": "≤", "!=": "≠" }[sign] ?? sign;
    return this.rows(i, `${label} ${words} ${text}`, (values) => (row) => test(values[row]));
  }

  // The number as the column holds it, in single precision or double.
  same(i, value) { return this.store.column(`property${i}`) instanceof Float32Array ? Math.fround(value) : value; }

  between(i, from, to, text) {
    const [low, high] = [from === "" ? -Infinity : Number(from), to === "" ? Infinity : Number(to)];
    if (this.properties[i].type !== "number" || Number.isNaN(low) || Number.isNaN(high)) return { about: "", problem: `“${text}” is no range: write ${this.example(i)}` };
    return this.rows(i, `${this.label(i)} ${from}..${to}`, (values) => (row) => values[row] >= this.same(i, low) && values[row] <= this.same(i, high));
  }

  kinds(i, wanted, sign) {
    const { kinds, flag } = this.properties[i], label = this.label(i), texts = wanted.map((text) => (flag && YES.test(text) ? "yes" : flag && NO.test(text) ? "no" : text)).map((text) => text.toLowerCase());
    const exact = kinds.flatMap((name, code) => (sign !== ":" && texts.includes(name.toLowerCase()) ? [code] : []));
    const codes = new Set(exact.length ? exact : kinds.flatMap((name, code) => (texts.some((text) => name.toLowerCase().includes(text)) ? [code] : [])));
    if (!codes.size) return { about: "", problem: `no ${label} is “${wanted.join("|")}”: there ${kinds.length === 1 ? "is" : "are"} ${kinds.slice(0, 3).join(", ")}${kinds.length > 3 ? " …" : ""}` };
    const { missing } = this.store.header, negative = sign === "!=", verb = exact.length ? "is" : "has";
    return this.rows(i, `${label} ${negative ? "is not" : verb} ${wanted.join(" or ")}`, (values) => (row) => codes.has(values[row]) !== negative && values[row] !== missing);
  }

  lines(i, text, sign) {
    const wanted = text.toLowerCase(), negative = sign === "!=";
    return { about: `${this.label(i)} ${negative ? "without" : "has"} “${text}”`, needs: [`property${i}`], row: () => {
      const lines = this.store.lines(`property${i}`);
      return { test: (row) => lines[row] !== "" && lines[row].toLowerCase().includes(wanted) !== negative };
    } };
  }

  unknown(i, negative) {
    const name = `property${i}`, { type } = this.properties[i], { missing } = this.store.header;
    return { about: `${this.label(i)} ${negative ? "known" : "unknown"}`, needs: [name], row: () => {
      const values = type === "text" ? this.store.lines(name) : this.store.column(name);
      const lacks = { text: (value) => value === "", kind: (value) => value === missing, number: (value) => value !== value }[type];
      return { test: (row) => lacks(values[row]) !== negative };
    } };
  }

  rows(i, about, make) { return { about, needs: [`property${i}`], row: () => ({ test: make(this.store.column(`property${i}`)) }) }; }

  from(text, sign) {
    const { sources } = this.store.header, wanted = text.toLowerCase(), exact = sources.some((name) => name.toLowerCase() === wanted);
    const codes = new Set(sources.flatMap((name, i) => ((exact ? name.toLowerCase() === wanted : name.toLowerCase().includes(wanted)) ? [i] : [])));
    if (!codes.size) return { about: "", problem: `no source is “${text}”` };
    const negative = sign === "!=";
    return { about: `${negative ? "not " : ""}from ${[...codes].map((i) => sources[i]).join(" or ")}`, row: () => ({ test: (row) => codes.has(this.store.column("source")[row]) !== negative }) };
  }

  // Crystals by what their file calls them.
  called(text, sign) {
    const wanted = text.toLowerCase(), negative = sign === "!=";
    if (!this.store.has("names")) return { about: "", problem: "no crystal here has an id" };
    return { about: `id ${negative ? "without" : "has"} “${text}”`, needs: ["names"], row: () => {
      const names = this.store.lines("names");
      return { test: (row) => names[row].toLowerCase().includes(wanted) !== negative };
    } };
  }

  // --- space groups ---

  group(number) {
    const byNumber = this.properties.findIndex(({ key }) => key === "space_group_number"), bySymbol = this.properties.findIndex(({ key }) => key === "space_group");
    const about = `space group ${this.groups.name(number)} (${number})`;
    if (byNumber >= 0) return this.rows(byNumber, about, (values) => (row) => values[row] === number);
    if (bySymbol < 0) return { about: "", problem: `space groups are not known on this map, so nothing can be in ${this.groups.name(number)}` };
    const code = this.properties[bySymbol].kinds.findIndex((name) => this.groups.bySymbol(name) === number);
    return this.rows(bySymbol, about, (values) => (row) => code >= 0 && values[row] === code);
  }

  // A bare number: the space group, and how to find what has the number in its id.
  numbered(number) {
    const term = this.group(number), { needs } = term;
    return { ...term, needs: [...needs, "names"], row: () => {
      const names = this.store.has("names") ? this.store.lines("names") : [], called = names.filter((name) => name.includes(String(number))).length;
      return { ...term.row(), about: term.about + (called ? `; id:${number} finds ${called.toLocaleString("en-US")} by id` : "") };
    } };
  }

  // --- any text ---

  // Crystals with a text in their id, or in a column of texts.
  text(written) {
    const wanted = written.toLowerCase(), places = this.properties.flatMap(({ type, kinds }, i) => {
      if (type === "text") return [{ i, type }];
      const codes = type === "kind" ? kinds.flatMap((name, code) => (name.toLowerCase().includes(wanted) ? [code] : [])) : [];
      return codes.length ? [{ i, type, codes: new Set(codes) }] : [];
    }).filter(({ i }) => !this.properties[i].flag);
    return { about: `“${written}”`, needs: ["names", ...places.map(({ i }) => `property${i}`)], row: () => this.within(written, wanted, places) };
  }

  within(written, wanted, places) {
    const { store } = this, rows = new Uint8Array(store.rows), found = [];
    const mark = (label, has) => {
      let any = false;
      for (let row = 0; row < rows.length; row++) if (has(row)) { rows[row] = 1; any = true; }
      if (any) found.push(label);
    };
    if (store.has("names")) {
      const names = store.lines("names");
      mark("id", (row) => names[row].toLowerCase().includes(wanted));
    }
    for (const { i, type, codes } of places) {
      const values = type === "text" ? store.lines(`property${i}`) : store.column(`property${i}`);
      mark(this.label(i), type === "text" ? (row) => values[row].toLowerCase().includes(wanted) : (row) => codes.has(values[row]));
    }
    if (!found.length) return { problem: this.find(written) >= 0 ? `${this.label(this.find(written))} is a column: write ${this.example(this.find(written))}` : missingWord(written) };
    return { about: `“${written}” in ${found.join(", ")}`, test: (row) => rows[row] === 1 };
  }
}
