"""Configuration of FlowMM."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from nucleate.models.networks.cspnet import CSPNetConfig
from nucleate.models.networks.pairformer import PairformerConfig
from nucleate.models.parts.lattice import LatticeConfig


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How the ordinary differential equation is integrated.

    Attributes:
        steps: Euler steps, one network evaluation each.
        frac_slope: s in the anti-annealing v·(1 + s·t) of the coordinates' velocity.
        lattice_slope: the same for the lattice.
        capped: never moves further than the end that the velocity points to, (1 − t)·v. The published sampler does: its
            last step is 1 + s times as long as what is left of the way.
        draws: samples for each composition, of which the most typical is given (CSP).
    """

    steps: int = 100
    frac_slope: float = 10.0
    lattice_slope: float = 0.0
    capped: bool = False
    draws: int = 1


@dataclass(frozen=True, kw_only=True)
class FlowMMConfig:
    """One model of the family.

    Attributes:
        task: "csp" (types are given) or "dng" (types are generated).
        backbone: which network predicts the velocities.
        cspnet: its sizes, if it is CSPNet.
        pairformer: its sizes, if it is the pair transformer.
        lattice: coordinates and base of the lattice.
        types: for DNG, what the network is given and predicts: "bits" regresses the velocity of the analog bits, as
            published; "posterior" reads the probability of each element and predicts the final one by cross-entropy.
        base: "noise" starts from the base distributions; "given" from crystals that somebody proposes, as FlowLLM does.
        base_frac: width of the noise on the fractional coordinates of a proposal, Å.
        base_lattice: width of the noise on the coordinates of its lattice.
        couple: permutes the noise among like atoms to shorten the paths.
        invert: draws each crystal or its mirror image with equal chance.
        frac_weight: of the coordinates' term.
        lattice_weight: of the lattice's term.
        types_weight: of the types' term.
        sampling: default integration.
    """

    task: Literal["csp", "dng"]
    backbone: Literal["cspnet", "pairformer"] = "cspnet"
    cspnet: CSPNetConfig = field(default_factory=CSPNetConfig)
    pairformer: PairformerConfig = field(default_factory=PairformerConfig)
    lattice: LatticeConfig = field(default_factory=LatticeConfig)
    types: Literal["bits", "posterior"] = "bits"
    base: Literal["noise", "given"] = "noise"
    base_frac: float = 0.2
    base_lattice: float = 0.1
    couple: bool = False
    invert: bool = False
    frac_weight: float = 400.0
    lattice_weight: float = 1.0
    types_weight: float = 40.0
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
