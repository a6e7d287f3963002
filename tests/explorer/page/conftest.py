"""A browser, a map of a few hundred prototypes, and where its points should be on the screen."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.datasets import load
from nucleate.elements import MASSES
from nucleate.explorer.atlas import Atlas, Property
from nucleate.explorer.page import write_page
from nucleate.geometry.lattice import volume
from tests.explorer.page.described import described

SOURCES = ("FlowMM & co", "CDVAE", "<b>LLaMA</b>")
WIDTH, HEIGHT, SIDE = 1400, 900, 316  # of the window, and of the panel beside the map
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="session")
def prototypes() -> Crystals:
    return load("prototypes", "test")


@pytest.fixture(scope="session")
def atlas(prototypes: Crystals) -> Atlas:
    """360 crystals on a grid, far enough apart that a pointer means one of them; half have a nearest reference."""
    crystals, references = prototypes, prototypes[::3]
    n, rng = len(crystals), np.random.default_rng(0)
    places = np.stack(np.unravel_index(rng.permutation(n), (24, 15)), 1) + rng.uniform(-0.2, 0.2, (n, 2))
    masses = np.bincount(crystals.owner.numpy(), np.array(MASSES)[crystals.numbers.numpy()], n)
    density = masses / volume(crystals.lattice.double()).numpy() * 1.66053907
    energy = rng.normal(size=n)
    energy[::7] = np.nan
    kinds = crystals.info["mineral"].astype(object)
    kinds[::9] = ""
    nearest = np.where(np.arange(n) % 2, rng.integers(len(references), size=n), -1)
    return Atlas(
        crystals,
        SOURCES,
        rng.integers(3, size=n),
        places * 3.7 + 100,
        (
            Property("density", "Density", density, "g/cm³"),
            Property("atoms", "Number of atoms", crystals.counts.numpy()),
            Property("energy", "Energy", energy, "eV/atom"),
            Property("mineral", "Mineral", kinds),
            Property("valid", "Valid", rng.random(n) < 0.8),
        ),
        references,
        nearest,
        np.where(nearest < 0, np.nan, rng.random(n)),
        "cosine distance",
        title='Maps & "such" </script>',
        facts={"Embedding": "none <i>at all</i>"},
    )


@pytest.fixture(scope="session")
def map_file(atlas: Atlas, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "map.html"
    write_page(atlas, path)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium: the system's, or the one that Playwright installed."""
    api = pytest.importorskip("playwright.sync_api")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with api.sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except api.Error as error:
            pytest.skip(f"no browser: {str(error).splitlines()[0]}")
        yield chromium
        chromium.close()


class Visit:
    """One page that is looked at, and what it complained of and asked for."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        options = {"viewport": {"width": WIDTH, "height": HEIGHT}, "reduced_motion": "reduce", **options}
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.url = url
        self.open()

    def open(self, hash_: str = "") -> None:
        """Loads the page anew, with a view in its address."""
        self.page.goto("about:blank")
        self.page.goto(self.url + hash_)
        self.page.wait_for_selector("html[data-ready]", timeout=30_000)

    def state(self, expression: str) -> Any:
        return self.page.evaluate(f"nucleate.{expression}")

    @property
    def status(self) -> str:
        return self.page.locator(".selection .count").inner_text()

    def wait(self, condition: str) -> None:
        """Waits for something to be true. The page's policy forbids the evaluation that Playwright's own way needs."""
        deadline = time.monotonic() + 20
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, condition
            self.page.wait_for_timeout(15)

    def select(self, row: int) -> None:
        """Opens a crystal."""
        self.state(f"select({row})")
        self.wait(f"nucleate.details.row === {row}")

    def address(self) -> str:
        """The part after #, once it has followed."""
        self.page.wait_for_timeout(300)
        return self.page.evaluate("location.hash")


@pytest.fixture(scope="module")
def visits(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Opens pages, and closes them at the end; none may have complained."""
    opened: list[Visit] = []

    def visit(url: str, **options: Any) -> Visit:
        opened.append(Visit(browser, url, **options))
        return opened[-1]

    yield visit
    for one in opened:
        one.context.close()
    assert [problem for one in opened for problem in one.problems] == []


@pytest.fixture(scope="module")
def shared_visit(visits: Callable[..., Visit], map_file: Path) -> Visit:
    return visits(map_file.as_uri())


@pytest.fixture
def visit(shared_visit: Visit) -> Visit:
    """The map as it opens."""
    shared_visit.open()
    return shared_visit


@pytest.fixture(scope="session")
def described_atlas(prototypes: Crystals) -> Atlas:
    return described(prototypes)


@pytest.fixture(scope="session")
def described_file(described_atlas: Atlas, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("described") / "map.html"
    write_page(described_atlas, path)
    return path


@pytest.fixture(scope="module")
def shared_described(visits: Callable[..., Visit], described_file: Path) -> Visit:
    return visits(described_file.as_uri())


@pytest.fixture(scope="session")
def on_screen(atlas: Atlas) -> np.ndarray:
    """Where each point is in the window when the map opens: its longer side is 92 % of the shorter side of the room."""
    low, high = atlas.positions.min(0), atlas.positions.max(0)
    unit = (atlas.positions - (low + high) / 2) / (high - low).max()
    room = np.array([WIDTH - SIDE, HEIGHT])
    return np.array([SIDE, 0]) + room / 2 + unit * [1, -1] * 0.92 * room.min()
