"""How an element is drawn: its colour and its radius, by atomic number."""

from __future__ import annotations

from functools import cache

UNKNOWN_COLOUR = "#B5609B"

# One row a period. The hues follow the CPK convention (oxygen red, nitrogen blue, sulfur yellow, …), softened so that
# a page of crystals stays calm; a group of the table keeps its hue and darkens from top to bottom.
_COLOURS = """
F2F2EF D8ECEE
B98AE0 C5D45A F0B0A6 5B6168 4A6BD8 E2483D 9CCB73 BFE0E8
A070DA 9CCB4C B9A9B0 E6C193 EC8F34 EBCB3C 4DB567 9FD3DE
8650C2 68B84E DFE3E4 B4BFC9 9CA5B8 8797C6 9B7FC4 D2703F E08C9C 62B56F C98347 8A8DB8
    C09291 7C9996 B88AD6 E39F3A A8443A 78BDD0
6C3BA8 459F52 9CDAD6 86C6CB 6FB3BD 5A9FAA 488E99 3D7F8A 35728A 3C6C94 BFC4CA E8CB94
    A9807C 76898F 9A69B2 C87F34 80308F 559FB8
55278C 2C8650
    86C5E8 EBE4B8 D9EAC0 C8E8C2 B2E0BF A4DBBE 92D3B4 80CBAB 6FC3A3 60BA9B 54B193 4AA88A 419E81 399577 328B6E
    62ACD8 5B9CDA 4488BE 3E78A4 376A90 305C80 C9CCD8 EBC34A B3B5CB A3655F 6B6E78 94589F A4672F 7C5348 4E8AA0
431B72 1F6B45
    75A8E4 4CA7DC 4897DC 4488DA 447ED6 4A76D0 5B6FCB 6F68C6 8263C0 925EBA 9F59B3 AA55AB
"""
_BY_NUMBER = (UNKNOWN_COLOUR, *(f"#{code}" for code in _COLOURS.split()))

# Covalent radii in Å: Cordero et al., Dalton Trans. 2008, 2832; low-spin values for Mn, Fe, Co, sp3 for C.
_RADII = """
0.31 0.28
1.28 0.96 0.84 0.76 0.71 0.66 0.57 0.58
1.66 1.41 1.21 1.11 1.07 1.05 1.02 1.06
2.03 1.76 1.70 1.60 1.53 1.39 1.39 1.32 1.26 1.24 1.32 1.22 1.22 1.20 1.19 1.20 1.20 1.16
2.20 1.95 1.90 1.75 1.64 1.54 1.47 1.46 1.42 1.39 1.45 1.44 1.42 1.39 1.39 1.38 1.39 1.40
2.44 2.15
    2.07 2.04 2.03 2.01 1.99 1.98 1.98 1.96 1.94 1.92 1.92 1.89 1.90 1.87 1.87
    1.75 1.70 1.62 1.51 1.44 1.41 1.36 1.36 1.32 1.45 1.46 1.48 1.40 1.50 1.50
2.60 2.21
    2.15 2.06 2.00 1.96 1.90 1.87 1.80 1.69
"""
_COVALENT = tuple(float(value) for value in _RADII.split())


@cache
def colour(z: int) -> str:
    """Colour of an element as `#RRGGBB`; the elements after fermium share one."""
    return _BY_NUMBER[z] if 0 < z < len(_BY_NUMBER) else UNKNOWN_COLOUR


@cache
def covalent_radius(z: int) -> float:
    """Covalent radius in Å; curium's for the elements after it, which Cordero et al. do not list."""
    return _COVALENT[min(z, len(_COVALENT)) - 1]


@cache
def ball_radius(z: int) -> float:
    """Radius in Å of the ball that stands for an atom: small enough to see bonds, in the order of the true sizes."""
    return 0.22 + 0.32 * covalent_radius(z)


@cache
def rgb(z: int) -> tuple[float, float, float]:
    """Colour of an element as red, green and blue in [0, 1]."""
    code = colour(z)
    return tuple(int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))  # type: ignore[return-value]
