from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

from nucleate.errors import UserError
from nucleate.explorer import projection
from nucleate.explorer.projection import project


@pytest.fixture(scope="module")
def groups():
    """Three bundles of directions, 40 vectors each."""
    rng = np.random.default_rng(0)
    centres = 5 * np.eye(6)[:3]
    return np.concatenate([centre + rng.normal(0, 0.1, (40, 6)) for centre in centres])


def test_principal_components_are_those_of_scikit_learn(groups):
    found, expected = project(groups, "pca"), PCA(2).fit_transform(groups)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-9)


def test_principal_components_of_a_plane_keep_distances():
    rng = np.random.default_rng(1)
    axes = np.linalg.qr(rng.normal(size=(5, 2)))[0]
    flat = rng.normal(size=(30, 2)) @ axes.T
    np.testing.assert_allclose(pdist(project(flat, "pca")), pdist(flat))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["umap", "tsne"])
def test_what_is_alike_lies_together_and_the_seed_decides(name, groups):
    first, again, other = (project(groups, name, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.allclose(first, other) == (name != "umap")
    labels = np.repeat(np.arange(3), 40)
    table = np.linalg.norm(first[:, None] - first, axis=2) + np.diag(np.full(len(first), np.inf))
    assert (labels[table.argmin(1)] == labels).mean() > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("name", ["umap", "tsne"])
@pytest.mark.parametrize("count", [4, 5, 14, 16, 17])
def test_few_vectors_without_a_word(name, count):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = project(np.random.default_rng(0).normal(size=(count, 8)), name)
    assert found.shape == (count, 2)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", projection.NAMES)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_so_few_that_only_their_components_are_left(name, count):
    vectors = np.random.default_rng(0).normal(size=(count, 8))
    found = project(vectors, name)
    np.testing.assert_allclose(pdist(found), pdist(vectors), atol=1e-9)


@pytest.mark.parametrize("name", projection.NAMES)
def test_equal_vectors(name):
    """scikit-learn's t-SNE would end the process."""
    np.testing.assert_allclose(project(np.full((20, 4), 0.1), name), 0, atol=1e-12)


def test_one_number_a_vector():
    assert project(np.arange(5.0)[:, None], "pca")[:, 1].tolist() == [0.0] * 5


def test_an_unknown_name():
    with pytest.raises(UserError, match="unknown projection 'mds'; there are umap, pca, tsne"):
        project(np.zeros((5, 2)), "mds")


def test_a_missing_library_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sklearn.decomposition", None)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(UserError, match=r"pip install 'nucleate\[explore\]'"):
        project(np.eye(5), "pca")


def test_what_people_read():
    assert projection.label("umap", 7) == "UMAP (cosine, 15 neighbours, min_dist 0.1, seed 7)"
    assert projection.label("pca", 7) == "principal components"
