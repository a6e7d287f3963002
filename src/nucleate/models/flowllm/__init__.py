"""FlowLLM (Sriram et al. 2024): a language model proposes crystals, and a flow refines them."""

from nucleate.models.flowllm.model import FlowLLM

__all__ = ["FlowLLM"]
