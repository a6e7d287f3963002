"""A map whose crystals are described by columns of every kind, some of them by strangers."""

from __future__ import annotations

from functools import partial

import numpy as np

from nucleate.crystals import Crystals
from nucleate.explorer.atlas import Atlas, Property
from nucleate.geometry.space_group_symbols import SYMBOLS

HOSTILE = ['<img src=x onerror="alert(1)">', "</script><script>alert(1)</script>", "a|b%7C&c=d#e", "<b>bold</b>"]
SOURCES = ("a|b, c", *HOSTILE[:1], "100 %|")


def described(crystals: Crystals) -> Atlas:
    """On a grid, in three sources; what a column lacks is a source, or every fifth crystal."""
    n, rng = len(crystals), np.random.default_rng(1)
    source = rng.integers(3, size=n)
    first = source == 0
    groups = crystals.info["spacegroup.number"].astype(float)
    file = partial(Property, of_file=True)
    gap = np.where(rng.random(n) < 0.3, 0.0, rng.gamma(2.0, 1.0, n))
    gap[~first] = np.nan
    stable = np.array([bool(value) if one else None for value, one in zip(rng.random(n) < 0.5, first, strict=True)])
    cluster = np.array([f"cluster {i}" for i in rng.integers(11, size=n)], dtype=object)
    cluster[::5] = ""
    cluster[1:9:2] = HOSTILE
    note = np.array(
        [f"No. {i}: {HOSTILE[i % 4]} seen in {'Bern' if i % 7 else 'Oslo'}" for i in range(n)], dtype=object
    )
    note[source == 2] = ""
    return Atlas(
        crystals,
        SOURCES,
        source,
        np.stack(np.unravel_index(rng.permutation(n), (24, 15)), 1).astype(float),
        (
            Property("space_group_number", "space group number", groups),
            Property("space_group", "space group (0.1 Å)", np.array(SYMBOLS, dtype=object)[groups.astype(int)]),
            Property("novel", "novel (unlike mp-20:train)", rng.random(n) < 0.5),
            file("band_gap", "band gap", gap, "eV"),
            file("wide", "wide", 10.0 ** rng.uniform(-3, 9, n)),
            file("tailed", "tailed", np.where(rng.random(n) < 0.05, -1e6 * rng.random(n), rng.normal(size=n))),
            file("number", "number", 2.0**40 + np.arange(n)),
            file("stable", "stable", stable),
            file("mineral", "mineral", crystals.info["mineral"].astype(object)),
            file("cluster", "cluster", cluster),
            file("note", HOSTILE[0], note),
        ),
        title=HOSTILE[1],
        facts={"columns left out": f"raw {HOSTILE[0]} (would take 3.1 MB)", "embedding": "none"},
    )
