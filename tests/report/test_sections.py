from __future__ import annotations

import numpy as np
import pytest

from nucleate.errors import UserError
from nucleate.report.sections import KeyNumbers, Picture, Table, format_value
from tests.report.conftest import Page

HOSTILE = "</dd><script>alert(1)</script>\"'&"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (np.float32(0.5), "0.5"),
        (1234567, "1,234,567"),
        (np.int64(3), "3"),
        (True, "yes"),
        (np.bool_(False), "no"),
        ("96 %", "96 %"),
        (None, "–"),
        ("", "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_values_are_written_for_readers(value, text):
    assert format_value(value) == text


def test_key_numbers_are_a_description_list():
    page = Page(KeyNumbers({"crystals": 1000, "valid": 0.95, HOSTILE: HOSTILE}).html())
    assert page.texts["dt"] == ["crystals", "valid", HOSTILE]
    assert page.texts["dd"] == ["1,000", "0.95", HOSTILE]
    assert "script" not in page.texts


def test_a_table_says_what_it_is_given():
    table = Table(["Metric", "Value", HOSTILE], [["validity", 0.5, "a"], [HOSTILE, None, "b"]], HOSTILE, HOSTILE)
    page = Page(table.html())
    assert page.texts["h2"] == [HOSTILE]
    assert page.texts["th"] == ["Metric", "Value", HOSTILE, "validity", HOSTILE]
    assert page.texts["td"] == ["0.5", "a", "–", "b"]
    assert len(page.with_class("number")) == 3  # the head and the two cells of one column
    assert "script" not in page.texts


def test_rows_must_fit_the_columns():
    with pytest.raises(UserError, match="1 cells in a row of 2 columns"):
        Table(["a", "b"], [["x"]]).html()


def test_a_picture_travels_in_the_page(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG")
    page = Page(Picture(path, "Training", HOSTILE).html())
    (image,) = [attributes for tag, attributes in page.elements if tag == "img"]
    assert image == {"alt": HOSTILE, "src": "data:image/png;base64,iVBORw=="}
    with pytest.raises(UserError, match="cannot read"):
        Picture(tmp_path / "absent.png", "Training").html()
