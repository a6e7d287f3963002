from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nucleate.errors import UserError
from nucleate.parallel import ITEMS_PER_WORKER, available_cores, map_in_order

ROOT = Path(__file__).parents[1]


def doubled(x: int) -> int:
    return 2 * x


def own_threads(_: int) -> tuple[int, str | None]:
    return os.getpid(), os.environ.get("OMP_NUM_THREADS")


def told_and_slow(_: int) -> None:
    os.write(1, f"{os.getpid()}\n".encode())
    time.sleep(600)


def dies(_: int) -> None:
    os._exit(1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_are_in_order(jobs):
    items = list(range(2 * ITEMS_PER_WORKER))
    shares = []
    assert map_in_order(doubled, items, jobs=jobs, on_progress=shares.append) == [2 * x for x in items]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_workers_use_one_thread():
    found = set(map_in_order(own_threads, range(2 * ITEMS_PER_WORKER), jobs=2))
    assert {threads for _, threads in found} == {"1"}
    assert os.getpid() not in {process for process, _ in found}


def test_few_items_stay_here():
    assert map_in_order(own_threads, [0], jobs=8)[0][0] == os.getpid()


def test_a_worker_that_dies_is_said():
    with pytest.raises(UserError, match="a worker process died"):
        map_in_order(dies, range(2 * ITEMS_PER_WORKER), jobs=2)


def test_there_is_a_core():
    assert available_cores() >= 1


def test_weights_decide_about_workers_and_progress():
    """Two heavy items are worth two workers, which two light ones are not."""
    shares = []
    found = map_in_order(own_threads, range(2), weights=[ITEMS_PER_WORKER] * 2, jobs=2, on_progress=shares.append)
    assert os.getpid() not in {process for process, _ in found}
    assert shares == [0.5, 1]
    assert map_in_order(own_threads, range(2), weights=[1, 1], jobs=2)[0][0] == os.getpid()
    assert map_in_order(doubled, [], weights=[], jobs=2) == []


def test_workers_end_with_the_process_that_started_them():
    script = (
        "import os, time\n"
        "from nucleate.parallel import map_in_order\n"
        "from tests.test_parallel import told_and_slow\n"
        "if __name__ == '__main__':\n"
        "    map_in_order(told_and_slow, [0, 0], weights=[500, 500], jobs=2)\n"
    )
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert all(run.stdout.readline().strip().isdigit() for _ in range(2))
    run.kill()
    # The workers hold the pipe open, so that it ends only when they have.
    assert run.communicate(timeout=60)[0] == ""


def test_a_plain_script_reads_a_data_set(tmp_path):
    """No `if __name__ == "__main__":`, and what it does is done once, although there are workers."""
    frame = '1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 pbc="T T T"\nPo 0 0 0\n'
    (tmp_path / "data.extxyz").write_text(frame * (2 * ITEMS_PER_WORKER))
    script = tmp_path / "script.py"
    script.write_text(
        "from nucleate.datasets import load\n"
        "from nucleate.parallel import ITEMS_PER_WORKER, map_in_order\n"
        "from tests.test_parallel import own_threads\n"
        "print('begins')\n"
        "print(len(load('data.extxyz', jobs=2)))\n"
        "found = map_in_order(own_threads, range(2 * ITEMS_PER_WORKER), jobs=2)\n"
        "import os, sys\n"
        "print(os.getpid() in dict(found), sys.modules['__main__'].__file__)\n"
    )
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {**os.environ, "NUCLEATE_CACHE": str(tmp_path / "cache"), "PYTHONPATH": paths}
    command = [sys.executable, str(script)]
    run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert run.stderr == ""
    assert run.stdout.splitlines() == ["begins", str(2 * ITEMS_PER_WORKER), f"False {script}"]


def test_the_script_is_back_whatever_happens():
    script = sys.modules["__main__"]
    with pytest.raises(UserError, match="a worker process died"):
        map_in_order(dies, range(2 * ITEMS_PER_WORKER), jobs=2)
    assert sys.modules["__main__"] is script
