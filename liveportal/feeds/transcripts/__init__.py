"""Transcripts of sessions: what was said, by whom and when, out of the files that platforms write.

Plain text, WebVTT, SRT, the chats that Zoom saves, and JSON Lines of messages. The content decides
which it is; the file's name only where the content does not say. Nothing is an error: what cannot
be read as text is no transcript (`unreadable_transcript`), what is too long is read as far as the
bounds below and said to be cut (`transcript_cut`). The file itself is evidence as it is, whatever
becomes of its messages.

These readers are our own although libraries read cues: those that are kept (webvtt-py, srt) take
whole files without a bound, know one voice a cue, and raise at what a player would forgive.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import PurePath
from typing import BinaryIO

from liveportal.domain.values import dataclass
from liveportal.feeds.transcripts import chats, cues, records
from liveportal.feeds.transcripts.lines import Said, tidy
from liveportal.feeds.transcripts.times import Timeline

LARGEST_BYTES = 16 * 1024 * 1024
MOST_MESSAGES = 100_000
LONGEST_TEXT = 100_000
LONGEST_SPEAKER = 200
"""How much of a transcript is read: days of talk."""

UNREADABLE = "unreadable_transcript"
CUT = "transcript_cut"

_SAMPLE = 64 * 1024
_SAMPLE_LINES = 60
_BINARY_SHARE = 20  # Text has less than one control character in so many,
_SMALL = 200  # and a stray one or two make no short text binary.
_CONTROLS = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # Begins as UTF-16's does, so it is asked first.
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody said: `offset_ms` since the session's start, None where it is not known."""

    offset_ms: int | None
    speaker: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """The messages of a transcript in the file's order, and what is to be said about them."""

    messages: tuple[Message, ...]
    flags: tuple[str, ...] = ()


def read(stream: BinaryIO, name: str, *, began: datetime, timezone: str) -> Transcript:
    """Read a transcript of a session that began then; `timezone` is the zone of its clock times."""
    content = stream.read(LARGEST_BYTES + 1)
    cut = len(content) > LARGEST_BYTES
    text = _decoded(content[:LARGEST_BYTES], cut=cut)
    if _is_binary(text):
        return Transcript((), (UNREADABLE,))
    timeline = Timeline(began, timezone)
    messages: list[Message] = []
    for said in _said(text, name):
        if not (words := tidy(said.text)):
            continue
        if len(messages) == MOST_MESSAGES:
            cut = True
            break
        cut = cut or len(words) > LONGEST_TEXT
        speaker = tidy(said.speaker or "", one_line=True)[:LONGEST_SPEAKER]
        offset_ms = timeline.offset_ms(said.stamp)
        messages.append(Message(offset_ms, speaker or None, words[:LONGEST_TEXT]))
    if not messages:
        return Transcript((), (UNREADABLE,))
    return Transcript(tuple(messages), (CUT,) if cut else ())


def _decoded(content: bytes, *, cut: bool) -> str:
    """Return bytes as text: by their byte order mark, or else UTF-8, or else Windows' Latin."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    try:
        # Where it was cut, the last character may be half of one.
        return codecs.getincrementaldecoder("utf-8")().decode(content, final=not cut)
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _is_binary(text: str) -> bool:
    sample = text[:_SAMPLE]
    return len(_CONTROLS.findall(sample)) * _BINARY_SHARE > max(len(sample), _SMALL)


def _said(text: str, name: str) -> Iterator[Said]:
    """Return what was said, as the file's own format has it."""
    sample = list(islice(_lines(text[:_SAMPLE]), _SAMPLE_LINES))
    first = next((line for line in sample if line.strip()), "")
    suffix = PurePath(name).suffix.lower()
    if first.lstrip().startswith("WEBVTT"):
        return cues.said(_lines(text), entities=True)
    if any(map(cues.is_timing, sample)):
        return cues.said(_lines(text), entities=suffix == ".vtt")
    if records.is_message(first) or (suffix in (".jsonl", ".ndjson") and first.startswith("{")):
        return records.said(_lines(text))
    if any(map(chats.is_zoom, sample)):
        return chats.zoom_said(_lines(text))
    return chats.plain_said(_lines(text))


def _lines(text: str) -> Iterable[str]:
    """Yield the lines of a text, however they end."""
    return (line.rstrip("\n") for line in io.StringIO(text, newline=None))
