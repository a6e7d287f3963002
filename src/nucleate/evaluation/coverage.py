"""Coverage: how much of the reference the samples reach (recall), and how many of them lie near it (precision).

Published by Xie et al. (2022), who took it from Ganea et al. (2021, GeoMol). A crystal is covered if a crystal of the
other set lies within a cutoff of it by structure, and one within another cutoff by composition; as published, these two
may be different crystals. The joint numbers are stricter: one crystal has to be near by both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from nucleate.evaluation.distances import nearest_both, within


class Cutoffs(NamedTuple):
    """Distances up to which a crystal is covered.

    Attributes:
        structure: of structure fingerprints.
        composition: of standardised composition fingerprints.
    """

    structure: float
    composition: float


CUTOFFS = {
    "mp-20": Cutoffs(0.4, 10.0),
    "perov-5": Cutoffs(0.2, 4.0),
    "carbon-24": Cutoffs(0.2, 4.0),
}
"""Published, by data set."""

DEFAULT = CUTOFFS["mp-20"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The nearest crystals of the other set, one entry a crystal.

    A crystal without both fingerprints has no distance (NaN), and is not covered; where nothing is on the other side,
    the distance is infinite.

    Attributes:
        structure: distance to the nearest by structure.
        composition: distance to the nearest by composition.
        covered: whether both distances are within the cutoffs.
        covered_jointly: whether one crystal is within both.
    """

    structure: Float[np.ndarray, " k"]
    composition: Float[np.ndarray, " k"]
    covered: Bool[np.ndarray, " k"]
    covered_jointly: Bool[np.ndarray, " k"]

    @property
    def fingerprinted(self) -> Bool[np.ndarray, " k"]:
        """Which crystals have both fingerprints."""
        return ~np.isnan(self.structure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What two sets of crystals see of each other.

    Attributes:
        samples: each sample's nearest reference crystals.
        reference: each reference crystal's nearest samples.
    """

    samples: Neighbours
    reference: Neighbours

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers; NaN where they do not exist.

        `cov_precision` is the share of all samples that are covered, those without a fingerprint included; `cov_recall`
        is the share of the reference crystals that have a fingerprint, since one that has none cannot be reached.
        `amsd_*` (structure) and `amcd_*` (composition) are means of the distances of the crystals that have one: as
        published, samples without a fingerprint do not count here.
        """
        samples, reference = self.samples, self.reference
        return {
            "cov_recall": _mean(reference.covered[reference.fingerprinted]),
            "cov_precision": _mean(samples.covered),
            "cov_recall_joint": _mean(reference.covered_jointly[reference.fingerprinted]),
            "cov_precision_joint": _mean(samples.covered_jointly),
            "amsd_recall": _mean(reference.structure[reference.fingerprinted]),
            "amsd_precision": _mean(samples.structure[samples.fingerprinted]),
            "amcd_recall": _mean(reference.composition[reference.fingerprinted]),
            "amcd_precision": _mean(samples.composition[samples.fingerprinted]),
        }


def coverage(
    sample_structures: Float[np.ndarray, "s f"],
    sample_compositions: Float[np.ndarray, "s m"],
    reference_structures: Float[np.ndarray, "r f"],
    reference_compositions: Float[np.ndarray, "r m"],
    cutoffs: Cutoffs = DEFAULT,
) -> Coverage:
    """Compares the fingerprints of samples and reference.

    Args:
        sample_structures: structure fingerprints; a row with a NaN is a sample without one.
        sample_compositions: standardised composition fingerprints, likewise.
        reference_structures: likewise of the reference.
        reference_compositions: likewise.
        cutoffs: largest distances.
    """
    ours = _fingerprinted(sample_structures, sample_compositions)
    theirs = _fingerprinted(reference_structures, reference_compositions)
    structures = sample_structures[ours], reference_structures[theirs]
    compositions = sample_compositions[ours], reference_compositions[theirs]
    distances = nearest_both(*structures), nearest_both(*compositions)
    jointly = _jointly(*structures, *compositions, cutoffs)
    samples, reference = (
        _neighbours(known, distances[0][side], distances[1][side], jointly[side], cutoffs)
        for side, known in enumerate((ours, theirs))
    )
    return Coverage(samples=samples, reference=reference)


def averaged(crystals: Neighbours, side: str) -> dict[str, np.ndarray]:
    """What the metrics of one side (`recall` or `precision`) are means of; NaN in a row that a mean leaves out."""
    return {
        f"cov_{side}": crystals.covered,
        f"cov_{side}_joint": crystals.covered_jointly,
        f"amsd_{side}": crystals.structure,
        f"amcd_{side}": crystals.composition,
    }


def _fingerprinted(
    structures: Float[np.ndarray, "k f"], compositions: Float[np.ndarray, "k m"]
) -> Bool[np.ndarray, " k"]:
    """Which crystals have both fingerprints."""
    return np.all(np.isfinite(np.concatenate([structures, compositions], axis=1)), axis=1)


def _jointly(
    sample_structures: Float[np.ndarray, "s f"],
    reference_structures: Float[np.ndarray, "r f"],
    sample_compositions: Float[np.ndarray, "s m"],
    reference_compositions: Float[np.ndarray, "r m"],
    cutoffs: Cutoffs,
) -> tuple[Bool[np.ndarray, " s"], Bool[np.ndarray, " r"]]:
    """Which samples have a reference crystal within both cutoffs, and which reference crystals have such a sample."""
    samples, reference = np.zeros(len(sample_structures), dtype=bool), np.zeros(len(reference_structures), dtype=bool)
    if len(samples) and len(reference):
        by_structure = within(sample_structures, reference_structures, cutoffs.structure)
        by_composition = within(sample_compositions, reference_compositions, cutoffs.composition)
        for (rows, near), (_, alike) in zip(by_structure, by_composition, strict=True):
            near &= alike
            samples[rows] = near.any(1)
            reference |= near.any(0)
    return samples, reference


def _neighbours(
    known: Bool[np.ndarray, " k"],
    structure: Float[np.ndarray, " n"],
    composition: Float[np.ndarray, " n"],
    jointly: Bool[np.ndarray, " n"],
    cutoffs: Cutoffs,
) -> Neighbours:
    """Gives back their places to the crystals that have fingerprints."""
    distances = np.full((2, len(known)), np.nan)
    distances[:, known] = structure, composition
    covered_jointly = np.zeros(len(known), dtype=bool)
    covered_jointly[known] = jointly
    return Neighbours(
        structure=distances[0],
        composition=distances[1],
        covered=(distances[0] <= cutoffs.structure) & (distances[1] <= cutoffs.composition),
        covered_jointly=covered_jointly,
    )


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
