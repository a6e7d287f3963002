"""Frozen dataclasses to plain JSON types and back, with every unknown or missing name reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


def from_dict(kind: type[T], values: Mapping[str, Any]) -> T:
    """Builds a dataclass, and the dataclasses inside it, from nested dictionaries.

    Raises:
        ValueError: a name is unknown, or one without a default is missing.
    """
    if not is_dataclass(kind):
        raise TypeError(f"{kind} is no dataclass")
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ValueError(f"{kind.__name__} has no {', '.join(unknown)}")
    required = [n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING]
    missing = sorted(set(required) - set(values))
    if missing:
        raise ValueError(f"{kind.__name__} needs {', '.join(missing)}")
    built = {
        name: from_dict(hints[name], value) if is_dataclass(hints[name]) and isinstance(value, Mapping) else value
        for name, value in values.items()
    }
    return kind(**built)
