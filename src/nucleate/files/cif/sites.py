"""The sites of a CIF: their elements and places, and the sites that no crystal of whole atoms can have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from nucleate.files.cif import species
from nucleate.files.cif.block import UNKNOWN, Block, number
from nucleate.files.cif.formula import Formula
from nucleate.files.failures import BadEntryError, Failure

COORDINATES = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")

MULTIPLICITY = ("_atom_site_site_symmetry_multiplicity", "_atom_site_symmetry_multiplicity")

THIRD_TOLERANCE = 1e-4
"""A coordinate within this share of 1/3 or 2/3 is 1/3 or 2/3, as pymatgen makes it: published numbers depend on it."""

_HYDROGEN, _OXYGEN, _TUNGSTEN = 1, 8, 74


class Sites(NamedTuple):
    """The sites of a block.

    Attributes:
        labels: names of the sites, for messages.
        numbers: atomic numbers.
        frac: fractional coordinates, as given but for ideal thirds.
        multiplicities: atoms of the cell that the block says each site stands for; NaN where it does not say.
    """

    labels: list[str]
    numbers: Int[np.ndarray, " s"]
    frac: Float[np.ndarray, "s 3"]
    multiplicities: Float[np.ndarray, " s"]


def read(block: Block, formula: Formula | None) -> Sites:
    """Reads the sites of a block.

    Raises:
        BadEntryError: there are none, or one of them is no whole atom in a known place; with its label.
    """
    symbols = block.column("_atom_site_type_symbol")
    labels = block.column("_atom_site_label") or symbols
    if all(label in UNKNOWN for label in labels):
        raise BadEntryError(Failure.NO_ATOMS, "there are no sites")
    stated = frozenset(formula.counts if formula is not None else ())
    names = symbols if len(symbols) == len(labels) else [""] * len(labels)
    numbers = np.array([_number(label, name, stated) for label, name in zip(labels, names, strict=True)])
    _check_whole(block, labels)
    _check_water(labels, names, numbers, stated)
    frac = _coordinates(block, labels, absent_is_zero=formula is not None)
    return Sites(labels, numbers, frac, _multiplicities(block, len(labels)))


def _number(label: str, symbol: str, formula: frozenset[int]) -> int:
    by_label = symbol in UNKNOWN
    found = species.of_label(label, formula) if by_label else species.of_symbol(symbol, formula)
    if found is None:
        raise species.refusal(label, label if by_label else symbol)
    return found


def _check_whole(block: Block, labels: Sequence[str]) -> None:
    """Refuses sites that are dummies, alternatives of each other, partly filled, or have hydrogens without a place."""
    for label, occupancy in _stated(block, "_atom_site_occupancy", labels):
        if number(occupancy) != 1:
            raise BadEntryError(Failure.PARTIAL_OCCUPANCY, f"site {label} has occupancy {occupancy}")
    for label, flag in _stated(block, "_atom_site_calc_flag", labels):
        if flag.lower() in ("dum", "dummy"):
            raise BadEntryError(Failure.UNKNOWN_ELEMENT, f"site {label} is a dummy and no atom")
    for label, group in _stated(block, "_atom_site_disorder_group", labels):
        if group != "0":
            raise BadEntryError(Failure.PARTIAL_OCCUPANCY, f"site {label} is of the disorder group {group}")
    for label, hydrogens in _stated(block, "_atom_site_attached_hydrogens", labels):
        if number(hydrogens) != 0:
            raise BadEntryError(Failure.MISSING_ATOMS, f"site {label} has {hydrogens} hydrogens without a place")


def _stated(block: Block, tag: str, labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Label and value of each site that has a value.

    Raises:
        BadEntryError: there are more or fewer values than sites.
    """
    column = block.column(tag)
    if column and len(column) != len(labels):
        message = f"there are {len(labels)} sites, and {len(column)} values of {tag}"
        raise BadEntryError(Failure.UNPARSEABLE, message)
    return ((label, value) for label, value in zip(labels, column, strict=False) if value not in UNKNOWN)


def _coordinates(block: Block, labels: Sequence[str], *, absent_is_zero: bool) -> Float[np.ndarray, "s 3"]:
    """Fractional coordinates; `.`, for which the core dictionary's default is 0, only where a formula confirms it."""
    columns = [block.numbers(tag) for tag in COORDINATES]
    if any(len(column) != len(labels) for column in columns):
        absent = next(tag for tag, column in zip(COORDINATES, columns, strict=True) if len(column) != len(labels))
        raise BadEntryError(Failure.NOT_FINITE, f"site {labels[0]} has no {absent}")
    frac = np.stack(columns, 1)
    if absent_is_zero and np.isnan(frac).any():
        frac[np.array([block.column(tag) for tag in COORDINATES]).T == "."] = 0
    bad = np.flatnonzero(~np.isfinite(frac).all(1))
    if len(bad):
        words = [block.column(tag)[bad[0]] for tag in COORDINATES]
        prose = any(word not in UNKNOWN and np.isnan(number(word)) and word.lower() != "nan" for word in words)
        reason = Failure.UNPARSEABLE if prose else Failure.NOT_FINITE
        raise BadEntryError(reason, f"site {labels[bad[0]]} is at {', '.join(words)}")
    for third in (1 / 3, 2 / 3):
        frac[np.abs(frac / third - 1) <= THIRD_TOLERANCE] = third
    return frac


def _check_water(
    labels: Sequence[str], symbols: Sequence[str], numbers: Int[np.ndarray, " s"], formula: frozenset[int]
) -> None:
    """Refuses oxygen that is named as that of water, where no hydrogen has a site.

    A formula without hydrogen speaks against it, and tungsten has a W of its own.
    """
    if _HYDROGEN in numbers or _TUNGSTEN in numbers or (formula and _HYDROGEN not in formula):
        return
    for place in np.flatnonzero(numbers == _OXYGEN).tolist():
        if species.comes_with_hydrogen(labels[place]) or species.comes_with_hydrogen(symbols[place]):
            message = f"site {labels[place]} is the oxygen of water or hydroxide, whose hydrogens have no site"
            raise BadEntryError(Failure.MISSING_ATOMS, message)


def _multiplicities(block: Block, count: int) -> Float[np.ndarray, " s"]:
    return next((found for tag in MULTIPLICITY if len(found := block.numbers(tag)) == count), np.full(count, np.nan))
