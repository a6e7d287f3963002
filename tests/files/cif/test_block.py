from __future__ import annotations

import numpy as np
import pytest

from nucleate.files.cif import block
from nucleate.files.failures import BadEntryError


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("0.3522(1)", 0.3522),
        ("5.64", 5.64),
        ("-.5", -0.5),
        ("'1.5'", 1.5),
        ("2.5(10", 2.5),
        ("1e-3", 1e-3),
        ("0(1.2)", 0),
    ],
)
def test_numbers_leave_their_uncertainty(raw, value):
    assert block.number(raw) == value


@pytest.mark.parametrize("raw", ["?", ".", "", "1_0", "half", "1/3", "0.5(x)", "−0.5", "0,5"])
def test_what_is_no_number_is_nan(raw):
    assert np.isnan(block.number(raw))


def test_a_file_is_cut_at_headings_and_not_at_text():
    sites = "_atom_site_label Na1\n"
    text = f"# comment\ndata_a\n{sites}_x\n;\ndata_b\n{sites};\nDATA_c\n{sites}data_publication\n_y 1\n"
    assert [piece.split("\n")[0] for piece in block.split(text)] == ["data_a", "DATA_c"]
    assert list(block.split("data_a\n_x 1\n")) == ["data_a\n_x 1\n"]
    assert list(block.split("prose")) == ["prose"]


def test_values_are_found_in_any_spelling():
    found = block.Block("data_a\n_Cell.Length_A 'x y'\n_t\n;two\nlines\n;\nloop_\n_A\n_b\n1 ?\n2 .\n_none ?\n")
    assert found.text("_other", "_cell_length_a") == "x y"
    assert found.text("_t") == "two\nlines"
    assert found.text("_none") is None
    assert found.column("_none_at_all", "_a") == ["1", "2"]
    assert found.column("_nothing") == []
    np.testing.assert_array_equal(found.numbers("_b"), [np.nan, np.nan])
    assert "_a" in found
    assert list(found.tags()) == ["_cell_length_a", "_t", "_a", "_b", "_none"]


def test_a_value_given_twice_is_refused_when_it_is_asked_for():
    found = block.Block("data_a\n_x 1\n_x 2\n_y 1\n_Y 1\n")
    assert found.text("_y") == "1"
    with pytest.raises(BadEntryError, match="_x is given twice"):
        found.text("_x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prose", "there is no data_ block"),
        ("data_a\nloop_\n_a\n_b\n1 2 3\n", "line 2 of the block: Wrong number of values"),
        ("data_a\n_a 1 2\n", "line 2 of the block: this is not CIF"),
        ("data_a\n_a\n;open\n", "unterminated text field"),
        ("data_a\n\x00", "line 2"),
    ],
)
def test_errors_say_what_and_where(text, words):
    with pytest.raises(BadEntryError, match=words):
        block.Block(text)


def test_letters_beyond_ascii_do_no_harm():
    found = block.Block("data_a\n_author Šárka\n_place 'Kraków'\n_x 1\n")
    assert found.text("_x") == "1"
    assert block.Block("data_a\n_place 'Kraków'\n").text("_place") == "Kraków"
