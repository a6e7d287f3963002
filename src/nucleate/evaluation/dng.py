"""De novo generation: how good a set of new crystals is.

Every requested sample counts: one that could not be parsed or built is not valid.
"""

from __future__ import annotations

import numpy as np

from nucleate.crystals import FAILURE, Crystals
from nucleate.errors import UserError
from nucleate.evaluation.density import densities
from nucleate.evaluation.failures import failure_reasons, outcome_counts
from nucleate.evaluation.result import Result, versions
from nucleate.evaluation.structural_validity import MIN_DISTANCE, MIN_VOLUME, structural_validity

QUANTILES = {"min": 0.0, "q05": 0.05, "median": 0.5, "q95": 0.95, "max": 1.0}


def evaluate(samples: Crystals, reference: Crystals, *, reference_name: str, seed: int = 0) -> Result:
    """Judges samples, and sets them beside the reference.

    Args:
        samples: all that were requested; those that failed have a reason in `info["failure"]`.
        reference: crystals that the samples should be like.
        reference_name: what the result calls them.
        seed: of all that is drawn at random.

    Raises:
        UserError: there are no samples.
    """
    if not len(samples):
        raise UserError("there are no samples")
    rows = columns(samples)
    reference_rows = columns(reference)
    built = rows[FAILURE] == ""
    return Result(
        task="dng",
        definition={
            "versions": versions("numpy", "pymatgen"),
            "reference": reference_name,
            "seed": seed,
            "structural_validity": {"min_distance": MIN_DISTANCE, "min_volume": MIN_VOLUME},
        },
        counts={
            **outcome_counts(rows[FAILURE]),
            "structural_valid": int(rows["structural_valid"].sum()),
            "reference": {"crystals": len(reference), "built": int((reference_rows[FAILURE] == "").sum())},
        },
        metrics={
            "structural_validity": float(rows["structural_valid"].mean()),
            "unusable": float(1 - built.mean()),
            "distributions": {
                "density": {"samples": _summary(rows["density"]), "reference": _summary(reference_rows["density"])},
                "num_elements": {"samples": _shares(rows), "reference": _shares(reference_rows)},
            },
        },
        rows=rows,
    )


def columns(crystals: Crystals) -> dict[str, np.ndarray]:
    """The per-crystal columns, each of length C: lengths in Å, volumes in Å³, densities in g/cm³.

    What a crystal that failed does not have is NaN; it is not valid, and has 0 elements.
    """
    failures = failure_reasons(crystals)
    built = failures == ""
    structure = structural_validity(crystals)

    def of_built(values: np.ndarray) -> np.ndarray:
        return np.where(built, values, np.nan)

    kinds = [len(set(numbers.tolist())) for numbers in crystals.numbers_of_each()]
    return {
        "index": np.arange(len(crystals)),
        "formula": np.array(crystals.formulas, dtype=object),
        "num_atoms": crystals.counts.cpu().numpy(),
        FAILURE: failures,
        "structural_valid": built & structure.valid,
        "density": of_built(densities(crystals)),
        "volume": of_built(structure.volume),
        "num_elements": np.where(built, kinds, 0),
        "min_distance": of_built(structure.min_distance),
        "self_image_distance": of_built(structure.self_image_distance),
    }


def _summary(values: np.ndarray) -> dict[str, float]:
    """Mean and quantiles of what is not NaN."""
    known = values[np.isfinite(values)]
    if not len(known):
        return {}
    quantiles = np.quantile(known, list(QUANTILES.values()))
    return {"mean": float(known.mean()), **dict(zip(QUANTILES, quantiles.tolist(), strict=True))}


def _shares(rows: dict[str, np.ndarray]) -> dict[str, float]:
    """Share of the built crystals that have each number of elements."""
    kinds = rows["num_elements"][rows[FAILURE] == ""]
    values, counts = np.unique(kinds, return_counts=True)
    return {str(value): float(count / len(kinds)) for value, count in zip(values, counts, strict=True)}
