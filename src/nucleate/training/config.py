"""Configuration of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a model is trained. The defaults are plain; recipes say what is good for which model.

    Attributes:
        batch: crystals per step, all processes together.
        chunk: crystals whose gradients are found at once, on CPUs by each thread, which bounds memory; 0 for all of a
            process's share.
        epochs: passes over the data, if there is no budget.
        budget: wall-clock seconds to which the schedule is fitted instead; None for `epochs`.
        optimizer: "adamw", or "muon" for the matrices inside the network (Jordan et al. 2024) with AdamW for the rest.
        learning_rate: at the top of the schedule.
        final_learning_rate: at its end, as a share of the top.
        warmup: steps of linear warm-up, after which the rate follows half a cosine.
        weight_decay: decoupled.
        clip_norm: largest norm of the gradient.
        ema: decay of the averaged weights.
        precision: "bf16" uses autocast, "fp32" does not, "auto" chooses bf16 where the hardware has it.
        compile: torch.compile of the network; "auto" does so on GPUs.
        validate_every: seconds between validations; each writes the weights if they are the best so far.
        validation_batches: batches of validation, drawn once.
        select: which weights are called the best: those of the lowest "validation" loss, or the "last" ones, for models
            whose samples go on getting better when their likelihood no longer does.
        save_every: seconds between checkpoints, which is the most that a kill −9 loses.
        seed: of everything random.
    """

    batch: int = 256
    chunk: int = 0
    epochs: float = 1000.0
    budget: float | None = None
    optimizer: Literal["adamw", "muon"] = "adamw"
    learning_rate: float = 1e-3
    final_learning_rate: float = 0.01
    warmup: int = 200
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    ema: float = 0.999
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    compile: Literal["auto", "on", "off"] = "auto"
    validate_every: float = 120.0
    validation_batches: int = 16
    select: Literal["validation", "last"] = "validation"
    save_every: float = 60.0
    seed: int = 0
