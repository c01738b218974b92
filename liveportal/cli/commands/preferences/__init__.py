"""`liveportal preferences`: rates, skills, languages, hours, and rules that decline requests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.clock import utc_now
from liveportal.cli.commands.preferences import answers, toml_document
from liveportal.cli.commands.preferences.options import Preferences
from liveportal.cli.commands.preferences.show import (
    PreferencesDetail,
    added_fields,
    human_preferences,
)
from liveportal.cli.io.output_file import check_target, open_output
from liveportal.cli.io.render import hint
from liveportal.cli.io.view_model import Detail, Row, shows, shows_result
from liveportal.cli.options import (
    LedgerOption,
    OutputFile,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.read_command import open_reader, reference_time, run_read
from liveportal.cli.write_command import Writer, run_write
from liveportal.cli.write_result import Answer
from liveportal.domain.errors import LedgerBusy
from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.domain.events.fields import decode
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.row import columns
from liveportal.domain.schedule.preferences import changed_preferences
from liveportal.ledger.queries import ledger_info
from liveportal.ledger.queries.ledger_info import PreferencesRow
from liveportal.ledger.queries.reader import Reader

app = Commands(
    """Show or set your rates, skills, languages, hours and rules.

    They decide which requests match, which ones are declined for you, and what conflicts.

    Examples:
      liveportal preferences set --skill shaders --minimum-rate 2.50
      liveportal preferences set --hours 'mon-fri 9:00-17:00'
    """,
    default="show",
)

CHANGED = Answer(PreferencesRow, sentence=answers.changed)
HUMAN_FIELDS = (*columns(PreferencesRow), "open_this_week")
UNCHANGED: Row = {
    "id": "preferences",
    "state": "unchanged",
    **dict.fromkeys(("error", "message", "time", "event")),
    "flags": [],
    **dict.fromkeys(("replayed", "confirmed"), False),
}


@app.command("show")
@shows(PreferencesDetail)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show your preferences and this week's hours.

    Examples:
      liveportal preferences show
      liveportal preferences show --as-known 2026-10-01
    """
    shown = run_read(preferences_detail, ledger, read, out)
    if not any(shown.row[name] for name in columns(PreferencesRow)):
        hint("No preferences are set. `liveportal preferences set --help` lists them.")


def preferences_detail(reader: Reader) -> Detail:
    """Return the page of the preferences, with this week's hours."""
    preferences = ledger_info.preferences(reader)
    now, zone = reference_time(reader), reader.own_timezone
    human = human_preferences(preferences, now, zone)
    row = {**human, **added_fields(preferences, now, zone)}
    return Detail(PreferencesDetail, row, HUMAN_FIELDS, title="Preferences")


@app.command("set")
@shows_result(PreferencesRow)
@with_options(Preferences, LedgerOption, WriteOptions, OutputOptions)
def set_(
    wanted: Preferences, ledger: LedgerOption, write: WriteOptions, out: OutputOptions
) -> None:
    r"""Change your preferences.

    Preferences that you do not name keep their values. Repeatable options replace the whole list;
    pass '' to clear it.

    Examples:
      liveportal preferences set --zone Europe/Paris --minimum-rate 2.50
      liveportal preferences set --skill shaders --skill urp --language en --language fr
      liveportal preferences set --hours 'mon-fri 9:00-12:30 13:30-18:00' --hours 'sat 10-12'
      liveportal preferences set --except 2026-12-25 --except '2026-12-24 9-12'
      liveportal preferences set --auto-decline 'below 2.50 and instant: pays too little'
      liveportal preferences set --vacation 2026-12-24..2027-01-02
      liveportal preferences set --vacation ''

    A rule of --auto-decline is `CONDITIONS: REASON`. The conditions, joined by `and`, are: below
    AMOUNT, instant, scheduled, not my skills, outside my hours, on vacation, shorter than MINUTES,
    customer ID.

    A rule of --recurring is `RRULE from START for LENGTH`, with an RRULE of RFC 5545:
      liveportal preferences set \
        --recurring 'FREQ=WEEKLY;INTERVAL=2;BYDAY=SA from 2026-10-03 10:00 for 3h'
    """
    if wanted == Preferences():
        raise typer.BadParameter("Name at least one preference. Your time zone is set with --zone.")

    def change(writer: Writer) -> Row:
        seq, in_force = ledger_info.preferences_before(writer.reader, CLI_SOURCE, write.key)
        return _record(writer, wanted.event(writer, in_force), seq)

    run_write(change, CHANGED, ledger, write, out)


@app.command("export")
@with_options(LedgerOption, ReadOptions)
def export(ledger: LedgerOption, read: ReadOptions, output: OutputFile = None) -> None:
    """Write your preferences as TOML.

    `preferences import` reads them again, also into another ledger.

    Examples:
      liveportal preferences export > preferences.toml
      liveportal preferences export -o then.toml --as-known 2026-10-01
    """
    with open_reader(ledger, read, OutputOptions(output=output)) as reader:
        document = reader.preferences
    text = toml_document.format_toml(document)
    with open_output(output) as stream:
        stream.write(text)


@app.command("import")
@shows_result(PreferencesRow)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A TOML file, or - for standard input.")
    ],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
) -> None:
    """Read preferences from a TOML file.

    All differences from your current preferences are recorded as one event.

    Examples:
      liveportal preferences import preferences.toml --dry-run
      liveportal preferences export --ledger old.db | liveportal preferences import -
    """
    check_target(out.output, (Path(file),))
    where, text = toml_document.content_of(file)

    def change(writer: Writer) -> Row:
        new = toml_document.parse_toml(text, where, writer.amount)
        seq, in_force = ledger_info.preferences_before(writer.reader, CLI_SOURCE, write.key)
        current = decode(PreferencesChanged, dict(in_force)) if in_force else PreferencesChanged()
        if changes := changed_preferences(new, current):
            return _record(writer, PreferencesChanged(**changes), seq)
        row = {**UNCHANGED, **_human_preferences(writer.reader), "dry_run": write.dry_run}
        return writer.unrecorded(row)

    run_write(change, CHANGED, ledger, write, out)


def _record(writer: Writer, data: PreferencesChanged, seq: int) -> Row:
    """Record preferences that were computed from the state after event `seq`."""

    def read_back(reader: Reader, _name: str) -> Row:
        # Checked within the transaction, so that no concurrent change is overwritten.
        if ledger_info.preferences_replaced(reader) != seq:
            raise LedgerBusy("Another process changed the preferences.", hint="Try again.")
        return _human_preferences(reader)

    return writer.record(data, "preferences", answer=Answer(PreferencesRow, read_back))


def _human_preferences(reader: Reader) -> dict[str, object]:
    return human_preferences(ledger_info.preferences(reader), utc_now(), reader.own_timezone)
