"""The options of `preferences set`, and the one event that they make."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from liveportal.cli.options import Options
from liveportal.cli.parse.availability_syntax import (
    read_declining,
    read_exceptions,
    read_hours,
    read_recurring,
    read_size,
    read_vacation,
)
from liveportal.cli.write_command import Writer
from liveportal.domain.errors import InvalidValue, UnknownThing
from liveportal.domain.events.types import Buffers, PreferencesChanged
from liveportal.domain.handlers.preferences import amended, unreadable
from liveportal.domain.handlers.requests import check_currency
from liveportal.domain.money import Money
from liveportal.domain.values import dataclass

SKILLS = "Rates and skills"
TIME = "Time"
ANSWERS = "Requests, sessions and files"

Texts = list[str] | None


@dataclass(frozen=True)
class Preferences(Options):
    """Whatever a preference can be set to; None: it stays as it is."""

    skill: Annotated[
        Texts,
        typer.Option("--skill", help="Your skills, all; repeatable.", rich_help_panel=SKILLS),
    ] = None
    add_skill: Annotated[
        Texts,
        typer.Option("--add-skill", help="A skill more; repeatable.", rich_help_panel=SKILLS),
    ] = None
    remove_skill: Annotated[
        Texts,
        typer.Option("--remove-skill", help="A skill less; repeatable.", rich_help_panel=SKILLS),
    ] = None
    language: Annotated[
        Texts,
        typer.Option("--language", help="Your languages, all; repeatable.", rich_help_panel=SKILLS),
    ] = None
    add_language: Annotated[
        Texts,
        typer.Option("--add-language", help="A language more; repeatable.", rich_help_panel=SKILLS),
    ] = None
    remove_language: Annotated[
        Texts,
        typer.Option(
            "--remove-language", help="A language less; repeatable.", rich_help_panel=SKILLS
        ),
    ] = None
    minimum_rate: Annotated[
        str | None,
        typer.Option(
            "--minimum-rate",
            metavar="AMOUNT",
            help="The least a minute should pay.",
            rich_help_panel=SKILLS,
        ),
    ] = None
    direct_rate: Annotated[
        str | None,
        typer.Option(
            "--direct-rate",
            metavar="AMOUNT",
            help="For customers who book you.",
            rich_help_panel=SKILLS,
        ),
    ] = None
    experience_years: Annotated[
        int | None,
        typer.Option(
            "--experience-years",
            min=0,
            max=100,
            help="Years in the field.",
            rich_help_panel=SKILLS,
        ),
    ] = None
    role: Annotated[
        str | None, typer.Option("--role", help="What you are.", rich_help_panel=SKILLS)
    ] = None
    verification: Annotated[
        str | None,
        typer.Option("--verification", help="As the platform has it.", rich_help_panel=SKILLS),
    ] = None
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone",
            metavar="ZONE",
            help="Your time zone, such as Europe/Paris.",
            rich_help_panel=TIME,
        ),
    ] = None
    hours: Annotated[
        Texts,
        typer.Option(
            "--hours",
            metavar="DAYS HOURS",
            help="Your usual week, all of it: 'mon-fri 09:00-12:30 13:30-18:00'; repeatable.",
            rich_help_panel=TIME,
        ),
    ] = None
    recurring: Annotated[
        Texts,
        typer.Option(
            "--recurring",
            metavar="RULE from START for LENGTH",
            help="Hours by rules (RFC 5545), all of them:"
            " 'FREQ=WEEKLY;INTERVAL=2;BYDAY=SA from 2026-10-03 10:00 for 3h'; repeatable.",
            rich_help_panel=TIME,
        ),
    ] = None
    exception: Annotated[
        Texts,
        typer.Option(
            "--except",
            metavar="DAY[..DAY] [HOURS]",
            help="Days with other hours, or none, all of them: '2026-12-24 09:00-12:00';"
            " repeatable.",
            rich_help_panel=TIME,
        ),
    ] = None
    vacation: Annotated[
        Texts,
        typer.Option(
            "--vacation",
            metavar="FIRST..LAST",
            help="Your vacations, all: 2026-12-24..2027-01-02; repeatable.",
            rich_help_panel=TIME,
        ),
    ] = None
    buffer_before: Annotated[
        int | None,
        typer.Option(
            "--buffer-before", min=0, max=1440, help="Minutes kept free.", rich_help_panel=TIME
        ),
    ] = None
    buffer_after: Annotated[
        int | None,
        typer.Option(
            "--buffer-after", min=0, max=1440, help="Minutes kept free.", rich_help_panel=TIME
        ),
    ] = None
    auto_decline: Annotated[
        Texts,
        typer.Option(
            "--auto-decline",
            metavar="CONDITIONS: REASON",
            help="What to decline by itself, all rules: 'below 2.50 and instant: too little'. Also"
            " scheduled, not my skills, outside my hours, on vacation, shorter than MINUTES,"
            " customer ID; repeatable.",
            rich_help_panel=ANSWERS,
        ),
    ] = None
    bell: Annotated[
        bool | None,
        typer.Option("--bell/--no-bell", help="Ring for new requests.", rich_help_panel=ANSWERS),
    ] = None
    alarm: Annotated[
        Texts,
        typer.Option(
            "--alarm",
            metavar="MINUTES",
            help="Minutes before a session, for calendars; all of them; repeatable.",
            rich_help_panel=ANSWERS,
        ),
    ] = None
    attachment_limit: Annotated[
        str | None,
        typer.Option(
            "--attachment-limit",
            metavar="SIZE",
            help="The largest file to attach, such as 500MB.",
            rich_help_panel=ANSWERS,
        ),
    ] = None

    def event(self, writer: Writer, force: Mapping[str, Any]) -> PreferencesChanged:
        """Make the event that sets what was given, with the rest as the document in force has it.

        Raises `InvalidValue`, `InvalidAmount`, `InvalidEvent`, `UnknownThing`.
        """
        return PreferencesChanged(
            verification=self.verification,
            role=self.role,
            skills=_listed(
                "skill", force.get("skills"), self.skill, self.add_skill, self.remove_skill
            ),
            languages=_listed(
                "language",
                force.get("languages"),
                self.language,
                self.add_language,
                self.remove_language,
            ),
            experience_years=self.experience_years,
            minimum_rate=_amount(writer, self.minimum_rate),
            direct_rate=_amount(writer, self.direct_rate),
            timezone=self.zone,
            availability=self._availability(force.get("availability")),
            buffers=self._buffers(force.get("buffers") or {}),
            vacations=None
            if self.vacation is None
            else tuple(map(read_vacation, _given(self.vacation))),
            auto_decline=self._auto_decline(writer),
            notifications=self._notifications(force.get("notifications")),
            attachment_limit=None
            if self.attachment_limit is None
            else read_size(self.attachment_limit),
        )

    def _availability(self, force: object) -> dict[str, Any] | None:
        parts: dict[str, object] = {}
        if self.hours is not None:
            parts["weekly"] = read_hours(_given(self.hours)) or None
        if self.recurring is not None:
            parts["rules"] = [read_recurring(text) for text in _given(self.recurring)] or None
        if self.exception is not None:
            parts["exceptions"] = read_exceptions(_given(self.exception)) or None
        return _readable("availability", amended("availability", force, parts)) if parts else None

    def _notifications(self, force: object) -> dict[str, Any] | None:
        parts: dict[str, object] = {}
        if self.bell is not None:
            parts["bell"] = self.bell
        if self.alarm is not None:
            parts["alarms"] = [_minutes(text) for text in _given(self.alarm)] or None
        return _readable("notifications", amended("notifications", force, parts)) if parts else None

    def _auto_decline(self, writer: Writer) -> list[dict[str, Any]] | None:
        if self.auto_decline is None:
            return None
        return [
            read_declining(text, lambda words: _own_amount(writer, words))
            for text in _given(self.auto_decline)
        ]

    def _buffers(self, force: Mapping[str, int]) -> Buffers | None:
        before, after = self.buffer_before, self.buffer_after
        if before is None and after is None:
            return None
        return Buffers(
            before=force.get("before") if before is None else before,
            after=force.get("after") if after is None else after,
        )


def _given(texts: Iterable[str]) -> list[str]:
    """Return what was given; an empty text alone clears what was there."""
    return [text.strip() for text in texts if text.strip()]


def _listed(
    what: str, force: list[str] | None, all_: Texts, more: Texts, less: Texts
) -> tuple[str, ...] | None:
    """Return a whole list: what it is now, or was said to be, with more and with less."""
    if all_ is None and more is None and less is None:
        return None
    found = [*(force or ())] if all_ is None else _given(all_)
    for text in _given(more or ()):
        if text.casefold() not in map(str.casefold, found):
            found.append(text)
    for text in _given(less or ()):
        left = [each for each in found if each.casefold() != text.casefold()]
        if len(left) == len(found):
            raise UnknownThing(
                f"there is no {what} {text!r} among yours",
                hint=f"They are: {', '.join(found) or 'none'}.",
            )
        found = left
    return tuple(found)


def _readable(name: str, document: dict[str, Any]) -> dict[str, Any]:
    """Refuse what was typed unless it can be read: too many rules, an alarm too early."""
    if error := unreadable(name, document):
        raise error
    return document


def _amount(writer: Writer, text: str | None) -> Money | None:
    return None if text is None else writer.amount(text)


def _own_amount(writer: Writer, text: str) -> Money:
    """Read an amount of the book's own currency."""
    amount = writer.amount(text)
    check_currency(amount, writer.reader.policy)
    return amount


def _minutes(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text, re.ASCII):
        raise InvalidValue(
            f"{text[:40]!r} is no number of minutes", hint="Write it like --alarm 15 --alarm 60."
        )
    return int(text)
