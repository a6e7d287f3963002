"""Crystals as space group, cell, and one atom of each orbit: what is left when symmetry has said the rest.

moyopy finds the symmetry and the conventional cell. A group's normaliser may describe one crystal in several ways (rock
salt with either ion at the origin); the one whose Wyckoff letters come first, element by element, is taken.

Axes: C crystals, S sites (orbits) of the one with most.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nucleate.crystals import Crystals
from nucleate.elements import ELECTRONEGATIVITY_RANK
from nucleate.files.extras import evaluation_extra, quiet_moyopy
from nucleate.geometry import lattice as cells
from nucleate.geometry import space_groups
from nucleate.parallel import map_in_order

if TYPE_CHECKING:
    import moyopy

PRECISIONS = (0.1, 0.01, 0.001)
"""Å: tolerances of the symmetry, tried in turn until the primitive cell is the one that is given."""

SAME = 1e-3
"""Fractional coordinates as near as this are the same in a refined cell."""


class Sites(NamedTuple):
    """Columns that describe C crystals."""

    group: Int[Tensor, " c"]
    """Space group."""
    parameters: Float[Tensor, "c 6"]
    """Lengths in Å and angles in degrees of the conventional cell."""
    numbers: Int[Tensor, "c s"]
    """Element of each site; 0 where there is none."""
    letters: Int[Tensor, "c s"]
    """Wyckoff position, 0 for a."""
    values: Float[Tensor, "c s 3"]
    """x, y and z of one atom; 0 where they are not free."""

    @property
    def mask(self) -> Bool[Tensor, "c s"]:
        """Which sites there are."""
        return self.numbers > 0

    def packed(self) -> Float[Tensor, "c p"]:
        """All columns in one row a crystal."""
        sites = torch.cat([self.numbers[..., None], self.letters[..., None], self.values], -1).flatten(1)
        return torch.cat([self.group[:, None], self.parameters, sites], 1).to(torch.float32)

    @classmethod
    def unpacked(cls, rows: Float[Tensor, "c p"]) -> Sites:
        """The inverse of `packed`."""
        sites = rows[:, 7:].unflatten(1, (-1, 5))
        return cls(rows[:, 0].long(), rows[:, 1:7], sites[..., 0].long(), sites[..., 1].long(), sites[..., 2:])


class _Described(NamedTuple):
    """One crystal."""

    group: int
    parameters: Float[np.ndarray, "6"]
    sites: list[tuple[int, int, tuple[float, ...]]]


def describe(crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None) -> Sites:
    """Finds the symmetry of crystals that were built.

    Args:
        crystals: in any cells.
        jobs: processes at most; nothing depends on it.
        on_progress: called with the share done.

    Raises:
        UserError: moyopy is not installed.
    """
    with evaluation_extra():
        import moyopy  # noqa: F401 - said here in one line if it is missing, and not in a worker
    items = zip(
        crystals.numbers_of_each(), crystals.frac_of_each(), crystals.lattice.double().cpu().numpy(), strict=True
    )
    rows = map_in_order(_describe, list(items), jobs=jobs, on_progress=on_progress)
    most = max((len(row.sites) for row in rows), default=1)
    numbers, letters = (torch.zeros(len(rows), most, dtype=torch.int64) for _ in range(2))
    values = torch.zeros(len(rows), most, 3)
    for i, row in enumerate(rows):
        for j, (number, letter, place) in enumerate(row.sites):
            numbers[i, j], letters[i, j] = number, letter
            values[i, j] = torch.tensor(place)
    group = torch.tensor([row.group for row in rows], dtype=torch.int64)
    parameters = torch.tensor(np.array([row.parameters for row in rows]).reshape(-1, 6), dtype=torch.float32)
    return Sites(group, parameters, numbers, letters, values)


def _describe(crystal: tuple[np.ndarray, np.ndarray, np.ndarray]) -> _Described:
    """With the symmetry of the cell as it is, or without any if no tolerance leaves it primitive."""
    import moyopy

    numbers, frac, lattice = crystal
    cell = moyopy.Cell(lattice.tolist(), frac.tolist(), numbers.tolist())
    for precision in PRECISIONS:
        try:
            with quiet_moyopy():
                found = moyopy.MoyoDataset(cell, symprec=precision, setting=moyopy.Setting.standard())
            sites = _sites(found) if len(found.prim_std_cell.numbers) == len(numbers) else None
        except ValueError:  # the tolerance is too large for this crystal
            continue
        if sites is not None:
            return _Described(found.number, _parameters(np.array(found.std_cell.basis)), sites)
    return _Described(
        1, _parameters(lattice), _sorted([(int(z), 0, tuple(p)) for z, p in zip(numbers, frac, strict=True)])
    )


def _parameters(lattice: np.ndarray) -> Float[np.ndarray, "6"]:
    return torch.cat(cells.parameters(torch.from_numpy(lattice)[None]), 1)[0].numpy()


def _sites(found: moyopy.MoyoDataset) -> list[tuple[int, int, tuple[float, ...]]] | None:
    """Sites in the description whose letters come first; None if an atom fits no position."""
    normaliser = found.normalizer_wyckoff_positions(preserve_chirality=False, primitive=False)
    numbers = np.array(found.std_cell.numbers)
    choices = [(_letters(positions), moved) for moved, positions in normaliser.coset_representatives]
    letters, moved = min(choices, key=lambda choice: sorted(zip(_RANK[numbers], choice[0], strict=True)))
    places = np.array(found.std_cell.positions) @ np.array(moved.linear).T + np.array(moved.origin_shift)
    sites, left = [], np.ones(len(numbers), dtype=bool)
    for atom in range(len(numbers)):
        if not left[atom]:
            continue
        fitted = _fitted(found.number, int(letters[atom]), places[atom])
        if fitted is None:
            return None
        images = _images(found.number, int(letters[atom]), fitted)
        apart = places[:, None] - images
        left &= ~((np.abs(apart - np.round(apart)).max(-1) < SAME).any(1) & (numbers == numbers[atom]))
        sites.append((int(numbers[atom]), int(letters[atom]), fitted))
    return _sorted(sites)


def _letters(positions: list[moyopy.WyckoffPosition]) -> np.ndarray:
    return np.array([space_groups.ALPHABET.index(position.letter) for position in positions])


def _images(group: int, letter: int, values: tuple[float, ...]) -> Float[np.ndarray, "k 3"]:
    """All atoms of an orbit in the conventional cell."""
    orbit = space_groups.orbit(group, letter, torch.tensor(values, dtype=torch.float64)).numpy()
    return (orbit[:, None] + space_groups.centrings(group).numpy()).reshape(-1, 3)


def _fitted(group: int, letter: int, place: Float[np.ndarray, "3"]) -> tuple[float, ...] | None:
    """The smallest x, y and z that put an atom of the orbit at a place of the conventional cell."""
    table = space_groups.wyckoff()
    free = table.free[group, letter].numpy()
    first = int(table.start[group, letter])
    rows = slice(first, first + int(table.multiplicity[group, letter]))
    factors, shifts = table.factors[rows].numpy(), table.shifts[rows].numpy()
    best: tuple[float, ...] | None = None
    for factor, shift in zip(factors, shifts, strict=True):
        for translation in space_groups.centrings(group).numpy():
            values = _solved(factor, place - shift - translation, free)
            if values is not None and (best is None or values < best):
                best = values
    return best


def _solved(
    factor: Float[np.ndarray, "3 3"], target: Float[np.ndarray, "3"], free: Bool[np.ndarray, "3"]
) -> tuple[float, ...] | None:
    """x, y and z with `values @ factor = target` up to whole numbers; None if there are none."""
    values = np.zeros(3)
    for variable in np.flatnonzero(free):
        alone = [
            axis for axis in range(3) if abs(factor[variable, axis]) == 1 and np.count_nonzero(factor[:, axis]) == 1
        ]
        if not alone:
            return None
        values[variable] = target[alone[0]] * factor[variable, alone[0]]
    apart = values @ factor - target
    if np.abs(apart - np.round(apart)).max() > SAME:
        return None
    values = np.where(free, np.round(values % 1, 4) % 1, 0)
    return tuple(values.tolist())


def _sorted(sites: list[tuple[int, int, tuple[float, ...]]]) -> list[tuple[int, int, tuple[float, ...]]]:
    """In order of electronegativity, letter and place."""
    return sorted(sites, key=lambda site: (_RANK[site[0]], site[1], site[2]))


_RANK = np.array(ELECTRONEGATIVITY_RANK)
