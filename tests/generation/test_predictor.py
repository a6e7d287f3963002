from __future__ import annotations

import numpy as np
import pytest
import torch

from nucleate.errors import UserError
from nucleate.generation.predictor import fit_property


@pytest.fixture
def latents():
    return torch.randn(2000, 4, generator=torch.Generator().manual_seed(0))


def test_a_head_learns_a_function_of_the_latent(latents):
    values = (3 * latents[:, 0] + latents[:, 1] ** 2 - 7).double().numpy()
    values[::50] = np.nan
    latents[1::50] = torch.nan
    fitted = fit_property(latents, values, steps=250, batch=200)
    assert fitted.error < 0.3 < np.nanstd(values) / 5
    assert fitted.crystals == round(0.9 * 1920)
    again = fit_property(latents, values, steps=250, batch=200)
    assert again.error == fitted.error


def test_too_few_crystals_are_refused(latents):
    with pytest.raises(UserError, match="too few"):
        fit_property(latents[:19], np.zeros(19))


def test_a_head_reads_no_more_into_a_number_than_the_encoder_put_there(latents):
    """A number that hardly varies, and is said to be uncertain by more, is not used: its slope stays small."""
    latents[:, 3] *= 1e-2
    values = (latents[:, 0] + 30 * latents[:, 3]).double().numpy()
    deviations = torch.tensor([0.01, 0.01, 0.01, 1.0]).expand_as(latents)
    sharp, blurred = (
        fit_property(latents, values, deviations=noise, steps=300, batch=200).head for noise in (None, deviations)
    )
    ahead = torch.tensor([0.0, 0.0, 0.0, 1.0])
    far = [float((head(ahead[None]) - head(-ahead[None]))[0]) for head in (sharp, blurred)]
    assert far[0] > 1.5
    assert abs(far[1]) < 0.5
