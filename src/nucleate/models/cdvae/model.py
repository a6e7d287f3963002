"""CDVAE: a variational autoencoder whose decoder is a diffusion model (Xie et al. 2022, arXiv:2110.06197).

An encoder maps a crystal to a latent z. From z come the number of atoms, the composition and the lattice; then a
decoder moves atoms from random places, level by level of noise, to where they belong. One model does both tasks: for
CSP the composition is given, and z is drawn, or searched for, with it in mind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nucleate.configuration import from_dict
from nucleate.crystals import Padded
from nucleate.geometry import lattice as cells
from nucleate.geometry import torus
from nucleate.models.cdvae.composition import MAX_COUNT, PerAtomComposition, spell
from nucleate.models.cdvae.config import SAMPLERS, CDVAEConfig, SamplingConfig
from nucleate.models.cdvae.fitting import PriorFit
from nucleate.models.cdvae.heads import Heads
from nucleate.models.cdvae.networks import Decoded
from nucleate.models.cdvae.noise import (
    corrupt,
    corrupt_types,
    draw_levels,
    noise_levels,
    scale,
    strained,
    type_noise_levels,
)
from nucleate.models.cdvae.sampling import sample_structure
from nucleate.models.generator import Example, Request, Task
from nucleate.models.networks.interface import Described
from nucleate.models.parts.atoms import CLASSES, element_counts, mean_over_crystals, numbers_of, one_hot
from nucleate.models.parts.lattice import LatticeCoordinates
from nucleate.models.parts.sizes import SizedGenerator


class CDVAE(SizedGenerator):
    """Encoder, heads, decoder and the prior over z."""

    family: ClassVar[str] = "cdvae"
    elements: Tensor

    def __init__(self, config: CDVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.lattice = LatticeCoordinates(config.lattice)
        self.register_buffer("elements", torch.zeros(CLASSES, dtype=torch.bool))
        self.network = Heads(config)
        self.share_done = 0.0

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> CDVAE:
        """Builds an untrained model from plain JSON types."""
        return cls(from_dict(CDVAEConfig, config))

    @property
    def tasks(self) -> frozenset[Task]:
        """Both: the composition may be given or drawn."""
        return frozenset(Task)

    @property
    def samplers(self) -> Mapping[str, Mapping[str, Any]]:
        """Named ways of sampling."""
        return SAMPLERS

    @property
    def known_elements(self) -> frozenset[int]:
        """Atomic numbers of the elements in the training set."""
        return numbers_of(self.elements)

    # --- training -----------------------------------------------------------------------------------------------

    def fit(self, data: Padded) -> None:
        """Sets the scale of lattices, the histogram of sizes and the elements that occur."""
        super().fit(data)
        self.lattice.fit(data)
        self.elements = element_counts(data.numbers, data.mask).sum(0) > 0

    def at(self, share: float) -> None:
        """Remembers how far training is, since teacher forcing ends at some point."""
        self.share_done = share

    def draw(self, batch: Padded, rng: torch.Generator) -> Example:
        """Draws noise levels, noise of coordinates, types and z, and what the heads have to do without."""
        count, width = batch.numbers.shape
        device = batch.frac.device

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=rng, device=rng.device).to(device)

        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=rng, device=rng.device).to(device)

        noise = {
            "level": draw_levels(self.config.noise, count, rng).to(device),
            "moves": normal(count, width, 3) * batch.mask.unsqueeze(-1),
            "strain": normal(count, 3, 3),
            "latent": normal(count, self.config.latent),
            "without": uniform(count),
            "predicted_cell": torch.full((count,), self.share_done > self.config.teacher_forcing, device=device),
        }
        if self.config.types == "denoised":
            levels = torch.randint(self.config.noise.levels, (count,), generator=rng, device=rng.device)
            noise |= {"type_level": levels.to(device), "types": uniform(count, width, CLASSES)}
        if self.network.prior is not None:
            noise |= {name: value.to(device) for name, value in self.network.prior.noise(count, rng).items()}
        return Example(batch, noise)

    def loss(self, example: Example) -> dict[str, Tensor]:
        """The terms of the loss (Xie et al. 2022, section 4.4), each a mean over crystals."""
        crystals, noise = example
        numbers, _, lattice, mask = crystals[:4]
        network = self.network
        mean, log_variance = self.encode(crystals)
        z = mean + noise["latent"] * (log_variance / 2).exp()
        counts = element_counts(numbers, mask)
        target = self.lattice.encode(lattice, numbers, mask)
        guess = network.predict_lattice(z, network.contents(counts))
        context = network.composition_context(z, noise["without"] >= self.config.without_latent)
        terms = {
            "lattice": (guess - target).square().mean(),
            "composition": network.composition.loss(context, spell(numbers, mask)).mean(),
            "size": F.cross_entropy(network.size(z).float(), mask.sum(1)),
            "divergence": 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1).mean(),
            **self._decoder_terms(example, z, guess),
        }
        if network.prior is not None:
            terms["prior"] = network.prior.loss(z.detach(), target, counts, noise)
        weights = asdict(self.config.weights)
        return {"loss": sum((weights[name] * term for name, term in terms.items()), z.new_zeros(())), **terms}

    def _decoder_terms(
        self, example: Example, z: Float[Tensor, "b l"], guess: Float[Tensor, "b 6"]
    ) -> dict[str, Tensor]:
        """Errors of the way back and, if they are denoised, of the types."""
        crystals, noise = example
        numbers, frac, lattice, mask = crystals[:4]
        config = self.config.noise
        sigma = noise_levels(config, frac.device)[noise["level"]]
        with torch.no_grad(), torch.autocast(frac.device.type, enabled=False):
            predicted = self.lattice.decode(guess, numbers, mask)
            use = noise["predicted_cell"] & predicted.isfinite().flatten(1).all(1)
            cell = strained(torch.where(use[:, None, None], predicted, lattice), noise["strain"], config.strain)
            noisy = corrupt(crystals._replace(lattice=cell), sigma, noise["moves"], config)
            unit = scale(config, sigma)[:, None, None]
        types = numbers
        type_sigma = None
        if isinstance(self.network.composition, PerAtomComposition) and "type_level" in noise:
            type_sigma = type_noise_levels(config, frac.device)[noise["type_level"]]
            types = corrupt_types(numbers, self.network.composition.log_shares(z.detach()), type_sigma, noise["types"])
        decoded = self.way_back(Padded(types, noisy.frac, cell, mask), z, sigma)
        terms = {"frac": mean_over_crystals(((decoded.moves - noisy.displacement) / unit).square().mean(-1), mask)}
        if type_sigma is not None:
            error = F.cross_entropy(decoded.types.transpose(1, 2), numbers, reduction="none")
            terms["types"] = mean_over_crystals(error / type_sigma[:, None], mask)
        return terms

    @property
    def atoms_limit(self) -> int | None:
        """What the heads of size and composition can say."""
        return MAX_COUNT

    def final_fit(self, data: Padded, rng: torch.Generator) -> PriorFit | None:
        """Fits the prior to the encoder as it is after the loop, which takes many steps of little work."""
        return None if self.network.prior is None else PriorFit(self, self.network.prior, data, rng)

    # --- the parts ----------------------------------------------------------------------------------------------

    def encode(self, crystals: Padded) -> tuple[Float[Tensor, "b l"], Float[Tensor, "b l"]]:
        """Mean and logarithm of the variance of z.

        Beside what its network makes of the surroundings of atoms, the encoder of `small` knows the composition and
        the parameters of the reduced cell, which are the crystal's own and not of the cell that describes it.
        """
        numbers, frac, lattice, mask = crystals[:4]
        with torch.no_grad(), torch.autocast(frac.device.type, enabled=False):
            reduced, _ = cells.niggli(lattice)
            counts = element_counts(numbers, mask)
            shares = counts / counts.sum(1, keepdim=True)
            whole = torch.cat([self.lattice.encode(reduced, numbers, mask), shares], -1)
        return self.network.encoder(Described(one_hot(numbers), frac, lattice, mask), whole)

    def way_back(self, noisy: Padded, z: Float[Tensor, "b l"], sigma: Float[Tensor, " b"]) -> Decoded:
        """What the decoder says of noisy crystals: moves in Å along x, y and z, without drift, and types."""
        numbers, frac, lattice, mask = noisy[:4]
        decoded = self.network.decoder(Described(one_hot(numbers), frac, lattice, mask), z, sigma)
        moves = torus.mean_free(decoded.moves, mask) * scale(self.config.noise, sigma)[:, None, None]
        return decoded._replace(moves=moves)

    # --- sampling -----------------------------------------------------------------------------------------------

    def sample(self, request: Request, rng: torch.Generator) -> Padded:
        """Draws z, or searches it for a given composition; then the composition; then the structure."""
        options = self.options(request.options)
        numbers, mask = request.numbers, request.mask
        prior, lattice = self.network.prior, None
        given = bool(numbers.any())
        if not given and prior is not None and options.order == "composition":
            numbers = self._drawn(None, mask.sum(1), options.temperature, rng, mask.shape[1])
        if bool(numbers.any()):
            if prior is None or options.condition == "search":
                z = self.search(numbers, mask, options, rng)
            else:
                z, lattice = prior.draw(element_counts(numbers, mask), self.config.prior.steps, rng)
        elif prior is None:
            z = self._normal(len(mask), rng)
            numbers, mask = self.contents(z, options.temperature, rng)
        else:
            z = prior.draw_latent(mask.sum(1), self.config.prior.steps, rng)
            numbers = self._drawn(z, mask.sum(1), options.temperature, rng, mask.shape[1])
        return self.structure(z, numbers, mask, request, rng, lattice=lattice, keep_types=given)

    def options(self, changes: Mapping[str, Any] | None) -> SamplingConfig:
        """The default sampler with some settings changed."""
        return SamplingConfig(**{**asdict(self.config.sampling), **(changes or {})})

    @torch.no_grad()
    def contents(
        self, z: Float[Tensor, "b l"], temperature: float, rng: torch.Generator
    ) -> tuple[Int[Tensor, "b n"], Bool[Tensor, "b n"]]:
        """What z says the crystals are made of: the most probable number of atoms, and a composition of so many."""
        possible = torch.zeros(self.network.size_classes, dtype=torch.bool, device=z.device)
        possible[: self.max_atoms + 1] = self.size_histogram > 0
        atoms = self.network.size(z).float().masked_fill(~possible, -torch.inf).argmax(-1)
        numbers = self._drawn(z, atoms, temperature, rng, int(atoms.max()))
        return numbers, torch.arange(numbers.shape[1], device=z.device) < atoms[:, None]

    @torch.no_grad()
    def structure(
        self,
        z: Float[Tensor, "b l"],
        numbers: Int[Tensor, "b n"],
        mask: Bool[Tensor, "b n"],
        request: Request | None,
        rng: torch.Generator,
        *,
        lattice: Float[Tensor, "b 6"] | None = None,
        keep_types: bool = True,
    ) -> Padded:
        """Draws the structure of each composition from its z: the lattice, then the places.

        Args:
            z: latents.
            numbers: compositions, one atomic number an atom.
            mask: which places hold an atom.
            request: steps, options and progress, if not the defaults.
            rng: random state.
            lattice: coordinates of the lattice, if z is not to say them.
            keep_types: leaves the types as given although the decoder could change them.
        """
        if lattice is None:
            lattice = self.network.predict_lattice(z, self.network.contents(element_counts(numbers, mask)))
        cell = self.lattice.decode(lattice, numbers, mask)
        crystals = Padded(numbers, torch.zeros(*mask.shape, 3, device=z.device), cell, mask)
        options = self.options(request.options if request else None)
        steps = (request.steps if request else None) or options.steps
        progress = request.progress if request else None
        change = not keep_types and self.config.types == "denoised"
        return sample_structure(self, crystals, z, steps, options, rng, change_types=change, progress=progress)

    def search(
        self, numbers: Int[Tensor, "b n"], mask: Bool[Tensor, "b n"], options: SamplingConfig, rng: torch.Generator
    ) -> Float[Tensor, "b l"]:
        """Finds z whose composition and number of atoms are the given ones, by Adam from N(0, I)."""
        spelling = spell(numbers, mask)
        known = torch.ones(len(mask), dtype=torch.bool, device=mask.device)
        with torch.enable_grad():
            z = self._normal(len(mask), rng).requires_grad_()
            optimizer = torch.optim.Adam([z], lr=options.search_rate)
            for _ in range(int(options.search_steps)):
                context = self.network.composition_context(z, known)
                loss = self.network.composition.loss(context, spelling).sum()
                loss = loss + F.cross_entropy(self.network.size(z).float(), mask.sum(1), reduction="sum")
                (z.grad,) = torch.autograd.grad(loss, [z])
                optimizer.step()
        return z.detach()

    def _normal(self, count: int, rng: torch.Generator) -> Float[Tensor, "b l"]:
        device = self.size_histogram.device
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device).to(device)

    def _drawn(
        self, z: Tensor | None, atoms: Int[Tensor, " b"], temperature: float, rng: torch.Generator, width: int
    ) -> Int[Tensor, "b n"]:
        """Draws compositions of so many atoms, knowing z or nothing."""
        known = torch.full_like(atoms, z is not None, dtype=torch.bool)
        z = torch.zeros(len(atoms), self.config.latent, device=atoms.device) if z is None else z
        context = self.network.composition_context(z, known)
        drawn = self.network.composition.draw(context, atoms, self.elements, temperature, rng)
        return F.pad(drawn, (0, width - drawn.shape[1]))
