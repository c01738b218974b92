"""Preferences as they are shown: as they were recorded, and told to a person in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from functools import partial
from itertools import groupby, islice
from typing import Any

from liveportal.cli.io.view_model import HumanValue, Row
from liveportal.cli.parse.availability_syntax import (
    declining_words,
    exception_words,
    hours_words,
    rule_words,
    size_words,
)
from liveportal.domain.handlers.preferences import STRUCTURED, Notifications, structured, unreadable
from liveportal.domain.schedule.working_hours import (
    WEEKDAYS,
    Availability,
    next_starts,
    open_this_week,
)

ADDED_FIELDS = ("hours", "recurring", "exceptions", "declines", "open_this_week", "unreadable")
"""What `show` has besides the preferences themselves."""

_SHOWN_STARTS = 3
_TIME_AT = len("2026-10-05 ")


def worded(row: Row, moment: datetime, zone_name: str) -> dict[str, object]:
    """Give the preferences that are hard to read the words that a person is told instead."""
    tellers: dict[str, Callable[[Any, tzinfo | None], Sequence[str]]] = {
        "availability": partial(_availability_lines, moment=moment, zone_name=zone_name),
        "auto_decline": lambda rules, _: [declining_words(rule) for rule in rules],
        "notifications": lambda told, _: _notification_lines(told),
        "buffers": lambda buffers, _: _buffer_lines(buffers),
        "attachment_limit": lambda size, _: [size_words(size)],
    }
    return {
        name: HumanValue(value, partial(_lines, name, value, tellers[name]))
        if name in tellers and value is not None
        else value
        for name, value in row.items()
    }


def added(row: Row, moment: datetime, zone_name: str) -> dict[str, object]:
    """Return the words of the preferences, the hours of this week, and what cannot be read.

    Words are as options take them; None stands for what is not set, or unreadable.
    """
    availability: Availability | None = structured("availability", row["availability"])
    declines = structured("auto_decline", row["auto_decline"])
    found: dict[str, object] = dict.fromkeys(ADDED_FIELDS)
    if availability:
        spans = open_this_week(availability, moment, zone_name)
        week = [{"start": since, "end": until} for since, until in spans]
        found |= {
            "hours": hours_words(availability.weekly) if availability.weekly else None,
            "recurring": _recurring(availability, moment, zone_name),
            "exceptions": exception_words(availability.exceptions or ()),
            "open_this_week": HumanValue(week, partial(_week_lines, week)),
        }
    if declines is not None:
        found["declines"] = [declining_words(rule) for rule in declines]
    found["unreadable"] = [name for name in STRUCTURED if unreadable(name, row[name])]
    return found


def _recurring(
    availability: Availability, moment: datetime, zone_name: str
) -> list[dict[str, object]]:
    """Tell the rules, and when they come next."""
    return [
        {
            "rule": rule_words(rule),
            "next": [*islice(next_starts(availability, rule, moment, zone_name), _SHOWN_STARTS)],
        }
        for rule in availability.rules or ()
    ]


# --- what a person is told --------------------------------------------------------------------


def _lines(
    name: str,
    value: object,
    tell: Callable[[Any, tzinfo | None], Sequence[str]],
    _now: datetime,
    local: tzinfo | None,
) -> Sequence[str]:
    if name not in STRUCTURED:
        return tell(value, local)
    if error := unreadable(name, value):
        return [f"counts as not set: {error.message}"]
    return tell(structured(name, value), local) or ["none"]


def _availability_lines(
    availability: Availability, local: tzinfo | None, *, moment: datetime, zone_name: str
) -> list[str]:
    from liveportal.cli.io.rich_output import format_local_time

    lines = hours_words(availability.weekly) if availability.weekly else []
    if availability.weekly is None and not availability.rules:
        lines.append("always")
    for each in availability.rules or ():
        starts = islice(next_starts(availability, each, moment, zone_name), _SHOWN_STARTS)
        following = ", ".join(format_local_time(start, local) for start in starts) or "never again"
        lines += [rule_words(each), f"  next: {following}"]
    for words in exception_words(availability.exceptions or ()):
        lines.append(words if " " in words else f"{words} none")
    return lines


def _notification_lines(told: Notifications) -> list[str]:
    bell = {True: ["the bell rings"], False: ["no bell"], None: []}[told.bell]
    alarms = ", ".join(str(minutes) for minutes in told.alarms or ())
    return [*bell, *([f"alarms {alarms} min before a session"] if alarms else [])]


def _buffer_lines(buffers: Mapping[str, int]) -> list[str]:
    said = (f"{minutes} min {side}" for side, minutes in buffers.items())
    return [", ".join(said)]


def _week_lines(
    week: Sequence[Mapping[str, datetime]], _now: datetime, local: tzinfo | None
) -> list[str]:
    """Tell the hours of a week, a day a line."""
    from liveportal.cli.io.rich_output import format_local_time

    spans = [
        (format_local_time(each["start"], local), format_local_time(each["end"], local))
        for each in week
    ]
    lines = []
    for day, here in groupby(spans, lambda span: span[0][: _TIME_AT - 1]):
        hours = "  ".join(_span_words(start, end) for start, end in here)
        lines.append(f"{WEEKDAYS[date.fromisoformat(day).weekday()]} {day}  {hours}")
    return lines or ["none"]


def _span_words(start: str, end: str) -> str:
    """Tell a span by its local times, the end's day only where nobody would guess it."""
    days = date.fromisoformat(end[:10]).toordinal() - date.fromisoformat(start[:10]).toordinal()
    since, until = start[_TIME_AT:], end[_TIME_AT:]
    if days == 1 and until == "00:00":
        return f"{since}-24:00"
    if days == 0 or (days == 1 and until <= since):
        return f"{since}-{until}"
    return f"{since} to {end}"
