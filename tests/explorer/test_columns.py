from __future__ import annotations

import numpy as np
import pytest

from nucleate.crystals import Crystals
from nucleate.explorer import columns
from nucleate.explorer.atlas import Property
from nucleate.explorer.columns import LONGEST, crystal_names, file_columns

HOSTILE = ["</script><script>alert(1)</script>", '<img src=x onerror="alert(1)">', "a|b&c=d%7C", "line\nbreak\t\u2028x"]


def crystals(count: int, **info) -> Crystals:
    cells = [4.0 * np.eye(3)] * count
    return Crystals.build([[11, 17]] * count, [[[0, 0, 0], [0.5, 0.5, 0.5]]] * count, cells, info)


def found(batch: Crystals, *taken: Property) -> dict[str, Property]:
    return {prop.key: prop for prop in file_columns(batch, list(batch.info), taken).properties}


def test_every_column_of_every_source_and_unknown_where_it_is_absent():
    first = crystals(3, band_gap=[0.0, np.nan, 2.5], stable=[True, False, True], cluster=["a", "", None])
    second = crystals(2, charge=[1, -2], tags=[["x", "y"], []], mixed=[1.5, "n/a"])
    props = found(Crystals.concat([first, second]))
    assert list(props) == ["band_gap", "charge", "cluster", "mixed", "stable", "tags"]
    np.testing.assert_array_equal(props["band_gap"].values, [0.0, np.nan, 2.5, np.nan, np.nan])
    np.testing.assert_array_equal(props["charge"].values, [np.nan] * 3 + [1, -2])
    assert props["stable"].values.tolist() == [True, False, True, None, None]
    assert props["cluster"].values.tolist() == ["a", "", "", "", ""]
    assert props["tags"].values.tolist() == ["", "", "", "['x', 'y']", "[]"]
    assert props["mixed"].values.tolist() == ["", "", "", "1.5", "n/a"]
    assert props["band_gap"].unit == "eV"
    assert all(prop.of_file for prop in props.values())


def test_flags_that_all_have_stay_booleans():
    assert found(crystals(2, stable=[True, False]))["stable"].values.dtype == bool


def test_what_is_left_out_or_cut_is_said():
    long = "x" * (LONGEST + 1)
    batch = crystals(3, nothing=["", None, " "], text=[long, long, "y" * LONGEST], size=[1.0, np.inf, -np.inf])
    shown = file_columns(batch, list(batch.info))
    values = {prop.key: prop.values for prop in shown.properties}
    assert values["text"].tolist() == [f"{'x' * LONGEST}…"] * 2 + ["y" * LONGEST]
    assert shown.facts == {
        "columns of the files": "size, text",
        "texts cut to 200 characters": "text (2)",
        "infinite values, shown as unknown": "size (2)",
        "columns left out": "nothing (no value among the crystals shown)",
    }


def test_columns_beyond_the_budget_are_named_and_the_small_ones_stay(monkeypatch):
    rng = np.random.default_rng(0)
    batch = crystals(500, noise=rng.random(500), few=np.arange(500) % 3, other=rng.random(500))
    sizes = {key: columns._packed_size(prop.values) for key, prop in found(batch).items()}
    monkeypatch.setattr(columns, "BUDGET", sizes["few"] + sizes["noise"] + 10)
    monkeypatch.setattr(columns, "BUDGET_PER_CRYSTAL", 0)
    shown = file_columns(batch, list(batch.info))
    left = {"noise", "other"} - {prop.key for prop in shown.properties}
    assert len(shown.properties) == 2
    assert "few" in {prop.key for prop in shown.properties}
    assert shown.facts["columns left out"].startswith(f"{left.pop()} (would take 0.0 MB; all may have 0.0 MB)")


def test_keys_and_labels_are_unlike_those_that_are_there():
    batch = crystals(2, density=[1.0, 2.0], source=["a", "b"], row=[5, 6], **{"density (file)": [3.0, 4.0]})
    props = found(batch, Property("density", "density", np.zeros(2)))
    assert list(props) == ["density (file)", "density (file) (file)", "row (file)", "source (file)"]
    assert len({prop.label.casefold() for prop in props.values()} | {"density"}) == 5


def test_names_come_from_the_first_column_that_has_one():
    first = crystals(2, material_id=["mp-1", None], name=["salt\nrock", "x"])
    second = crystals(1, id=["mine-7"])
    batch = Crystals.concat([first, second])
    assert crystal_names(batch) == ["mp-1", "x", "mine-7"]
    assert list(found(batch)) == ["name"], "a name that is not the one shown is a column"
    assert crystal_names(crystals(1)) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_strangers_stay_texts_on_one_line(text):
    (prop,) = found(crystals(1, note=[text])).values()
    assert prop.values.tolist() == [" ".join(text.split())]


def test_long_whole_numbers_are_names():
    props = found(crystals(2, key=[2**60 + 1, 3], size=[2**40, 3]))
    assert props["key"].values.tolist() == [str(2**60 + 1), "3"]
    assert props["size"].values.tolist() == [2**40, 3]
