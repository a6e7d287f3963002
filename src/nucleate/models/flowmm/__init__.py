"""FlowMM (Miller et al. 2024): Riemannian flow matching for crystals."""

from nucleate.models.flowmm.config import FlowMMConfig as FlowMMConfig
from nucleate.models.flowmm.config import SamplingConfig as SamplingConfig
from nucleate.models.flowmm.model import FlowMM as FlowMM
