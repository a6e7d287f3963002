from __future__ import annotations

import numpy as np
import pytest
import torch

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.generation.latent import decode, encode, interpolate, reconstruct, with_latent
from nucleate.models.cdvae import CDVAE, CDVAEConfig
from nucleate.models.flowmm import FlowMM, FlowMMConfig
from tests.contract.suite import some_crystals
from tests.contract.test_cdvae import SMALL


@pytest.fixture(scope="module")
def model() -> CDVAE:
    torch.manual_seed(0)
    model = CDVAE(CDVAEConfig(task="dng", **SMALL))
    model.fit(some_crystals().to(dtype=torch.float32).padded())
    return model.eval()


@pytest.fixture
def crystals() -> Crystals:
    return some_crystals(5, seed=3)


def test_each_crystal_has_its_own_latent_in_order(model, crystals):
    latents = encode(model, crystals)
    assert latents.shape == (5, 8)
    backwards = encode(model, crystals[::-1])
    torch.testing.assert_close(backwards.flip(0), latents, rtol=1e-2, atol=1e-2)
    assert len(latents.round(decimals=4).unique(dim=0)) == 5


def test_a_crystal_that_could_not_be_read_keeps_its_row_and_reason(model, crystals):
    mixed = Crystals.concat([crystals[:2], Crystals.failed(["no atoms"]), crystals[2:]])
    drawn = reconstruct(model, mixed, steps=2)
    assert len(drawn) == 6
    assert drawn.failures[2] == "no atoms"
    assert drawn.info["reference_index"].tolist() == list(range(6))
    assert drawn.built[[0, 1, 3, 4, 5]].any()


@pytest.mark.parametrize("keep", [True, False])
def test_what_the_model_cannot_know_is_a_row_with_a_reason(model, crystals, keep):
    large = Crystals.build([np.full(7, 8)], [np.zeros((7, 3))], np.eye(3)[None] * 5)
    argon = Crystals.build([[18]], [np.zeros((1, 3))], np.eye(3)[None] * 5)
    mixed = Crystals.concat([large, crystals[:2], argon])
    assert encode(model, mixed).isfinite().all(1).tolist() == [False, True, True, False]
    drawn = reconstruct(model, mixed, keep_composition=keep, steps=2)
    assert drawn.failures[[0, 3]].tolist() == ["too_many_atoms", "unseen_element"]
    assert drawn.built.any()
    with pytest.raises(UserError, match=r"^Ar: the model was trained on crystals without it$"):
        encode(model, argon)


def test_compositions_can_be_kept(model, crystals):
    drawn = reconstruct(model, crystals, keep_composition=True, steps=2)
    assert [sorted(z) for z in drawn.numbers_of_each()] == [sorted(z) for z in crystals.numbers_of_each()]


def test_the_seed_fixes_what_is_decoded(model, crystals):
    latents = encode(model, crystals)
    one, two, other = (decode(model, latents, steps=2, seed=s) for s in (0, 0, 1))
    assert torch.equal(one.frac, two.frac)
    assert torch.equal(one.numbers, other.numbers)
    assert not torch.equal(one.frac, other.frac)


def test_a_latent_that_is_not_finite_is_a_failed_row(model):
    latents = torch.zeros(3, 8)
    latents[1] = torch.nan
    assert decode(model, latents, steps=2).failures.tolist()[1] == "not_encoded"


def test_the_way_between_two_crystals_begins_and_ends_with_them(model, crystals):
    way = interpolate(model, crystals[0], crystals[1], 4, steps=2)
    np.testing.assert_allclose(way.info["position"], [0, 1 / 3, 2 / 3, 1], rtol=1e-6)
    ends = decode(model, encode(model, crystals[:2]), steps=2)
    assert way.formulas[0] == ends.formulas[0]
    assert way.formulas[-1] == ends.formulas[-1]


def test_bad_input_is_said_in_one_line(model, crystals):
    with pytest.raises(UserError, match="at least 2"):
        interpolate(model, crystals[0], crystals[1], 1)
    with pytest.raises(UserError, match="first end"):
        interpolate(model, crystals[:2], crystals[1], 3)
    with pytest.raises(UserError, match="up to 6"):
        encode(model, Crystals.build([np.full(7, 8)], [np.zeros((7, 3))], np.eye(3)[None] * 5))
    with pytest.raises(UserError, match="flowmm has no latent"):
        with_latent(FlowMM(FlowMMConfig(task="csp")))
