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
            help="Search only this customer's sessions.",
            autocompletion=ids("customer"),
        ),
    ] = None
    session: Annotated[
        str | None,
        typer.Option(
            "--session",
            metavar="ID",
            help="Search only this session.",
            autocompletion=ids("session"),
        ),
    ] = None
    speaker: Annotated[
        str | None,
        typer.Option("--speaker", metavar="NAME", help="Search only what this person said."),
    ] = None
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Search only from this time on.")
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
        typer.Argument(
            metavar="WORDS...", help='Words, parts of words, "a phrase", -without, start*.'
        ),
    ],
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    scope: Scope,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, metavar="N", help="Show at most N (on a terminal: 20)."),
    ] = None,
) -> None:
    """Search transcripts, titles, notes and reviews.

    The best results come first. Descriptions, reasons and summaries are searched, too; the column
    `where` names the kind of text. With --speaker only transcripts are searched.

    A result contains all the words in one message or text, in any order. Case and accents do not
    matter, and part of a word is enough: `flicker` finds "flickers". (One or two letters must be
    the start of a word.) `mali*` finds words that start with mali, "render pipeline" finds that
    phrase, and `-word` excludes text with that word; put -- before a single letter. Matches are in
    [brackets], or in reverse on a terminal.

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
        hint(f"These are the best {len(hits)} results. See more with --limit N.")
    elif is_person and any(row.where == session_search.MESSAGE for row in rows):
        hint("Read a whole transcript with `liveportal sessions show ID --transcript`.")


def _empty_message(searched: session_search.Searched) -> str:
    """Return the message for an empty result, which names what was searched."""
    from liveportal.cli.io.answers import plural  # Terminals only.

    places = []
    if searched.transcripts:
        transcripts = plural(searched.transcripts, "transcript")
        places.append(f"{plural(searched.messages, 'message')} in {transcripts}")
    if searched.texts:
        places.append("all titles, descriptions, reasons, notes and reviews")
    if not places:
        return "Nothing found. No transcripts are attached."
    return f"Nothing found in {' and '.join(places)}."
