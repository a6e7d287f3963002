"""CHGNet's own API on the same crystals is the judge."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout

import numpy as np
import pytest
import torch

from nucleate import files
from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.explorer.embed import find
from nucleate.explorer.embeddings import chgnet
from nucleate.explorer.embeddings.chgnet_graph import bond_graph


@pytest.fixture(scope="module")
def model():
    from chgnet.model.model import CHGNet

    with redirect_stdout(io.StringIO()):
        return CHGNet.load(use_device="cpu", verbose=False)


def cubic(edge: float, numbers: list[int], frac: list[list[float]]) -> Crystals:
    return Crystals.build([numbers], [frac], [edge * np.eye(3)])


def doubled(crystal: Crystals) -> Crystals:
    """A supercell of two cells along the first vector."""
    half = crystal.frac.numpy() * [0.5, 1, 1]
    frac = np.concatenate([half, half + np.array([0.5, 0, 0])])
    lattice = crystal.lattice[0].numpy() * np.array([[2.0], [1], [1]])
    return Crystals.build([[*crystal.numbers.tolist()] * 2], [frac], [lattice])


@pytest.mark.filterwarnings("ignore:Converting a tensor")
def test_the_vector_is_that_of_chgnet_an_atom(prototypes, model):
    found = find("chgnet").embed(prototypes)
    assert (found.failures == "").all()
    theirs = model.predict_structure(files.to_structures(prototypes), task="e", return_crystal_feas=True)
    expected = np.stack([one["crystal_fea"] for one in theirs]) / prototypes.counts.numpy()[:, None]
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(found.vectors, expected, atol=2e-5)


def test_bonds_and_angles_are_those_of_chgnet(prototypes, model):
    for crystal, structure in zip(prototypes[:8], files.to_structures(prototypes[:8]), strict=True):
        ours, theirs = bond_graph(crystal), model.graph_converter(structure)
        assert len(ours.centre) == 2 * len(ours.length) == len(theirs.atom_graph)
        assert len(ours.corner) == len(theirs.bond_graph)
        np.testing.assert_array_equal(
            np.bincount(ours.corner, minlength=len(structure)),
            np.bincount(theirs.bond_graph[:, 0].numpy(), minlength=len(structure)),
        )


def test_angles_of_a_simple_cubic_crystal():
    """Six neighbours at 2.8 Å: 30 ordered pairs, of which 6 are straight and 24 right angles."""
    graph = bond_graph(cubic(2.8, [84], [[0, 0, 0]]))
    cosines = (graph.left_direction * graph.right_direction).sum(1).numpy()
    assert sorted(np.round(cosines).tolist()) == [-1.0] * 6 + [0.0] * 24
    assert (graph.left != graph.right).sum() == 24


def test_a_supercell_has_the_vector_of_its_cell(prototypes):
    crystals = Crystals.concat([prototypes[[2]], doubled(prototypes[2])])
    first, second = find("chgnet").embed(crystals).vectors
    np.testing.assert_allclose(first, second, atol=2e-5)


def test_a_crystal_is_embedded_by_itself(prototypes):
    together = find("chgnet").embed(prototypes[:6]).vectors
    alone = np.concatenate([find("chgnet").embed(crystal).vectors for crystal in prototypes[:6]])
    np.testing.assert_allclose(together, alone, atol=2e-5)


def test_what_chgnet_cannot_take_is_said(prototypes):
    alone = cubic(9.0, [11], [[0, 0, 0]])
    dense = cubic(1.2, [1, 1], [[0, 0, 0], [0.5, 0.5, 0.5]])
    curium = cubic(3.0, [96], [[0, 0, 0]])
    without_angles = cubic(4.0, [55], [[0, 0, 0]])
    found = find("chgnet").embed(Crystals.concat([alone, prototypes[[0]], dense, curium, without_angles]))
    assert found.failures.tolist() == ["isolated_atoms", "", "too_dense", "unknown_element", ""]
    assert np.isnan(found.vectors).all(1).tolist() == [True, False, True, True, False]
    np.testing.assert_allclose(found.vectors[1], find("chgnet").embed(prototypes[[0]]).vectors[0], atol=2e-5)


def test_no_crystals():
    found = find("chgnet").embed(Crystals.empty())
    assert found.vectors.shape == (0, 64)


def test_threads_are_as_before(prototypes):
    before = torch.get_num_threads()
    find("chgnet").embed(prototypes[:1])
    assert torch.get_num_threads() == before


def test_batches_hold_all_crystals_in_order(prototypes, monkeypatch):
    monkeypatch.setattr(chgnet, "LOAD", 3000)
    parts = chgnet._batches(prototypes)
    assert len(parts) > 3
    assert [formula for part in parts for formula in part.formulas] == prototypes.formulas


def test_without_chgnet(monkeypatch):
    monkeypatch.setitem(sys.modules, "chgnet", None)
    with pytest.raises(UserError, match=r"chgnet is not installed; it comes with: pip install 'nucleate\[explore\]'"):
        find("chgnet")


def test_an_unknown_embedding():
    with pytest.raises(UserError, match="unknown embedding 'vae'; there are chgnet"):
        find("vae")
