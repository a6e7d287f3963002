"""Cells that every setting of gemmi's table fits, and CIFs that name a setting and list no operations."""

from __future__ import annotations

import gemmi

TABLE = list(gemmi.spacegroup_table())

GENERAL = (0.1234, 0.2145, 0.0567)
"""Coordinates of no special position, in any setting."""


def parameters(setting: gemmi.SpaceGroup) -> tuple[float, ...]:
    """Lengths in Å and angles in degrees that have the symmetry of a setting, and no more."""
    if setting.ext == "R":
        return (7, 7, 7, 75, 75, 75)
    angles = {"a": (100, 90, 90), "b": (90, 100, 90), "c": (90, 90, 100)}
    return {
        "triclinic": (7, 8, 9, 80, 95, 100),
        "monoclinic": (7, 8, 9, *angles.get(setting.monoclinic_unique_axis(), ())),
        "orthorhombic": (7, 8, 9, 90, 90, 90),
        "tetragonal": (7, 7, 9, 90, 90, 90),
        "trigonal": (7, 7, 11, 90, 90, 120),
        "hexagonal": (7, 7, 11, 90, 90, 120),
        "cubic": (9, 9, 9, 90, 90, 90),
    }[setting.crystal_system_str()]


def named(name: str, setting: gemmi.SpaceGroup, tag: str = "_symmetry_space_group_name_H-M") -> str:
    """A CIF of one atom in general position, whose symmetry is a name alone."""
    tags = [f"_cell_length_{axis}" for axis in "abc"] + [f"_cell_angle_{axis}" for axis in ("alpha", "beta", "gamma")]
    cell = "\n".join(f"{key} {value}" for key, value in zip(tags, parameters(setting), strict=True))
    heads = "\n".join(["loop_", "_atom_site_label", *(f"_atom_site_fract_{axis}" for axis in "xyz")])
    return f"data_a\n{tag} '{name}'\n{cell}\n{heads}\nNa1 {' '.join(map(str, GENERAL))}\n"
