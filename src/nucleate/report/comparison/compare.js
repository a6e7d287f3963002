// The page of a comparison: values under the pointer, menus of figures, rows brought out, and cells with their tilings.
// Runs after viewer.js and gallery.js in one module script.

const bubble = Object.assign(document.createElement("div"), { className: "bubble", hidden: true });
bubble.setAttribute("aria-hidden", "true");
document.body.append(bubble);

document.addEventListener("pointermove", (event) => {
  const target = event.target.closest?.("[data-tip]");
  bubble.hidden = !target;
  if (!target) return;
  bubble.textContent = target.dataset.tip;
  const { width } = bubble.getBoundingClientRect();
  bubble.style.left = `${clamp(event.clientX - width / 2, 8, innerWidth - width - 8)}px`;
  bubble.style.top = `${event.clientY > 70 ? event.clientY - 46 : event.clientY + 22}px`;
});
addEventListener("scroll", () => { bubble.hidden = true; }, { passive: true });

for (const place of document.querySelectorAll(".switch")) {
  const menus = [...place.querySelectorAll("select")], drawings = [...place.querySelectorAll("[data-key]")];
  const choose = () => {
    const key = menus.map((menu) => menu.value).join("|");
    drawings.forEach((drawing) => { drawing.hidden = drawing.dataset.key !== key; });
    place.querySelector(".none").hidden = drawings.some((drawing) => !drawing.hidden);
  };
  menus.forEach((menu) => menu.addEventListener("change", choose));
  choose();
}

// Pressed rows stay as they are while the others fade.
const chips = [...document.querySelectorAll(".rows button")];
const fading = document.createElement("style");
document.head.append(fading);
function bringOut() {
  const on = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => `.row-${chip.value}`);
  const others = chips.map((chip) => `.row-${chip.value}`).filter((name) => !on.includes(name));
  const faded = `main :is(${others.join()}):not(nav *)`; // what is inside of something faded does not fade twice
  const panel = `main .panel:has(${others.join()}):not(:has(${on.join()}))`;
  fading.textContent = on.length && others.length
    ? `:is(${faded}, ${panel}) { opacity: 0.16; } :is(${faded}, ${panel}) :is(${others.join()}) { opacity: 1; }`
    : "";
}
for (const chip of chips) {
  chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
    bringOut();
  });
}

function setUpTilings(box) {
  const shared = JSON.parse(box.querySelector(".cells").textContent);
  const cells = new Map();
  const observer = new IntersectionObserver((entries) => entries.forEach((entry) =>
    cells.get(entry.target).see(entry.isIntersecting)), { rootMargin: OUTSIDE });
  for (const pair of box.querySelectorAll(".pair")) {
    const both = [...pair.querySelectorAll("canvas")].map((canvas) => {
      const cell = new Cell(canvas, shared.crystals[Number(canvas.dataset.index)], shared);
      cell.repeat(Number(canvas.dataset.repeats));
      cells.set(canvas, cell);
      observer.observe(canvas);
      return cell;
    });
    both.forEach((cell) => turnTogether(cell.canvas, both));
  }
  return cells;
}

function turnTogether(canvas, both) {
  let last = null;
  const turn = (right, down) => both.forEach((cell) => cell.rotate(right, down));
  canvas.addEventListener("pointerdown", (event) => {
    last = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    turn((event.clientX - last[0]) * 0.011, (event.clientY - last[1]) * 0.011);
    last = [event.clientX, event.clientY];
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { last = null; });
  canvas.addEventListener("dblclick", () => both.forEach((cell) => cell.reset()));
  canvas.addEventListener("keydown", (event) => {
    const act = {
      ArrowLeft: () => turn(-0.15, 0), ArrowRight: () => turn(0.15, 0),
      ArrowUp: () => turn(0, -0.15), ArrowDown: () => turn(0, 0.15),
      "+": () => both.forEach((cell) => cell.magnify(1.15)), "=": () => both.forEach((cell) => cell.magnify(1.15)),
      "-": () => both.forEach((cell) => cell.magnify(1 / 1.15)), 0: () => both.forEach((cell) => cell.reset()),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
}

everyCell.push(...[...document.querySelectorAll(".tilings")].flatMap((box) => [...setUpTilings(box).values()]));
