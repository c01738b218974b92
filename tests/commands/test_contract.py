"""What all commands share: help, options, dry runs, keys, formats, fields."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.cli.app import COMMANDS
from tests.kit.shell import OCTOBER, SetClock, Shell
from tests.kit.states import READS, WRITES, Write, command_of

if TYPE_CHECKING:
    from pathlib import Path

FIRST_FORM = {
    "requests": "list show accept decline add withdraw watch",
    "sessions": "list upcoming show start pause resume end cancel miss reschedule log correct tip"
    " review reviews attach search calendar check",
    "refunds": "list show claim concede grant deny withdraw",
    "dispute": "file show list withdraw rule evidence verify",
    "earnings": "summary months sessions transactions adjust explain check diff statement",
    "payout": "preview forecast overdue list show record paid fail return",
    "payout profile": "show set check rotate-key",
    "preferences": "show set export import",
    "policy": "list show use check rules infer",
    "customers": "list show",
    "ledger": "info verify backup restore reverse forget path",
}
SINGLE = ("init", "demo", "sync", "due", "doctor")
GROUPED = tuple(f"{group} {name}" for group, names in FIRST_FORM.items() for name in names.split())
# Commands that show no rows, or need a file or text, have tests of their own.
ELSEWHERE = {
    *("ledger backup", "ledger restore"),
    *(
        "policy check",
        "policy rules",
        "policy infer",
        "ledger verify",
        "ledger path",
        "requests watch",
        "sessions search",
    ),
    *("sessions calendar", "dispute evidence", "dispute verify", "earnings explain"),
    *("earnings statement", "payout overdue", "preferences export", "payout profile rotate-key"),
}
FORMATS = ("--json", "--jsonl", "--csv", "--tsv", "--header", "--output", "-o", "--fields")

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)

reads = pytest.mark.parametrize("command", READS)
writes = pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)


@pytest.fixture(autouse=True)
def _ages_stand_still(clock: SetClock) -> None:
    """Freeze the clock that ages and remaining times are calculated from."""
    clock.set(NOW)


def _options(shell: Shell, *command: str) -> set[str]:
    text = shell.output_of(*command, "--help")
    return {word.strip(",[]") for word in text.split() if word.startswith("-")}


# --- help and options -----------------------------------------------------------------------------


def test_every_command_has_help_with_an_example(nothing: Shell) -> None:
    """Every command of the first form exists, and its help has an example of itself."""
    for command in (*SINGLE, *GROUPED):
        text = nothing.output_of(*command.split(), "--help")
        assert f"liveportal {command} " in text
        examples = text.partition("Example")[2]
        assert f"liveportal {command.removesuffix(' summary')}" in examples, command
    assert not nothing.ledger.exists()


def test_the_root_lists_every_group_and_each_group_its_commands(nothing: Shell) -> None:
    """`--help` lists every command; a bare group runs its default, which its help names."""
    assert {*SINGLE, *FIRST_FORM} - {"payout profile"} <= set(COMMANDS)
    text = nothing.output_of("--help")
    for name in (*SINGLE, *FIRST_FORM):
        assert f"\n  {name} " in text or " " in name
    for group, names in FIRST_FORM.items():
        listed = nothing.output_of(*group.split(), "--help")
        for name in names.split():
            assert f"\n  {name} " in listed, (group, name)


@pytest.mark.parametrize(
    ("group", "default"),
    [
        *(("requests", "list"), ("refunds", "list"), ("dispute", "list"), ("policy", "list")),
        ("customers", "list"),
        *(("sessions", "upcoming"), ("payout", "preview"), ("ledger", "info")),
        *(("earnings", "summary"), ("preferences", "show"), ("payout profile", "show")),
    ],
)
def test_a_bare_group_is_its_default_command(states: Shell, group: str, default: str) -> None:
    """Its options work without the command's name, and its help names it."""
    words = group.split()
    assert states.ok(*words) == states.ok(*words, default)
    assert f"Default command: {default}." in states.output_of(*words, "--help")


def test_every_catalogued_command_is_of_the_first_form() -> None:
    """These tests run every command that reads or records one entity."""
    covered = {
        *(" ".join(command_of(command)) for command in READS),
        *(write.name for write in WRITES),
    }
    assert covered == {*GROUPED, "due"} - ELSEWHERE


def test_every_write_has_the_writing_options(nothing: Shell) -> None:
    """Every write takes --dry-run, --at, --key and --yes, and shows its result in every format."""
    options = {"--dry-run", "--at", "--key", "--yes", "--ledger", *FORMATS}
    for write in WRITES:
        assert _options(nothing, *command_of(write.argv)) >= options, write.name


def test_every_read_has_the_reading_options(nothing: Shell) -> None:
    """Every read takes --as-known and every format."""
    for command in READS:
        given = _options(nothing, *command_of(command))
        assert given >= {"--as-known", "--ledger", *FORMATS}, command


@pytest.mark.parametrize("command", ["init", "sync"])
def test_yes_is_accepted_everywhere_where_something_is_written(
    nothing: Shell, command: str
) -> None:
    """Every write accepts --yes, so that a script may always pass it."""
    assert "--yes" in _options(nothing, command)


@pytest.mark.parametrize("span", ["--year 2026", "--from 2026-10", "--from 2026-10 --to 2026-10"])
def test_the_summary_of_a_year_or_span_is_a_summary(october: Shell, span: str) -> None:
    """`earnings` takes --year, or --from and --to, beside --month: one summary of them all."""
    summary = october.ok("earnings", *span.split())
    assert summary["net"] == "210.55"
    assert summary["sessions"] == 3


# --- writes ---------------------------------------------------------------------------------------


@writes
def test_a_dry_run_shows_the_result_and_keeps_nothing(states: Shell, write: Write) -> None:
    """A dry run prints the write's result, asks nothing, and leaves no trace.

    A wrong --fields is reported before the write, which must not have happened.
    """
    before = states.dump()
    ran = states.run(*write.argv, "--at", write.at, "--yes", "--fields", "id,bogus")
    assert ran.code == 1
    assert "'bogus'" in ran.err
    tried = states.ok(*write.argv, "--at", write.at, "--key", "k", "--dry-run")
    assert states.dump() == before
    assert tried["dry_run"] is True
    assert tried["error"] is None
    done = states.ok(*write.argv, "--at", write.at, "--key", "k", "--yes")
    made_up = {"id"} if "-" in str(tried["id"]) and tried["id"] != done["id"] else set()
    same = done.keys() - {"dry_run"} - made_up
    assert {name: done[name] for name in same} == {name: tried[name] for name in same}
    assert done["dry_run"] is False
    assert len(done["event"]) > 0


@pytest.mark.slow
@writes
def test_the_same_key_records_once(states: Shell, write: Write) -> None:
    """A replay shows what that event did, with its flags; records nothing, exits 0.

    Only what asks needs --yes, without a terminal.
    """
    yes = ("--yes",) if write.asks else ()
    done = states.ok(*write.argv, "--at", write.at, "--key", "k", *yes)
    assert (done["replayed"], done["event"]) == (False, "k")
    before = states.dump()
    again = states.ok(*write.argv, "--at", write.at, "--key", "k", "--yes")
    assert again == done | {"replayed": True}
    # Only given arguments are compared: without --at, the time is the first result's.
    assert states.ok(*write.argv, "--key", "k", "--yes") == again
    assert states.dump() == before
    # A key that was used for other content is refused, and the differences are named.
    other = (*write.argv, "--key", "k", "--yes", "--at", "2026-12-31 23:00")
    error = states.refuses(4, *other)
    assert (error["code"], error["details"]["fields"]) == ("conflict", ["time"])


@pytest.mark.parametrize("write", [write for write in WRITES if write.asks], ids=lambda w: w.name)
def test_a_question_needs_yes_without_a_terminal(states: Shell, write: Write) -> None:
    """Without a terminal and --yes nothing is done: exit 7, and the hint says how."""
    error = states.refuses(7, *write.argv, "--at", write.at)
    assert error["code"] == "confirmation_needed"
    assert "--yes" in error["hint"]


def test_an_output_that_cannot_be_made_is_refused_before_anything_is_recorded(
    october: Shell,
) -> None:
    """A missing folder is reported before the write, with exit code 74."""
    before = october.dump()
    missing = october.folder / "missing" / "out.json"
    ran = october.run("sessions", "tip", "S-1002", "5", "--json", "-o", missing)
    assert ran.code == 74
    assert october.dump() == before


# --- reads ----------------------------------------------------------------------------------------


@pytest.mark.slow
@reads
def test_a_read_in_every_format(states: Shell, command: str) -> None:
    """All formats have the same fields and rows; -o writes the same into a private file.

    JSON begins with the documented fields, in order; more may follow. --fields shows only those
    that are named, in this order; --field is the same. The ledger's file stays as it was.
    """
    argv = command.split()
    before = states.ledger.read_bytes()
    rows = _as_list(states.ok(*argv))
    assert tuple(rows[0])[: len(READS[command])] == READS[command]
    if command == "requests list":
        assert list(rows[0]["customer"]) == ["id", "name"]
    if command == "earnings summary --month 2026-10":
        assert list(rows[0]["balance"]) == ["owed", "held", "in_transit", "paid_out"]
    lines = states.output_of(*argv, "--jsonl").splitlines()
    assert [json.loads(line) for line in lines] == rows
    as_csv = states.output_of(*argv, "--csv")
    header, *table = csv.reader(io.StringIO(as_csv))
    every = states.output_of(*argv, "--fields", "all")
    assert [line.split("\t") for line in every.splitlines()] == table
    assert states.output_of(*argv, "--tsv", "--header", "--fields", "all") == (
        "\t".join(header) + "\n" + every
    )
    piped = states.output_of(*argv)
    assert states.output_of(*argv, "--tsv") == piped
    assert len(table) == len(rows) == piped.count("\n")
    # A pipe has the columns of a terminal, with the same values.
    names, *shown = states.output_of(*argv, "--tsv", "--header").splitlines()
    places = [header.index(name) for name in names.split("\t")]
    assert [line.split("\t") for line in shown] == [[row[n] for n in places] for row in table]
    assert shown == piped.splitlines()
    top = list(dict.fromkeys(name.partition(".")[0] for name in header))
    assert all(list(row) == top for row in rows)
    assert states.output_of(*argv, "--csv", "-o", "out.csv") == ""
    written = states.folder / "out.csv"
    assert written.read_text() == as_csv
    assert written.stat().st_mode & 0o777 == 0o600
    two = list(rows[0])[:2][::-1]
    chosen = [{name: row[name] for name in two} for row in rows]
    for options in (("--fields", ",".join(two)), ("--field", two[0], "--field", two[1])):
        answer = _as_list(states.ok(*argv, *options))
        assert answer == chosen
        assert all(list(row) == two for row in answer)
    assert states.ledger.read_bytes() == before


@pytest.mark.slow
@reads
def test_as_known_before_the_beginning_is_an_empty_book(states: Shell, command: str) -> None:
    """--as-known shows what was recorded by then; before the first event, nothing."""
    argv = (*command.split(), "--as-known", "2001-01-01")
    if " show " in f"{command} " and len(command.split()) > len(command_of(command)):
        assert states.refuses(3, *argv)["code"] == "not_found"
        return
    shown = states.ok(*argv)
    if command in ("requests list", "sessions list", "earnings transactions", "payout list"):
        assert shown == []
    if command in ("sessions check", "sessions reviews", "payout forecast", "due"):
        assert shown == []
    if command == "ledger info":
        assert (shown["events"], shown["transactions"], shown["head"]) == (0, 0, None)


@pytest.mark.slow
@reads
def test_as_known_now_is_what_is_shown_now(states: Shell, command: str) -> None:
    """A replay of the whole journal shows the same as the ledger itself."""
    now = states.ok(*command.split())
    known = states.ok(*command.split(), "--as-known", "2999-01-01")
    if command == "ledger info":
        same = ("currency", "timezone", "own_timezone", "policy", "events", "transactions")
        now, known = ({name: row[name] for name in same} for row in (now, known))
    assert known == now


def _as_list(shown: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- Whatever JSON holds.
    return shown if isinstance(shown, list) else [shown]


# --- which ledger ---------------------------------------------------------------------------------


def test_the_nearest_ledger_wins(october: Shell, made: Path) -> None:
    """--ledger wins over the variable, in any position; the one nearest the command wins."""
    other = october.folder / "other.db"
    shutil.copyfile(made / "empty", other)
    listing = ("requests", "list", "--all", "--field", "id")
    assert len(october.output_of(*listing).splitlines()) == 6
    assert october.output_of("--ledger", other, *listing) == ""
    assert october.output_of(f"--ledger={other}", *listing) == ""
    assert october.output_of("requests", "--ledger", other, "list", "--field", "id") == ""
    assert october.output_of(*listing, "--ledger", other) == ""
    nearest = october.output_of("--ledger", other, *listing, "--ledger", october.ledger)
    assert len(nearest.splitlines()) == 6


def test_without_option_and_variable_the_ledger_is_in_the_users_folder(
    nothing: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user-data folder is the last resort; `ledger path` says where that is."""
    monkeypatch.delenv("LIVEPORTAL_LEDGER")
    result = nothing.ok("ledger", "path")
    assert result["exists"] is False
    assert result["path"].startswith(os.environ["HOME"])
    assert nothing.ok("init")["path"] == result["path"]
    assert nothing.ok("ledger", "path")["exists"] is True
    assert nothing.ok("sync", OCTOBER)["recorded"] == 22
    assert nothing.output_of("ledger", "path") == result["path"] + "\n"
