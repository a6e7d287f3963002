"""What each crystal is by itself: built or not, valid or not, and its fingerprints. All metrics start from this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from nucleate.crystals import FAILURE, Crystals
from nucleate.evaluation.composition_fingerprint import composition_fingerprints, standardise
from nucleate.evaluation.composition_validity import composition_validity
from nucleate.evaluation.density import densities
from nucleate.evaluation.failures import failure_reasons
from nucleate.evaluation.kept import kept
from nucleate.evaluation.oxidation_states import OxidationStates
from nucleate.evaluation.structural_validity import structural_validity
from nucleate.evaluation.structure_fingerprint import structure_fingerprints


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Columns of one entry a crystal. What a crystal that was not built does not have is NaN, False or 0.

    Attributes:
        formulas: full formulas, (C,), dtype object.
        num_atoms: atoms in the cell, (C,).
        failures: why a crystal was not built, or `no_fingerprint`; the empty string if nothing failed, (C,).
        built: whether there is a crystal to judge, (C,).
        structural_valid: no two atoms too close, in a cell with some volume, (C,).
        composition_valid: whether its elements can be charge-neutral together, (C,).
        density: in g/cm³, (C,).
        volume: of the cell in Å³, (C,).
        num_elements: different elements, (C,).
        min_distance: between different atoms or their images in Å, (C,).
        self_image_distance: between an atom and its nearest own image in Å, (C,).
        structure_fingerprints: CrystalNN order parameters averaged over the sites, (C, F).
        composition_fingerprints: Magpie features, standardised as published, (C, 132).
    """

    formulas: np.ndarray
    num_atoms: Int[np.ndarray, " c"]
    failures: np.ndarray
    built: Bool[np.ndarray, " c"]
    structural_valid: Bool[np.ndarray, " c"]
    composition_valid: Bool[np.ndarray, " c"]
    density: Float[np.ndarray, " c"]
    volume: Float[np.ndarray, " c"]
    num_elements: Int[np.ndarray, " c"]
    min_distance: Float[np.ndarray, " c"]
    self_image_distance: Float[np.ndarray, " c"]
    structure_fingerprints: Float[np.ndarray, "c f"]
    composition_fingerprints: Float[np.ndarray, "c m"]

    @property
    def fingerprinted(self) -> Bool[np.ndarray, " c"]:
        """Whether there is a structure fingerprint."""
        return ~np.isnan(self.structure_fingerprints[:, 0])

    @property
    def valid(self) -> Bool[np.ndarray, " c"]:
        """Valid in structure and composition, and with a fingerprint, as published."""
        return self.structural_valid & self.composition_valid & self.fingerprinted

    @property
    def counts(self) -> dict[str, int]:
        """How many crystals came how far."""
        columns = ("built", "structural_valid", "composition_valid", "fingerprinted", "valid")
        return {name: int(getattr(self, name).sum()) for name in columns}

    def columns(self) -> dict[str, np.ndarray]:
        """The table of the crystals."""
        return {
            "index": np.arange(len(self.failures)),
            "formula": self.formulas,
            "num_atoms": self.num_atoms,
            FAILURE: self.failures,
            "structural_valid": self.structural_valid,
            "composition_valid": self.composition_valid,
            "valid": self.valid,
            "density": self.density,
            "volume": self.volume,
            "num_elements": self.num_elements,
            "min_distance": self.min_distance,
            "self_image_distance": self.self_image_distance,
        }


def assess(
    crystals: Crystals,
    states: OxidationStates,
    *,
    max_atoms: int | None = None,
    keep_in: Path | None = None,
    jobs: int = 1,
    on_progress: Callable[[float], None] | None = None,
) -> Assessment:
    """Judges crystals one by one.

    Args:
        crystals: all, also those that failed.
        states: the oxidation states that composition validity goes by.
        max_atoms: a crystal of more atoms is the failure `too_many_atoms`.
        keep_in: a folder where structure fingerprints are kept for the next time.
        jobs: processes at most; nothing depends on it.
        on_progress: told the share done.
    """
    reasons = failure_reasons(crystals, max_atoms=max_atoms)
    built = reasons == ""
    fit = crystals.with_info(**{FAILURE: reasons})
    fingerprints = kept(keep_in, fit, lambda: structure_fingerprints(fit, jobs=jobs, on_progress=on_progress))
    structure = structural_validity(crystals)

    def of_built(values: np.ndarray) -> np.ndarray:
        return np.where(built.reshape(-1, *[1] * (values.ndim - 1)), values, np.nan)

    kinds = [len(np.unique(numbers)) for numbers in crystals.numbers_of_each()]
    return Assessment(
        formulas=np.array(crystals.formulas, dtype=object),
        num_atoms=crystals.counts.cpu().numpy(),
        failures=np.where(built, fingerprints.failures, reasons),
        built=built,
        structural_valid=built & structure.valid,
        composition_valid=built & composition_validity(crystals, states),
        density=of_built(densities(crystals)),
        volume=of_built(structure.volume),
        num_elements=np.where(built, kinds, 0),
        min_distance=of_built(structure.min_distance),
        self_image_distance=of_built(structure.self_image_distance),
        structure_fingerprints=fingerprints.values,
        composition_fingerprints=of_built(standardise(composition_fingerprints(crystals))),
    )
