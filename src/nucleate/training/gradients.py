"""Gradients of a batch: chunk by chunk where memory is short, and on CPUs a chunk for each core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import torch
from torch import Tensor, nn

from nucleate.models.generator import Example, Generator
from nucleate.models.precision import autocast
from nucleate.training.config import TrainingConfig

Terms = dict[str, Tensor]


class Gradients:
    """Adds the gradients of an example to those of the parameters, and returns the terms of the loss, detached.

    Cells are small, and so are the products of their networks: two threads that share each of them are hardly faster
    than one. So on CPUs every thread takes chunks of its own. What they find is added up in the order of the chunks,
    whichever is ready first, so that a seed fixes the result.

    Args:
        generator: whose loss it is.
        config: size of the chunks, precision, compilation.
        device: of the generator.
        threads: chunks at once; by default as many as PyTorch uses for one operator, if they may be more than one.
    """

    def __init__(
        self, generator: Generator, config: TrainingConfig, device: torch.device, threads: int | None = None
    ) -> None:
        self.config, self.device = config, device
        self.parameters = [parameter for parameter in generator.parameters() if parameter.requires_grad]
        self.objective: Callable[[Example], Terms] = Objective(generator)
        compiled = _wants_compile(device, config)
        if compiled:
            self.objective = torch.compile(self.objective, dynamic=True)
        together = compiled or device.type != "cpu" or _has_dropout(generator)
        self.threads = 1 if together else threads or torch.get_num_threads()
        self.pool = _pool(self.threads) if self.threads > 1 else None

    def __call__(self, example: Example) -> Terms:
        """Finds them."""
        count = len(example.crystals.numbers)
        parts = list(chunks(example, min(self.config.chunk or count, -(-count // self.threads))))
        return joined(parts, self._each(parts, count))

    def _each(self, parts: list[Example], count: int) -> Iterator[Terms]:
        if self.pool is None or len(parts) == 1:
            for part in parts:
                loss, terms = self._loss(part, count)
                loss.backward()
                yield terms
            return
        for found, terms in self.pool.map(lambda part: self._found(part, count), parts):
            for parameter, gradient in zip(self.parameters, found, strict=True):
                if gradient is not None and parameter.grad is not None:
                    parameter.grad.add_(gradient)
                elif gradient is not None:
                    parameter.grad = gradient
            yield terms

    def _found(self, part: Example, count: int) -> tuple[tuple[Tensor | None, ...], Terms]:
        loss, terms = self._loss(part, count)
        return torch.autograd.grad(loss, self.parameters, allow_unused=True), terms

    def _loss(self, part: Example, count: int) -> tuple[Tensor, Terms]:
        """The chunk's share of the loss, and its terms, detached."""
        # Converted weights would be kept for all threads, and thrown away by the first that is done.
        with autocast(self.device, self.config.precision, keep=self.pool is None):
            terms = self.objective(part)
        share = len(part.crystals.numbers) / count
        return terms["loss"] * share, {name: value.detach() for name, value in terms.items()}


class Objective(nn.Module):
    """The loss as a module, which is what torch.compile takes."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, example: Example) -> Terms:
        """Returns the named terms of the loss."""
        return self.generator.loss(example)


def chunks(example: Example, size: int) -> Iterator[Example]:
    """Parts of an example of at most so many crystals, in order."""
    count = len(example.crystals.numbers)
    if size >= count:
        yield example
        return
    for start in range(0, count, size):
        yield example.rows(slice(start, start + size))


def joined(parts: Sequence[Example], terms: Iterable[Terms]) -> Terms:
    """Terms of a whole example from those of its chunks: means over crystals, which add up by their shares."""
    counts = [len(part.crystals.numbers) for part in parts]
    total: Terms = {}
    for count, those in zip(counts, terms, strict=True):
        share = count / sum(counts)
        total = {name: total.get(name, 0) + share * value for name, value in those.items()}
    return total


def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads whose operators have one thread each, while those of this thread keep theirs."""
    own = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, initializer=_work_alone)
    ready = Barrier(threads)
    list(pool.map(lambda _: ready.wait(), range(threads)))
    torch.set_num_threads(own)
    return pool


def _work_alone() -> None:
    """Gives the operators of this thread one thread."""
    torch.get_num_threads()  # a thread that has not asked yet takes over the number of the others later
    torch.set_num_threads(1)


def _has_dropout(model: nn.Module) -> bool:
    """Dropout draws from one random state, in the order of the threads."""
    return any(isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0 for module in model.modules())


def _wants_compile(device: torch.device, config: TrainingConfig) -> bool:
    """Compilation pays on GPUs; on CPUs it took minutes for shapes that change with the size of the cells."""
    return config.compile == "on" or (config.compile == "auto" and device.type == "cuda")
