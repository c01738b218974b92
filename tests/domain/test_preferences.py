"""Structured preferences: the allowed values, and how unreadable ones are treated."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from liveportal.domain.errors import CurrencyMismatch, InvalidEvent, UnreadablePreference
from liveportal.domain.events.fields import decode, split
from liveportal.domain.events.types import PreferencesChanged, Vacation
from liveportal.domain.schedule.auto_decline import DeclineRule
from liveportal.domain.schedule.preferences import (
    STRUCTURED,
    Notifications,
    changed_preferences,
    parse_error,
    parse_structured,
    with_parts,
)
from liveportal.domain.schedule.working_hours import Availability
from tests.kit.books import Book
from tests.kit.events import amount, event, usd

WHEN = "10-05 08:00"
TIMES_A_DAY = {"mon": ["09:00-12:30"]}
RULE = {"rrule": "FREQ=DAILY", "start": "2026-10-05T09:00", "minutes": 60}
READABLE: dict[str, Any] = {
    "availability": {
        "weekly": TIMES_A_DAY,
        "rules": [RULE],
        "exceptions": [{"date": "2026-12-25", "hours": []}],
    },
    "auto_decline": [
        {"reason": "too little", "kind": "instant", "below_rate": amount("2.50")},
        {"reason": "not mine", "unmatched": True, "customers": ["C-1"], "shorter_than": 15},
        {"reason": "away", "outside_hours": True, "on_vacation": False},
    ],
    "notifications": {"bell": True, "alarms": [15, 0]},
}
UNREADABLE: list[tuple[str, Any, str]] = [
    ("availability", ["@"], "availability"),
    ("availability", {"monday": "9 to 5"}, "availability.monday"),
    ("availability", {"weekly": {"mon": ["9-17"]}}, "availability.weekly.mon[1]"),
    ("availability", {"weekly": None}, "availability.weekly"),
    ("auto_decline", {"reason": "x"}, "auto_decline"),
    ("auto_decline", ["x"], "auto_decline[1]"),
    ("auto_decline", [{"reason": "alone"}], "auto_decline[1].reason"),
    ("auto_decline", [{"instant": True}], "auto_decline[1].instant"),
    ("auto_decline", [{"on_vacation": True}], "auto_decline[1].reason"),
    ("auto_decline", [{"reason": "x", "shorter_than": 0}], "auto_decline[1].shorter_than"),
    ("auto_decline", [{"reason": "x", "below_rate": "2.50"}], "auto_decline[1].below_rate"),
    (
        "auto_decline",
        [{"reason": "x", "below_rate": amount("9" * 19)}],
        "auto_decline[1].below_rate",
    ),
    ("notifications", [], "notifications"),
    ("notifications", {"bell": "loud"}, "notifications.bell"),
    ("notifications", {"alarms": [-1]}, "notifications.alarms[1]"),
    ("notifications", {"alarms": [40_321]}, "notifications.alarms[1]"),
    ("notifications", {"alarms": [1] * 11}, "notifications.alarms"),
]
unreadables = pytest.mark.parametrize(("name", "document", "field"), UNREADABLE)


def test_what_is_readable_is_its_own_value(books: Book) -> None:
    """Each structured preference is read as a value and written back unchanged."""
    flags = books.command("preferences.changed", WHEN, **READABLE).flags
    assert flags == ()
    preferences = {name: parse_structured(name, document) for name, document in READABLE.items()}
    assert isinstance(preferences["availability"], Availability)
    assert preferences["auto_decline"][0] == DeclineRule(
        reason="too little", kind="instant", below_rate=usd("2.50")
    )
    assert preferences["notifications"] == Notifications(bell=True, alarms=(15, 0))
    assert split(preferences["availability"])[0] == READABLE["availability"]
    assert [split(preference)[0] for preference in preferences["auto_decline"]] == READABLE[
        "auto_decline"
    ]
    assert split(preferences["notifications"])[0] == READABLE["notifications"]
    assert not any(parse_error(name, document) for name, document in READABLE.items())


@pytest.mark.parametrize("name", STRUCTURED)
def test_what_is_not_set(name: str) -> None:
    """None is neither a value nor an error."""
    assert parse_structured(name, None) is None
    assert parse_error(name, None) is None


@unreadables
def test_a_feed_may_have_forms_of_its_own(
    books: Book,
    name: str,
    document: Any,  # noqa: ANN401 (JSON)
    field: str,
) -> None:
    """A platform's own format is recorded and flagged; it counts as not set."""
    outcome = books.record("preferences.changed", WHEN, **{name: document})
    assert outcome.flags == (UnreadablePreference.code,)
    assert books.reader().preferences == {name: document}
    assert parse_structured(name, document) is None
    error = parse_error(name, document)
    assert error
    assert error.field == field


@unreadables
def test_a_command_insists_on_what_cannot_be_read(
    books: Book,
    name: str,
    document: Any,  # noqa: ANN401 (JSON)
    field: str,
) -> None:
    """A command is refused, with the field and the way out, which records and flags it."""
    error = books.command_refuses("preferences.changed", WHEN, **{name: document})
    assert isinstance(error, UnreadablePreference)
    assert str(error.hint).startswith("Overriding this records it")
    assert error.details["field"] == field
    reported_event = event("preferences.changed", WHEN, **{name: document})
    outcome = books.journal.record(reported_event, allow={error.code})
    assert outcome.flags == (UnreadablePreference.code,)
    assert books.reader().preferences == {name: document}


def test_several_at_once(books: Book) -> None:
    """Each unreadable one is flagged; the rest of the event applies."""
    outcome = books.record(
        "preferences.changed", WHEN, availability=[], notifications=[], role="artist"
    )
    assert outcome.flags == (UnreadablePreference.code,) * 2
    assert books.reader().preferences["role"] == "artist"


def test_the_rest_stays(books: Book) -> None:
    """Fields that an event does not name keep their values, the attachment limit included."""
    books.record("preferences.changed", WHEN, attachment_limit=500_000_000, **READABLE)
    books.record("preferences.changed", WHEN, notifications={"bell": False})
    stored = books.reader().preferences
    assert stored == {**READABLE, "attachment_limit": 500_000_000, "notifications": {"bell": False}}
    assert books.journal.book.preferences.attachment_limit == 500_000_000


@pytest.mark.parametrize("rate", ["minimum_rate", "direct_rate"])
def test_a_rate_is_of_the_books_currency(books: Book, rate: str) -> None:
    """One book is one currency."""
    error = books.refuses("preferences.changed", WHEN, **{rate: amount("2.00", "EUR")})
    assert isinstance(error, CurrencyMismatch)


def test_nothing_named_and_no_zone(books: Book) -> None:
    """An event names a preference, and a zone that there is."""
    for data in ({}, {"timezone": "Mars/Base"}):
        assert isinstance(books.refuses("preferences.changed", WHEN, **data), InvalidEvent)


# --- changing a part ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("force", "parts", "found"),
    [
        (None, {"weekly": TIMES_A_DAY}, {"weekly": TIMES_A_DAY}),
        (["@"], {"weekly": TIMES_A_DAY}, {"weekly": TIMES_A_DAY}),
        ({"rules": [RULE]}, {"weekly": {}}, {"rules": [RULE], "weekly": {}}),
        ({"rules": [RULE], "weekly": {}}, {"weekly": None}, {"rules": [RULE]}),
        ({"rules": [RULE]}, {"rules": None, "weekly": None}, {}),
        ({"rules": [RULE], "weekly": {}}, {"rules": []}, {"rules": [], "weekly": {}}),
    ],
)
def test_a_part_takes_the_place_of_its_own(force: Any, parts: Any, found: Any) -> None:  # noqa: ANN401 (JSON)
    """The other parts stay as written; nothing of an unreadable value stays."""
    assert with_parts("availability", force, parts) == found


def test_parts_stay_as_they_were_written() -> None:
    """Even the spelling of the other parts is kept."""
    start = {**RULE, "start": "2026-10-05 09:00:00"}
    amended_document = with_parts("availability", {"rules": [start]}, {"exceptions": []})
    assert amended_document == {"rules": [start], "exceptions": []}


def test_what_differs_in_meaning() -> None:
    """Only given fields with another meaning differ, whatever their spelling."""
    force = _preferences(role="artist", skills=["urp"], minimum_rate=amount("2.00"), **READABLE)
    respelt = {**RULE, "start": "2026-10-05 09:00:00"}
    same = {**READABLE["availability"], "rules": [respelt]}
    assert changed_preferences(_preferences(role="artist", availability=same), force) == {}
    assert changed_preferences(PreferencesChanged(), force) == {}
    assert changed_preferences(_preferences(skills=[], minimum_rate=amount("2.01")), force) == {
        "skills": (),
        "minimum_rate": usd("2.01"),
    }
    assert changed_preferences(_preferences(availability={}), force) == {"availability": {}}
    away = Vacation(start=date(2026, 12, 24), end=date(2026, 12, 24))
    assert changed_preferences(PreferencesChanged(vacations=(away,)), force) == {
        "vacations": (away,)
    }


def test_what_replaces_the_unreadable_differs() -> None:
    """A value that counts as not set is replaced by any readable one."""
    force = _preferences(notifications=[], availability=["@"])
    given = _preferences(notifications={}, availability={})
    assert changed_preferences(given, force) == {"notifications": {}, "availability": {}}


def _preferences(**data: Any) -> PreferencesChanged:  # noqa: ANN401 (JSON)
    decoded: PreferencesChanged = decode(PreferencesChanged, data)
    return decoded
