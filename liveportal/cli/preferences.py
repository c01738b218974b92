"""`liveportal preferences`: rates, skills, languages, zone and vacation."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from liveportal.cli.acting import Anyway, insisting, show_result, writing
from liveportal.cli.app import Commands
from liveportal.cli.looking import windows, zone_of
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.render import render
from liveportal.cli.results import Item
from liveportal.domain.errors import InvalidValue
from liveportal.domain.events import Buffers, PreferencesChanged, Vacation
from liveportal.ledger.windows import books as seen

app = Commands("Your preferences: show, set.", default="show")


@app.command("show")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show your preferences.

    Examples:
      liveportal preferences show
      liveportal preferences show --as-known 2026-10-01
    """
    with windows(ledger, read, out) as reader:
        row = seen.preferences(reader)
        zone = zone_of(reader, read)
    render(Item(seen.PREFERENCE_FIELDS, row, title="Preferences"), out, zone=zone)


@app.command("set")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def set_(
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    skill: Annotated[
        list[str] | None,
        typer.Option("--skill", help="Your skills, all; repeatable."),
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option("--language", help="Your languages; repeatable.")
    ] = None,
    minimum_rate: Annotated[
        str | None,
        typer.Option("--minimum-rate", metavar="AMOUNT", help="The least a minute should pay."),
    ] = None,
    direct_rate: Annotated[
        str | None,
        typer.Option("--direct-rate", metavar="AMOUNT", help="For customers who book you."),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", metavar="ZONE", help="Your time zone, such as Europe/Paris."),
    ] = None,
    vacation: Annotated[
        list[str] | None,
        typer.Option("--vacation", metavar="FIRST..LAST", help="2026-12-24..2027-01-02."),
    ] = None,
    experience_years: Annotated[
        int | None, typer.Option("--experience-years", min=0, max=100, help="Years in the field.")
    ] = None,
    role: Annotated[str | None, typer.Option("--role", help="What you are.")] = None,
    verification: Annotated[
        str | None, typer.Option("--verification", help="As the platform has it.")
    ] = None,
    buffer_before: Annotated[
        int | None, typer.Option("--buffer-before", min=0, max=1440, help="Minutes kept free.")
    ] = None,
    buffer_after: Annotated[
        int | None, typer.Option("--buffer-after", min=0, max=1440, help="Minutes kept free.")
    ] = None,
    anyway: Anyway = False,
) -> None:
    """Change preferences; what you do not name stays as it is.

    Examples:
      liveportal preferences set --zone Europe/Paris --minimum-rate 2.50
      liveportal preferences set --skill shaders --skill urp --language en --language fr
      liveportal preferences set --vacation 2026-12-24..2027-01-02
      liveportal preferences set --vacation ''
    """
    with writing(ledger, write, out, seen.PREFERENCE_FIELDS) as writer:
        buffers = None
        if buffer_before is not None or buffer_after is not None:
            buffers = Buffers(before=buffer_before, after=buffer_after)
        data = PreferencesChanged(
            verification=verification,
            role=role,
            skills=_all_of(skill),
            languages=_all_of(language),
            experience_years=experience_years,
            minimum_rate=writer.amount(minimum_rate) if minimum_rate is not None else None,
            direct_rate=writer.amount(direct_rate) if direct_rate is not None else None,
            timezone=zone,
            buffers=buffers,
            vacations=_vacations(vacation),
        )
        if data == PreferencesChanged():
            raise typer.BadParameter("name at least one preference; see --help")
        row = writer.record(
            data,
            "preferences",
            show=lambda reader, _name: seen.preferences(reader),
            insist=insisting(anyway=anyway),
        )
        own = writer.zone
    show_result(row, seen.PREFERENCE_FIELDS, out, zone=own)


def _all_of(given: list[str] | None) -> tuple[str, ...] | None:
    """Return what was given, all of it; an empty text alone clears what was there."""
    return tuple(text.strip() for text in given if text.strip()) if given else None


def _vacations(given: list[str] | None) -> tuple[Vacation, ...] | None:
    texts = _all_of(given)
    return None if texts is None else tuple(map(_vacation, texts))


def _vacation(text: str) -> Vacation:
    first, _, last = text.partition("..")
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        raise InvalidValue(
            f"{text[:40]!r} is not a vacation", hint="Write it like 2026-12-24..2027-01-02."
        ) from None
    if end < start:
        raise InvalidValue(f"the vacation {text} would end before it begins")
    return Vacation(start=start, end=end)
