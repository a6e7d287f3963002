"""Configuration of CDVAE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nucleate.models.networks.dimenet import DimeNetConfig
from nucleate.models.networks.gemnet import GemNetConfig
from nucleate.models.networks.vectorformer import VectorformerConfig
from nucleate.models.parts.lattice import LatticeConfig


@dataclass(frozen=True, kw_only=True)
class NoiseConfig:
    """Noise of coordinates and types, and of the cell they are in.

    Attributes:
        levels: number of noise levels, a geometric sequence.
        largest: first of the levels, Å.
        smallest: last of the levels, Å.
        centre: where training draws levels most often, Å; None draws all alike, as published.
        width: standard deviation of the logarithm of the level, if there is a centre.
        spread: Å; what the network predicts is the displacement in units of σ for levels far below it, and of it for
            levels far above; infinite as published.
        couple: permutes the noisy places among like atoms to shorten the way back.
        strain: size of the random strains of the cells that the decoder learns on; it will be given predicted cells.
        types_largest: first level of the noise of types, the weight of the predicted composition against the true type.
        types_smallest: last level of it.
    """

    levels: int = 50
    largest: float = 10.0
    smallest: float = 0.01
    centre: float | None = None
    width: float = 1.2
    spread: float = float("inf")
    couple: bool = False
    strain: float = 0.0
    types_largest: float = 5.0
    types_smallest: float = 0.01


@dataclass(frozen=True, kw_only=True)
class PriorConfig:
    """The prior over z.

    Attributes:
        kind: "normal", as published, or "flow", which is fitted to where the encoder puts crystals and may know the
            composition.
        width: hidden numbers of the flows.
        layers: residual blocks of each.
        steps: Heun steps from noise to z.
        fit_steps: steps in which it is fitted again after the training, to the encoder as it then is.
        fit_batch: crystals per such step.
        fit_rate: learning rate of AdamW at the start of them.
    """

    kind: Literal["normal", "flow"] = "normal"
    width: int = 256
    layers: int = 4
    steps: int = 25
    fit_steps: int = 4800
    fit_batch: int = 384
    fit_rate: float = 2e-3


@dataclass(frozen=True, kw_only=True)
class WeightsConfig:
    """Weights of the terms of the loss, each a mean over crystals. The defaults are the published ones.

    Attributes:
        frac: squared error of the displacements, a mean over atoms and axes. The paper's 10 is for half of their sum
            over axes.
        types: cross-entropy of the denoised types, divided by their noise.
        lattice: squared error of the lattice coordinates, a mean over the six.
        composition: of the composition head, see there.
        size: minus the logarithm of the probability of the number of atoms.
        divergence: Kullback-Leibler divergence of z from N(0, 1), a sum over its components.
        prior: squared error of the velocity of the flow over z, which teaches the prior only.
    """

    frac: float = 15.0
    types: float = 1.0
    lattice: float = 10.0
    composition: float = 1.0
    size: float = 1.0
    divergence: float = 0.01
    prior: float = 1.0


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How crystals are drawn.

    Attributes:
        method: "langevin" takes many small noisy steps at each level, as published; "flow" goes down the levels along
            the probability flow.
        steps: network evaluations; for Langevin dynamics the smallest multiple of the levels that is as many.
        start: σ of the first step of the flow, Å.
        end: σ of its last step, Å, from which one step leads to the denoised place.
        rho: spacing of the levels in between (Karras et al. 2022): even in σ^(1/rho).
        churn: share by which noise is raised again before each step of the flow.
        descent: evaluations that follow the others, without noise, each going all the way that the decoder points.
        descent_start: σ of the first of these, Å; the last is told `end`.
        step_rate: of Langevin dynamics: the square of its step at the last level, Å².
        order: "latent" draws z and from it the composition, as published; "composition" draws the composition first,
            and z with it in mind, which takes a fitted prior and a head that can do without z.
        temperature: of the composition head.
        condition: how z is found for a composition: "prior" draws it, given the composition, if there is a fitted
            prior; "search" looks for a z that says this composition, as the founding study does.
        search_steps: of Adam in that search.
        search_rate: learning rate of that search.
        draws: samples for each composition, of which the most typical is given (CSP).
    """

    method: Literal["langevin", "flow"] = "langevin"
    steps: int = 5000
    start: float = 3.0
    end: float = 0.02
    rho: float = 4.0
    churn: float = 0.0
    descent: int = 0
    descent_start: float = 0.1
    step_rate: float = 1e-4
    order: Literal["latent", "composition"] = "latent"
    temperature: float = 1.0
    condition: Literal["prior", "search"] = "prior"
    search_steps: int = 20_000
    search_rate: float = 1e-4
    draws: int = 1


SAMPLERS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "flow": {"method": "flow", "steps": 50, "churn": 0.0},
    "descent": {"descent": 10},
    "langevin": {"method": "langevin", "steps": 5000},
    "search": {"condition": "search", "search_steps": 20_000},
}
"""Named ways of sampling. `flow`: the probability flow without noise on the way. `descent`: the default, and ten
evaluations without noise behind it. `langevin`: 50 levels of 100 steps as published, if the model has 50. `search`: z
searched for each composition, as in the founding study."""


@dataclass(frozen=True, kw_only=True)
class CDVAEConfig:
    """One model of the family. It does both tasks.

    Attributes:
        task: "csp" or "dng", what the model was trained for in the first place.
        backbone: "gemnet" encodes with DimeNet++ and decodes with GemNet-T, as published; "vectorformer" does both with
            the equivariant transformer.
        dimenet: sizes of the published encoder.
        gemnet: sizes of the published decoder.
        encoder: sizes of the transformer that encodes.
        decoder: sizes of the transformer that decodes.
        latent: length of z.
        width: hidden numbers of the heads.
        composition: "per_atom" draws the atoms by themselves, as published; "spelled" element by element.
        types: "denoised" lets the decoder change the types while it moves the atoms, as published; "given" leaves them
            as the composition head says.
        lattice: coordinates of the lattice.
        noise: of coordinates and types.
        prior: over z.
        weights: of the terms of the loss.
        without_latent: how often the composition head has to do without z, if it is "spelled".
        teacher_forcing: share of the training in which the decoder is given true cells, then predicted ones.
        sampling: default sampler.

    Raises:
        ValueError: types are to be denoised, but there is no composition per atom to mix them with.
    """

    task: Literal["csp", "dng"]
    backbone: Literal["gemnet", "vectorformer"] = "gemnet"
    dimenet: DimeNetConfig = field(default_factory=DimeNetConfig)
    gemnet: GemNetConfig = field(default_factory=GemNetConfig)
    encoder: VectorformerConfig = field(default_factory=VectorformerConfig)
    decoder: VectorformerConfig = field(default_factory=VectorformerConfig)
    latent: int = 256
    width: int = 256
    composition: Literal["per_atom", "spelled"] = "per_atom"
    types: Literal["denoised", "given"] = "denoised"
    lattice: LatticeConfig = field(default_factory=LatticeConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    prior: PriorConfig = field(default_factory=PriorConfig)
    weights: WeightsConfig = field(default_factory=WeightsConfig)
    without_latent: float = 0.0
    teacher_forcing: float = 1.0
    sampling: SamplingConfig = field(default_factory=SamplingConfig)

    def __post_init__(self) -> None:
        if self.types == "denoised" and self.composition != "per_atom":
            raise ValueError("types can be denoised only where the composition is per_atom")
