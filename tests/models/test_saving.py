"""A disk that takes no more: simulated by the largest file that the process may write."""

from __future__ import annotations

import resource

import pytest
import torch
from safetensors.torch import load_file

from nucleate.errors import UserError
from nucleate.models.saving import save_state, save_tensors


@pytest.fixture
def small_files():
    """No file may grow beyond 100 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


WRITERS = {"state.pt": save_state, "weights.safetensors": save_tensors}


def read(path):
    return torch.load(path, weights_only=True) if path.suffix == ".pt" else load_file(path)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("size", [40_000, 3_000_000])
def test_a_full_disk_is_one_line_and_leaves_the_last_file(name, size, tmp_path, small_files):
    path = tmp_path / name
    WRITERS[name]({"a": torch.ones(10)}, path)
    with pytest.raises(UserError, match=f"cannot write .*{name}: File too large") as caught:
        WRITERS[name]({"a": torch.zeros(size)}, path)
    assert "\n" not in str(caught.value)
    assert torch.equal(read(path)["a"], torch.ones(10))
    assert [other.name for other in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_no_fault_of_the_disk_stays_what_it_is(name, tmp_path):
    with pytest.raises((TypeError, AttributeError, ValueError)):
        WRITERS[name]({"a": (x for x in "ab")}, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_can_be_read(tmp_path):
    save_tensors({"a": torch.arange(3)}, tmp_path / "a.safetensors", {"b": "c"})
    assert torch.equal(load_file(tmp_path / "a.safetensors")["a"], torch.arange(3))
    save_state({"a": torch.arange(3), "b": [1, "c"]}, tmp_path / "a.pt")
    assert torch.load(tmp_path / "a.pt", weights_only=True)["b"] == [1, "c"]
