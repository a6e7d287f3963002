from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from nucleate.errors import UserError
from nucleate.training.run_lock import HOLDER, LOCK, only_trainer

HOLD = """
import sys
from pathlib import Path
from nucleate.training.run_lock import only_trainer
with only_trainer(Path(sys.argv[1])):
    sys.stdout.write("held\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that trains in `tmp_path / "run"`."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_trainer_is_refused_by_the_name_of_the_first(other, tmp_path):
    (tmp_path / "run" / "config.json").write_text("{}")
    with pytest.raises(UserError, match=rf"process {other.pid} on \S+"), only_trainer(tmp_path / "run"):
        pass
    assert (tmp_path / "run" / HOLDER).exists()
    other.communicate("")
    with only_trainer(tmp_path / "run"):
        assert json.loads((tmp_path / "run" / HOLDER).read_text())["pid"] == os.getpid()
    assert not (tmp_path / "run" / HOLDER).exists()


def test_a_trainer_that_was_killed_is_no_obstacle(other, tmp_path):
    other.kill()
    other.wait(timeout=60)
    assert json.loads((tmp_path / "run" / HOLDER).read_text())["pid"] == other.pid
    with only_trainer(tmp_path / "run"):
        assert json.loads((tmp_path / "run" / HOLDER).read_text())["pid"] == os.getpid()


def test_a_folder_in_which_nothing_was_written_is_gone_again(tmp_path):
    with pytest.raises(UserError, match="no data"), only_trainer(tmp_path / "new" / "run"):
        raise UserError("no data")
    assert not (tmp_path / "new" / "run").exists()
    (tmp_path / "old").mkdir()
    with only_trainer(tmp_path / "old"):
        pass
    assert (tmp_path / "old").exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*Not a directory"), only_trainer(tmp_path / "file" / "run"):
        pass


def test_without_locks_there_is_a_warning_and_with_a_bad_disk_an_error(tmp_path, monkeypatch):
    def refuses(number: int):
        def acquire(*_, **__):
            raise OSError(number, os.strerror(number))

        return acquire

    monkeypatch.setattr(FileLock, "acquire", refuses(errno.ENOLCK))
    with pytest.warns(UserWarning, match="cannot be locked"), only_trainer(tmp_path):
        assert (tmp_path / HOLDER).exists()
    monkeypatch.setattr(FileLock, "acquire", refuses(errno.EROFS))
    with pytest.raises(UserError, match=r"cannot write .*Read-only"), only_trainer(tmp_path):
        pass


def test_the_lock_is_taken_before_its_holder_is_written_down(tmp_path):
    lock = FileLock(tmp_path / LOCK)
    with lock, pytest.raises(UserError, match="by another process"), only_trainer(Path(tmp_path)):
        pass
