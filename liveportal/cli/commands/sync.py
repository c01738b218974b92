"""`liveportal sync`: record the platform's feeds in the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from liveportal.cli.app import Commands
from liveportal.cli.commands.feed_format import FORMAT_PANEL
from liveportal.cli.commands.file_format import FileFormatOptions
from liveportal.cli.commands.mappings import print_template
from liveportal.cli.commands.rejects import mention_rejects, reject_writer, rejected_lines
from liveportal.cli.io.answers import Sentence, plural
from liveportal.cli.io.output_file import check_target, open_output
from liveportal.cli.io.progress import progress
from liveportal.cli.io.prompts import STDIN, stdin_bytes
from liveportal.cli.io.render import check_output_possible, note
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, Yes, with_options
from liveportal.cli.write_command import open_portal
from liveportal.cli.write_result import answers_person, show_answer
from liveportal.domain.errors import LiveportalError
from liveportal.domain.row import Row, row
from liveportal.feeds.following import open_feed
from liveportal.ledger.storage.ledger_paths import check_input
from liveportal.services.sync import OnError, SyncResult

if TYPE_CHECKING:
    from liveportal.portal import Portal
    from liveportal.services.adapting import FeedFormat

app = Commands()


@row
class Synced(Row):
    """Counts of a feed's events by outcome, and the journal's new head (hex)."""

    recorded: int
    replayed: int
    confirmed: int
    refused: int
    head: str
    ignored: int
    ignored_kinds: dict[str, int]


@row
class DrySynced(Synced):
    """The same of a dry run."""

    dry_run: bool


@app.command("sync")
@shows(Synced, DrySynced)
@with_options(FileFormatOptions, LedgerOption, OutputOptions)
def sync(
    feeds: Annotated[
        list[str], typer.Argument(metavar="FEED...", help="Feed files; - is standard input.")
    ],
    wanted: FileFormatOptions,
    ledger: LedgerOption,
    out: OutputOptions,
    batch: Annotated[
        int | None,
        typer.Option("--batch", min=1, metavar="N", help="Save every N lines, for long streams."),
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(
            "--rejects", metavar="FILE", help="Skip bad lines; write them and the reasons here."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the whole feed; record nothing.")
    ] = False,
    mapping_help: Annotated[
        bool,
        typer.Option(
            "--mapping-help",
            help="Print a mapping to fill in, made from the header of the first file, and exit.",
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = False,
    _yes: Yes = False,
) -> None:
    """Record what the platform, or another tool, reports in a feed.

    A feed is a file of JSON Lines, one event per line. If a line is bad, nothing is recorded.
    Events that were recorded before are skipped, so you can sync the same feed again at any time.
    Events that only you may record, such as a change of your preferences, are refused.

    --format reads the webhooks of cal.com or Calendly, or Stripe's events: one JSON document, an
    array, JSON Lines, or captures that keep headers and body. Documents that do not concern the
    books are ignored and counted. It also reads what time trackers export: the detailed report of
    Toggl or Clockify as CSV, the JSON of `timew export`, and any CSV file for which a mapping names
    the columns. Each row is a session that you logged.

    Examples:
      liveportal sync october.jsonl
      curl -s https://help.example/feed | liveportal sync -
      liveportal sync old.jsonl --rejects bad.jsonl
      liveportal sync captures.jsonl --format calcom --rate 4.00 --secret-file secret.txt
      liveportal sync report.csv --format toggl --rate 1.50
      liveportal sync hours.csv --mapping-help > hours.toml
      liveportal sync hours.csv --format csv --mapping hours.toml --dates dmy
    """
    if mapping_help:
        print_template(Path(feeds[0]), "hours")
        return
    wanted.check()
    input_files = (*ledger.files, *(Path(feed) for feed in feeds if feed != STDIN))
    check_output_possible(DrySynced, out, spared=input_files)
    check_target(rejects, (*input_files, *((out.output,) if out.output else ())))
    with (
        open_output(rejects) if rejects and not dry_run else nullcontext() as bad_lines,
        open_portal(ledger, dry_run=dry_run) as portal,
    ):
        reject = reject_writer(bad_lines) if rejects else None
        total = _sync_feeds(portal, feeds, batch, reject, wanted.feed_format(portal))
    counts = {**asdict(total), "ignored": total.ignored}
    _note_ignored(total, out)
    synced_row = DrySynced(**counts, dry_run=True) if dry_run else Synced(**counts)
    human = tuple(name for name in synced_row if name != "head")
    detail = Detail(type(synced_row), synced_row, human, sparse=True)
    show_answer(detail, _sentence(total), out, ledger=ledger, dry_run=dry_run)
    if total.refused:
        raise rejected_lines(total.refused, None if dry_run else rejects)


def _sentence(total: SyncResult) -> Sentence:
    """Answer `sync`: how many events are new, and why the others were skipped."""
    more = {
        "was recorded before": total.replayed,
        "confirms what another source reported": total.confirmed,
        "was refused": total.refused,
    }
    ignored = f"Ignored {plural(total.ignored, 'document')}: {_kinds(total)}."
    return Sentence(
        *("Recorded", "record", plural(total.recorded, "new event")),
        more=(
            *(f"{_counted(count, text)}." for text, count in more.items() if count),
            ignored if total.ignored else "",
        ),
        next=(("See what you have to do", "due"),),
    )


def _note_ignored(total: SyncResult, out: OutputOptions) -> None:
    """Name on stderr what does not concern the books; an answer in sentences has it."""
    if total.ignored and not answers_person(out):
        note(f"Ignored {plural(total.ignored, 'document')}: {_kinds(total)}.")


def _kinds(total: SyncResult) -> str:
    return ", ".join(f"{kind} ({count})" for kind, count in sorted(total.ignored_kinds.items()))


def _counted(count: int, text: str) -> str:
    """Return `1 event was refused`, `2 events were refused`."""
    verb, rest = text.split(" ", 1)
    plurals = {"was": "were", "confirms": "confirm"}
    return f"{plural(count, 'event')} {verb if count == 1 else plurals[verb]} {rest}"


def _sync_feeds(
    portal: Portal,
    feeds: Sequence[str],
    batch: int | None,
    reject: OnError | None,
    feed_format: FeedFormat | None,
) -> SyncResult:
    """Record feeds one after the other; an error names its feed if there are several."""
    total = SyncResult()
    for feed in feeds:
        with _open_stream(feed) as stream, _progress(feed) as progress:
            try:
                synced = portal.sync(
                    stream,
                    batch=batch,
                    on_error=reject,
                    progress=progress,
                    feed_format=feed_format,
                )
            except LiveportalError as error:
                mention_rejects(error)
                if len(feeds) > 1 and error.details.get("file") != feed:
                    error.located(feed, feed=feed)
                raise
        total = _add(total, synced)
    return total


def _add(total: SyncResult, synced: SyncResult) -> SyncResult:
    return SyncResult(
        total.recorded + synced.recorded,
        total.replayed + synced.replayed,
        total.confirmed + synced.confirmed,
        total.refused + synced.refused,
        synced.head,
        dict(Counter(total.ignored_kinds) + Counter(synced.ignored_kinds)),
    )


@contextmanager
def _open_stream(feed: str) -> Iterator[BinaryIO]:
    if feed == STDIN:
        yield stdin_bytes()
        return
    check_input(Path(feed))
    with open_feed(feed) as stream:
        yield stream


@contextmanager
def _progress(feed: str) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal, in bytes of the file."""
    if feed == STDIN:
        yield lambda _: None
        return
    with progress(Path(feed).name, Path(feed).stat().st_size) as advance:
        yield advance
