// Crystals as files, written in the browser.

import { Zip, ZipDeflate, strToU8 } from "fflate";
import { nextFrame } from "./dom.js";

const PIECE = 200; // crystals between two breaths of the page

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const fixed = (value, digits) => (value + 0).toFixed(digits);

// Lengths in Å, angles in degrees, and the volume in Å³.
export function parameters(lattice) {
  const [a, b, c] = lattice, lengths = lattice.map((row) => Math.hypot(...row));
  const angle = (i, j) => (Math.acos(Math.min(Math.max(dot(lattice[i], lattice[j]) / lengths[i] / lengths[j], -1), 1)) * 180) / Math.PI;
  const cross = [b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]];
  return { lengths, angles: [angle(1, 2), angle(0, 2), angle(0, 1)], volume: Math.abs(dot(a, cross)) };
}

export const NEAR = 0.1; // Å; atoms so near to each other are one site to some readers of CIF

// The shortest distance between two atoms in Å, if it is less than NEAR; Infinity else. So short a one is to the nearest
// copy of the other, by coordinates.
export function apart({ frac, lattice }) {
  let least = NEAR * NEAR;
  for (let i = 0; i < frac.length; i++) {
    for (let j = 0; j < i; j++) {
      const d = frac[i].map((value, k) => value - frac[j][k] - Math.round(value - frac[j][k]));
      const square = [0, 1, 2].reduce((sum, k) => sum + (d[0] * lattice[0][k] + d[1] * lattice[1][k] + d[2] * lattice[2][k]) ** 2, 0);
      if (square < least) least = square;
    }
  }
  return least < NEAR * NEAR ? Math.sqrt(least) : Infinity;
}

const oneLine = (text) => text.replace(/\s+/g, " ");

// Names for the values of a crystal that a comment line of extxyz can hold, each once.
function keysOf(values) {
  const seen = new Set(["lattice", "properties", "pbc"]);
  return values.map(([key]) => {
    const plain = key.replace(/\W+/g, "_").replace(/^_+|_+$/g, "") || "column";
    let name = plain;
    for (let n = 2; seen.has(name.toLowerCase()); n++) name = `${plain}_${n}`;
    seen.add(name.toLowerCase());
    return name;
  });
}

// about: {formula, full, source, name, values: [[key, text]]}
export function cif({ numbers, frac, lattice }, about, symbols) {
  const { lengths, angles, volume } = parameters(lattice);
  const seen = {};
  const atoms = numbers.map((z, i) => {
    const symbol = symbols[z];
    seen[symbol] = (seen[symbol] ?? 0) + 1;
    return `${symbol} ${symbol}${seen[symbol]} 1 ${frac[i].map((value) => fixed(value, 8)).join(" ")} 1`;
  });
  return [
    ...about.values.map(([key, text]) => `# ${oneLine(key)}: ${oneLine(text)}`),
    ...(apart({ frac, lattice }) < NEAR ? [`# note: two atoms are ${apart({ frac, lattice }).toFixed(4)} angstrom apart; some readers take them for one site`] : []),
    `data_${about.formula}`,
    "_symmetry_space_group_name_H-M   'P 1'",
    "_symmetry_Int_Tables_number   1",
    ...["a", "b", "c"].map((name, k) => `_cell_length_${name}   ${fixed(lengths[k], 7)}`),
    ...["alpha", "beta", "gamma"].map((name, k) => `_cell_angle_${name}   ${fixed(angles[k], 7)}`),
    `_cell_volume   ${fixed(volume, 5)}`,
    `_chemical_formula_structural   ${about.formula}`,
    `_chemical_formula_sum   '${about.full.match(/[A-Z][a-z]?\d*/g).map((part) => (/\d/.test(part) ? part : `${part}1`)).join(" ")}'`,
    "loop_", " _symmetry_equiv_pos_site_id", " _symmetry_equiv_pos_as_xyz", "  1  'x, y, z'",
    "loop_", " _atom_site_type_symbol", " _atom_site_label", " _atom_site_symmetry_multiplicity", " _atom_site_fract_x",
    " _atom_site_fract_y", " _atom_site_fract_z", " _atom_site_occupancy",
    ...atoms.map((atom) => `  ${atom}`), "",
  ].join("\n");
}

export function extxyz({ numbers, frac, lattice }, about, symbols) {
  const place = (f) => [0, 1, 2].map((k) => fixed(f[0] * lattice[0][k] + f[1] * lattice[1][k] + f[2] * lattice[2][k], 8));
  const quoted = (text) => (/^[\w.+-]+$/.test(text) ? text : `"${oneLine(text).replace(/["\\]/g, "'")}"`);
  const keys = keysOf(about.values), info = about.values.map(([, text], i) => `${keys[i]}=${quoted(text)}`).join(" ");
  const cell = lattice.flat().map((value) => fixed(value, 8)).join(" ");
  const atoms = numbers.map((z, i) => `${symbols[z]} ${place(frac[i]).join(" ")}`);
  return `${numbers.length}\nLattice="${cell}" Properties=species:S:1:pos:R:3 ${info} pbc="T T T"\n${atoms.join("\n")}\n`;
}

// Files in one archive, as pieces for a Blob; files: [name, text] by row, made when their turn comes.
export async function zip(size, file, progress) {
  const pieces = [];
  const archive = new Zip((error, piece) => {
    if (error) throw error;
    pieces.push(piece);
  });
  for (let i = 0; i < size; i++) {
    const [name, text] = file(i), entry = new ZipDeflate(name, { level: 4 });
    archive.add(entry);
    entry.push(strToU8(text), true);
    if (i % PIECE === PIECE - 1) { progress(i / size); await nextFrame(); }
  }
  archive.end();
  return pieces;
}
