from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.explorer.mapping import MapConfig, Source, make_atlas
from tests.explorer.conftest import Counting, uranium

PCA = MapConfig(projection="pca")


def vectors(crystals: Crystals) -> np.ndarray:
    return Counting().embed(crystals).vectors.astype(np.float64)


@pytest.fixture(scope="module")
def atlas(prototypes):
    lost = Crystals.failed(["unparseable", "unparseable"])
    first = Source("first", Crystals.concat([prototypes[:6], lost, uranium()]))
    return make_atlas([first, Source("second", prototypes[6:12])], Counting(), PCA, reference=Source("ref", prototypes))


def test_who_is_on_the_map(atlas, prototypes):
    assert atlas.sources == ("first", "second", "ref")
    assert np.bincount(atlas.source).tolist() == [6, 6, len(prototypes)]
    assert atlas.crystals.formulas == prototypes[:6].formulas + prototypes[6:12].formulas + prototypes.formulas
    assert atlas.crystals.info["source_row"].tolist() == [*range(6), *range(6), *range(len(prototypes))]


def test_who_is_not_is_counted(atlas):
    assert atlas.facts["first"] == "6 crystals; 3 left off: 2 unparseable, 1 unknown_element"
    assert atlas.facts["second"] == "6 crystals"
    assert atlas.facts["embedding"] == "three numbers"
    assert atlas.facts["projection"] == "principal components"


def test_samples_are_nearest_to_their_equals_and_references_to_another(atlas, prototypes):
    assert atlas.distance[:12].tolist() == [0.0] * 12
    assert [atlas.references.formulas[row] for row in atlas.nearest[:12]] == prototypes[:12].formulas
    table = cdist(vectors(prototypes), vectors(prototypes)) + np.diag(np.full(len(prototypes), np.inf))
    np.testing.assert_allclose(atlas.distance[12:], table.min(1), rtol=1e-6)
    chosen = np.array([atlas.references.info["source_row"][row] for row in atlas.nearest[12:]])
    assert (chosen != np.arange(len(prototypes))).all()
    np.testing.assert_allclose(table[np.arange(len(prototypes)), chosen], table.min(1), rtol=1e-6)


def test_each_reference_is_there_once_and_is_nearest_to_somebody(atlas):
    rows = atlas.references.info["source_row"].tolist()
    assert len(set(rows)) == len(rows)
    assert sorted(set(atlas.nearest.tolist())) == list(range(len(rows)))


def test_positions_are_those_of_all_together(atlas, prototypes):
    centred = vectors(atlas.crystals) - vectors(atlas.crystals).mean(0)
    np.testing.assert_allclose(cdist(atlas.positions, atlas.positions)[0], _plane(centred), rtol=1e-6, atol=1e-6)


def _plane(centred: np.ndarray) -> np.ndarray:
    """Distances from the first in the plane of the two largest components."""
    axes = np.linalg.eigh(centred.T @ centred)[1][:, 1:]
    return np.linalg.norm((centred - centred[0]) @ axes, axis=1)


def test_a_draw_is_random_and_repeatable(prototypes):
    config = MapConfig(projection="pca", per_source=5)
    sources = [Source("a", prototypes), Source("b", prototypes[:3])]
    first, again = (make_atlas(sources, Counting(), config) for _ in range(2))
    assert np.bincount(first.source).tolist() == [5, 3]
    np.testing.assert_array_equal(first.crystals.info["source_row"], again.crystals.info["source_row"])
    np.testing.assert_array_equal(first.positions, again.positions)
    other = make_atlas(sources, Counting(), MapConfig(projection="pca", per_source=5, seed=1))
    assert first.crystals.info["source_row"].tolist() != other.crystals.info["source_row"].tolist()
    alone = make_atlas(sources[:1], Counting(), config)
    assert alone.crystals.info["source_row"].tolist() == first.crystals.info["source_row"].tolist()[:5]


def test_the_whole_reference_is_searched_though_few_of_it_are_drawn(prototypes):
    config = MapConfig(projection="pca", per_source=4)
    atlas = make_atlas([Source("a", prototypes[:3])], Counting(), config, reference=Source("ref", prototypes))
    assert np.bincount(atlas.source).tolist() == [3, 4]
    assert atlas.distance[:3].tolist() == [0.0] * 3


def test_the_reference_can_stay_off_the_map(prototypes):
    config = MapConfig(projection="pca", reference_points=False)
    atlas = make_atlas([Source("a", prototypes[:3])], Counting(), config, reference=Source("ref", prototypes))
    assert atlas.sources == ("a",)
    assert len(atlas.crystals) == 3
    assert len(atlas.references) == 3


def test_without_a_reference(prototypes):
    atlas = make_atlas([Source("a", prototypes[:3])], Counting(), PCA)
    assert atlas.references is atlas.nearest is atlas.distance is None
    assert "novel" not in {one.key for one in atlas.properties}


def test_novelty_is_by_the_training_crystals_if_there_are_any(prototypes):
    samples, reference = Source("a", prototypes[:4]), Source("ref", prototypes[2:])
    for training, novel in ((None, [1, 1, 0, 0]), (Source("train", prototypes[:1]), [0, 1, 1, 1])):
        atlas = make_atlas([samples], Counting(), PCA, reference=reference, training=training)
        values = next(one.values for one in atlas.properties if one.key == "novel")
        assert values[:4].tolist() == novel
    assert atlas.facts["novelty"] == "unlike 1 crystals of train, by StructureMatcher"


def test_a_reference_without_usable_crystals(prototypes):
    atlas = make_atlas([Source("a", prototypes[:3])], Counting(), PCA, reference=Source("ref", uranium()))
    assert atlas.nearest.tolist() == [-1] * 3
    assert np.isnan(atlas.distance).all()
    assert len(atlas.references) == 0


def test_columns_of_any_source_are_properties_and_unknown_elsewhere(prototypes):
    energies = np.linspace(-1, 1, 4)
    sources = [
        Source("a", prototypes[:4].with_info(e_above_hull=energies, cluster=list("xxyy"))),
        Source("b", prototypes[4:6]),
    ]
    atlas = make_atlas(sources, Counting(), PCA, reference=Source("ref", prototypes[6:9].with_info(good=[True] * 3)))
    found = {one.key: one for one in atlas.properties}
    np.testing.assert_allclose(found["e_above_hull"].values, [*energies, *[np.nan] * 5], rtol=1e-6)
    assert found["e_above_hull"].unit == "eV/atom"
    assert found["cluster"].values.tolist() == [*"xxyy", *[""] * 5]
    assert found["good"].values.tolist() == [None] * 6 + [True] * 3
    assert found["mineral"].values.tolist() == [str(one) for one in prototypes[:9].info["mineral"]]
    assert {"cluster", "e_above_hull", "good"} <= set(atlas.facts["columns of the files"].split(", "))


def test_columns_of_a_reference_that_is_not_on_the_map_are_not_there(prototypes):
    config = MapConfig(projection="pca", reference_points=False)
    reference = Source("ref", prototypes.with_info(good=[True] * len(prototypes)))
    atlas = make_atlas([Source("a", prototypes[:3])], Counting(), config, reference=reference)
    assert "good" not in {one.key for one in atlas.properties}
    assert "good" not in atlas.facts.get("columns left out", "")


def test_nothing_to_show():
    with pytest.raises(UserError, match="there is no crystal to show: bad_lattice"):
        make_atlas([Source("a", Crystals.failed(["bad_lattice"]))], Counting(), PCA)
    with pytest.raises(UserError, match="there is no crystal to show: the sources are empty"):
        make_atlas([Source("a", Crystals.empty())], Counting(), PCA)


def test_one_crystal(prototypes):
    atlas = make_atlas([Source("a", prototypes[:1])], Counting())
    assert atlas.positions.tolist() == [[0.0, 0.0]]


def test_two_sources_of_one_name(prototypes):
    with pytest.raises(UserError, match="two sources have the same name: a, a; give them others as NAME=FILE"):
        make_atlas([Source("a", prototypes)] * 2, Counting(), PCA)


def test_progress_begins_at_nothing_and_does_not_go_back(prototypes):
    told: list[tuple[float, str]] = []
    make_atlas([Source("a", prototypes)], Counting(), PCA, on_progress=lambda *step: told.append(step))
    shares = [share for share, _ in told]
    assert shares[0] == 0.0
    assert shares == sorted(shares)
    assert {line for _, line in told} == {"embedding", "projecting", "describing", "nearest reference"}
