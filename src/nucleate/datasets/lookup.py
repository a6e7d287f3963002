"""Where the files of a named data set are: `$NUCLEATE_DATA`, else the cache, else its public home."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from nucleate.datasets import cache, download
from nucleate.datasets.registry import DataSet
from nucleate.datasets.splits import SPLITS
from nucleate.errors import UserError

VARIABLE = "NUCLEATE_DATA"


class Found(NamedTuple):
    """A file of a data set, and whether it is in the cache, where it was downloaded to."""

    path: Path
    downloaded: bool


def find_here(dataset: DataSet, split: str) -> Found | None:
    """Looks for a split on this machine."""
    if root := os.environ.get(VARIABLE):
        folder = Path(root).expanduser() / dataset.folder
        for path in (folder / f"{split}.csv", folder / f"{split}.csv.gz"):
            if path.is_file():
                return Found(path, downloaded=False)
    place = cached_place(dataset, split)
    return Found(place, downloaded=True) if place.is_file() else None


def find(dataset: DataSet, split: str, *, progress: bool = False) -> Found:
    """Finds a split on this machine, or downloads it.

    Args:
        dataset: a named data set.
        split: `train`, `val` or `test`.
        progress: show a progress bar on stderr.

    Raises:
        UserError: it is nowhere; the message names the three places.
    """
    check_split(split)
    found = find_here(dataset, split)
    if found is not None:
        return found
    place = cached_place(dataset, split)
    try:
        download.fetch(dataset, split, place, progress=progress)
    except UserError as error:
        root = os.environ.get(VARIABLE)
        first = f"in {Path(root) / dataset.folder} (${VARIABLE})" if root else f"in ${VARIABLE} (not set)"
        raise UserError(
            f"{dataset.name}:{split} is not {first}, not in the cache {place.parent}, and did not download: {error}"
        ) from error
    return Found(place, downloaded=True)


def cached_place(dataset: DataSet, split: str) -> Path:
    """Where a download of a split is kept."""
    return cache.folder() / "data" / dataset.folder / f"{split}.csv"


def check_split(split: str) -> None:
    """Raises UserError unless `split` is one."""
    if split not in SPLITS:
        raise UserError(f"no split {split!r}; the splits are {', '.join(SPLITS)}")
