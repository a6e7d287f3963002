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
