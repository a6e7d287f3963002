"""Crystal Text LLM (Gruver et al. 2024): crystals as language."""

from nucleate.models.crystal_llm.config import CrystalLLMConfig
from nucleate.models.crystal_llm.model import CrystalLLM

__all__ = ["CrystalLLM", "CrystalLLMConfig"]
