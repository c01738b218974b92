"""`liveportal payout profile`: the encrypted data that payouts need, shown masked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.clock import utc_now
from liveportal.cli.commands.payouts.answers import key_changed, profile_changed
from liveportal.cli.commands.payouts.profile.options import Profile, read_file
from liveportal.cli.io.answers import ended, listed
from liveportal.cli.io.errors import NOTHING_RECORDED
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.prompts import STDIN, can_ask, confirm
from liveportal.cli.io.render import check_output_possible, hint, render
from liveportal.cli.io.view_model import Detail, HumanValue, Table, shows, shows_result
from liveportal.cli.io.view_model import Row as AnyRow
from liveportal.cli.options import (
    DryRun,
    LedgerOption,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    Yes,
    with_options,
)
from liveportal.cli.parse import profile_fields as checks
from liveportal.cli.read_command import display_zone, open_reader, reference_time, run_read
from liveportal.cli.signals import end_quietly
from liveportal.cli.write_command import Writer, open_portal, run_write
from liveportal.cli.write_result import Answer, show_answer
from liveportal.domain.clock import local_date
from liveportal.domain.errors import Caution, InvalidValue, LiveportalError, UnlikelyTaxNumber
from liveportal.domain.events.types import PayoutProfileRevealed
from liveportal.domain.frozen import replace
from liveportal.domain.profile.fields import MASKED, Changes, Values, changes, judge
from liveportal.domain.profile.requirements import Finding
from liveportal.domain.row import Row, columns, row
from liveportal.ledger.backup.last_backup import last_backup
from liveportal.ledger.queries import profile as profile_queries
from liveportal.ledger.queries.profile import ProfileRow
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.secrets.encrypted_fields import EncryptedFields

app = Commands(
    """Keep the details that the platform needs to pay you.

    The profile has the payee, the account, the address and the tax form. It is encrypted in your
    ledger and shown masked. Nothing is sent to the platform.

    Examples:
      liveportal payout profile set
      liveportal payout profile check
    """,
    default="show",
)

HUMAN = tuple(
    name for name in columns(ProfileRow) if name not in ("filled", "revealed", "enter_again")
)
HUMAN_CHECK = ("requirement", "state", "until", "message", "hint")


@row
class ProfileChange(Row):
    """What a change of the profile set and cleared, and what is still missing."""

    fields: list[str]
    cleared: list[str]
    missing: list[str]


@row
class NewKey(Row):
    """A new key, the number of values that it encrypts, and where the old key is kept."""

    key: str
    kept_in: str | None
    values: int  # type: ignore[assignment]  # A name of JSON, and a method of mappings.
    dry_run: bool
    old_key: str
    old_key_in: str | None
    last_backup: str | None


@app.command("show")
@shows(ProfileRow)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show all values. Asks first, and is recorded.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Show your payout profile, with numbers masked.

    For an earlier time (--as-known) it shows only which fields were filled in.

    Examples:
      liveportal payout profile show
      liveportal payout profile show --reveal --field iban
    """
    if reveal and read.as_known is not None:
        raise typer.BadParameter("--reveal shows current values only. Leave out --as-known.")
    if reveal:
        row, zone = _reveal(ledger, read, out, yes=yes)
    else:
        with open_reader(ledger, read, out) as reader:
            values = {} if read.as_known else EncryptedFields(reader.db, reader.path).values()
            row, zone = _profile_row(reader, values, frozenset()), display_zone(reader, read)
    render(Detail(ProfileRow, row, HUMAN, title="Payout profile"), out, zone=zone)


def _reveal(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, *, yes: bool
) -> tuple[AnyRow, str]:
    """Record that the requested masked values are revealed, and return the row with them."""
    check_output_possible(ProfileRow, out, spared=ledger.files)
    with open_portal(ledger) as portal:
        reader = portal.reader()
        values = EncryptedFields(reader.db, reader.path).values()
        requested = out.columns or MASKED
        names = tuple(name for name in MASKED if name in requested and name in values)
        if names:
            words = listed([name.replace("_", " ") for name in names], len(names))
            confirm(f"Show {words} in full? The ledger records that you did.", yes=yes)
            portal.execute(PayoutProfileRevealed(fields=names))
        return _profile_row(reader, values, frozenset(names)), display_zone(reader, read)


def _profile_row(reader: Reader, values: Values, revealed: frozenset[str]) -> AnyRow:
    """Return the profile as a row whose address is shown in lines on a terminal."""
    shown: dict[str, object] = {
        name: value.plain if name in revealed else str(value) for name, value in values.items()
    }
    if "address" not in values:
        return profile_queries.profile_row(reader, shown, revealed=bool(revealed))
    document = values["address"].plain
    shown["address"] = json.loads(document)
    profile = profile_queries.profile_row(reader, shown, revealed=bool(revealed))
    address = HumanValue(profile.address, lambda _now, _zone: checks.address_lines(document))
    return {**profile, "address": address}


@app.command("set")
@shows_result(ProfileChange)
@with_options(Profile, LedgerOption, WriteOptions, OutputOptions)
def set_(
    wanted: Profile,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    file: Annotated[
        str | None, typer.Option("--from", metavar="FILE", help="A TOML file; - is standard input.")
    ] = None,
    start_over: Annotated[
        bool,
        typer.Option(
            "--start-over", help="Clear the profile first, even if its key is lost. Asks first."
        ),
    ] = False,
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
) -> None:
    """Set your payout profile.

    On a terminal, without options, it asks for each field. With options, fields that you do not
    name stay as they are. Give an address as a whole, and a tax number with its form and the date
    of your signature. Pass '' to clear an optional field.

    Account and tax numbers cannot be typed as arguments, where others could see them: pass - to be
    asked for the number, or give them in a file.

    Examples:
      liveportal payout profile set
      liveportal payout profile set --name "Anna Example" --email anna@example.com
      liveportal payout profile set --country IE --line "1 Main St" --city Cork --region "Co. Cork"
      liveportal payout profile set --method iban --iban -
      liveportal payout profile set --tax-form w8ben --tax-signed 2026-11-02 --tax-number -
      liveportal payout profile set --from profile.toml --dry-run
    """
    if more:
        raise typer.BadParameter(
            "There is an argument without an option. Secret numbers are never given as arguments."
        )
    if file == STDIN and wanted.secrets:
        raise typer.BadParameter("Only one value can be read from standard input.")
    if file and file != STDIN:
        check_target(out.output, (Path(file),))

    def fill(writer: Writer) -> AnyRow:
        if start_over:
            filled = [
                name.replace("_", " ") for name in profile_queries.filled_fields(writer.reader)
            ]
            held = listed(sorted(filled), len(filled)) or "nothing"
            writer.ask(f"Clear your payout profile and start over? It has {held} now.")
        if wanted == Profile() and not (file or start_over):
            return _fill_profile(writer, _ask_profile(writer), write, was_asked=True)
        typed = wanted.values(writer.zone)
        given = {**(read_file(file, writer.zone) if file else {}), **typed}
        change = changes(checks.check_fields(given), afresh=start_over)
        return _fill_profile(writer, change, write, was_asked=False)

    run_write(fill, Answer(ProfileChange, sentence=profile_changed), ledger, write, out)


def _ask_profile(writer: Writer) -> Changes:
    """Ask for the profile on a terminal; without one, raise a usage error."""
    if not can_ask():
        raise typer.BadParameter("Name at least one field, or give --from FILE.")
    from liveportal.cli.commands.payouts.profile.wizard import (
        ProfileAnswers,
        whole_part,
        write_summary,
    )

    reader = writer.reader
    in_force = EncryptedFields(reader.db, reader.path).values()
    answers = ProfileAnswers(in_force, reader.policy.payout.methods, writer.zone)
    question = "Record it?"
    try:
        change = changes(checks.check_fields(answers.ask_all()))
    except KeyboardInterrupt as interruption:
        end_quietly(interruption)
        part = whole_part(
            answers.given,
            lambda given: _cautions(writer, changes(checks.check_fields(given)), in_force),
        )
        if not part:
            hint(NOTHING_RECORDED)
            raise
        change = changes(checks.check_fields(part))
        question = "Record these answers now, and the others later?"
    for caution in _cautions(writer, change, in_force):
        writer.ask(f"{ended(caution.message)} Continue anyway?")
    if change.event_fields:
        write_summary(change, in_force)
        writer.ask(question)
    return change


def _cautions(writer: Writer, change: Changes, in_force: Values) -> list[Caution]:
    """Return the cautions about a change of the profile in force."""
    today = local_date(utc_now(), writer.zone)
    methods = writer.reader.policy.payout.methods
    cautions = list(judge(change, in_force, methods=methods, today=today))
    after = {name: value.plain for name, value in change.after(in_force).items()}
    number, country = after.get("tax_number", ""), after.get("country", "")
    is_new_w8ben = "tax_number" in change.values and after["tax_form"] == "w8ben"
    if is_new_w8ben and not checks.is_likely(number, country):
        cautions.append(
            UnlikelyTaxNumber(
                f"The value of tax_number does not look like a tax number of {country}.",
                hint="Compare it with a letter from your tax office. --anyway sets it regardless.",
            )
        )
    return cautions


def _fill_profile(
    writer: Writer, change: Changes, write: WriteOptions, *, was_asked: bool
) -> AnyRow:
    """Record a change and return its result row."""

    def check_change(in_force: Values) -> None:
        cautions = _cautions(writer, change, in_force)
        if cautions and not (was_asked or write.anyway):
            raise cautions[0]

    missing: list[str] = []

    def read_missing(reader: Reader) -> None:
        missing.extend(profile_queries.missing_fields(reader))

    outcome = writer.portal.fill_profile(
        change,
        check_change,
        at=writer.at,
        key=write.key,
        allow=writer.allowed,
        read_back=read_missing,
    )
    recorded_fields = change.event_fields if outcome else ()
    row = {
        "id": "payout_profile",
        "state": "changed" if outcome else "unchanged",
        **dict.fromkeys(("error", "message")),
        "fields": [name for name in recorded_fields if name in change.values],
        "cleared": [name for name in recorded_fields if name not in change.values],
        "missing": missing,
        "time": outcome.event.time if outcome else None,
        "event": outcome.event.id if outcome else None,
        "flags": list(outcome.flags) if outcome else [],
        "replayed": bool(outcome and outcome.status == "replayed"),
        "confirmed": False,
        "dry_run": write.dry_run,
    }
    return writer.unrecorded(row)


@app.command("check")
@shows(Finding, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def check(ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Check whether your payout profile is complete.

    For each requirement of a payout it shows what is missing, why, and the option that sets it. It
    also decrypts the profile, and compares it with the fingerprints in the journal.

    Examples:
      liveportal payout profile check
      liveportal payout profile check --json
    """

    def query(reader: Reader) -> Table:
        today = local_date(reference_time(reader), display_zone(reader, read))
        rows = profile_queries.findings(reader, today)
        if profile_queries.is_sealed(reader):
            rows = _with_seal_check(reader, rows)
        return Table(Finding, rows, HUMAN_CHECK)

    run_read(query, ledger, read, out)


def _with_seal_check(reader: Reader, rows: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Check that values decrypt, match the journal's fingerprints, and the address is complete."""
    encrypted_fields, seal = EncryptedFields(reader.db, reader.path), Finding(requirement="seal")
    try:
        values = encrypted_fields.values()
        changed = encrypted_fields.disproved(values)
    except LiveportalError as error:
        return *rows, _failed(seal, error.code, error)
    if changed:
        seal = replace(
            seal,
            state="changed",
            blocks=True,
            message=f"{listed(changed, len(changed))}: changed outside of this program",
            hint="Restore a backup, or set these fields again.",
        )
    return *(_with_address_check(row, values) for row in rows), seal


def _with_address_check(finding: Finding, values: Values) -> Finding:
    if finding.requirement != "address" or "address" not in values:
        return finding
    parts = json.loads(values["address"].plain)
    country = parts.pop("country")
    try:
        checks.address(parts, country)
    except InvalidValue as error:
        return _failed(finding, "incomplete", error)
    return finding


def _failed(finding: Finding, state: str, error: LiveportalError) -> Finding:
    return replace(finding, state=state, blocks=True, message=error.message, hint=error.hint)


@app.command("rotate-key")
@shows(NewKey)
@with_options(LedgerOption, OutputOptions)
def rotate_key(
    ledger: LedgerOption,
    out: OutputOptions,
    keep_old_key: Annotated[
        Path | None,
        typer.Option(
            "--keep-old-key",
            metavar="FILE",
            help="Keep the old key in this file, for old backups.",
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,  # noqa: ARG001 -- The command asks nothing.
) -> None:
    """Encrypt the payout profile with a new key.

    The new key replaces the old one in the system's keyring or, if the extra "keyring" is not
    installed or LIVEPORTAL_KEYRING=off, in a file beside the ledger (ledger.db.key). Backups that
    are not encrypted do not contain it: keep a copy elsewhere.

    Older backups need the old key. Without it they can be restored, but their payout profile cannot
    be read. An encrypted backup has its own copy of a key that was in a file. So keep the old key,
    or make a new backup, or both. Anyone who has the old key and an older copy of the ledger can
    still read the old profile.

    Examples:
      liveportal payout profile rotate-key --keep-old-key /media/stick/old.key
      liveportal payout profile rotate-key && liveportal ledger backup --to backups
    """
    check_output_possible(NewKey, out, spared=ledger.files)
    if keep_old_key == Path(STDIN):
        raise typer.BadParameter("a key needs a file name", param_hint="--keep-old-key")
    check_target(keep_old_key, (*ledger.files, *((out.output,) if out.output else ())))
    with open_portal(ledger, dry_run=dry_run) as portal:
        rotation = portal.rotate_key(keep_old_key)
    backup = last_backup(ledger.path)
    new_key = NewKey(
        **rotation._asdict(),
        dry_run=dry_run,
        old_key_in=None if dry_run or keep_old_key is None else str(keep_old_key),
        last_backup=str(backup.path) if backup else None,
    )
    detail = Detail(NewKey, new_key, sparse=True)
    show_answer(detail, key_changed(new_key), out, ledger=ledger, dry_run=dry_run)
