"""De novo generation: how good a set of new crystals is.

Every requested sample counts: one that could not be parsed, built or fingerprinted is not valid, not covered, not
unique and not novel.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.evaluation import coverage, distributions, input_columns, intervals, oxidation_states
from nucleate.evaluation.assessment import Assessment, assess
from nucleate.evaluation.coverage import Coverage, Cutoffs
from nucleate.evaluation.diversity import mean_distance
from nucleate.evaluation.duplicates import CONVENTION, TOLERANCES, first_alike
from nucleate.evaluation.failures import outcome_counts, sample_limit
from nucleate.evaluation.novelty import known
from nucleate.evaluation.progress import Progress, Steps
from nucleate.evaluation.result import Result, versions
from nucleate.evaluation.space_groups import P1, SYMPREC, space_groups
from nucleate.evaluation.structural_validity import MIN_DISTANCE, MIN_VOLUME
from nucleate.evaluation.wasserstein import draw, wasserstein

STEPS = {
    "fingerprints of the samples": 8.0,
    "fingerprints of the reference": 8.0,
    "coverage": 5.0,
    "space groups": 4.0,
    "uniqueness": 3.0,
    "novelty": 3.0,
}
"""What an evaluation does, and about how long each step takes."""


def evaluate(
    samples: Crystals,
    reference: Crystals,
    *,
    reference_name: str,
    training: Crystals | None = None,
    training_name: str | None = None,
    oxidation: str = oxidation_states.DEFAULT,
    cutoffs: Cutoffs = coverage.DEFAULT,
    seed: int = 0,
    keep_in: Path | None = None,
    jobs: int = 1,
    on_progress: Progress | None = None,
) -> Result:
    """Judges samples by themselves, beside the reference, and against the crystals that the model was trained on.

    Args:
        samples: all that were requested; those that failed have a reason in `info["failure"]`.
        reference: crystals that the samples should be like.
        reference_name: what the result calls them.
        training: crystals that are not novel; without them there is no novelty.
        training_name: what the result calls them.
        oxidation: name of the oxidation states that composition validity goes by.
        cutoffs: distances up to which a crystal is covered.
        seed: of the draw of valid samples for the published Wasserstein distances.
        keep_in: a folder where the fingerprints of the reference are kept for the next time.
        jobs: processes at most; the numbers do not depend on it.
        on_progress: told the share done, and what is being done.

    Raises:
        UserError: there are no samples, no reference, or no such oxidation states.
    """
    for crystals, name in ((samples, "samples"), (reference, "reference crystals")):
        if not len(crystals):
            raise UserError(f"there are no {name}")
    states = oxidation_states.load(oxidation)
    steps = Steps(STEPS, on_progress)
    max_atoms = sample_limit(reference)
    show = steps.start("fingerprints of the samples")
    ours = assess(samples, states, max_atoms=max_atoms, jobs=jobs, on_progress=show)
    show = steps.start("fingerprints of the reference")
    theirs = assess(reference, states, keep_in=keep_in, jobs=jobs, on_progress=show)
    steps.start("coverage")
    covered = coverage.coverage(
        ours.structure_fingerprints,
        ours.composition_fingerprints,
        theirs.structure_fingerprints,
        theirs.composition_fingerprints,
        cutoffs,
    )
    built = samples[ours.built]
    steps.start("space groups")
    groups = space_groups(built, jobs=jobs), space_groups(reference[theirs.built], jobs=jobs)
    first = first_alike(built, jobs=jobs, on_progress=steps.start("uniqueness"))
    columns = {
        **ours.columns(),
        "cov_structure_distance": covered.samples.structure,
        "cov_composition_distance": covered.samples.composition,
        "space_group": _among_all(ours.built, groups[0]),
        "unique": _among_all(ours.built, first == np.arange(len(first))),
    }
    if training is not None:
        old = known(built, training, jobs=jobs, on_progress=steps.start("novelty"))
        columns["novel"] = _among_all(ours.built, ~old)
    drawn = draw(ours.valid, seed=seed)
    return Result(
        task="dng",
        definition={
            "versions": versions("numpy", "scipy", "pymatgen", "numba", "moyopy"),
            "reference": reference_name,
            "training": None if training is None else training_name,
            "seed": seed,
            "max_atoms": max_atoms,
            "structural_validity": {"min_distance": MIN_DISTANCE, "min_volume": MIN_VOLUME},
            "composition_validity": {"oxidation_states": states.name},
            "coverage": {"structure_cutoff": cutoffs.structure, "composition_cutoff": cutoffs.composition},
            "wasserstein": {"draw": len(drawn)},
            "matcher": {
                "algorithm": "StructureMatcher.fit",
                "convention": str(CONVENTION),
                "ltol": TOLERANCES.length,
                "stol": TOLERANCES.site,
                "angle_tol": TOLERANCES.angle,
            },
            "space_groups": {"symprec": SYMPREC},
            "intervals": intervals.DEFINITION,
        },
        counts={
            **outcome_counts(ours.failures),
            **ours.counts,
            "reference": {"crystals": len(reference), **theirs.counts},
            **({} if training is None else {"training": len(training)}),
        },
        metrics={
            **_rates(ours),
            **covered.metrics,
            "wdist_density": wasserstein(ours.density[drawn], theirs.density),
            "wdist_num_elements": wasserstein(ours.num_elements[drawn], theirs.num_elements[theirs.built]),
            "wdist_density_valid": wasserstein(ours.density[ours.valid], theirs.density),
            "wdist_num_elements_valid": wasserstein(ours.num_elements[ours.valid], theirs.num_elements[theirs.built]),
            **_diversity(ours),
            **_originality(columns),
            "p1_share": distributions.share(groups[0] == P1),
            "distributions": _distributions(ours, theirs, *groups, built, reference[theirs.built]),
            "validity_by_size": {"samples": _by_size(ours), "reference": _by_size(theirs)},
            "reference": {**_rates(theirs), **_diversity(theirs), "p1_share": distributions.share(groups[1] == P1)},
        },
        rows=input_columns.with_samples(columns, samples),
        intervals=_intervals(ours, theirs, covered, columns, drawn, seed),
    )


def _intervals(
    ours: Assessment,
    theirs: Assessment,
    covered: Coverage,
    columns: Mapping[str, np.ndarray],
    drawn: Int[np.ndarray, " k"],
    seed: int,
) -> dict[str, Any]:
    """Intervals of what is a mean over samples or over reference crystals, and of the distances of distributions."""
    samples = {
        "structural_validity": ours.structural_valid,
        "composition_validity": ours.composition_valid,
        "validity": ours.valid,
        "unusable": ~ours.built,
        "uniqueness": columns["unique"],
        "p1_share": np.where(ours.built, columns["space_group"] == P1, np.nan),
        **coverage.averaged(covered.samples, "precision"),
    }
    if "novel" in columns:
        samples["novelty"] = columns["novel"]
        samples["unique_novel_valid"] = columns["unique"] & columns["novel"] & ours.valid
    reachable = covered.reference.fingerprinted
    reference = {name: column[reachable] for name, column in coverage.averaged(covered.reference, "recall").items()}
    kinds = theirs.num_elements[theirs.built]
    found: dict[str, Any] = {
        **intervals.of_means(samples, seed=seed),
        **intervals.of_means(reference, seed=seed),
        "wdist_density": intervals.of_wasserstein(ours.density[drawn], theirs.density, seed=seed),
        "wdist_num_elements": intervals.of_wasserstein(ours.num_elements[drawn], kinds, seed=seed),
    }
    for name, values, target in (("density", ours.density, theirs.density), ("num_elements", ours.num_elements, kinds)):
        same = len(drawn) == ours.valid.sum()
        of_all = found[f"wdist_{name}"] if same else intervals.of_wasserstein(values[ours.valid], target, seed=seed)
        found[f"wdist_{name}_valid"] = of_all
    return {name: interval for name, interval in found.items() if interval is not None}


def _by_size(crystals: Assessment) -> dict[str, Any]:
    """How many of the crystals that were built are valid, by their number of atoms."""
    flags = {
        name: getattr(crystals, name)[crystals.built] for name in ("structural_valid", "composition_valid", "valid")
    }
    return distributions.by_size(crystals.num_atoms[crystals.built], **flags)


def _rates(crystals: Assessment) -> dict[str, float]:
    return {
        "structural_validity": float(crystals.structural_valid.mean()),
        "composition_validity": float(crystals.composition_valid.mean()),
        "validity": float(crystals.valid.mean()),
        "unusable": float(1 - crystals.built.mean()),
    }


def _diversity(crystals: Assessment) -> dict[str, float]:
    return {
        "composition_diversity": mean_distance(crystals.composition_fingerprints[crystals.valid]),
        "structure_diversity": mean_distance(crystals.structure_fingerprints[crystals.valid]),
    }


def _originality(columns: Mapping[str, np.ndarray]) -> dict[str, float | None]:
    """What is no duplicate, what is not in the training set, and what is both and valid; None if nobody knows."""
    unique, novel = columns["unique"], columns.get("novel")
    return {
        "uniqueness": float(unique.mean()),
        "novelty": None if novel is None else float(novel.mean()),
        "unique_novel_valid": None if novel is None else float((unique & novel & columns["valid"]).mean()),
    }


def _distributions(
    ours: Assessment,
    theirs: Assessment,
    our_groups: np.ndarray,
    their_groups: np.ndarray,
    samples: Crystals,
    reference: Crystals,
) -> dict[str, Any]:
    """Distributions over what was built, valid or not."""
    sides = ours, theirs
    density = ours.density, theirs.density
    volume = ours.volume / ours.num_atoms.clip(min=1), theirs.volume / theirs.num_atoms.clip(min=1)
    bins = distributions.DENSITY_BINS, distributions.VOLUME_BINS
    return {
        "density": {
            **distributions.of_numbers(*density),
            "histogram": distributions.histograms(*density, width=distributions.DENSITY_BIN, bins=bins[0]),
        },
        "volume_per_atom": {
            **distributions.of_numbers(*volume),
            "histogram": distributions.histograms(*volume, width=distributions.VOLUME_BIN, bins=bins[1]),
        },
        "num_atoms": distributions.of_numbers(*(side.num_atoms[side.built] for side in sides)),
        "num_elements": distributions.of_classes(*(side.num_elements[side.built] for side in sides)),
        "elements": distributions.of_shares(*map(distributions.element_shares, (samples, reference))),
        **distributions.symmetry(our_groups, their_groups),
    }


def _among_all(built: Bool[np.ndarray, " c"], values: np.ndarray) -> np.ndarray:
    """Gives back their place among all samples to the values of those that were built; the others are False, or 0."""
    spread = np.zeros(len(built), dtype=values.dtype)
    spread[built] = values
    return spread
