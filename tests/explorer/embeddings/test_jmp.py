"""With a clone of facebookresearch/JMP in `$NUCLEATE_JMP_CODE` its network with random weights; without it the rest."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.explorer.embed import find
from nucleate.explorer.embeddings import jmp, jmp_code
from nucleate.explorer.embeddings.jmp_weights import load_weights

BLOCK = "backbone.int_blocks.0.weight"


@pytest.fixture(scope="session")
def clone() -> Path:
    folder = os.environ.get("NUCLEATE_JMP_CODE")
    if not folder:
        pytest.skip("NUCLEATE_JMP_CODE names no clone of facebookresearch/JMP")
    return Path(folder)


@pytest.fixture(scope="session")
def checkpoint(clone, tmp_path_factory) -> Path:
    """Random weights of JMP-S, as the published file holds them."""
    code = jmp_code.load_code(clone)
    config = code.config(large=False)
    torch.manual_seed(0)
    parts = ("backbone", code.backbone(config)), ("embedding.atom_embedding", torch.nn.Embedding(120, 256))
    state = {f"{name}.{key}": value for name, module in parts for key, value in module.state_dict().items()}
    path = tmp_path_factory.mktemp("jmp") / "random.pt"
    torch.save({"state_dict": state, "hyper_parameters": {"seed": 0}}, path)
    return path


@pytest.fixture(scope="module")
def crystals():
    """Without symmetry, so that no two neighbours are equally far."""
    rng = np.random.default_rng(0)
    lattices = np.array([np.diag([5.1, 6.3, 7.2]), np.diag([4.4, 5.9, 6.8])]) + rng.normal(0, 0.4, (2, 3, 3))
    return Crystals.build([[11, 17, 8, 22], [14, 8, 8]], [rng.random((4, 3)), rng.random((3, 3))], lattices)


@pytest.mark.slow
def test_the_mean_of_what_the_energy_head_is_given(clone, checkpoint, crystals):
    found = find("jmp", code=clone, checkpoint=checkpoint)
    assert found.label == "JMP-S"
    result = found.embed(crystals)
    assert result.failures.tolist() == ["", ""]
    model = jmp._model(clone, checkpoint)
    seen = []
    handle = model.backbone.out_mlp_E.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    again = found.embed(crystals)
    handle.remove()
    assert [tuple(features.shape) for features in seen] == [(4, 256), (3, 256)]
    expected = np.stack([features.numpy().mean(0) for features in seen])
    np.testing.assert_allclose(again.vectors, expected, rtol=1e-5)
    np.testing.assert_array_equal(again.vectors, result.vectors)


@pytest.mark.slow
def test_the_frame_does_not_matter(clone, checkpoint, crystals):
    """The order of atoms does, a little: it says which edges stay when only one end counts the other among its 30."""
    found = find("jmp", code=clone, checkpoint=checkpoint)
    turn = torch.from_numpy(np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0])
    one = crystals[0]
    moved = Crystals(one.numbers, (one.frac + 0.3) % 1, one.lattice @ turn, one.counts)
    first, second = found.embed(Crystals.concat([one, moved])).vectors
    assert np.linalg.norm(first - found.embed(crystals[1]).vectors[0]) > 0.1 * np.linalg.norm(first)
    np.testing.assert_allclose(first, second, atol=1e-3 * np.abs(first).max())


@pytest.mark.slow
def test_graphs_have_the_nearest_thirty(clone, checkpoint, crystals):
    from scipy.spatial.distance import cdist

    data = jmp._model(clone, checkpoint)._data(crystals[0])
    lattice, frac = crystals[0].lattice[0].numpy(), crystals[0].frac.numpy()
    shifts = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3), -1).reshape(-1, 3)
    images = ((frac[:, None] + shifts) @ lattice).reshape(-1, 3)
    distances = np.sort(cdist(frac @ lattice, images), 1)[:, 1:31]
    ends, lengths = data.main_edge_index[1].numpy(), data.main_distance.numpy()
    for atom in range(4):
        np.testing.assert_allclose(np.sort(lengths[ends == atom]), distances[atom], rtol=1e-4)


@pytest.mark.slow
def test_weights_that_do_not_fit(clone, checkpoint, tmp_path):
    state = torch.load(checkpoint)["state_dict"]
    name = next(iter(state))
    torch.save({"state_dict": {key: value for key, value in state.items() if key != name}}, tmp_path / "less.pt")
    with pytest.raises(UserError, match="1 weights of JMP are missing, such as backbone"):
        find("jmp", code=clone, checkpoint=tmp_path / "less.pt")
    torch.save({"state_dict": {**state, name: torch.zeros(3, 5, 7)}}, tmp_path / "other.pt")
    with pytest.raises(UserError, match="of another size than JMP-S and JMP-L"):
        find("jmp", code=clone, checkpoint=tmp_path / "other.pt")


def test_nothing_else_looks_installed_afterwards(clone):
    import sys

    jmp_code.load_code(clone)
    for name in ("torch_scatter", "torch_sparse", "torch_geometric"):
        assert not hasattr(sys.modules.get(name), "_stands_in")
        assert name not in sys.modules or sys.modules[name].__spec__ is not None


def test_what_is_missing_is_said_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"jmp needs a clone of https://github.*/JMP: --jmp-code FOLDER"):
        find("jmp")
    with pytest.raises(UserError, match="--jmp-checkpoint FILE"):
        find("jmp", code=tmp_path)
    with pytest.raises(UserError, match="there is no such checkpoint"):
        find("jmp", code=tmp_path, checkpoint=tmp_path / "jmp-s.pt")
    (tmp_path / "jmp-s.pt").write_bytes(b"")
    with pytest.raises(UserError, match="is no clone of facebookresearch/JMP"):
        find("jmp", code=tmp_path, checkpoint=tmp_path / "jmp-s.pt")


@pytest.mark.parametrize("content", [b"", b"hello", pickle.dumps({"state_dict": {}})])
def test_other_files_are_no_checkpoints(tmp_path, content):
    (tmp_path / "jmp.pt").write_bytes(content)
    with pytest.raises(UserError, match="is no checkpoint of JMP"):
        load_weights(tmp_path / "jmp.pt")


def test_weights_of_something_else(tmp_path):
    torch.save({"state_dict": {"layer.weight": torch.ones(2)}}, tmp_path / "other.pt")
    with pytest.raises(UserError, match=r"it has no backbone\.int_blocks"):
        load_weights(tmp_path / "other.pt")


def test_averages_take_the_place_of_what_was_averaged(tmp_path):
    scale, table = "backbone.scale.scale_factor", "backbone.rbf.offset"
    state = {BLOCK: torch.zeros(2, 2), scale: torch.tensor(3.0), table: torch.ones(4), "embedding.x": torch.zeros(1)}
    averages = (torch.full((2, 2), 5.0), torch.full((1,), 6.0))
    torch.save({"state_dict": state, "optimizer_states": [{"ema": averages}]}, tmp_path / "a.pt")
    found = load_weights(tmp_path / "a.pt")
    assert found[BLOCK].tolist() == [[5.0, 5.0], [5.0, 5.0]]
    assert found["embedding.x"].tolist() == [6.0]
    assert (float(found[scale]), found[table].tolist()) == (3.0, [1.0] * 4)
    torch.save({"state_dict": state, "optimizer_states": [{"ema": averages[:1]}]}, tmp_path / "b.pt")
    with pytest.raises(UserError, match="its 1 averages are not those of its 2 weights"):
        load_weights(tmp_path / "b.pt")


class Harmful:
    """Says to a pickle that to make it again means to make a folder."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


class Elsewhere(dict):
    """A class that whoever reads the file may not have."""


def test_nothing_in_a_checkpoint_is_run(tmp_path):
    extra = {"callbacks": Harmful(tmp_path / "made"), "hyper_parameters": Elsewhere(a=1)}
    torch.save({"state_dict": {BLOCK: torch.ones(2)}, **extra}, tmp_path / "jmp.pt")
    assert load_weights(tmp_path / "jmp.pt")[BLOCK].tolist() == [1.0, 1.0]
    assert not (tmp_path / "made").exists()
