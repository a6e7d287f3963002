"""Starting a model from the weights of another one, such as a model for DNG from one for CSP."""

from __future__ import annotations

import torch

from nucleate.models.generator import Generator


@torch.no_grad()
def warm_start(generator: Generator, source: Generator) -> float:
    """Copies every parameter of `source` that has the same name and shape here.

    Constants that come from the data (base distributions, histograms) stay as `fit` set them.

    Returns:
        The share of this model's parameters that were copied.
    """
    theirs = dict(source.named_parameters())
    copied = total = 0
    for name, parameter in generator.named_parameters():
        total += parameter.numel()
        if name in theirs and theirs[name].shape == parameter.shape:
            parameter.copy_(theirs[name])
            copied += parameter.numel()
    return copied / total
