from __future__ import annotations

import json

import pytest

from nucleate.errors import UserError
from nucleate.training.run_folder import RunFolder


def test_a_run_is_made_once(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create({"family": "flowmm"})
    assert folder.read_config() == {"family": "flowmm"}
    with pytest.raises(UserError, match="holds a run already"):
        folder.create({"family": "flowmm"})
    folder.log({"step": 1})
    folder.create({"family": "other"}, overwrite=True)
    assert folder.read_config() == {"family": "other"}
    assert not folder.metrics.exists()


def test_what_a_resumed_run_does_again_is_forgotten(tmp_path):
    folder = RunFolder(tmp_path)
    for step in (20, 40, 60):
        folder.log({"step": step})
    with folder.metrics.open("a") as file:
        file.write('{"step": 8')  # a line that a kill cut short
    folder.forget_after(40)
    assert [json.loads(line)["step"] for line in folder.metrics.read_text().splitlines()] == [20, 40]


def test_a_cut_checkpoint_is_one_line(tmp_path):
    folder = RunFolder(tmp_path)
    with pytest.raises(UserError, match="no checkpoint"):
        folder.load_checkpoint()
    folder.save_checkpoint({"step": 3})
    assert folder.load_checkpoint() == {"step": 3}
    data = folder.checkpoint.read_bytes()
    folder.checkpoint.write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="truncated or damaged"):
        folder.load_checkpoint()


def test_a_full_disk_is_one_line(tmp_path):
    folder = RunFolder(tmp_path)
    folder.metrics.symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"cannot write .*No space left"):
        folder.log({"step": 1})
