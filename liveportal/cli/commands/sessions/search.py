"""`liveportal sessions search`: find what was said in sessions and written about them.

Registered in `liveportal.cli.commands.sessions`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.completion import ids
from liveportal.cli.io.render import for_person, hint, render
from liveportal.cli.io.view_model import Highlighted, Table, shows
from liveportal.cli.options import (
    LedgerOption,
    Options,
    OutputOptions,
    ReadOptions,
    with_options,
)
from liveportal.cli.parse.times import read_time
from liveportal.cli.read_command import display_zone, open_reader
from liveportal.domain.frozen import frozen
from liveportal.ledger.queries import session_search
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.session_search import SearchRow

HITS = 20
"""The number of hits on a terminal without `--limit`."""

HUMAN_HITS = ("session", "customer_name", "where", "at_seconds", "speaker", "snippet")


@frozen
class Scope(Options):
    """Where a search looks."""

    customer: Annotated[
        str | None,
        typer.Option(
            "--customer",
            metavar="ID",
            help="Only this customer's sessions.",
            autocompletion=ids("customer"),
        ),
    ] = None
    session: Annotated[
        str | None,
        typer.Option(
            "--session", metavar="ID", help="Only this session.", autocompletion=ids("session")
        ),
    ] = None
    speaker: Annotated[
        str | None, typer.Option("--speaker", metavar="NAME", help="Only what they said.")
    ] = None
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only what was said from then on.")
    ] = None

    comes_first: ClassVar[bool] = True

    def where(self, reader: Reader, zone: str) -> session_search.Where:
        """Return the scope with the session's whole id, and the time read in `zone`."""
        session = None if self.session is None else reader.resolve_id("session", self.session)
        since = self.since
        return session_search.Where(
            customer=self.customer,
            session=session,
            speaker=self.speaker,
            since=None
            if since is None
            else read_time(since, zone, utc_now(), past=True, date_only=True),
        )


@shows(SearchRow, many=True)
@with_options(Scope, LedgerOption, ReadOptions, OutputOptions)
def search(
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORDS...", help='Words, or parts: "a phrase", -not, begin*.'),
    ],
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    scope: Scope,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, metavar="N", help="At most so many; a terminal: 20."),
    ] = None,
) -> None:
    """Search what was said in sessions and written about them, the best first.

    Transcripts are searched (see `liveportal sessions attach`), and titles,
    descriptions, reasons, summaries, notes and reviews; `where` says in which a
    hit is. All the words must stand in one message or text. A part of a word is
    enough (`flicker` finds "flickers"; of one or two letters the beginning), in
    every script, without regard to case, width and accents. `mali*` must begin
    a word, quotes make a phrase of whole words, `-word` leaves out what has it
    (after `--` also a single letter). Hits stand in [brackets], on a terminal
    in reverse. With --speaker only transcripts are searched.

    Examples:
      liveportal sessions search shader flicker
      liveportal sessions search "render pipeline" mali* -urp --customer C-77
      liveportal sessions search refund --speaker Mina --since 2026-10-01 --json
    """
    query = session_search.matching(words)
    if query is None:
        raise typer.BadParameter("Name at least one word to look for.")
    is_person = for_person(out)
    max_hits = HITS if limit is None and is_person else limit
    with open_reader(ledger, read, out) as reader:
        zone = display_zone(reader, read)
        where = scope.where(reader, zone)
        # One more than is shown, to find out whether there are more.
        rows = session_search.search(reader, query, where, max_hits and max_hits + 1)
        empty = (
            "" if rows or not is_person else _empty_message(session_search.searched(reader, where))
        )
    hits = [
        {**row, "snippet": Highlighted(tuple(query.snippet(row.text)))} for row in rows[:max_hits]
    ]
    render(Table(SearchRow, hits, HUMAN_HITS, empty=empty), out, zone=zone)
    if is_person and len(rows) > len(hits):
        hint(f"These are the best {len(hits)}; --limit shows more.")
    elif is_person and any(row.where == session_search.MESSAGE for row in rows):
        hint("`liveportal sessions show ID --transcript` shows all that was said in one.")


def _empty_message(searched: session_search.Searched) -> str:
    """Return the message for an empty result, which says what was searched."""
    places = [f"{searched.messages:,} messages of {searched.transcripts:,} transcripts"]
    if searched.texts:
        places.append("all titles, descriptions, reasons, notes and reviews")
    return f"Nothing was found. Searched were {' and '.join(places)}."
