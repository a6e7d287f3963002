"""The atoms of a cell from its sites: the images of each under the operations of a space group, each of them once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from nucleate.files.cif.symmetry import Symmetry

MERGE_DISTANCE = 0.05
"""Images of a site that are closer than this, in Å, are one atom on a special position: coordinates are given to
few digits, and 0.667 is not two thirds. No two atoms are ever that close."""

DOUBT_DISTANCE = 0.1
"""Images of a site that are closer than this, in Å, and no one atom, are a special position to too few digits or a
wrong setting: they are refused where no formula says how many atoms there are."""

CONTACT = 0.5
"""Of two settings that fit, one in which no atoms are closer than this, in Å, is meant."""

COINCIDENCE = 1e-4
"""Sites without symmetry whose coordinates differ by less are in one place; the threshold is pymatgen's."""

ROUNDING = 1e-6
"""Fractional coordinates that differ by less are one but for rounding."""

CHUNK = 512
"""Sites compared with all others at once."""


class OverlapError(ValueError):
    """Images of the sites lie on each other.

    Attributes:
        site: one of the sites.
        other: another, or the same.
        distance: between their images, in Å.
    """

    def __init__(self, site: int, other: int, distance: float) -> None:
        super().__init__(f"images of the sites {site} and {other} are {distance:.3g} Å apart")
        self.site, self.other, self.distance = site, other, distance


def expand(
    symmetry: Symmetry,
    sites: Float[np.ndarray, "s 3"],
    lattice: Float[np.ndarray, "3 3"],
    doubt: float = DOUBT_DISTANCE,
) -> tuple[Float[np.ndarray, "a 3"], Int[np.ndarray, " a"]]:
    """All atoms of the cell.

    A site is first moved to the mean of those of its images that lie within `MERGE_DISTANCE` of it, which is the
    special position that is meant; then each different image is an atom. Without symmetry the sites stay.

    Args:
        symmetry: the operations.
        sites: fractional coordinates, one of each orbit.
        lattice: row vectors in Å.
        doubt: distance in Å below which images of a site are refused that are not one atom.

    Returns:
        Fractional coordinates in [0, 1), site by site, and the site of each atom.

    Raises:
        OverlapError: two sites are in one place, or two images of a site are closer than `doubt`.
    """
    if symmetry.trivial:
        frac, owner = sites - np.floor(sites), np.arange(len(sites))
        _check_places(frac)
        return frac, owner
    images = [_orbit(symmetry, site, lattice, place) for place, site in enumerate(sites)]
    frac, owner = np.concatenate(images), np.repeat(np.arange(len(sites)), [len(orbit) for orbit in images])
    near = _contacts(frac, owner, lattice)
    own = owner == np.arange(len(sites))[:, None]
    faulty = near < np.where(own, max(doubt, MERGE_DISTANCE), MERGE_DISTANCE) ** 2
    if faulty.any():
        site, atom = np.argwhere(faulty)[0]
        raise OverlapError(int(site), int(owner[atom]), float(np.sqrt(near[site, atom])))
    return frac, owner


def closest(frac: Float[np.ndarray, "a 3"], owner: Int[np.ndarray, " a"], lattice: Float[np.ndarray, "3 3"]) -> float:
    """The shortest distance between two atoms in Å, or what is close to it if that is long."""
    return float(np.sqrt(_contacts(frac, owner, lattice).min()))


def _contacts(
    frac: Float[np.ndarray, "a 3"], owner: Int[np.ndarray, " a"], lattice: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "s a"]:
    """Squared distances of all atoms from one of each orbit, since all atoms of an orbit have the same surroundings."""
    first = np.unique(owner, return_index=True)[1]
    near = squares(frac[first], frac, lattice)
    near[np.arange(len(first)), first] = np.inf
    return near


def _check_places(frac: Float[np.ndarray, "a 3"]) -> None:
    """Refuses two sites in one place, by the coordinates alone, as pymatgen does."""
    for start in range(0, len(frac), CHUNK):
        apart = frac[start : start + CHUNK, None] - frac
        same = np.asarray((np.abs(apart - np.rint(apart)) < COINCIDENCE).all(-1))
        if same.sum() > same.shape[0]:
            pairs = np.argwhere(same)
            site, other = pairs[pairs[:, 0] + start != pairs[:, 1]][0]
            raise OverlapError(int(site) + start, int(other), 0.0)


def _orbit(
    symmetry: Symmetry, site: Float[np.ndarray, " 3"], lattice: Float[np.ndarray, "3 3"], place: int
) -> Float[np.ndarray, "n 3"]:
    images = symmetry.rotations @ site + symmetry.translations
    apart = images - site
    apart -= np.rint(apart)
    stays = ((apart @ lattice) ** 2).sum(1) < MERGE_DISTANCE**2
    if stays.sum() > 1:
        images = symmetry.rotations @ (site + apart[stays].mean(0)) + symmetry.translations
    images = images - np.floor(images)
    # What is the same but for rounding has the same key, unless it falls between two keys: then the count is wrong.
    keys = np.rint(images / ROUNDING).astype(np.int64) % round(1 / ROUNDING)
    first = np.sort(np.unique(keys @ np.array([1, 2**20, 2**40]), return_index=True)[1])
    if len(first) * stays.sum() != len(images):
        near = squares(images, images, lattice)
        first = np.flatnonzero((near < MERGE_DISTANCE**2).argmax(1) == np.arange(len(images)))
        if len(first) * stays.sum() != len(images):
            raise OverlapError(place, place, float(np.sqrt(near[near > ROUNDING].min(initial=0.0))))
    return images[first]


def squares(
    left: Float[np.ndarray, "n 3"], right: Float[np.ndarray, "m 3"], lattice: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "n m"]:
    """Squares of distances to the nearest image by rounding, in Å²; exact where they are short."""
    apart = left[:, None] - right
    apart -= np.rint(apart)
    return ((apart @ lattice) ** 2).sum(-1)
