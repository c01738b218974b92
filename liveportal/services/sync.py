"""Record a feed, from a file of JSON Lines or from events: as a whole, or batch by batch."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, TextIO, cast

from liveportal.domain.errors import BadValue, InvalidArgument, InvalidEvent, LiveportalError
from liveportal.domain.events.envelope import Event
from liveportal.domain.events.sources import Origin
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.feeds import jsonl
from liveportal.feeds.following import open_feed
from liveportal.ledger.journal.journal import Journal, Outcome
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.storage.gc_pause import no_collector
from liveportal.ledger.storage.ledger_paths import check_input
from liveportal.services import arguments
from liveportal.services.arguments import StrPath

if TYPE_CHECKING:
    from liveportal.services.adapting import Adapted, FeedFormat

CHUNK_LINES = 2_000

FeedSource = StrPath | BinaryIO | TextIO | Iterable[Event]
OnError = Callable[[jsonl.Line, LiveportalError], object]
OnOutcome = Callable[[Outcome], object]
Progress = Callable[[int], object]


@frozen
class SyncResult:
    """The result of a sync: counts of the feed's events by outcome, and the new head (hex)."""

    recorded: int = 0
    replayed: int = 0
    confirmed: int = 0
    refused: int = 0
    head: str = ""
    ignored_kinds: Mapping[str, int] = field(default_factory=dict)
    """How many documents of another tool do not concern the books, by kind."""

    @property
    def ignored(self) -> int:
        """How many documents of another tool do not concern the books."""
        return sum(self.ignored_kinds.values())


class Choice(Protocol):
    """What another tool reports; which events it is depends on the state of the ledger."""

    @property
    def possible(self) -> Sequence[Event]:
        """Every event that it may be."""
        ...

    def choose(self, journal: Journal) -> Sequence[Event] | str:
        """Return the events, or the kind under which it is ignored."""
        ...


Step = Event | Choice | LiveportalError


class Chunk(NamedTuple):
    """A part of a feed: its steps, or the errors of invalid lines, and its size in the file.

    `line` returns the line of a step, given its position in the chunk.
    """

    steps: list[Step]
    line: Callable[[int], jsonl.Line]
    size_bytes: int = 0


def sync(  # noqa: PLR0913 (keyword-only options)
    file: LedgerFile,
    source: FeedSource,
    *,
    batch: int | None,
    before: int,
    on_error: OnError | None,
    on_outcome: OnOutcome,
    progress: Progress,
    feed_format: FeedFormat | str | None,
) -> SyncResult:
    """See `Portal.sync`."""
    file.check_writable()
    if batch is not None and arguments.of_type("batch", batch, int, "a number of lines") < 1:
        raise InvalidArgument("batch", "must be 1 or more")
    arguments.of_type("before", before, int, "a number of lines")
    callbacks = {"on_error": on_error, "on_outcome": on_outcome, "progress": progress}
    for name, callback in callbacks.items():
        if callback is not None and not callable(callback):
            raise InvalidArgument(name, "must be a function")
    counts: Counter[str] = Counter()
    ignored: Counter[str] = Counter()

    adapted: Adapted | None = None

    def record(journal: Journal, chunk: Chunk) -> None:
        _record_chunk(journal, chunk, counts, ignored, on_error, on_outcome)
        if adapted is not None:
            adapted.keep_key()

    with no_collector(), _opened(source) as feed:
        if feed_format is None:
            chunks = _chunks(feed, batch or CHUNK_LINES, before)
        else:
            from liveportal.services.adapting import Adapted  # Most feeds do not need it.

            adapted = Adapted(file, feed, feed_format)
            chunks = _chunks_of_documents(adapted.steps(before), batch or CHUNK_LINES)
        if batch is None:
            head = _record_whole(file, chunks, record, progress)
        else:
            head = _record_batches(file, chunks, record, progress)
    return SyncResult(**counts, head=head, ignored_kinds=dict(ignored))


def _record_whole(
    file: LedgerFile,
    chunks: Iterator[Chunk],
    record: Callable[[Journal, Chunk], None],
    progress: Progress,
) -> str:
    """Record all chunks in one transaction; return the new head."""
    # Lock the ledger only when the first lines are there: a pipe may wait for hours.
    if (chunk := next(chunks, None)) is None:
        return file.head()
    with file.writing() as journal:
        while chunk is not None:
            record(journal, chunk)
            progress(chunk.size_bytes)
            chunk = next(chunks, None)
        return journal.log.head.hex()


def _record_batches(
    file: LedgerFile,
    chunks: Iterator[Chunk],
    record: Callable[[Journal, Chunk], None],
    progress: Progress,
) -> str:
    """Record each chunk in a transaction of its own; return the new head."""
    for chunk in chunks:
        try:
            with file.writing() as journal:
                record(journal, chunk)
        except LiveportalError as error:
            if file.keep:
                error.hint = Hint(
                    "The batches before this line were recorded. Fix the line and run sync"
                    " again, or"
                    " add {a_file_for_it} to leave the line out."
                )
            raise
        progress(chunk.size_bytes)
    return file.head()


def _record_chunk(  # noqa: PLR0913, PLR0917 -- What is recorded, and where to count it.
    journal: Journal,
    chunk: Chunk,
    counts: Counter[str],
    ignored: Counter[str],
    on_error: OnError | None,
    on_outcome: OnOutcome,
) -> None:
    """Load the entities that a chunk needs, and record it step by step."""
    journal.prefetch(list(_possible_events(chunk.steps)))
    for position, step in enumerate(chunk.steps):
        try:
            if isinstance(step, LiveportalError):
                raise step
            chosen = (step,) if isinstance(step, Event) else step.choose(journal)
            if isinstance(chosen, str):
                ignored[chosen] += 1
                continue
            for event in chosen:
                outcome = journal.record(event, origin=Origin.FEED)
                counts[outcome.status] += 1
                on_outcome(outcome)
        except LiveportalError as error:
            line = chunk.line(position)
            if "line" not in error.details:  # The error of a table's cell names its place.
                error.located(f"Line {line.number}", line=line.number)
            if isinstance(error, InvalidEvent) or (isinstance(error, BadValue) and not error.hint):
                error.hint = Hint(
                    "Nothing was recorded. Fix the line and run sync again, or add {a_file_for_it}"
                    " to leave the line out."
                )
            if on_error is None:
                raise
            on_error(line, error)
            counts["refused"] += 1
    chunk.steps.clear()  # A raised error keeps this frame alive: release the chunk.
    journal.flush()


def _possible_events(steps: Iterable[Step]) -> Iterator[Event]:
    """Yield every event that may be recorded for some steps."""
    for step in steps:
        if isinstance(step, Event):
            yield step
        elif not isinstance(step, LiveportalError):
            yield from step.possible


# --- what a feed is read from -----------------------------------------------------------------


class _Encoded:
    """A text file, or a file of an unknown kind, as lines of bytes."""

    def __init__(self, stream: TextIO | BinaryIO) -> None:
        self._stream = stream

    def readline(self, limit: int) -> bytes:
        """Return a line in UTF-8, or its first `limit` characters."""
        line = self._stream.readline(limit)
        return line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line


def _opened(source: FeedSource) -> AbstractContextManager[BinaryIO | Iterable[Event]]:
    """Open the file of a path; leave open what is open already. Raises `InvalidArgument`."""
    if isinstance(source, str | os.PathLike):
        path = arguments.path("feed", source)
        check_input(path)
        return open_feed(str(path))
    if isinstance(source, io.RawIOBase | io.BufferedIOBase):
        return nullcontext(cast("BinaryIO", source))
    if hasattr(source, "readline"):
        return nullcontext(cast("BinaryIO", _Encoded(cast("TextIO", source))))
    if not hasattr(source, "__iter__") or isinstance(source, bytes | bytearray | memoryview):
        raise InvalidArgument("feed", "must be a path, a file, or an iterable of Events")
    return nullcontext(source)


def _chunks(feed: BinaryIO | Iterable[Event], most: int, before: int) -> Iterator[Chunk]:
    if hasattr(feed, "readline"):
        return _chunks_of_lines(cast("BinaryIO", feed), most, before)
    return _chunks_of_events(feed, most)


def _chunks_of_lines(stream: BinaryIO, most: int, before: int) -> Iterator[Chunk]:
    for lines in jsonl.chunks(jsonl.lines(stream, before), most):
        size_bytes = sum(len(line.raw) + 1 for line in lines)
        yield Chunk([_try_parse(line) for line in lines], lines.__getitem__, size_bytes)


def _try_parse(line: jsonl.Line) -> Event | LiveportalError:
    try:
        return jsonl.parse(line.raw) if line.whole else jsonl.read(line)
    except LiveportalError as error:
        return error


def _chunks_of_documents(adapted: Iterator[tuple[jsonl.Line, Step]], most: int) -> Iterator[Chunk]:
    while part := list(islice(adapted, most)):
        lines = [line for line, _ in part]
        size_bytes = sum(len(line.raw) + 1 for line in dict.fromkeys(lines))
        yield Chunk([step for _, step in part], lines.__getitem__, size_bytes)


def _chunks_of_events(events: Iterable[Event], most: int) -> Iterator[Chunk]:
    numbered = enumerate(events, 1)
    while chunk := list(islice(numbered, most)):
        for number, event in chunk:
            arguments.check_event(f"feed, item {number}", event)
        yield Chunk([event for _, event in chunk], partial(_line, chunk))


def _line(chunk: Sequence[tuple[int, Event]], position: int) -> jsonl.Line:
    """Return an event as the line of a feed."""
    from liveportal.exports import events  # Needed only for an event that is refused.

    number, event = chunk[position]
    return jsonl.Line(number, events.line(event).encode())
