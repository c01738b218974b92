"""`liveportal sessions list`: the session history, and its filters.

Registered in `liveportal.cli.commands.sessions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.completion import months, sorts
from liveportal.cli.io.render import for_person, hint, render
from liveportal.cli.io.view_model import Row, Table, shows
from liveportal.cli.options import (
    LedgerOption,
    OfCustomer,
    OutputOptions,
    ReadOptions,
    with_options,
)
from liveportal.cli.parse.times import read_as_known, read_month, read_time
from liveportal.cli.read_command import (
    Limit,
    display_zone,
    open_reader,
    parse_states,
    state_option,
)
from liveportal.domain.clock import local_date
from liveportal.domain.entities import SessionState
from liveportal.domain.errors import InvalidMonth
from liveportal.domain.patterns import pattern
from liveportal.domain.text_search import words
from liveportal.ledger.opening import in_pages
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.session_filter import SORTS, SessionFilter
from liveportal.ledger.queries.sessions import (
    SessionRow,
    session_ids,
    sessions_by_id,
    with_open_claim,
)

STATES = tuple(SessionState)
States = Annotated[list[str] | None, state_option(STATES)]
HUMAN = (
    *("id", "state", "customer_name", "title", "start", "minutes", "gross", "earned"),
    *("refunded", "claim"),
)
_POSITION = pattern(r"[0-9]{1,18}", re.ASCII)

Month = Annotated[
    str | None,
    typer.Option(
        "--month",
        metavar="MONTH",
        help="Show only this month in the books.",
        autocompletion=months,
    ),
]
First = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="WHEN",
        help="Show only from this month or day on.",
        autocompletion=months,
    ),
]
Last = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="WHEN",
        help="Show only up to this month or day.",
        autocompletion=months,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="SEQ|TIME",
        help="Show only what changed after this journal position, or starts at this time or later.",
    ),
]
Text = Annotated[
    str | None,
    typer.Option(
        "--text",
        metavar="WORDS",
        help="Show only sessions that mention all these words.",
    ),
]
Claimed = Annotated[
    bool, typer.Option("--claimed", help="Show only sessions with a refund claim, decided or not.")
]
Disputed = Annotated[
    bool, typer.Option("--disputed", help="Show only sessions with a disputed refund claim.")
]
Sort = Annotated[
    str,
    typer.Option(
        "--sort",
        metavar="FIELD",
        help=f"Sort by {', '.join(SORTS[:-1])} or {SORTS[-1]}; -{SORTS[0]} reverses.",
        autocompletion=sorts(SORTS),
    ),
]


@shows(SessionRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    state: States = None,
    customer: OfCustomer = None,
    month: Month = None,
    first: First = None,
    last: Last = None,
    since: Since = None,
    text: Text = None,
    claimed: Claimed = False,
    disputed: Disputed = False,
    sort: Sort = "start",
    limit: Limit = None,
) -> None:
    """List all sessions with their times and earnings.

    A session belongs to the month in the books in which it was first billed, as in `earnings`; one
    that has not ended belongs to no month. Days are those of your own zone, and they count by the
    session's start.

    Examples:
      liveportal sessions list --month last
      liveportal sessions list --disputed
      liveportal sessions list --text "shader flicker" --sort -earned
      liveportal sessions list --state ended --customer C-77 --json

    A script can continue where it stopped: `seq` is the journal position of the last record about
    a session, and is different for every session.

      liveportal sessions list --since "$(cat seen || echo 0)" --sort seq --fields seq,id |
        while read -r seq id; do echo "$id changed" && echo "$seq" > seen; done
    """
    if month is not None and (first is not None or last is not None):
        raise typer.BadParameter("Give either --month, or --from and --to.")
    session_filter = SessionFilter(
        states=parse_states(state, STATES),
        customer=customer,
        claimed=claimed,
        disputed=disputed,
        words=_parse_words(text),
        sort=_check_sort(sort),
    )
    with open_reader(ledger, read, out) as reader:
        zone = display_zone(reader, read)
        session_filter = _narrow(session_filter, reader, zone, month, first, last, since)
        ids = session_ids(reader, session_filter)[:limit]
        streamed = in_pages(reader, ids, sessions_by_id)
        rows = list(streamed) if for_person(out) else []
        claimed_back = _claimed_back(reader, rows)
        if not for_person(out):
            render(Table(SessionRow, streamed, HUMAN), out)
    if for_person(out):
        empty = "No sessions found. `liveportal requests list` shows what you can accept."
        render(Table(SessionRow, _human_rows(rows), HUMAN, empty=empty), out, zone=zone)
    if ids:
        hint("See everything about one session with `liveportal sessions show ID`.")
    if claimed_back:
        from liveportal.cli.commands.sessions.argument import hint_dispute

        hint_dispute(claimed_back)


def _claimed_back(reader: Reader, rows: Sequence[SessionRow]) -> list[str]:
    """Return the sessions with an open claim, as a terminal shows their ids."""
    if not rows:
        return []
    from liveportal.ledger.queries.short_ids import short_ids  # Terminals only.

    found = with_open_claim(reader, [row.id for row in rows])
    short = short_ids(reader, found)
    return [short.get(session_id, session_id) for session_id in found]


def _human_rows(rows: Sequence[SessionRow]) -> Sequence[Row]:
    # Terminals only.
    from liveportal.cli.commands.sessions.refunded import human_earned, human_money

    return [{**row, **human_money(row), **human_earned(row)} for row in rows]


def _parse_words(text: str | None) -> tuple[str, ...]:
    parsed = words(text or "")
    if text is not None and not parsed:
        raise typer.BadParameter("It has no word to look for.", param_hint="--text")
    return parsed


def _check_sort(name: str) -> str:
    if name.removeprefix("-") not in SORTS:
        raise typer.BadParameter(
            f"{name!r} is not a field to sort by. The fields are: {', '.join(SORTS)}.",
            param_hint="--sort",
        )
    return name


def _narrow(
    session_filter: SessionFilter,
    reader: Reader,
    zone: str,
    month: str | None,
    first: str | None,
    last: str | None,
    since: str | None,
) -> SessionFilter:
    """Narrow a filter to the requested months, times, or positions of the journal."""
    now = utc_now()
    today = local_date(now, reader.timezone)

    def parse_instant(text: str) -> datetime:
        return read_time(text, zone, now, past=True, date_only=True)

    first_month, start = _parse_month_or_instant(first, today, parse_instant)
    last_month, end = _parse_month_or_instant(
        last, today, lambda text: read_as_known(text, zone, now)
    )
    if month is not None:
        first_month = last_month = read_month(month, today)
    after_seq = int(since) if since is not None and _POSITION.fullmatch(since) else None
    if since is not None and after_seq is None:
        start = max(instant for instant in (start, parse_instant(since)) if instant)
    return replace(
        session_filter,
        first_month=first_month,
        last_month=last_month,
        since=start,
        until=end,
        after_seq=after_seq,
    )


def _parse_month_or_instant(
    text: str | None, today: date, parse_instant: Callable[[str], datetime]
) -> tuple[str | None, datetime | None]:
    """Parse a month, or else an instant."""
    if text is None:
        return None, None
    try:
        return read_month(text, today), None
    except InvalidMonth:
        return None, parse_instant(text)
