"""Work in a forked copy of the test's own process, which has the program loaded already."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable


def start_child(work: Callable[[], object]) -> int:
    """Do some work in a forked process, which exits with 1 if it fails; return the process's id."""
    sys.stdout.flush()
    with warnings.catch_warnings():  # The child does not need the test runner's threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:  # noqa: BLE001 -- Nothing of the test runner may go on here.
        os._exit(1)
    os._exit(0)


def wait_for(pid: int) -> int:
    """Wait for a process, and return its exit code; negative is the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
