"""Reads documents of the small crystal language. Whatever the tokens are, there is a crystal or a reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from nucleate.crystals import FAILURE, Crystals
from nucleate.geometry import lattice as cells
from nucleate.geometry import space_groups
from nucleate.models.crystal_llm import vocabulary as words
from nucleate.models.crystal_llm.vocabulary import Range


class UnreadableError(Exception):
    """What a document lacks; the message is the reason that goes to `info["failure"]`."""


class _Cursor:
    """A place in a document."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self.tokens = tokens
        self.place = 0

    @property
    def ended(self) -> bool:
        """Whether there is nothing more."""
        return self.place >= len(self.tokens) or self.tokens[self.place] == words.PAD

    def next_in(self, kind: Range) -> int | None:
        """The value of the next token, which is passed, if it is of the kind."""
        token = self.tokens[self.place] if self.place < len(self.tokens) else words.PAD
        if not kind.start <= token < kind.stop:
            return None
        self.place += 1
        return token - kind.start

    def must(self, kind: Range, reason: str) -> int:
        """The value of the next token.

        Raises:
            UnreadableError: it is of another kind.
        """
        value = self.next_in(kind)
        if value is None:
            raise UnreadableError("truncated" if self.ended else reason)
        return value

    def skip(self, token: int) -> bool:
        """Passes the token if it is the next."""
        there = self.place < len(self.tokens) and self.tokens[self.place] == token
        self.place += there
        return there


class Written(NamedTuple):
    """What a document says."""

    group: int
    parameters: list[float]
    """Lengths in Å and angles in degrees of the conventional cell; 0 where the group says them."""
    sites: list[tuple[int, int, list[float]]]
    """Element, letter, and x, y and z of each."""


def read_tokens(prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Crystals:
    """Reads each prompt and what was written after it.

    Returns:
        Crystals in primitive cells, one row a document, with the space group that was written in
        `info["written_space_group"]` (0 where there is none). Reasons of failures are `truncated`, `bad_formula`,
        `bad_space_group`, `bad_lengths`, `bad_angles`, `impossible_cell`, `bad_site`, `wrong_elements` (an element
        whose turn it is not), `wrong_count` (sites that make too many atoms) and `no_end`.
    """
    numbers, frac, lattices, groups, reasons = [], [], [], [], []
    for prompt, answer in zip(prompts, answers, strict=True):
        group, atoms, places, lattice, reason = 0, [], np.zeros((0, 3)), np.full((3, 3), np.nan), ""
        try:
            written = parse([*prompt, *answer])
            group = written.group
            atoms, places, lattice = _built(written)
        except UnreadableError as problem:
            reason = str(problem)
        numbers.append(atoms)
        frac.append(places)
        lattices.append(lattice)
        groups.append(group)
        reasons.append(reason)
    stacked = np.array(lattices).reshape(-1, 3, 3)
    return Crystals.build(numbers, frac, stacked, {FAILURE: reasons, "written_space_group": groups})


def _built(written: Written) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Elements, fractional coordinates and lattice of the primitive cell.

    Raises:
        UnreadableError: the cell is none.
    """
    cell = space_groups.completed(written.group, torch.tensor(written.parameters, dtype=torch.float64))
    lattice = cells.matrix(cell[None, :3], cell[None, 3:])[0]
    if not bool(lattice.isfinite().all()):
        raise UnreadableError("impossible_cell")
    atoms, places = [], []
    for number, letter, values in written.sites:
        orbit = space_groups.orbit(written.group, letter, torch.tensor(values, dtype=torch.float64))
        atoms += [number] * len(orbit)
        places.append(orbit)
    lattice, frac = space_groups.to_primitive(written.group, lattice, torch.cat(places))
    return atoms, frac.numpy(), lattice.numpy()


def parse(tokens: Sequence[int]) -> Written:
    """Reads a document, prompt and all.

    Raises:
        UnreadableError: something is missing or not what it has to be.
    """
    document = _Cursor(tokens)
    size, group = _header(document)
    formula = _formula(document, size)
    if group is None:
        group = document.must(words.GROUPS, "bad_space_group")
    if group == 0:
        raise UnreadableError("bad_space_group")
    parameters = [0.0] * 6
    for axis in space_groups.free_parameters(group):
        reason = "bad_lengths" if axis < 3 else "bad_angles"
        parameters[axis] = document.must(words.WHOLE, reason) + document.must(words.HUNDREDTHS, reason) / words.DIGITS
    sites = []
    for number, count in formula:
        if document.must(words.ELEMENTS, "wrong_elements") != number:
            raise UnreadableError("wrong_elements")
        sites += [(number, letter, values) for letter, values in _sites(document, group, count)]
    if not document.skip(words.END):
        raise UnreadableError("truncated" if document.ended else "no_end")
    return Written(group, parameters, sites)


def _sites(document: _Cursor, group: int, count: int) -> list[tuple[int, list[float]]]:
    """Letters and coordinates of the sites of an element, as many as it takes to make so many atoms."""
    table = space_groups.wyckoff()
    sites: list[tuple[int, list[float]]] = []
    while count > 0:
        letter = document.must(words.LETTERS, "bad_site")
        many = int(table.multiplicity[group, letter])
        if many == 0:
            raise UnreadableError("bad_site")
        if many > count:
            raise UnreadableError("wrong_count")
        count -= many
        free = table.free[group, letter].tolist()
        values = [document.must(words.PLACES, "bad_site") / words.STEPS if chosen else 0.0 for chosen in free]
        sites.append((letter, values))
    return sites


def _header(document: _Cursor) -> tuple[int, int | None]:
    """Number of atoms, and the space group if it is a condition."""
    if not (document.skip(words.START) or document.skip(words.SHUFFLED)):
        raise UnreadableError("no_start")
    size = document.must(words.COUNTS, "no_size")
    group = document.next_in(words.GROUPS)
    if document.skip(words.E_ABOVE_HULL):
        document.must(words.HUNDREDTHS, "bad_condition")
    if document.skip(words.BAND_GAP):
        document.must(words.WHOLE, "bad_condition")
        document.must(words.HUNDREDTHS, "bad_condition")
    return size, group


def _formula(document: _Cursor, size: int) -> list[tuple[int, int]]:
    """Elements and counts that add up to the number of atoms."""
    formula: list[tuple[int, int]] = []
    while sum(count for _, count in formula) < size:
        number = document.must(words.ELEMENTS, "bad_formula")
        count = document.must(words.COUNTS, "bad_formula")
        if number == 0 or count == 0 or number in (known for known, _ in formula):
            raise UnreadableError("bad_formula")
        formula.append((number, count))
    if sum(count for _, count in formula) != size:
        raise UnreadableError("bad_formula")
    return formula
