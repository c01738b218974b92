"""Open statements from the disk; the only module here that touches it."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from liveportal.domain.errors import NotFound, UnreadableFile
from liveportal.tables.lines import LARGEST_FILE
from liveportal.tables.source import Source


@contextmanager
def opened(paths: Sequence[Path]) -> Iterator[list[Source]]:
    """Open files for reading, named as given.

    Raises `NotFound` for an absent file, and `UnreadableFile` for one that cannot be opened.
    """
    with ExitStack() as stack:
        yield [Source(str(path), stack.enter_context(_open(path))) for path in paths]


def _open(path: Path) -> BinaryIO:
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist.", hint="Check the path.", file=str(path)) from None
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path.", file=str(path)
        ) from None
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    with stream:  # A pipe can be read only once, and from the start.
        return io.BytesIO(stream.read(LARGEST_FILE + 1))
