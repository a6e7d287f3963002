"""The atoms of the cell: of all ways to understand the space group of a block, the one that fits the rest of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from nucleate.files.cif import formula as formulas
from nucleate.files.cif import orbits, symmetry
from nucleate.files.cif.cell import Cell
from nucleate.files.cif.formula import Formula, Objection
from nucleate.files.cif.sites import Sites
from nucleate.files.cif.symmetry import Statement, Symmetry
from nucleate.files.failures import BadEntryError, Failure

SAME_PLACE = 1e-3
"""Two settings give one crystal if each atom of one is an atom of the other within this distance, in Å."""


class Atoms(NamedTuple):
    """The atoms of a cell.

    Attributes:
        frac: fractional coordinates in [0, 1).
        site: the site of each atom.
    """

    frac: Float[np.ndarray, "a 3"]
    site: Int[np.ndarray, " a"]


class Trial(NamedTuple):
    """What became of one way to understand the space group: atoms, or what is wrong with it."""

    symmetry: Symmetry
    atoms: Atoms | None
    objection: Objection | None

    @property
    def placed(self) -> Atoms:
        """The atoms of a reading that fits."""
        if self.atoms is None:
            raise ValueError("this reading of the space group does not fit")
        return self.atoms


def find(statements: Sequence[Statement], cell: Cell, sites: Sites, formula: Formula | None) -> Atoms:
    """Expands the sites by the space group that is stated.

    Args:
        statements: what the block says about its space group, the most trusted first; without any it has none.
        cell: of the block.
        sites: of the block, one of each orbit.
        formula: what the block says that the cell should hold.

    Raises:
        BadEntryError: nothing that is stated fits the cell, the formula and the sites, statements contradict each
            other, or several readings fit and are different crystals.
    """
    readings, conflict = _readings(statements)
    trials = [_trial(reading, cell, sites, formula) for reading in readings]
    fitting = [trial for trial in trials if trial.atoms is not None]
    if not fitting:
        raise _refusal(trials[0], conflict)
    if conflict is None and len(fitting) > 1:
        fitting = _most_fitting(fitting, cell, sites, formula)
    if any(not _same(fitting[0], other, sites, cell) for other in fitting[1:]):
        if conflict is not None:
            raise BadEntryError(Failure.CONTRADICTION, conflict)
        names = " or ".join(dict.fromkeys(trial.symmetry.name for trial in fitting))
        raise BadEntryError(
            Failure.AMBIGUOUS_SETTING, f"{statements[0].text} may be {names}, which are different crystals"
        )
    return fitting[0].placed


def _readings(statements: Sequence[Statement]) -> tuple[list[Symmetry], str | None]:
    """The ways to understand what is stated; and, if two statements contradict each other, both in words."""
    if not statements:
        return [symmetry.IDENTITY], None
    first, *others = statements
    agreed = list(first.readings)
    for other in others:
        narrowed = [reading for reading in agreed if any(symmetry.agree(reading, also) for also in other.readings)]
        if not narrowed:
            everything = [reading for statement in statements for reading in statement.readings]
            return everything, f"{_in_words(first)}, but {_in_words(other)}"
        agreed = narrowed
    return agreed, None


def _in_words(statement: Statement) -> str:
    number = statement.readings[0].number
    verb = "mean" if statement.text.endswith("operations") else "means"
    return f"{statement.text} {verb} {f'group {number}' if number else 'a group that is not in the tables'}"


def _trial(reading: Symmetry, cell: Cell, sites: Sites, formula: Formula | None) -> Trial:
    if not symmetry.keeps_metric(reading, cell):
        return Trial(reading, None, Objection(Failure.CONTRADICTION, f"{cell} has not the symmetry of {reading.name}"))
    try:
        doubt = orbits.DOUBT_DISTANCE if formula is None else 0.0  # what is doubled is not what the formula says
        atoms = Atoms(*orbits.expand(reading, sites.frac, cell.lattice, doubt))
    except orbits.OverlapError as error:
        first, second = sites.labels[error.site], sites.labels[error.other]
        of = f"sites {first} and {second}" if error.site != error.other else f"site {first}"
        where = "in one place" if error.distance < orbits.MERGE_DISTANCE else f"{error.distance:.2g} Å apart"
        what = f"images of {of} by {reading.name} are {where}" if not reading.trivial else f"{of} are {where}"
        return Trial(reading, None, Objection(Failure.OVERLAPPING_ATOMS, what))
    found = Counter(sites.numbers[atoms.site].tolist())
    objection = formulas.objection(formula, found)
    return Trial(reading, None if objection else atoms, objection)


def _refusal(trial: Trial, conflict: str | None) -> BadEntryError:
    if conflict is not None:
        return BadEntryError(Failure.CONTRADICTION, conflict)
    reason, message = trial.objection or Objection(Failure.CONTRADICTION, "")
    return BadEntryError(reason, message)


def _most_fitting(trials: list[Trial], cell: Cell, sites: Sites, formula: Formula | None) -> list[Trial]:
    """Those of several that the formula, the multiplicities, the distances, and then convention speak for."""

    def holds_the_formula(trial: Trial) -> bool:
        return formulas.is_whole_cell(formula, _composition(trial, sites))

    def has_stated_multiplicities(trial: Trial) -> bool:
        counts = np.bincount(trial.placed.site, minlength=len(sites.labels))
        return bool((counts == sites.multiplicities).all())

    def keeps_atoms_apart(trial: Trial) -> bool:
        return orbits.closest(trial.placed.frac, trial.placed.site, cell.lattice) >= orbits.CONTACT

    def is_preferred(trial: Trial) -> bool:
        return trial.symmetry.preferred

    for speaks_for in (holds_the_formula, has_stated_multiplicities, keeps_atoms_apart, is_preferred):
        trials = [trial for trial in trials if speaks_for(trial)] or trials
    return trials


def _composition(trial: Trial, sites: Sites) -> Counter[int]:
    return Counter(sites.numbers[trial.placed.site].tolist())


def _same(first: Trial, second: Trial, sites: Sites, cell: Cell) -> bool:
    """Whether two readings put the same elements in the same places."""
    one, other = first.placed, second.placed
    if len(one.frac) != len(other.frac):
        return False
    elements, others = sites.numbers[one.site], sites.numbers[other.site]
    near = orbits.squares(one.frac, other.frac, cell.lattice) < SAME_PLACE**2
    return bool((near & (elements[:, None] == others)).any(1).all())
