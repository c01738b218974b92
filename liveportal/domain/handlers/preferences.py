"""Changes of the expert's preferences, and their validation.

A structured preference in another format than ours is recorded and flagged if a feed reports it;
a command is refused.
"""

from __future__ import annotations

from dataclasses import fields, replace

from liveportal.domain.clock import zone
from liveportal.domain.errors import Caution, InvalidEvent, InvalidValue, UnreadablePreference
from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.handlers.context import Decision, Rule, RuleContext
from liveportal.domain.handlers.requests import rate_cautions
from liveportal.domain.hint import Hint
from liveportal.domain.schedule.preferences import STRUCTURED, parse_error


def on_preferences_changed(
    data: PreferencesChanged, event: Event, context: RuleContext
) -> Decision:
    """Change the expert's preferences; those not given are unchanged."""
    cautions: list[Caution] = []
    for rate in (data.minimum_rate, data.direct_rate):
        if rate is not None:
            cautions += rate_cautions(rate, context.policy)
    if data.timezone is not None:
        try:
            zone(data.timezone)
        except InvalidValue as error:
            raise InvalidEvent("timezone", error.message) from None
    given = {
        part.name: value for part in fields(data) if (value := getattr(data, part.name)) is not None
    }
    if not given:
        raise InvalidEvent("data", "must have at least one preference")
    cautions += [
        caution for name in STRUCTURED if (caution := _unreadable_caution(name, given.get(name)))
    ]
    return Decision(entities=(replace(context.preferences, **given),), cautions=tuple(cautions))


def _unreadable_caution(name: str, document: object) -> Caution | None:
    error = parse_error(name, document)
    if error is None:
        return None
    return UnreadablePreference(
        error.message,
        hint=Hint("{Overriding_this} records it as it is, but it does not apply then."),
        field=error.field,
    )


RULES: dict[type[EventData], Rule] = {PreferencesChanged: on_preferences_changed}
