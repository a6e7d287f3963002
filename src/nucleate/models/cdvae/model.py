"""CDVAE: a variational autoencoder whose decoder is a diffusion model (Xie et al. 2022, arXiv:2110.06197).

An encoder maps a crystal to a latent z. From z come the number of atoms, the composition and the lattice; then a
decoder moves atoms from random places, level by level of noise, to where they belong. One model does both tasks: for
CSP the composition is given, and z is drawn with it in mind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nucleate.configuration import from_dict
from nucleate.crystals import Padded
from nucleate.geometry import torus
from nucleate.models.cdvae.composition import CLASSES, MAX_COUNT, CompositionHead, element_counts, spell
from nucleate.models.cdvae.config import CDVAEConfig, SamplingConfig
from nucleate.models.cdvae.networks import Decoder, Encoder
from nucleate.models.cdvae.noise import corrupt, draw_levels, noise_levels, scale, strained
from nucleate.models.cdvae.prior import Contents, LatentFlow
from nucleate.models.cdvae.sampling import denoise
from nucleate.models.flowmm.lattice import LatticeFlow
from nucleate.models.generator import Example, Generator, Request, Task


class CDVAE(Generator):
    """Encoder, heads, decoder and the prior over z."""

    family: ClassVar[str] = "cdvae"
    size_histogram: Tensor
    elements: Tensor

    def __init__(self, config: CDVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.lattice = LatticeFlow(config.lattice)
        self.register_buffer("size_histogram", torch.zeros(1))
        self.register_buffer("elements", torch.zeros(CLASSES, dtype=torch.bool))
        self.network = _Networks(config)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> CDVAE:
        """Builds an untrained model from plain JSON types."""
        return cls(from_dict(CDVAEConfig, config))

    @property
    def tasks(self) -> frozenset[Task]:
        """Both: the composition may be given or drawn."""
        return frozenset(Task)

    @property
    def max_atoms(self) -> int:
        """Most atoms per cell in the training set."""
        return len(self.size_histogram) - 1

    @property
    def draws(self) -> int:
        """Samples from which a prediction is chosen for CSP, from the configuration."""
        return self.config.sampling.draws

    # --- training -----------------------------------------------------------------------------------------------

    def fit(self, data: Padded) -> None:
        """Sets the scale of lattices, the histogram of sizes and the elements that occur."""
        self.lattice.fit(data)
        self.size_histogram = torch.bincount(data.counts).float()
        self.elements = element_counts(data.numbers, data.mask).sum(0) > 0

    def draw(self, batch: Padded, rng: torch.Generator) -> Example:
        """Draws noise levels, noise of coordinates and z, and what the heads have to do without."""
        count, width = batch.numbers.shape
        device = batch.frac.device

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=rng, device=rng.device).to(device)

        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=rng, device=rng.device).to(device)

        return Example(
            batch,
            {
                "level": draw_levels(self.config.noise, count, rng).to(device),
                "moves": normal(count, width, 3) * batch.mask.unsqueeze(-1),
                "strain": normal(count, 3, 3),
                "latent": normal(count, self.config.latent),
                "without": uniform(count),
                "prior_noise": normal(count, self.config.latent),
                "prior_time": uniform(count),
                "prior_told": uniform(count),
            },
        )

    def loss(self, example: Example) -> dict[str, Tensor]:
        """The terms of the loss (Xie et al. 2022, section 4.4, with its departures), each a mean over crystals."""
        crystals, noise = example
        numbers, frac, lattice, mask = crystals
        mean, log_variance = self.encode(crystals)
        z = mean + noise["latent"] * (log_variance / 2).exp()
        counts = element_counts(numbers, mask)
        contents = self.network.contents(counts)

        sigma = noise_levels(self.config.noise, frac.device)[noise["level"]]
        with torch.no_grad(), torch.autocast(frac.device.type, enabled=False):
            cell = strained(lattice, noise["strain"], self.config.noise.strain)
            noisy = corrupt(crystals._replace(lattice=cell), sigma, noise["moves"], self.config.noise)
            unit = scale(self.config.noise, sigma)[:, None, None]
        predicted = self.displacements(Padded(numbers, noisy.frac, cell, mask), z, sigma)
        error = ((predicted - noisy.displacement) / unit).square().mean(-1)

        context = self._composition_context(z, noise["without"] >= self.config.without_latent)
        target = self.lattice.encode(lattice, numbers, mask)
        guess = self.network.lattice(torch.cat([z, contents], -1)).float()
        terms = {
            "frac": _atom_mean(error, mask),
            "lattice": (guess - target).square().mean(),
            "composition": -self.network.composition.log_probability(context, spell(numbers, mask)).mean(),
            "size": F.cross_entropy(self.network.size(z).float(), mask.sum(1)),
            "divergence": 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1).mean(),
            "prior": self._prior_loss(z.detach(), contents, mask.sum(1), noise),
        }
        weights = asdict(self.config.weights)
        return {"loss": sum((weights[name] * term for name, term in terms.items()), z.new_zeros(())), **terms}

    def encode(self, crystals: Padded) -> tuple[Float[Tensor, "b l"], Float[Tensor, "b l"]]:
        """Mean and logarithm of the variance of z."""
        numbers, frac, lattice, mask = crystals
        return self.network.encoder(_one_hot(numbers), frac, lattice, mask)

    def displacements(
        self, noisy: Padded, z: Float[Tensor, "b l"], sigma: Float[Tensor, " b"]
    ) -> Float[Tensor, "b n 3"]:
        """The way back that the decoder predicts, in Å along x, y and z, without drift."""
        numbers, frac, lattice, mask = noisy
        predicted = self.network.decoder(_one_hot(numbers), frac, lattice, mask, z, sigma)
        return torus.mean_free(predicted, mask) * scale(self.config.noise, sigma)[:, None, None]

    def _composition_context(self, z: Float[Tensor, "b l"], known: Bool[Tensor, " b"]) -> Float[Tensor, "b c"]:
        """What the composition head is told: z, or that it has to do without."""
        return torch.cat([z * known[:, None], known[:, None].to(z.dtype)], -1)

    def _prior_loss(
        self,
        z: Float[Tensor, "b l"],
        contents: Float[Tensor, "b c"],
        atoms: Int[Tensor, " b"],
        noise: Mapping[str, Tensor],
    ) -> Float[Tensor, ""]:
        time, told = noise["prior_time"], noise["prior_told"]
        way = torch.lerp(noise["prior_noise"], z, time[:, None])
        # Half know the composition, a quarter the number of atoms only, a quarter nothing.
        velocity = self.network.prior(way, time, contents, told < 0.5, torch.where(told < 0.75, atoms, 0))
        return (velocity - (z - noise["prior_noise"])).square().mean()

    # --- sampling -----------------------------------------------------------------------------------------------

    @torch.no_grad()
    def sample(self, request: Request, rng: torch.Generator) -> Padded:
        """Draws z, then what z says, then coordinates."""
        options = SamplingConfig(**{**asdict(self.config.sampling), **(request.options or {})})
        mask = request.mask
        atoms = mask.sum(1)
        numbers = request.numbers
        if not bool(numbers.any()):
            nothing = torch.zeros(len(atoms), self.config.latent, device=atoms.device)
            context = self._composition_context(nothing, torch.zeros_like(atoms, dtype=torch.bool))
            drawn = self.network.composition.draw(context, atoms, self.elements, options.temperature, rng)
            numbers = F.pad(drawn, (0, mask.shape[1] - drawn.shape[1]))
        contents = self.network.contents(element_counts(numbers, mask))
        told = torch.ones_like(atoms, dtype=torch.bool)
        z = self.network.prior.draw(contents, told, atoms, self.config.prior.steps, rng)
        return self.decode(z, numbers, mask, options, request, rng)

    def decode(
        self,
        z: Float[Tensor, "b l"],
        numbers: Int[Tensor, "b n"],
        mask: Bool[Tensor, "b n"],
        options: SamplingConfig,
        request: Request | None,
        rng: torch.Generator,
    ) -> Padded:
        """Draws the structure of each composition from its z."""
        contents = self.network.contents(element_counts(numbers, mask))
        guess = self.network.lattice(torch.cat([z, contents], -1)).float()
        lattice = self.lattice.decode(guess, numbers, mask)

        def way_back(frac: Tensor, sigma: float) -> Tensor:
            level = torch.full((len(z),), sigma, device=z.device)
            return self.displacements(Padded(numbers, frac, lattice, mask), z, level)

        steps = (request.steps if request else None) or options.steps
        progress = request.progress if request else None
        frac = denoise(way_back, lattice, mask, steps, options, rng, progress)
        return Padded(numbers, frac * mask.unsqueeze(-1), lattice, mask)

    def draw_sizes(self, count: int, rng: torch.Generator) -> Int[Tensor, " count"]:
        """Draws numbers of atoms per cell from the histogram of the training set."""
        histogram = self.size_histogram.to(rng.device)
        return torch.multinomial(histogram, count, replacement=True, generator=rng).to(self.size_histogram.device)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # The histogram's length is the largest cell of the training set, which only the checkpoint knows.
        saved = state_dict.get(prefix + "size_histogram")
        if saved is not None:
            self.size_histogram = torch.zeros_like(saved, device=self.size_histogram.device)
        super()._load_from_state_dict(state_dict, prefix, *args)


class _Networks(nn.Module):
    """Everything that learns."""

    def __init__(self, config: CDVAEConfig) -> None:
        super().__init__()
        latent, width = config.latent, config.width
        self.encoder = Encoder(config.encoder, CLASSES, latent)
        self.decoder = Decoder(config.decoder, CLASSES, latent)
        self.contents = Contents(width)
        self.size = _perceptron(latent, width, MAX_COUNT + 1)
        self.composition = CompositionHead(latent + 1, width)
        self.lattice = _perceptron(latent + width, width, 6)
        self.prior = LatentFlow(latent, width, config.prior.width, config.prior.layers)


def _one_hot(numbers: Int[Tensor, "b n"]) -> Float[Tensor, "b n z"]:
    return F.one_hot(numbers, CLASSES).float()


def _perceptron(inputs: int, width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, outputs)
    )


def _atom_mean(values: Float[Tensor, "b n"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, ""]:
    """Mean over the atoms of each crystal, then over crystals, so that each crystal counts the same."""
    present = mask.to(values.dtype)
    return ((values * present).sum(1) / present.sum(1)).mean()
