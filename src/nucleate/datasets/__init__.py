"""Data sets: the named benchmarks of the field, the user's own files, and prototypes that need no download."""

from nucleate.datasets.loading import Reference, load, parse_reference
from nucleate.datasets.registry import DATASETS, NAMES

__all__ = ["DATASETS", "NAMES", "Reference", "load", "parse_reference"]
