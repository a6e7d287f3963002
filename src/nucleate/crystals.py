"""`Crystals`: the one data type that flows between the rooms of the package.

A `Crystals` is a frozen, columnar batch of C crystals with A atoms in all. Readers produce one, models take and return
one, every metric and page starts from one. Conversions to pymatgen and ASE live at the edge, in `nucleate.files`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor

from nucleate.elements import SYMBOLS, formula_from_numbers
from nucleate.geometry import lattice as cells
from nucleate.geometry import torus

FAILURE = "failure"
"""Name of the `info` column that says why a crystal could not be built; the empty string means that it could."""


class Padded(NamedTuple):
    """A dense block of B crystals, each padded to N atoms. Padding has `numbers` 0, `frac` 0 and `mask` False."""

    numbers: Int[Tensor, "b n"]
    frac: Float[Tensor, "b n 3"]
    lattice: Float[Tensor, "b 3 3"]
    mask: Bool[Tensor, "b n"]
    labels: Float[Tensor, "b p"] | None = None
    """What else is known of each crystal, if it was asked for; NaN where it is not."""

    def take(self, index: Int[Tensor, " k"]) -> Padded:
        """Returns the crystals at `index`, with the padding cut to the largest of them."""
        picked = self.map(lambda column: column[index])
        width = int(picked.mask.sum(1).max())
        numbers, frac, lattice, mask, labels = picked
        return Padded(numbers[:, :width], frac[:, :width], lattice, mask[:, :width], labels)

    def to(self, device: torch.device | str) -> Padded:
        """Moves to a device."""
        return self.map(lambda column: column.to(device))

    def map(self, change: Callable[[Tensor], Tensor]) -> Padded:
        """Returns the block with each of its tensors changed."""
        numbers, frac, lattice, mask = (change(column) for column in self[:4])
        return Padded(numbers, frac, lattice, mask, None if self.labels is None else change(self.labels))

    @property
    def counts(self) -> Int[Tensor, " b"]:
        """Atoms per crystal."""
        return self.mask.sum(1)


@dataclass(frozen=True, slots=True, eq=False)
class Crystals:
    """A batch of periodic crystals.

    Attributes:
        numbers: atomic numbers Z, shape (A,), uint8.
        frac: fractional coordinates in [0, 1), shape (A, 3).
        lattice: row vectors in Å, shape (C, 3, 3).
        counts: atoms per crystal, shape (C,), int64. A crystal that failed to be built may have none.
        info: columns of length C (NumPy arrays; text columns have dtype object): ids, energies, failure reasons, …

    Raises:
        ValueError: the shapes or lengths of the columns do not fit together.
    """

    numbers: Integer[Tensor, " a"]
    frac: Float[Tensor, "a 3"]
    lattice: Float[Tensor, "c 3 3"]
    counts: Int[Tensor, " c"]
    info: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        atoms, crystals = len(self.numbers), len(self.counts)
        if self.frac.shape != (atoms, 3) or self.lattice.shape != (crystals, 3, 3):
            raise ValueError(
                f"frac {tuple(self.frac.shape)} and lattice {tuple(self.lattice.shape)} do not fit "
                f"{atoms} atoms and {crystals} crystals"
            )
        if int(self.counts.sum()) != atoms:
            raise ValueError(f"counts add up to {int(self.counts.sum())}, but there are {atoms} atoms")
        for name, column in self.info.items():
            if len(column) != crystals:
                raise ValueError(f"info column {name!r} has {len(column)} rows for {crystals} crystals")

    # --- building -----------------------------------------------------------------------------------------------

    @classmethod
    def build(
        cls,
        numbers: Sequence[Sequence[int] | np.ndarray | Tensor],
        frac: Sequence[Any],
        lattice: Any,
        info: Mapping[str, Sequence[Any] | np.ndarray] | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> Crystals:
        """Builds a batch from one entry a crystal, wrapping the coordinates to [0, 1).

        Args:
            numbers: for each crystal its atomic numbers, length n_i.
            frac: for each crystal its fractional coordinates, (n_i, 3).
            lattice: row vectors in Å, (C, 3, 3).
            info: columns of length C.
            dtype: of coordinates and lattices.

        Raises:
            ValueError: a crystal has not as many coordinates as atomic numbers, or the lengths do not fit together.
        """
        counts = torch.tensor([len(z) for z in numbers], dtype=torch.int64)
        flat_numbers = np.concatenate([np.asarray(z, dtype=np.uint8) for z in numbers] or [np.zeros(0, np.uint8)])
        blocks = [np.asarray(f, dtype=np.float64).reshape(-1, 3) for f in frac]
        if [len(block) for block in blocks] != counts.tolist():
            raise ValueError("a crystal has not as many coordinates as atomic numbers")
        flat_frac = np.concatenate(blocks or [np.zeros((0, 3))])
        vectors = torch.as_tensor(np.asarray(lattice, dtype=np.float64).reshape(-1, 3, 3)).to(dtype)
        return cls(
            torch.from_numpy(flat_numbers),
            torus.wrap(torch.from_numpy(flat_frac).to(dtype)),
            vectors,
            counts,
            {name: as_column(values) for name, values in (info or {}).items()},
        )

    @classmethod
    def from_padded(cls, padded: Padded, info: Mapping[str, np.ndarray] | None = None) -> Crystals:
        """Packs a dense block; the inverse of `padded`."""
        return cls(
            padded.numbers[padded.mask].to(torch.uint8),
            torus.wrap(padded.frac[padded.mask]),
            padded.lattice,
            padded.counts,
            dict(info or {}),
        )

    @classmethod
    def empty(cls) -> Crystals:
        """A batch of no crystals."""
        return cls.build([], [], np.zeros((0, 3, 3)))

    @classmethod
    def failed(cls, reasons: Sequence[str], info: Mapping[str, Sequence[Any] | np.ndarray] | None = None) -> Crystals:
        """Rows for crystals that could not be built: no atoms, a NaN lattice, and the reason in `info["failure"]`."""
        lattice = np.full((len(reasons), 3, 3), np.nan)
        return cls.build([[]] * len(reasons), [[]] * len(reasons), lattice, {**(info or {}), FAILURE: list(reasons)})

    @classmethod
    def concat(cls, parts: Iterable[Crystals]) -> Crystals:
        """Joins batches in order. A column that a part lacks is filled with None, NaN, or no failure."""
        parts = list(parts)
        if not parts:
            return cls.empty()
        names = list(dict.fromkeys(name for part in parts for name in part.info))
        info = {name: _join_columns([_column_or_blank(part, name, parts) for part in parts]) for name in names}
        dtype = reduce(torch.promote_types, [part.frac.dtype for part in parts])
        return cls(
            torch.cat([part.numbers for part in parts]),
            torch.cat([part.frac.to(dtype) for part in parts]),
            torch.cat([part.lattice.to(dtype) for part in parts]),
            torch.cat([part.counts for part in parts]),
            info,
        )

    # --- looking ------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.counts)

    def __iter__(self) -> Iterator[Crystals]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Crystals({len(self)} crystals, {len(self.numbers)} atoms, info: {', '.join(self.info) or 'none'})"

    def __getitem__(self, index: int | np.integer | slice | Sequence[int] | np.ndarray | Tensor) -> Crystals:
        """Selects crystals by number, slice, indices or boolean mask; always returns a `Crystals`."""
        rows = self._rows(index)
        counts = self.counts[rows]
        starts = self.offsets[:-1][rows]
        within = torch.arange(int(counts.sum()), device=counts.device) - torch.repeat_interleave(
            counts.cumsum(0) - counts, counts
        )
        atoms = torch.repeat_interleave(starts, counts) + within
        picked = rows.cpu().numpy()
        info = {name: column[picked] for name, column in self.info.items()}
        return Crystals(self.numbers[atoms], self.frac[atoms], self.lattice[rows], counts, info)

    def _rows(self, index: int | np.integer | slice | Sequence[int] | np.ndarray | Tensor) -> Int[Tensor, " k"]:
        everything = torch.arange(len(self), device=self.counts.device)
        if isinstance(index, (int, np.integer)):
            if not -len(self) <= index < len(self):
                raise IndexError(f"crystal {index} of {len(self)}")
            return everything[index : index + 1 or None]
        if isinstance(index, slice):
            index = np.arange(len(self))[index]  # PyTorch has no negative steps
        rows = index if isinstance(index, Tensor) else torch.as_tensor(np.array(index))
        return everything[rows if len(rows) else rows.long()]

    @property
    def offsets(self) -> Int[Tensor, " k"]:
        """First atom of each crystal, and the number of atoms at the end."""
        zero = torch.zeros(1, dtype=torch.int64, device=self.counts.device)
        return torch.cat([zero, self.counts.cumsum(0)])

    @property
    def owner(self) -> Int[Tensor, " a"]:
        """The crystal that each atom belongs to."""
        return torch.repeat_interleave(torch.arange(len(self), device=self.counts.device), self.counts)

    @property
    def failures(self) -> np.ndarray:
        """Failure reason per crystal, the empty string where there is none; dtype object."""
        column = self.info.get(FAILURE)
        return np.full(len(self), "", dtype=object) if column is None else column

    @property
    def built(self) -> np.ndarray:
        """Whether each crystal could be built, shape (C,), bool."""
        return np.array([not reason for reason in self.failures], dtype=bool)

    @property
    def formulas(self) -> list[str]:
        """Full formula of each crystal in order of electronegativity, such as `Na4Cl4`; empty for no atoms."""
        return [formula_from_numbers(z.tolist()) for z in self.numbers_of_each()]

    @property
    def symbols(self) -> list[str]:
        """Element symbol of each atom."""
        return [SYMBOLS[z] for z in self.numbers.tolist()]

    def numbers_of_each(self) -> list[np.ndarray]:
        """Atomic numbers, one array a crystal."""
        return np.split(self.numbers.cpu().numpy(), self.offsets[1:-1].cpu().numpy())[: len(self)]

    def frac_of_each(self) -> list[np.ndarray]:
        """Fractional coordinates, one (n_i, 3) array a crystal."""
        return np.split(self.frac.cpu().numpy(), self.offsets[1:-1].cpu().numpy())[: len(self)]

    # --- changing -----------------------------------------------------------------------------------------------

    def with_info(self, **columns: Sequence[Any] | np.ndarray) -> Crystals:
        """Returns the same crystals with columns added or replaced."""
        return replace(self, info={**self.info, **{name: as_column(values) for name, values in columns.items()}})

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Crystals:
        """Moves to a device, and casts coordinates and lattices to `dtype`."""
        return Crystals(
            self.numbers.to(device),
            self.frac.to(device=device, dtype=dtype),
            self.lattice.to(device=device, dtype=dtype),
            self.counts.to(device),
            self.info,
        )

    def niggli(self) -> Crystals:
        """Returns the same crystals in their Niggli-reduced cells; one whose cell is flat or NaN stays as it is."""
        reduced, transform = cells.niggli(self.lattice)
        usable = reduced.isfinite().flatten(1).all(1)
        lattice = torch.where(usable[:, None, None], reduced, self.lattice)
        return replace(self, lattice=lattice, frac=cells.niggli_frac(self.frac, self.owner, transform))

    def padded(self, width: int | None = None) -> Padded:
        """Spreads the batch into a dense block with a mask.

        Args:
            width: atoms per row; the largest crystal by default.

        Raises:
            ValueError: a crystal has more atoms than `width`.
        """
        largest = int(self.counts.max()) if len(self) else 0
        width = largest if width is None else width
        if largest > width:
            raise ValueError(f"a crystal has {largest} atoms, more than the width {width}")
        mask = torch.arange(width, device=self.counts.device) < self.counts[:, None]
        numbers = torch.zeros(mask.shape, dtype=torch.int64, device=mask.device)
        frac = torch.zeros((*mask.shape, 3), dtype=self.frac.dtype, device=mask.device)
        numbers[mask] = self.numbers.to(torch.int64)
        frac[mask] = self.frac
        return Padded(numbers, frac, self.lattice, mask)

    def numeric(self, names: Sequence[str]) -> Float[Tensor, "c p"]:
        """Columns of `info` as numbers in single precision; what is no number, or absent, is NaN."""
        missing = np.full(len(self), np.nan)
        columns = [np.array([_number(v) for v in self.info[n]]) if n in self.info else missing for n in names]
        return torch.from_numpy(np.stack(columns, 1)).to(device=self.lattice.device, dtype=torch.float32)


def _number(value: Any) -> float:
    """The value as a number; NaN if it is none, as where a table has a blank."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def as_column(values: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Makes an `info` column: numbers and booleans keep their dtype, everything else becomes dtype object."""
    array = values if isinstance(values, np.ndarray) else _array_of(values)
    return array if array.dtype.kind in "biuf" else array.astype(object)


def _array_of(values: Sequence[Any]) -> np.ndarray:
    if all(isinstance(value, (bool, int, float, np.number, np.bool_)) for value in values):
        return np.array(values)
    column = np.empty(len(values), dtype=object)
    column[:] = list(values)
    return column


def _column_or_blank(part: Crystals, name: str, parts: list[Crystals]) -> np.ndarray:
    if name in part.info:
        return part.info[name]
    if name == FAILURE:
        return np.full(len(part), "", dtype=object)
    kind = next(other.info[name] for other in parts if name in other.info).dtype.kind
    return np.full(len(part), np.nan) if kind == "f" else np.full(len(part), None, dtype=object)


def _join_columns(columns: list[np.ndarray]) -> np.ndarray:
    columns = [column for column in columns if len(column)] or columns[:1]
    if any(column.dtype == object for column in columns):
        columns = [column.astype(object) for column in columns]
    return np.concatenate(columns)
