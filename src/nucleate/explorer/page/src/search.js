// The search, with completions.

import { count, formula, h, icon } from "./dom.js";
import { Syntax } from "./syntax.js";

export class Search {
  constructor(app) {
    this.app = app;
    this.list = h("ul", { id: "completions", role: "listbox", "aria-label": "Completions", hidden: true });
    this.input = h("input", {
      type: "search", id: "search", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder: "LiFePO4, Li O, !Pb, band_gap>3",
      "aria-label": "Search formulas, elements, columns and texts", "aria-controls": "completions", "aria-expanded": "false", "aria-autocomplete": "list",
      oninput: () => this.type(), onkeydown: (event) => this.key(event), onblur: () => setTimeout(() => this.open([]), 120), onfocus: () => this.complete(),
    });
    this.about = h("p", { class: "about", "aria-live": "polite" });
    this.columns = app.store.header.properties.map(({ key }) => key);
    this.help = new Syntax(app);
    const ask = h("button", { type: "button", class: "bare ask", "aria-label": "What can be searched", title: "What can be searched", onclick: () => this.help.element.showModal() }, "?");
    this.element = h("search", { class: "search" }, icon("search"), this.input, h("kbd", { "aria-hidden": "true" }, "/"), ask, this.list, this.about);
  }

  type() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.app.set({ query: this.input.value.trim() }), 90);
    this.complete();
  }

  complete() { this.open(this.input.value ? this.app.formulas.suggest(this.input.value, this.columns) : []); }

  open(found) {
    this.found = found;
    this.active = -1;
    this.list.hidden = !found.length;
    this.input.setAttribute("aria-expanded", String(Boolean(found.length)));
    this.input.removeAttribute("aria-activedescendant");
    this.list.replaceChildren(...found.map(({ word, size, kind }, i) => h("li", { role: "option", id: `completion${i}`, onpointerdown: (event) => { event.preventDefault(); this.take(i); } },
      h("b", {}, ...(kind === "column" ? [word] : formula(word))), h("span", { class: "kind" }, kind), h("span", { class: "size" }, size === null ? "" : count(size)))));
  }

  take(i) {
    this.input.value = this.input.value.replace(/[^\s,;]*$/, this.found[i].word);
    this.open([]);
    this.app.set({ query: this.input.value.trim() });
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.found?.length) {
      event.preventDefault();
      this.active = (this.active + step + this.found.length) % this.found.length;
      [...this.list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === this.active)));
      this.input.setAttribute("aria-activedescendant", `completion${this.active}`);
    } else if (event.key === "Enter") {
      if (this.active >= 0) this.take(this.active);
      else { clearTimeout(this.waiting); this.app.set({ query: this.input.value.trim() }); this.open([]); }
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (this.found?.length) this.open([]);
      else if (this.input.value) { this.input.value = ""; this.app.set({ query: "" }); } else this.app.map.canvas.focus();
    }
  }

  render() {
    const { query } = this.app.state;
    if (document.activeElement !== this.input || !query) this.input.value = query;
    const { about, problems } = (query && this.app.found) || { about: "", problems: [] };
    this.about.replaceChildren(...[about && h("span", {}, about), ...problems.map((text) => h("span", { class: "problem" }, `${text}; see `,
      h("button", { type: "button", class: "bare small", onclick: () => this.help.element.showModal() }, "?")))].filter(Boolean));
    this.element.classList.toggle("filled", Boolean(query));
  }
}
