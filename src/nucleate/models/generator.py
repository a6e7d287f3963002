"""The protocol that every family of models implements, and what a sampler is asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nucleate.crystals import Crystals, Padded


class Task(StrEnum):
    """What a model is asked to do."""

    CSP = "csp"
    """Crystal structure prediction: a composition goes in, structures come out."""
    DNG = "dng"
    """De novo generation: nothing goes in, compositions and structures come out."""


class Example(NamedTuple):
    """A training example of B crystals after everything random has been drawn; `noise` is the family's own."""

    crystals: Padded
    noise: Mapping[str, Tensor]

    def rows(self, rows: slice) -> Example:
        """Returns some of the crystals with their noise, as when a batch is shared between processes."""
        crystals = self.crystals.map(lambda column: column[rows])
        return Example(crystals, {name: value[rows] for name, value in self.noise.items()})


@dataclass(frozen=True, kw_only=True)
class Request:
    """B crystals to be sampled at once.

    Attributes:
        numbers: atomic numbers of each crystal for CSP, zeros for DNG, (B, N).
        mask: which of the N places hold an atom, (B, N).
        steps: network evaluations; the family's default if None.
        options: what only one family knows (such as a slope of annealing).
        progress: called with the share of steps that are done.
    """

    numbers: Int[Tensor, "b n"]
    mask: Bool[Tensor, "b n"]
    steps: int | None = None
    options: Mapping[str, Any] | None = None
    progress: Callable[[float], None] | None = None

    @classmethod
    def of(cls, compositions: Sequence[np.ndarray], device: torch.device, **settings: Any) -> Request:
        """Asks for cells with these contents, one array of atomic numbers (or zeros) each."""
        width = max(len(z) for z in compositions)
        numbers = torch.zeros(len(compositions), width, dtype=torch.int64)
        mask = torch.zeros(len(compositions), width, dtype=torch.bool)
        for row, z in enumerate(compositions):
            numbers[row, : len(z)] = torch.from_numpy(z.astype(np.int64))
            mask[row, : len(z)] = True
        return cls(numbers=numbers.to(device), mask=mask.to(device), **settings)


class FinalFit(ABC):
    """What a family fits when the loop is over, in small steps: between two of them a run can be saved and stopped.

    Attributes:
        title: what is fitted, in a word, such as "prior".
        steps: how many steps there are, where there is time for all of them.
    """

    title: str
    steps: int

    def prepare(self) -> Iterator[float]:
        """Does what comes before the first step, and again in a run that goes on; yields the share that is done."""
        yield 1.0

    @abstractmethod
    def step(self, share: float) -> None:
        """Takes one step.

        Args:
            share: of the fit that is done, in [0, 1): by steps, or by the clock where there is less time than that.
        """

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """What it takes to go on, beside the weights of the model."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state_dict` gave."""


class Generator(nn.Module, ABC):
    """A family of generative models.

    Subclasses name themselves in `family`, take one frozen dataclass as configuration, and implement `fit`, `draw`,
    `loss` and `sample`. Everything random goes through the `torch.Generator` that is passed in, so that a seed fixes
    the result and training resumes bitwise.
    """

    family: ClassVar[str]
    config: Any

    @classmethod
    @abstractmethod
    def from_config(cls, config: Mapping[str, Any]) -> Generator:
        """Builds an untrained model from a configuration in plain JSON types.

        Raises:
            ValueError: the configuration has unknown or missing entries.
        """

    @property
    def task(self) -> Task:
        """The task that this model was built for."""
        return Task(self.config.task)

    @property
    def tasks(self) -> frozenset[Task]:
        """What this model can be asked for."""
        return frozenset({self.task})

    @property
    @abstractmethod
    def max_atoms(self) -> int:
        """Most atoms per cell that the model has seen; 0 before `fit`."""

    @property
    def known_elements(self) -> frozenset[int]:
        """Atomic numbers of the elements in the training set; empty before `fit`, and where a family does not say."""
        return frozenset()

    @property
    def draws(self) -> int:
        """Samples from which a prediction is chosen for CSP, if nothing else is asked for."""
        return 1

    @property
    def pairs_at_once(self) -> int:
        """Pairs of atoms in one call of `sample`, which bounds memory whatever the size of the cells."""
        return 60_000

    @property
    def samplers(self) -> Mapping[str, Mapping[str, Any]]:
        """Named ways of sampling: what each changes among the `options` of a request."""
        return {"default": {}}

    @property
    def settings(self) -> frozenset[str]:
        """Names of the options that the sampler takes."""
        return frozenset(field.name for field in fields(self.config.sampling))

    @property
    def conditions(self) -> Mapping[str, tuple[float, float]]:
        """What a request may ask of all its crystals beside their composition, with least and most, as options.

        Where least and most are whole numbers, so is the condition.
        """
        return {}

    @property
    def labels(self) -> Sequence[str]:
        """Columns of `Crystals.info` that the model learns from as conditions, where they are known."""
        return ()

    @property
    def atoms_limit(self) -> int | None:
        """Most atoms per cell that a model of this family can be trained on; None if any number will do."""
        return None

    @abstractmethod
    def fit(self, data: Padded) -> None:
        """Sets the constants that come from the data in closed form (base distributions, histograms of sizes)."""

    @property
    def description(self) -> str | None:
        """Name and version of what `describe` says, if it is the same for all models of the family; else None."""
        return None

    def describe(
        self, crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
    ) -> Float[Tensor, "c p"] | None:
        """What the family learns from beside the crystals, found once for all of them; goes to `Padded.labels`.

        Args:
            crystals: that were built.
            jobs: processes at most; nothing depends on it.
            on_progress: called with the share done.
        """
        return None

    def lacking(self, labels: Float[Tensor, "c p"] | None) -> Mapping[str, int]:
        """How many crystals lack something that `describe` found for others, by what it is."""
        return {}

    def lengths(self, data: Padded) -> Int[Tensor, " c"]:
        """What a crystal costs; batches are of crystals that are alike in it. Atoms, if a family says nothing else."""
        return data.counts

    @torch.no_grad()
    def adopt(self, source: Generator) -> float:
        """Starts from another model's weights, such as a model for DNG from one for CSP.

        Copies every parameter of `source` that has the same name and shape here. Constants that come from the data
        (base distributions, histograms) stay as `fit` set them.

        Returns:
            The share of this model's parameters that were copied.
        """
        theirs = dict(source.named_parameters())
        copied = total = 0
        for name, parameter in self.named_parameters():
            total += parameter.numel()
            if name in theirs and theirs[name].shape == parameter.shape:
                parameter.copy_(theirs[name])
                copied += parameter.numel()
        return copied / total

    def at(self, share: float) -> None:
        """Told by the loop, before each step, which share of the training is done; few families care."""

    @abstractmethod
    def draw(self, batch: Padded, rng: torch.Generator) -> Example:
        """Draws the noise for a batch; the only random part of training."""

    @abstractmethod
    def loss(self, example: Example) -> dict[str, Tensor]:
        """Returns the named scalar terms of the loss, each a mean over crystals, with their weighted sum in `loss`."""

    def final_fit(self, data: Padded, rng: torch.Generator) -> FinalFit | None:
        """What is better fitted when the loop is over, to the training set; few families have such a thing.

        Args:
            data: training crystals, as the loop has them.
            rng: random state, on the CPU.
        """
        return None

    @abstractmethod
    def sample(self, request: Request, rng: torch.Generator) -> Padded | Crystals:
        """Samples crystals, one row a request.

        In a dense block a crystal that went wrong has NaN in it and is told apart later; a family that knows the reason
        returns `Crystals` with it.
        """

    @abstractmethod
    def draw_sizes(self, count: int, rng: torch.Generator) -> Int[Tensor, " count"]:
        """Draws numbers of atoms per cell from the training distribution, for DNG."""
