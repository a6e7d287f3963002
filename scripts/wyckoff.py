"""Writes the table of Wyckoff positions that `nucleate.geometry.space_groups` reads.

The positions are those of the International Tables for Crystallography, volume A (unique axis b, cell choice 1,
hexagonal axes, origin choice 2), as PyXtal lists them (MIT licence; `pip download pyxtal --no-deps` and unpack):

    python scripts/wyckoff.py pyxtal/database/wyckoff_list.csv

`tests/geometry/test_space_groups.py` compares the result with the operations that moyopy knows.
"""

from __future__ import annotations

import ast
import csv
import re
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

OUT = Path(__file__).parent.parent / "src" / "nucleate" / "geometry" / "data" / "wyckoff.pt"
TERM = re.compile(r"([+-]?)([0-9/]*)([xyz]?)")
GENERAL = np.array([0.1234, 0.2718, 0.3811])
"""A place that no operation but a translation maps to itself."""


def parse(triplet: str) -> tuple[np.ndarray, np.ndarray]:
    """Reads a triplet such as `x, 2x, z+1/4` into whole factors (3, 3) and a shift in 24ths (3,)."""
    factors, shift = np.zeros((3, 3)), np.zeros(3)
    for axis, expression in enumerate(triplet.replace(" ", "").split(",")):
        for sign, number, variable in TERM.findall(expression):
            if not number and not variable:
                continue
            value = float((-1 if sign == "-" else 1) * (Fraction(number) if number else 1))
            if variable:
                factors[axis, "xyz".index(variable)] += value
            else:
                shift[axis] += value
    return factors, shift


def centrings(general: list[str]) -> np.ndarray:
    """Translations of the conventional cell that are no whole numbers, with zero first."""
    parsed = [parse(triplet) for triplet in general]
    return np.array([shift % 1 for factors, shift in parsed if np.array_equal(factors, np.eye(3))])


def main(path: Path) -> None:
    """Reads the list and writes the arrays."""
    csv.field_size_limit(sys.maxsize)
    with path.open(newline="") as file:
        table = {int(row[0]): ast.literal_eval(row[1]) for row in csv.reader(file) if row[0] and int(row[0])}
    factors, shifts, orbit_start, letter_start, translations = [], [], [0], [0, 0], []
    for group in range(1, 231):
        letters = table[group]
        translations.append(centrings(letters[0]))
        for triplets in reversed(letters):  # from a to the general position
            orbit: list[np.ndarray] = []
            for factor, shift in map(parse, triplets):
                place = factor @ GENERAL + shift
                apart = (place - translations[-1])[:, None] - np.array(orbit).reshape(-1, 3)
                if (np.abs(apart - apart.round()).max(-1) < 1e-6).any():
                    continue  # the same place of the primitive cell
                orbit.append(place)
                factors.append(factor.T)  # places are rows: values @ factors + shift
                shifts.append(shift)
            orbit_start.append(len(shifts))
        letter_start.append(len(orbit_start) - 1)
    OUT.parent.mkdir(exist_ok=True)
    table = {
        "factors": np.array(factors).astype(np.int8),
        "shifts": np.round(np.array(shifts) * 24).astype(np.int8),
        "orbit_start": np.array(orbit_start),
        "letter_start": np.array(letter_start),
        "centring": np.array([len(found) for found in translations]),
        "second": np.array([found[min(1, len(found) - 1)] * 24 for found in translations]).round().astype(np.int64),
    }
    torch.save({name: torch.from_numpy(column) for name, column in table.items()}, OUT)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
