"""Plain text: `14:02 Mina: hello`, `[00:12:31] Mina: hello`, `Mina: hello` or bare lines.

The first line tells which: where it has a time, or else a speaker, a line without one goes on with
the message before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from liveportal.feeds.transcripts.lines import Said, by_speaker, joined
from liveportal.feeds.transcripts.times import read_time


def plain_said(lines: Iterable[str]) -> Iterator[Said]:
    """Yield what was said in plain text."""
    return joined(_plain(lines))


def _plain(lines: Iterable[str]) -> Iterator[Said | str]:
    first: Said | None = None
    for line in lines:
        if not line.strip():
            continue
        said = _alone(line)
        first = first or said
        timeless = first.stamp is not None and said.stamp is None
        nameless = first.stamp is None and first.speaker is not None and said.speaker is None
        yield line if timeless or nameless else said


def _alone(line: str) -> Said:
    """Read a line by itself."""
    time = read_time(line)
    return (
        Said(time.stamp, *by_speaker(line[time.end :])) if time else Said(None, *by_speaker(line))
    )
