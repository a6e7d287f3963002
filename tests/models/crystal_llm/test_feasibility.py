from __future__ import annotations

from itertools import combinations_with_replacement

import pytest

from nucleate.geometry import space_groups
from nucleate.models.crystal_llm.feasibility import fits, fitting_groups, positions


def _placeable(group: int, counts: tuple[int, ...]) -> bool:
    """By trying every way to give each element a bag of letters."""
    table = space_groups.wyckoff()
    many = [int(m) for m in table.multiplicity[group] if m]
    free = table.free[group].any(-1).tolist()

    def place(element: int, taken: frozenset[int]) -> bool:
        if element == len(counts):
            return True
        for size in range(1, counts[element] + 1):
            for bag in combinations_with_replacement(range(len(many)), size):
                if sum(many[letter] for letter in bag) != counts[element]:
                    continue
                single = [letter for letter in bag if not free[letter]]
                distinct = len(set(single)) == len(single) and not taken & set(single)
                if distinct and place(element + 1, taken | set(single)):
                    return True
        return False

    return place(0, frozenset())


@pytest.mark.parametrize("group", [1, 2, 62, 141, 166, 194, 216, 221, 225, 227])
@pytest.mark.parametrize("counts", [(1,), (2,), (1, 1), (1, 1, 1), (1, 1, 3), (2, 2), (1, 2, 4), (3, 5)])
def test_the_same_as_by_trying(group, counts):
    assert fits(group, positions(group).available, counts) == _placeable(group, counts)


def test_rock_salt_fits_and_three_single_atoms_do_not():
    groups = fitting_groups((1, 1))
    assert bool(groups[225])
    assert not bool(groups[0])
    assert not bool(fitting_groups((1, 1, 1))[225])  # a and b are the only places for one atom
    assert bool(fitting_groups((1, 1, 1))[216])
