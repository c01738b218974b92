"""`liveportal requests watch`: record a feed as it grows, and show the new requests."""

from __future__ import annotations

import math
import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from io import BufferedReader, BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Annotated, ClassVar, TextIO

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.feed_format import FormatOptions
from liveportal.cli.commands.rejects import mention_rejects, reject_writer, rejected_lines
from liveportal.cli.commands.requests.busy import BusyOptions, titles
from liveportal.cli.commands.requests.list_show import HUMAN
from liveportal.cli.commands.requests.waiting import Wait, flush
from liveportal.cli.io.answers import plural
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.prompts import STDIN, stdin_bytes
from liveportal.cli.io.render import check_output_possible, hint, render
from liveportal.cli.io.text import clean, format_length
from liveportal.cli.io.view_model import Detail, Table, shows
from liveportal.cli.options import LedgerOption, Options, OutputOptions, Yes, with_options
from liveportal.cli.signals import end_quietly
from liveportal.cli.write_command import open_portal
from liveportal.domain.entities import RequestState
from liveportal.domain.errors import LiveportalError, Refused
from liveportal.domain.events.types import RequestDeclined, RequestOpened
from liveportal.domain.frozen import frozen
from liveportal.domain.row import columns, row
from liveportal.domain.schedule.preferences import parse_structured
from liveportal.feeds.following import FeedChunk, follow, open_feed, read_stream
from liveportal.feeds.jsonl import Line
from liveportal.ledger.journal.journal import Outcome
from liveportal.ledger.queries import requests
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.request_filter import RequestFilter
from liveportal.ledger.queries.requests import RequestRow
from liveportal.ledger.storage import atomic
from liveportal.ledger.storage.ledger_paths import check_input
from liveportal.portal import Portal
from liveportal.services.sync import OnError, SyncResult

Record = Callable[..., SyncResult]
"""`Portal.sync`, for feeds of the watched format."""

VARIABLE = "LIVEPORTAL_REQUEST"
LONGEST_COMMAND_SECONDS = 60
LONGEST_TITLE = 60


@row
class WatchedRequest(RequestRow):
    """A new request; `reason` is set if a rule of the preferences declined it."""

    reason: str | None


@frozen
class WatchOptions(Options):
    """How long a feed is watched, and what happens with a new request."""

    comes_first: ClassVar[bool] = True

    once: Annotated[bool, typer.Option("--once", help="Stop at the current end of the file.")] = (
        False
    )
    interval: Annotated[
        float,
        typer.Option(
            "--interval",
            min=0.01,
            max=3600,
            metavar="SECONDS",
            help="How often to look for new lines.",
        ),
    ] = 1.0
    matching: Annotated[
        bool, typer.Option("--matching", help="Show only matches for your skills and rates.")
    ] = False
    bell: Annotated[
        bool | None,
        typer.Option(
            "--bell/--no-bell", help="Ring the terminal's bell (default: your preference)."
        ),
    ] = None
    command: Annotated[
        str | None,
        typer.Option(
            "--exec",
            metavar="COMMAND",
            help="Run this program for each new request (see above).",
        ),
    ] = None
    auto_decline: Annotated[
        bool,
        typer.Option(
            "--auto-decline/--no-auto-decline", help="Apply your rules that decline requests."
        ),
    ] = True
    rejects: Annotated[
        Path | None,
        typer.Option(
            "--rejects", metavar="FILE", help="Skip bad lines; add each to FILE with the reason."
        ),
    ] = None

    def command_words(self) -> tuple[str, ...]:
        """Split `--exec` into words as a shell does, without any other expansion.

        One that cannot be split is a usage error.
        """
        if self.command is None:
            return ()
        try:
            words = tuple(shlex.split(self.command))
        except ValueError as error:
            raise typer.BadParameter(
                f"It cannot be read as a command: {error}.", param_hint="--exec"
            ) from None
        if not words:
            raise typer.BadParameter("It does not name a command.", param_hint="--exec")
        return words


@shows(WatchedRequest, many=True)
@with_options(WatchOptions, BusyOptions, FormatOptions, LedgerOption, OutputOptions)
def watch(
    feed: Annotated[
        str, typer.Argument(metavar="FEED", help="A JSON Lines file, or - for standard input.")
    ],
    ledger: LedgerOption,
    out: OutputOptions,
    wanted: WatchOptions,
    calendars: BusyOptions,
    format_options: FormatOptions,
    _yes: Yes = False,
) -> None:
    """Record a growing feed and show new requests.

    It shows each new request that is still open, or that one of your rules has just declined, and
    skips what was recorded before. It follows a file, even if the file is replaced, until you press
    Ctrl-C (exit code 0); it reads standard input to its end. A bad line stops it, but all lines
    before that line are kept.

    The program of --exec gets the request as JSON on its standard input, and its id in the variable
    LIVEPORTAL_REQUEST. The text comes from strangers, so the program runs without a shell. An id
    may begin with a hyphen: put -- before it, as in
    `liveportal requests show -- "$LIVEPORTAL_REQUEST"`.

    Events of your own calendar (--busy) are conflicts, too; it is read again for each new request.

    Examples:
      liveportal requests watch feed.jsonl
      liveportal requests watch feed.jsonl --matching --bell --exec "notify-send 'A request'"
      curl -sN https://help.example/feed | liveportal requests watch - --jsonl
    """
    if out.output == Path(STDIN):
        out = replace(out, output=None)
    format_options.check()
    _check_options(feed, wanted, out, ledger)
    calendars.calendar()  # A mistake in it is better reported now than with the first request.
    with ExitStack() as stack:
        stream = stack.enter_context(open_feed(feed)) if feed != STDIN else _stdin()
        rejects = wanted.rejects
        bad_lines = stack.enter_context(_open_rejects(rejects)) if rejects else None
        portal = stack.enter_context(open_portal(ledger))
        reject_log = _Rejects(bad_lines)
        wait = Wait(wanted.interval, out)
        if feed == STDIN:
            chunks = read_stream(stream, wait)
        else:
            chunks = follow(stream, feed, wait, once=wanted.once)
        seen: Counter[str] = Counter()
        reject = reject_log.reject if rejects else None
        record = partial(portal.sync, feed_format=format_options.feed_format(portal))
        rows = _new_rows(portal, record, chunks, reject, wanted, calendars)
        hint(f"Watching {'standard input' if feed == STDIN else feed}. Press Ctrl-C to stop.")
        interrupted = False
        try:
            _show(_counted(rows, seen), out)
        except KeyboardInterrupt as interruption:
            end_quietly(interruption)
            interrupted = True
        hint(_summary(seen, reject_log.count))
    if reject_log.count and not interrupted:
        raise rejected_lines(reject_log.count, rejects)


def _counted(rows: Iterator[WatchedRequest], seen: Counter[str]) -> Iterator[WatchedRequest]:
    """Yield the rows, and count them by state in `seen`."""
    for request in rows:
        seen[request.state] += 1
        yield request


def _summary(seen: Counter[str], rejected: int) -> str:
    """Return a sentence about the requests that came while the feed was watched."""
    declined = f", and {seen['declined']} that your rules declined" if seen["declined"] else ""
    bad = f" {plural(rejected, 'line was', 'lines were')} rejected." if rejected else ""
    return f"Stopped watching: {plural(seen['open'], 'new request')}{declined}.{bad}"


def _check_options(
    feed: str, wanted: WatchOptions, out: OutputOptions, ledger: LedgerOption
) -> None:
    """Refuse options that conflict, and files that would be written over."""
    if math.isnan(wanted.interval):
        raise typer.BadParameter("It is not a number of seconds.", param_hint="--interval")
    _check_output(out, ends=wanted.once or feed == STDIN, once=wanted.once)
    wanted.command_words()
    input_files = (*ledger.files, *(() if feed == STDIN else (Path(feed),)))
    check_output_possible(columns(WatchedRequest), out, spared=input_files)
    check_target(wanted.rejects, (*input_files, *((out.output,) if out.output else ())))
    if feed != STDIN:
        check_input(Path(feed))


def _check_output(out: OutputOptions, *, ends: bool, once: bool) -> None:
    if out.json and not once:
        raise typer.BadParameter(
            "--json writes one array, which needs an end. Use --jsonl, or add --once."
        )
    if out.output is not None and not ends:
        raise typer.BadParameter(
            "--output writes a file at the end. Use the shell's >, or add --once."
        )


# --- recording --------------------------------------------------------------------------------


def _new_rows(
    portal: Portal,
    record: Record,
    chunks: Iterator[FeedChunk],
    reject: OnError | None,
    wanted: WatchOptions,
    calendars: BusyOptions,
) -> Iterator[WatchedRequest]:
    """Record the feed and yield its new requests; announce each after the caller has shown it."""
    for chunk in chunks:
        opened, failure = _record_chunk(record, chunk, reject)
        if opened:
            for request in _open_or_declined(portal, opened, wanted, calendars):
                yield request
                flush()
                if request.state == RequestState.OPEN:
                    _announce(request, wanted, portal.reader())
        if failure:
            raise failure


def _record_chunk(
    record: Record, chunk: FeedChunk, reject: OnError | None
) -> tuple[list[str], LiveportalError | None]:
    """Record a chunk; return the ids of new requests, and the error at which recording stopped.

    A chunk is one transaction, so after a bad line the lines before it are recorded separately.
    """
    outcomes: list[Outcome] = []
    failure: LiveportalError | None = None
    try:
        record(
            BytesIO(chunk.content), before=chunk.before, on_error=reject, on_outcome=outcomes.append
        )
    except LiveportalError as error:
        number = error.details.get("line")
        if not isinstance(number, int):
            raise
        error.hint = "What came before it is recorded; correct the line and watch again."
        mention_rejects(error)
        failure = error
        outcomes.clear()
        good_lines = chunk.content.split(b"\n", number - chunk.before - 1)[:-1]
        record(BytesIO(b"\n".join(good_lines)), before=chunk.before, on_outcome=outcomes.append)
    new_ids = [
        outcome.event.data.request
        for outcome in outcomes
        if outcome.status == "recorded" and isinstance(outcome.event.data, RequestOpened)
    ]
    return new_ids, failure


def _open_or_declined(
    portal: Portal, ids: list[str], wanted: WatchOptions, calendars: BusyOptions
) -> list[WatchedRequest]:
    """Decline by the rules; return the requests still open or just declined, in feed order."""
    now = utc_now()
    reasons = requests.auto_declines(portal.reader(), now, ids) if wanted.auto_decline else {}
    for name, reason in [*reasons.items()]:
        try:
            portal.execute(RequestDeclined(request=name, reason=reason))
        except Refused:  # Another process answered it meanwhile.
            del reasons[name]
    request_filter = RequestFilter(
        ids=ids, states=(RequestState.OPEN, RequestState.DECLINED), matching=wanted.matching
    )
    found = [
        WatchedRequest(**request, reason=reasons.get(request.id))
        for request in requests.requests(portal.reader(), now, request_filter, calendars.calendar())
        if request.state == RequestState.OPEN or request.id in reasons
    ]
    return sorted(found, key=lambda request: request.seq)


class _Rejects:
    """Counts bad lines, and writes each to the file of rejects at once."""

    def __init__(self, stream: TextIO | None) -> None:
        self.count = 0
        self._stream = stream
        self._write = reject_writer(stream)

    def reject(self, line: Line, error: LiveportalError) -> None:
        self.count += 1
        self._write(line, error)
        if self._stream:
            self._stream.flush()


def _open_rejects(path: Path) -> TextIO:
    """Open the file of rejects for appending, so that an interruption loses none of its lines."""
    try:
        return TextIOWrapper(atomic.append_to(path), encoding="utf-8", newline="")
    except OSError as error:
        raise atomic.output_failed(path, error) from error


# --- showing ----------------------------------------------------------------------------------


def _show(rows: Iterator[WatchedRequest], out: OutputOptions) -> None:
    """Write each request as it comes: one line on a terminal, else in the chosen format."""
    has_format = out.json or out.jsonl or out.csv or out.tsv or out.output or out.columns
    if has_format or sys.stdout is None or not sys.stdout.isatty():
        # With --fields a terminal gets rows, too: a table would have to wait for the last one.
        row_options = out if out.json or out.jsonl or out.csv else replace(out, tsv=True)
        render(Table(WatchedRequest, rows, (*HUMAN, "reason")), row_options)
        return
    for request in rows:
        sys.stdout.write(_format_line(request) + "\n")


def _format_line(request: WatchedRequest) -> str:
    """Format a request in one line, for a person."""
    customer, title = request.customer, clean(request.title or "")
    helped = f" ({request.helped}x)" if request.helped else ""
    short_title = title if len(title) <= LONGEST_TITLE else f"{title[:LONGEST_TITLE]}…"
    parts = [
        f"{request.id}: {request.kind}{', direct' if request.direct else ''}",
        f"{customer.name or customer.id}{helped}: {short_title}",
        f"{request.rate} {request.currency} a minute",
    ]
    if request.state == RequestState.DECLINED:
        return clean("; ".join([*parts, f"declined: {request.reason}"]))
    if request.earns:
        parts.append(f"earns {request.earns}")
    if request.matched_skills:
        parts.append(f"asks for {', '.join(request.matched_skills)}")
    if request.above_minimum is False:
        parts.append(f"your minimum is {request.minimum}")
    if clashes := (*request.conflicts, *titles(request.calendar_conflicts)):
        parts.append(f"clashes with {', '.join(clashes)}")
    if request.left_seconds is not None:
        parts.append(f"{format_length(request.left_seconds)} left")
    return clean("; ".join(parts))


def _announce(request: WatchedRequest, wanted: WatchOptions, reader: Reader) -> None:
    """Ring the bell and run the command, as chosen, for a request that was shown."""
    rings = wanted.bell
    if rings is None:
        notifications = parse_structured("notifications", reader.preferences.get("notifications"))
        rings = bool(notifications and notifications.bell)
    on_terminal = all(s is not None and s.isatty() for s in (sys.stdout, sys.stderr))
    if rings and on_terminal:  # On stderr, since the results may be JSON.
        sys.stderr.write("\a")
        sys.stderr.flush()
    if words := wanted.command_words():
        _run_command(words, request)


def _run_command(command: tuple[str, ...], request: WatchedRequest) -> None:
    """Run a command for a request; its failure is only a warning.

    The request, which strangers wrote, is passed on standard input, never as an argument.
    """
    import subprocess

    document = StringIO()
    render(Detail(WatchedRequest, request), OutputOptions(jsonl=True), stdout=document)
    try:
        result = subprocess.run(  # noqa: S603 -- The user's own command.
            command,
            input=document.getvalue().encode(),
            stdout=sys.stderr if sys.stderr is not None else subprocess.DEVNULL,
            env={**os.environ, VARIABLE: request.id},
            timeout=LONGEST_COMMAND_SECONDS,
            check=False,
        )
        failure = f"ended with {result.returncode}" if result.returncode else None
    except subprocess.TimeoutExpired:
        failure = f"was stopped after {LONGEST_COMMAND_SECONDS} seconds"
    except OSError as error:
        failure = f"could not be run: {error.strerror}"
    if failure and sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(clean(f"warning: {command[0]} {failure}, for {request.id}") + "\n")
            sys.stderr.flush()


# --- waiting ----------------------------------------------------------------------------------


def _stdin() -> BufferedReader:
    return stdin_bytes()  # type: ignore[return-value]  # It has `read1` in any case.
