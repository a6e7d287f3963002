// The cards of a gallery: draws the cells that are on the screen, and filters and sorts the cards.
// Runs after viewer.js in one module script.

const OUTSIDE = "400px"; // how far off the screen a cell is drawn already

function listen(cell, card) {
  const { canvas } = cell, tip = card.querySelector(".tip"), supercell = card.querySelector(".supercell");
  let last = null; // where the pointer was while it drags
  canvas.addEventListener("pointerdown", (event) => {
    last = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (last) {
      cell.rotate((event.clientX - last[0]) * 0.011, (event.clientY - last[1]) * 0.011);
      last = [event.clientX, event.clientY];
    }
    showTip(tip, last ? undefined : cell.ballAt(event.offsetX, event.offsetY), event);
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { last = null; });
  canvas.addEventListener("pointerenter", () => cell.activate(true));
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; cell.activate(false); });
  canvas.addEventListener("focus", () => cell.activate(true));
  canvas.addEventListener("blur", () => cell.activate(false));
  canvas.addEventListener("dblclick", () => cell.reset());
  canvas.addEventListener("keydown", (event) => {
    const act = {
      ArrowLeft: () => cell.rotate(-0.15, 0), ArrowRight: () => cell.rotate(0.15, 0),
      ArrowUp: () => cell.rotate(0, -0.15), ArrowDown: () => cell.rotate(0, 0.15),
      "+": () => cell.magnify(1.15), "=": () => cell.magnify(1.15), "-": () => cell.magnify(1 / 1.15),
      0: () => cell.reset(), Home: () => cell.reset(),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  supercell.addEventListener("click", () => {
    cell.repeat(cell.repeats === 1 ? 2 : 1);
    supercell.setAttribute("aria-pressed", String(cell.repeats === 2));
  });
}

function showTip(tip, ball, event) {
  tip.hidden = !ball;
  if (!ball) return;
  tip.textContent = `${ball.symbol}  (${ball.frac.map((value) => value.toFixed(3)).join(", ")})`;
  tip.style.left = `${clamp(event.offsetX, 90, event.target.clientWidth - 90)}px`;
  tip.style.top = `${event.offsetY}px`;
}

// A word that is the symbol of an element present asks for that element, any other word for a part of the card's text.
function matches(card, query, symbols) {
  const elements = card.dataset.elements.split(" "), text = card.dataset.text.toLowerCase();
  return query.split(/[\s,;-]+/).filter(Boolean).every((word) => {
    const symbol = word[0].toUpperCase() + word.slice(1).toLowerCase();
    return symbols.has(symbol) ? elements.includes(symbol) : text.includes(word.toLowerCase());
  });
}

// Ascending, or descending with a minus before the key; cards without the value come last.
function sorted(cards, order) {
  const sign = order.startsWith("-") ? -1 : 1, key = order.replace(/^-/, "");
  const value = new Map(cards.map((card) => [card, JSON.parse(card.dataset.sort)[key]]));
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en") : a - b);
  const known = cards.filter((card) => value.get(card) !== undefined);
  const unknown = cards.filter((card) => value.get(card) === undefined);
  return [...known.sort((a, b) => sign * compare(value.get(a), value.get(b))), ...unknown];
}

function setUp(gallery) {
  const shared = JSON.parse(gallery.querySelector(".data").textContent);
  const grid = gallery.querySelector(".grid"), cards = [...grid.children], cells = new Map();
  const search = gallery.querySelector(".search"), order = gallery.querySelector(".order");
  const chips = [...gallery.querySelectorAll(".legend button")], symbols = new Set(chips.map((chip) => chip.value));
  const observer = new IntersectionObserver((entries) => entries.forEach((entry) =>
    cells.get(entry.target).see(entry.isIntersecting)), { rootMargin: OUTSIDE });

  for (const card of cards) {
    const canvas = card.querySelector("canvas");
    if (!canvas) continue;
    cells.set(canvas, new Cell(canvas, shared.crystals[Number(card.dataset.index)], shared));
    listen(cells.get(canvas), card);
    observer.observe(canvas);
  }

  function filter() {
    const chosen = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.value);
    for (const card of cards) card.hidden = !matches(card, [search.value, ...chosen].join(" "), symbols);
    const shown = cards.filter((card) => !card.hidden).length;
    const of = shown < cards.length ? ` of ${cards.length}` : "";
    gallery.querySelector(".count").textContent = `${shown}${of} shown`;
  }

  search.addEventListener("input", filter);
  order.addEventListener("change", () => grid.append(...sorted(cards, order.value)));
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
  return cells;
}

readTheme();
const everyCell = [...document.querySelectorAll(".gallery")].flatMap((gallery) => [...setUp(gallery).values()]);
const redrawAll = () => everyCell.forEach((cell) => cell.redraw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readTheme(); redrawAll(); });
addEventListener("resize", () => { everyCell.forEach((cell) => { cell.fitted = Infinity; }); redrawAll(); });
