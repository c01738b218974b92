"""A feed that grows: its chunks, whatever happens during the wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BufferedReader, BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.errors import UnreadableFile
from liveportal.feeds import following
from liveportal.feeds.following import FeedChunk, open_feed, read_stream
from liveportal.feeds.following import follow as followed
from liveportal.feeds.jsonl import lines


class Enough(Exception):
    """The test has seen enough."""


def script(*steps: Callable[[], object]) -> Callable[[BufferedReader | None], None]:
    """Do the next step at each wait, and then end the test."""
    left: Iterator[Callable[[], object]] = iter(steps)

    def wait(_stream: BufferedReader | None) -> None:
        step = next(left, None)
        if step is None:
            raise Enough
        step()

    return wait


def seen(path: Path, *steps: Callable[[], object]) -> list[FeedChunk]:
    """Follow a file while the steps are done, and return the chunks."""
    chunks: list[FeedChunk] = []

    def follow() -> None:
        for part in followed(open_feed(str(path)), str(path), script(*steps), once=False):
            chunks.append(part)  # noqa: PERF402 -- What came before the end counts, too.

    with pytest.raises(Enough):
        follow()
    return chunks


def test_parts_are_whole_lines_and_count_on(tmp_path: Path) -> None:
    """Half a line waits; `before` is how many lines of this file came before."""
    path = tmp_path / "feed"
    path.write_bytes(b"one\n\ntw")
    with path.open("ab", buffering=0) as file:
        chunks = seen(path, lambda: file.write(b"o"), lambda: file.write(b"\nthree\nfo"))
    assert chunks == [FeedChunk(b"one\n\n", 0), FeedChunk(b"two\nthree\n", 2)]


def test_another_file_is_read_from_its_start_after_the_last_of_the_old_one(tmp_path: Path) -> None:
    """Lines written just before the change are read; a partial line is dropped."""
    path, new = tmp_path / "feed", tmp_path / "new"
    path.write_bytes(b"one\n")

    def replace() -> None:
        with path.open("ab") as file:
            file.write(b"last\nhalf")
        new.write_bytes(b"first\n")
        new.replace(path)

    assert seen(path, replace) == [
        FeedChunk(b"one\n", 0),
        FeedChunk(b"last\n", 1),
        FeedChunk(b"first\n", 0),
    ]


def test_a_file_may_be_gone_for_a_moment(tmp_path: Path) -> None:
    """Cut, gone and back: it is waited for, and then read from its start."""
    path = tmp_path / "feed"
    path.write_bytes(b"one\n")

    def cut() -> None:
        path.write_bytes(b"")
        path.unlink()

    chunks = seen(path, cut, lambda: None, lambda: path.write_bytes(b"two\n"))
    assert chunks == [FeedChunk(b"one\n", 0), FeedChunk(b"two\n", 0)]


def test_a_feed_that_cannot_be_reopened_is_reported(tmp_path: Path) -> None:
    """A folder where the file was is no feed."""
    path = tmp_path / "feed"
    path.write_bytes(b"one\n")

    def change() -> None:
        path.unlink()
        path.mkdir()

    with pytest.raises(UnreadableFile):
        seen(path, change)


@given(
    st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"{}", b"\x00\xff", b" "]), max_size=30),
    st.integers(1, 9),
)
def test_a_stream_in_parts_has_the_lines_of_the_whole(pieces: list[bytes], size: int) -> None:
    """However it is cut on the way, the lines and their numbers are those of the whole feed."""
    content = b"".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(following, "PART_BYTES", size)
        parts = list(read_stream(BytesIO(content), lambda _: None))  # type: ignore[arg-type]
    joined = [line for part in parts for line in lines(BytesIO(part.content), part.before)]
    assert joined == list(lines(BytesIO(content)))
    assert b"".join(part.content for part in parts) == content
