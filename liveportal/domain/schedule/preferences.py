"""The meaning of the structured preferences: hours, rules that decline, and notifications.

`availability`, `auto_decline` and `notifications` are stored as they were given, since a platform
may use formats of its own. A preference that cannot be parsed counts as not set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from liveportal.domain.errors import InvalidEvent, LiveportalError
from liveportal.domain.events.envelope import event_data
from liveportal.domain.events.field_types import BOOLEAN, Integer, ListOf
from liveportal.domain.events.fields import EventRecord, decode, field_specs, of
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.schedule.auto_decline import DeclineRule
from liveportal.domain.schedule.working_hours import Availability

LONGEST_ALARM = 4 * 7 * 24 * 60


@event_data
class Notifications(EventRecord):
    """How the expert is notified."""

    bell: bool | None = of(
        BOOLEAN, default=None, doc="Whether a new request that is watched for rings the bell."
    )
    alarms: tuple[int, ...] | None = of(
        ListOf(Integer(0, LONGEST_ALARM), 0, 10),
        default=None,
        doc="Minutes before a session at which a calendar reminds the expert.",
    )


def read_availability(document: Any) -> Availability:  # noqa: ANN401 (a JSON document)
    """Parse the `availability` preference; raises `InvalidEvent` with the invalid field."""
    return decode(Availability, document, "availability")  # type: ignore[no-any-return]


def read_auto_decline(document: Any) -> tuple[DeclineRule, ...]:  # noqa: ANN401 (a JSON document)
    """Parse the rules that decline requests automatically; raises `InvalidEvent`."""
    if not isinstance(document, list):
        raise InvalidEvent("auto_decline", "must be a list of rules")
    return tuple(
        decode(DeclineRule, rule, f"auto_decline[{number}]")
        for number, rule in enumerate(document, 1)
    )


def read_notifications(document: Any) -> Notifications:  # noqa: ANN401 (a JSON document)
    """Parse the `notifications` preference; raises `InvalidEvent`."""
    return decode(Notifications, document, "notifications")  # type: ignore[no-any-return]


STRUCTURED: Mapping[str, Callable[[Any], Any]] = {
    "availability": read_availability,
    "auto_decline": read_auto_decline,
    "notifications": read_notifications,
}
"""The parser of each structured preference."""


def parse_structured(name: str, document: object) -> Any:  # noqa: ANN401 (the parser's result)
    """Parse a structured preference; None if it is not set or cannot be parsed."""
    if document is None:
        return None
    try:
        return STRUCTURED[name](document)
    except LiveportalError:
        return None


def parse_error(name: str, document: object) -> InvalidEvent | None:
    """Return the error in a structured preference; None if it is not set, or valid."""
    if document is None:
        return None
    try:
        STRUCTURED[name](document)
    except LiveportalError as error:
        field = str(error.details.get("field") or name)
        return error if isinstance(error, InvalidEvent) else InvalidEvent(field, error.message)
    return None


def with_parts(name: str, document: object, parts: Mapping[str, object]) -> dict[str, Any]:
    """Return a structured preference with these parts replaced; a part set to None is removed.

    The other parts are kept as written. If the preference cannot be parsed, nothing is kept.
    """
    kept = document if parse_structured(name, document) is not None else {}
    assert isinstance(kept, dict)  # noqa: S101 (all preferences with parts are objects)
    return {part: value for part, value in {**kept, **parts}.items() if value is not None}


def changed_preferences(given: PreferencesChanged, in_force: PreferencesChanged) -> dict[str, Any]:
    """Return the given preferences whose meaning differs from the ones in force."""
    return {
        name: value
        for name, *_ in field_specs(PreferencesChanged)
        if (value := getattr(given, name)) is not None
        and _parsed_value(name, value) != _parsed_value(name, getattr(in_force, name))
    }


def _parsed_value(name: str, value: object) -> object:
    return parse_structured(name, value) if name in STRUCTURED else value
