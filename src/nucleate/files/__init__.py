"""Structure files: `read` and `write` pick the format by the name; `to_…` and `from_…` convert to pymatgen and ASE.

pymatgen and ASE are needed to read and to convert, and imported there; writing, and reading Parquet, need neither.
"""

from __future__ import annotations

from nucleate.files.convert import (
    from_atoms,
    from_structure,
    from_structures,
    to_atoms,
    to_structure,
    to_structures,
)
from nucleate.files.failures import DETAIL, Failure
from nucleate.files.reading import FILE, read
from nucleate.files.writing import write

__all__ = [
    "DETAIL",
    "FILE",
    "Failure",
    "from_atoms",
    "from_structure",
    "from_structures",
    "read",
    "to_atoms",
    "to_structure",
    "to_structures",
    "write",
]
