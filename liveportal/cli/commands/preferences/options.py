"""The options of `preferences set`, and the event that they are recorded as."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from liveportal.cli.completion import preferences, zones
from liveportal.cli.options import Options, options_in
from liveportal.cli.parse.availability_syntax import (
    read_declining,
    read_exceptions,
    read_hours,
    read_recurring,
    read_size,
    read_vacation,
)
from liveportal.cli.write_command import Writer
from liveportal.domain.errors import InvalidValue, UnknownEntity
from liveportal.domain.events.types import Buffers, PreferencesChanged
from liveportal.domain.frozen import frozen
from liveportal.domain.handlers.requests import check_currency
from liveportal.domain.money import Money
from liveportal.domain.schedule.preferences import parse_error, with_parts

_skills_option = options_in("Rates and skills")
_time_option = options_in("Time")
_answers_option = options_in("Requests, sessions and files")

Texts = list[str] | None


@frozen
class Preferences(Options):
    """The new values of preferences; None leaves one unchanged."""

    skill: Annotated[
        Texts,
        _skills_option(
            "--skill", help="Your skills, all; repeatable.", autocompletion=preferences("skills")
        ),
    ] = None
    add_skill: Annotated[Texts, _skills_option("--add-skill", help="A skill more; repeatable.")] = (
        None
    )
    remove_skill: Annotated[
        Texts,
        _skills_option(
            "--remove-skill",
            help="A skill less; repeatable.",
            autocompletion=preferences("skills"),
        ),
    ] = None
    language: Annotated[
        Texts,
        _skills_option(
            "--language",
            help="Your languages, all; repeatable.",
            autocompletion=preferences("languages"),
        ),
    ] = None
    add_language: Annotated[
        Texts, _skills_option("--add-language", help="A language more; repeatable.")
    ] = None
    remove_language: Annotated[
        Texts,
        _skills_option(
            "--remove-language",
            help="A language less; repeatable.",
            autocompletion=preferences("languages"),
        ),
    ] = None
    minimum_rate: Annotated[
        str | None,
        _skills_option("--minimum-rate", metavar="AMOUNT", help="The least a minute should pay."),
    ] = None
    direct_rate: Annotated[
        str | None,
        _skills_option("--direct-rate", metavar="AMOUNT", help="For customers who book you."),
    ] = None
    experience_years: Annotated[
        int | None, _skills_option("--experience-years", min=0, max=100, help="Years in the field.")
    ] = None
    role: Annotated[str | None, _skills_option("--role", help="What you are.")] = None
    verification: Annotated[
        str | None, _skills_option("--verification", help="As the platform has it.")
    ] = None
    zone: Annotated[
        str | None,
        _time_option(
            "--zone",
            metavar="ZONE",
            help="Your time zone, such as Europe/Paris.",
            autocompletion=zones,
        ),
    ] = None
    hours: Annotated[
        Texts,
        _time_option(
            "--hours",
            metavar="DAYS HOURS",
            help="Your usual week, all of it: 'mon-fri 09:00-12:30 13:30-18:00'; repeatable.",
        ),
    ] = None
    recurring: Annotated[
        Texts,
        _time_option(
            "--recurring",
            metavar="RULE from START for LENGTH",
            help="Hours by rules (RFC 5545), all of them:"
            " 'FREQ=WEEKLY;INTERVAL=2;BYDAY=SA from 2026-10-03 10:00 for 3h'; repeatable.",
        ),
    ] = None
    exception: Annotated[
        Texts,
        _time_option(
            "--except",
            metavar="DAY[..DAY] [HOURS]",
            help="Days with other hours, or none, all of them: '2026-12-24 09:00-12:00';"
            " repeatable.",
        ),
    ] = None
    vacation: Annotated[
        Texts,
        _time_option(
            "--vacation",
            metavar="FIRST..LAST",
            help="Your vacations, all: 2026-12-24..2027-01-02; repeatable.",
        ),
    ] = None
    buffer_before: Annotated[
        int | None, _time_option("--buffer-before", min=0, max=1440, help="Minutes kept free.")
    ] = None
    buffer_after: Annotated[
        int | None, _time_option("--buffer-after", min=0, max=1440, help="Minutes kept free.")
    ] = None
    auto_decline: Annotated[
        Texts,
        _answers_option(
            "--auto-decline",
            metavar="CONDITIONS: REASON",
            help="What to decline by itself, all rules: 'below 2.50 and instant: too little'. Also"
            " scheduled, not my skills, outside my hours, on vacation, shorter than MINUTES,"
            " customer ID; repeatable.",
        ),
    ] = None
    bell: Annotated[
        bool | None, _answers_option("--bell/--no-bell", help="Ring for new requests.")
    ] = None
    alarm: Annotated[
        Texts,
        _answers_option(
            "--alarm",
            metavar="MINUTES",
            help="Minutes before a session, for calendars; all of them; repeatable.",
        ),
    ] = None
    attachment_limit: Annotated[
        str | None,
        _answers_option(
            "--attachment-limit", metavar="SIZE", help="The largest file to attach, such as 500MB."
        ),
    ] = None

    def event(self, writer: Writer, in_force: Mapping[str, Any]) -> PreferencesChanged:
        """Build the event that sets the given preferences and keeps other parts of `in_force`.

        Raises `InvalidValue`, `InvalidAmount`, `InvalidEvent`, `UnknownEntity`.
        """
        return PreferencesChanged(
            verification=self.verification,
            role=self.role,
            skills=_edit_list(
                "skill", in_force.get("skills"), self.skill, self.add_skill, self.remove_skill
            ),
            languages=_edit_list(
                "language",
                in_force.get("languages"),
                self.language,
                self.add_language,
                self.remove_language,
            ),
            experience_years=self.experience_years,
            minimum_rate=_parse_amount(writer, self.minimum_rate),
            direct_rate=_parse_amount(writer, self.direct_rate),
            timezone=self.zone,
            availability=self._availability(in_force.get("availability")),
            buffers=self._buffers(in_force.get("buffers") or {}),
            vacations=None
            if self.vacation is None
            else tuple(map(read_vacation, _non_empty(self.vacation))),
            auto_decline=self._auto_decline(writer),
            notifications=self._notifications(in_force.get("notifications")),
            attachment_limit=None
            if self.attachment_limit is None
            else read_size(self.attachment_limit),
        )

    def _availability(self, in_force: object) -> dict[str, Any] | None:
        parts: dict[str, object] = {}
        if self.hours is not None:
            parts["weekly"] = read_hours(_non_empty(self.hours)) or None
        if self.recurring is not None:
            parts["rules"] = [read_recurring(text) for text in _non_empty(self.recurring)] or None
        if self.exception is not None:
            parts["exceptions"] = read_exceptions(_non_empty(self.exception)) or None
        return (
            _check_document("availability", with_parts("availability", in_force, parts))
            if parts
            else None
        )

    def _notifications(self, in_force: object) -> dict[str, Any] | None:
        parts: dict[str, object] = {}
        if self.bell is not None:
            parts["bell"] = self.bell
        if self.alarm is not None:
            parts["alarms"] = [_parse_minutes(text) for text in _non_empty(self.alarm)] or None
        return (
            _check_document("notifications", with_parts("notifications", in_force, parts))
            if parts
            else None
        )

    def _auto_decline(self, writer: Writer) -> list[dict[str, Any]] | None:
        if self.auto_decline is None:
            return None
        return [
            read_declining(text, lambda words: _parse_own_amount(writer, words))
            for text in _non_empty(self.auto_decline)
        ]

    def _buffers(self, in_force: Mapping[str, int]) -> Buffers | None:
        before, after = self.buffer_before, self.buffer_after
        if before is None and after is None:
            return None
        return Buffers(
            before=in_force.get("before") if before is None else before,
            after=in_force.get("after") if after is None else after,
        )


def _non_empty(texts: Iterable[str]) -> list[str]:
    """Return the non-empty texts; a single empty text thus clears a preference."""
    return [text.strip() for text in texts if text.strip()]


def _edit_list(
    what: str, in_force: list[str] | None, all_: Texts, more: Texts, less: Texts
) -> tuple[str, ...] | None:
    """Return the new list: `all_`, or else the one in force; plus `more`, minus `less`."""
    if all_ is None and more is None and less is None:
        return None
    items = [*(in_force or ())] if all_ is None else _non_empty(all_)
    for text in _non_empty(more or ()):
        if text.casefold() not in map(str.casefold, items):
            items.append(text)
    for text in _non_empty(less or ()):
        left = [item for item in items if item.casefold() != text.casefold()]
        if len(left) == len(items):
            raise UnknownEntity(
                f"There is no {what} {text!r} in your preferences.",
                hint="`liveportal preferences show` lists what is set.",
            )
        items = left
    return tuple(items)


def _check_document(name: str, document: dict[str, Any]) -> dict[str, Any]:
    """Refuse a document that is invalid, such as one with too many rules or too early an alarm."""
    if error := parse_error(name, document):
        raise error
    return document


def _parse_amount(writer: Writer, text: str | None) -> Money | None:
    return None if text is None else writer.amount(text)


def _parse_own_amount(writer: Writer, text: str) -> Money:
    """Parse an amount in the ledger's currency."""
    amount = writer.amount(text)
    check_currency(amount, writer.reader.policy)
    return amount


def _parse_minutes(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text, re.ASCII):
        raise InvalidValue(
            f"{text[:40]!r} is not a number of minutes.",
            hint="Write it like --alarm 15 --alarm 60.",
        )
    return int(text)
