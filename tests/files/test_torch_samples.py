from __future__ import annotations

import argparse
import io
import os
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice

from nucleate.errors import UserError
from nucleate.files import Failure, read, torch_samples

COUNTS, TYPES = [2, 1, 3], [11, 17, 26, 8, 8, 22]


def saved(path: Path, samples: int | None = None, **changes) -> Path:
    """A file as CDVAE writes it, with so many samples of each crystal; DiffCSP's generation has no such axis."""
    shape = () if samples is None else (samples,)
    generator = torch.Generator().manual_seed(0)
    data = {
        "eval_setting": argparse.Namespace(label=""),
        "num_atoms": torch.tensor(COUNTS).expand(*shape, 3),
        "atom_types": torch.tensor(TYPES).expand(*shape, 6),
        "frac_coords": torch.rand((*shape, 6, 3), generator=generator),
        "lengths": 3 + torch.rand((*shape, 3, 3), generator=generator),
        "angles": 80 + 20 * torch.rand((*shape, 3, 3), generator=generator),
        "time": 1.5,
    }
    data.update(changes)
    torch.save({name: value for name, value in data.items() if value is not ...}, path)
    return path


@pytest.mark.parametrize("samples", [None, 1])
def test_samples_are_read_as_cdvae_builds_them(samples, tmp_path):
    path = saved(tmp_path / "eval_gen.pt", samples)
    found = read(path)
    data = torch.load(path, weights_only=False)
    assert found.counts.tolist() == COUNTS
    assert found.numbers.tolist() == TYPES
    np.testing.assert_array_equal(found.frac, data["frac_coords"].reshape(-1, 3).double())
    for row, cell in enumerate(found.lattice.numpy()):
        parameters = [*data["lengths"].reshape(-1, 3)[row].tolist(), *data["angles"].reshape(-1, 3)[row].tolist()]
        np.testing.assert_allclose(cell, Lattice.from_parameters(*parameters).matrix, atol=1e-6)
    assert dict(found.info) == {}


def test_several_samples_of_each_crystal_say_which_they_are(tmp_path):
    path = saved(tmp_path / "eval_diff.pt", 4)
    found = read(path)
    data = torch.load(path, weights_only=False)
    assert found.info["reference_index"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert found.info["rank"].tolist() == [0, 1, 2, 3] * 3
    for row in range(12):
        crystal, rank = divmod(row, 4)
        start = sum(COUNTS[:crystal])
        expected = data["frac_coords"][rank, start : start + COUNTS[crystal]].double()
        np.testing.assert_array_equal(found[row].frac, expected)


def test_numbers_of_atoms_may_differ_between_samples(tmp_path):
    counts = torch.tensor([[2, 1, 3], [1, 2, 3]])
    found = read(saved(tmp_path / "eval_recon.pt", 2, num_atoms=counts))
    assert found.counts.tolist() == [2, 1, 1, 2, 3, 3]


def test_flowmm_lists_its_samples_and_their_order(tmp_path):
    parts = torch.load(saved(tmp_path / "a.pt", 2), weights_only=False)
    lists = {name: list(parts[name]) for name in torch_samples.WIDTHS}
    path = saved(
        tmp_path / "b.pt", 2, **lists, batch_indices=[torch.tensor([2, 0, 1])] * 2, input_data_batch=[None, None]
    )
    found = read(path)
    assert found.info["reference_index"].tolist() == [2, 2, 0, 0, 1, 1]
    assert found.info["rank"].tolist() == [0, 1] * 3
    np.testing.assert_array_equal(found.frac, read(tmp_path / "a.pt").frac)


@pytest.fixture
def geometric(monkeypatch):
    """Classes that are pickled as those of PyTorch Geometric are: a batch comes from a call of an object."""

    class Getter:
        def __call__(self, *bases):
            return Batch()

    class Storage:
        def __init__(self, parent):
            self.parent, self.values = parent, {"num_atoms": torch.tensor([2])}

    class Batch:
        def __reduce__(self):
            return Getter(), (Batch,), {"_store": Storage(None), "x": [1, {"a": torch.ones(2)}]}

    module = types.ModuleType("torch_geometric_of_the_test")
    for kind in (Getter, Storage, Batch):
        kind.__module__, kind.__qualname__ = module.__name__, kind.__name__
        setattr(module, kind.__name__, kind)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def test_pickled_objects_are_passed_over_and_never_imported(tmp_path, geometric, monkeypatch):
    path = saved(tmp_path / "eval_recon.pt", 2, input_data_batch=geometric.Batch())
    monkeypatch.delitem(sys.modules, geometric.__name__)
    assert len(read(path)) == 6


class Evil:
    def __init__(self, call, *arguments):
        self.call = call, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("call", [os.system, exec, eval, open, os.mkdir])
def test_nothing_that_a_file_names_is_called(call, tmp_path):
    place = tmp_path / "made"
    argument = {os.system: f"touch {place}", os.mkdir: str(place)}.get(call, f"open({str(place)!r}, 'w')")
    if call is open:
        argument = str(place)
    for name, changes in {
        "beside": {"eval_setting": Evil(call, argument)},
        "tensor": {"lengths": Evil(call, argument)},
    }.items():
        path = saved(tmp_path / f"{name}.pt", **changes)
        message = ""
        try:
            assert len(read(path)) == 3
        except UserError as error:
            message = str(error)
        assert "save a plain dictionary of tensors" in message or (name == "beside" and not message)
    assert not place.exists()


def test_the_same_file_calls_if_it_is_trusted(tmp_path):
    """So the test before cannot pass vacuously."""
    path = saved(tmp_path / "a.pt", eval_setting=Evil(os.mkdir, str(tmp_path / "made")))
    torch.load(path, weights_only=False)
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_atoms": ...}, "it has no num_atoms and so holds no samples, only eval_setting, atom_types"),
        ({"lengths": [1, 2]}, "lengths is no tensor"),
        ({"lengths": np.ones((3, 3))}, "lengths is no tensor; save a plain dictionary"),
        ({"lengths": torch.ones(2, 3)}, r"lengths has the shape \(2, 3\), which does not fit 3 crystals of 6 atoms"),
        ({"num_atoms": torch.tensor([2, -1, 5])}, "does not fit"),
        ({"atom_types": torch.rand(6)}, "atom_types holds no whole numbers"),
        ({"frac_coords": torch.rand(9, 2, 6, 3)}, "as of a path of samples"),
        ({"frac_coords": torch.rand(9, 6, 3)}, "different numbers of samples of each crystal"),
        ({"frac_coords": torch.ones(1).expand(1 << 31, 3)}, "has more than"),
        ({"batch_indices": torch.tensor([1])}, "batch_indices has the shape"),
    ],
)
def test_what_does_not_fit_is_one_clear_line(changes, words, tmp_path):
    with pytest.raises(UserError, match=words) as caught:
        read(saved(tmp_path / "a.pt", **changes))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'a.pt'}: ")


def test_other_files_are_refused(tmp_path):
    contents = {"text": b"hello", "pickle": pickle.dumps({"a": 1}), "empty": b""}
    torch.save([1, 2], sink := io.BytesIO())
    contents["list"] = sink.getvalue()
    torch.save({"state_dict": {"w": torch.ones(2)}}, sink := io.BytesIO())
    contents["checkpoint"] = sink.getvalue()
    for name, content in contents.items():
        (tmp_path / f"{name}.pt").write_bytes(content)
        with pytest.raises(UserError, match=r"not a file of torch\.save|holds no dictionary|holds no samples"):
            read(tmp_path / f"{name}.pt")


def test_bad_samples_keep_their_place(tmp_path):
    lengths = torch.full((3, 3), 4.0)
    angles = torch.tensor([[90.0, 90, 90], [10, 90, 120], [90, 90, 90]])
    types_ = torch.tensor([0, 17, 26, 8, 8, 22])
    places = torch.rand(6, 3)
    places[5] = torch.nan
    found = read(saved(tmp_path / "a.pt", lengths=lengths, angles=angles, atom_types=types_, frac_coords=places))
    assert found.failures.tolist() == [Failure.UNKNOWN_ELEMENT, Failure.BAD_LATTICE, Failure.NOT_FINITE]
    assert found.info["detail"][1] == "a.pt, row 1: the cell 4, 4, 4, 10, 90, 120 cannot be"


def test_a_folder_is_not_searched_for_them(tmp_path):
    saved(tmp_path / "eval_gen.pt")
    with pytest.raises(UserError, match="there are no structures in it"):
        read(tmp_path)
