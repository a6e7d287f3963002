from __future__ import annotations

import torch
from torch import nn

from nucleate.training.ema import Ema


def test_the_average_follows_its_closed_form():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 0.0)
    ema = Ema(model, decay=0.5)
    nn.init.constant_(model.weight, 1.0)
    for step in range(100, 104):
        ema.update(model, step)
    torch.testing.assert_close(ema.model.weight, torch.tensor([[1 - 0.5**4]]))


def test_early_steps_forget_faster():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 0.0)
    ema = Ema(model, decay=0.999)
    nn.init.constant_(model.weight, 1.0)
    ema.update(model, 1)
    torch.testing.assert_close(ema.model.weight, torch.tensor([[1 - 2 / 11]]))


def test_shared_weights_stay_and_are_not_copied():
    class Sharing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.frozen = nn.Parameter(torch.ones(2), requires_grad=False)
            self.trained = nn.Parameter(torch.zeros(2))

        def __deepcopy__(self, memo):
            copied = Sharing()
            copied.frozen = self.frozen
            return copied

    model = Sharing()
    ema = Ema(model, decay=0.5)
    version = model.frozen._version
    nn.init.constant_(model.trained, 1.0)
    ema.update(model, 100)
    assert ema.model.frozen is model.frozen
    assert model.frozen._version == version
    torch.testing.assert_close(ema.model.trained, torch.full((2,), 0.5))


def test_without_decay_there_is_no_copy():
    model = nn.Linear(1, 1)
    ema = Ema(model, decay=0.0)
    ema.update(model, 1)
    assert ema.model is model
    assert all(weight.requires_grad for weight in model.parameters())
