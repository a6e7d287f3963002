"""The map in a browser: size, time until it can be used, and frames while it is moved, zoomed and hovered over.

    python -m benchmarks.explorer
    python -m benchmarks.explorer --serve --points 1000000 --most-atoms 2 --json served.json

Crystals are those of a data set, drawn with replacement; places are random clusters. Headless Chromium renders in
software, as on a machine without a GPU. A frame lasts from one animation callback to the next, of those in which the
map, or the tooltip, was drawn.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from nucleate.crystals import Crystals
from nucleate.datasets import load
from nucleate.explorer.atlas import Atlas, Property
from nucleate.explorer.page import write_page
from nucleate.explorer.serve import make_server
from nucleate.geometry.lattice import volume

WIDTH, HEIGHT = 1400, 900
MOVES = 60

# Times of animation callbacks, and whether anything moved between them.
RECORD = """() => {
  globalThis.frames_ = [];
  let last = performance.now(), drawn = nucleate.map.frames, tip = "";
  const tick = (now) => {
    const place = nucleate.tooltip.element.style.transform;
    if (nucleate.map.frames !== drawn || place !== tip) frames_.push(now - last);
    [last, drawn, tip] = [now, nucleate.map.frames, place];
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""


def atlas_of(data: str, points: int, most_atoms: int | None) -> Atlas:
    rng = np.random.default_rng(0)
    crystals: Crystals = load(data, "train")
    if most_atoms:
        crystals = crystals[np.flatnonzero(crystals.counts.numpy() <= most_atoms)]
    rows = rng.integers(len(crystals), size=points)
    cluster, drawn = rng.integers(40, size=points), crystals[rows]
    places = rng.normal(size=(40, 2))[cluster] * 3 + rng.normal(size=(points, 2)) * 0.4
    per_atom = (volume(drawn.lattice.double()) / drawn.counts).numpy()
    properties = (
        Property("volume", "Volume per atom", per_atom, "Å³"),
        Property("atoms", "Number of atoms", drawn.counts.numpy()),
        Property("energy", "Energy", rng.normal(size=points), "eV"),
        Property("kind", "Kind", np.array(list("abcdefghij"), dtype=object)[rng.integers(10, size=points)]),
        Property("valid", "Valid", rng.random(points) < 0.9),
    )
    sources = ("FlowLLM", "FlowMM", "CDVAE", "data")
    near = rng.integers(len(crystals), size=points)
    return Atlas(drawn, sources, cluster % 4, places, properties, crystals, near, rng.random(points), "distance")


@contextmanager
def opened(atlas: Atlas, served: bool) -> Iterator[tuple[str, dict[str, float]]]:
    """The address of the map, and what was measured on the way."""
    start = time.perf_counter()
    if served:
        with make_server(atlas, port=0) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_address[1]}/", {"prepared (s)": time.perf_counter() - start}
            server.shutdown()
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "map.html"
        write_page(atlas, path)
        yield path.as_uri(), {"written (s)": time.perf_counter() - start, "size (MB)": path.stat().st_size / 1e6}


def frames(page: Any, act: Callable[[int], None]) -> tuple[float, float]:
    """Median and 95th percentile in ms."""
    page.evaluate("frames_.length = 0")
    for i in range(MOVES):
        act(i)
        page.wait_for_timeout(1)
    found = np.array(page.evaluate("frames_"))
    return float(np.median(found)), float(np.quantile(found, 0.95))


def measure(page: Any, url: str) -> dict[str, float]:
    start = time.perf_counter()
    page.goto(url)
    page.wait_for_selector("html[data-ready]", timeout=120_000)
    row = {"ready (s)": time.perf_counter() - start}
    page.evaluate(RECORD)
    middle = (316 + (WIDTH - 316) / 2, HEIGHT / 2)
    page.mouse.move(*middle)
    ways: dict[str, Callable[[int], None]] = {
        "hovering": lambda i: page.mouse.move(middle[0] + 7 * (i % 40) - 140, middle[1] + 5 * (i % 33) - 80),
        "zooming": lambda i: page.mouse.wheel(0, -60 if i < MOVES / 2 else 60),
        "panning": lambda i: page.mouse.move(middle[0] + 5 * (i % 30), middle[1] + 3 * (i % 20)),
    }
    for name, act in ways.items():
        if name == "panning":
            page.mouse.down()
        row[f"{name}, median (ms)"], row[f"{name}, 95 % (ms)"] = frames(page, act)
    page.mouse.up()
    for name, change in (("colour", "{colour: 'volume'}"), ("search", "{query: 'O'}")):
        start = time.perf_counter()
        page.evaluate(f"nucleate.set({change})")
        row[f"{name} (s)"] = time.perf_counter() - start
    return row


def main() -> None:
    options = arguments()
    from playwright.sync_api import sync_playwright

    atlas = atlas_of(options.data, options.points, options.most_atoms)
    with opened(atlas, options.serve) as (url, row), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        row |= measure(page, url)
        browser.close()
    table = Table("", f"{options.points:,} points", title=f"The map, {'served' if options.serve else 'one file'}")
    for name, value in row.items():
        table.add_row(name, f"{value:.2f}")
    Console().print(table)
    if options.json:
        about = {"date": str(date.today()), "settings": {k: str(v) for k, v in vars(options).items()}, "measured": row}
        options.json.write_text(json.dumps(about, indent=1))


def arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mp-20", help="data set whose training crystals are shown")
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--most-atoms", type=int, help="leave out crystals with more atoms")
    parser.add_argument("--serve", action="store_true", help="from a server instead of one file")
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    return parser.parse_args()


if __name__ == "__main__":
    main()
