"""The same function on many items, in processes that use one thread each. Imports nothing that starts threads."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from types import ModuleType
from typing import TypeVar

from nucleate.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 100
"""Items that a worker process takes at a time."""

ITEMS_PER_WORKER = 500
"""A worker takes about a second to start; fewer items are not worth one."""

_STARTING = threading.Lock()

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

    Interrupted, it returns after what the workers have begun; and they end with this process, however that ends. The
    script that is running is not run again in the workers, so that it needs no `if __name__ == "__main__":`.

    Args:
        function: a function of a module, not of the script, so that another process can import it.
        items: what it takes, one at a time, of types that can be imported as well.
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
        with _script_out_of_sight():  # until all is handed in, which is when the workers start
            results = pool.map(function, items, chunksize=chunk)
        return _watched(results, worth, on_progress)
    except BrokenProcessPool as error:
        raise UserError("a worker process died, perhaps for want of memory; with jobs=1 there are none") from error
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


@contextmanager
def _script_out_of_sight() -> Iterator[None]:
    """Worker processes that start meanwhile do not import the script that is running.

    A new process is told where `__main__` comes from, and imports it before anything else: for functions of the script,
    which are not mapped here. A script whose work stands under no `if` would do all of it again in each worker, up to
    this place, where a process that is only just starting may start no others, and dies.
    """
    with _STARTING:
        script = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = script


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
