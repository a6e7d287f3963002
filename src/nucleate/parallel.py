"""The same function on many items, in processes that use one thread each. Imports nothing that starts threads."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
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
    weights: Sequence[int] | None = None,
    jobs: int = 1,
    on_progress: Callable[[float], None] | None = None,
) -> list[Result]:
    """Applies a function to all items; the results are in their order, and do not depend on `jobs`.

    Interrupted, it returns after what the workers have begun; and they end with this process, however that ends.

    Args:
        function: a function of a module, so that another process can import it.
        items: what it takes, one at a time.
        weights: how many ordinary items the work of each is worth, where they differ; then workers take single items.
        jobs: processes at most.
        on_progress: told the share done.

    Raises:
        UserError: a worker process died.
    """
    worth = [1] * len(items) if weights is None else weights
    chunk = CHUNK if weights is None else 1
    workers = min(jobs, len(items), sum(worth) // ITEMS_PER_WORKER)
    if workers < 2:
        return _watched(map(function, items), worth, on_progress)
    # Not forked: a copy of a process with threads, such as those of PyTorch, may hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin)
    try:
        return _watched(pool.map(function, items, chunksize=chunk), worth, on_progress)
    except BrokenProcessPool as error:
        message = "a worker process died; a script needs `if __name__ == '__main__':` around its work, or jobs=1"
        raise UserError(message) from error
    finally:
        pool.shutdown(cancel_futures=True)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _watched(
    results: Iterable[Result], weights: Sequence[int], on_progress: Callable[[float], None] | None
) -> list[Result]:
    done, total, weight, told = [], sum(weights), 0, 0
    for result in results:
        weight += weights[len(done)]
        done.append(result)
        if on_progress is not None and weight - told >= CHUNK:
            on_progress(weight / total)
            told = weight
    return done


def _begin() -> None:
    """Runs first in a worker, before NumPy is imported there."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the one that waits decides
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this worker when the process that started it is gone, which would otherwise leave it waiting for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
