from __future__ import annotations

import math
import subprocess
import sys

import numba
import pytest

from nucleate.evaluation.compiled import compiled


def ratio(x: float, y: float) -> float:
    return x / y


def wrapped(function):
    """As a type checker wraps a function, so that it can't be compiled."""

    def wrapper(*args):
        return [function(*args)][0]

    wrapper.__wrapped__ = function
    return wrapper


def test_what_wraps_a_function_is_taken_off():
    kernel = compiled(wrapped(ratio))
    assert kernel.py_func is ratio
    assert kernel(3.0, 2.0) == 1.5


def test_division_by_zero_is_infinity():
    assert compiled(ratio)(1.0, 0.0) == math.inf


def test_without_a_folder_for_the_cache_kernels_are_compiled_in_memory(monkeypatch):
    njit = numba.njit

    def read_only(function, *, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(function, **options)

    monkeypatch.setattr(numba, "njit", read_only)
    assert compiled(ratio)(1.0, 2.0) == 0.5


@pytest.mark.parametrize("module", ["structure_fingerprint", "crystal_nn.fingerprint", "crystal_nn.motifs"])
def test_numba_is_imported_with_the_first_crystal_only(module):
    script = f"import sys, nucleate.evaluation.{module}; sys.stdout.write(str('numba' in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded == "False"
