from __future__ import annotations

import stat

import pytest

from nucleate.errors import UserError
from nucleate.files.atomic import replacing


def test_the_file_appears_at_the_end_with_ordinary_permissions(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with replacing(path) as temporary:
        temporary.write_text("done")
        assert not path.exists()
        assert temporary.parent == path.parent
    (tmp_path / "usual").write_text("")
    assert path.read_text() == "done"
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def stop_half_way():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_error_is_one_clear_line(tmp_path):
    with pytest.raises(UserError, match=r"cannot write .*No space left"), replacing(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())
