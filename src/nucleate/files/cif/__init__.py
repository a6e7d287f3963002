"""CIF: parsed by gemmi, symmetry and all; what a file says twice has to agree. Written as plain P1 text."""

from __future__ import annotations

from nucleate.files.cif.block import split
from nucleate.files.cif.reading import parse
from nucleate.files.cif.writing import dump, texts

__all__ = ["dump", "parse", "split", "texts"]
