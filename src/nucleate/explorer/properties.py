"""What is computed of each crystal on the map, to colour and filter by. For columns of files see `columns`."""

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


def properties(
    crystals: Crystals,
    *,
    training: Crystals | None = None,
    training_name: str = "",
    jobs: int = 1,
    on_progress: Callable[[float, str], None] | None = None,
) -> list[Property]:
    """Describes crystals that can be judged.

    Args:
        crystals: all on the map.
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
    return found


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
