// What can be written into the search, and what of it was understood. Words that follow each other must all be true;
// OR stands between alternatives; NOT, ! or - before a word.

import { ColumnTerms } from "./columns.js";
import { SpaceGroups } from "./spacegroups.js";

const AND = /^(and|&+|with|\+)$/i, OR = /^(or|\|+)$/i, NOT = /^(not|NOT|Not|without|no|[¬!-])$/;
const LONGEST = 6; // words that make one term, as in F d -3 m

// Dashes and signs as they are typed by hand, subscripts as digits, bars over digits as minus.
export function plain(text) {
  return text.replace(/(\d)[\u0304\u0305]/g, "-$1").normalize("NFKC").replace(/[\u2010-\u2015\u2212\uFE58\uFE63]/g, "-").replace(/≥/g, ">=").replace(/≤/g, "<=").replace(/≠/g, "!=");
}

export class Query {
  constructor(store, formulas) {
    Object.assign(this, { store, formulas, groups: new SpaceGroups(store.header.space_groups) });
    this.columns = new ColumnTerms(store, this.groups);
  }

  // {alternatives: [[term, …], …], needs: [column, …]}; a term is {about, formula: (i) => …} or {about, row: () => (row) => …},
  // where problem says why nothing fits, and needs names the columns it reads.
  plan(text) {
    const words = text.match(/(?:[^\s,;"]|"[^"]*"?)+/g) ?? [], alternatives = [[]];
    let at = 0;
    while (at < words.length) {
      const word = plain(words[at]);
      if (AND.test(word)) at++;
      else if (OR.test(word)) { alternatives.push([]); at++; } else {
        const [term, used] = this.next(words, at);
        alternatives.at(-1).push(term);
        at += used;
      }
    }
    const filled = alternatives.filter((terms) => terms.length);
    return { alternatives: filled, needs: [...new Set(filled.flat().flatMap((term) => term.needs ?? []))] };
  }

  // The term that begins at a word, and how many words it is made of.
  next(words, at) {
    const word = plain(words[at]), more = at + 1 < words.length;
    const named = this.columns.condition(words.slice(at, at + LONGEST).map(plain));
    if (named) return named;
    if (more && NOT.test(word)) {
      const [term, used] = this.next(words, at + 1);
      return [without(term), used + 1];
    }
    const group = this.spaced(words.slice(at, at + LONGEST).map(plain));
    if (group) return group;
    if (/^[!\-¬]./.test(word) && !this.groups.bySymbol(word)) {
      const [term] = this.next([words[at].slice(1)], 0);
      return [without(term), 1];
    }
    return [this.single(word, words[at]), 1];
  }

  // A symbol that was written with spaces, as tables do.
  spaced(words) {
    for (let size = Math.min(words.length, LONGEST); size > 1; size--) {
      const text = words.slice(0, size).join(" "), number = this.groups.bySymbol(text);
      if (number && !words.slice(0, size).every((word) => this.formulas.symbols.has(word))) return [this.columns.group(number), size];
    }
    return null;
  }

  single(word, written) {
    const composition = this.formulas.term(word), number = this.groups.bySymbol(word, !composition);
    if (composition && !(composition.none && number)) {
      if (number) return { ...composition, about: `${composition.about} (sg:${word} is the space group)` };
      return composition.none ? { ...composition, about: `${composition.about}, which no crystal here is` } : composition;
    }
    if (number) return this.columns.group(number);
    const text = written.replaceAll('"', "");
    if (/^\d{1,3}$/.test(word) && this.groups.find(word) && this.columns.knowsGroups) return this.columns.numbered(Number(word));
    return this.columns.text(text);
  }

  // Marks the rows that fit with 1; the columns of `needs` must be there.
  run({ alternatives }) {
    const { rows: size } = this.store, codes = this.store.column("formula"), rows = new Uint8Array(size), problems = new Set(), about = [];
    for (const terms of alternatives) {
      const made = terms.map((term) => (term.row ? { ...term, ...term.row() } : term));
      for (const { problem } of made) if (problem) problems.add(problem);
      const fits = made.filter((term) => term.formula).map(({ formula }) => Uint8Array.from({ length: this.formulas.lines.length }, (_, i) => formula(i)));
      const tests = made.filter((term) => term.test || term.problem).map((term) => (term.problem ? () => false : term.test));
      for (let row = 0; row < size; row++) if (!rows[row] && fits.every((fit) => fit[codes[row]]) && tests.every((test) => test(row))) rows[row] = 1;
      about.push(made.filter((term) => !term.problem).map((term) => term.about).join(", "));
    }
    const none = !problems.size && !rows.includes(1) ? ": no crystal" : "";
    return { rows, about: about.filter(Boolean).join(" or ") + none, problems: [...problems] };
  }
}

function without(term) {
  const about = (text) => (text.startsWith("with ") ? `without ${text.slice(5)}` : `not ${text}`);
  if (term.problem) return term;
  if (term.formula) return { ...term, about: about(term.about), formula: (i) => !term.formula(i) };
  return { ...term, about: about(term.about), row: () => {
    const made = term.row();
    return made.problem ? made : { ...made, about: about(made.about ?? term.about), test: (row) => !made.test(row) };
  } };
}
