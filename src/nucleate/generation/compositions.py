"""What is asked for: full formulas, each of which fixes the contents of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nucleate.crystals import Crystals
from nucleate.elements import parse_formula
from nucleate.errors import UserError
from nucleate.generation.limits import check_fits

TEXT_SUFFIXES = (".txt", ".lst")


def read_formulas(spec: str) -> list[np.ndarray]:
    """Reads the argument of `--formulas`.

    Args:
        spec: a list such as `SiO2,Na4Cl4`; a text file with a formula on each line (`#` begins a comment); or any
            structure file, whose compositions are taken in its order.

    Returns:
        Atomic numbers, one array a crystal.

    Raises:
        UserError: nothing is asked for, or something is not a formula.
    """
    path = Path(spec)
    if path.suffix in TEXT_SUFFIXES:
        try:
            lines = path.read_text().splitlines()
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        names = [line.split("#")[0].strip() for line in lines]
        return formulas(list(filter(None, names)))
    if not are_typed(spec):
        from nucleate import files

        return numbers_of_all(files.read(path, progress=True), spec)
    return formulas([name.strip() for name in spec.split(",")])


def are_typed(spec: str) -> bool:
    """Whether the argument of `--formulas` is a list or a text file, and not a file of structures."""
    path = Path(spec)
    return path.suffix in TEXT_SUFFIXES or not (spec.strip() and (path.exists() or len(path.parts) > 1))


def numbers_of_all(crystals: Crystals, name: str) -> list[np.ndarray]:
    """Atomic numbers of each crystal; `name` is where they come from.

    Raises:
        UserError: some could not be read.
    """
    failed = int((~crystals.built).sum())
    if failed:
        raise UserError(f"{name}: {failed} of {len(crystals)} crystals could not be read, so they ask for nothing")
    return crystals.numbers_of_each()


def formulas(names: Sequence[str]) -> list[np.ndarray]:
    """Parses formulas into atomic numbers.

    Raises:
        UserError: the list is empty or a formula is not one.
    """
    if not names:
        raise UserError("no formulas are given")
    try:
        return [np.array(parse_formula(name), dtype=np.uint8) for name in names]
    except ValueError as error:
        raise UserError(str(error)) from error


def formula_units(unit: np.ndarray, max_atoms: int, multiples: Sequence[int] = (1, 2, 4, 8)) -> list[np.ndarray]:
    """Cells with 1, 2, 4, … formula units that fit the model's size.

    Raises:
        UserError: not even one fits.
    """
    check_fits([unit], max_atoms)
    return [np.tile(unit, k) for k in multiples if k * len(unit) <= max_atoms]
