"""Configuration of CDVAE."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from nucleate.models.flowmm.lattice import LatticeConfig
from nucleate.models.networks.vectorformer import VectorformerConfig


@dataclass(frozen=True, kw_only=True)
class NoiseConfig:
    """Noise of the coordinates.

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
    """

    levels: int = 50
    largest: float = 10.0
    smallest: float = 0.01
    centre: float | None = None
    width: float = 1.2
    spread: float = float("inf")
    couple: bool = False
    strain: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PriorConfig:
    """The fitted prior over z.

    Attributes:
        width: hidden numbers of the flow.
        layers: residual blocks.
        steps: Heun steps from noise to z.
    """

    width: int = 256
    layers: int = 4
    steps: int = 25


@dataclass(frozen=True, kw_only=True)
class WeightsConfig:
    """Weights of the terms of the loss, each a mean over crystals.

    Attributes:
        frac: squared error of the displacements, a mean over atoms and axes.
        lattice: squared error of the lattice coordinates.
        composition: minus the logarithm of the probability of the composition.
        size: the same of the number of atoms.
        divergence: Kullback-Leibler divergence of z from N(0, 1), a sum over its components.
        prior: squared error of the velocity of the flow over z, which teaches the prior only.
    """

    frac: float = 2.0
    lattice: float = 4.0
    composition: float = 1.0
    size: float = 1.0
    divergence: float = 0.01
    prior: float = 1.0


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How crystals are drawn.

    Attributes:
        steps: network evaluations.
        start: σ of the first step, Å.
        end: σ of the last step, Å, from which one step leads to the denoised place.
        rho: spacing of the levels in between (Karras et al. 2022): even in σ^(1/rho).
        churn: share by which noise is raised again before each step.
        temperature: of the composition head.
        draws: samples for each composition, of which the most typical is given (CSP).
    """

    steps: int = 50
    start: float = 3.0
    end: float = 0.02
    rho: float = 4.0
    churn: float = 0.0
    temperature: float = 1.0
    draws: int = 1


@dataclass(frozen=True, kw_only=True)
class CDVAEConfig:
    """One model of the family. It does both tasks.

    Attributes:
        task: "csp" or "dng", what the model was trained for in the first place.
        latent: length of z.
        width: hidden numbers of the heads.
        encoder: sizes of the encoder.
        decoder: sizes of the decoder.
        lattice: coordinates of the lattice.
        noise: of the coordinates.
        prior: the fitted prior over z.
        weights: of the terms of the loss.
        without_latent: how often the composition head has to do without z.
        sampling: default sampler.
    """

    task: Literal["csp", "dng"]
    latent: int = 64
    width: int = 256
    encoder: VectorformerConfig = field(
        default_factory=lambda: VectorformerConfig(width=128, pair_width=32, layers=2, heads=4)
    )
    decoder: VectorformerConfig = field(default_factory=VectorformerConfig)
    lattice: LatticeConfig = field(default_factory=LatticeConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    prior: PriorConfig = field(default_factory=PriorConfig)
    weights: WeightsConfig = field(default_factory=WeightsConfig)
    without_latent: float = 0.3
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
