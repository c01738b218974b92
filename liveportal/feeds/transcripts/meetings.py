"""Transcripts of meetings as text: Google Meet, Microsoft Teams, Otter, and what is copied of them.

Four shapes, told apart by the beginning of the file: times on lines of their own and `Mina: hello`
below (Meet); the name and the time on a line and the text below (`Mina   0:03`: Teams' documents,
Otter, captions of Zoom); the name and the time on two lines (Teams' window); and `[14:02] Mina`
with the text below (Teams' chats). What stands before the first time, and what a program adds at
the end, was said by nobody: it is a message without a speaker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from liveportal.feeds.transcripts.lines import HEAD, Said, Stamp, by_speaker, is_name, joined
from liveportal.feeds.transcripts.times import read_time
from liveportal.feeds.transcripts.zoom import parted_names

Reader = Callable[[Iterable[str]], Iterator[Said]]

_MARKUP = re.compile(r"^[ \t]*#{1,6}[ \t]+|\*\*|__")
_NAME_TIME = re.compile(
    r"[ \t]*(\S(?:.{0,80}\S)??)"
    r"([ \t\u00a0\u3000]*[\t|\u2022\u00b7\u2013-][ \t\u00a0]*|[ \u00a0\u3000]+)"
    r"([\[(]?(?:[0-9]{1,3}:)?[0-9]{1,3}:[0-9]{2}(?:[.,][0-9]{1,3})?"
    r"(?:[ \u00a0\u202f]?[AaPp]\.?[Mm]\.?)?[\])]?):?[ \t\u00a0]*$"
)
_NO_NAME_YET = re.compile(r"[ \t]*(\S[^:\uff1a\t\n]{0,63})[:\uff1a][ \t\u00a0]*$")
_LENGTH = re.compile(r"(?:[0-9]{1,3}\s?[^\W\d_]{1,12}\.?[ \u00a0]?){1,3}$")
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}")
_ADDED = re.compile(
    r"Transcribed by https?://|This editable transcript was computer generated"
    r"|.{1,80} (?:started|stopped) transcription[ \t]*$",
    re.IGNORECASE,
)
_LONGEST_END = 80


def reader_of(sample: Sequence[str]) -> Reader | None:
    """Return what reads a text that begins like this; None if it is no transcript of a meeting."""
    lines = [line for line in sample if line.strip()]
    if any(_is_stamped_speech(line) for line in lines):
        return None
    times = [number for number, line in enumerate(lines) if _alone(line) is not None]
    if any(_speech(line) for number in times for line in lines[number + 1 : number + 2]):
        return _meet
    heads = [head for head in map(_named, lines) if head]
    if len(heads) > 1 or any(wide for *_, wide in heads):
        all_wide = all(wide for *_, wide in heads)
        return lambda rest: joined(_under_names(rest, all_wide=all_wide))
    if times and all(_name_above(lines, number) for number in times):
        return lambda rest: joined(_under_pairs(rest))
    if _is_bracketed(lines):
        return lambda rest: joined(_under_brackets(rest))
    return None


def _is_stamped_speech(line: str) -> bool:
    time = read_time(line)
    return time is not None and by_speaker(line[time.end :])[0] is not None


# --- Meet -----------------------------------------------------------------------------------------


def _meet(lines: Iterable[str]) -> Iterator[Said]:
    return joined(_under_times(lines))


def _under_times(lines: Iterable[str]) -> Iterator[Said | str]:
    """Yield what is said under each time; all of it has that time, which is all that is known."""
    stamp: Stamp = None
    begun = new = False
    for line in lines:
        if not line.strip():
            continue
        if (time := _alone(line)) is not None:
            stamp, begun, new = time, True, True
            continue
        speaker, words = _speech(line) if begun else None, line
        if speaker:
            yield Said(stamp, *speaker)
        elif begun and _is_end(line):
            yield Said(None, None, words)
        elif new:
            yield Said(stamp, None, words)
        else:
            yield words
        new = False


def _speech(line: str) -> tuple[str, str] | None:
    """Return who speaks in a line of Meet's, and what; there may be nothing behind the colon."""
    bare = _MARKUP.sub("", line[:HEAD]) + line[HEAD:]
    speaker, words = by_speaker(bare)
    if speaker:
        return speaker, words
    match = _NO_NAME_YET.match(bare[:HEAD])
    return (match[1], "") if match and is_name(match[1], titled=True) else None


def _is_end(line: str) -> bool:
    """Return whether a line is Meet's own: `Meeting ended after 00:45:12`, in any language."""
    bare = line.strip().strip("*_")
    if _ADDED.match(bare[:HEAD]):
        return True
    return len(bare) <= _LONGEST_END and bool(_CLOCK.search(bare)) and not bare.endswith((".", "?"))


# --- the name and the time on a line --------------------------------------------------------------


def _named(line: str) -> tuple[str, Stamp, bool] | None:
    """Return who speaks and when if a line says only that, and whether a gap parts the two."""
    match = _NAME_TIME.match(_MARKUP.sub("", line[:HEAD])) if len(line) < HEAD else None
    if not match:
        return None
    name = match[1]
    bracketed = name.startswith("[") and name.endswith("]")
    name = name[1:-1] if bracketed else name
    name = parted_names(name) or name
    wide = bracketed or len(match[2]) > 1 or match[2] == "\t" or match[3][0] in "[("
    if not is_name(name, titled=not wide):
        return None
    time = read_time(match[3])
    if not time or time.stamp is None:
        return None
    return name, time.stamp, wide


def _under_names(lines: Iterable[str], *, all_wide: bool) -> Iterator[Said | str]:
    for line in lines:
        if not line.strip():
            continue
        head = _named(line)
        if head and (head[2] or not all_wide):
            yield Said(head[1], head[0], "")
        elif _ADDED.match(line.strip()[:HEAD]):
            yield Said(None, None, line)
        else:
            yield line


# --- on two lines ---------------------------------------------------------------------------------


def _name_above(lines: Sequence[str], number: int) -> bool:
    above = number - 1
    if above > 0 and _LENGTH.match(lines[above][:HEAD].strip()):
        above -= 1
    below = lines[number + 1 : number + 2]
    return (
        above >= 0 and is_name(lines[above], titled=True) and below != [] and not _alone(below[0])
    )


def _under_pairs(lines: Iterable[str]) -> Iterator[Said | str]:
    held: list[str] = []
    for line in lines:
        if not line.strip():
            continue
        if (time := _alone(line)) is not None:
            length = held.pop() if held and _LENGTH.match(held[-1][:HEAD].strip()) else None
            name = held.pop() if held and is_name(held[-1], titled=True) else None
            if length and not name:
                held.append(length)
            yield from held
            held = []
            yield Said(time, name, "")
        else:
            if len(held) > 1:
                yield held.pop(0)
            held.append(line)
    yield from held


# --- the time, then the name ----------------------------------------------------------------------


def _is_bracketed(lines: Sequence[str]) -> bool:
    names: list[str] = []
    for number, line in enumerate(lines):
        if read_time(line) is None:
            continue
        name = _behind_bracket(line)
        below = lines[number + 1 : number + 2]
        if name is None or (below and read_time(below[0])) or (not below and not names):
            return False
        names.append(name)
    return bool(names) and (
        len(set(names)) < len(names) or all(len(name.split()) > 1 for name in names)
    )


def _behind_bracket(line: str) -> str | None:
    time = read_time(line) if line.lstrip().startswith("[") else None
    name = line[time.end :].strip() if time else ""
    return name if is_name(name, titled=True) else None


def _under_brackets(lines: Iterable[str]) -> Iterator[Said | str]:
    for line in lines:
        if not line.strip():
            continue
        time, name = read_time(line), _behind_bracket(line)
        yield Said(time.stamp, name, "") if time and name else line


def _alone(line: str) -> Stamp:
    """Return the time of a line that has nothing else; None where it has."""
    bare = _MARKUP.sub("", line[:HEAD]).strip()
    time = read_time(bare) if len(line) < HEAD else None
    return time.stamp if time and time.end == len(bare) else None
