// What can be written into the search, with examples to try.

import { h, icon } from "./dom.js";

const RULES = [
  ["Composition", [["Li O", "with both elements"], ["!Pb", "without one; so are -Pb and NOT Pb"], ["Li OR Na", "either"], ["Li-Fe-O", "only these elements"], ["Li-*-O", "these and one more"],
    ["LiFePO4", "a formula, however it is written"], ["*2O3", "any element in a formula"], ["ABO3", "letters that are no element: any different ones"]]],
  ["Space group", [["Fm-3m", "its symbol; F m -3 m and F_m_-3_m too"], ["sg:225", "its number; so are #225, and 225 alone"]]],
  ["Columns", []],
  ["Text", [["id:mp-12", "crystals whose id has it"], ["perovskite", "any other word: ids and columns of texts"], ['"rock salt"', "words that belong together"]]],
];

export class Syntax {
  constructor(app) {
    this.app = app;
    const rules = RULES.map(([title, rows]) => [title, title === "Columns" ? this.columns() : rows]).filter(([, rows]) => rows.length);
    this.element = h("dialog", { class: "help syntax", "aria-labelledby": "syntax-heading", onclick: (event) => { if (event.target === this.element) this.element.close(); } },
      h("div", {}, h("header", {}, h("h2", { id: "syntax-heading" }, "Search"), h("button", { type: "button", class: "bare", "aria-label": "Close", onclick: () => this.element.close() }, icon("close"))),
        h("p", {}, "Words one after the other must all be true. Click one to try it."),
        rules.map(([title, rows]) => [h("h3", {}, title), h("dl", {}, rows.map(([text, about]) => h("div", {}, h("dt", {}, h("button", { type: "button", class: "example", onclick: () => this.take(text) }, text)), h("dd", {}, about))))]).flat()));
  }

  // Examples with columns that this map has.
  columns() {
    const { properties } = this.app.store.header, plain = properties.filter(({ key }) => !/[\s,;"]/.test(key));
    const last = (test) => plain.filter(test).at(-1), rows = [];
    const number = last(({ type }) => type === "number"), kind = last(({ type, flag, kinds }) => type === "kind" && !flag && kinds.length), flag = last(({ flag: is }) => is), text = last(({ type }) => type === "text");
    if (number) rows.push([`${number.key}>1`, "a number: > < >= <= = !="], [`${number.key} 1..2`, "between two"], [`${number.key}=unknown`, "without a value"]);
    if (kind) rows.push([`${kind.key}=${/[\s,;]/.test(kind.kinds[0]) ? `"${kind.kinds[0]}"` : kind.kinds[0]}`, "a text; what has it if none is equal"]);
    if (flag) rows.push([`${flag.key}=no`, "yes or no"]);
    if (text) rows.push([`${text.key}:a`, "has a text"]);
    return rows;
  }

  take(text) {
    const { search } = this.app;
    this.element.close();
    search.input.value = text;
    search.input.focus();
    search.open([]);
    this.app.set({ query: text });
  }
}
