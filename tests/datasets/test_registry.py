from __future__ import annotations

import gzip

import pytest

from nucleate.datasets.download import check_table
from nucleate.datasets.registry import DATASETS, NAMES, find
from nucleate.datasets.splits import SPLITS
from nucleate.errors import UserError


def test_the_names_are_a_contract():
    assert NAMES == ("mp-20", "mpts-52", "perov-5", "carbon-24", "prototypes")
    assert all(find(name).name == name for name in DATASETS)


def test_sizes_add_up_to_the_published_totals():
    totals = {name: sum(dataset.sizes.values()) for name, dataset in DATASETS.items()}
    # Xie et al. 2022, appendix; Jiao et al. 2023, section 5.1.
    assert totals == {"mp-20": 45_229, "mpts-52": 40_476, "perov-5": 18_928, "carbon-24": 10_153}
    assert all(tuple(dataset.sizes) == SPLITS for dataset in DATASETS.values())


def test_addresses():
    home = "https://raw.githubusercontent.com"
    assert DATASETS["mp-20"].url("val") == f"{home}/txie-93/cdvae/main/data/mp_20/val.csv"
    assert DATASETS["mpts-52"].url("test") == f"{home}/jiaor17/DiffCSP/main/data/mpts_52/test.csv"


@pytest.mark.parametrize(
    ("name", "hint"), [("mp20", "mp-20"), ("MP_20", "mp-20"), ("perov5", "perov-5"), ("prototype", "prototypes")]
)
def test_a_close_name_is_suggested(name, hint):
    with pytest.raises(UserError, match=f"did you mean {hint}") as caught:
        find(name)
    assert all(known in str(caught.value) for known in NAMES)


def test_a_far_name_gets_the_list_alone():
    with pytest.raises(UserError, match="no data set or file 'qm9'; the names are mp-20"):
        find("qm9")


@pytest.mark.parametrize("name", DATASETS)
def test_published_files_have_the_columns_and_the_rows(shared, name, tmp_path):
    dataset = DATASETS[name]
    table = tmp_path / "val.csv"
    table.write_bytes(gzip.decompress((shared / "data" / dataset.folder / "val.csv.gz").read_bytes()))
    check_table(table, dataset, "val", table.name)
