"""Freed memory stays with the process once it has been told so."""

import platform
import subprocess
import sys

import pytest

_SCRIPT = """
import resource, sys
import torch
from nucleate.memory import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()
for _ in range(16):
    torch.ones(1 << 24)  # 64 MiB, freed at once; small things may settle in between the first times
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    torch.ones(1 << 24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _new_pages(how: str) -> int:
    run = subprocess.run([sys.executable, "-c", _SCRIPT, how], capture_output=True, text=True, check=True)
    return int(run.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_pages_do_not_come_again() -> None:
    assert _new_pages("leave") > 100 * max(1, _new_pages("keep"))
