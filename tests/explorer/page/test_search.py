"""What can be written into the search, in a browser, against the same asked of the crystals in Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from pymatgen.core import Composition
from pymatgen.symmetry.groups import SpaceGroup

from nucleate.elements import NUMBERS
from tests.explorer.page.described import SOURCES
from tests.explorer.page.test_finding import search


@pytest.fixture(scope="module")
def atlas(described_atlas):
    return described_atlas


@pytest.fixture
def visit(shared_described):
    """The map, whatever was searched before."""
    return shared_described


@pytest.fixture(scope="module")
def compositions(atlas):
    return [Composition(formula).reduced_composition for formula in atlas.crystals.formulas]


def said(visit) -> str:
    return visit.page.locator(".search .about").inner_text()


def rows(fits) -> list[int]:
    return [i for i, fit in enumerate(fits) if fit]


def values(atlas, key: str) -> np.ndarray:
    return next(prop.values for prop in atlas.properties if prop.key == key)


def elements(composition: Composition) -> set[str]:
    return {element.symbol for element in composition}


@pytest.mark.parametrize(
    "text", ["O !F", "O -F", "O NOT F", "O not F", "O −F", "O AND NOT F", "o without f", "NOT F O"]
)
def test_without_an_element(visit, compositions, text):
    expected = rows("O" in elements(c) and "F" not in elements(c) for c in compositions)
    assert 0 < len(expected) < 360
    assert search(visit, text) == expected
    assert {"with O", "without F"} == set(said(visit).split(", "))


def test_alternatives(visit, compositions):
    expected = rows(("Na" in elements(c) and "O" not in elements(c)) or "K" in elements(c) for c in compositions)
    assert search(visit, "Na !O OR K") == expected
    assert said(visit) == "with Na, without O or with K"


@pytest.mark.parametrize(
    ("text", "size"), [("Li-*-O", 3), ("*-O", 2), ("Li-*-*-O", 4), ("*-*", 2), ("Li–O", 2), ("Li—O", 2)]
)
def test_systems_with_any_element_and_any_dash(visit, compositions, text, size):
    fixed = {"Li", "O"} & set(text.replace("–", "-").replace("—", "-").split("-"))
    expected = rows(len(elements(c)) == size and fixed <= elements(c) for c in compositions)
    assert search(visit, text) == expected
    assert said(visit).startswith(("only", "of 2 elements"))


def amounts(composition: Composition) -> dict[str, int]:
    return {element.symbol: round(n) for element, n in composition.items()}


@pytest.mark.parametrize(
    ("text", "fixed", "free"),
    [
        ("*O3", {"O": 3}, [1]),
        ("ABO3", {"O": 3}, [1, 1]),
        ("ABO₃", {"O": 3}, [1, 1]),
        ("A2B2O6", {"O": 3}, [1, 1]),
        ("AB", {}, [1, 1]),
        ("ABC", {}, [1, 1, 1]),
        ("AB2C4", {}, [1, 2, 4]),
        ("MX2", {}, [1, 2]),
        ("CaX2", {"Ca": 1}, [2]),
        ("*12W", {"W": 1}, [12]),
        ("**O3", {"O": 3}, [1, 1]),
    ],
)
def test_formulas_with_any_elements(visit, compositions, text, fixed, free):
    def fits(composition: Composition) -> bool:
        here = amounts(composition)
        rest = sorted(n for symbol, n in here.items() if symbol not in fixed)
        return all(here.get(symbol) == n for symbol, n in fixed.items()) and rest == sorted(free)

    expected = rows(map(fits, compositions))
    assert expected, "the test would say nothing"
    assert search(visit, text) == expected
    assert "any" in said(visit)


def test_formulas_as_the_page_shows_them(visit, compositions):
    row = next(i for i, c in enumerate(compositions) if len(c) == 3 and max(amounts(c).values()) > 1)
    text = "".join(f"{s}{n if n > 1 else ''}" for s, n in amounts(compositions[row]).items())
    lowered = text.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
    assert lowered != text
    assert search(visit, lowered) == rows(c == compositions[row] for c in compositions)


def test_a_formula_that_no_crystal_has_is_understood_and_said(visit):
    assert search(visit, "Li7Fe13Pu2") == []
    assert "which no crystal here is" in said(visit)
    assert visit.page.locator(".search .problem").count() == 0


@pytest.mark.parametrize(
    "text",
    [
        "Fm-3m",
        "F m -3 m",
        "F_m_-3_m",
        "Fm−3m",
        "Fm3̅m",
        "fm-3m",
        "sg:225",
        "sg=Fm-3m",
        "#225",
        "225",
        "spacegroup 225",
        "space group Fm-3m",
        "Fm3m",
        "space group 225",
    ],
)
def test_space_groups(visit, atlas, text):
    assert SpaceGroup("Fm-3m").int_number == 225
    assert search(visit, text) == rows(values(atlas, "space_group_number") == 225)
    assert said(visit).startswith("space group Fm-3m (225)")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("P6_3/mmc", 194),
        ("P63/mmc", 194),
        ("P 63/m m c", 194),
        ("Pnma", 62),
        ("Pbnm", 62),
        ("P21/n", 14),
        ("I4/mmm", 139),
        ("P b c n", 60),
    ],
)
def test_symbols_however_they_are_written(visit, atlas, text, number):
    assert search(visit, text) == rows(values(atlas, "space_group_number") == number)
    assert f"({number})" in said(visit)


def test_a_symbol_that_is_also_a_formula_is_the_formula_and_says_so(visit, compositions):
    assert search(visit, "Pm") == []
    assert said(visit).startswith("with Pm (sg:Pm is the space group)")
    assert search(visit, "sg:Pm") == search(visit, "sg:6")


def test_a_bare_number_says_how_ids_with_it_are_found(visit, atlas):
    named = [i for i, name in enumerate(atlas.crystals.info["material_id"]) if "194" in name]
    assert named
    search(visit, "194")
    assert f"id:194 finds {len(named)} by id" in said(visit)
    assert search(visit, "id:194") == named


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("band_gap>3", lambda gap: gap > 3),
        ("band_gap > 3", lambda gap: gap > 3),
        ("band gap >= 1.5", lambda gap: gap >= 1.5),
        ("Bandgap≤1", lambda gap: gap <= 1),
        ("gap<1e0", lambda gap: gap < 1),
        ("band_gap 1..2", lambda gap: (gap >= 1) & (gap <= 2)),
        ("band_gap=1..2", lambda gap: (gap >= 1) & (gap <= 2)),
        ("band_gap 2..", lambda gap: gap >= 2),
        ("band_gap=0", lambda gap: gap == 0),
        ("band_gap!=0", lambda gap: (gap != 0) & ~np.isnan(gap)),
        ("!band_gap>3", lambda gap: ~(gap > 3)),
        ("band_gap=unknown", np.isnan),
        ("band_gap!=unknown", lambda gap: ~np.isnan(gap)),
    ],
)
def test_numbers(visit, atlas, text, fits):
    assert search(visit, text) == rows(fits(values(atlas, "band_gap")))
    assert "Band gap" in said(visit)


def test_whole_numbers_that_need_double_precision(visit):
    assert search(visit, f"number={2**40 + 17}") == [17]
    assert search(visit, f"number>={2**40 + 358}") == [358, 359]


def test_flags_kinds_and_sources(visit, atlas):
    novel, stable, mineral = (values(atlas, key) for key in ("novel", "stable", "mineral"))
    for text in ("novel", "novel=yes", "novel:true", "Novel=1"):
        assert search(visit, text) == rows(novel)
    assert search(visit, "!novel") == rows(~novel)
    assert search(visit, "stable=no") == rows(value is False for value in stable)
    assert search(visit, "stable=unknown") == rows(value is None for value in stable)
    common = Counter(mineral[mineral != ""]).most_common(1)[0][0]
    assert search(visit, f'mineral="{common.lower()}"') == rows(mineral == common)
    assert said(visit) == f"Mineral is {common.lower()}"
    assert search(visit, "mineral:ite") == rows("ite" in text.lower() for text in mineral)
    assert search(visit, 'cluster="cluster 3"|"cluster 4"') == rows(
        c in ("cluster 3", "cluster 4") for c in values(atlas, "cluster")
    )
    assert search(visit, 'source="a|b, c"') == rows(atlas.source == SOURCES.index("a|b, c"))


def test_any_text(visit, atlas):
    note = values(atlas, "note")
    assert search(visit, "Oslo") == rows("Oslo" in text for text in note)
    assert "“Oslo” in " in said(visit)
    assert search(visit, '"seen in Oslo"') == rows("seen in Oslo" in text for text in note)
    assert search(visit, "note:oslo O") == rows(
        "Oslo" in text and NUMBERS["O"] in z for text, z in zip(note, atlas.crystals.numbers_of_each(), strict=True)
    )
    assert search(visit, "!note:oslo") == rows("Oslo" not in text for text in note)
    name = atlas.crystals.info["material_id"][8]
    assert 8 in search(visit, name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense!", "no such element, formula or column: “nonsense!”; see ?"),
        ("O qqq>3", "no such element, formula or column: “qqq>3”; see ?"),
        ("band_gap>wide", "Band gap is a number, not “wide”: write band_gap>1 or band_gap 1..2"),
        ("mineral>3", "Mineral is not a number"),
        ("mineral=zzzz", "no Mineral is “zzzz”: there are"),
        ("sg:231", "no space group is “231”"),
        ("sg=Foo", "no space group is “Foo”"),
        ("band_gap", "Band gap is a column: write band_gap>1"),
        ("band_gap 1..b", "is no range"),
        ("source=nobody", "no source is “nobody”"),
    ],
)
def test_nothing_is_zero_in_silence(visit, text, words):
    assert search(visit, text) == []
    assert words in visit.page.locator(".search .problem").inner_text().replace("\n", " ")


def test_zero_that_was_understood_is_said_too(visit):
    assert search(visit, "band_gap>1e9") == []
    assert said(visit) == "Band gap > 1e9: no crystal"


def test_a_question_mark_lists_what_can_be_written_and_each_example_is_understood(visit):
    search(visit, "qqqq")
    visit.page.locator(".problem button").click()
    dialog = visit.page.get_by_role("dialog", name="Search")
    assert dialog.is_visible()
    examples = dialog.locator(".example").all_inner_texts()
    assert {"Li-*-O", "sg:225", "number>1", "note:a"} <= set(examples)
    visit.page.keyboard.press("Escape")
    for text in examples:
        visit.page.get_by_role("button", name="What can be searched").first.click()
        dialog.get_by_role("button", name=text, exact=True).click()
        visit.wait(f"nucleate.state.query === {text!r}")
        problems = visit.page.locator(".search .problem").all_inner_texts()
        assert problems == [] or text in ("id:mp-12", "perovskite", '"rock salt"'), text


def test_the_search_is_in_the_address(visit, atlas):
    search(visit, 'band_gap>1 mineral!="a|b" OR ABO₃')
    found, address = visit.state("rowsShown()"), visit.address()
    visit.open(address)
    assert visit.state("rowsShown()") == found
