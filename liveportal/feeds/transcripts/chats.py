"""Plain text: `14:02 Mina: hello`, `[00:12:31] Mina: hello`, `Mina: hello` or bare lines.

The first line decides: if it has a time (or else a speaker), a line without one continues the
message before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from liveportal.feeds.transcripts.lines import ParsedMessage, by_speaker, join_continuations
from liveportal.feeds.transcripts.times import read_time


def read_plain_text(lines: Iterable[str]) -> Iterator[ParsedMessage]:
    """Yield the messages of a plain text."""
    return join_continuations(_parse_lines(lines))


def _parse_lines(lines: Iterable[str]) -> Iterator[ParsedMessage | str]:
    first: ParsedMessage | None = None
    for line in lines:
        if not line.strip():
            continue
        message = _parse_line(line)
        first = first or message
        lacks_time = first.stamp is not None and message.stamp is None
        lacks_speaker = (
            first.stamp is None and first.speaker is not None and message.speaker is None
        )
        yield line if lacks_time or lacks_speaker else message


def _parse_line(line: str) -> ParsedMessage:
    """Return a line as a message of its own."""
    time = read_time(line)
    return (
        ParsedMessage(time.stamp, *by_speaker(line[time.end :]))
        if time
        else ParsedMessage(None, *by_speaker(line))
    )
