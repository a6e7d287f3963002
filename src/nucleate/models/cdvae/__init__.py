"""CDVAE (Xie et al. 2022): a variational autoencoder whose decoder is a diffusion model."""

from nucleate.models.cdvae.config import CDVAEConfig as CDVAEConfig
from nucleate.models.cdvae.config import SamplingConfig as SamplingConfig
from nucleate.models.cdvae.model import CDVAE as CDVAE
