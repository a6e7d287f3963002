"""Batching and bookkeeping, with a stand-in for a model; real models go through the contract suite."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.generation import sampling
from nucleate.generation.prediction import draw, merge, predict
from nucleate.generation.sampling import generate, with_failed
from nucleate.models.generator import Generator, Task


class Stub(Generator):
    """Puts every atom at a place that tells its element, and breaks cells on request."""

    family = "stub"
    max_atoms = 20

    def __init__(self, task: str = "csp", broken: Mapping[int, float] | None = None) -> None:
        super().__init__()
        self.config = SimpleNamespace(task=task)
        self.broken = broken or {}
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.calls: list[int] = []

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def fit(self, data): ...

    def draw(self, batch, rng):
        raise NotImplementedError

    def loss(self, example):
        raise NotImplementedError

    def sample(self, request, rng):
        from nucleate.crystals import Padded

        self.calls.append(len(request.numbers))
        numbers = request.numbers if self.task is Task.CSP else torch.full_like(request.numbers, 8) * request.mask
        frac = (numbers / 100.0).unsqueeze(-1).expand(-1, -1, 3) * request.mask.unsqueeze(-1)
        scale = torch.tensor([self.broken.get(int(z), 5.0) for z in numbers[:, 0]])
        return Padded(numbers, frac, scale[:, None, None] * torch.eye(3), request.mask)

    def draw_sizes(self, count, rng):
        return torch.randint(1, 6, (count,), generator=rng)


def test_order_and_bookkeeping_survive_batching(monkeypatch):
    monkeypatch.setattr(Stub, "pairs_at_once", 50)
    rng = np.random.default_rng(0)
    asked = [rng.integers(1, 90, rng.integers(1, 9)).astype(np.uint8) for _ in range(30)]
    model = Stub()
    crystals = generate(model, 30, compositions=asked, per_formula=3)
    assert len(model.calls) > 5
    assert crystals.info["reference_index"].tolist() == np.repeat(np.arange(30), 3).tolist()
    assert crystals.info["rank"].tolist() == [0, 1, 2] * 30
    for row, numbers in enumerate(crystals.numbers_of_each()):
        assert numbers.tolist() == asked[row // 3].tolist()
        np.testing.assert_allclose(crystals[row].frac[:, 0], numbers / 100, rtol=1e-6)


def test_batches_are_shown_when_they_are_done(monkeypatch):
    """Together they are the crystals, and draws for compositions say which they answer."""
    monkeypatch.setattr(Stub, "pairs_at_once", 50)
    asked = [np.full(n, z) for n, z in ((2, 1), (7, 2), (30, 3), (5, 4))]
    batches = []
    whole = generate(Stub(), 4, compositions=asked, draws=2, strict=False, on_batch=batches.append)
    parts = Crystals.concat(batches)
    assert len(batches) > 1
    assert parts.info["reference_index"].tolist() == [1, 1, 3, 3, 0, 0]
    assert [whole.formulas[row] for row in parts.info["reference_index"]] == parts.formulas
    batches.clear()
    whole = generate(Stub("dng"), 40, on_batch=batches.append)
    assert Crystals.concat(batches).counts.tolist() == sorted(whole.counts.tolist(), reverse=True)
    assert "reference_index" not in batches[0].info


def test_what_cannot_be_built_is_a_row_with_a_reason():
    asked = [np.array([1, 8]), np.array([2, 8]), np.array([3, 8])]
    crystals = generate(Stub(broken={1: float("nan"), 2: 0.01}), 3, compositions=asked)
    assert crystals.failures.tolist() == ["not_finite", "zero_volume", ""]
    assert crystals.counts.tolist() == [0, 0, 2]


def test_progress_ends_at_one():
    shares = []
    model = Stub()
    generate(model, 2, compositions=[np.array([1]), np.array([2])], on_progress=shares.append)
    assert all(0 <= share <= 1 for share in shares)


def test_dng_draws_its_sizes():
    crystals = generate(Stub("dng"), 50, seed=3)
    assert len(crystals) == 50
    assert set(crystals.counts.tolist()) <= set(range(1, 6))
    assert crystals.counts.tolist() == generate(Stub("dng"), 50, seed=3).counts.tolist()


@pytest.mark.parametrize(
    ("task", "arguments", "message"),
    [
        ("csp", {"count": 0, "compositions": [np.array([1])]}, "at least 1"),
        ("csp", {"count": 1, "compositions": [np.array([1])], "per_formula": 0}, "at least 1"),
        ("csp", {"count": 1}, "--formulas"),
        ("dng", {"count": 1, "compositions": [np.array([1])]}, "makes its own"),
    ],
)
def test_impossible_requests(task, arguments, message):
    with pytest.raises(UserError, match=message):
        generate(Stub(task), **arguments)


def test_prediction_merges_and_orders_by_times_found():
    """Every sample with the same number of formula units is the same crystal, so each size is one cluster."""
    unit = np.array([11, 17])
    crystals = predict(Stub(), unit, 9, lambda samples: np.unique(samples.counts.numpy(), return_inverse=True)[1])
    # 9 samples over 2, 4, 8 and 16 atoms: the first size is tried three times, the others twice.
    assert crystals.info["times_found"].tolist() == [3, 2, 2, 2]
    assert crystals.info["score"].tolist() == pytest.approx([3 / 9, 2 / 9, 2 / 9, 2 / 9])
    assert crystals.info["formula_units"].tolist() == [1, 2, 4, 8]


def test_a_prediction_counts_samples_that_could_not_be_built():
    samples = draw(Stub(broken={3: 0.0}), np.array([3, 8]), 5)
    assert samples.failures.tolist() == ["zero_volume"] * 5
    assert samples.info["formula_units"].tolist() == [1, 2, 4, 8, 1]
    with pytest.raises(UserError, match="none of 5 samples could be built: 5 zero_volume"):
        merge(samples, lambda built: np.arange(len(built)))


def test_failed_rows_stand_where_they_were_asked():
    made = generate(Stub(), 3, compositions=[np.array([z]) for z in (1, 2, 3)])
    rows = with_failed(made, np.array(["lost", "", "", "gone", "", "lost"], dtype=object))
    assert rows.failures.tolist() == ["lost", "", "", "gone", "", "lost"]
    assert [z.tolist() for z in rows.numbers_of_each()] == [[], [1], [2], [], [3], []]


def test_samplers_are_found_by_name():
    assert sampling.find_sampler(Stub(), "default") == {}
    with pytest.raises(UserError, match="stub has no sampler 'langevin'; it has default"):
        sampling.find_sampler(Stub(), "langevin")
