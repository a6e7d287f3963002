"""Why an entry of a file is no crystal: reasons that can be counted, and the error that carries one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from nucleate.errors import UserError

DETAIL = "detail"
"""Name of the `info` column that says where a failed crystal stands and what is wrong with it, in words."""


class Failure(StrEnum):
    """Reasons that readers put into `info["failure"]`."""

    UNPARSEABLE = "unparseable"
    """The text is not in the format that its name promises."""
    NO_ATOMS = "no_atoms"
    """There is a cell, but nothing in it."""
    UNKNOWN_ELEMENT = "unknown_element"
    """A site holds something that is no element."""
    MISSING_ATOMS = "missing_atoms"
    """Atoms are named without a place: hydrogens attached to a site, or a molecule given as one site."""
    PARTIAL_OCCUPANCY = "partial_occupancy"
    """A site is shared or partly empty."""
    OVERLAPPING_ATOMS = "overlapping_atoms"
    """The sites of a CIF coincide, or images of a site nearly do."""
    UNKNOWN_SYMMETRY = "unknown_symmetry"
    """A space group is stated in words that are not understood."""
    AMBIGUOUS_SETTING = "ambiguous_setting"
    """A space group is stated without its origin or axes, and nothing else tells which is meant."""
    CONTRADICTION = "contradiction"
    """What is said twice does not agree: operations and name, symmetry and cell, atoms and formula."""
    MODULATED = "modulated"
    """The sites are averages of a modulated structure."""
    NOT_FINITE = "not_finite"
    """A coordinate or the cell is NaN, infinite or absent."""
    BAD_LATTICE = "bad_lattice"
    """No cell, a negative length, or angles that no cell has."""
    ZERO_VOLUME = "zero_volume"
    """The cell is flat."""


class BadEntryError(UserError):
    """An entry cannot become a crystal.

    Attributes:
        reason: what to count.
        message: what is wrong, and with which site.
        info: what else the entry says, such as its id, as far as the reader came.
    """

    def __init__(self, reason: Failure, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.info: Mapping[str, bool | int | float | str | None] = {}
