"""Transcripts of sessions: what was said, by whom and when, out of the files that platforms write.

Plain text, WebVTT, SRT and SBV, the chats that Zoom saves in many languages, the transcripts of
Google Meet, Teams and Otter, and JSON Lines of messages. The content decides which it is; the
file's name only where the content does not say. Nothing is an error: what cannot be read as text is
no transcript (`unreadable_transcript`), what is too long is read as far as the bounds below and
said to be cut (`transcript_cut`). No word is lost without a flag: text outside of a subtitle's cues
is kept without a time (`text_outside_cues`), and where the encoding had to be guessed and the words
may be others, that is said, too (`encoding_guessed`). The file itself is evidence as it is,
whatever becomes of its messages.

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
from liveportal.feeds.transcripts import chats, cues, meetings, records, zoom
from liveportal.feeds.transcripts.lines import OUTSIDE, Said, tidy
from liveportal.feeds.transcripts.times import Timeline

LARGEST_BYTES = 16 * 1024 * 1024
MOST_MESSAGES = 100_000
LONGEST_TEXT = 100_000
LONGEST_SPEAKER = 200
"""How much of a transcript is read: days of talk."""

UNREADABLE = "unreadable_transcript"
CUT = "transcript_cut"
GUESSED = "encoding_guessed"
FLAGS = (UNREADABLE, CUT, GUESSED, OUTSIDE)
"""What may be said of a transcript, in the order in which it is said."""

READER = 2
"""The version of these readers: it changes with whatever they make of any file."""

_SAMPLE = 64 * 1024
_SAMPLE_LINES = 60
_BINARY_SHARE = 20  # Text has less than one control character in so many,
_SMALL = 200  # and a stray one or two make no short text binary.
_FOREIGN_SHARE = 4  # In a text of the west less than one letter in so many has an accent.
_CONTROLS = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_DOUBLE_END = re.compile("\r\r\n")
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
    """The messages of a transcript in the file's order, and what is to be said about them.

    `reader` is the version of these readers.
    """

    messages: tuple[Message, ...]
    flags: tuple[str, ...] = ()
    reader: int = READER


def read(stream: BinaryIO, name: str, *, began: datetime, timezone: str) -> Transcript:
    """Read a transcript of a session that began then; `timezone` is the zone of its clock times."""
    content = stream.read(LARGEST_BYTES + 1)
    cut = len(content) > LARGEST_BYTES
    text, guessed = _decoded(content[:LARGEST_BYTES], cut=cut)
    if _is_binary(text):
        return Transcript((), (UNREADABLE,))
    flags = {GUESSED} if guessed else set()
    timeline = Timeline(began, timezone)
    messages: list[Message] = []
    for said in _said(text, name):
        if not (words := tidy(said.text)):
            continue
        if len(messages) == MOST_MESSAGES:
            cut = True
            break
        if said.flag:
            flags.add(said.flag)
        cut = cut or len(words) > LONGEST_TEXT
        speaker = tidy(said.speaker or "", one_line=True)[:LONGEST_SPEAKER]
        offset_ms = timeline.offset_ms(said.stamp)
        messages.append(Message(offset_ms, speaker or None, words[:LONGEST_TEXT]))
    if not messages:
        return Transcript((), (UNREADABLE,))
    if cut:
        flags.add(CUT)
    return Transcript(tuple(messages), tuple(flag for flag in FLAGS if flag in flags))


def _decoded(content: bytes, *, cut: bool) -> tuple[str, bool]:
    """Return bytes as text, and whether it may well be another.

    By their byte order mark, or else UTF-8, or else Windows' Latin: where much of that is no ASCII,
    or something is nothing, it is no text of the west.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace"), False
    try:
        # Where it was cut, the last character may be half of one.
        return codecs.getincrementaldecoder("utf-8")().decode(content, final=not cut), False
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
        foreign = len(text) - len(text.encode("ascii", "ignore"))
        return text, "\ufffd" in text or foreign * _FOREIGN_SHARE > len(text)


def _is_binary(text: str) -> bool:
    sample = text[:_SAMPLE]
    return len(_CONTROLS.findall(sample)) * _BINARY_SHARE > max(len(sample), _SMALL)


def _said(text: str, name: str) -> Iterator[Said]:
    """Return what was said, as the file's own format has it."""
    sample = list(islice(_lines(text[:_SAMPLE]), _SAMPLE_LINES))
    first = next((line for line in sample if line.strip()), "")
    suffix = PurePath(name).suffix.lower()
    if first.lstrip().startswith("WEBVTT"):
        return cues.Reader(entities=True).webvtt(_lines(text))
    if any(map(cues.is_timing, sample)):
        named = cues.names_lead(sample)
        return cues.Reader(entities=suffix == ".vtt", named=named).srt(_lines(text))
    if records.is_message(first) or (suffix in (".jsonl", ".ndjson") and first.startswith("{")):
        return records.said(_lines(text))
    if any(map(zoom.is_zoom, sample)):
        return zoom.zoom_said(_lines(text))
    read_said = meetings.reader_of(sample) or chats.plain_said
    return read_said(_lines(text))


def _lines(text: str) -> Iterable[str]:
    """Yield the lines of a text, however they end; CR CR LF is one end that was written twice."""
    return (line.rstrip("\n") for line in io.StringIO(_DOUBLE_END.sub("\n", text), newline=None))
