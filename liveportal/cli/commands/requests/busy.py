"""`--busy`: the expert's own calendar, whose events conflict with slots like sessions do.

It is read again by each command. Without a calendar nothing is imported for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.options import Options
from liveportal.cli.settings import read_settings, settings_path
from liveportal.domain.clock import readable
from liveportal.domain.errors import DoubleBooking
from liveportal.domain.events.types import Slot
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.text import clean
from liveportal.ledger.queries import requests
from liveportal.ledger.queries.calendar_conflicts import Busy, CalendarConflict, slot_spans

if TYPE_CHECKING:
    from liveportal.ledger.queries.reader import Reader

_TITLES = 3


@frozen
class BusyOptions(Options):
    """The calendars in which the expert is busy."""

    busy: Annotated[
        list[Path] | None,
        typer.Option(
            "--busy",
            metavar="FILE.ics",
            help="Treat the events of your own calendar as conflicts; repeatable.",
        ),
    ] = None

    def calendar(self) -> Busy | None:
        """Read these calendars and those of the settings; None without any.

        Raises `NotFound`, `UnreadableFile`, `MalformedFile` and `InvalidSettings`.
        """
        return own_calendar(self.busy or ())


def own_calendar(more: Sequence[Path] = ()) -> Busy | None:
    """Read the calendars of the settings (`[calendar] busy`), and more; None without any.

    A path in the settings may begin with `~`, and else is one from the folder of the settings.
    """
    named = read_settings().table("calendar").get("busy", ())
    folder = settings_path().parent
    paths = [*(folder / Path(name).expanduser() for name in named), *more]
    if not paths:
        return None
    from liveportal.feeds.own_calendar import OwnCalendar
    from liveportal.tables.files import opened

    with opened(paths) as sources:
        return OwnCalendar(sources).between


def check_calendar(
    reader: Reader, request: str, slot: int | None, now: datetime, busy: Busy | None
) -> None:
    """Refuse to accept a slot in which the expert's calendar has an event.

    Raises `DoubleBooking`. The check is not part of the rules: the event that is recorded says
    nothing about a calendar.
    """
    if busy is None or slot is None:
        return
    ranked = requests.ranked_slots(reader, request, now)
    chosen = [Slot(start=each.start, minutes=each.minutes) for each in ranked if each.slot == slot]
    for start, end in slot_spans(chosen):
        found = next(iter(busy(start, end, reader.own_timezone)), None)
        if found is None:
            continue
        event = f"{clean(found.title)!r}" if found.title else "an event"
        raise DoubleBooking(
            f"Your calendar has {event} at that time, from {readable(found.start)} to"
            f" {readable(found.end)}.",
            hint=Hint("Choose another slot. {Overriding_this} books it regardless."),
            id=request,
        )


def titles(conflicts: Sequence[CalendarConflict]) -> list[str]:
    """Return the titles of the first conflicts, for a person."""
    found = [each.title or "your calendar" for each in conflicts[:_TITLES]]
    more = len(conflicts) - _TITLES
    return [*found, f"{more} more"] if more > 0 else found
