"""The destination of results: standard output, or a file that appears once it is complete."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from liveportal.cli.io.errors import check_stdout
from liveportal.cli.io.text import clean
from liveportal.domain.errors import OutputFailed
from liveportal.ledger.storage import atomic
from liveportal.ledger.storage.ledger_paths import is_same, ledger_of

page_of_pager: ContextVar[TextIO | None] = ContextVar("page_of_pager", default=None)
"""What is written to in place of standard output while `pager.paged` keeps it."""


def check_target(path: Path | None, spared: Iterable[Path]) -> None:
    """Raise `OutputFailed` if the output file cannot be written or must not be replaced.

    Neither `spared` files nor the files of a ledger, this one or another, may be replaced.
    """
    if path is None or path == Path("-"):
        return
    try:
        exists = path.exists()
        is_spared = any(is_same(path, other) for other in spared)
        owner = ledger_of(path)
    except OSError as error:  # The name is too long, or a folder must not be entered.
        raise _unwritable(path, error) from error
    except RuntimeError:  # Raised by some versions of Python for a loop of links.
        raise OutputFailed(
            f"{path} is a link in a circle of links.", hint="Choose another file for the output."
        ) from None
    if is_spared:
        raise OutputFailed(f"{path} is used as input.", hint="Choose another file for the output.")
    if owner is not None:
        raise OutputFailed(
            f"{path} belongs to the ledger {owner}.", hint="Choose another file for the output."
        )
    if _is_device(path):
        return
    if path.is_symlink() or (exists and not path.is_file()):
        raise OutputFailed(
            f"{path} is not a regular file.",
            hint="Use the shell's > to write to a device or through a link.",
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        if not path.parent.exists():
            raise OutputFailed(
                f"There is no folder {path.parent}.",
                hint="Create the folder first. If it is on another disk, check that the disk is"
                " mounted.",
            )
        raise OutputFailed(
            f"The folder {path.parent} cannot be written.",
            hint="Make it writable, or choose another folder.",
        )


def _is_device(path: Path) -> bool:
    """Return True for a device or FIFO such as /dev/null, which is written to, never replaced."""
    return not path.is_symlink() and (path.is_char_device() or path.is_fifo())


@contextmanager
def open_output(path: Path | None, stdout: TextIO | None = None) -> Iterator[TextIO]:
    """Open the target of `--output`: standard output, or a file that appears once it is complete.

    The file is written under a temporary name beside its target with mode 0600 and renamed at the
    end, so that it is never seen incomplete, and nothing is written through a link. Raises
    `OutputFailed`.
    """
    try:
        if path is not None and path != Path("-"):
            with _replacement_of(path) as stream:
                text = TextIOWrapper(stream, encoding="utf-8", newline="")
                try:
                    yield text
                finally:
                    text.detach()  # Flushes it; the file is synced before it is closed.
            return
        if stdout is None:
            check_stdout()
        target = stdout or page_of_pager.get() or sys.stdout
        yield target
        target.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is not None:
            raise  # It concerns a file that the command opened: errors of a stream have no name.
        raise _unwritable(path, error) from error


@contextmanager
def open_output_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a new seekable binary file that appears at its path once it is complete.

    Raises `OutputFailed`, as `open_output` does.
    """
    try:
        with _replacement_of(path) as stream:
            yield stream
    except OSError as error:
        if error.filename is not None:
            raise
        raise _unwritable(path, error) from error


def _unwritable(path: Path | None, error: OSError) -> OutputFailed:
    return atomic.output_failed("The output" if path is None else clean(str(path)), error)


@contextmanager
def _replacement_of(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` at the end, or is removed after a failure."""
    check_target(path, ())
    with ExitStack() as stack:
        if _is_device(path):
            yield stack.enter_context(os.fdopen(os.open(path, os.O_WRONLY), "wb"))
            return
        try:
            stream = stack.enter_context(atomic.replacing(path))
        except OSError as error:
            raise _unwritable(path, error) from error
        yield stream
