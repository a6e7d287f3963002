"""Points of the plane for vectors of crystals: near where the vectors are alike."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from jaxtyping import Float

from nucleate.errors import UserError
from nucleate.explorer.extras import explore_extra

NEIGHBOURS = 15
MIN_DISTANCE = 0.1
"""Of UMAP: the defaults of its authors, and those of the founding study."""

PERPLEXITY = 50.0
"""Of t-SNE, as in the founding study."""

NAMES = ("umap", "pca", "tsne")
"""Those that `project` knows; the first is the default."""

_LABELS = {
    "umap": f"UMAP (cosine, {NEIGHBOURS} neighbours, min_dist {MIN_DISTANCE:g}, seed {{}})",
    "pca": "principal components",
    "tsne": f"t-SNE (cosine, perplexity {PERPLEXITY:g})",
}


def check(name: str) -> None:
    """Refuses a name that is not in `NAMES`.

    Raises:
        UserError: it is not.
    """
    if name not in NAMES:
        raise UserError(f"unknown projection {name!r}; there are {', '.join(NAMES)}")


def label(name: str, seed: int) -> str:
    """What people read of a projection."""
    return _LABELS[name].format(seed)


@explore_extra()
def project(vectors: Float[np.ndarray, "n d"], name: str = NAMES[0], *, seed: int = 42) -> Float[np.ndarray, "n 2"]:
    """Lays vectors out in the plane; the same vectors and seed give the same picture.

    Of so few vectors that they have no neighbourhoods (up to 3), and of nothing but equal ones, the principal
    components are taken, whatever is asked for.

    Args:
        vectors: all finite.
        name: one of `NAMES`.
        seed: of UMAP; the others begin at the principal components and have nothing random.

    Raises:
        UserError: there is no such projection, or its library is not installed.
    """
    check(name)
    methods: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {"umap": _umap, "tsne": _tsne}
    method = methods.get(name, _pca)
    if len(vectors) < 4 or not np.ptp(vectors, axis=0).any():
        method = _pca
    return np.asarray(method(np.asarray(vectors, dtype=np.float64), seed), dtype=np.float64)


def _pca(vectors: np.ndarray, _seed: int) -> np.ndarray:
    from sklearn.decomposition import PCA

    parts = min(2, *vectors.shape)
    found = PCA(parts, svd_solver="full").fit_transform(vectors) if len(vectors) > 1 else np.zeros((1, parts))
    return np.pad(found, ((0, 0), (0, 2 - parts)))


def _umap(vectors: np.ndarray, seed: int) -> np.ndarray:
    with _quiet():
        from umap import UMAP

        # Its spectral start needs more points than the two coordinates and the constant one.
        start = "spectral" if len(vectors) > 4 * NEIGHBOURS else "random"
        return UMAP(
            n_neighbors=min(NEIGHBOURS, len(vectors) - 1),
            min_dist=MIN_DISTANCE,
            metric="cosine",
            random_state=seed,
            init=start,
            n_jobs=1,
        ).fit_transform(vectors.astype(np.float32))


def _tsne(vectors: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    return TSNE(perplexity=perplexity, metric="cosine", init="pca", random_state=seed).fit_transform(vectors)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps back what UMAP and numba warn of although it was meant: one thread, and few neighbours."""
    with warnings.catch_warnings():
        for message in ("n_jobs value", ".*is larger than the dataset", "Graph is not fully connected"):
            warnings.filterwarnings("ignore", message=message)
        yield
