"""What all tests share: one thread for PyTorch, and a folder of reference data that a clone may lack."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

SHARED = Path(os.environ.get("NUCLEATE_SHARED") or Path(__file__).parents[2] / "shared")

# A busy machine is no failure.
settings.register_profile("nucleate", deadline=None)
settings.load_profile("nucleate")


def pytest_configure():
    # Tests use small tensors; a second thread costs more than it gains where the cores are busy.
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `../shared` with published data sets and reference values; without it the test is skipped."""
    if not SHARED.is_dir():
        pytest.skip("../shared is absent")
    return SHARED


@pytest.fixture(scope="session")
def golden(shared: Path) -> Path:
    """Structures, and what the published programs say of them; without them the test is skipped."""
    if not (shared / "golden").is_dir():
        pytest.skip("../shared is absent: it has no folder golden")
    return shared / "golden"


def pytest_terminal_summary(terminalreporter):
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "shared" in str(report.longrepr)]
    terminalreporter.write_line(f"{len(skipped)} tests were skipped because ../shared is absent")
