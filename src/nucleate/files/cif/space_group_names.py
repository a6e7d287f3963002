"""The settings of space groups by the names that people and programs give them.

gemmi's table has 564 settings: those of the International Tables (1983, table 4.3.1) and others in use. A name is
looked up without its spaces, underscores, brackets and case: `P 1 21/c 1`, `P21/c`, `P2_1/c` and `p2(1)/c` are one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gemmi import SpaceGroup

UNIQUE_AXES = "bca"
"""Axes of monoclinic groups in order of preference: where nothing says which is unique, it is b."""

_SETTING = re.compile(r"\s*:\s*([12hr])$", re.IGNORECASE)
_ORIGIN = re.compile(r"[\s,;(]*(?:origin(?:\s*choice)?|o)\s*=?\s*([12])\)?$", re.IGNORECASE)
_TAIL = re.compile(r"(?<=.)\s*([hrsz])$", re.IGNORECASE)

_SUFFIXES = {"s": "1", "z": "2"}
"""Origin choices in the names of ICSD: at a point of highest site symmetry, and at a centre of inversion (Z)."""

_OLD_CUBIC = re.compile(r"^([pfi][mnda])(?:3-|3)([mncd]?)$")
"""Names before 1983, `Fm3m`, and with the bar behind, `Fm3-m`."""


class Name(NamedTuple):
    """What the name of a space group says.

    Attributes:
        settings: all that the name may mean.
        preferred: of these, those with the conventional unique axis, to choose where nothing else decides.
    """

    settings: tuple[SpaceGroup, ...]
    preferred: tuple[SpaceGroup, ...]


NO_EXTENSION = "\0"
"""What gemmi's table has for the origin where there is only one."""


@cache
def find(name: str) -> Name:
    """The settings that a Hermann-Mauguin name may mean, short, extended or full, with its setting or without."""
    bare, code = _parts(name)
    settings = _lookup(bare)
    if not settings and not code:  # ICSD's `R -3 m H` and `F d -3 m Z`
        tail = _TAIL.search(bare)
        if tail is not None:
            code = _SUFFIXES.get(tail[1].lower(), tail[1].upper())
            settings = _lookup(bare[: tail.start()])
    settings = settings or _known_to_gemmi(bare)
    return _with_preference(_of_code(settings, code) if code else settings)


def _lookup(name: str) -> tuple[SpaceGroup, ...]:
    return _by_key().get(_key(name)) or _by_key().get(_key(_short(name))) or ()


def _of_code(settings: tuple[SpaceGroup, ...], code: str) -> tuple[SpaceGroup, ...]:
    """Of some settings those with an origin, axes, or a code of the axes such as `cab`, which may rename the group."""
    if code not in ("1", "2", "H", "R"):
        numbers = {setting.number for setting in settings}
        return tuple(setting for setting in _table() if setting.number in numbers and setting.qualifier == code)
    # Where there is only one origin, some programs name it too.
    return tuple(setting for setting in settings if setting.ext == code) or tuple(
        setting for setting in settings if setting.ext == NO_EXTENSION and code in ("1", "2")
    )


@cache
def of_number(number: int) -> Name:
    """The settings that a number of the International Tables may mean: the standard one, with any unique axis.

    Where the tables have two origins, or axes of a hexagonal or rhombohedral cell, both are meant.
    """
    settings = [setting for setting in _table() if setting.number == number]
    standard = [setting for setting in settings if setting.is_reference_setting()]
    names = {setting.hm for setting in standard}
    choices = {f"{axis}{setting.qualifier[1:]}" for setting in standard for axis in UNIQUE_AXES if setting.qualifier}
    return _with_preference(
        tuple(
            setting
            for setting in settings
            if setting.hm in names or (_monoclinic(setting) and setting.qualifier in choices)
        )
    )


@cache
def of_hall(symbol: str) -> SpaceGroup | None:
    """The setting of the table that a Hall symbol means; None if it is not in the table."""
    return {_spaced(setting.hall): setting for setting in reversed(_table())}.get(_spaced(symbol))


def _table() -> list[SpaceGroup]:
    from gemmi import spacegroup_table

    return list(spacegroup_table())


@cache
def _by_key() -> dict[str, tuple[SpaceGroup, ...]]:
    found: dict[str, list[SpaceGroup]] = defaultdict(list)
    for setting in _table():
        names = [setting.hm, setting.short_name()]
        if _monoclinic(setting):
            names.append(" ".join(word for word in setting.hm.split() if word != "1"))
        if setting.ext == "H":  # an `H` for the centring of the hexagonal cell
            names.append("H" + setting.hm[1:])
        for key in set(map(_key, names)):
            found[key].append(setting)
    return {key: tuple(settings) for key, settings in found.items()}


def _monoclinic(setting: SpaceGroup) -> bool:
    return 3 <= setting.number <= 15


def _with_preference(settings: tuple[SpaceGroup, ...]) -> Name:
    for axis in UNIQUE_AXES:
        preferred = tuple(setting for setting in settings if setting.monoclinic_unique_axis() == axis)
        if preferred:
            return Name(settings, preferred)
    return Name(settings, settings)


def _parts(name: str) -> tuple[str, str]:
    """The name without its setting, and that: `1` and `2` for an origin, `H` and `R` for axes, a code, or nothing."""
    for pattern in (_SETTING, _ORIGIN):
        found = pattern.search(name)
        if found is not None:
            return name[: found.start()], found[1].upper()
    bare, _, code = name.partition(":")
    return bare, code.strip().lower()


def _spaced(name: str) -> str:
    return " ".join(re.sub(r"[_\s]+", " ", name).split()).lower()


def _key(name: str) -> str:
    compact = re.sub(r"[\s_(){}'\"$\\]", "", re.sub(r"\\(?:bar|overline)", "-", name)).lower()
    compact = compact.replace("−", "-").replace("–", "-")
    return _OLD_CUBIC.sub(r"\1-3\2", compact)


def _short(name: str) -> str:
    """The short name of a full one: `P 21/n 21/m 21/a` is `P n m a`, `F 4/m -3 2/m` is `F m -3 m`."""
    words = re.sub(r"[_\s]+", " ", name).split()
    slashes = sum("/" in word for word in words)
    if slashes < 2 and "-3" not in words:
        return name
    axes = "234" if "-3" in words else "2"
    short = [re.sub(rf"^[{axes}][123]?/(?=[a-z])", "", word.replace("(", "").replace(")", "")) for word in words[1:]]
    return " ".join([words[0], *short])


def _known_to_gemmi(name: str) -> tuple[SpaceGroup, ...]:
    """The settings of a name that gemmi knows by another table (`C m c e`), with both origins."""
    from gemmi import find_spacegroup_by_name

    one = find_spacegroup_by_name(re.sub(r"[_\s]+", " ", name).strip())
    return _by_key()[_key(one.hm)] if one is not None else ()
