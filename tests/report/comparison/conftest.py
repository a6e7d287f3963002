"""Metrics files without an evaluation: the layout as it is written, the numbers as a test wants them."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from nucleate.evaluation.result import FORMAT
from nucleate.report.comparison.entry import Entry

RATES = (
    "structural_validity",
    "composition_validity",
    "validity",
    "cov_recall",
    "cov_precision",
    "uniqueness",
    "novelty",
)
RATES += ("unique_novel_valid", "cov_recall_joint", "cov_precision_joint", "p1_share")


def dng(value: float = 0.9, *, half: float = 0.02, **changes: Any) -> dict[str, Any]:
    """New crystals with one value for all rates; `changes` are paths such as `definition__reference`."""
    sides = {"samples": {"1": 0.25, "225": 0.75}, "reference": {"2": 0.5, "225": 0.5}}
    counts = {"width": 0.5, "samples": [0, 30, 70, 0], "reference": [10, 50, 30, 10]}
    sizes = {"num_atoms": [2, 8, 30], "crystals": [40, 40, 20], "structural_valid": [40, 40, 20]}
    sizes |= {"composition_valid": [40, 30, 10], "valid": [40, 30, 10]}
    numbers = {"wasserstein": 0.5, "samples": {}, "reference": {}, "histogram": counts}
    found = {
        "format": FORMAT,
        "task": "dng",
        "samples": None,
        "definition": {
            "versions": {"nucleate": "0.1.0", "numpy": "2.4.6"},
            "reference": "mp-20:val",
            "training": "mp-20:train",
            "seed": 0,
            "max_atoms": 256,
            "structural_validity": {"min_distance": 0.5, "min_volume": 0.1},
            "composition_validity": {"oxidation_states": "smact_2_2_1"},
            "coverage": {"structure_cutoff": 0.4, "composition_cutoff": 10.0},
            "wasserstein": {"draw": 90},
            "matcher": {"ltol": 0.2},
            "space_groups": {"symprec": 0.1},
        },
        "counts": {
            "requested": 100,
            "parsed": 100,
            "built": 98,
            "failures": {"zero_volume": 2},
            "fingerprinted": 98,
            "valid": 90,
            "reference": {"crystals": 9047},
            "training": 26963,
        },
        "metrics": {
            **dict.fromkeys(RATES, value),
            "wdist_density": 0.3,
            "wdist_num_elements": 0.1,
            "composition_diversity": 15.0,
            "structure_diversity": 0.8,
            "distributions": {
                "density": numbers,
                "volume_per_atom": numbers,
                "num_elements": {"jensen_shannon": 0.1, "samples": {"2": 0.5, "9": 0.5}, "reference": {"3": 1.0}},
                "elements": {"jensen_shannon": 0.2, "samples": {"O": 0.8, "Si": 0.2}, "reference": {"O": 1.0}},
                "space_group": {"jensen_shannon": 0.3, **sides},
                "crystal_system": {
                    "jensen_shannon": 0.3,
                    "samples": {"triclinic": 0.25, "cubic": 0.75},
                    "reference": {"cubic": 1.0},
                },
            },
            "validity_by_size": {"samples": sizes, "reference": sizes},
            "reference": {"validity": 0.906, "p1_share": 0.017},
        },
        "intervals": {
            **{name: [value - half, value + half, half / 2] for name in RATES},
            "wdist_density": [0.2, 0.4, 0.05],
        },
    }
    return changed(found, changes)


def csp(value: float = 0.6, *, k: int = 1, **changes: Any) -> dict[str, Any]:
    """Predictions with one match rate."""
    names = ("match_rate", "match_rate_filtered", "metre")
    numbers = {**dict.fromkeys(names, value), "rmse": 0.05, "rmse_filtered": 0.04, "crmse": 0.2}
    found = {
        "format": FORMAT,
        "task": "csp",
        "samples": None,
        "definition": {
            "versions": {"nucleate": "0.1.0"},
            "reference": "mp-20:val",
            "k": k,
            "max_atoms": 256,
            "structural_validity": {"min_distance": 0.5},
            "composition_validity": {"oxidation_states": "smact_2_2_1"},
            "matcher": {"ltol": 0.3},
        },
        "counts": {
            "requested": 100 * k,
            "built": 100 * k,
            "failures": {},
            "fingerprinted": 100 * k,
            "valid": 90 * k,
            "reference": {"crystals": 9047, "asked": 100},
        },
        "metrics": {
            "k1": numbers,
            "kN": numbers,
            "found_by_size": {"num_atoms": [2, 9], "crystals": [50, 50], "first": [40, 20], "best": [45, 30]},
            "rms_histogram": {"width": 0.02, "first": [50, 10, 0], "best": [60, 15, 0]},
        },
        "intervals": {side: {"match_rate": [value - 0.05, value + 0.05, 0.02]} for side in ("k1", "kN")},
    }
    return changed(found, changes)


def changed(tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    tree = deepcopy(tree)
    for key, value in changes.items():
        *path, last = key.split("__")
        place = tree
        for part in path:
            place = place[part]
        place[last] = value
    return tree


def entry(name: str, data: dict[str, Any]) -> Entry:
    return Entry(name=name, data=data, path=Path(f"{name}.json"))


@pytest.fixture
def write(tmp_path):
    """Writes a metrics file, and returns its path."""

    def write(name: str, data: dict[str, Any]) -> Path:
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data))
        return path

    return write
