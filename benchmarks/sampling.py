"""Structure-steps per second of sampling: one structure, one evaluation of the network.

    python -m benchmarks.sampling

The networks take turns on the same batches, in one process, so that their ratios hold on a busy machine as well.
"""

from __future__ import annotations

import torch

from benchmarks.side_by_side import Contender, arguments, build, compare, cut, take_crystals
from nucleate.crystals import Padded
from nucleate.models.generator import Request
from nucleate.models.precision import autocast


class Sampling(Contender):
    """Samples all batches with one network at each call."""

    def __init__(self, name: str, batches: list[Padded], data: Padded, steps: int) -> None:
        model, recipe = build(name, data)
        self.model, self.precision = model.eval(), recipe.training.precision
        # Langevin dynamics would take at least one step for each level; an evaluation costs the same either way.
        options = {"method": "flow"} if self.model.family == "cdvae" else None
        empty = [(torch.zeros_like(batch.numbers), batch.mask) for batch in batches]
        self.requests = [Request(numbers=n, mask=mask, steps=steps, options=options) for n, mask in empty]
        self.rng = torch.Generator().manual_seed(0)

    def __call__(self) -> None:
        for request in self.requests:
            with autocast(request.mask.device, self.precision):
                self.model.sample(request, self.rng)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--steps", type=int, default=4, help="evaluations of the network for each structure")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    data = take_crystals(args)
    runs = {name: Sampling(name, cut(data, args.batch, args.spread), data, args.steps) for name in args.networks}
    compare("sampling", "structure-step", runs, args.batch * args.batches * args.steps, args)


if __name__ == "__main__":
    main()
