"""Preferences for output: the recorded values, which a terminal shows in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from functools import partial
from itertools import groupby, islice
from typing import Any

from liveportal.cli.io.view_model import HumanValue
from liveportal.cli.parse.availability_syntax import (
    declining_words,
    exception_words,
    hours_words,
    rule_words,
    size_words,
)
from liveportal.domain.row import Row, columns, row
from liveportal.domain.schedule.preferences import (
    STRUCTURED,
    Notifications,
    parse_error,
    parse_structured,
)
from liveportal.domain.schedule.working_hours import (
    WEEKDAYS,
    Availability,
    next_starts,
    open_this_week,
)
from liveportal.ledger.queries.ledger_info import PreferencesRow


@row
class RecurringHours(Row):
    """Recurring hours in words, with their next starts."""

    rule: str
    next: list[datetime]


@row
class OpenHours(Row):
    """A span in which the expert is available."""

    start: datetime
    end: datetime


@row
class PreferencesDetail(PreferencesRow):
    """The preferences, also in the syntax of their options.

    `unreadable` names those with an unknown form; they count as not set.
    """

    hours: list[str] | None
    recurring: list[RecurringHours] | None
    exceptions: list[str] | None
    declines: list[str] | None
    open_this_week: list[OpenHours] | None
    unreadable: list[str]


_SHOWN_STARTS = 3
_TIME_OFFSET = len("2026-10-05 ")


def human_preferences(
    preferences: PreferencesRow, now: datetime, zone_name: str
) -> dict[str, object]:
    """Return the preferences; a terminal shows the structured ones in words."""
    formatters: dict[str, Callable[[Any, tzinfo | None], Sequence[str]]] = {
        "availability": partial(_availability_lines, now=now, zone_name=zone_name),
        "auto_decline": lambda rules, _: [declining_words(rule) for rule in rules],
        "notifications": lambda notifications, _: _notification_lines(notifications),
        "buffers": lambda buffers, _: _buffer_lines(buffers),
        "attachment_limit": lambda size, _: [size_words(size)],
    }
    return {
        name: HumanValue(value, partial(_lines, name, value, formatters[name]))
        if name in formatters and value is not None
        else value
        for name, value in preferences.items()
    }


def added_fields(preferences: PreferencesRow, now: datetime, zone_name: str) -> dict[str, object]:
    """Return preferences in the syntax of their options, this week's hours, and invalid fields.

    None means that a preference is not set or is invalid.
    """
    availability: Availability | None = parse_structured("availability", preferences.availability)
    declines = parse_structured("auto_decline", preferences.auto_decline)
    fields: dict[str, object] = dict.fromkeys(set(columns(PreferencesDetail)) - set(preferences))
    if availability:
        spans = open_this_week(availability, now, zone_name)
        week = [OpenHours(start=since, end=until) for since, until in spans]
        fields |= {
            "hours": hours_words(availability.weekly) if availability.weekly else None,
            "recurring": _recurring_hours(availability, now, zone_name),
            "exceptions": exception_words(availability.exceptions or ()),
            "open_this_week": HumanValue(week, partial(_week_lines, week)),
        }
    if declines is not None:
        fields["declines"] = [declining_words(rule) for rule in declines]
    fields["unreadable"] = [name for name in STRUCTURED if parse_error(name, preferences[name])]
    return fields


def _recurring_hours(
    availability: Availability, now: datetime, zone_name: str
) -> list[RecurringHours]:
    return [
        RecurringHours(
            rule=rule_words(rule),
            next=[*islice(next_starts(availability, rule, now, zone_name), _SHOWN_STARTS)],
        )
        for rule in availability.rules or ()
    ]


# --- words for a terminal -----------------------------------------------------------------------


def _lines(
    name: str,
    value: object,
    format_value: Callable[[Any, tzinfo | None], Sequence[str]],
    _now: datetime,
    local: tzinfo | None,
) -> Sequence[str]:
    if name not in STRUCTURED:
        return format_value(value, local)
    if error := parse_error(name, value):
        return [f"counts as not set: {error.message}"]
    return format_value(parse_structured(name, value), local) or ["none"]


def _availability_lines(
    availability: Availability, local: tzinfo | None, *, now: datetime, zone_name: str
) -> list[str]:
    from liveportal.cli.io.rich_output import format_local_time

    lines = hours_words(availability.weekly) if availability.weekly else []
    if availability.weekly is None and not availability.rules:
        lines.append("always")
    for rule in availability.rules or ():
        starts = islice(next_starts(availability, rule, now, zone_name), _SHOWN_STARTS)
        next_starts_text = (
            ", ".join(format_local_time(start, local) for start in starts) or "never again"
        )
        lines += [rule_words(rule), f"  next: {next_starts_text}"]
    for words in exception_words(availability.exceptions or ()):
        lines.append(words if " " in words else f"{words} none")
    return lines


def _notification_lines(notifications: Notifications) -> list[str]:
    bell = {True: ["bell for new requests"], False: ["no bell"], None: []}[notifications.bell]
    alarms = ", ".join(str(minutes) for minutes in notifications.alarms or ())
    return [*bell, *([f"calendar reminders {alarms} min before a session"] if alarms else [])]


def _buffer_lines(buffers: Mapping[str, int]) -> list[str]:
    parts = (f"{minutes} min {side}" for side, minutes in buffers.items())
    return [", ".join(parts)]


def _week_lines(week: Sequence[OpenHours], _now: datetime, local: tzinfo | None) -> list[str]:
    """Format the hours of a week, one line per day."""
    from liveportal.cli.io.rich_output import format_local_time

    spans = [
        (format_local_time(span.start, local), format_local_time(span.end, local)) for span in week
    ]
    lines = []
    for day, day_spans in groupby(spans, lambda span: span[0][: _TIME_OFFSET - 1]):
        hours = "  ".join(_span_words(start, end) for start, end in day_spans)
        lines.append(f"{WEEKDAYS[date.fromisoformat(day).weekday()]} {day}  {hours}")
    return lines or ["none"]


def _span_words(start: str, end: str) -> str:
    """Format a span of local times; the end's day is given only if it is not obvious."""
    days = date.fromisoformat(end[:10]).toordinal() - date.fromisoformat(start[:10]).toordinal()
    since, until = start[_TIME_OFFSET:], end[_TIME_OFFSET:]
    if days == 1 and until == "00:00":
        return f"{since}-24:00"
    if days == 0 or (days == 1 and until <= since):
        return f"{since}-{until}"
    return f"{since} to {end}"
