"""Distances from an atom that is about to be placed to those that are there, in a crystal that is being written."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from nucleate.geometry import lattice as cells
from nucleate.geometry import space_groups
from nucleate.models.crystal_llm import vocabulary as words


class Surroundings:
    """The atoms of a crystal so far, in its conventional cell.

    Args:
        group: space group.
        parameters: those lengths (Å) and angles (degrees) of the conventional cell that the group leaves free.
    """

    def __init__(self, group: int, parameters: list[float]) -> None:
        self.group = group
        cell = space_groups.completed(group, torch.tensor(parameters))
        self.lattice = cells.matrix(cell[None, :3], cell[None, 3:])[0]
        self.centrings = space_groups.centrings(group).to(self.lattice.dtype)
        self.atoms = torch.zeros(0, 3)

    def add(self, letter: int, values: list[float]) -> None:
        """Puts a site and all its images into the cell."""
        self.atoms = torch.cat([self.atoms, self._images(letter, torch.tensor(values)[None])[0]])

    def clear(self, letter: int, values: list[float], axis: int, clearance: float) -> Bool[Tensor, " p"]:
        """Which coordinates along an axis keep a site clear of other atoms and of its own images.

        If none does, those that come nearest to it are taken.

        Args:
            letter: of the site.
            values: its other coordinates.
            axis: of the coordinate that is asked for, which is the site's last free one.
            clearance: Å.
        """
        candidates = torch.tensor(values).repeat(words.STEPS, 1)
        candidates[:, axis] = torch.arange(words.STEPS) / words.STEPS
        images = self._images(letter, candidates)
        # By symmetry it is enough to look from one atom of the site.
        others = torch.cat([images[:, 1:], self.atoms.expand(words.STEPS, -1, -1)], 1)
        if not others.shape[1]:
            return torch.ones(words.STEPS, dtype=torch.bool)
        apart = others - images[:, :1]
        apart = (apart - apart.round()) @ self.lattice
        nearest = apart.square().sum(-1).amin(1).sqrt()
        enough = min(clearance, 0.9 * float(nearest.max()))
        return nearest >= enough

    def _images(self, letter: int, values: Float[Tensor, "k 3"]) -> Float[Tensor, "k m 3"]:
        """All atoms of a site in the conventional cell."""
        orbit = space_groups.orbit(self.group, letter, values).to(values.dtype)
        return (orbit[:, :, None] + self.centrings).flatten(1, 2)
