"""Structures per second of training: noise, forward, backward, clipping, optimiser, as the training loop does them.

    python -m benchmarks.training

The networks take turns on the same batches, in one process, so that their ratios hold on a busy machine as well.
"""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.side_by_side import Contender, arguments, build, compare, cut, take_crystals
from nucleate.crystals import Padded
from nucleate.memory import keep_freed_memory
from nucleate.training.gradients import Gradients
from nucleate.training.optimizers import build_optimizers


class Training(Contender):
    """Trains one network on all batches at each call."""

    def __init__(self, name: str, batches: list[Padded], data: Padded) -> None:
        keep_freed_memory()  # as `nucleate train` does
        self.model, recipe = build(name, data)
        self.config = recipe.training
        self.gradients = Gradients(self.model, self.config, data.mask.device)
        self.in_one_thread = self.gradients
        if self.gradients.pool is not None:
            self.in_one_thread = Gradients(self.model, self.config, data.mask.device, threads=1)
        self.optimizers = build_optimizers(self.model, self.config)
        self.batches = batches
        self.rng = torch.Generator().manual_seed(0)

    def __call__(self) -> None:
        self._turn(self.gradients)

    def counted(self) -> None:
        """The same in the thread that calls, since operations are counted there."""
        self._turn(self.in_one_thread)

    def _turn(self, gradients: Gradients) -> None:
        for batch in self.batches:
            gradients(self.model.draw(batch, self.rng))
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
            self.optimizers.step(self.config.learning_rate)


def main() -> None:
    args = arguments(__doc__).parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    data = take_crystals(args)
    runs = {name: Training(name, cut(data, args.batch, args.spread), data) for name in args.networks}
    compare("training", "structure", runs, args.batch * args.batches, args)


if __name__ == "__main__":
    main()
