// Space groups by symbol or number, however they are written.

// Settings that people name, by the number of their group.
const SETTINGS = { "P21/n": 14, "P21/a": 14, "I2/a": 15, "I2/c": 15, "I2/m": 12, "A2/m": 12, Pbnm: 62, Pnam: 62, Pmcn: 62, Pmnb: 62, Pcmn: 62, Pbnn: 52, Pcan: 60, Fm3m: 225, Fd3m: 227, Ia3d: 230, Pm3m: 221, Im3m: 229 };

const bare = (text) => text.replace(/[\s_{}$]/g, "");

export class SpaceGroups {
  constructor(symbols) {
    this.symbols = symbols;
    this.exact = new Map(Object.entries(SETTINGS));
    symbols.forEach((symbol, i) => this.exact.set(bare(symbol), i + 1));
    this.loose = new Map([...this.exact].map(([symbol, number]) => [symbol.toLowerCase(), number]));
  }

  // Number of the group with a symbol; loosely, capitals do not matter. 0 if there is none.
  bySymbol(text, loosely = false) { return this.exact.get(bare(text)) ?? (loosely ? this.loose.get(bare(text).toLowerCase()) : 0) ?? 0; }

  // Number of the group with a number or symbol; 0 if there is none.
  find(text) {
    const number = /^\d+$/.test(text) ? Number(text) : this.bySymbol(text, true);
    return number >= 1 && number <= this.symbols.length ? number : 0;
  }

  name(number) { return this.symbols[number - 1]; }
}
