// What is in sight and what is selected, and saving it.

import { count, h, icon, nextFrame, plural, save } from "./dom.js";
import { NEAR, apart, cif, extxyz, zip } from "./files.js";

const MANY = 100_000; // crystals; more are not held in memory for a file

export class Selection {
  constructor(app) {
    this.app = app;
    this.text = h("p", { class: "count", role: "status" });
    this.shares = h("div", { class: "shares", "aria-hidden": "true" });
    this.reset = h("button", { type: "button", class: "bare", onclick: () => app.clearFilters() }, "Show all");
    this.clear = h("button", { type: "button", class: "bare", onclick: () => app.set({ lasso: null }) }, "Clear");
    this.buttons = ["cif", "extxyz"].map((kind) => h("button", { type: "button", class: `save-${kind}`, onclick: () => this.save(kind) }, icon("down"), kind === "cif" ? "CIF zip" : "extxyz"));
    this.tools = h("div", { class: "saving" }, this.buttons);
    this.note = h("p", { class: "note", role: "status", hidden: true });
    this.element = h("div", { class: "selection" }, this.shares, this.text, this.reset, this.clear, this.tools, this.note);
  }

  render() {
    const { app } = this, { selected, state } = app, all = app.store.rows, shown = app.shownCount;
    const filtered = shown < all, about = `${app.filtered}/${state.lasso}`;
    if (about !== this.about) this.note.hidden = true; // it was said of others
    this.about = about;
    this.element.classList.toggle("selecting", Boolean(selected));
    this.reset.hidden = !filtered || Boolean(selected);
    this.clear.hidden = !selected;
    const size = selected ? selected.length : shown;
    this.text.textContent = selected ? `${count(selected.length)} selected${filtered ? `, of ${count(shown)} shown` : ""}`
      : filtered ? `${count(shown)} of ${plural(all, "crystal")} shown${app.placeless ? `, ${count(app.placeless)} more have no place here` : ""}` : plural(all, "crystal");
    for (const button of this.buttons) {
      button.disabled = !size || size > MANY;
      button.title = size > MANY ? `Select at most ${count(MANY)} to save them` : `Save ${selected ? "the selected" : filtered ? "the shown" : "all"} crystals`;
    }
    this.shares.hidden = !selected?.length;
    if (!selected?.length) return;
    const sizes = app.store.header.sources.map(() => 0), source = app.store.column("source");
    for (const row of selected) sizes[source[row]]++;
    this.shares.replaceChildren(...sizes.map((value, i) => h("i", { style: { flex: String(value), background: app.sourceColour(i, true) } })));
    if (state.lasso && !this.said) app.say(this.text.textContent);
  }

  async save(kind) {
    const { app } = this, { store } = app, rows = app.selected ? [...app.selected] : app.rowsShown();
    this.note.hidden = true;
    const before = this.text.textContent, show = (share) => { this.text.textContent = `Writing ${Math.round(100 * share)} %`; };
    for (const button of this.buttons) button.disabled = true;
    try {
      show(0);
      await store.load(store.header.properties.map((_, i) => `property${i}`).concat(["names", "distance"]));
      const structures = await store.structures("crystal", rows);
      const about = (i) => app.about(rows[i], structures[i]);
      const name = `${store.header.sources.length === 1 ? store.header.sources[0] : "crystals"}-${rows.length}`.replace(/[^\w.-]+/g, "_");
      if (kind === "cif") {
        const file = (i) => [`${String(rows[i] + 1).padStart(6, "0")}-${about(i).formula}.cif`, cif(structures[i], about(i), app.symbols)];
        save(`${name}.zip`, await zip(rows.length, file, show), "application/zip");
      } else {
        const texts = [];
        for (let i = 0; i < rows.length; i++) {
          texts.push(extxyz(structures[i], about(i), app.symbols));
          if (i % 500 === 499) { show(i / rows.length); await nextFrame(); }
        }
        save(`${name}.extxyz`, texts, "text/plain");
      }
      const near = kind === "cif" ? structures.filter((structure) => apart(structure) < NEAR).length : 0, said = `Saved ${plural(rows.length, "crystal")}`;
      this.note.hidden = !near;
      this.note.textContent = `${count(near)} of ${count(rows.length)} ${near === 1 ? "has" : "have"} atoms within ${NEAR} Å of each other, as ${near === 1 ? "its file notes" : "their files note"}: some programs, pymatgen among them, may refuse such CIF; extxyz keeps all.`;
      app.say(near ? `${said}. ${this.note.textContent}` : said);
    } finally {
      this.text.textContent = before;
      this.render();
    }
  }
}
