"""Subtitles: WebVTT as its standard defines it, SRT and SBV as players read them.

A cue begins with its timing line. In WebVTT it ends at an empty line, and a line with a space is
not empty; in SRT and SBV it continues until the next timing line, since players show the text after
an empty line, too. The number or name right before the timing line is not part of a message, nor
are headers, notes, styles and regions. All other text outside cues is kept without a time and
flagged (`text_outside_cues`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from liveportal.feeds.transcripts.lines import (
    HEAD,
    OUTSIDE,
    ParsedMessage,
    by_speaker,
    is_name,
    join_continuations,
)

_TIME = r"(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-9]{1,2})(?:[.,:]([0-9]{1,3})[0-9]*+)?"
_END = r"(?:[0-9]{1,4}:)?[0-9]{1,2}:[0-9]{1,2}(?:[.,:][0-9]{1,9})?"
# Word processors replace the arrow between the times with an arrow character or a dash.
_ARROW = "(?:[-\u2013\u2014]{1,2}>|\u2192)"
_TIMING = re.compile(rf"[ \t]*+{_TIME}[ \t]*+{_ARROW}[ \t]*+{_END}")
_SBV = re.compile(
    r"([0-9]{1,4}):([0-9]{2}):([0-9]{2})\.([0-9]{3}),[0-9]{1,4}:[0-9]{2}:[0-9]{2}\.[0-9]{3}[ \t]*$"
)
# Settings that may follow the times: those of WebVTT, and text positions of SRT players.
_SETTINGS = re.compile(
    r"(?:\s*+(?:region|vertical|line|position|size|align|[XY][12]|[ALTSD]):[^\s:]++)*+\s*+",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"(?:NOTE(?:[ \t].*)?|STYLE[ \t]*|REGION[ \t]*)$", re.DOTALL)
_META = re.compile(r"[A-Za-z][A-Za-z-]*+[ \t]*+[:=]")
_ZOOM_NAME = re.compile(r'[0-9]++ "([^"]++)" \([0-9]++\)[ \t]*+$')
_UNPADDED = re.compile(r"[ \t]*+[0-9]{1,2}:(?:[0-9]:[0-9]{1,2}|[0-9]{1,2}:[0-9])(?![0-9])")
# Each part ends at the next bracket, and possessive quantifiers do not backtrack: linear time.
_VOICE = re.compile(r"<v(?:\.[^\s<>]*+)?[ \t]++([^<>]*+)>")
_TAG = re.compile(
    r"</?(?:c|i|b|u|v|s|lang|ruby|rt|font)(?:[.\s][^<>]*+)?>|<[0-9:.]++>|\{\\[^{}]*+\}"
)


def is_timing(line: str) -> bool:
    """Return True if a line is the timing line of a cue."""
    return _match_timing(line) is not None


def _match_timing(line: str) -> re.Match[str] | None:
    head = line[:HEAD]
    return (_TIMING.match(head) or _SBV.match(head)) if ":" in head else None


class CueReader:
    """Reads the cues of one file.

    `entities` decodes HTML entities, which only WebVTT has; with `named`, the first line of a cue
    is the name of its speaker (see `names_lead`).
    """

    def __init__(self, *, entities: bool, named: bool = False) -> None:
        self._entities = entities
        self._named = named

    # --- WebVTT -----------------------------------------------------------------------------------

    def webvtt(self, lines: Iterable[str]) -> Iterator[ParsedMessage]:
        """Yield the messages of a WebVTT file, block by block."""
        last_is_empty = False
        last_name: str | None = None  # The name of the previous cue: usually a number, often empty.
        for number, block in enumerate(_split_blocks(lines)):
            times = [index for index, line in enumerate(block) if is_timing(line)]
            before = block[: times[0]] if times else block
            if not number:
                before = _unknown_header(before, has_cue=bool(times))
            elif not times and _COMMENT.match(before[0]):
                continue
            name = before.pop() if times and before else ""
            if name and (
                last_name == ""
                or (last_is_empty and not _ends_with_next_number([name], last_name or ""))
            ):
                before.append(name)  # Text of the previous cue: these cues have no names.
            yield from self._read_outside(before)
            voice = _ZOOM_NAME.match(name)
            for begin, end in pairwise([*times, len(block)]):
                payload = block[begin + 1 : end]
                if end < len(block) and _ends_with_next_number(payload, name):
                    name = payload.pop()
                payload = [*_text_after_timing(block[begin]), *payload]
                last_is_empty = not any(line.strip() for line in payload)
                last_name = (
                    name
                    if last_name is None or (name.strip().isdecimal() and last_name)
                    else last_name
                )
                yield from self._read_cue(block[begin], payload, voice[1] if voice else None)

    # --- SRT, SBV ---------------------------------------------------------------------------------

    def srt(self, lines: Iterable[str]) -> Iterator[ParsedMessage]:
        """Yield the messages of an SRT or SBV file."""
        timing: str | None = None
        number: str | None = None
        held: list[str] = []
        for line in lines:
            if not is_timing(line):
                held.append(line)
                continue
            while held and not held[-1].strip():
                held.pop()
            if timing is None or (number is not None and _ends_with_cue_number(held, number)):
                number = held.pop() if held and held[-1].strip().isdecimal() else number
            yield from self._finish_cue(timing, held)
            timing, held = line, _text_after_timing(line)
        yield from self._finish_cue(timing, held)

    def _finish_cue(self, timing: str | None, held: Sequence[str]) -> Iterator[ParsedMessage]:
        lines = [line for line in held if line.strip()]
        if timing is None:
            yield from self._read_outside(lines)
        else:
            yield from self._read_cue(timing, lines)

    # --- shared -----------------------------------------------------------------------------------

    def _read_outside(self, lines: Sequence[str]) -> Iterator[ParsedMessage]:
        text = "\n".join(line for line in lines if line.strip())
        if text:
            bare = _strip_markup(text, entities=self._entities)
            yield from join_continuations(_split_by_speaker(None, bare, flag=OUTSIDE))

    def _read_cue(
        self, timing: str, payload: Sequence[str], voice: str | None = None
    ) -> Iterator[ParsedMessage]:
        """Yield a message per voice of a cue or, if it has no voices, per `Name: ` prefix."""
        match = _match_timing(timing)
        start_ms = _milliseconds(*match.groups()) if match else None
        if self._named and len(payload) > 1 and is_name(payload[0]):
            voice, payload = payload[0], payload[1:]
        unvoiced, *voices = _VOICE.split("\n".join(payload))
        text = _strip_markup(unvoiced, entities=self._entities)
        if voice:
            yield ParsedMessage(start_ms, voice, text)
        else:
            yield from join_continuations(_split_by_speaker(start_ms, text))
        for name, spoken in zip(voices[::2], voices[1::2], strict=True):
            speaker = _strip_markup(name, entities=self._entities)
            yield ParsedMessage(start_ms, speaker, _strip_markup(spoken, entities=self._entities))


def names_lead(sample: Sequence[str]) -> bool:
    """Return True if the first line of each cue is its speaker, as in documents of Teams.

    Their times are not padded (`0:0:3.0`), or a name occurs twice; their cues have no numbers.
    """
    cues: list[list[str]] = []
    for line in sample:
        if is_timing(line):
            cues.append([])
        elif cues and line.strip():
            cues[-1].append(line.strip())
    if cues and len(cues[-1]) == 1:
        cues.pop()  # The sample ends within this cue.
    named = all(
        len(cue) > 1 and is_name(cue[0], titled=True) and not cue[-1].isdecimal() for cue in cues
    )
    unpadded = any(is_timing(line) and _UNPADDED.match(line) for line in sample)
    return bool(cues) and named and (unpadded or len({cue[0] for cue in cues}) < len(cues))


def _split_blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield the blocks between empty lines; a line of spaces is not empty."""
    block: list[str] = []
    for line in lines:
        if line:
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _unknown_header(lines: Sequence[str], *, has_cue: bool) -> list[str]:
    """Return the lines of the first block that are not header lines; the last may name its cue."""
    name = [lines[-1]] if has_cue and len(lines) > 1 else []
    rest = lines[1 : len(lines) - len(name)]
    return [*(line for line in rest if not _META.match(line)), *name]


def _ends_with_next_number(payload: Sequence[str], name: str) -> bool:
    """Return True if a cue ends with the number of the next one, without an empty line before."""
    last = payload[-1].strip() if payload else ""
    before = name.strip()
    return last.isdecimal() and before.isdecimal() and int(last[:9]) == int(before[:9]) + 1


def _ends_with_cue_number(held: Sequence[str], before: str) -> bool:
    """Return True if the last line before a cue is its number: after an empty line, or in order."""
    if len(held) > 1 and not held[-2].strip():
        return held[-1].strip().isdecimal()
    return _ends_with_next_number(held, before)


def _text_after_timing(line: str) -> list[str]:
    """Return the text after the times of a cue, unless it is settings."""
    match = _match_timing(line)
    rest = line[match.end() :] if match else ""
    return [] if _SETTINGS.fullmatch(rest) else [rest.strip()]


def _milliseconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> int:
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int((fraction or "").ljust(3, "0"))


def _split_by_speaker(
    start_ms: int | None, text: str, flag: str | None = None
) -> Iterator[ParsedMessage | str]:
    for number, line in enumerate(text.split("\n")):
        speaker, rest = by_speaker(line)
        yield ParsedMessage(start_ms, speaker, rest, flag) if speaker or not number else line


def _strip_markup(text: str, *, entities: bool) -> str:
    text = _TAG.sub("", text)
    if not entities or "&" not in text:
        return text
    try:
        return html.unescape(text)
    except ValueError:  # A character number with thousands of digits.
        return text
