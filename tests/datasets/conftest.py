"""A small published data set on a server of this machine, and caches that no test shares."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nucleate import files
from nucleate.datasets import prototypes, registry
from nucleate.datasets.registry import DataSet


class Home:
    """A public home: `pages` by path; `cut` bytes are held back at the end of each; `requests` are counted."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.cut = 0
        self.requests = 0
        home = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                home.requests += 1
                page = home.pages.get(self.path)
                if page is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page[: len(page) - home.cut])

            def log_message(self, *args) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NUCLEATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NUCLEATE_DATA", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def home() -> Iterator[Home]:
    home = Home()
    thread = threading.Thread(target=home.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield home
    home.server.shutdown()
    home.server.server_close()


@pytest.fixture(scope="session")
def few():
    """Six crystals of prototypes with the columns that the small data set promises."""
    crystals = prototypes.make(per_prototype=1)[:6]
    return crystals.with_info(energy=[-1.0, -2.5, 0.25, 1.0, 0.0, 3.5])


@pytest.fixture(scope="session")
def page(few, tmp_path_factory) -> bytes:
    """The six crystals as the CSV file that a home publishes."""
    path = tmp_path_factory.mktemp("page") / "few.csv"
    files.write(few, path)
    return path.read_bytes()


@pytest.fixture
def small(home, page, monkeypatch) -> DataSet:
    """A data set `small` in the registry, whose `train` and `val` are the six crystals and whose `test` is absent."""
    home.pages = {"/small/train.csv": page, "/small/val.csv": page}
    dataset = replace(
        registry.DATASETS["mp-20"],
        name="small",
        folder="small",
        home=f"{home.address}/small",
        sizes={"train": 6, "val": 6, "test": 6},
        units={"energy": "eV"},
    )
    monkeypatch.setitem(registry.DATASETS, "small", dataset)
    return dataset
