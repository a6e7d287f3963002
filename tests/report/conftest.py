"""Crystals that pages and pictures are tried on, and a reader of the pages."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pytest

from nucleate.crystals import Crystals

VOID = {"meta", "link", "input", "img", "br", "hr"}
FCC = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]


@pytest.fixture
def rock_salt() -> Crystals:
    """NaCl in its cubic cell of 8 atoms, 5.64 Å wide."""
    sites = np.concatenate([FCC, np.add(FCC, [0.5, 0, 0])])
    return Crystals.build([[11] * 4 + [17] * 4], [sites], [5.64 * np.eye(3)])


@pytest.fixture
def perovskite() -> Crystals:
    sites = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Crystals.build([[38, 22, 8, 8, 8]], [sites], [3.905 * np.eye(3)])


@pytest.fixture
def rutile() -> Crystals:
    u = 0.3053
    oxygen = [[u, u, 0], [1 - u, 1 - u, 0], [0.5 + u, 0.5 - u, 0.5], [0.5 - u, 0.5 + u, 0.5]]
    return Crystals.build(
        [[22, 22, 8, 8, 8, 8]], [[[0, 0, 0], [0.5, 0.5, 0.5], *oxygen]], [np.diag([4.594, 4.594, 2.959])]
    )


@pytest.fixture
def crystals(rock_salt: Crystals, perovskite: Crystals, rutile: Crystals) -> Crystals:
    """Three crystals and one that failed, with a score and a space group."""
    failed = Crystals.failed(["unparseable"])
    batch = Crystals.concat([rock_salt, perovskite, rutile, failed])
    return batch.with_info(
        score=[0.9, 0.5, 0.25, float("nan")], space_group=["Fm-3m (225)", "Pm-3m (221)", "P4_2/mnm (136)", None]
    )


class Page(HTMLParser):
    """A page as its elements, each a tag with its attributes, and the text below each tag; it checks the nesting."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in self._open:
            self.texts[tag][-1] += data

    def with_class(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for _, attributes in self.elements if name in (attributes.get("class") or "").split()]

    def data(self) -> dict:
        """The JSON of the first gallery."""
        kinds = [attributes.get("type") for tag, attributes in self.elements if tag == "script"]
        return json.loads(self.texts["script"][kinds.index("application/json")])
