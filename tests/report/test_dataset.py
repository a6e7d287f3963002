from __future__ import annotations

import numpy as np
import pytest

from nucleate.elements import MAX_NUMBER, NUMBERS
from nucleate.errors import UserError
from nucleate.report.dataset import _seat, dataset_picture


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    with_element = np.zeros(119, dtype=np.int64)
    with_element[[1, 8, 26, 57, 92]] = [1, 3, 1000, 5, 2]
    return {
        "with_element": with_element,
        "atoms_per_cell": np.array([1, 2, 20, 20]),
        "volume_per_atom": np.array([4.0, 10.0, 11.0, 300.0]),
        "elements_per_crystal": np.array([1, 2, 3, 3]),
    }


def test_the_picture_is_written_in_the_format_of_its_name(arrays, tmp_path):
    from PIL import Image

    dataset_picture(tmp_path / "a.png", title="a $100 set_of_ crystals", **arrays)
    assert Image.open(tmp_path / "a.png").size == (1650, 1260)
    dataset_picture(tmp_path / "a.svg", title="a", **arrays)
    assert "<svg" in (tmp_path / "a.svg").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg"]


def test_one_crystal_and_large_cells_are_drawn(arrays, tmp_path):
    one = {name: column if name == "with_element" else column[:1] for name, column in arrays.items()}
    dataset_picture(tmp_path / "a.png", title="one", **one)
    arrays["atoms_per_cell"] = np.array([1, 500, 20, 20])
    dataset_picture(tmp_path / "a.png", title="large", **arrays)


@pytest.mark.parametrize("name", ["a", "a.txt"])
def test_a_name_without_a_format_is_refused(arrays, tmp_path, name):
    with pytest.raises(UserError, match=r"no format of pictures; there are .*png"):
        dataset_picture(tmp_path / name, title="a", **arrays)


def test_nothing_to_draw(arrays, tmp_path):
    empty = {name: column[:0] for name, column in arrays.items()}
    with pytest.raises(UserError, match="nothing: no crystals to draw"):
        dataset_picture(tmp_path / "a.png", title="nothing", **empty)


def test_every_element_has_its_own_seat():
    seats = {z: _seat(z) for z in range(1, MAX_NUMBER + 1)}
    assert len(set(seats.values())) == MAX_NUMBER
    assert all(0 <= x <= 17 for x, _ in seats.values())
    # Neighbours in a column: the table is the one that everybody knows.
    for column in ("H Li Na K Rb Cs Fr", "B Al Ga In Tl", "Ti Zr Hf", "He Ne Ar Kr Xe Rn", "Ce Th", "Lu"):
        assert len({seats[NUMBERS[symbol]][0] for symbol in column.split()}) == 1
