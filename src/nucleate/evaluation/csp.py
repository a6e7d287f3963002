"""Crystal structure prediction: the share of reference crystals that were found, and how closely.

Every reference crystal that was asked for stays in the denominator, whether its prediction could not be read, could
not be built, was never made, or just does not match.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from nucleate.crystals import FAILURE, Crystals
from nucleate.evaluation import comparison as comparing
from nucleate.evaluation import distributions, input_columns, intervals, oxidation_states
from nucleate.evaluation import pairing as pairings
from nucleate.evaluation.assessment import assess
from nucleate.evaluation.comparison import Comparison, compare
from nucleate.evaluation.distributions import RMS_BIN, RMS_BINS
from nucleate.evaluation.failures import counted, failure_reasons, outcome_counts, sample_limit
from nucleate.evaluation.matching import TOLERANCES
from nucleate.evaluation.progress import Progress, Steps
from nucleate.evaluation.reduction import Convention
from nucleate.evaluation.result import Result, versions
from nucleate.evaluation.structural_validity import MIN_DISTANCE, MIN_VOLUME

NO_PREDICTION = "no_prediction"
"""Failure of a reference crystal that was asked for and has no sample."""


STEPS = {**comparing.STEPS, "fingerprints of the samples": 0.5, "fingerprints of the reference": 0.5}
"""What an evaluation does, and about how long each step takes."""


def evaluate(
    samples: Crystals,
    reference: Crystals,
    *,
    reference_name: str,
    pair: str | None = None,
    oxidation: str = oxidation_states.DEFAULT,
    keep_in: Path | None = None,
    jobs: int = 1,
    on_progress: Progress | None = None,
) -> Result:
    """Compares samples with the reference crystals that they predict.

    Args:
        samples: all that were requested.
        reference: all reference crystals.
        reference_name: what the result calls them.
        pair: how it is decided which reference crystal a sample predicts: `reference_index`, `rows`, `composition` or
            `name` (see `pairing.pair`). By default the column `reference_index`; if there is none, row i predicts row
            i, unless names or compositions say another order.
        oxidation: name of the oxidation states that composition validity goes by, in the filtered numbers.
        keep_in: a folder where the fingerprints of the reference are kept for the next time.
        jobs: processes at most; the numbers do not depend on it.
        on_progress: told the share done, and what is being done.

    Raises:
        UserError: the samples and the reference do not fit together, or there are no such oxidation states. It is a
            `PairingError` if another `pair` may help.
    """
    states = oxidation_states.load(oxidation)
    steps = Steps(STEPS, on_progress)
    max_atoms = sample_limit(reference)
    samples = samples.with_info(**{FAILURE: failure_reasons(samples, max_atoms=max_atoms)})
    pairing = pairings.pair(samples, reference, pair)
    comparison = compare(samples, reference, pairing=pairing, jobs=jobs, steps=steps)
    show = steps.start("fingerprints of the samples")
    ours = assess(samples, states, jobs=jobs, on_progress=show)
    show = steps.start("fingerprints of the reference")
    theirs = assess(reference, states, keep_in=keep_in, jobs=jobs, on_progress=show)
    valid = {"prediction_valid": ours.valid, "reference_valid": theirs.valid[pairing.asked]}
    rows = _rows(comparison, samples, reference)
    k = pairing.per_reference
    first, best = (_best(comparison, draws, np.ones(len(samples), dtype=bool)) for draws in (1, k))
    sizes = reference.counts.cpu().numpy()[pairing.asked]
    return Result(
        task="csp",
        definition={
            "versions": versions("numpy", "scipy", "pymatgen"),
            "reference": reference_name,
            "pairing": pairing.definition,
            "k": k,
            "max_atoms": max_atoms,
            "structural_validity": {"min_distance": MIN_DISTANCE, "min_volume": MIN_VOLUME},
            "composition_validity": {"oxidation_states": states.name},
            "matcher": {
                "algorithm": "StructureMatcher.get_rms_dist(prediction, reference)",
                "convention": str(Convention.PUBLISHED),
                "ltol": TOLERANCES.length,
                "stol": TOLERANCES.site,
                "angle_tol": TOLERANCES.angle,
            },
            "intervals": intervals.DEFINITION,
        },
        counts={
            **outcome_counts(rows[FAILURE]),
            **ours.counts,
            "pairing": pairing.counts,
            "reference": {
                "crystals": len(reference),
                **theirs.counts,
                "asked": len(pairing.asked),
                "without_prediction": len(pairing.missing),
                "failures": counted(comparison.reference_failures),
            },
        },
        metrics={
            "k1": metrics(comparison, 1, **valid),
            "kN": metrics(comparison, k, **valid),
            "found_by_size": distributions.by_size(sizes, first=np.isfinite(first), best=np.isfinite(best)),
            "rms_histogram": {"width": RMS_BIN, "first": _histogram(first), "best": _histogram(best)},
        },
        rows=rows,
        intervals={
            "k1": intervals.of_means(averaged(comparison, 1, **valid)),
            "kN": intervals.of_means(averaged(comparison, k, **valid)),
        },
    )


def metrics(
    comparison: Comparison,
    k: int,
    *,
    prediction_valid: Bool[np.ndarray, " s"] | None = None,
    reference_valid: Bool[np.ndarray, " r"] | None = None,
) -> dict[str, float]:
    """The numbers over the first prediction of each reference crystal, or over the best of all.

    Args:
        comparison: of all samples.
        k: 1 for the first prediction, or the number of all.
        prediction_valid: whether each sample is valid in structure and composition.
        reference_valid: likewise each reference crystal that was asked for. With both there are also the filtered
            numbers, for which a prediction and its reference must be valid; an invalid reference is a miss.

    Returns:
        `match_rate`, `rmse` (over matches only; NaN if there are none), `metre` (a reference crystal counts if any
        sample of its composition matches it) and `crmse` (a miss counts as the site tolerance). Rates are fractions.
    """
    columns = averaged(comparison, k, prediction_valid=prediction_valid, reference_valid=reference_valid)
    return {name: _mean_of_finite(column) for name, column in columns.items()}


def averaged(
    comparison: Comparison,
    k: int,
    *,
    prediction_valid: Bool[np.ndarray, " s"] | None = None,
    reference_valid: Bool[np.ndarray, " r"] | None = None,
) -> dict[str, np.ndarray]:
    """What `metrics` are means of, one value a reference crystal; what is not finite is left out."""
    place = comparison.pairing.place
    best = _best(comparison, k, np.ones(len(place), dtype=bool))
    columns = {
        "match_rate": np.isfinite(best),
        "rmse": np.where(np.isfinite(best), best, np.nan),
        "metre": comparison.found_by_first if k == 1 else comparison.found_by_any,
        "crmse": np.where(np.isfinite(best), best, TOLERANCES.site),
    }
    if prediction_valid is not None and reference_valid is not None:
        filtered = _best(comparison, k, prediction_valid & reference_valid[place])
        columns["match_rate_filtered"] = np.isfinite(filtered)
        columns["rmse_filtered"] = np.where(np.isfinite(filtered), filtered, np.nan)
    return columns


def _best(comparison: Comparison, k: int, counted: Bool[np.ndarray, " s"]) -> Float[np.ndarray, " r"]:
    """Smallest RMS of the samples that count, for each reference crystal; infinity for a miss."""
    best = np.full(len(comparison.pairing.asked), np.inf)
    hits = counted & (comparison.pairing.rank < k) & np.isfinite(comparison.rms)
    np.minimum.at(best, comparison.pairing.place[hits], comparison.rms[hits])
    return best


def _histogram(rms: Float[np.ndarray, " r"]) -> Int[np.ndarray, " b"]:
    return distributions.histogram(rms, width=RMS_BIN, bins=RMS_BINS)


def _mean_of_finite(values: Shaped[np.ndarray, " r"]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def _rows(comparison: Comparison, samples: Crystals, reference: Crystals) -> dict[str, np.ndarray]:
    """One row a sample, and one for each reference crystal without a sample; then the columns of the input."""
    pairing, missing = comparison.pairing, comparison.pairing.missing
    blank = np.full(len(missing), np.nan)
    rms = np.concatenate([comparison.rms, blank])
    index = np.concatenate([pairing.index, missing])
    rows = {
        "index": _blank_if_unpaired(index),
        "rank": _blank_if_unpaired(np.concatenate([pairing.rank, np.zeros_like(missing)])),
        "formula": np.array(samples.formulas + reference[missing].formulas, dtype=object),
        "matched": np.isfinite(rms),
        "rms": rms,
        "max_distance": np.concatenate([comparison.max_distance, blank]),
        FAILURE: np.concatenate([comparison.failures, np.full(len(missing), NO_PREDICTION, dtype=object)]),
    }
    return input_columns.with_samples({**rows, **input_columns.of_reference(reference, index)}, samples, len(missing))


def _blank_if_unpaired(values: Int[np.ndarray, " s"]) -> np.ndarray:
    unpaired = values == pairings.UNPAIRED
    if not unpaired.any():
        return values
    cells = values.astype(object)
    cells[unpaired] = None
    return cells
