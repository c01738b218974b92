"""A feed that grows: its whole lines as they come, a part at a time.

A file is followed as it is written, also through a replacement or a cut: then it is read again from
its start. What is no file (a pipe, a terminal) ends when it ends.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path

from liveportal.domain.errors import UnreadableFile
from liveportal.domain.values import dataclass
from liveportal.feeds.jsonl import LONGEST_LINE

PART_BYTES = 1024 * 1024

Wait = Callable[[BufferedReader | None], None]
"""Called when there is nothing more for now; returns when it is time to look again: for a stream,
when it has more; for a file (None), after a moment."""


@dataclass(frozen=True, slots=True)
class FeedChunk:
    """Lines of a feed that came together, and how many came before them."""

    content: bytes
    before: int


def open_feed(path: str) -> BufferedReader:
    """Open a feed's file; raises `UnreadableFile`."""
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be read: {error.strerror}",
            hint="Check the path; - reads standard input.",
            path=path,
        ) from None


def _read(stream: BufferedReader) -> bytes:
    try:
        return stream.read1(PART_BYTES)
    except OSError as error:
        raise UnreadableFile(f"the feed cannot be read: {error.strerror}") from None


def streamed(stream: BufferedReader, wait: Wait) -> Iterator[FeedChunk]:
    """Yield what a stream brings, until it ends."""
    lines = _Lines()
    while True:
        wait(stream)
        if not (chunk := _read(stream)):
            break
        yield from lines.taken(chunk)
    yield from lines.ended()


def followed(opened: BufferedReader, path: str, wait: Wait, *, once: bool) -> Iterator[FeedChunk]:
    """Yield what is in an open file and what is written to it; `once`: up to its present end.

    The last line may be unfinished: it waits for its end. The end of what does not grow ends it,
    too; of a file that another one took the place of, it is left. Raises `UnreadableFile`.
    """
    stream: BufferedReader | None = opened
    while stream is not None:
        with stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                yield from streamed(stream, wait)
                return
            yield from _written(stream, path, wait, once=once)
        stream = None if once else _opened_again(path, wait)


def _written(stream: BufferedReader, path: str, wait: Wait, *, once: bool) -> Iterator[FeedChunk]:
    """Yield what is in an open file, until another one is in its place or it was cut."""
    lines = _Lines()
    replaced = False
    while True:
        while chunk := _read(stream):
            yield from lines.taken(chunk)
        if once:
            yield from lines.ended()
            return
        if replaced or _is_cut(stream):
            return
        # Read once more to the end: something may have been written before it was replaced.
        replaced = _is_replaced(stream, path)
        if not replaced:
            wait(None)


def _opened_again(path: str, wait: Wait) -> BufferedReader:
    """Open the file that took the other's place, which may take a moment to appear."""
    while True:
        try:
            return Path(path).open("rb")
        except FileNotFoundError:
            wait(None)
        except OSError:
            return open_feed(path)


def _is_cut(stream: BufferedReader) -> bool:
    return os.fstat(stream.fileno()).st_size < stream.tell()


def _is_replaced(stream: BufferedReader, path: str) -> bool:
    try:
        return not os.path.samestat(os.fstat(stream.fileno()), Path(path).stat())
    except OSError:
        return False  # Gone, or out of reach for a moment: what is open can still be read.


class _Lines:
    """Puts chunks together to whole lines; of a line that is too long only the beginning."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._before = 0

    def taken(self, chunk: bytes) -> Iterator[FeedChunk]:
        """Take a chunk, and yield the lines that it ends."""
        ends = chunk.rfind(b"\n") + 1
        if ends:
            self._rest += chunk[:ends]
            yield from self.ended()
        self._rest += chunk[ends:]
        # One byte more than a line may have: enough to tell that it is too long.
        del self._rest[LONGEST_LINE + 1 :]

    def ended(self) -> Iterator[FeedChunk]:
        """Yield what is there, whether or not its last line has its end."""
        if self._rest:
            part = FeedChunk(bytes(self._rest), self._before)
            self._before += part.content.count(b"\n")
            self._rest.clear()
            yield part
