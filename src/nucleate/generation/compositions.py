"""What is asked for: full formulas, each of which fixes the contents of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nucleate.crystals import Crystals
from nucleate.elements import MAX_NUMBER, SYMBOLS, formula_from_numbers, parse_formula
from nucleate.errors import UserError

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
    if spec.strip() and (path.exists() or len(path.parts) > 1):
        from nucleate import files

        return numbers_of_all(files.read(path, progress=True), spec)
    return formulas([name.strip() for name in spec.split(",")])


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


def check_fits(compositions: Sequence[np.ndarray], max_atoms: int) -> None:
    """Refuses what a model cannot make.

    Raises:
        UserError: a cell is larger than any that the model was trained on, or holds an element beyond its table.
    """
    for numbers in compositions:
        if len(numbers) > max_atoms:
            formula = formula_from_numbers(numbers)
            raise UserError(f"{formula} has {len(numbers)} atoms; the model was trained on cells of up to {max_atoms}")
        if int(numbers.max(initial=0)) > MAX_NUMBER:
            raise UserError(f"{SYMBOLS[int(numbers.max())]} is beyond the elements that models know")


def formula_units(unit: np.ndarray, max_atoms: int, multiples: Sequence[int] = (1, 2, 4, 8)) -> list[np.ndarray]:
    """Cells with 1, 2, 4, … formula units that fit the model's size.

    Raises:
        UserError: not even one fits.
    """
    check_fits([unit], max_atoms)
    return [np.tile(unit, k) for k in multiples if k * len(unit) <= max_atoms]
