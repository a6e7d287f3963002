"""A second opinion on a property: learnt from fingerprints of composition and structure, without any generative model.

Whatever went up or down the gradient of a predictor has gone where that predictor is wrong. This one has never seen the
latent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from nucleate.crystals import Crystals
from nucleate.generation.predictor import Fitted, fit_property
from nucleate.geometry import lattice as cells


@dataclass(frozen=True)
class Judge:
    """A predictor from fingerprints.

    Attributes:
        fitted: its network, and its error on crystals that it was not fitted to.
    """

    fitted: Fitted

    def __call__(self, crystals: Crystals) -> Float[np.ndarray, " c"]:
        """Predicts the property; NaN of crystals that have no fingerprint."""
        inputs = torch.from_numpy(features(crystals)).float()
        return self.fitted.head(inputs).numpy().astype(np.float64)


def fit_judge(
    training: Crystals,
    values: Float[np.ndarray, " c"],
    *,
    keep_in: Path | None = None,
    seed: int = 0,
    on_progress: Callable[[float], None] | None = None,
) -> Judge:
    """Fits a judge to crystals whose property is known.

    Args:
        training: crystals.
        values: of the property, one a crystal, NaN where it is not known.
        keep_in: folder in which the fingerprints of `training` are kept for the next time.
        seed: fixes the result.
        on_progress: called with the share of fingerprints that is done, which take most of the time.

    Raises:
        UserError: fewer than 20 crystals have a fingerprint and a value.
    """
    inputs = torch.from_numpy(features(training, keep_in=keep_in, on_progress=on_progress)).float()
    return Judge(fit_property(inputs, values, batch=512, seed=seed))


def features(
    crystals: Crystals, *, keep_in: Path | None = None, on_progress: Callable[[float], None] | None = None
) -> Float[np.ndarray, "c f"]:
    """Composition fingerprint (standardised), structure fingerprint, and the logarithm of the volume per atom in Å³.

    A row is NaN where a crystal could not be built or has no structure fingerprint.
    """
    from nucleate.evaluation.composition_fingerprint import composition_fingerprints, standardise
    from nucleate.evaluation.kept import kept
    from nucleate.evaluation.structure_fingerprint import structure_fingerprints

    structure = kept(keep_in, crystals, lambda: structure_fingerprints(crystals, on_progress=on_progress)).values
    composition = standardise(composition_fingerprints(crystals))
    volume = (cells.volume(crystals.lattice.double()) / crystals.counts).numpy()
    return np.column_stack([composition, structure, np.log(np.where(volume > 0, volume, np.nan))])
