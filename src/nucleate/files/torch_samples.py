"""Samples that CDVAE, DiffCSP, FlowMM and their relatives save with `torch.save`: `eval_gen.pt`, `eval_diff.pt`, ….

Such a file is a dictionary of tensors: `num_atoms`, `atom_types`, `frac_coords`, `lengths` (Å) and `angles` (degrees)
of all samples in a row, with one axis before that counts the samples of each crystal, or without it. Beside
them stand pickled objects, such as the options of the program and its input, which nothing here needs. They are not
made: PyTorch's reader for files of strangers gets an empty class instead of every class that it does not know, so that
nothing that a file names is imported or called.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from io import BufferedIOBase
from typing import Any

import numpy as np
import torch

from nucleate.elements import SYMBOLS
from nucleate.errors import UserError
from nucleate.files.compression import MAX_BYTES
from nucleate.files.entries import Entry, Scalar
from nucleate.files.failures import BadEntryError, Failure
from nucleate.geometry import lattice as lattices

COUNTS, TYPES, PLACES, LENGTHS, ANGLES = "num_atoms", "atom_types", "frac_coords", "lengths", "angles"

WIDTHS = {COUNTS: 0, TYPES: 0, PLACES: 3, LENGTHS: 3, ANGLES: 3}
"""Columns of each tensor; 0 where there is one number a row and no axis of columns."""

ORDER = "batch_indices"
"""FlowMM's order: the row of the data set that each crystal belongs to."""

REFERENCE_INDEX, RANK = "reference_index", "rank"
"""Columns that say which crystal a sample predicts, and how many samples of it come first."""

HOW = (
    "save a plain dictionary of tensors: d = torch.load(file, weights_only=False); "
    f"torch.save({{k: d[k] for k in {tuple(WIDTHS)}}}, 'plain.pt')"
)
"""How a file is converted by whoever trusts it."""


def split(source: BufferedIOBase) -> Iterator[tuple[tuple[np.ndarray, np.ndarray, np.ndarray], dict[str, Scalar]]]:
    """Gives the atomic numbers, fractional coordinates and cell parameters of each sample, and its columns.

    Where there are several samples of each crystal, or an order of the data set, the columns `reference_index` and
    `rank` (from 0) say which is which, and all samples of the first crystal come first.

    Raises:
        UserError: it is no such file, or its tensors do not fit together.
    """
    data = _loaded(source)
    missing = [name for name in WIDTHS if name not in data]
    if missing:
        held = ", ".join(map(str, list(data)[:8]))
        raise UserError(f"it has no {', '.join(missing)} and so holds no samples, only {held or 'nothing'}")
    evaluations = [_evaluation(parts) for parts in _by_evaluation(data)]
    crystals = len(evaluations[0])
    if any(len(samples) != crystals for samples in evaluations):
        raise UserError("the number of crystals differs between the samples of each")
    order = _order(data.get(ORDER), crystals)
    for crystal in range(crystals):
        for rank, samples in enumerate(evaluations):
            columns: dict[str, Scalar] = {}
            if len(evaluations) > 1 or order is not None:
                columns = {REFERENCE_INDEX: crystal if order is None else order[crystal], RANK: rank}
            yield samples[crystal], columns


def parse(sample: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Entry:
    """Reads one sample.

    Raises:
        BadEntryError: with the reason.
    """
    numbers, places, parameters = sample
    if not len(numbers):
        raise BadEntryError(Failure.NO_ATOMS, "there are no atoms")
    unknown = numbers[(numbers < 1) | (numbers >= len(SYMBOLS))]
    if len(unknown):
        raise BadEntryError(Failure.UNKNOWN_ELEMENT, f"Z={unknown[0]} is not an element")
    words = f"the cell {', '.join(f'{value:g}' for value in parameters)}"
    if not np.isfinite(parameters).all():
        raise BadEntryError(Failure.NOT_FINITE, words)
    values = torch.from_numpy(parameters)[None]
    matrix = lattices.matrix(values[:, :3], values[:, 3:])[0].numpy()
    if not np.isfinite(matrix).all():
        raise BadEntryError(Failure.BAD_LATTICE, f"{words} cannot be")
    return Entry.of_numbers(numbers.tolist(), places, matrix)


# --- the file ---------------------------------------------------------------------------------------------------


class _Nothing:
    """Stands for every class that is not imported, for its objects, and for what these would return if called."""

    def __new__(cls, *_: Any, **__: Any) -> _Nothing:
        return object.__new__(_Nothing)

    def __call__(self, *_: Any, **__: Any) -> _Nothing:
        return self

    def __setstate__(self, state: Any) -> None:
        """Takes no state."""

    def __eq__(self, other: object) -> bool:
        return True  # PyTorch calls what equals something that it may call; and calling this does nothing

    def __hash__(self) -> int:
        return 0


def _loaded(source: BufferedIOBase) -> Mapping[Any, Any]:
    """The dictionary in a file, with nothing in the place of unknown objects.

    Raises:
        UserError: it is no such file.
    """
    data = io.BytesIO(source.read())
    _check_size(data)
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(data)  # pyright: ignore[reportArgumentType]
        data.seek(0)
        with torch.serialization.safe_globals([(_Nothing, name) for name in names]):  # pyright: ignore[reportArgumentType]
            found = torch.load(data, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, TypeError, KeyError, AttributeError, EOFError) as error:
        first = " ".join(str(error).split()).split(". ")[0][:100]
        raise UserError(f"its tensors cannot be read without running code of the file ({first}); {HOW}") from error
    if not isinstance(found, Mapping):
        raise UserError(f"it holds no dictionary; {HOW}")
    return found


def _check_size(data: io.BytesIO) -> None:
    try:
        with zipfile.ZipFile(data) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise UserError(f"not a file of torch.save since PyTorch 1.6 ({error}); {HOW}") from error
    if size > MAX_BYTES:
        raise UserError(f"it unpacks to more than {MAX_BYTES:,} bytes")
    data.seek(0)


# --- the tensors ------------------------------------------------------------------------------------------------


def _by_evaluation(data: Mapping[Any, Any]) -> list[dict[str, torch.Tensor]]:
    """The tensors of the first samples of all crystals, of the second ones, ….

    Raises:
        UserError: something is no tensor, or the tensors have not the same number of axes more than one sample needs.
    """
    lists = [_listed(name, data[name], 1 if width == 0 else 2) for name, width in WIDTHS.items()]
    if len({len(parts) for parts in lists}) != 1:
        counts = ", ".join(f"{name} {len(parts)}" for name, parts in zip(WIDTHS, lists, strict=True))
        raise UserError(f"the tensors have different numbers of samples of each crystal: {counts}")
    return [dict(zip(WIDTHS, parts, strict=True)) for parts in zip(*lists, strict=True)]


def _listed(name: str, value: Any, axes: int) -> list[torch.Tensor]:
    """The parts of a tensor along the axis of the samples, if it has one; or of a list with one tensor a sample."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    if not parts or not all(isinstance(part, torch.Tensor) and part.layout is torch.strided for part in parts):
        raise UserError(f"{name} is no tensor; {HOW}")
    parts = [part.detach() for part in parts]
    if any(
        part.numel() * part.element_size() > MAX_BYTES for part in parts
    ):  # a small storage can be seen as a large one
        raise UserError(f"{name} has more than {MAX_BYTES:,} bytes")
    if len(parts) == 1 and parts[0].ndim == axes + 1:
        return list(parts[0])
    if any(part.ndim != axes for part in parts):
        raise UserError(f"{name} has the shape {tuple(parts[0].shape)}, as of a path of samples; only samples are read")
    return list(parts)


def _evaluation(parts: Mapping[str, torch.Tensor]) -> Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Numbers (n,), fractional coordinates (n, 3) and cell parameters (6,) of each crystal."""
    counts = parts[COUNTS].to(torch.int64).numpy()
    atoms, crystals = int(counts.sum()), len(counts)
    for name, width in WIDTHS.items():
        rows = crystals if name in (COUNTS, LENGTHS, ANGLES) else atoms
        if tuple(parts[name].shape) != ((rows, width) if width else (rows,)) or (counts < 0).any():
            shape = tuple(parts[name].shape)
            raise UserError(f"{name} has the shape {shape}, which does not fit {crystals} crystals of {atoms} atoms")
    kinds = parts[TYPES]
    if kinds.is_floating_point() or kinds.is_complex():
        raise UserError("atom_types holds no whole numbers")
    places = parts[PLACES].to(torch.float64).numpy()
    parameters = torch.cat([parts[LENGTHS].to(torch.float64), parts[ANGLES].to(torch.float64)], 1).numpy()
    ends = np.cumsum(counts)[:-1]
    numbers = np.split(kinds.to(torch.int64).numpy(), ends)
    return list(zip(numbers, np.split(places, ends), parameters, strict=True))


def _order(value: Any, crystals: int) -> list[int] | None:
    """The row of the data set of each crystal, if the file says so."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    tensors = [part for part in parts if isinstance(part, torch.Tensor)]
    if not tensors:
        return None
    if any(not torch.equal(part, tensors[0]) for part in tensors):
        raise UserError(f"{ORDER} differs between the samples of each crystal")
    if tensors[0].shape != (crystals,):
        raise UserError(f"{ORDER} has the shape {tuple(tensors[0].shape)} for {crystals} crystals")
    return [int(row) for row in tensors[0].tolist()]
