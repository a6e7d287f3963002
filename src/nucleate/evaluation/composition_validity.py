"""Composition validity: whether oxidation states can balance, on the elements that would take them.

The definition is the `smact_validity` of CDVAE (Xie et al. 2022) after Davies et al. (2016), Chem 1, 617-627. It goes
through the product of all oxidation states, which for eight elements are millions. Here the same question is answered
by adding up charges, and needs a few additions of sets instead.

**With all electronegativities known** a choice of states passes the Pauling test if every element with a positive state
is less electronegative than every element with a negative one. That is so exactly if the elements, in increasing order
of electronegativity, can be cut in two such that none in the first part is negative, none in the second is positive,
and elements of equal electronegativity stay together: given such a choice cut after the last element as electronegative
as the most electronegative positive one (before the first if none is positive); given a cut, a positive element lies
before it and a negative one behind it. So a composition is valid if for one of these at most n + 1 cuts the charges of
the states that remain can add up to 0.

**Where one is missing** the published test depends on the order of the elements, which is that of their atomic numbers.
It looks at the pairs (1, 2), (1, 3), …, (2, 3), … and ends at the first that decides: two opposite signs in the wrong
order fail; a pair of which an electronegativity is missing passes the whole choice if the signs are opposite, because
the comparison raises an error that counts as passed, and fails it otherwise. Let m be the first element that lacks it,
or the second if that is the first. The pair (1, m) decides at the latest, and before it only the pairs of the first
element with those between. So the first element and m must have opposite signs, those between must not be in the wrong
order with the first, and all others are free; again the charges that remain have to add up to 0.

**Which charges can add up to 0** is answered by a set of sums, element by element, kept as the bits of one integer: to
add a charge is to shift.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool

from nucleate.crystals import Crystals
from nucleate.evaluation.compositions import distinct_rows, element_counts, reduced_counts
from nucleate.evaluation.oxidation_states import OxidationStates

States = tuple[int, ...]


def composition_validity(crystals: Crystals, states: OxidationStates) -> Bool[np.ndarray, " c"]:
    """Judges the composition of all crystals.

    Counts are divided by their greatest common divisor. One element is valid, and so are several metals; others are if
    some choice of one oxidation state for each element is neutral with these counts, and passes the Pauling test. An
    element without oxidation states (a noble gas, or one that the table does not know) has no such choice.

    Args:
        crystals: any; only their elements matter.
        states: see `oxidation_states.load`.

    Returns:
        Whether each is valid; False without atoms.
    """
    compositions, which = distinct_rows(reduced_counts(element_counts(crystals)))
    there = compositions > 0
    kinds = there.sum(1)
    valid = (kinds == 1) | ((kinds > 1) & ~there[:, ~np.array(states.metal)].any(1))
    for row in np.flatnonzero((kinds > 1) & ~valid):
        numbers = np.flatnonzero(there[row])
        valid[row] = _balances(numbers.tolist(), compositions[row, numbers].tolist(), states)
    return valid[which]


def _balances(numbers: list[int], counts: list[int], table: OxidationStates) -> bool:
    """Judges several elements, in increasing order of atomic numbers, that are not all metals."""
    states = [table.states[z] for z in numbers]
    values = [table.electronegativity[z] for z in numbers]
    known = [value for value in values if value is not None]
    if len(known) == len(numbers):
        return _cut_balances(states, counts, known)
    return any(_neutral(choice, counts) for choice in _decided_by_first(states, values))


def _cut_balances(states: list[States], counts: list[int], electronegativities: list[float]) -> bool:
    """Whether the positive charges before any cut can be as many as the negative ones behind it."""
    order = sorted(range(len(states)), key=electronegativities.__getitem__)
    before, behind = [1], [1]  # sets of sums, of none, one, two … elements from the one end and from the other
    for i in order:
        before.append(_added(before[-1], [state * counts[i] for state in states[i] if state >= 0]))
    for i in reversed(order):
        behind.append(_added(behind[-1], [-state * counts[i] for state in states[i] if state <= 0]))
    sorted_values = [electronegativities[i] for i in order]
    return any(
        before[cut] & behind[len(order) - cut]
        for cut in range(len(order) + 1)
        if cut in (0, len(order)) or sorted_values[cut - 1] < sorted_values[cut]
    )


def _decided_by_first(states: list[States], electronegativities: list[float | None]) -> Iterator[list[States]]:
    """The states that remain where an electronegativity is missing, with the first element positive, and negative."""
    other = electronegativities.index(None) or 1
    first = electronegativities[0]
    for sign in (1, -1):
        choice = list(states)
        choice[0] = tuple(state for state in states[0] if state * sign > 0)
        choice[other] = tuple(state for state in states[other] if state * sign < 0)
        for between in range(1, other):
            value = electronegativities[between]
            if first is not None and value is not None and (value - first) * sign <= 0:
                choice[between] = tuple(state for state in states[between] if state * sign >= 0)
        yield choice


def _neutral(choice: list[States], counts: list[int]) -> bool:
    """Whether one state for each element can be chosen so that the charges add up to 0."""
    if not all(choice):
        return False
    sums, lowest = 1, 0  # bit k is the sum k + lowest
    for states, count in zip(choice, counts, strict=True):
        least = min(states)
        lowest += least * count
        sums = _added(sums, [(state - least) * count for state in states])
    return lowest <= 0 and bool(sums >> -lowest & 1)


def _added(sums: int, charges: list[int]) -> int:
    """The set of all sums of a number of one set and one of several charges; bit k is the sum k."""
    reached = 0
    for charge in charges:
        reached |= sums << charge
    return reached
