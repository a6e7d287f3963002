"""`load`: a data set by its name, or the user's own by its path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from nucleate import files
from nucleate.crystals import Crystals
from nucleate.datasets import cache, download, lookup, prototypes, registry
from nucleate.datasets.splits import SPLITS, assign
from nucleate.errors import UserError

SPLIT = "split"
"""Name of the `info` column that says which split a crystal is in, where all are loaded at once."""

Reader = Callable[[Path], Crystals]

_NOT_DATA = (".sha256", ".md", ".txt", ".yaml", ".yml")


class Reference(NamedTuple):
    """A data set as typed on the command line; no split means all of it."""

    name: str
    split: str | None


def parse_reference(text: str) -> Reference:
    """Reads `mp-20:val` or `my/crystals.extxyz`: a name or path, and a split after the last colon if there is one.

    Args:
        text: a path that exists is taken as it is, whatever colons it has.
    """
    name, _, split = text.rpartition(":")
    if name and split in SPLITS and not Path(text).exists():
        return Reference(name, split)
    return Reference(text, None)


def load(
    name_or_path: str | Path, split: str | None = None, *, progress: bool = False, jobs: int | None = None
) -> Crystals:
    """Loads a data set; the first time takes a while, later ones are read from the cache.

    Named data sets are looked for in `$NUCLEATE_DATA`, then in the cache, and then downloaded; their cells stay as they
    were published. A path is a structure file in any format, which is split 80/10/10 by a hash of the row number, or a
    folder: of files or folders named `train`, `val` and `test`, or else of structure files, split as one would be.

    Args:
        name_or_path: one of `registry.NAMES`, or a path; `mp-20:val` names a split as well.
        split: `train`, `val` or `test`; everything if neither this nor the name says, with the column `split` where
            there are splits.
        progress: show progress bars on stderr.
        jobs: processes that prepare; all cores by default.

    Returns:
        Crystals in float64, in the order of the file, its columns in `info`. An entry that could not be read is a row
        with its failure reason.

    Raises:
        UserError: there is no such data set, path or split, or it could not be read or downloaded.
    """
    name, named_split = parse_reference(str(name_or_path))
    if split and named_split and split != named_split:
        raise UserError(f"{name_or_path} names the split {named_split}, but {split} is asked for")
    split = split or named_split
    if split is not None:
        lookup.check_split(split)
    read = partial(files.read, jobs=jobs, progress=progress)
    if name == registry.PROTOTYPES:
        crystals = prototypes.make()
        return crystals if split is None else crystals[crystals.info[SPLIT] == split]
    if name not in registry.DATASETS and Path(name).exists():
        return _own(Path(name), split, read)
    one = partial(_published, registry.find(name), read=read, progress=progress)
    return one(split) if split else _joined(one, SPLITS)


def _published(dataset: registry.DataSet, split: str, *, read: Reader, progress: bool) -> Crystals:
    path, downloaded = lookup.find(dataset, split, progress=progress)

    def prepare() -> Crystals:
        if downloaded:
            download.verify(path, dataset, split)
        return read(path)

    return cache.prepared(path, prepare)


def _own(path: Path, split: str | None, read: Reader) -> Crystals:
    places = split_files(path)
    if not places:
        crystals = _cached(path, read)
        return crystals if split is None else _dealt(crystals, split, path)
    if split is None:
        return _joined(lambda each: _cached(places[each], read), places)
    if split not in places:
        raise UserError(f"{path} has no split {split}; it has {', '.join(places)}")
    return _cached(places[split], read)


def _dealt(crystals: Crystals, split: str, path: Path) -> Crystals:
    """The rows of a single file that go to a split."""
    dealt = crystals[assign([str(row) for row in range(len(crystals))]) == split]
    if not len(dealt):
        raise UserError(f"{path} has {len(crystals)} crystals, too few for a split {split}")
    return dealt


def _cached(path: Path, read: Reader) -> Crystals:
    """Reads the user's own file. A folder is not cached; Parquet needs no preparation."""
    return read(path) if path.is_dir() or path.suffix == ".parquet" else cache.prepared(path, lambda: read(path))


def _joined(one: Callable[[str], Crystals], splits: Iterable[str]) -> Crystals:
    parts = {split: one(split) for split in splits}
    return Crystals.concat(part.with_info(split=[split] * len(part)) for split, part in parts.items())


def split_files(folder: Path) -> dict[str, Path]:
    """Finds the files or folders in a folder that are named after a split, by split; none for a file.

    Raises:
        UserError: two are named after the same split.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        split = path.name.split(".")[0]
        if split in SPLITS and path.suffix not in _NOT_DATA:
            if split in found:
                raise UserError(f"{folder} has both {found[split].name} and {path.name}")
            found[split] = path
    return {split: found[split] for split in SPLITS if split in found}
