"""Chats as text: those that Zoom saves, and the plain kind.

Zoom writes `14:02:11 From Mina to Everyone:` and the text below, formerly `14:02:11 From Mina :
text` on one line, and for recordings in its cloud `00:12:31`, `Mina:` and the text between tabs.

Plain text has `14:02 Mina: hello`, `[00:12:31] Mina: hello`, `Mina: hello` or bare lines. The first
line tells which: where it has a time, or else a speaker, a line without one goes on with the
message before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time

from liveportal.feeds.transcripts.lines import HEAD, Clock, Said, Stamp, by_speaker, joined

_DAY = r"(?:([0-9]{4}-[0-9]{2}-[0-9]{2})[T \t]+)?"
_HEADER = re.compile(rf"{_DAY}([0-9]{{1,2}}):([0-9]{{2}}):([0-9]{{2}})[ \t]+From[ \t]+(?=\S)")
_CLOUD = re.compile(r"([0-9]{2,3}):([0-9]{2}):([0-9]{2})\t([^\t]{1,200})\t")
_STAMPED = re.compile(
    rf"[ \t]*[\[(]?{_DAY}([0-9]{{1,3}}):([0-9]{{2}})(?::([0-9]{{2}})(?:[.,]([0-9]{{1,3}}))?)?"
    r"(?:[ \u00a0\u202f]?([AaPp])\.?[Mm]\.?)?[\])]?(?:[ \t]+-)?(?:[ \t]+|$)"
)
_NOON = 12
_LAST_HOUR, _LAST_MINUTE, _LAST_SECOND = 23, 59, 59


def is_zoom(line: str) -> bool:
    """Tell whether a line begins a message of a chat that Zoom saved."""
    return isinstance(_zoom(line), Said)


def zoom_said(lines: Iterable[str]) -> Iterator[Said]:
    """Yield what was said in a chat that Zoom saved."""
    return joined(map(_zoom, lines))


def _zoom(line: str) -> Said | str:
    """Return the message that a line begins, or the line if it goes on with one."""
    if match := _CLOUD.match(line[:HEAD]):
        hours, minutes, seconds = map(int, match.groups()[:3])
        spoken = line[match.end() :]
        return Said(((hours * 60 + minutes) * 60 + seconds) * 1000, match[4].rstrip(":"), spoken)
    match = _HEADER.match(line[:HEAD])
    rest = line[match.end() :] if match else ""
    if not match or ":" not in rest:
        return line.removeprefix("\t")
    stamp = _stamp(match[1], int(match[2]), int(match[3]), int(match[4]))
    # A name may hold a colon; what stands between it and the text has blanks around it, or ends
    # the line.
    who, between, text = rest.partition(" : ")
    if not between:
        bare = rest.rstrip()
        who, _, text = (bare[:-1], "", "") if bare.endswith(":") else rest.partition(":")
    return Said(stamp, _sender(who), text)


def _sender(who: str) -> str:
    """Return who wrote: `Mina  to  Everyone`, `Mina to Joe(Direct Message)`, `Mina`."""
    for between in ("  to  ", " to "):
        sender, found, _ = who.rpartition(between)
        if found:
            return sender
    return who


def plain_said(lines: Iterable[str]) -> Iterator[Said]:
    """Yield what was said in plain text."""
    return joined(_plain(lines))


def _plain(lines: Iterable[str]) -> Iterator[Said | str]:
    first: Said | None = None
    for line in lines:
        if not line.strip():
            continue
        said = _told(line)
        first = first or said
        timeless = first.stamp is not None and said.stamp is None
        nameless = first.stamp is None and first.speaker is not None and said.speaker is None
        yield line if timeless or nameless else said


def _told(line: str) -> Said:
    """Read a line by itself."""
    match = _STAMPED.match(line[:HEAD])
    if not match:
        return Said(None, *by_speaker(line))
    day, hour, minute, second, fraction, half = match.groups()
    hours = int(hour)
    end = match.end()
    if half and 1 <= hours <= _NOON:
        hours = hours % _NOON + (_NOON if half in "Pp" else 0)
    elif half:
        end = match.start(6)  # "14:02 am I late?"
    milliseconds = int((fraction or "0").ljust(3, "0"))
    stamp = _stamp(day, hours, int(minute), int(second) if second else None, milliseconds)
    return Said(stamp, *by_speaker(line[end:]))


def _stamp(
    day: str | None, hour: int, minute: int, second: int | None, millisecond: int = 0
) -> Stamp:
    """Return a time of a chat; None for one that no clock shows."""
    if minute > _LAST_MINUTE or (second or 0) > _LAST_SECOND:
        return None
    if day is None:
        return Clock(hour, minute, second, millisecond)
    if hour > _LAST_HOUR:
        return None
    try:
        written = date.fromisoformat(day)
    except ValueError:
        return None
    # Local time without a zone: the expert's.
    return datetime.combine(written, time(hour, minute, second or 0, millisecond * 1000))
