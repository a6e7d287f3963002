from __future__ import annotations

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.explorer import kept
from nucleate.explorer.kept import content_keys, embedded
from tests.explorer.conftest import Counting, uranium


def test_what_was_embedded_is_not_embedded_again(tmp_path, prototypes):
    first = embedded(Counting(), prototypes, keep_in=tmp_path)
    again = Counting()
    found = embedded(again, prototypes[::-1], keep_in=tmp_path)
    assert again.asked == []
    np.testing.assert_array_equal(found.vectors, first.vectors[::-1])
    np.testing.assert_array_equal(found.vectors, Counting().embed(prototypes[::-1]).vectors)


def test_a_new_source_costs_what_is_new_in_it(tmp_path, prototypes):
    embedded(Counting(), prototypes[:10], keep_in=tmp_path)
    more = Counting()
    found = embedded(more, prototypes, keep_in=tmp_path)
    assert more.asked == [len(prototypes) - 10]
    np.testing.assert_array_equal(found.vectors, Counting().embed(prototypes).vectors)


def test_equal_crystals_are_embedded_once(prototypes):
    counting = Counting()
    twice = Crystals.concat([prototypes, prototypes])
    found = embedded(counting, twice)
    assert counting.asked == [len(prototypes)]
    np.testing.assert_array_equal(found.vectors[: len(prototypes)], found.vectors[len(prototypes) :])


def test_another_embedding_has_other_vectors(tmp_path, prototypes):
    embedded(Counting(), prototypes, keep_in=tmp_path)
    other = Counting()
    other.description = "three numbers v2"
    embedded(other, prototypes, keep_in=tmp_path)
    assert other.asked == [len(prototypes)]


def test_reasons_are_kept_as_vectors_are(tmp_path, prototypes):
    crystals = Crystals.concat([prototypes[:2], uranium(), Crystals.failed(["unparseable"])])
    for _ in range(2):
        found = embedded(Counting(), crystals, keep_in=tmp_path)
        assert found.failures.tolist() == ["", "", "unknown_element", "unparseable"]
        assert np.isnan(found.vectors).all(1).tolist() == [False, False, True, True]


def test_what_an_interrupted_run_has_done_stays(tmp_path, prototypes, monkeypatch):
    monkeypatch.setattr(kept, "TOGETHER", 5)
    with pytest.raises(KeyboardInterrupt):
        embedded(Counting(stop_after=2), prototypes, keep_in=tmp_path)
    rest = Counting()
    embedded(rest, prototypes, keep_in=tmp_path)
    assert sum(rest.asked) == len(prototypes) - 10


def test_a_damaged_file_costs_time_only(tmp_path, prototypes):
    first = embedded(Counting(), prototypes, keep_in=tmp_path)
    (place,) = tmp_path.rglob("*.npz")
    place.write_bytes(place.read_bytes()[:100])
    counting = Counting()
    with pytest.warns(UserWarning, match="is damaged"):
        found = embedded(counting, prototypes, keep_in=tmp_path)
    assert counting.asked == [len(prototypes)]
    np.testing.assert_array_equal(found.vectors, first.vectors)


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path, prototypes):
    (tmp_path / "file").write_text("no folder")
    with pytest.warns(UserWarning, match="are not kept"):
        found = embedded(Counting(), prototypes, keep_in=tmp_path / "file")
    assert (found.failures == "").all()


def test_keys_are_those_of_content_not_of_names(prototypes):
    keys = content_keys(prototypes)
    assert len(set(keys)) == len(keys)
    assert content_keys(prototypes.with_info(name=["x"] * len(prototypes))[[3]]) == [keys[3]]
    moved = Crystals(
        prototypes.numbers, prototypes.frac.clone(), prototypes.lattice, prototypes.counts, prototypes.info
    )
    moved.frac[0, 0] += 1e-12
    assert [a == b for a, b in zip(content_keys(moved), keys, strict=True)] == [False] + [True] * (len(keys) - 1)


def test_no_crystals():
    found = embedded(Counting(), Crystals.empty())
    assert found.vectors.shape == (0, 0)


def test_progress_goes_from_part_to_part(prototypes, monkeypatch):
    monkeypatch.setattr(kept, "TOGETHER", 6)

    class Telling(Counting):
        def embed(self, crystals, *, jobs=1, on_progress=None):
            on_progress(0.5)
            return super().embed(crystals)

    shares: list[float] = []
    embedded(Telling(), prototypes, on_progress=shares.append)
    assert shares == pytest.approx([0.125, 0.375, 0.625, 0.875])
