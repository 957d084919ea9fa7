"""What the system allows the process, and what the process keeps to itself."""

from __future__ import annotations

import gc
import os
import resource
from contextlib import suppress

_NO_CORE = 1  # octets; unlike 0 the kernel takes it as "none" also where dumps go to a program (core_pattern)


def raise_file_limit() -> None:
    """Every connection is a file: take as many as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):  # some systems allow less than they say; then it stays as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def forbid_core_dumps() -> None:
    """What is in memory are passwords, keys and other people's mail."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    most = _NO_CORE if hard == resource.RLIM_INFINITY else min(_NO_CORE, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))


def keep_files_private() -> None:
    """Whatever a library makes without saying for whom is ours alone."""
    os.umask(0o077)


def keep_what_is_loaded() -> None:
    """Call it once, before the first client: what is in memory now stays, and nobody need look at it again.

    Otherwise Python's search for garbage goes through all modules again and again, 20 ms each time.
    """
    gc.collect()
    gc.freeze()


def file_limit() -> int:
    """How many files this process may have open."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 20 if soft == resource.RLIM_INFINITY else soft
