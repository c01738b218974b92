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
            "--skill",
            metavar="SKILL",
            help="Set your skills; repeatable.",
            autocompletion=preferences("skills"),
        ),
    ] = None
    add_skill: Annotated[
        Texts, _skills_option("--add-skill", metavar="SKILL", help="Add a skill; repeatable.")
    ] = None
    remove_skill: Annotated[
        Texts,
        _skills_option(
            "--remove-skill",
            metavar="SKILL",
            help="Remove a skill; repeatable.",
            autocompletion=preferences("skills"),
        ),
    ] = None
    language: Annotated[
        Texts,
        _skills_option(
            "--language",
            metavar="CODE",
            help="Set your languages; repeatable.",
            autocompletion=preferences("languages"),
        ),
    ] = None
    add_language: Annotated[
        Texts, _skills_option("--add-language", metavar="CODE", help="Add a language; repeatable.")
    ] = None
    remove_language: Annotated[
        Texts,
        _skills_option(
            "--remove-language",
            metavar="CODE",
            help="Remove a language; repeatable.",
            autocompletion=preferences("languages"),
        ),
    ] = None
    minimum_rate: Annotated[
        str | None,
        _skills_option(
            "--minimum-rate",
            metavar="AMOUNT",
            help="Match instant requests that pay at least this.",
        ),
    ] = None
    direct_rate: Annotated[
        str | None,
        _skills_option(
            "--direct-rate",
            metavar="AMOUNT",
            help="Set your rate for customers who book you directly.",
        ),
    ] = None
    experience_years: Annotated[
        int | None,
        _skills_option(
            "--experience-years", min=0, max=100, metavar="N", help="Set your years of experience."
        ),
    ] = None
    role: Annotated[
        str | None,
        _skills_option("--role", metavar="TEXT", help="Set your role, such as technical artist."),
    ] = None
    verification: Annotated[
        str | None,
        _skills_option(
            "--verification", metavar="TEXT", help="Set your verification level on the platform."
        ),
    ] = None
    zone: Annotated[
        str | None,
        _time_option(
            "--zone",
            metavar="ZONE",
            help="Set your time zone, such as Europe/Paris.",
            autocompletion=zones,
        ),
    ] = None
    hours: Annotated[
        Texts,
        _time_option(
            "--hours",
            metavar="HOURS",
            help="Set weekly hours: 'mon-fri 9:00-17:00'; repeatable.",
        ),
    ] = None
    recurring: Annotated[
        Texts,
        _time_option(
            "--recurring",
            metavar="RULE",
            help="Set recurring hours (see above); repeatable.",
        ),
    ] = None
    exception: Annotated[
        Texts,
        _time_option(
            "--except",
            metavar="DAYS",
            help="Set exceptions: '2026-12-24 9-12'; repeatable.",
        ),
    ] = None
    vacation: Annotated[
        Texts,
        _time_option(
            "--vacation",
            metavar="DAYS",
            help="Set vacations: 2026-12-24..2027-01-02; repeatable.",
        ),
    ] = None
    buffer_before: Annotated[
        int | None,
        _time_option(
            "--buffer-before",
            min=0,
            max=1440,
            metavar="MINUTES",
            help="Keep this time free before each session.",
        ),
    ] = None
    buffer_after: Annotated[
        int | None,
        _time_option(
            "--buffer-after",
            min=0,
            max=1440,
            metavar="MINUTES",
            help="Keep this time free after each session.",
        ),
    ] = None
    auto_decline: Annotated[
        Texts,
        _answers_option(
            "--auto-decline",
            metavar="RULE",
            help="Decline requests by rules (see above); repeatable.",
        ),
    ] = None
    bell: Annotated[
        bool | None, _answers_option("--bell/--no-bell", help="Ring the bell for new requests.")
    ] = None
    alarm: Annotated[
        Texts,
        _answers_option(
            "--alarm",
            metavar="MINUTES",
            help="Remind in calendars before each session; repeatable.",
        ),
    ] = None
    attachment_limit: Annotated[
        str | None,
        _answers_option(
            "--attachment-limit", metavar="SIZE", help="Refuse larger files, such as 500MB."
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
