"""The columns of a fingerprint: for each coordination number its probability, and the motifs that it may form.

The motifs, their angles and their widths are those of matminer's preset `ops` (`cn_target_motif_op.yaml`; BSD licence)
and of pymatgen's `op_params.yaml` and `cn_opt_params.yaml` (MIT licence), which Zimmermann and Jain (2020, RSC Adv. 10,
6063) fitted. They are the same in pymatgen 2023.10.11 and 2026.10, and are copied here so that fingerprints do not
change with what is installed.
"""

from __future__ import annotations

from enum import IntEnum
from math import inf, pi
from typing import NamedTuple

import numpy as np

LARGEST = 24
"""Largest coordination number with a column."""


class Kind(IntEnum):
    """The formulas of `order_parameters`, where they are compiled in: new ones go to the end."""

    CERTAIN = 0
    """1: the coordination number itself, and the single bond."""
    BENT = 1
    """Two neighbours at an angle. Parameters: the angle in units of π, the inverse width."""
    POLAR = 2
    """Rings of neighbours around an axis. Parameters: see `_polar`."""
    BODY_CENTRED = 3
    CUBOCTAHEDRAL = 4
    STEINHARDT = 5
    """Bond-orientational order (Steinhardt et al. 1983). Parameter: the degree l."""


class Motif(NamedTuple):
    """One column: its name, and how to compute it."""

    name: str
    kind: Kind
    parameters: tuple[float, ...] = ()


def _bent(name: str, angle: float, inverse_width: float) -> Motif:
    return Motif(name, Kind.BENT, (angle, inverse_width))


def _polar(
    name: str,
    fold: int,
    inverse_width: float,
    angles: tuple[float, float] = (0.5, 0.5),
    south: tuple[float, float] = (inf, 0.0),
    widest: float = inf,
) -> Motif:
    """A motif of rings.

    Args:
        name: of the motif.
        fold: neighbours of a ring repeat every 2π / fold in azimuth.
        inverse_width: of the Gaussian for polar angles, in units of 1/π.
        angles: polar angles of the rings in units of π; the equator by default.
        south: polar angle from which on a neighbour sits at the South pole, and the inverse width there.
        widest: neighbours at a larger azimuth are left out.
    """
    return Motif(name, Kind.POLAR, (*angles, inverse_width, fold, *south, widest))


_SOUTH = 0.75 * pi
_TETRAHEDRAL = 0.6081734479693927
_STEINHARDT = tuple(Motif(f"q{degree}", Kind.STEINHARDT, (degree,)) for degree in (2, 4, 6))

_MOTIFS: dict[int, tuple[Motif, ...]] = {
    1: (Motif("sgl_bd", Kind.CERTAIN),),
    2: (
        _bent("L-shaped", 0.5, 15.15),
        _bent("water-like", 0.5802777777777778, 13.95),
        _bent("bent 120 degrees", 0.666666666667, 13.25),
        _bent("bent 150 degrees", 0.833333333333333, 12.45),
        _bent("linear", 1, 8.667),
    ),
    3: (
        _polar("trigonal planar", 2, 17.5, (0.66666666667, 0.66666666667)),
        _polar("trigonal non-coplanar", 3, 18.33, (_TETRAHEDRAL, _TETRAHEDRAL)),
        _polar("T-shaped", 2, 15.5),
    ),
    4: (
        _polar("square co-planar", 2, 17.7, south=(_SOUTH, 13.5)),
        _polar("tetrahedral", 3, 18.5, (_TETRAHEDRAL, _TETRAHEDRAL)),
        _polar("rectangular see-saw-like", 4, 27, south=(_SOUTH, 11.5), widest=0.75 * pi),
        _polar("see-saw-like", 3, 15.75, south=(_SOUTH, 12.75)),
        _polar("trigonal pyramidal", 3, 15.5),
    ),
    5: (
        _polar("pentagonal planar", 2, 19.333, (0.4, 0.8)),
        _polar("square pyramidal", 4, 14.9),
        _polar("trigonal bipyramidal", 3, 16.6, south=(_SOUTH, 12)),
    ),
    6: (
        _polar("hexagonal planar", 2, 25, (0.33333333, 0.66666667), south=(2.6179938779914944, 7.5)),
        _polar("octahedral", 4, 18, south=(_SOUTH, 15)),
        _polar("pentagonal pyramidal", 5, 13.8),
    ),
    7: (
        _polar("hexagonal pyramidal", 6, 12.5),
        _polar("pentagonal bipyramidal", 5, 14.75, south=(_SOUTH, 12.5)),
    ),
    8: (
        Motif("body-centered cubic", Kind.BODY_CENTRED),
        _polar("hexagonal bipyramidal", 6, 13.6, south=(_SOUTH, 14.1)),
    ),
    9: _STEINHARDT,
    10: _STEINHARDT,
    11: _STEINHARDT,
    12: (Motif("cuboctahedral", Kind.CUBOCTAHEDRAL), *_STEINHARDT),
}

_COLUMNS: tuple[tuple[int, Motif], ...] = tuple(
    (cn, motif) for cn in range(1, LARGEST + 1) for motif in (Motif("wt", Kind.CERTAIN), *_MOTIFS.get(cn, ()))
)

LABELS: tuple[str, ...] = tuple(f"{motif.name} CN_{cn}" for cn, motif in _COLUMNS)
"""Names of the columns, in matminer's words; `wt` is the probability of the coordination number."""

NUMBERS: np.ndarray = np.array([cn for cn, _ in _COLUMNS])
"""Coordination number of each column."""

KINDS: np.ndarray = np.array([motif.kind for _, motif in _COLUMNS])
"""Formula of each column."""

PARAMETERS: np.ndarray = np.array([[*motif.parameters, *[0.0] * (7 - len(motif.parameters))] for _, motif in _COLUMNS])
"""Its parameters, filled up with zeros, shape (columns, 7)."""
