"""Subtitles: WebVTT and SRT, read alike and as forgivingly as players read them.

A cue begins with its times and ends at a blank line or the next cue. Whatever stands outside of
cues (headers, numbers, notes, styles, regions) is not said by anybody.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from liveportal.feeds.transcripts.lines import HEAD, Said, by_speaker, joined

_TIME = r"(?:[0-9]{1,4}:)?[0-9]{1,2}:[0-9]{2}[.,][0-9]{1,3}"
_TIMING = re.compile(
    rf"[ \t]*+(?:([0-9]{{1,4}}):)?([0-9]{{1,2}}):([0-9]{{2}})[.,]([0-9]{{1,3}})"
    rf"[ \t]*+-->[ \t]*+{_TIME}"
)
# Each part ends at the next bracket, and possessive quantifiers do not look back: linear time.
_VOICE = re.compile(r"<v(?:\.[^\s<>]*+)?[ \t]++([^<>]*+)>")
_TAG = re.compile(
    r"</?(?:c|i|b|u|v|s|lang|ruby|rt|font)(?:[.\s][^<>]*+)?>|<[0-9:.]++>|\{\\[^{}]*+\}"
)


def is_timing(line: str) -> bool:
    """Tell whether a line has the times of a cue."""
    return _TIMING.match(line[:HEAD]) is not None


def said(lines: Iterable[str], *, entities: bool) -> Iterator[Said]:
    """Yield what is said in cues; `entities` are those of HTML, which only WebVTT has."""
    start_ms: int | None = None
    payload: list[str] = []
    for line in lines:
        timing = _TIMING.match(line[:HEAD])
        if start_ms is not None and (timing or not line.strip()):
            if timing and payload and payload[-1].strip().isdecimal():
                payload.pop()  # The next cue's number, without a blank line before it.
            yield from _spoken(start_ms, payload, entities=entities)
            start_ms = None
        if timing:
            start_ms = _milliseconds(*timing.groups())
            payload = []
        elif start_ms is not None:
            payload.append(line)
    if start_ms is not None:
        yield from _spoken(start_ms, payload, entities=entities)


def _milliseconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> int:
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int(fraction.ljust(3, "0"))


def _spoken(start_ms: int, payload: list[str], *, entities: bool) -> Iterator[Said]:
    """Yield what each voice of a cue says, or each `Name: ` where there are no voices."""
    before, *voices = _VOICE.split("\n".join(payload))
    yield from joined(_named(start_ms, _bare(before, entities=entities)))
    for name, words in zip(voices[::2], voices[1::2], strict=True):
        speaker = _bare(name, entities=entities)
        yield Said(start_ms, speaker, _bare(words, entities=entities))


def _named(start_ms: int, text: str) -> Iterator[Said | str]:
    for number, line in enumerate(text.split("\n")):
        speaker, words = by_speaker(line)
        yield Said(start_ms, speaker, words) if speaker or not number else line


def _bare(text: str, *, entities: bool) -> str:
    text = _TAG.sub("", text)
    if not entities or "&" not in text:
        return text
    try:
        return html.unescape(text)
    except ValueError:  # The number of a character with thousands of digits.
        return text
