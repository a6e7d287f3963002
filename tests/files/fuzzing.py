"""Files to attack the readers with: what the writers write, and what other programs make of it, mutated."""

from __future__ import annotations

import random
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from nucleate.crystals import Crystals
from nucleate.files import cif, extxyz, json, poscar

SECONDS = 5

WORDS = (
    *("0", "1", "-1", "0.5", "1/3", "1e9", "nan", "inf", "?", ".", "''", "", "H", "Fe", "NH3", "Wat", "X", "T1"),
    *("data_x", "loop_", "_atom_site_label", "_cell_length_a", "'F d -3 m'", "'P 21/c'", "x, y, z", ";", "#", '"', "'"),
    *(
        "Lattice=",
        "Properties=species:S:1:pos:R:3",
        "pbc",
        "{",
        "}",
        "[",
        "]",
        "null",
        ":",
        ",",
        "\\",
        "\x00",
        "é",
        "−",
    ),
    *("999999999", "Direct", "Cartesian", "Selective dynamics", "1.0(3)", "true"),
)


def mutated(text: str, rng: random.Random) -> str:
    """A text after one to four small accidents: characters, words and lines lost, doubled, exchanged or put in."""
    for _ in range(rng.randint(1, 4)):
        text = rng.choice((_characters, _words, _lines, _cut))(text, rng)
    return text


def _characters(text: str, rng: random.Random) -> str:
    place = rng.randrange(len(text) + 1)
    return (
        text[:place]
        + rng.choice(("", rng.choice("0123456789.-+'\";_#{}[]()=:, \t\nXHaé")))
        + text[place + rng.randint(0, 2) :]
    )


def _words(text: str, rng: random.Random) -> str:
    words = re.split(r"(\s+)", text)
    place = rng.randrange(len(words))
    words[place] = rng.choice((rng.choice(WORDS), words[rng.randrange(len(words))], words[place] * 2))
    return "".join(words)


def _lines(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(3):
        case 0:
            del lines[place]
        case 1:
            lines.insert(place, lines[other])
        case _:
            lines[place], lines[other] = lines[other], lines[place]
    return "\n".join(lines)


def _cut(text: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text) + 1)] if rng.random() < 0.2 else text


@contextmanager
def within_seconds() -> Iterator[None]:
    """Fails what takes longer than `SECONDS`.

    Raises:
        TimeoutError: it did.
    """

    def ring(*_: object) -> None:
        raise TimeoutError(f"longer than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def stated_elements(text: str) -> Counter[str] | None:
    """What the formula of a CIF says, read without the reader; None if there is not just one that is plain."""
    found = re.findall(r"^_chemical_formula_sum[ \t]+'([^'\n]*)'[ \t]*$", text, re.MULTILINE | re.IGNORECASE)
    if len(found) != 1 or not re.fullmatch(r"(?:[A-Z][a-z]?[0-9]*)(?: [A-Z][a-z]?[0-9]*)*", found[0]):
        return None
    counts: Counter[str] = Counter()
    for symbol, count in re.findall(r"([A-Z][a-z]?)([0-9]*)", found[0]):
        counts[symbol] += int(count or 1)
    return counts


SYMMETRIC = """data_symmetric
_chemical_formula_sum 'Ti2 O4'
_cell_formula_units_Z 2
_symmetry_space_group_name_H-M 'P 42/m n m'
_space_group_IT_number 136
_cell_length_a 4.594
_cell_length_b 4.594
_cell_length_c 2.959
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Ti1 Ti4+ 0 0 0 1.0
O1 O2- 0.3047(2) 0.3047(2) 0 1.0
"""

WRITTEN: Mapping[str, Callable[[Crystals], str]] = {
    "cif": cif.dump,
    "extxyz": extxyz.dump,
    "json": json.dump,
    "vasp": lambda crystals: poscar.dump(crystals[0]),
}
