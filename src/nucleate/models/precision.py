"""Mixed precision where the hardware has it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def autocast(device: torch.device, precision: str = "auto", *, keep: bool = True) -> AbstractContextManager[object]:
    """bfloat16 autocast on GPUs and on CPUs with matrix instructions for it (3 to 4 times the speed), else nothing.

    Args:
        device: where products are done.
        precision: "bf16", "fp32", or "auto" for what the hardware has.
        keep: whether converted weights are kept until the end, for all threads of the process.
    """
    if precision == "fp32" or (precision == "auto" and not has_bfloat16(device)):
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=keep)


def has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 products are done in hardware."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
