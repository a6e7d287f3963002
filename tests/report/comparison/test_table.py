from __future__ import annotations

import pytest

from nucleate.report.comparison.columns import SHEET, SHEETS
from nucleate.report.comparison.ranking import Mark
from nucleate.report.comparison.table import compare, light_differences
from tests.report.comparison.conftest import csp, dng, entry


def filled(slug, *rows):
    comparison = compare(SHEET[slug], rows)
    assert comparison is not None
    return comparison


def column(comparison, key):
    place = [column.key for column in comparison.columns].index(key)
    return [[row[place].mark for row in block.cells] for block in comparison.blocks]


def test_rows_of_one_protocol_stand_in_one_block():
    comparison = filled("dng", entry("a", dng(0.9)), entry("b", dng(0.8)), entry("c", csp()))
    (block,) = comparison.blocks
    assert block.names == "a, b"
    assert column(comparison, "validity") == [[Mark.BEST, Mark.NONE]]
    assert comparison.differences == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"definition__reference": "mp-20:test"}, "reference: mp-20:val (9,047 crystals) for a; mp-20:test"),
        ({"counts__reference": {"crystals": 5}}, "reference: mp-20:val (9,047 crystals) for a; mp-20:val (5 crystals)"),
        (
            {"definition__composition_validity": {"oxidation_states": "icsd24"}},
            "oxidation states: smact_2_2_1 for a; icsd24",
        ),
        ({"counts__requested": 1000}, "samples: 100 for a; 1,000 for b"),
        (
            {"definition__coverage": {"structure_cutoff": 0.2}},
            "coverage: structure cutoff 0.4, composition cutoff 10.0",
        ),
        ({"definition__structural_validity": {"min_distance": 1.0}}, "structural validity: min distance 0.5"),
        ({"definition__max_atoms": 300}, "atoms at most: 256 for a; 300 for b"),
    ],
)
def test_another_protocol_is_another_block(change, says):
    """The better number of another protocol takes no mark from the row that stands first."""
    rows = entry("a", dng(0.8)), entry("b", dng(0.9, **change)), entry("c", dng(0.7))
    for slug in ("dng", "dng-novelty"):
        comparison = filled(slug, *rows)
        assert [block.names for block in comparison.blocks] == ["a, c", "b"]
        assert column(comparison, comparison.columns[0].key) == [[Mark.BEST, Mark.NONE], [Mark.NONE]]
        assert any(sentence.startswith(says.replace(" for a", " for a, c")) for sentence in comparison.differences)


@pytest.mark.parametrize("change", [{"definition__training": "other"}, {"definition__matcher": {"ltol": 0.3}}])
def test_what_only_novelty_depends_on_divides_only_its_table(change):
    rows = entry("a", dng()), entry("b", dng(**change))
    assert len(filled("dng", *rows).blocks) == 1
    assert len(filled("dng-novelty", *rows).blocks) == 2


def test_another_number_of_predictions_divides_only_the_best_of_them():
    rows = entry("a", csp()), entry("b", csp(k=5)), entry("c", csp(k=20)), entry("d", csp(k=20))
    assert [block.names for block in filled("csp-first", *rows).blocks] == ["a, b, c, d"]
    best = filled("csp-best", *rows)
    assert [block.names for block in best.blocks] == ["b", "c, d"]
    assert best.differences == ["predictions each: 5 for b; 20 for c, d"]


def test_another_matcher_and_other_crystals_asked_for_divide_predictions():
    for change in ({"definition__matcher": {"ltol": 0.2}}, {"counts__reference": {"crystals": 9047, "asked": 3}}):
        assert len(filled("csp-first", entry("a", csp()), entry("b", csp(**change))).blocks) == 2


def test_pairing_by_composition_stands_apart_and_old_files_stand_with_the_others():
    old, rows = (
        csp(),
        [csp(definition__pairing={"by": by}) for by in ("rows", "name", "reference_index", "composition")],
    )
    assert "pairing" not in old["definition"]
    entries = [entry(name, data) for name, data in zip("abcde", [old, *rows], strict=True)]
    first = filled("csp-first", *entries)
    assert [block.names for block in first.blocks] == ["a, b, c, d", "e"]
    assert first.differences == ["pairing: sample by sample for a, b, c, d; by composition for e"]


def test_an_empty_sheet_is_no_table():
    assert compare(SHEET["csp-best"], [entry("a", csp(k=1))]) is None
    assert compare(SHEET["dng"], [entry("a", csp())]) is None


def test_light_differences_divide_nothing():
    changes = {"definition__versions": {"nucleate": "0.2.0", "numpy": "2.4.6"}, "definition__seed": 3}
    rows = entry("a", dng()), entry("b", dng(**changes, definition__wasserstein={"draw": 80}))
    assert len(filled("dng", *rows).blocks) == len(filled("dng-novelty", *rows).blocks) == 1
    assert light_differences(rows) == [
        "nucleate: 0.1.0 for a; 0.2.0 for b",
        "seed of the draw: 0 for a; 3 for b",
        "valid samples behind wdist: 90 for a; 80 for b",
    ]
    assert light_differences([rows[0]]) == []


def test_slugs_and_keys_are_unique():
    assert len({sheet.slug for sheet in SHEETS}) == len(SHEETS)
    for sheet in SHEETS:
        assert len({column.key for column in sheet.columns}) == len(sheet.columns)
