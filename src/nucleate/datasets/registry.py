"""The named data sets: where they live, how large they are, and what their columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from nucleate.errors import UserError

_CDVAE = "https://raw.githubusercontent.com/txie-93/cdvae/main/data"
_DIFFCSP = "https://raw.githubusercontent.com/jiaor17/DiffCSP/main/data"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A benchmark of the field, published as one CSV file a split.

    Attributes:
        name: what users type.
        folder: under `$NUCLEATE_DATA` and in the cache.
        summary: one line.
        licence: of the data.
        source: paper to cite.
        home: address of the folder that holds `train.csv`, `val.csv` and `test.csv`.
        sizes: official number of rows by split.
        units: unit of each column that is a property; the empty string for a pure number.
        sha256: checksums by split, as far as they are known. Where one is not, the first download is trusted if it has
            the official number of rows and the columns, and its checksum is kept beside it.
    """

    name: str
    folder: str
    summary: str
    licence: str
    source: str
    home: str
    sizes: Mapping[str, int]
    units: Mapping[str, str]
    sha256: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> frozenset[str]:
        """Columns that each file has at least."""
        return frozenset({"material_id", "cif", *self.units})

    def url(self, split: str) -> str:
        """Address of one file."""
        return f"{self.home}/{split}.csv"


PROTOTYPES = "prototypes"
"""The data set that is made, not found; see `nucleate.datasets.prototypes`."""

DATASETS: dict[str, DataSet] = {
    dataset.name: dataset
    for dataset in (
        DataSet(
            name="mp-20",
            folder="mp_20",
            summary="Materials Project, mostly experimentally known, up to 20 atoms",
            licence="CC BY 4.0",
            source="Xie et al., ICLR 2022; Jain et al., APL Mater. 1, 011002 (2013)",
            home=f"{_CDVAE}/mp_20",
            sizes={"train": 27_136, "val": 9_047, "test": 9_046},
            units={"formation_energy_per_atom": "eV/atom", "band_gap": "eV", "e_above_hull": "eV/atom"},
        ),
        DataSet(
            name="mpts-52",
            folder="mpts_52",
            summary="Materials Project, up to 52 atoms, split by year of discovery",
            licence="CC BY 4.0",
            source="Baird et al., mp-time-split (2022); Jiao et al., NeurIPS 2023",
            home=f"{_DIFFCSP}/mpts_52",
            sizes={"train": 27_380, "val": 5_000, "test": 8_096},
            units={"formation_energy_per_atom": "eV/atom", "energy_above_hull": "eV/atom", "year": ""},
        ),
        DataSet(
            name="perov-5",
            folder="perov_5",
            summary="Perovskites ABX3, 5 atoms, many unstable",
            licence="no licence stated",
            source="Xie et al., ICLR 2022; Castelli et al., Energy Environ. Sci. 5, 5814 and 9034 (2012)",
            home=f"{_CDVAE}/perov_5",
            sizes={"train": 11_356, "val": 3_787, "test": 3_785},
            units={"heat_all": "eV", "heat_ref": "eV", "dir_gap": "eV", "ind_gap": "eV"},
        ),
        DataSet(
            name="carbon-24",
            folder="carbon_24",
            summary="Carbon at 10 GPa from random search, 6 to 24 atoms",
            licence="open access (Materials Cloud)",
            source="Xie et al., ICLR 2022; Pickard, Materials Cloud 2020.0026 (2020)",
            home=f"{_CDVAE}/carbon_24",
            sizes={"train": 6_091, "val": 2_032, "test": 2_030},
            units={"energy_per_atom": "eV/atom"},
        ),
    )
}

NAMES: tuple[str, ...] = (*DATASETS, PROTOTYPES)


def find(name: str) -> DataSet:
    """Looks up a published data set.

    Raises:
        UserError: there is none of this name; the message lists the names and a close one.
    """
    if name in DATASETS:
        return DATASETS[name]
    close = get_close_matches(name.lower().replace("_", "-"), NAMES, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise UserError(f"no data set or file {name!r}; {hint}the names are {', '.join(NAMES)}")
