"""Transcripts of meetings as text: Google Meet, Microsoft Teams, Otter, and copies from them.

The beginning of the file decides between four layouts: times on lines of their own with
`Mina: hello` below (Meet); the name and the time on one line with the text below (`Mina   0:03`:
documents of Teams, Otter, captions of Zoom); the name and the time on two lines (the window of
Teams); and `[14:02] Mina` with the text below (chats of Teams). Text before the first time, and
notices of the program at the end, become messages without a speaker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from liveportal.feeds.transcripts.lines import (
    HEAD,
    ParsedMessage,
    Stamp,
    by_speaker,
    is_name,
    join_continuations,
)
from liveportal.feeds.transcripts.times import read_time
from liveportal.feeds.transcripts.zoom import sender_without_keyword

TranscriptReader = Callable[[Iterable[str]], Iterator[ParsedMessage]]

_MARKUP = re.compile(r"^[ \t]*#{1,6}[ \t]+|\*\*|__")
_NAME_TIME = re.compile(
    r"[ \t]*(\S(?:.{0,80}\S)??)"
    r"([ \t\u00a0\u3000]*[\t|\u2022\u00b7\u2013-][ \t\u00a0]*|[ \u00a0\u3000]+)"
    r"([\[(]?(?:[0-9]{1,3}:)?[0-9]{1,3}:[0-9]{2}(?:[.,][0-9]{1,3})?"
    r"(?:[ \u00a0\u202f]?[AaPp]\.?[Mm]\.?)?[\])]?):?[ \t\u00a0]*$"
)
_NAME_ONLY = re.compile(r"[ \t]*(\S[^:\uff1a\t\n]{0,63})[:\uff1a][ \t\u00a0]*$")
_LENGTH = re.compile(r"(?:[0-9]{1,3}\s?[^\W\d_]{1,12}\.?[ \u00a0]?){1,3}$")
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}")
_NOTICE = re.compile(
    r"Transcribed by https?://|This editable transcript was computer generated"
    r"|.{1,80} (?:started|stopped) transcription[ \t]*$",
    re.IGNORECASE,
)
_LONGEST_NOTICE = 80


def reader_of(sample: Sequence[str]) -> TranscriptReader | None:
    """Return a reader for a text that begins with `sample`, or None if it is not a meeting."""
    lines = [line for line in sample if line.strip()]
    if any(_is_stamped_speech(line) for line in lines):
        return None
    times = [number for number, line in enumerate(lines) if _time_only(line) is not None]
    if any(_split_speech(line) for number in times for line in lines[number + 1 : number + 2]):
        return _read_meet
    headers = [header for header in map(_parse_name_time, lines) if header]
    if len(headers) > 1 or any(has_gap for *_, has_gap in headers):
        all_have_gap = all(has_gap for *_, has_gap in headers)
        return lambda rest: join_continuations(_parse_under_names(rest, all_have_gap=all_have_gap))
    if times and all(_has_name_above(lines, number) for number in times):
        return lambda rest: join_continuations(_parse_under_pairs(rest))
    if _is_bracketed(lines):
        return lambda rest: join_continuations(_parse_under_brackets(rest))
    return None


def _is_stamped_speech(line: str) -> bool:
    time = read_time(line)
    return time is not None and by_speaker(line[time.end :])[0] is not None


# --- Meet -----------------------------------------------------------------------------------------


def _read_meet(lines: Iterable[str]) -> Iterator[ParsedMessage]:
    return join_continuations(_parse_under_times(lines))


def _parse_under_times(lines: Iterable[str]) -> Iterator[ParsedMessage | str]:
    """Yield the messages below each time; all of them get that time."""
    stamp: Stamp = None
    started = is_first = False
    for line in lines:
        if not line.strip():
            continue
        if (time := _time_only(line)) is not None:
            stamp, started, is_first = time, True, True
            continue
        speech, text = _split_speech(line) if started else None, line
        if speech:
            yield ParsedMessage(stamp, *speech)
        elif started and _is_notice(line):
            yield ParsedMessage(None, None, text)
        elif is_first:
            yield ParsedMessage(stamp, None, text)
        else:
            yield text
        is_first = False


def _split_speech(line: str) -> tuple[str, str] | None:
    """Return the speaker and the text of a line of Meet; the text may be empty."""
    bare = _MARKUP.sub("", line[:HEAD]) + line[HEAD:]
    speaker, text = by_speaker(bare)
    if speaker:
        return speaker, text
    match = _NAME_ONLY.match(bare[:HEAD])
    return (match[1], "") if match and is_name(match[1], titled=True) else None


def _is_notice(line: str) -> bool:
    """Return True for a notice of Meet, such as `Meeting ended after 00:45:12`, in any language."""
    bare = line.strip().strip("*_")
    if _NOTICE.match(bare[:HEAD]):
        return True
    return (
        len(bare) <= _LONGEST_NOTICE and bool(_CLOCK.search(bare)) and not bare.endswith((".", "?"))
    )


# --- name and time on one line --------------------------------------------------------------------


def _parse_name_time(line: str) -> tuple[str, Stamp, bool] | None:
    """Return name, time, and whether a gap separates them, if a line has only these, or None."""
    match = _NAME_TIME.match(_MARKUP.sub("", line[:HEAD])) if len(line) < HEAD else None
    if not match:
        return None
    name = match[1]
    bracketed = name.startswith("[") and name.endswith("]")
    name = name[1:-1] if bracketed else name
    name = sender_without_keyword(name) or name
    has_gap = bracketed or len(match[2]) > 1 or match[2] == "\t" or match[3][0] in "[("
    if not is_name(name, titled=not has_gap):
        return None
    time = read_time(match[3])
    if not time or time.stamp is None:
        return None
    return name, time.stamp, has_gap


def _parse_under_names(
    lines: Iterable[str], *, all_have_gap: bool
) -> Iterator[ParsedMessage | str]:
    for line in lines:
        if not line.strip():
            continue
        header = _parse_name_time(line)
        if header and (header[2] or not all_have_gap):
            yield ParsedMessage(header[1], header[0], "")
        elif _NOTICE.match(line.strip()[:HEAD]):
            yield ParsedMessage(None, None, line)
        else:
            yield line


# --- name and time on two lines -------------------------------------------------------------------


def _has_name_above(lines: Sequence[str], number: int) -> bool:
    above = number - 1
    if above > 0 and _LENGTH.match(lines[above][:HEAD].strip()):
        above -= 1
    below = lines[number + 1 : number + 2]
    return (
        above >= 0
        and is_name(lines[above], titled=True)
        and below != []
        and not _time_only(below[0])
    )


def _parse_under_pairs(lines: Iterable[str]) -> Iterator[ParsedMessage | str]:
    held: list[str] = []
    for line in lines:
        if not line.strip():
            continue
        if (time := _time_only(line)) is not None:
            length = held.pop() if held and _LENGTH.match(held[-1][:HEAD].strip()) else None
            name = held.pop() if held and is_name(held[-1], titled=True) else None
            if length and not name:
                held.append(length)
            yield from held
            held = []
            yield ParsedMessage(time, name, "")
        else:
            if len(held) > 1:
                yield held.pop(0)
            held.append(line)
    yield from held


# --- time in brackets, then the name --------------------------------------------------------------


def _is_bracketed(lines: Sequence[str]) -> bool:
    names: list[str] = []
    for number, line in enumerate(lines):
        if read_time(line) is None:
            continue
        name = _name_after_bracket(line)
        below = lines[number + 1 : number + 2]
        if name is None or (below and read_time(below[0])) or (not below and not names):
            return False
        names.append(name)
    return bool(names) and (
        len(set(names)) < len(names) or all(len(name.split()) > 1 for name in names)
    )


def _name_after_bracket(line: str) -> str | None:
    time = read_time(line) if line.lstrip().startswith("[") else None
    name = line[time.end :].strip() if time else ""
    return name if is_name(name, titled=True) else None


def _parse_under_brackets(lines: Iterable[str]) -> Iterator[ParsedMessage | str]:
    for line in lines:
        if not line.strip():
            continue
        time, name = read_time(line), _name_after_bracket(line)
        yield ParsedMessage(time.stamp, name, "") if time and name else line


def _time_only(line: str) -> Stamp:
    """Return the time of a line that consists of a time, or None."""
    bare = _MARKUP.sub("", line[:HEAD]).strip()
    time = read_time(bare) if len(line) < HEAD else None
    return time.stamp if time and time.end == len(bare) else None
