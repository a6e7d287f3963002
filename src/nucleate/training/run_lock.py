"""A run's folder has one trainer at a time."""

from __future__ import annotations

import errno
import json
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from nucleate.errors import UserError
from nucleate.files.atomic import replacing

LOCK = "trainer.lock"
"""Name of the file that the operating system locks. It stays in the folder and says nothing."""

HOLDER = "trainer.json"
"""Name of the file that says who holds the lock; it is there as long as somebody does, or was killed while he did."""

_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)
"""What a file system without locks answers."""


@contextmanager
def only_trainer(folder: Path) -> Iterator[None]:
    """Holds the lock of a run's folder, which is made if it is not there; one that is left empty is removed again.

    The lock belongs to the process: the operating system drops it when the process ends, however it ends. Where the
    file system has no locks, as NFS may be mounted, a warning says that nothing was checked, and the work goes on.

    Raises:
        UserError: another process trains in this folder, or the folder cannot be written.
    """
    made = not folder.exists()
    lock = FileLock(folder / LOCK, blocking=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise UserError(f"{folder} is being trained by {_holder(folder)}; stop it, or choose another folder") from error
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
            raise UserError(f"cannot write {folder}: {error.strerror}") from error
        warnings.warn(f"{folder} cannot be locked ({error}): let no other process train there", stacklevel=3)
    try:
        with replacing(folder / HOLDER) as temporary:
            temporary.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}) + "\n")
        yield
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        if made and folder.is_dir() and {path.name for path in folder.iterdir()} <= {LOCK}:
            (folder / LOCK).unlink(missing_ok=True)
            folder.rmdir()
        lock.release()


def _holder(folder: Path) -> str:
    """Who holds the lock, as far as is known: it is taken a moment before its holder is written down."""
    try:
        holder = json.loads((folder / HOLDER).read_text())
        return f"process {holder['pid']} on {holder['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
