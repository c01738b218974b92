"""`liveportal payout profile`: what is needed to pay you, sealed, and shown masked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.commands.payouts.profile.options import Profile, from_file
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.prompts import STDIN, can_ask, confirm
from liveportal.cli.io.render import check_output_possible, hint, render
from liveportal.cli.io.view_model import Detail, HumanValue, Row, Table
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    Yes,
    with_options,
)
from liveportal.cli.parse import profile_fields as checks
from liveportal.cli.parse.times import utc_now
from liveportal.cli.read_command import display_zone, open_reader, reference_time
from liveportal.cli.write_command import Writer, open_writer, show_result
from liveportal.domain.clock import local_date
from liveportal.domain.errors import Caution, InvalidValue, LiveportalError, UnlikelyTaxNumber
from liveportal.domain.events.types import PayoutProfileRevealed
from liveportal.domain.profile.fields import MASKED, Changes, Values, changes, judge
from liveportal.ledger.backup.last_backup import LastBackup, last_backup
from liveportal.ledger.queries import profile as seen
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.secrets.encrypted_fields import EncryptedFields
from liveportal.portal import Outcome, Portal

app = Commands("Your payout profile: show, set, check, rotate-key.", default="show")

FIELDS = (*seen.FIELDS, "revealed", "enter_again")
RESULT_FIELDS = ("fields", "cleared", "missing")
KEY_FIELDS = ("key", "kept_in", "values", "dry_run", "old_key", "old_key_in", "last_backup")
HUMAN = tuple(name for name in FIELDS if name not in ("filled", "revealed", "enter_again"))
HUMAN_CHECK = ("requirement", "state", "until", "message", "hint")


@app.command("show")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    reveal: Annotated[
        bool,
        typer.Option("--reveal", help="Show all of it; asks first, and is recorded before."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Reveal without asking.")] = False,
) -> None:
    """Show your payout profile, account and tax numbers masked.

    As of an earlier time (--as-known) only what was filled in is known.

    Examples:
      liveportal payout profile show
      liveportal payout profile show --reveal --field iban
    """
    if reveal and read.as_known is not None:
        raise typer.BadParameter("values are those of now", param_hint="--as-known")
    if reveal:
        row, zone = _revealed(ledger, read, out, yes=yes)
    else:
        with open_reader(ledger, read, out) as reader:
            values = {} if read.as_known else EncryptedFields(reader.db, reader.path).values()
            row, zone = _row(reader, values, frozenset()), display_zone(reader, read)
    human = (*HUMAN, "enter_again") if row["enter_again"] else HUMAN
    render(Detail(FIELDS, row, human, title="Payout profile"), out, zone=zone)


def _revealed(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, *, yes: bool
) -> tuple[Row, str]:
    """Record that the masked values that were asked for are shown, and return them in full."""
    check_output_possible(FIELDS, out, spared=ledger.files)
    with Portal.open(ledger.path) as portal:
        reader = portal.reader()
        values = EncryptedFields(reader.db, reader.path).values()
        asked = out.columns or MASKED
        names = tuple(name for name in MASKED if name in asked and name in values)
        if names:
            confirm(f"Show {', '.join(names)} in full? It is recorded that you did.", yes=yes)
            portal.execute(PayoutProfileRevealed(fields=names))
        return _row(reader, values, frozenset(names)), display_zone(reader, read)


def _row(reader: Reader, values: Values, plain: frozenset[str]) -> Row:
    texts: dict[str, object] = {
        name: value.plain if name in plain else str(value) for name, value in values.items()
    }
    if "address" in values:
        texts["address"] = _address(values["address"].plain)
    return {**seen.shown(reader, texts), "revealed": bool(plain)}


def _address(document: str) -> HumanValue:
    return HumanValue(json.loads(document), lambda _now, _zone: checks.address_lines(document))


@app.command("set")
@with_options(Profile, LedgerOption, WriteOptions, OutputOptions)
def set_(
    wanted: Profile,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    file: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="A TOML file; - is standard input."),
    ] = None,
    start_over: Annotated[
        bool,
        typer.Option(
            "--start-over", help="Forget what is there first, also if its key is lost; asks."
        ),
    ] = False,
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
) -> None:
    """Set your payout profile; on a terminal, without options, it asks for all of it.

    Account and tax numbers are never arguments: give - and be asked, or a file, or standard input.
    What you do not name stays as it is; the address is given whole, a tax number with its form and
    its date. An empty text clears what no payout needs.

    Examples:
      liveportal payout profile set
      liveportal payout profile set --name "Anna Example" --email anna@example.com
      liveportal payout profile set --country IE --line "1 Main St" --city Cork --region "Co. Cork"
      liveportal payout profile set --method iban --iban -
      liveportal payout profile set --tax-form w8ben --tax-signed 2026-11-02 --tax-number -
      liveportal payout profile set --from profile.toml --dry-run
    """
    if more:
        raise typer.BadParameter("an argument that belongs to no option; numbers are never typed")
    if file == STDIN and wanted.secrets:
        raise typer.BadParameter("standard input is read once", param_hint="--from")
    if file and file != STDIN:
        check_target(out.output, (Path(file),))
    asked = False
    with open_writer(ledger, write, out, RESULT_FIELDS) as writer:
        if start_over:
            writer.ask("Forget the whole payout profile first?")
        if wanted != Profile() or file or start_over:
            typed = wanted.given(writer.zone)
            given = {**(from_file(file, writer.zone) if file else {}), **typed}
            change = changes(checks.checked(given), afresh=start_over)
        else:
            change, asked = _asked(writer), True
        row = _filled(writer, change, write, asked=asked)
        zone = writer.zone
    show_result(row, RESULT_FIELDS, out, zone=zone)
    if row["missing"]:
        hint("`liveportal payout profile check` says what is missing, and why.")


def _asked(writer: Writer) -> Changes:
    """Ask for the profile on a terminal; ends with a usage error where there is nobody to ask."""
    if not can_ask():
        raise typer.BadParameter("name at least one field, or --from FILE; see --help")
    from liveportal.cli.commands.payouts.profile.wizard import ProfileAnswers, summary

    reader = writer.reader
    force = EncryptedFields(reader.db, reader.path).values()
    given = ProfileAnswers(force, reader.policy.payout.methods, writer.zone).everything()
    change = changes(checks.checked(given))
    for caution in _cautions(writer, change, force):
        writer.ask(f"{caution.message}. Go on all the same?")
    if change.told:
        summary(change, force)
        writer.ask("Record it?")
    return change


def _cautions(writer: Writer, change: Changes, force: Values) -> list[Caution]:
    """Return what speaks against a change of the profile in force."""
    today = local_date(utc_now(), writer.zone)
    methods = writer.reader.policy.payout.methods
    found = list(judge(change, force, methods=methods, today=today))
    after = {name: value.plain for name, value in change.after(force).items()}
    number, country = after.get("tax_number", ""), after.get("country", "")
    told = "tax_number" in change.values and after["tax_form"] == "w8ben"
    if told and not checks.is_likely(number, country):
        found.append(
            UnlikelyTaxNumber(
                f"tax_number: is none that {country} gives to people, by its form or check digits",
                hint="Compare it with a letter of your tax office; --anyway sets it all the same.",
            )
        )
    return found


def _filled(writer: Writer, change: Changes, write: WriteOptions, *, asked: bool) -> Row:
    """Record a change, and return its result."""

    def judged(force: Values) -> None:
        cautions = _cautions(writer, change, force)
        if cautions and not (asked or write.anyway):
            raise cautions[0]

    def look(reader: Reader) -> dict[str, object]:
        return {"missing": seen.shown(reader, {})["missing"]}

    outcome, shown = writer.portal.fill_profile(
        change, judged, at=writer.at, key=write.key, allow=writer.allows, read_back=look
    )
    return {**_told(outcome, change), **shown, "dry_run": write.dry_run}


def _told(outcome: Outcome | None, change: Changes) -> dict[str, object]:
    told = change.told if outcome else ()
    return {
        "id": "payout_profile",
        "state": "changed" if outcome else "unchanged",
        **dict.fromkeys(("error", "message")),
        "fields": [name for name in told if name in change.values],
        "cleared": [name for name in told if name not in change.values],
        "time": outcome.event.time if outcome else None,
        "event": outcome.event.id if outcome else None,
        "flags": list(outcome.flags) if outcome else [],
        "replayed": bool(outcome and outcome.status == "replayed"),
        "confirmed": False,
    }


@app.command("check")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def check(ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Check what a payout needs of the profile: what is missing, why it blocks, what to do.

    It also opens what is sealed, and holds it against the fingerprints in the journal.

    Examples:
      liveportal payout profile check
      liveportal payout profile check --json
    """
    with open_reader(ledger, read, out) as reader:
        zone = display_zone(reader, read)
        rows: list[Row] = [*seen.checked(reader, local_date(reference_time(reader), zone))]
        if seen.is_sealed(reader):
            rows = _opened(reader, rows)
    render(Table(seen.CHECK_FIELDS, rows, HUMAN_CHECK), out, zone=zone)


def _opened(reader: Reader, rows: list[Row]) -> list[Row]:
    """Add whether the sealed values open and are the ones told of, and the address is complete."""
    seals = EncryptedFields(reader.db, reader.path)
    found: dict[str, object] = {
        **dict.fromkeys(seen.CHECK_FIELDS),
        "requirement": "seal",
        "state": "ok",
        "blocks": False,
    }
    try:
        values = seals.values()
        changed = seals.disproved(values)
    except LiveportalError as error:
        found |= {"state": error.code, "blocks": True, "message": error.message, "hint": error.hint}
        return [*rows, found]
    if changed:
        found |= {
            "state": "changed",
            "blocks": True,
            "message": f"{', '.join(changed)}: not what the journal has the fingerprint of",
            "hint": "Restore a backup, or set them anew.",
        }
    return [*(_with_address(row, values) for row in rows), found]


def _with_address(row: Row, values: Values) -> Row:
    if row["requirement"] != "address" or "address" not in values:
        return row
    given = json.loads(values["address"].plain)
    code = given.pop("country")
    try:
        checks.address(given, code)
    except InvalidValue as error:
        incomplete = {"state": "incomplete", "blocks": True, "message": error.message}
        return {**row, **incomplete, "hint": error.hint}
    return row


@app.command("rotate-key")
@with_options(LedgerOption, OutputOptions)
def rotate_key(
    ledger: LedgerOption,
    out: OutputOptions,
    keep_old_key: Annotated[
        Path | None,
        typer.Option(
            "--keep-old-key",
            metavar="FILE",
            help="Write the old key to this new file: older backups need it.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Try it; change nothing.", rich_help_panel="Writing")
    ] = False,
    yes: Yes = False,  # noqa: ARG001 -- Nothing is asked.
) -> None:
    """Seal the profile under a new key, and drop the old one when that is done.

    The key is in the system's keyring where there is one (the extra "keyring"; the environment's
    LIVEPORTAL_KEYRING=off leaves it out), else in a file beside the ledger, ledger.db.key. It is in
    no backup that is not encrypted: keep a copy elsewhere.

    Backups and copies of the ledger that were made before stay sealed with the old key. Without it
    they can be restored, but their payout profile cannot be read; an encrypted one has its own copy
    of the key, if that was in a file. So keep the old key, or make a new backup, or both.
    Whoever has the old key and an older copy of the ledger can still read what it held then.

    Examples:
      liveportal payout profile rotate-key --keep-old-key /media/stick/old.key
      liveportal payout profile rotate-key && liveportal ledger backup --to backups
    """
    check_output_possible(KEY_FIELDS, out, spared=ledger.files)
    if keep_old_key == Path(STDIN):
        raise typer.BadParameter("a key is not shown: name a file", param_hint="--keep-old-key")
    check_target(keep_old_key, (*ledger.files, *((out.output,) if out.output else ())))
    with Portal.open(ledger.path, dry_run=dry_run) as portal:
        done = portal.rotate_key(keep_old_key)
    backup = last_backup(ledger.path)
    row = {
        **done._asdict(),
        "dry_run": dry_run,
        "old_key_in": None if dry_run or keep_old_key is None else str(keep_old_key),
        "last_backup": str(backup.path) if backup else None,
    }
    human = tuple(name for name in KEY_FIELDS if row[name])
    render(Detail(KEY_FIELDS, row, human, title="Key changed"), out)
    _tell_of_backups(done.old_key, keep_old_key, backup)


def _tell_of_backups(old_key: str, kept: Path | None, backup: LastBackup | None) -> None:
    """Say what becomes of the backups that were made under the old key."""
    where = f"in {kept}" if kept else "not kept: without your own copy it cannot be read any more"
    hint(f"Older backups and copies have the profile sealed with the key {old_key}, {where}.")
    last = f"; the last one is {backup.path}" if backup else ""
    hint(f"Make a new backup: `liveportal ledger backup`{last}.")
