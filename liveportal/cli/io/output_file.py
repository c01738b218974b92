"""Where results go: standard output, or a file that appears when all of it is written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO

from liveportal.cli.io.errors import check_stdout
from liveportal.cli.io.text import clean
from liveportal.domain.errors import OutputFailed
from liveportal.ledger.storage.fsync import fsync_dir
from liveportal.ledger.storage.temp_files import part_of, sweep


def check_target(path: Path | None, spared: Iterable[Path]) -> None:
    """Refuse, with `OutputFailed`, to write where nothing can be written, or over what is used.

    That is what is `spared`, and whatever belongs to a ledger: this one or any other.
    """
    if path is None or path == Path("-"):
        return
    from liveportal.ledger.storage.ledger_paths import (  # Most output is for the screen.
        is_same,
        ledger_of,
    )

    try:
        exists = path.exists()
        taken = any(is_same(path, each) for each in spared)
        owner = ledger_of(path)
    except OSError as error:  # A name that is too long, a folder that may not be entered.
        raise _unwritable(path, error) from error
    except RuntimeError:  # So some versions of Python say that links lead in a circle.
        raise OutputFailed(f"{path} leads to no place: its links go in a circle") from None
    if taken:
        raise OutputFailed(f"{path} is in use itself", hint="Choose another file for the output.")
    if owner is not None:
        raise OutputFailed(
            f"{path} belongs to the ledger {owner}", hint="Choose another file for the output."
        )
    if _is_device(path):
        return
    if path.is_symlink() or (exists and not path.is_file()):
        raise OutputFailed(
            f"{path} is not a regular file",
            hint="Use the shell's > to write to a device or through a link.",
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        if not path.parent.exists():
            raise OutputFailed(
                f"there is no folder {path.parent}",
                hint="Make it first. It is not made by itself: a disk may just not be mounted.",
            )
        raise OutputFailed(f"the folder {path.parent} cannot be written")


def _is_device(path: Path) -> bool:
    """Tell whether a path is such a thing as /dev/null, which is written to, never replaced."""
    return not path.is_symlink() and (path.is_char_device() or path.is_fifo())


@contextmanager
def opened(path: Path | None, stdout: TextIO | None = None) -> Iterator[TextIO]:
    """Open what `--output` names: standard output, or a file that appears when all is written.

    A file is made beside its place with mode 0600 and moved there at the end, so that no half of
    it is ever seen, and nothing is written through a link. Raises `OutputFailed`.
    """
    try:
        if path is not None and path != Path("-"):
            with _replaced(path) as stream:
                yield stream
            return
        if stdout is None:
            check_stdout()
        target = stdout or sys.stdout
        yield target
        target.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is not None:
            raise  # A file that the command itself wanted; a stream has no name.
        raise _unwritable(path, error) from error


@contextmanager
def opened_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file for bytes, seekable, that appears at its path when all of it is written.

    Raises `OutputFailed`, as `opened`.
    """
    try:
        with _replaced(path, binary=True) as stream:
            yield stream
    except OSError as error:
        if error.filename is not None:
            raise
        raise _unwritable(path, error) from error


def _unwritable(path: Path | None, error: OSError) -> OutputFailed:
    where = "the output" if path is None else clean(str(path))
    return OutputFailed(f"{where} could not be written: {error.strerror}")


@contextmanager
def _replaced(path: Path, *, binary: bool = False) -> Iterator[Any]:
    """Open a new file that takes the place of `path` at the end, and goes if anything fails."""
    check_target(path, ())
    if _is_device(path):
        with _written_to(os.open(path, os.O_WRONLY), binary=binary) as file:
            yield file
        return
    sweep(path)
    part = part_of(path)
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with _written_to(descriptor, binary=binary) as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        part.replace(path)
        fsync_dir(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _written_to(descriptor: int, *, binary: bool) -> IO[Any]:
    """Open a descriptor for bytes, or for text in UTF-8 whose line ends stay as they are."""
    if binary:
        return os.fdopen(descriptor, "wb")
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")
