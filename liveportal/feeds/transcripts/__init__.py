"""Read the transcript files that platforms write: messages with speaker and time.

Supported are plain text, WebVTT, SRT and SBV, the chats that Zoom saves in many languages, the
transcripts of Google Meet, Teams and Otter, and JSON Lines of messages. The format is detected from
the content, and from the file's name only if the content is ambiguous. No input raises an error: a
file that is not text is flagged `unreadable_transcript`, and a file over the limits below is read
up to them and flagged `transcript_cut`. No text is lost without a flag: text outside the cues of a
subtitle is kept without a time (`text_outside_cues`), and a guessed encoding, which may give wrong
words, is flagged `encoding_guessed`. The file itself is stored unchanged as evidence.

The readers are our own because the maintained libraries (webvtt-py, srt) read whole files without a
limit, support one voice per cue, and raise errors where a player is lenient.
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

from liveportal.domain.frozen import frozen
from liveportal.feeds.transcripts import chats, cues, meetings, records, zoom
from liveportal.feeds.transcripts.lines import OUTSIDE, ParsedMessage, tidy
from liveportal.feeds.transcripts.times import Timeline

LARGEST_BYTES = 16 * 1024 * 1024
MOST_MESSAGES = 100_000
LONGEST_TEXT = 100_000
LONGEST_SPEAKER = 200
"""The limits of a transcript: more than days of conversation."""

UNREADABLE = "unreadable_transcript"
CUT = "transcript_cut"
GUESSED = "encoding_guessed"
FLAGS = (UNREADABLE, CUT, GUESSED, OUTSIDE)
"""The flags of a transcript, in the order in which they are listed."""

READER = 2
"""The version of the readers: increase it when their result for any file changes."""

_SAMPLE = 64 * 1024
_SAMPLE_LINES = 60
_BINARY_SHARE = 20  # Text has less than one control character in 20,
_SHORT_SAMPLE = 200  # and a few of them do not make a short text binary.
_FOREIGN_SHARE = 4  # In a Western text less than one letter in 4 is not ASCII.
_CONTROL_CHARACTERS = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_CR_CR_LF = re.compile("\r\r\n")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # Begins like the UTF-16 mark, so it is tested first.
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@frozen
class Message:
    """A message; `offset_ms` is the time since the session's start, None if it is unknown."""

    offset_ms: int | None
    speaker: str | None
    text: str


@frozen
class Transcript:
    """The messages of a transcript in the order of the file, and its flags.

    `reader` is the version of the readers.
    """

    messages: tuple[Message, ...]
    flags: tuple[str, ...] = ()
    reader: int = READER


def read(stream: BinaryIO, name: str, *, began: datetime, timezone: str) -> Transcript:
    """Read a transcript; `began` is the session's start, `timezone` the zone of its clock times."""
    content = stream.read(LARGEST_BYTES + 1)
    is_cut = len(content) > LARGEST_BYTES
    text, is_guessed = _decode(content[:LARGEST_BYTES], is_cut=is_cut)
    if _is_binary(text):
        return Transcript((), (UNREADABLE,))
    flags = {GUESSED} if is_guessed else set()
    timeline = Timeline(began, timezone)
    messages: list[Message] = []
    for parsed in _parse(text, name):
        if not (body := tidy(parsed.text)):
            continue
        if len(messages) == MOST_MESSAGES:
            is_cut = True
            break
        if parsed.flag:
            flags.add(parsed.flag)
        is_cut = is_cut or len(body) > LONGEST_TEXT
        speaker = tidy(parsed.speaker or "", one_line=True)[:LONGEST_SPEAKER]
        offset_ms = timeline.offset_ms(parsed.stamp)
        messages.append(Message(offset_ms, speaker or None, body[:LONGEST_TEXT]))
    if not messages:
        return Transcript((), (UNREADABLE,))
    if is_cut:
        flags.add(CUT)
    return Transcript(tuple(messages), tuple(flag for flag in FLAGS if flag in flags))


def _decode(content: bytes, *, is_cut: bool) -> tuple[str, bool]:
    """Return the decoded text, and True if the encoding is a doubtful guess.

    The encoding is that of the byte order mark, else UTF-8, else Windows-1252. The guess of
    Windows-1252 is doubtful if bytes are undefined in it, or if much of the text is not ASCII.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace"), False
    try:
        # If the file was cut, the last character may be incomplete.
        return codecs.getincrementaldecoder("utf-8")().decode(content, final=not is_cut), False
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
        not_ascii = len(text) - len(text.encode("ascii", "ignore"))
        return text, "\ufffd" in text or not_ascii * _FOREIGN_SHARE > len(text)


def _is_binary(text: str) -> bool:
    sample = text[:_SAMPLE]
    return len(_CONTROL_CHARACTERS.findall(sample)) * _BINARY_SHARE > max(
        len(sample), _SHORT_SAMPLE
    )


def _parse(text: str, name: str) -> Iterator[ParsedMessage]:
    """Detect the format of a text and yield its messages."""
    sample = list(islice(_split_lines(text[:_SAMPLE]), _SAMPLE_LINES))
    first_line = next((line for line in sample if line.strip()), "")
    suffix = PurePath(name).suffix.lower()
    if first_line.lstrip().startswith("WEBVTT"):
        return cues.CueReader(entities=True).webvtt(_split_lines(text))
    if any(map(cues.is_timing, sample)):
        has_names = cues.names_lead(sample)
        return cues.CueReader(entities=suffix == ".vtt", named=has_names).srt(_split_lines(text))
    if records.is_message(first_line) or (
        suffix in (".jsonl", ".ndjson") and first_line.startswith("{")
    ):
        return records.read_messages(_split_lines(text))
    if any(map(zoom.is_zoom, sample)):
        return zoom.read_zoom_chat(_split_lines(text))
    reader = meetings.reader_of(sample) or chats.read_plain_text
    return reader(_split_lines(text))


def _split_lines(text: str) -> Iterable[str]:
    """Yield the lines of a text with any line endings; CR CR LF counts as one."""
    return (line.rstrip("\n") for line in io.StringIO(_CR_CR_LF.sub("\n", text), newline=None))
