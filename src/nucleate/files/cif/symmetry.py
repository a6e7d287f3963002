"""The space group of a CIF: its operations, from whatever the block says about them.

A block may list the operations, give a Hall symbol, a Hermann-Mauguin name with its setting or without, and a number of
the International Tables; in this order they are trusted. What is said twice has to agree, and a rotation has to keep
the metric of the cell. Each way to understand the block is a `Symmetry`; which of several fits the atoms, is decided
where the atoms are known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from nucleate.files.cif import space_group_names
from nucleate.files.cif.block import UNKNOWN, Block
from nucleate.files.cif.cell import Cell
from nucleate.files.failures import BadEntryError, Failure

if TYPE_CHECKING:
    from gemmi import Op

OPERATIONS = (
    *("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz"),
    "_space_group_symop_magn_operation_xyz",
)
CENTRINGS = ("_space_group_symop_magn_centering_xyz",)
HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
HERMANN_MAUGUIN = (
    *("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m_full"),
    *("_symmetry_space_group_name_h-m_full", "_symmetry_space_group_name_h-m_alt", "_space_group_name_h-m"),
)
NUMBER = ("_space_group_it_number", "_symmetry_int_tables_number")

METRIC_TOLERANCE = 0.02
"""How far a rotation may change the scalar product of two vectors of the cell, in parts of the product of their
lengths: a length off by 1 %, or an angle by about one degree."""

MAX_ENTRY = 2
"""The largest entry of a rotation in any cell that people use."""

MAX_OPERATIONS = 4096
"""More operations than any cell of a size that is read has."""


class Symmetry(NamedTuple):
    """One way to understand what a block says about its space group.

    Attributes:
        name: where it is from, in words.
        number: of its space group in the International Tables; 0 if it is not among the settings of the table.
        rotations: integer matrices for columns of fractional coordinates.
        translations: in parts of the cell.
        preferred: whether convention chooses it among the settings of one name.
    """

    name: str
    number: int
    rotations: Int[np.ndarray, "k 3 3"]
    translations: Float[np.ndarray, "k 3"]
    preferred: bool = True

    @property
    def trivial(self) -> bool:
        """Whether there is only the identity."""
        return len(self.rotations) == 1


class Statement(NamedTuple):
    """What one source says: the ways to understand it."""

    readings: tuple[Symmetry, ...]
    text: str


IDENTITY = Symmetry("no symmetry", 1, np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)))


def stated(block: Block) -> list[Statement]:
    """What a block says about its space group, the most trusted first; nothing if it says nothing.

    Raises:
        BadEntryError: a group is stated, and nothing of what is stated can be understood.
    """
    said = {read: statement for read in (_listed, _hall, _named, _numbered) if (statement := read(block)) is not None}
    understood = {read: statement for read, statement in said.items() if statement.readings}
    unread = [statement.text for statement in said.values() if not statement.readings]
    # A number has a standard setting; a name that is not understood may have meant another.
    settings = understood[_numbered].readings if list(understood) == [_numbered] else ()
    if unread and (not understood or len({setting.rotations.tobytes() for setting in settings}) > 1):
        raise BadEntryError(Failure.UNKNOWN_SYMMETRY, f"{unread[0]} is not understood")
    return list(understood.values())


def keeps_metric(symmetry: Symmetry, cell: Cell) -> bool:
    """Whether all rotations keep the lengths of the cell's vectors and the angles between them, within 1 % or 1°."""
    if symmetry.trivial:
        return True
    metric = cell.lattice @ cell.lattice.T
    lengths = np.sqrt(metric.diagonal())
    turned = symmetry.rotations.transpose(0, 2, 1) @ metric @ symmetry.rotations
    return bool((np.abs(turned - metric) <= METRIC_TOLERANCE * np.outer(lengths, lengths)).all())


def agree(first: Symmetry, second: Symmetry) -> bool:
    """Whether two are of one type of space group or, where the table lacks one of them, of one crystal class."""
    if first.number and second.number:
        return first.number == second.number
    return _crystal_class(first) == _crystal_class(second)


def _crystal_class(symmetry: Symmetry) -> Counter[tuple[int, int]]:
    """How many rotations there are of each determinant and trace; no two of the 32 crystal classes have the same."""
    rotations = np.unique(symmetry.rotations, axis=0)
    determinants = np.rint(np.linalg.det(rotations)).astype(int)
    return Counter(zip(determinants.tolist(), np.trace(rotations, axis1=1, axis2=2).tolist(), strict=True))


def _listed(block: Block) -> Statement | None:
    """The operations that are listed; no reading if they cannot be read or are no group."""
    listed = [text for text in block.column(*OPERATIONS) if text not in UNKNOWN]
    if not listed:
        return None
    centrings = [text for text in block.column(*CENTRINGS) if text not in UNKNOWN]
    return _of_operations(tuple(listed), tuple(centrings))


@lru_cache(maxsize=256)
def _of_operations(listed: tuple[str, ...], centrings: tuple[str, ...]) -> Statement:
    try:
        operations = [_operation(text) for text in listed]
        shifts = [_operation(text) for text in centrings]
    except ValueError as error:
        return Statement((), f"the operation {error}")
    if shifts:
        operations = [(shift * operation).wrap() for shift in shifts for operation in operations]
    symmetry = _symmetry("the operations that are listed", operations)
    if symmetry is None:
        return Statement((), f"the list of {len(operations)} operations, which are no group,")
    return Statement((symmetry,), "the operations")


def _operation(text: str) -> Op:
    """An operation, of which a magnetic one has a fourth part.

    Raises:
        ValueError: it is none, with its text.
    """
    from gemmi import Op

    spatial = ",".join(text.replace(";", ",").split(",")[:3])
    try:
        operation = Op(spatial).wrap()
    except (RuntimeError, ValueError) as error:
        raise ValueError(repr(text)) from error
    if abs(np.rint(np.linalg.det(np.array(operation.rot) / operation.DEN))) != 1:
        raise ValueError(repr(text))
    return operation


def _symmetry(name: str, operations: Sequence[Op]) -> Symmetry | None:
    """A symmetry of operations; None if they are no group."""
    if not 0 < len(operations) <= MAX_OPERATIONS:
        return None
    rotations, translations, steps = _arrays(operations)
    whole = np.rint(rotations).astype(np.int64)
    rows, first = np.unique(np.concatenate([whole.reshape(-1, 9), translations], 1), axis=0, return_index=True)
    proper = (whole == rotations).all() and np.abs(whole).max() <= MAX_ENTRY
    if not proper or not _is_group(rows[:, :9].reshape(-1, 3, 3), rows[:, 9:], steps):
        return None
    order = np.sort(first)
    return Symmetry(name, _number_of(operations), whole[order], translations[order] / steps)


def _arrays(operations: Sequence[Op]) -> tuple[np.ndarray, np.ndarray, int]:
    """Rotations, translations within the cell in whole steps, and how many steps make the length of the cell."""
    steps = operations[0].DEN
    rotations = np.array([operation.rot for operation in operations]) / steps
    return rotations, np.array([operation.tran for operation in operations]) % steps, steps


def _is_group(rotations: np.ndarray, translations: np.ndarray, steps: int) -> bool:
    """Whether the product of any two operations is one of them, but for whole translations."""
    keys = _keys(rotations, translations)
    products = np.einsum("aij,bjk->abik", rotations, rotations)
    shifts = (np.einsum("aij,bj->abi", rotations, translations) + translations[:, None]) % steps
    return bool(np.isin(_keys(products.reshape(-1, 3, 3), shifts.reshape(-1, 3)), keys).all())


def _keys(rotations: np.ndarray, translations: np.ndarray) -> np.ndarray:
    """One whole number for each operation, of digits from 0 to 31: a product of rotations has entries up to 12."""
    digits = np.concatenate([rotations.reshape(-1, 9) + 15, translations.reshape(-1, 3)], 1).astype(np.int64)
    return digits @ np.array([32**place for place in range(12)], dtype=np.int64)


def _number_of(operations: Sequence[Op]) -> int:
    from gemmi import GroupOps, find_spacegroup_by_ops

    found = find_spacegroup_by_ops(GroupOps(list(operations)))
    return found.number if found is not None else 0


def _hall(block: Block) -> Statement | None:
    symbol = block.text(*HALL)
    return None if symbol is None else _of_hall(symbol)


@lru_cache(maxsize=256)
def _of_hall(symbol: str) -> Statement:
    from gemmi import symops_from_hall

    words = f"the Hall symbol {symbol!r}"
    known = space_group_names.of_hall(symbol)
    if known is not None:
        return Statement((_of_setting(known.xhm()),), words)
    try:
        symmetry = _symmetry(words, list(symops_from_hall(symbol.replace("_", " "))))
    except (RuntimeError, ValueError):
        symmetry = None
    return Statement(() if symmetry is None else (symmetry,), words)


def _named(block: Block) -> Statement | None:
    name = block.text(*HERMANN_MAUGUIN)
    return None if name is None else _of_settings(f"the space group {name!r}", space_group_names.find(name))


def _numbered(block: Block) -> Statement | None:
    text = block.text(*NUMBER)
    if text is None:
        return None
    number = int(text) if re.fullmatch("[0-9]{1,3}", text) else 0
    return _of_settings(f"number {text} of the space groups", space_group_names.of_number(number))


def _of_settings(words: str, name: space_group_names.Name) -> Statement:
    readings = [_of_setting(setting.xhm())._replace(preferred=setting in name.preferred) for setting in name.settings]
    return Statement(tuple(readings), words)


@cache
def _of_setting(name: str) -> Symmetry:
    """A setting of the table by its name there."""
    from gemmi import SpaceGroup

    setting = SpaceGroup(name)
    rotations, translations, steps = _arrays(list(setting.operations()))
    return Symmetry(name, setting.number, rotations.astype(np.int64), translations / steps)
