"""Crystals as space group, cell and sites: what is read back is the crystal that was described."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nucleate.crystals import Crystals
from nucleate.datasets import load
from nucleate.evaluation.csp import evaluate
from nucleate.geometry import space_groups
from nucleate.models.crystal_llm.reading import read_tokens
from nucleate.models.crystal_llm.sites import Sites, describe
from nucleate.models.crystal_llm.tokens import written

SKEW = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, -1.0], [0.0, 0.0, 1.0]], dtype=torch.float64)


@pytest.fixture(scope="module")
def prototypes() -> Crystals:
    crystals = load("prototypes", "val")
    return crystals[crystals.counts.numpy() <= 20][:60]


def _again(sites: Sites) -> Crystals:
    documents = written(sites)
    return read_tokens([[]] * len(sites.group), [r[m].tolist() for r, m in zip(*documents[:2], strict=True)])


def test_sites_make_all_atoms(prototypes):
    sites = describe(prototypes)
    many = space_groups.wyckoff().multiplicity[sites.group[:, None], sites.letters] * sites.mask
    assert torch.equal(many.sum(1), prototypes.counts)


def test_what_is_written_is_the_crystal(prototypes):
    """The matcher of the metrics finds every one of them again."""
    result = evaluate(_again(describe(prototypes)), prototypes, reference_name="themselves")
    assert result.metrics["k1"]["match_rate"] == 1
    assert result.metrics["k1"]["rmse"] < 0.02


def test_another_cell_another_origin_and_another_order_make_the_same_crystal(prototypes):
    rng = np.random.default_rng(0)
    some = prototypes[:12]
    numbers, frac = [], []
    for z, places in zip(some.numbers_of_each(), some.frac_of_each(), strict=True):
        order = rng.permutation(len(z))
        numbers.append(z[order])
        frac.append((places[order] + rng.random(3)) @ np.linalg.inv(SKEW.numpy()))
    moved = Crystals.build(numbers, frac, SKEW @ some.lattice)
    ours, theirs = describe(moved), describe(some)
    assert torch.equal(ours.group, theirs.group)
    assert evaluate(_again(ours), some, reference_name="themselves").metrics["k1"]["match_rate"] == 1


def test_rock_salt_is_two_letters():
    half = 5.64 / 2
    salt = Crystals.build(
        [[11, 17]], [[[0.5, 0.5, 0.5], [0, 0, 0]]], [[[0, half, half], [half, 0, half], [half, half, 0]]]
    )
    sites = describe(salt)
    assert sites.group.tolist() == [225]
    assert sites.numbers.tolist() == [[11, 17]]
    assert sites.letters.tolist() == [[0, 1]]  # sodium, which is named first, at the first place
    assert sites.parameters[0].tolist() == pytest.approx([5.64, 5.64, 5.64, 90, 90, 90], abs=1e-4)


def test_a_crystal_without_symmetry_keeps_its_cell():
    rng = np.random.default_rng(3)
    lattice = np.diag([4.1, 5.2, 6.3]) + rng.normal(0, 0.4, (3, 3))
    crystal = Crystals.build([[3, 8, 22]], [rng.random((3, 3))], lattice[None])
    sites = describe(crystal)
    assert sites.group.tolist() == [1]
    assert sites.letters.tolist() == [[0, 0, 0]]
    assert evaluate(_again(sites), crystal, reference_name="itself").metrics["k1"]["match_rate"] == 1


def test_packing_loses_nothing(prototypes):
    sites = describe(prototypes[:5])
    for one, two in zip(Sites.unpacked(sites.packed()), sites, strict=True):
        torch.testing.assert_close(one, two.to(one.dtype))
