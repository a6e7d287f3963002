from __future__ import annotations

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher

from nucleate import parallel
from nucleate.crystals import Crystals
from nucleate.evaluation import alike, novelty
from nucleate.evaluation.alike import cells_of
from nucleate.evaluation.novelty import known
from tests.evaluation.conftest import distorted, random_cell, to_crystals, to_structure


@pytest.fixture(scope="module")
def batches() -> tuple[Crystals, Crystals]:
    """Samples, and a training set that has some of them, in other words or distorted."""
    rng = np.random.default_rng(0)
    kinds = [random_cell(rng, numbers) for numbers in ([8, 8, 22], [8, 8, 22, 22, 8, 8], [6, 6]) for _ in range(4)]
    training = [distorted(kind, rng, 0.02) for kind in kinds[::2] for _ in range(3)]
    samples = [distorted(kind, rng, sigma) for kind in kinds for sigma in (0.02, 0.1, 0.2)]
    strangers = [random_cell(rng, [8, 26])]
    return to_crystals([*samples, *strangers]), to_crystals(training)


def test_known_are_those_that_pymatgen_finds(batches, installed, monkeypatch):
    monkeypatch.setattr(novelty, "CONVENTION", installed)
    samples, training = batches
    matcher = StructureMatcher(ltol=0.2, stol=0.3, angle_tol=5)
    ours, others = ([to_structure(cell) for cell in cells_of(batch)] for batch in (samples, training))
    want = [any(matcher.fit(structure, other) for other in others) for structure in ours]
    assert known(samples, training).tolist() == want
    assert 0 < sum(want) < len(want) - 5


def test_nothing_depends_on_processes_or_screening(batches, monkeypatch):
    want = known(*batches)
    monkeypatch.setattr(parallel, "ITEMS_PER_WORKER", 10)
    monkeypatch.setattr(alike, "SCREENED", 1)
    monkeypatch.setattr(novelty, "TOGETHER", 2)
    shares = []
    np.testing.assert_array_equal(known(*batches, jobs=2, on_progress=shares.append), want)
    assert shares == sorted(shares)


def test_what_cannot_be_judged_is_not_known(batches):
    samples, training = batches
    broken = Crystals.concat([Crystals.failed(["unparseable"]), training[:2], Crystals.failed(["no_atoms"])])
    assert known(broken, training).tolist() == [False, True, True, False]
    assert known(training[:2], broken).tolist() == [True, True]
    assert known(samples, training[:0]).tolist() == [False] * len(samples)
    assert known(samples[:0], training).shape == (0,)
    assert known(Crystals.failed(["x"]), Crystals.failed(["x"])).tolist() == [False]
