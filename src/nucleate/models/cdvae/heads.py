"""Everything of CDVAE that learns: encoder, decoder, the heads on z, and the prior over z."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nucleate.models.cdvae.composition import (
    MAX_COUNT,
    CompositionHead,
    PerAtomComposition,
    SpelledComposition,
)
from nucleate.models.cdvae.config import CDVAEConfig
from nucleate.models.cdvae.networks import Decoder, Encoder, PublishedDecoder, PublishedEncoder
from nucleate.models.cdvae.prior import Contents, NoContents, Prior
from nucleate.models.networks.layers import perceptron
from nucleate.models.parts.atoms import CLASSES


class Heads(nn.Module):
    """The networks of one configuration, with one face for all."""

    def __init__(self, config: CDVAEConfig) -> None:
        super().__init__()
        latent, width = config.latent, config.width
        outputs = CLASSES if config.types == "denoised" else 0
        if config.backbone == "gemnet":
            self.encoder: nn.Module = PublishedEncoder(config.dimenet, CLASSES, latent)
            self.decoder: nn.Module = PublishedDecoder(config.gemnet, CLASSES, outputs, latent)
        else:
            self.encoder = Encoder(config.encoder, CLASSES, 6 + CLASSES, latent)
            self.decoder = Decoder(config.decoder, CLASSES, outputs, latent)
        fitted = config.prior.kind == "flow"
        self.contents: Contents | NoContents = Contents(width) if fitted else NoContents()
        self.size_classes = MAX_COUNT + 1
        self.size = perceptron(latent, width, self.size_classes)
        self.composition: CompositionHead = (
            SpelledComposition(latent + 1, width)
            if config.composition == "spelled"
            else PerAtomComposition(latent, width)
        )
        self.lattice = perceptron(latent + self.contents.width, width, 6)
        self.prior = Prior(latent, config.prior.width, config.prior.layers) if fitted else None

    def predict_lattice(self, z: Float[Tensor, "b l"], contents: Float[Tensor, "b c"]) -> Float[Tensor, "b 6"]:
        """Coordinates of the lattice, from z and, where there is an embedding of it, the composition."""
        return self.lattice(torch.cat([z, contents], -1)).float()

    def composition_context(self, z: Float[Tensor, "b l"], known: Bool[Tensor, " b"]) -> Float[Tensor, "b c"]:
        """What the composition head is told: z, or that it has to do without. The published head always has z."""
        if isinstance(self.composition, PerAtomComposition):
            return z
        return torch.cat([z * known[:, None], known[:, None].to(z.dtype)], -1)
