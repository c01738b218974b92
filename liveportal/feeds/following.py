"""Follow a growing feed: yield its complete lines in chunks as they arrive.

A file is followed while it is written. If it is replaced or truncated, it is read again from the
start. A pipe or a terminal is read to its end.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path

from liveportal.domain.errors import UnreadableFile
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.feeds.jsonl import LONGEST_LINE

PART_BYTES = 1024 * 1024

Wait = Callable[[BufferedReader | None], None]
"""Called when there is no more data for now; returns when it is time to read again: for a stream
when it has data, for a file (None) after a short delay."""


@frozen
class FeedChunk:
    """Lines of a feed that arrived together, and the number of lines before them."""

    content: bytes
    before: int


def open_feed(path: str) -> BufferedReader:
    """Open the file of a feed; raises `UnreadableFile`."""
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be read: {error.strerror}.",
            hint=Hint("Check {the_path_of_the_feed}."),
            path=path,
        ) from None


def _read_chunk(stream: BufferedReader) -> bytes:
    try:
        return stream.read1(PART_BYTES)
    except OSError as error:
        raise UnreadableFile(
            f"The feed cannot be read: {error.strerror}.", hint="Check the feed and try again."
        ) from None


def read_stream(stream: BufferedReader, wait: Wait) -> Iterator[FeedChunk]:
    """Yield the lines of a stream, until it ends."""
    lines = _LineBuffer()
    while True:
        wait(stream)
        if not (chunk := _read_chunk(stream)):
            break
        yield from lines.feed(chunk)
    yield from lines.flush()


def follow(opened: BufferedReader, path: str, wait: Wait, *, once: bool) -> Iterator[FeedChunk]:
    """Yield the lines of an open file and those written to it later; with `once`, stop at its end.

    A last line without a line ending is held back until it is complete. At the end of a stream, or
    with `once`, it is yielded; if the file was replaced, it is dropped. Raises `UnreadableFile`.
    """
    stream: BufferedReader | None = opened
    while stream is not None:
        with stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                yield from read_stream(stream, wait)
                return
            yield from _follow_file(stream, path, wait, once=once)
        stream = None if once else _reopen(path, wait)


def _follow_file(
    stream: BufferedReader, path: str, wait: Wait, *, once: bool
) -> Iterator[FeedChunk]:
    """Yield the lines of an open file, until it is replaced or truncated."""
    lines = _LineBuffer()
    replaced = False
    while True:
        while chunk := _read_chunk(stream):
            yield from lines.feed(chunk)
        if once:
            yield from lines.flush()
            return
        if replaced or _is_truncated(stream):
            return
        # Read to the end once more: lines may have been written before it was replaced.
        replaced = _is_replaced(stream, path)
        if not replaced:
            wait(None)


def _reopen(path: str, wait: Wait) -> BufferedReader:
    """Open the new file at the path, which may take a moment to appear."""
    while True:
        try:
            return Path(path).open("rb")
        except FileNotFoundError:
            wait(None)
        except OSError:
            return open_feed(path)


def _is_truncated(stream: BufferedReader) -> bool:
    return os.fstat(stream.fileno()).st_size < stream.tell()


def _is_replaced(stream: BufferedReader, path: str) -> bool:
    try:
        return not os.path.samestat(os.fstat(stream.fileno()), Path(path).stat())
    except OSError:
        return False  # Missing or unavailable for a moment: the open file can still be read.


class _LineBuffer:
    """Joins chunks to complete lines; keeps only the beginning of a line that is too long."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._before = 0

    def feed(self, chunk: bytes) -> Iterator[FeedChunk]:
        """Add a chunk, and yield the lines that it completes."""
        end = chunk.rfind(b"\n") + 1
        if end:
            self._buffer += chunk[:end]
            yield from self.flush()
        self._buffer += chunk[end:]
        # One byte over the limit is enough to see that the line is too long.
        del self._buffer[LONGEST_LINE + 1 :]

    def flush(self) -> Iterator[FeedChunk]:
        """Yield the buffered lines, even if the last one has no line ending."""
        if self._buffer:
            complete = FeedChunk(bytes(self._buffer), self._before)
            self._before += complete.content.count(b"\n")
            self._buffer.clear()
            yield complete
