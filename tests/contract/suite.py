"""The suite that every family of models inherits. A subclass says how to build a tiny model; the rest is the same."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

import numpy as np
import pytest
import torch

from nucleate.crystals import Crystals, Padded
from nucleate.errors import UserError
from nucleate.generation.sampling import generate
from nucleate.models.checkpoint import load_weights, save_weights
from nucleate.models.generator import Example, Generator, Task
from nucleate.training.config import TrainingConfig
from nucleate.training.loop import Trainer
from nucleate.training.run_folder import RunFolder


def some_crystals(count: int = 24, seed: int = 0) -> Crystals:
    """Random crystals of 1 to 6 atoms with spread-out coordinates, in Niggli-reduced cells."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 7, count)
    numbers = [rng.choice([3, 8, 11, 17, 22], size) for size in sizes]
    frac = [rng.random((size, 3)) for size in sizes]
    lattice = np.eye(3) * rng.uniform(3, 5, (count, 1, 1)) + rng.normal(0, 0.4, (count, 3, 3))
    return Crystals.build(numbers, frac, lattice).niggli()


class GeneratorContract:
    """Everything that a `Generator` promises."""

    task: Task
    atomwise = frozenset({"frac"})
    """Names of the noise tensors that have one row an atom."""

    @abstractmethod
    def build(self) -> Generator:
        """Returns a tiny untrained model for `self.task`."""

    # --- helpers ------------------------------------------------------------------------------------------------

    def awake(self) -> Generator:
        """A model with random weights everywhere, since untrained heads may be zero, fitted to the data."""
        torch.manual_seed(0)
        generator = self.build()
        generator.fit(self.data())
        with torch.no_grad():
            for parameter in generator.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        return generator

    def data(self) -> Padded:
        return some_crystals().to(dtype=torch.float32).padded()

    def example(self, generator: Generator) -> Example:
        return generator.draw(self.data(), torch.Generator().manual_seed(1))

    def translated(self, example: Example, shift: torch.Tensor) -> Example:
        """Moves the crystals and, for flows, their noise with them."""
        noise = dict(example.noise)
        noise["frac"] = noise["frac"] + shift
        return Example(example.crystals._replace(frac=example.crystals.frac + shift), noise)

    def rotated(self, example: Example, rotation: torch.Tensor) -> Example:
        """Turns the crystals and, for noise along x, y and z, their noise with them."""
        return Example(example.crystals._replace(lattice=example.crystals.lattice @ rotation), example.noise)

    def compositions(self) -> list[np.ndarray] | None:
        return some_crystals(7, seed=5).numbers_of_each() if self.task is Task.CSP else None

    # --- training -----------------------------------------------------------------------------------------------

    def test_loss_is_named_finite_scalars(self):
        generator = self.awake()
        terms = generator.loss(self.example(generator))
        assert "loss" in terms
        assert len(terms) >= 2
        assert all(term.ndim == 0 and bool(term.isfinite()) for term in terms.values())

    def test_every_parameter_gets_a_gradient(self):
        generator = self.awake()
        generator.loss(self.example(generator))["loss"].backward()
        silent = [n for n, p in generator.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)]
        assert silent == []

    def test_loss_ignores_the_order_of_atoms(self):
        generator = self.awake()
        example = self.example(generator)
        numbers, frac, lattice, mask, _ = example.crystals
        keys = torch.rand(mask.shape, generator=torch.Generator().manual_seed(2))
        order = torch.where(mask, keys, 2.0).argsort(1)  # padding stays behind the atoms

        def shuffled(value: torch.Tensor) -> torch.Tensor:
            return torch.stack([row[new] for row, new in zip(value, order, strict=True)])

        moved = Padded(shuffled(numbers), shuffled(frac), lattice, mask)
        noise = {n: shuffled(v) if n in self.atomwise else v for n, v in example.noise.items()}
        torch.testing.assert_close(
            generator.loss(Example(moved, noise))["loss"], generator.loss(example)["loss"], rtol=1e-4, atol=1e-5
        )

    def test_loss_ignores_the_origin(self):
        generator = self.awake()
        example = self.example(generator)
        moved = self.translated(example, torch.tensor([0.3, 0.1, -0.4]))
        torch.testing.assert_close(generator.loss(moved)["loss"], generator.loss(example)["loss"], rtol=1e-3, atol=1e-5)

    def test_loss_ignores_rotation(self):
        generator = self.awake()
        example = self.example(generator)
        rotation, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(3)))
        turned = generator.loss(self.rotated(example, rotation))["loss"]
        torch.testing.assert_close(turned, generator.loss(example)["loss"], rtol=1e-3, atol=1e-5)

    def test_padding_changes_nothing(self):
        generator = self.awake()
        example = self.example(generator)
        extra = 3

        def wider(value: torch.Tensor) -> torch.Tensor:
            return torch.cat([value, torch.zeros_like(value[:, :1]).repeat(1, extra, *[1] * (value.ndim - 2))], 1)

        numbers, frac, lattice, mask, _ = example.crystals
        padded = Padded(wider(numbers), wider(frac), lattice, wider(mask))
        noise = {n: wider(v) if n in self.atomwise else v for n, v in example.noise.items()}
        torch.testing.assert_close(
            generator.loss(Example(padded, noise))["loss"], generator.loss(example)["loss"], rtol=1e-4, atol=1e-5
        )

    def test_rows_of_an_example_average_to_the_whole(self):
        """What lets processes share a batch: the mean over the halves is the mean over all."""
        generator = self.awake()
        example = self.example(generator)
        half = len(example.crystals.numbers) // 2
        parts = [generator.loss(example.rows(rows))["loss"] for rows in (slice(0, half), slice(half, None))]
        torch.testing.assert_close(torch.stack(parts).mean(), generator.loss(example)["loss"], rtol=1e-4, atol=1e-5)

    def test_one_batch_is_overfitted(self):
        torch.manual_seed(0)
        generator = self.build()
        generator.fit(self.data())
        example = self.example(generator)
        optimizer = torch.optim.AdamW(generator.parameters(), lr=3e-3)
        first = float(generator.loss(example)["loss"])
        for _ in range(150):
            optimizer.zero_grad()
            loss = generator.loss(example)["loss"]
            loss.backward()
            optimizer.step()
        assert float(loss) < 0.35 * first

    # --- going on -----------------------------------------------------------------------------------------------

    def trainer(self, folder, **changes) -> Trainer:
        torch.manual_seed(0)
        generator = self.build()
        generator.fit(self.data())
        settings = {"batch": 8, "epochs": 4.0, "warmup": 2, "precision": "fp32", "compile": "off", "seed": 3}
        config = replace(TrainingConfig(), **{**settings, **changes})
        return Trainer(generator, some_crystals(), some_crystals(8, seed=9), config, RunFolder(folder))

    def test_resuming_is_bitwise(self, tmp_path):
        whole = self.trainer(tmp_path / "whole")
        for _ in range(6):
            expected = whole.train_step(0.5)
        first = self.trainer(tmp_path / "cut")
        for _ in range(4):
            first.train_step(0.5)
        first.save()
        second = self.trainer(tmp_path / "cut")
        second.resume()
        for _ in range(2):
            terms = second.train_step(0.5)
        assert {n: float(v) for n, v in terms.items()} == {n: float(v) for n, v in expected.items()}
        for name, value in whole.ema.model.state_dict().items():
            assert torch.equal(value, second.ema.model.state_dict()[name]), name

    def test_chunks_of_a_batch_add_up(self, tmp_path):
        """Bounding memory moves neither the loss nor its gradients, but for rounding."""
        whole, cut = self.trainer(tmp_path / "whole"), self.trainer(tmp_path / "cut", chunk=7)
        example = self.example(whole.generator)
        for one, two in zip(whole.gradients(example).values(), cut.gradients(example).values(), strict=True):
            torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)
        for one, two in zip(whole.generator.parameters(), cut.generator.parameters(), strict=True):
            torch.testing.assert_close(one.grad, two.grad, rtol=1e-3, atol=1e-4)

    def test_training_ends_and_leaves_weights(self, tmp_path):
        trainer = self.trainer(tmp_path)
        assert trainer.run()
        assert trainer.step == trainer.total_steps
        assert load_weights(tmp_path / "best.safetensors").task is self.task

    # --- sampling -----------------------------------------------------------------------------------------------

    def test_one_row_for_each_request(self):
        crystals = generate(self.awake(), 5, compositions=self.compositions(), steps=4, seed=1)
        assert len(crystals) == 5
        assert bool((crystals.frac[crystals.frac.isfinite()] >= 0).all())
        assert bool((crystals.frac[crystals.frac.isfinite()] < 1).all())

    def test_the_seed_fixes_the_crystals(self):
        generator = self.awake()
        one, two, other = (generate(generator, 5, compositions=self.compositions(), steps=4, seed=s) for s in (1, 1, 2))
        assert torch.equal(one.frac, two.frac)
        assert torch.equal(one.numbers, two.numbers)
        assert torch.equal(one.lattice.nan_to_num(), two.lattice.nan_to_num())
        assert one.frac.shape != other.frac.shape or not torch.equal(one.frac, other.frac)

    def test_compositions_are_kept(self):
        if Task.CSP not in self.awake().tasks:
            with pytest.raises(UserError, match="makes its own"):
                generate(self.awake(), 2, compositions=[np.array([8, 8])])
            return
        asked = some_crystals(7, seed=5).numbers_of_each()
        crystals = generate(self.awake(), len(asked), compositions=asked, per_formula=2, steps=3)
        built = crystals[crystals.built]
        for numbers, row in zip(built.numbers_of_each(), built.info["reference_index"], strict=True):
            assert sorted(numbers.tolist()) == sorted(asked[row].tolist())
        assert crystals.info["rank"].tolist() == [0, 1] * len(asked)

    def test_too_many_atoms_are_refused(self):
        if self.task is Task.CSP:
            with pytest.raises(UserError, match="up to 6"):
                generate(self.awake(), 1, compositions=[np.full(7, 8)])

    def test_elements_that_no_training_crystal_has_are_refused_by_name(self):
        generator = self.awake()
        assert generator.known_elements == {3, 8, 11, 17, 22}
        if Task.CSP in generator.tasks:
            asked = [np.array([11, 17]), np.array([18]), np.array([98, 8, 84])]
            with pytest.raises(UserError, match=r"^Ar, Po and Cf: the model was trained on crystals without them$"):
                generate(generator, 3, compositions=asked)

    def test_a_data_set_keeps_a_row_for_what_the_model_cannot_make(self):
        if Task.CSP not in self.awake().tasks:
            return
        asked = [np.full(7, 8), np.array([11, 17]), np.array([18])]
        crystals = generate(self.awake(), 3, compositions=asked, per_formula=2, steps=2, strict=False)
        assert crystals.failures[[0, 1, 4, 5]].tolist() == ["too_many_atoms"] * 2 + ["unseen_element"] * 2
        assert crystals.info["reference_index"].tolist() == [0, 0, 1, 1, 2, 2]
        assert set(crystals.failures[[2, 3]]).isdisjoint({"too_many_atoms", "unseen_element"})

    # --- weights ------------------------------------------------------------------------------------------------

    def test_weights_survive_the_file(self, tmp_path):
        generator = self.awake()
        path = tmp_path / "model.safetensors"
        save_weights(generator, path)
        loaded = load_weights(path)
        assert loaded.known_elements == generator.known_elements
        one, two = (generate(g, 4, compositions=self.compositions(), steps=3, seed=2) for g in (generator, loaded))
        assert torch.equal(one.frac, two.frac)
        assert torch.equal(one.numbers, two.numbers)

    def test_a_cut_file_is_refused_in_one_line(self, tmp_path):
        path = tmp_path / "model.safetensors"
        save_weights(self.awake(), path)
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(UserError, match="truncated") as caught:
            load_weights(path)
        assert "\n" not in str(caught.value)
