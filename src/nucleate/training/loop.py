"""The one training loop. The data lies on the device; a batch is an index into it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nucleate.crystals import Crystals, Padded
from nucleate.errors import UserError
from nucleate.models.checkpoint import save_weights
from nucleate.models.generator import Example, Generator
from nucleate.models.precision import autocast
from nucleate.parallel import available_cores
from nucleate.training.batches import epoch_batches
from nucleate.training.config import TrainingConfig
from nucleate.training.described import described
from nucleate.training.distributed import World
from nucleate.training.ema import Ema
from nucleate.training.finishing import Finish, Needs, seconds_of_final_fit
from nucleate.training.gradients import Gradients, chunks, joined
from nucleate.training.interruption import Interruption
from nucleate.training.optimizers import build_optimizers
from nucleate.training.run_folder import RunFolder
from nucleate.training.schedule import learning_rate, progress

LOG_EVERY = 20
"""Steps per line of metrics."""

LOG_AFTER = 20.0
"""Seconds after which there is a line although the steps are fewer, so that a large model is seen to move."""


class Trainer:
    """Trains one model in one run folder. `run` may be interrupted at any step and goes on from the checkpoint.

    Args:
        generator: the model, already fitted to the data.
        data: training crystals; those that were not built are left out.
        validation: crystals that decide which weights are best.
        config: how to train.
        folder: where everything is written.
        world: this process among others.
        on_progress: called with the share done and a short line of numbers.
        keep_in: folder where what the family says of the crystals is kept for the next training.
    """

    def __init__(
        self,
        generator: Generator,
        data: Crystals,
        validation: Crystals,
        config: TrainingConfig,
        folder: RunFolder,
        world: World | None = None,
        on_progress: Callable[[float, str], None] | None = None,
        keep_in: Path | None = None,
    ) -> None:
        self.world = world or World()
        if config.batch % self.world.size:
            raise UserError(f"a batch of {config.batch} cannot be shared by {self.world.size} processes")
        device = self.world.device
        self.config, self.folder = config, folder
        self.on_progress = on_progress or _say_nothing
        self.generator = generator.to(device)
        self.ema = Ema(self.generator, config.ema)
        self.optimizers = build_optimizers(self.generator, config)
        self.keep_in = keep_in
        self.data = self._prepared(data)
        self.lacking = generator.lacking(self.data.labels)
        """Training crystals that lack something that the family found for others, by what it is."""
        self.lengths = generator.lengths(self.data).cpu()
        if len(self.lengths) < self.world.size:
            raise UserError(f"{len(self.lengths)} crystals are too few to train on")
        # Every process draws the noise of the whole batch and uses its rows of it: the result does not depend on
        # how many processes there are.
        self.rng = torch.Generator().manual_seed(config.seed)
        self.order = torch.Generator().manual_seed(config.seed + 1)
        self.validation = self._validation_examples(self._prepared(validation))
        self.gradients = Gradients(self.generator, config, device)
        self.step, self.elapsed, self.best = 0, 0.0, float("inf")
        self.started = time.monotonic()
        self.saved = self.started
        self.needs: Needs | None = None
        """Seconds of what comes after the loop, measured if there is a budget."""
        self.finish = Finish()
        self.queue: list[Tensor] = []
        per_epoch = max(1, len(self.lengths) // min(config.batch, len(self.lengths)))
        self.total_steps = max(1, round(config.epochs * per_epoch))

    # --- the loop -----------------------------------------------------------------------------------------------

    def run(self, interruption: Interruption | None = None) -> bool:
        """Trains until the schedule ends or an interruption is asked for.

        Returns:
            Whether the schedule ended.
        """
        stop = interruption or Interruption()
        with stop.awaited():
            if self.step == 0:
                self.save()  # a run that is killed in its first minute goes on as well
            self.saved = time.monotonic()
            self.started = self.saved - self.elapsed
            ended = self._loop(stop) and self._final_fit(stop)
            self.elapsed = self._now()
            if ended or not self.world.agree(float(self.finish.taken)):  # what is half fitted is not the best so far
                self.validate(1.0 if ended else self._share())
            self.elapsed = self._now()
            self.save()
        return ended

    def _loop(self, stop: Interruption) -> bool:
        """Takes steps until their share of the schedule ends, or a stop is asked for; returns whether it ended."""
        if self.config.budget is not None and self.needs is None:
            self.needs = self._measured()
        validated = logged = time.monotonic()
        recent: list[dict[str, Tensor]] = []
        while True:
            self.elapsed = self._now()
            share = self._share()
            over = share >= 1 and self.step > 0
            if over or self.world.agree(float(stop.asked)):
                return over
            recent.append(self.train_step(share))
            now = time.monotonic()
            if self.step % LOG_EVERY == 0 or now - logged >= LOG_AFTER:
                logged = now
                self._log("train", _average(recent), share)
                recent.clear()
            if self.world.agree(float(now - validated >= self.config.validate_every)):
                validated = now
                self.validate(share)
            self._save_now_and_then()

    def _final_fit(self, stop: Interruption) -> bool:
        """Fits what the family fits after the loop, in the leading process; returns whether that is over."""
        if self.world.leads and not self.finish.ended:
            rng = torch.Generator().manual_seed(self.config.seed + 2)
            fit = self.ema.model.final_fit(self.data, rng)
            if fit is not None:

                def pause() -> bool:
                    self.elapsed = time.monotonic() - self.started
                    self._save_now_and_then()
                    return stop.asked

                end = None if self.config.budget is None else self.config.budget - self._reserved()[1]
                self.finish.run(fit, lambda: time.monotonic() - self.started, end, pause, self.on_progress)
            else:
                self.finish.ended = True
        return bool(self.world.agree(float(self.finish.ended)))

    def _now(self) -> float:
        """Seconds of the run so far, interruptions not counted."""
        return self.world.agree(time.monotonic() - self.started)

    def _share(self) -> float:
        """Share of the loop that is done, which leaves time for what comes after it."""
        budget = self.config.budget
        return progress(
            self.step, self.elapsed, self.total_steps, None if budget is None else budget - sum(self._reserved())
        )

    def _reserved(self) -> tuple[float, float]:
        """Seconds of the budget that are kept free for the final fit and the last validation."""
        return (self.needs or Needs()).reserved(self.config.budget or 0.0)

    def _measured(self) -> Needs:
        """How long what comes after the loop takes, on this machine."""
        started, validation = time.monotonic(), 0.0
        if self.validation:
            with torch.no_grad(), autocast(self.world.device, self.config.precision):
                self._loss(self.validation[0].rows(slice(0, _MEASURED)))
            count = sum(len(example.crystals.numbers) for example in self.validation)
            validation = (time.monotonic() - started) * count / min(_MEASURED, count)
        fit = seconds_of_final_fit(self.ema.model, self.data) if self.world.leads else 0.0
        return Needs(self.world.agree(fit), self.world.agree(validation))

    def train_step(self, share: float) -> dict[str, Tensor]:
        """One optimisation step; returns the detached terms of the loss."""
        if not self.queue:
            self.queue = epoch_batches(self.lengths, self.config.batch, self.order)
        index = self.queue.pop()
        self.generator.at(share)
        whole = self.generator.draw(self.data.take(index.to(self.world.device)), self.rng)
        terms = self.gradients(whole.rows(self.world.rows(len(index))) if self.world.size > 1 else whole)
        self.world.average_gradients(self.generator)
        nn.utils.clip_grad_norm_(self.generator.parameters(), self.config.clip_norm)
        self.optimizers.step(learning_rate(self.config, self.step, share))
        self.step += 1
        self.finish = Finish()  # what was fitted to other weights is fitted again
        self.ema.update(self.generator, self.step)
        return {name: self.world.mean(value) for name, value in terms.items()}

    @torch.no_grad()
    def validate(self, share: float = 1.0) -> dict[str, float]:
        """Loss of the averaged weights on fixed noise; writes the weights if they are the best so far."""
        if not self.validation:
            return {}
        model = self.ema.model
        was_training = model.training
        model.eval()  # without dropout
        with autocast(self.world.device, self.config.precision):
            terms = _average([self._loss(example) for example in self.validation])
        model.train(was_training)
        self._log("val", terms, share)
        improved = terms["loss"] < self.best
        self.best = min(self.best, terms["loss"])
        if self.world.leads and (improved or self.config.select == "last"):
            save_weights(self.ema.model, self.folder.best, self._notes())
        return terms

    def _loss(self, example: Example) -> dict[str, Tensor]:
        """Terms of the averaged weights, in chunks as the gradients are found."""
        parts = list(chunks(example, self.config.chunk or len(example.crystals.numbers)))
        return joined(parts, map(self.ema.model.loss, parts))

    # --- going on -----------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Writes the checkpoint and the latest averaged weights.

        Raises:
            UserError: they cannot be written, as on a full disk; the last ones are still there.
        """
        if not self.world.leads:
            return
        self.folder.save_checkpoint(
            {
                "model": self.generator.state_dict(),
                "ema": self.ema.model.state_dict(),
                "optimizers": self.optimizers.state_dict(),
                "rng": self.rng.get_state(),
                "order": self.order.get_state(),
                "queue": self.queue,
                "step": self.step,
                "elapsed": self.elapsed,
                "best": self.best,
                "crystals": len(self.lengths),
                "needs": asdict(self.needs) if self.needs else None,
                "finish": self.finish.record(),
                "training": asdict(self.config),
            }
        )
        save_weights(self.ema.model, self.folder.last, self._notes())

    def resume(self) -> None:
        """Goes back to the checkpoint: weights, optimisers, random states, place in the epoch, schedule.

        Raises:
            UserError: there is no usable checkpoint, or it is of another model or of other crystals.
        """
        state = self.folder.load_checkpoint()
        count = len(self.lengths)
        queue = [int(index.max()) for index in state.get("queue", []) if len(index)]
        if state.get("crystals", count) != count or max(queue, default=0) >= count:
            raise UserError(f"{self.folder.checkpoint} is of a run on other crystals than these {count:,}")
        try:
            self.generator.load_state_dict(state["model"])
            self.ema.model.load_state_dict(state["ema"])
            self.optimizers.load_state_dict(state["optimizers"])
            self.rng.set_state(state["rng"])
            self.order.set_state(state["order"])
            self.queue = list(state["queue"])
            self.step, self.elapsed, self.best = state["step"], state["elapsed"], state["best"]
            self.needs = Needs(**state["needs"]) if state.get("needs") else None
            self.finish = Finish(**state["finish"]) if state.get("finish") else Finish()
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{self.folder.checkpoint} does not fit this model: {reason}") from error
        if self.world.leads:
            self.folder.forget_after(self.step)

    def _prepared(self, crystals: Crystals) -> Padded:
        """The crystals on the device, with what the family says of them."""
        built = crystals[crystals.built]
        jobs = max(1, available_cores() // self.world.size)
        labels = described(
            self.generator,
            built,
            self.keep_in,
            jobs=jobs,
            on_progress=lambda share: self.on_progress(share, "describing crystals"),
        )
        return dense(built, torch.device("cpu"))._replace(labels=labels).to(self.world.device)

    def _save_now_and_then(self) -> None:
        """Saves if it is time to."""
        now = time.monotonic()
        if now - self.saved >= self.config.save_every:
            self.saved = now
            self.save()

    # --- bits and pieces ----------------------------------------------------------------------------------------

    def _validation_examples(self, data: Padded) -> list[Example]:
        if not len(data.numbers):
            return []
        rng = torch.Generator().manual_seed(_VALIDATION_SEED)
        batches = epoch_batches(self.generator.lengths(data).cpu(), self.config.batch, rng)[
            : self.config.validation_batches
        ]
        return [self.generator.draw(data.take(index.to(data.mask.device)), rng) for index in batches]

    def _notes(self) -> dict[str, Any]:
        return {"steps": self.step, "seconds": round(self.elapsed, 1), "best_validation_loss": self.best}

    def _log(self, split: str, terms: Mapping[str, Tensor | float], share: float) -> None:
        if not self.world.leads:
            return
        numbers = {name: round(float(value), 6) for name, value in terms.items()}
        epoch = self.step * min(self.config.batch, len(self.lengths)) / len(self.lengths)
        row = {"step": self.step, "epoch": round(epoch, 3), "seconds": round(self.elapsed, 2), "split": split}
        self.folder.log({**row, **numbers})
        speed = self.step * self.config.batch / max(self.elapsed, 1e-9)
        self.on_progress(share, f"{split} loss {numbers['loss']:.4f} · {speed:,.0f} structures/s")


_VALIDATION_SEED = 1234

_MEASURED = 32
"""Crystals on which the duration of a validation is measured."""


def dense(crystals: Crystals, device: torch.device) -> Padded:
    """Puts the crystals that could be built on the device, in single precision."""
    return crystals[crystals.built].to(dtype=torch.float32).padded().to(device)


def _say_nothing(share: float, line: str) -> None:
    """Shows no progress."""


def _average(rows: list[dict[str, Tensor]]) -> dict[str, float]:
    return {name: float(torch.stack([row[name] for row in rows]).mean()) for name in rows[0]}
