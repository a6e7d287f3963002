from __future__ import annotations

import pytest

from nucleate.cli import _progress


@pytest.fixture(autouse=True)
def quiet_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """What verbs say of their progress depends on how busy the machine is; here they say nothing of it."""
    monkeypatch.setattr(_progress, "FIRST", 3600.0)
