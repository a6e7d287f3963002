"""What is known of each crystal on the map, and can be coloured and filtered by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from nucleate.crystals import Crystals
from nucleate.evaluation import oxidation_states
from nucleate.evaluation.composition_validity import composition_validity
from nucleate.evaluation.density import densities
from nucleate.evaluation.novelty import known
from nucleate.evaluation.progress import Steps
from nucleate.evaluation.space_groups import SYMPREC, SYSTEMS, crystal_systems, space_groups
from nucleate.evaluation.structural_validity import structural_validity
from nucleate.explorer.atlas import Property
from nucleate.geometry.lattice import volume
from nucleate.geometry.space_group_symbols import SYMBOLS as SPACE_GROUPS

STEPS = {"space groups": 1.0, "validity": 0.3, "novelty": 2.0}
"""What takes long, and about how long."""

UNITS = {
    "energy": "eV",
    "energy_per_atom": "eV/atom",
    "formation_energy_per_atom": "eV/atom",
    "e_above_hull": "eV/atom",
    "band_gap": "eV",
}
"""Of columns that the field calls so."""

_NUMBERS_OF_ROWS = ("index", "row", "rank", "reference_index", "source_row", "column_0", "seed")
_KNOWN_ALREADY = ("spacegroup.number", "spacegroup_number", "space_group_number", "num_atoms", "density")


def properties(
    crystals: Crystals,
    *,
    columns: Sequence[str] = (),
    training: Crystals | None = None,
    training_name: str = "",
    jobs: int = 1,
    on_progress: Callable[[float, str], None] | None = None,
) -> list[Property]:
    """Describes crystals that can be judged.

    Args:
        crystals: all on the map.
        columns: names of columns of `info` to add: numbers or booleans.
        training: crystals that are not novel; without them there is no novelty.
        training_name: what people call them.
        jobs: processes at most; nothing depends on it.
        on_progress: told the share done, and what is being done.
    """
    steps = Steps(STEPS, on_progress)
    steps.start("space groups")
    groups = space_groups(crystals, jobs=jobs)
    steps.start("validity")
    structural = structural_validity(crystals).valid
    states = oxidation_states.load()
    composition = composition_validity(crystals, states)
    found = [
        *_sizes(crystals),
        Property("space_group", f"space group ({SYMPREC:g} Å)", _texts(SPACE_GROUPS, groups)),
        Property("space_group_number", "space group number", np.where(groups > 0, groups.astype(np.float64), np.nan)),
        Property("crystal_system", "crystal system", _texts(("", *SYSTEMS[1:]), crystal_systems(groups))),
        Property("structural_valid", "structurally valid", structural),
        Property("composition_valid", f"composition valid ({states.name})", composition),
    ]
    if training is not None:
        seen = known(crystals, training, jobs=jobs, on_progress=steps.start("novelty"))
        found.append(Property("novel", f"novel (unlike {training_name})", ~seen))
    return found + [_column(crystals, name) for name in columns]


def numeric_columns(parts: Sequence[Crystals]) -> list[str]:
    """Names of the columns of numbers or booleans that all parts have, but for those that number rows."""
    numeric = [{name for name, column in part.info.items() if column.dtype.kind in "biuf"} for part in parts]
    shared = set.intersection(*numeric) if parts else set()
    return sorted(shared - {*_NUMBERS_OF_ROWS, *_KNOWN_ALREADY})


def _sizes(crystals: Crystals) -> list[Property]:
    counts = crystals.counts.numpy()
    kinds = np.array([len(np.unique(numbers)) for numbers in crystals.numbers_of_each()])
    per_atom = volume(crystals.lattice.to(torch.float64)).numpy() / counts
    return [
        Property("num_atoms", "atoms in the cell", counts),
        Property("num_elements", "elements", kinds),
        Property("density", "density", densities(crystals), "g/cm³"),
        Property("volume_per_atom", "volume per atom", per_atom, "Å³"),
    ]


def _texts(names: Sequence[str], which: np.ndarray) -> np.ndarray:
    return np.array(names, dtype=object)[which]


def _column(crystals: Crystals, name: str) -> Property:
    """A column of `info`; where a part of the crystals lacks it, numbers are NaN."""
    column = crystals.info[name]
    if column.dtype.kind == "b":
        return Property(name, name.replace("_", " "), column)
    values = crystals.numeric([name])[:, 0].to(torch.float64).numpy()
    return Property(name, name.replace("_", " "), values, UNITS.get(name, ""))
