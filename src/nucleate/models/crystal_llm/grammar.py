"""What may come next in documents of the small crystal language.

Whatever is written under these rules can be read: the counts add up to the number of atoms, the space group has room
for the composition, the angles make a solid corner, each site is of the element whose turn it is, and the sites add up
to the formula. With a clearance, no atom comes nearer to another one than that, as long as the last free coordinate of
its site leaves a place for it.

The rules are one routine, `_document`, that goes through a document as the parser does: at each token it says what is
allowed and is told what came.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import cache

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from nucleate.elements import BY_ELECTRONEGATIVITY, MAX_NUMBER
from nucleate.geometry import space_groups
from nucleate.models.crystal_llm import vocabulary as words
from nucleate.models.crystal_llm.clearance import Surroundings
from nucleate.models.crystal_llm.feasibility import fits, fitting_groups, positions
from nucleate.models.crystal_llm.language import Grammar
from nucleate.models.crystal_llm.vocabulary import Range

Allowed = Bool[Tensor, " v"]
Rules = Generator[Tensor, int, None]


class TokenGrammar(Grammar):
    """Follows B documents from their prompts on.

    Args:
        prompts: documents as far as they are given.
        device: where the answers are drawn.
        elements: which may be written, by atomic number; all by default.
        clearance: Å.
    """

    def __init__(
        self,
        prompts: Sequence[Sequence[int]],
        device: torch.device,
        *,
        elements: Bool[Tensor, " e"] | None = None,
        clearance: float = 0.0,
    ) -> None:
        self.device = device
        every = torch.ones(MAX_NUMBER + 1, dtype=torch.bool) if elements is None else elements.cpu()
        self.rules = [_document(every, clearance) for _ in prompts]
        self.masks = [next(rule) for rule in self.rules]
        for row, prompt in enumerate(prompts):
            for token in prompt:
                self._advance(row, token)
            if self.masks[row][words.BAND_GAP]:  # conditions are for prompts: an answer goes on with an element
                self.masks[row] = self.masks[row] & _kind(words.ELEMENTS)

    def allowed(self) -> Bool[Tensor, "b v"]:
        """Which tokens may come next."""
        return torch.stack(self.masks).to(self.device)

    def advance(self, tokens: Int[Tensor, " b"]) -> None:
        """Told which token each document went on with."""
        for row, token in enumerate(tokens.tolist()):
            self._advance(row, token)

    def keep(self, rows: Int[Tensor, " k"]) -> None:
        """Goes on with some of the documents only."""
        kept = rows.tolist()
        self.rules = [self.rules[row] for row in kept]
        self.masks = [self.masks[row] for row in kept]

    def _advance(self, row: int, token: int) -> None:
        try:
            self.masks[row] = self.rules[row].send(token)
        except StopIteration:
            self.masks[row] = _only(words.PAD)


def _document(elements: Bool[Tensor, " e"], clearance: float) -> Rules:
    """A whole document."""
    yield _only(words.START, words.SHUFFLED)
    size = (yield _kind(words.COUNTS, 1)) - words.COUNTS.start
    group, first = yield from _header(elements)
    formula = yield from _formula(elements, size, first, group)
    counts = tuple(count for _, count in formula)
    if group is None:
        room = _values(words.GROUPS, fitting_groups(tuple(sorted(counts))))
        group = (yield room) - words.GROUPS.start
    parameters = yield from _cell(group)
    surroundings = Surroundings(group, parameters)
    taken: set[int] = set()
    for turn, (number, count) in enumerate(formula):
        yield _only(words.ELEMENTS.start + number)
        while count > 0:
            allowed = _letters(group, taken, count, counts[turn + 1 :])
            letter = (yield allowed) - words.LETTERS.start
            if letter not in range(words.LETTERS.length):
                return  # nothing fits: the document has ended
            taken.add(letter)
            count -= int(space_groups.wyckoff().multiplicity[group, letter])
            values = yield from _places(surroundings, letter, clearance)
            surroundings.add(letter, values)
    yield _only(words.END)


def _header(elements: Bool[Tensor, " e"]) -> Generator[Tensor, int, tuple[int | None, int]]:
    """Conditions, as many as there are; returns the space group among them and the first element."""
    group = None
    named = _elements(elements)
    conditions = _only(words.E_ABOVE_HULL, words.BAND_GAP) | _kind(words.GROUPS, 1)
    while True:
        token = yield named | conditions
        if words.ELEMENTS.start <= token < words.ELEMENTS.stop:
            return group, token - words.ELEMENTS.start
        if token == words.E_ABOVE_HULL:
            yield _kind(words.HUNDREDTHS)
        elif token == words.BAND_GAP:
            yield _kind(words.WHOLE)
            yield _kind(words.HUNDREDTHS)
        else:
            group = token - words.GROUPS.start


def _formula(
    elements: Bool[Tensor, " e"], size: int, number: int, group: int | None
) -> Generator[Tensor, int, list[tuple[int, int]]]:
    """Elements in order and counts that add up, after the first element was named.

    Where the space group is asked for, there is always room in it for what is left of the atoms as one more element.
    """
    formula: list[tuple[int, int]] = []
    left = size
    while True:
        later = _after(elements, number)
        most = torch.arange(words.COUNTS.length)
        # Where no element can follow, all atoms that are left are of this one.
        counts = (most >= 1) & (most <= left) if bool(later.any()) else most == left
        counts = counts & _roomy(group, [known for _, known in formula], left, counts)
        count = (yield _values(words.COUNTS, counts)) - words.COUNTS.start
        formula.append((number, count))
        left -= count
        if left <= 0:
            return formula
        number = (yield _elements(later)) - words.ELEMENTS.start


def _roomy(group: int | None, counts: list[int], left: int, possible: Bool[Tensor, " c"]) -> Bool[Tensor, " c"]:
    """Which counts of an element leave room in the space group; all, if none is asked for or none does."""
    if group is None:
        return possible
    available = positions(group).available
    room = torch.zeros_like(possible)
    for count in possible.nonzero()[:, 0].tolist():
        room[count] = fits(group, available, (*counts, count, left - count))
    return room if bool(room.any()) else possible


def _cell(group: int) -> Generator[Tensor, int, list[float]]:
    """The parameters that the group leaves free, and zeros for the others."""
    parameters = [0.0] * 6
    for axis in space_groups.free_parameters(group):
        whole = (yield _whole(parameters, axis, group)) - words.WHOLE.start
        rest = (yield _kind(words.HUNDREDTHS)) - words.HUNDREDTHS.start
        parameters[axis] = whole + rest / words.DIGITS
    return parameters


def _whole(parameters: list[float], axis: int, group: int) -> Allowed:
    """Whole parts of a length or an angle; the third of three free angles has to close the corner."""
    degrees = torch.arange(words.WHOLE.length)
    if axis < 3:
        return _values(words.WHOLE, degrees >= 1)
    low, high = 1.0, 178.0
    if axis == 5 and space_groups.system(group) == 0:
        alpha, beta = parameters[3:5]
        low, high = abs(alpha - beta) + 1e-6, min(alpha + beta, 360 - alpha - beta) - 1
    closing = (degrees >= low) & (degrees <= high)
    return _values(words.WHOLE, closing if bool(closing.any()) else degrees == round((low + high) / 2))


def _letters(group: int, taken: set[int], count: int, later: tuple[int, ...]) -> Allowed:
    """Positions after which what is left of the composition still fits; the end if there are none."""
    table = space_groups.wyckoff()
    single, available, _ = positions(group)
    left = list(available)
    free = table.free[group].any(-1).tolist()
    many = table.multiplicity[group].tolist()
    for letter in taken:
        if not free[letter]:
            left[single.index(many[letter])] -= 1
    allowed = torch.zeros(words.LETTERS.length, dtype=torch.bool)
    for letter, atoms in enumerate(many):
        if not 0 < atoms <= count or (letter in taken and not free[letter]):
            continue
        after = list(left)
        if not free[letter]:
            after[single.index(atoms)] -= 1
        allowed[letter] = fits(group, tuple(after), (count - atoms, *later))
    return _values(words.LETTERS, allowed) if bool(allowed.any()) else _only(words.END)


def _places(surroundings: Surroundings, letter: int, clearance: float) -> Generator[Tensor, int, list[float]]:
    """x, y and z as far as they are free; the last of them keeps clear of other atoms."""
    axes = space_groups.wyckoff().free[surroundings.group, letter].nonzero()[:, 0].tolist()
    values = [0.0] * 3
    for axis in axes:
        allowed = _kind(words.PLACES)
        if axis == axes[-1] and clearance > 0:
            allowed = _values(words.PLACES, surroundings.clear(letter, values, axis, clearance))
        values[axis] = ((yield allowed) - words.PLACES.start) / words.STEPS
    return values


# --- sets of tokens ----------------------------------------------------------------------------------------------


@cache
def _only(*tokens: int) -> Allowed:
    allowed = torch.zeros(words.SIZE, dtype=torch.bool)
    allowed[list(tokens)] = True
    return allowed


@cache
def _kind(kind: Range, first: int = 0) -> Allowed:
    allowed = torch.zeros(words.SIZE, dtype=torch.bool)
    allowed[kind.start + first : kind.stop] = True
    return allowed


def _values(kind: Range, values: Bool[Tensor, " k"]) -> Allowed:
    allowed = torch.zeros(words.SIZE, dtype=torch.bool)
    allowed[kind.start : kind.stop] = values
    return allowed


def _elements(elements: Bool[Tensor, " e"]) -> Allowed:
    named = elements.clone()
    named[0] = False
    return _values(words.ELEMENTS, named)


def _after(elements: Bool[Tensor, " e"], number: int) -> Bool[Tensor, " e"]:
    """Those that come later in the order of formulas."""
    later = torch.zeros_like(elements)
    later[list(BY_ELECTRONEGATIVITY[BY_ELECTRONEGATIVITY.index(number) + 1 :])] = True
    return later & elements
