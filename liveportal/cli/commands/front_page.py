"""The front page: bare `liveportal` on a terminal, and `liveportal --json`.

Every line ends in the command to type next. It is plain text, without rich: the accessible form of
the portal. Titles are cut to the width of the terminal; amounts, times and ids never are.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.requests.busy import own_calendar
from liveportal.cli.io.answers import amount, day, local, plural
from liveportal.cli.io.output_file import open_output
from liveportal.cli.io.render import for_person, render
from liveportal.cli.io.text import clean, clock_time, cut, display_width, format_length
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import display_zone, open_reader, reference_time
from liveportal.domain.calculations.months import MonthRow
from liveportal.domain.clock import month_of
from liveportal.domain.entities import SessionState
from liveportal.domain.handlers.cautions import EARLIEST_START, LONGEST_SESSION
from liveportal.domain.policy import Silence
from liveportal.domain.row import Row
from liveportal.ledger.queries.agenda import AgendaRow, is_overdue
from liveportal.ledger.queries.earnings import months_before
from liveportal.ledger.queries.front_page import (
    FrontPage,
    NextPayout,
    OpenClaim,
    RunningSession,
    front_page,
)
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.requests import RequestRow

BLOCK = 4
"""The most lines of a block, below its heading."""
MOST_BLOCKERS = 2
"""A page of all that there can be has 30 lines; the preview of a payout names every blocker."""
STANDARD_WIDTH = 80
"""On a narrower terminal a command that leaves no room for the text has a line of its own."""
LEAST_TEXT = 12
INDENT, GAP = "  ", "  "

BEGIN = """You do not have a ledger yet ({path}). To begin:
  liveportal init, then liveportal requests add or liveportal sync FEED
  liveportal demo shows a month of a fictional expert in a ledger of its own

All commands: liveportal --help
"""

ShortIds = Mapping[str, str]
"""The short forms of the long ids, as a terminal shows them."""


class Item(NamedTuple):
    """A line: figures that are never cut, a text that may be, and the command to type next."""

    figures: str
    text: str
    command: str


@shows(FrontPage)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show what needs your attention.

    The page lists requests, sessions, claims, earnings and the next payout.

    Examples:
      liveportal
      liveportal --json
    """
    is_plain = for_person(out) and out.columns is None
    if is_plain and ledger.typed is None and not ledger.path.exists():
        _say_how_to_begin(ledger)
        return
    busy = own_calendar()
    with open_reader(ledger, read, out) as reader:
        page = front_page(reader, reference_time(reader), busy)
        zone_name = display_zone(reader, read)
        lines = _lines_of(page, reader, zone_name) if is_plain else []
    if not is_plain:
        render(Detail(FrontPage, page), out)
        return
    with open_output(None) as stream:
        if ledger.typed is not None:
            stream.write(f"To use this ledger: export LIVEPORTAL_LEDGER={_quoted(ledger.path)}\n")
        stream.writelines(f"{line}\n" for line in lines)


def _lines_of(page: FrontPage, reader: Reader, zone_name: str) -> list[str]:
    from liveportal.ledger.queries.short_ids import short_ids  # Only a terminal shortens ids.

    rows = chain[Row](page.requests, page.running, page.upcoming, page.claims)
    shortened = short_ids(reader, [row["id"] for row in rows])
    return list(page_lines(page, shutil.get_terminal_size().columns, zone_name, shortened))


def _say_how_to_begin(ledger: LedgerOption) -> None:
    with open_output(None) as stream:
        stream.write(BEGIN.format(path=clean(str(ledger.path))))


def page_lines(page: FrontPage, width: int, zone_name: str, short_ids: ShortIds) -> Iterator[str]:
    """Yield the lines of the page for a terminal; times are of the zone, which is named."""
    clock = Clock(page.as_of, zone_name)
    blocks = (
        _block(
            f"Open requests ({len(page.requests)})" if page.requests else "Open requests",
            [_request(row, short_ids) for row in page.requests],
            "requests list",
            empty=Item("None", "", "requests add --help"),
        ),
        _block(
            f"Now and upcoming (times in {zone_name})",
            [
                *(_running(row, page.as_of, short_ids) for row in page.running),
                *(_upcoming(row, clock, short_ids) for row in page.upcoming),
            ],
            "sessions upcoming",
            empty=Item("None", "", "sessions list"),
        ),
        _block(
            f"Claims to answer ({len(page.claims)})" if page.claims else "Claims to answer",
            [_claim(row, short_ids) for row in page.claims],
            "refunds list --state open",
            empty=Item("None", "", "refunds list"),
        ),
        _block(
            f"This month and last (months in {page.this_month.timezone})",
            [_month(row) for row in (page.this_month, page.last_month)],
            "earnings months",
        ),
        _block("Next payout", list(_payout(page.payout)), "payout preview"),
    )
    for heading, items in blocks:
        yield heading
        yield from chain.from_iterable(_laid_out(item, width) for item in items)
        yield ""
    portal, commands = "On one screen: liveportal portal", "All commands: liveportal --help"
    if width < STANDARD_WIDTH:
        yield from (portal, commands)
    else:
        yield portal + commands.rjust(width - len(portal))


def _block(
    heading: str, items: Sequence[Item], all_of_them: str, empty: Item | None = None
) -> tuple[str, Iterable[Item]]:
    """Return a block's heading and lines; if there are more than fit, the last line counts them."""
    if not items and empty:
        return heading, [empty]
    if len(items) <= BLOCK:
        return heading, items
    rest = len(items) - (BLOCK - 1)
    return heading, [*items[: BLOCK - 1], Item(f"and {rest} more", "", all_of_them)]


def _laid_out(item: Item, width: int) -> Iterator[str]:
    """Yield an item as one line, with its command at the right; as two if that leaves no room."""
    command = f"liveportal {item.command}"
    figures, text = clean(item.figures), clean(item.text)
    room = width - len(INDENT) - len(GAP) - len(command)
    least = 0 if width >= STANDARD_WIDTH else min(LEAST_TEXT, display_width(text))
    if display_width(figures) + least > room:
        yield INDENT + _shortened(figures, text, width - len(INDENT))
        yield INDENT * 2 + command
        return
    words = _shortened(figures, text, room)
    yield INDENT + words + " " * max(room - display_width(words), 0) + GAP + command


def _shortened(figures: str, text: str, room: int) -> str:
    """Return the figures and the text, which is cut to what is left of the room."""
    start = f"{figures}, "
    left = room - display_width(start)
    return start + cut(text, left) if text and left > 1 else figures


# --- the items ------------------------------------------------------------------------------------


def _request(row: RequestRow, short_ids: ShortIds) -> Item:
    left = "no end" if row.left_seconds is None else f"{format_length(row.left_seconds)} left"
    # What cannot be accepted as it is, without a slot or an option, is looked at first.
    at_once = row.kind == "instant" and not row.direct and row.above_minimum is not False
    step = "accept" if at_once else "show"
    return Item(
        f"{amount(row.rate)}, {left}",
        _about(row.customer.name or row.customer.id, row.title),
        f"requests {step} {argument(short_ids.get(row.id, row.id))}",
    )


def _running(row: RunningSession, now: datetime, short_ids: ShortIds) -> Item:
    elapsed, paused = row.elapsed_seconds or timedelta(), row.paused_seconds or timedelta()
    can_end = row.earned_so_far is not None and timedelta() <= now - row.start <= LONGEST_SESSION
    step = "resume" if row.state == SessionState.PAUSED else "end" if can_end else "show"
    earned = f", {amount(row.earned_so_far)} so far" if row.earned_so_far is not None else ""
    return Item(
        f"{row.state} {format_length(elapsed - paused)}{earned}",
        _about(row.customer_name or row.customer, row.title),
        f"sessions {step} {argument(short_ids.get(row.id, row.id))}",
    )


def _upcoming(row: AgendaRow, clock: Clock, short_ids: ShortIds) -> Item:
    late = "late: " if is_overdue(row, clock.now) else ""
    step = "start" if row.start - clock.now <= EARLIEST_START else "show"
    return Item(
        f"{late}{clock.time(row.start)}",
        _about(row.customer_name or row.customer, row.title),
        f"sessions {step} {argument(short_ids.get(row.id, row.id))}",
    )


def _claim(row: OpenClaim, short_ids: ShortIds) -> Item:
    left = f"{format_length(row.left_seconds)} left, " if row.left_seconds is not None else ""
    cost = f"{amount(row.cost)} at risk"
    if row.silence == Silence.NONE:
        cost = f"{amount(row.held)} held"
    return Item(
        left + cost,
        _about(row.customer_name or row.customer, row.title),
        f"dispute file --edit {argument(short_ids.get(row.id, row.id))}",
    )


def _month(row: MonthRow) -> Item:
    this = month_of(utc_now(), row.timezone)  # Which a page --as-known of the past does not have.
    name = {this: "this", months_before(this, 1): "last"}.get(row.month, row.month)
    return Item(
        f"{row.month}: {plural(row.sessions, 'session')}, {amount(row.net)}",
        "",
        f"earnings --month {name}",
    )


def _payout(row: NextPayout) -> Iterator[Item]:
    owed = f"{amount(row.owed)} owed"
    if row.on is None:
        yield Item(f"None yet, of {owed}" if row.owed.minor else "None", "", "payout list")
        return
    yield Item(f"{amount(row.amount)} on {row.on}, of {owed}", "", "payout forecast")
    for blocker in row.blocked[:MOST_BLOCKERS]:
        is_profile = blocker.code == "profile_incomplete"
        command = "payout profile check" if is_profile else "payout preview"
        yield Item(f"Blocked: {_in_brief(blocker.message)}", "", command)


def _in_brief(message: str) -> str:
    """Return the first sentence of a message as a part of a line, without the rule's code."""
    first = message.partition(". ")[0].removesuffix(".").partition(" (R")[0].removeprefix("It is ")
    return first[:1].lower() + first[1:]


# --- words ----------------------------------------------------------------------------------------


class Clock(NamedTuple):
    """The instant of the page and the zone of its times."""

    now: datetime
    zone_name: str

    def time(self, instant: datetime) -> str:
        """Return a time such as `tomorrow 11:00` or `Thu 3 Dec 17:00`."""
        at, today = local(instant, self.zone_name), local(self.now, self.zone_name)
        days = (at.date() - today.date()).days
        near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days)
        return f"{near or day(at, today)} {clock_time(at)}"


def _about(customer: str, title: str | None) -> str:
    return f"{customer}: {title}" if title else customer


def argument(name: str) -> str:
    """Return an id as an argument that no shell or option parser takes for something else."""
    return f"-- {_quoted(name)}" if name.startswith("-") else _quoted(name)


def _quoted(value: object) -> str:
    return shlex.quote(clean(str(value)))
