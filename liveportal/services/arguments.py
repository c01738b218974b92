"""Check the arguments of the Python interface: a wrong one ends in an error of its own."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from pathlib import Path
from typing import Literal, TypeVar, cast

from liveportal.domain.clock import check_month, day_ends, parse_instant
from liveportal.domain.errors import InvalidArgument, InvalidEvent, InvalidTime, caution_codes
from liveportal.domain.events.envelope import NAME, Event, EventData
from liveportal.domain.events.field_types import INSTANT
from liveportal.ledger.journal.journal import Allow

T = TypeVar("T")
StrPath = str | os.PathLike[str]

_DAY_LENGTH = len("2026-10-05")


def of_type(name: str, value: object, kind: type[T], form: str) -> T:
    """Return a value unchanged; raises `InvalidArgument`, which says that it must be of a form."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InvalidArgument(name, f"must be {form}, not {_shown(value)}")
    return value


def one_of(name: str, value: object, values: Iterable[str]) -> str:
    """Return a word unchanged; raises `InvalidArgument` unless it is one of the known words."""
    known = tuple(values)
    if not isinstance(value, str) or value not in known:
        raise InvalidArgument(name, f"must be one of {', '.join(known)}, not {_shown(value)}")
    return value


def path(name: str, value: object) -> Path:
    """Return the path that a str or an `os.PathLike` names; raises `InvalidArgument`."""
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise InvalidArgument(name, f"must be a path, not {_shown(value)}")
    return Path(text)


def mode(value: object, *, dry_run: bool) -> Literal["r", "rw"]:
    """Return the mode of a portal; raises `InvalidArgument`."""
    one_of("mode", value, ("r", "rw"))
    if dry_run and value == "r":
        raise InvalidArgument(
            "dry_run", 'must be False if mode="r", because a portal that only reads has no dry run'
        )
    return cast('Literal["r", "rw"]', value)


def allowed(value: object) -> Allow:
    """Return the cautions that are accepted: all of them, or a set of their codes.

    Raises `InvalidArgument`, also for a code that no caution has.
    """
    if value is True:
        return True
    if not isinstance(value, AbstractSet):
        raise InvalidArgument("allow", f"must be a set of codes, or True, not {_shown(value)}")
    known = caution_codes()
    for code in value:
        if code not in known:
            raise InvalidArgument(
                "allow",
                f"has {_shown(code)}, which is not the code of a caution",
                hint=_closest(str(code), known),
            )
    return value


def _closest(code: str, known: AbstractSet[str]) -> str:
    """Return a hint: the most similar code of a caution, and where all are listed."""
    from difflib import get_close_matches

    similar = get_close_matches(code, sorted(known), 1, cutoff=0.4)
    every = "liveportal.domain.errors.caution_codes() returns all codes."
    return f"Did you mean {similar[0]}? {every}" if similar else every


def month(name: str, value: object) -> str:
    """Return a month unchanged; raises `InvalidMonth` unless it is `YYYY-MM`."""
    return check_month(of_type(name, value, str, "a month such as 2026-10"))


def aware(name: str, value: object) -> datetime:
    """Return a time unchanged; raises `InvalidArgument` if it has no offset."""
    time = of_type(name, value, datetime, "a datetime")
    if time.utcoffset() is None:
        raise InvalidArgument(
            name, "must be a time with an offset", hint="Give the datetime a tzinfo."
        )
    return time


def day(name: str, value: object) -> date:
    """Return a day unchanged; raises `InvalidArgument`, also for a time."""
    if isinstance(value, datetime):
        raise InvalidArgument(name, f"must be a date, not {_shown(value)}")
    return of_type(name, value, date, "a date")


def known_until(value: object, zone: str) -> datetime:
    """Return an instant; a day, such as `2026-11-01`, is its last microsecond in the zone.

    Raises `InvalidArgument`, and `InvalidTime` for a text that is neither.
    """
    if isinstance(value, datetime):
        return aware("until", value)
    if isinstance(value, date):
        return day_ends(value, zone)
    text = of_type("until", value, str, "a day or a time")
    try:
        if len(text) == _DAY_LENGTH:
            return day_ends(date.fromisoformat(text), zone)
    except ValueError:
        raise InvalidTime(f"{_shown(text)} is not a day, such as 2026-11-01.") from None
    return parse_instant(text)


def words(name: str, values: object) -> list[str]:
    """Return texts as a list; raises `InvalidArgument`, also for a single text."""
    if isinstance(values, str) or not isinstance(values, Collection):
        raise InvalidArgument(name, f"must be a list of strings, not {_shown(values)}")
    return [of_type(name, value, str, "strings") for value in values]


def several(name: str, values: Iterable[T]) -> list[T]:
    """Return what an iterable yields; raises `InvalidArgument` for anything else."""
    given: object = values
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InvalidArgument(name, f"must be an iterable, not {_shown(given)}")
    return list(values)


def events(name: str, values: Iterable[Event]) -> list[Event]:
    """Return events as a list; raises `InvalidArgument` for anything else."""
    given = several(name, values)
    for number, event in enumerate(given, 1):
        check_event(f"{name}, item {number}", event)
    return given


def check_event(name: str, value: object) -> None:
    """Check an event of the caller's own making; raises `InvalidArgument`, which names its field.

    `Event` itself checks nothing: a feed has a million, whose fields are checked as they are read.
    """
    event = of_type(name, value, Event, "an Event (`Portal.event` makes one)")
    of_type(f"{name}, data", event.data, EventData, "the data of an event, such as SessionPaused")
    try:
        NAME.check("source", event.source)
        NAME.check("id", event.id)
        INSTANT.check("time", event.time)
        _check_attributes(name, event.attributes)
    except InvalidEvent as error:
        raise InvalidArgument(name, error.message) from None


def _check_attributes(name: str, attributes: object) -> None:
    """Check that an export can hold the attributes; raises `InvalidArgument`, `InvalidEvent`."""
    if not isinstance(attributes, Mapping):
        raise InvalidArgument(
            name, f"must have a mapping as its attributes, not {_shown(attributes)}"
        )
    if attributes:
        from liveportal.feeds.jsonl import check_attribute  # Few events have any.

        for attribute, value in attributes.items():
            check_attribute(
                of_type(name, attribute, str, "an Event with strings as attribute names"),
                value,
            )


def _shown(value: object) -> str:
    """Return a value for a message, cut to a readable length."""
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004
