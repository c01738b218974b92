"""Subtitles: WebVTT as its standard has it, SRT and SBV as players read them.

A cue begins with its times. In WebVTT it ends at an empty line, and a line of one blank is not
empty; in SRT and SBV it goes on until the next times, since players show what stands behind an
empty line as well. The number or name right before the times is not said by anybody, nor are
headers, notes, styles and regions. All other text outside of cues is kept without a time and
flagged (`text_outside_cues`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from liveportal.feeds.transcripts.lines import HEAD, OUTSIDE, Said, by_speaker, is_name, joined

_TIME = r"(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-9]{1,2})(?:[.,:]([0-9]{1,3})[0-9]*+)?"
_END = r"(?:[0-9]{1,4}:)?[0-9]{1,2}:[0-9]{1,2}(?:[.,:][0-9]{1,9})?"
# Word processors make an arrow or a dash of what stands between the times.
_ARROW = "(?:[-\u2013\u2014]{1,2}>|\u2192)"
_TIMING = re.compile(rf"[ \t]*+{_TIME}[ \t]*+{_ARROW}[ \t]*+{_END}")
_SBV = re.compile(
    r"([0-9]{1,4}):([0-9]{2}):([0-9]{2})\.([0-9]{3}),[0-9]{1,4}:[0-9]{2}:[0-9]{2}\.[0-9]{3}[ \t]*$"
)
# What may stand behind the times: settings of WebVTT, and where players of SRT put the text.
_SETTINGS = re.compile(
    r"(?:\s*+(?:region|vertical|line|position|size|align|[XY][12]|[ALTSD]):[^\s:]++)*+\s*+",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"(?:NOTE(?:[ \t].*)?|STYLE[ \t]*|REGION[ \t]*)$", re.DOTALL)
_META = re.compile(r"[A-Za-z][A-Za-z-]*+[ \t]*+[:=]")
_ZOOM_NAME = re.compile(r'[0-9]++ "([^"]++)" \([0-9]++\)[ \t]*+$')
_UNPADDED = re.compile(r"[ \t]*+[0-9]{1,2}:(?:[0-9]:[0-9]{1,2}|[0-9]{1,2}:[0-9])(?![0-9])")
# Each part ends at the next bracket, and possessive quantifiers do not look back: linear time.
_VOICE = re.compile(r"<v(?:\.[^\s<>]*+)?[ \t]++([^<>]*+)>")
_TAG = re.compile(
    r"</?(?:c|i|b|u|v|s|lang|ruby|rt|font)(?:[.\s][^<>]*+)?>|<[0-9:.]++>|\{\\[^{}]*+\}"
)


def is_timing(line: str) -> bool:
    """Return whether a line has the times of a cue."""
    return _times(line) is not None


def _times(line: str) -> re.Match[str] | None:
    head = line[:HEAD]
    return (_TIMING.match(head) or _SBV.match(head)) if ":" in head else None


class Reader:
    """Reads the cues of one file.

    `entities` are those of HTML, which only WebVTT has; `named`: the first line of a cue is who
    speaks in it, as `names_lead` found.
    """

    def __init__(self, *, entities: bool, named: bool = False) -> None:
        self._entities = entities
        self._named = named

    # --- WebVTT -----------------------------------------------------------------------------------

    def webvtt(self, lines: Iterable[str]) -> Iterator[Said]:
        """Yield what is said in the cues of a WebVTT file, block by block."""
        empty = False
        last: str | None = None  # The name of the cue before: the number of most, often none.
        for number, block in enumerate(_blocks(lines)):
            times = [place for place, line in enumerate(block) if is_timing(line)]
            before = block[: times[0]] if times else block
            if not number:
                before = _unknown_header(before, has_cue=bool(times))
            elif not times and _COMMENT.match(before[0]):
                continue
            name = before.pop() if times and before else ""
            if name and (last == "" or (empty and not _is_next([name], last or ""))):
                before.append(name)  # What the cue before it should have had: cues have no names.
            yield from self._outside(before)
            voice = _ZOOM_NAME.match(name)
            for begin, end in pairwise([*times, len(block)]):
                payload = block[begin + 1 : end]
                if end < len(block) and _is_next(payload, name):
                    name = payload.pop()
                payload = [*_behind_times(block[begin]), *payload]
                empty = not any(line.strip() for line in payload)
                last = name if last is None or (name.strip().isdecimal() and last) else last
                yield from self._spoken(block[begin], payload, voice[1] if voice else None)

    # --- SRT, SBV ---------------------------------------------------------------------------------

    def srt(self, lines: Iterable[str]) -> Iterator[Said]:
        """Yield what is said in the cues of an SRT or SBV file."""
        timing: str | None = None
        number: str | None = None
        held: list[str] = []
        for line in lines:
            if not is_timing(line):
                held.append(line)
                continue
            while held and not held[-1].strip():
                held.pop()
            if timing is None or (number is not None and _is_number(held, number)):
                number = held.pop() if held and held[-1].strip().isdecimal() else number
            yield from self._ended(timing, held)
            timing, held = line, _behind_times(line)
        yield from self._ended(timing, held)

    def _ended(self, timing: str | None, held: Sequence[str]) -> Iterator[Said]:
        lines = [line for line in held if line.strip()]
        if timing is None:
            yield from self._outside(lines)
        else:
            yield from self._spoken(timing, lines)

    # --- both -------------------------------------------------------------------------------------

    def _outside(self, lines: Sequence[str]) -> Iterator[Said]:
        text = "\n".join(line for line in lines if line.strip())
        if text:
            bare = _bare(text, entities=self._entities)
            yield from joined(_by_names(None, bare, flag=OUTSIDE))

    def _spoken(
        self, timing: str, payload: Sequence[str], voice: str | None = None
    ) -> Iterator[Said]:
        """Yield what each voice of a cue says, or each `Name: ` where there are no voices."""
        match = _times(timing)
        start_ms = _milliseconds(*match.groups()) if match else None
        if self._named and len(payload) > 1 and is_name(payload[0]):
            voice, payload = payload[0], payload[1:]
        before, *voices = _VOICE.split("\n".join(payload))
        text = _bare(before, entities=self._entities)
        if voice:
            yield Said(start_ms, voice, text)
        else:
            yield from joined(_by_names(start_ms, text))
        for name, words in zip(voices[::2], voices[1::2], strict=True):
            speaker = _bare(name, entities=self._entities)
            yield Said(start_ms, speaker, _bare(words, entities=self._entities))


def names_lead(sample: Sequence[str]) -> bool:
    """Return whether the first line of each cue is who speaks, as Teams' documents have it.

    Their times are not padded (`0:0:3.0`), or a name comes again; none of their cues has a number.
    """
    cues: list[list[str]] = []
    for line in sample:
        if is_timing(line):
            cues.append([])
        elif cues and line.strip():
            cues[-1].append(line.strip())
    if cues and len(cues[-1]) == 1:
        cues.pop()  # The sample ends in it.
    named = all(
        len(cue) > 1 and is_name(cue[0], titled=True) and not cue[-1].isdecimal() for cue in cues
    )
    unpadded = any(is_timing(line) and _UNPADDED.match(line) for line in sample)
    return bool(cues) and named and (unpadded or len({cue[0] for cue in cues}) < len(cues))


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield what stands between empty lines; a line of blanks is not empty."""
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
    """Return the lines of the first block that are no header; the last may name its cue."""
    name = [lines[-1]] if has_cue and len(lines) > 1 else []
    rest = lines[1 : len(lines) - len(name)]
    return [*(line for line in rest if not _META.match(line)), *name]


def _is_next(payload: Sequence[str], name: str) -> bool:
    """Return whether a cue ends with the next one's number, without an empty line before it."""
    last = payload[-1].strip() if payload else ""
    before = name.strip()
    return last.isdecimal() and before.isdecimal() and int(last[:9]) == int(before[:9]) + 1


def _is_number(held: Sequence[str], before: str) -> bool:
    """Return whether the last line before a cue is its number: behind an empty line, or next."""
    if len(held) > 1 and not held[-2].strip():
        return held[-1].strip().isdecimal()
    return _is_next(held, before)


def _behind_times(line: str) -> list[str]:
    """Return the text behind the times of a cue, if it is none of their settings."""
    match = _times(line)
    rest = line[match.end() :] if match else ""
    return [] if _SETTINGS.fullmatch(rest) else [rest.strip()]


def _milliseconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> int:
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int((fraction or "").ljust(3, "0"))


def _by_names(start_ms: int | None, text: str, flag: str | None = None) -> Iterator[Said | str]:
    for number, line in enumerate(text.split("\n")):
        speaker, words = by_speaker(line)
        yield Said(start_ms, speaker, words, flag) if speaker or not number else line


def _bare(text: str, *, entities: bool) -> str:
    text = _TAG.sub("", text)
    if not entities or "&" not in text:
        return text
    try:
        return html.unescape(text)
    except ValueError:  # The number of a character with thousands of digits.
        return text
