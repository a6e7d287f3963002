"""How kernels are compiled. Imports numba, so that modules that use it are imported where they are used."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compiles a function of numbers and arrays at its first call, and keeps the machine code for the next process.

    Arithmetic is that of IEEE 754 doubles in the order written (no `fastmath`); a division by zero gives infinity or
    NaN. The code is kept in `__pycache__` beside the module, or else in the user's cache folder, or in
    `$NUMBA_CACHE_DIR`, and only in memory if none of them can be written.

    What is kept is renewed when the module changes, but not when a module changes that it calls. So a kernel calls
    kernels of its own module only, and plain Python takes the arrays from one module to the next.
    """
    # The tests wrap every function of the package in a type checker, which is Python and can't be compiled.
    plain = inspect.unwrap(function)
    try:
        kernel = numba.njit(plain, cache=True, error_model="numpy")
    except RuntimeError:  # there is no folder for the cache
        kernel = numba.njit(plain, error_model="numpy")
    return cast("Function", kernel)
