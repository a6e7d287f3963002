"""The same function on many items, in processes that use one thread each. Imports nothing that starts threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from nucleate.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 100
"""Items that a worker process takes at a time."""

ITEMS_PER_WORKER = 500
"""A worker takes about a second to start; fewer items are not worth one."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def map_in_order(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    jobs: int = 1,
    on_progress: Callable[[float], None] | None = None,
) -> list[Result]:
    """Applies a function to all items; the results are in their order, and do not depend on `jobs`.

    Args:
        function: a function of a module, so that another process can import it.
        items: what it takes, one at a time.
        jobs: processes at most.
        on_progress: told the share done.

    Raises:
        UserError: a worker process died.
    """
    workers = min(jobs, len(items) // ITEMS_PER_WORKER)
    if workers < 2:
        return _watched(map(function, items), len(items), on_progress)
    try:
        # Not forked: a copy of a process with threads, such as those of PyTorch, may hang.
        with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_use_one_thread) as pool:
            return _watched(pool.map(function, items, chunksize=CHUNK), len(items), on_progress)
    except BrokenProcessPool as error:
        message = "a worker process died; a script needs `if __name__ == '__main__':` around its work, or jobs=1"
        raise UserError(message) from error


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _watched(results: Iterable[Result], total: int, on_progress: Callable[[float], None] | None) -> list[Result]:
    done = []
    for result in results:
        done.append(result)
        if on_progress is not None and len(done) % CHUNK == 0:
            on_progress(len(done) / total)
    return done


def _use_one_thread() -> None:
    """Runs in a worker before NumPy is imported there."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))
