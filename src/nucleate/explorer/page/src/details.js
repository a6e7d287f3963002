// The crystal that is selected, beside its nearest reference.

import { count, formula, h, icon, number, plural, save } from "./dom.js";
import { NEAR, apart, cif, extxyz, parameters } from "./files.js";
import { marker } from "./legend.js";
import { Stage } from "./stage.js";

const NEIGHBOURS = 8;

export class Details {
  constructor(app) {
    this.app = app;
    this.own = new Stage("", (change) => this.follow(this.other, change));
    this.other = new Stage("", (change) => this.follow(this.own, change));
    this.heading = h("h2", { id: "details-heading", tabindex: -1 });
    this.sub = h("p", { class: "sub" });
    this.ownCaption = h("figcaption", {});
    this.otherCaption = h("figcaption", {});
    this.reference = h("figure", {}, this.other.element, this.otherCaption);
    this.pair = h("div", { class: "pair" }, h("figure", {}, this.own.element, this.ownCaption), this.reference);
    this.elements = h("ul", { class: "elements", "aria-label": "Elements" });
    this.cells = h("button", { type: "button", class: "quiet", "aria-pressed": "false", title: "Two cells along each axis", onclick: () => this.repeat() }, "2×2×2");
    this.large = h("button", { type: "button", class: "quiet", "aria-pressed": "false", "aria-label": "Large picture", title: "Large picture (E)", onclick: () => this.enlarge() }, icon("expand"));
    this.values = h("dl", {});
    this.near = h("div", { class: "near" });
    this.element = h("section", { class: "details", "aria-labelledby": "details-heading", hidden: true },
      h("header", {}, h("div", {}, this.heading, this.sub),
        h("button", { type: "button", class: "bare", "aria-label": "Close", title: "Close (Escape)", onclick: () => app.select(-1) }, icon("close"))),
      h("div", { class: "scroll" }, this.pair,
        h("div", { class: "tools" }, this.elements, this.cells, this.large),
        this.values, this.near,
        h("div", { class: "files" },
          h("button", { type: "button", onclick: () => this.save("cif") }, icon("down"), "CIF"),
          h("button", { type: "button", onclick: () => this.save("extxyz") }, icon("down"), "extxyz"),
          h("button", { type: "button", onclick: (event) => app.copyLink(event.currentTarget) }, icon("link"), "Copy link")),
        this.warning = h("p", { class: "warning", hidden: true })));
    this.element.addEventListener("toggle-large", () => this.enlarge());
  }

  follow(stage, change) { if (stage.cell && !this.reference.hidden) change(stage.cell); }

  repeat() {
    const repeats = this.cells.getAttribute("aria-pressed") === "true" ? 1 : 2;
    this.cells.setAttribute("aria-pressed", String(repeats === 2));
    for (const stage of [this.own, this.other]) if (stage.cell) { const { turn } = stage.cell; stage.cell.repeat(repeats); stage.cell.turn = turn; }
  }

  enlarge(large = !this.element.classList.contains("large")) {
    this.element.classList.toggle("large", large);
    this.large.setAttribute("aria-pressed", String(large));
  }

  get isLarge() { return this.element.classList.contains("large"); }

  close() {
    this.enlarge(false);
    this.element.hidden = true;
  }

  async show(row) {
    const { store } = this.app, { header } = store;
    const [structure] = await store.structures("crystal", [row]);
    const near = store.has("nearest") ? (await store.load(["nearest", "distance", "reference_formula", "reference_names"]), store.column("nearest")[row]) : -1;
    const [reference] = near >= 0 ? await store.structures("reference", [near]) : [];
    await store.load(header.properties.map((_, i) => `property${i}`).concat("names"));
    if (this.app.state.crystal !== row) return;
    this.structure = structure;
    this.row = row;
    this.fillHead(row, structure);
    this.element.hidden = false;
    this.own.show(structure, header, `Unit cell of ${store.formula(row)}, selected crystal`);
    this.fillReference(row, near, reference);
    const present = [...new Set([...structure.numbers, ...(reference?.numbers ?? [])])].sort((a, b) => a - b);
    this.elements.replaceChildren(...present.map((z) => h("li", {}, h("i", { style: { background: header.elements[z][1] } }), header.elements[z][0])));
    this.fillValues(row, structure);
    this.fillNear(row);
    const least = apart(structure);
    this.warning.hidden = least >= NEAR;
    this.warning.textContent = `Two atoms are ${least.toFixed(3)} Å apart. Some programs, pymatgen among them, take such for one site and refuse the CIF; extxyz keeps both.`;
    this.element.querySelector(".scroll").scrollTop = 0;
  }

  fillHead(row, structure) {
    const { app } = this, { store } = app, name = app.name(row);
    this.heading.replaceChildren(...formula(store.formula(row)));
    const source = store.column("source")[row];
    this.sub.replaceChildren(marker(source, app.sourceColour(source)), store.header.sources[source],
      h("span", {}, ` · ${plural(structure.numbers.length, "atom")}`), name ? h("span", { class: "name" }, ` · ${name}`) : "");
  }

  fillReference(row, near, reference) {
    const { store } = this.app;
    this.reference.hidden = !reference;
    this.pair.classList.toggle("single", !reference);
    this.ownCaption.replaceChildren(...(reference ? ["This crystal"] : []));
    if (!reference) return;
    const text = store.referenceFormula(near), name = store.has("reference_names") ? store.lines("reference_names")[near] : "";
    this.other.show(reference, store.header, `Unit cell of ${text}, nearest reference`);
    const far = store.has("distance") ? store.column("distance")[row] : NaN;
    this.otherCaption.replaceChildren("Nearest reference ", h("b", {}, ...formula(text)), name ? h("span", { class: "name" }, ` ${name}`) : "",
      Number.isFinite(far) ? h("span", { class: "far", title: store.header.distance }, `distance ${number(far)}`) : "");
  }

  fillValues(row, { lattice }) {
    const { lengths, angles, volume } = parameters(lattice), join = (values, digits, unit) => values.map((value) => value.toFixed(digits)).join(", ") + unit;
    const cell = [["a, b, c", join(lengths, 3, " Å")], ["α, β, γ", join(angles, 1, "°")], ["Volume", `${volume.toFixed(2)} Å³`]];
    const rows = this.app.store.header.properties.map((about, i) => h("div", {}, h("dt", {}, about.label),
      h("dd", {}, this.strip(about, i, row), this.value(about, i, row))));
    this.values.replaceChildren(...rows, ...cell.map(([label, text]) => h("div", {}, h("dt", {}, label), h("dd", {}, h("span", {}, text)))));
  }

  value(about, i, row) {
    const text = this.app.text(i, row), empty = text === "unknown" && !this.app.plain(i, row);
    return h("span", { class: [about.type === "text" && "long", empty && "absent"].filter(Boolean).join(" ") || null }, text);
  }

  // Where a value lies between the ends of all.
  strip(about, i, row) {
    if (about.type !== "number") return null;
    const value = this.app.store.column(`property${i}`)[row];
    if (!Number.isFinite(value)) return null;
    const share = this.app.scale(i, "linear", true).position(value);
    return h("i", { class: "strip", "aria-hidden": "true", style: { "--at": `${(100 * share).toFixed(1)}%` } });
  }

  fillNear(row) {
    const { app } = this, rows = app.grid.neighbours(row, NEIGHBOURS, app.shown());
    this.near.replaceChildren(...(rows.length ? [h("h3", {}, app.view.axes ? "Near it on the plot" : "Near it on the map"), h("div", { class: "chips" }, rows.map((other) =>
      h("button", { type: "button", class: "chip", onclick: () => app.select(other) }, marker(app.store.column("source")[other], app.sourceColour(app.store.column("source")[other])), h("span", {}, ...formula(app.store.formula(other)))))) ] : []));
  }

  save(kind) {
    const { app } = this, about = app.about(this.row, this.structure), { symbols } = app;
    const text = kind === "cif" ? cif(this.structure, about, symbols) : extxyz(this.structure, about, symbols);
    save(`${about.formula}-${this.row + 1}.${kind}`, [text], kind === "cif" ? "chemical/x-cif" : "text/plain");
    app.say(`Saved ${about.formula} as ${kind}, ${count(this.structure.numbers.length)} atoms`);
  }
}
