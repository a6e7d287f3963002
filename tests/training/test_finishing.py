from __future__ import annotations

import pytest
import torch

from nucleate.models.cdvae import CDVAE, CDVAEConfig
from nucleate.models.generator import FinalFit
from nucleate.training.finishing import Finish, Needs, seconds_of_final_fit
from tests.contract.suite import some_crystals
from tests.contract.test_cdvae import PAPER, SMALL


class Steps(FinalFit):
    """A final fit that counts."""

    title, steps = "count", 5

    def __init__(self) -> None:
        self.shares: list[float] = []
        self.loaded: int | None = None

    def prepare(self):
        yield 0.5
        yield 1.0

    def step(self, share: float) -> None:
        self.shares.append(share)

    def state_dict(self):
        return {"done": len(self.shares)}

    def load_state_dict(self, state):
        self.loaded = state["done"]


def run(finish: Finish, fit: Steps, *, end: float | None = None, pauses: int = 10**9, seconds: float = 0.0):
    """Runs it on a clock that moves by so many seconds a step, and pauses after so many pieces of work."""
    asked, lines = [0], []

    def pause() -> bool:
        asked[0] += 1
        return asked[0] >= pauses

    over = finish.run(
        fit, lambda: 10 + seconds * len(fit.shares), end, pause, lambda share, line: lines.append((share, line))
    )
    return over, lines


def test_all_steps_are_taken_where_there_is_time():
    for end in (None, 1000.0):
        finish, fit = Finish(), Steps()
        over, lines = run(finish, fit, end=end, seconds=1)
        assert over
        assert finish.ended
        assert fit.shares == [0, 0.2, 0.4, 0.6, 0.8]
        assert lines[-1] == (0.8, "fitting the count: step 5 of 5")
        assert finish.record()["state"] is None


def test_the_clock_ends_it_and_sets_the_share():
    finish, fit = Finish(), Steps()
    assert run(finish, fit, end=18.0, seconds=4)[0]
    assert fit.shares == [0, 0.5]
    assert (finish.taken, finish.steps, finish.ended) == (2, 5, True)
    late, none = Finish(), Steps()
    assert run(late, none, end=9.0)[0]
    assert (none.shares, late.taken, late.ended) == ([], 0, True)


@pytest.mark.parametrize("pauses", [1, 2, 3, 6])
def test_it_goes_on_where_it_was_stopped(pauses):
    first, cut = Finish(), Steps()
    assert not run(first, cut, pauses=pauses)[0]
    assert len(cut.shares) == max(0, pauses - 2)
    second, rest = Finish(**first.record()), Steps()
    assert run(second, rest)[0]
    assert rest.loaded == len(cut.shares)
    assert cut.shares + rest.shares == [0, 0.2, 0.4, 0.6, 0.8]


def test_so_much_of_a_budget_is_reserved():
    assert Needs().reserved(100) == (0, 0)
    assert Needs(final_fit=7, validation=3).reserved(100) == (7, 0)
    assert Needs(final_fit=7, validation=10).reserved(100) == (7, 10)
    assert Needs(final_fit=70, validation=100).reserved(100) == (20, 20)


def test_the_duration_is_measured_on_a_copy():
    model = CDVAE(CDVAEConfig(task="dng", **SMALL))
    data = some_crystals(12).to(dtype=torch.float32).padded()
    model.fit(data)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert seconds_of_final_fit(model, data) > 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert seconds_of_final_fit(CDVAE(CDVAEConfig(task="dng", **PAPER)), data) == 0
