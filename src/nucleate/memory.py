"""How the C library keeps memory between uses."""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
"""Parameters of `mallopt`, as malloc.h of glibc numbers them."""

_LARGEST = (1 << 30, 1 << 25)
"""Bytes; before glibc 2.35 the threshold of `mmap` could not be more than the second."""


def keep_freed_memory() -> bool:
    """Lets this process keep freed memory for its next use instead of giving it back to the system.

    A step of training frees what the next one asks for again. Given back, it returns as new pages, each of which the
    kernel clears and enters in the one table that the threads of a process share. Kept, the most that the process ever
    needed stays with it to its end.

    Returns:
        Whether the C library understands: glibc, on Linux.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    understood = any(mallopt(_MMAP_THRESHOLD, size) for size in _LARGEST)
    # Heaps of threads, of 64 MiB, are unmapped as soon as they are empty, unless more than that is to be left at the
    # top; what is left is not touched before it is used.
    return bool(understood and mallopt(_TOP_PAD, 1 << 27) and mallopt(_TRIM_THRESHOLD, 2**31 - 1))
