"""Shared options are spelt once, and reach a command as objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import pytest
import typer
from typer.main import get_command

from liveportal.cli.app import Commands
from liveportal.cli.completion import ids
from liveportal.cli.ledger_path import LEDGER_VARIABLE, default_ledger
from liveportal.cli.options import (
    LedgerOption,
    Options,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    many_ids,
    with_options,
)
from liveportal.cli.write_command import WriteStep, records
from liveportal.cli.write_result import Answer
from liveportal.domain.frozen import frozen

if TYPE_CHECKING:
    from tests.cli.conftest import Run


@pytest.mark.parametrize(
    "argv",
    [
        ("--ledger", "/a", "sample", "rows"),
        ("sample", "--ledger", "/a", "rows"),
        ("sample", "--ledger=/a", "rows"),
        ("sample", "rows", "--ledger", "/a"),
        ("--ledger", "/b", "sample", "--ledger", "/c", "rows", "--ledger", "/a"),
        ("sample", "within", "--ledger", "/a", "deep"),
        ("sample", "--ledger", "/a", "within", "deep"),
    ],
)
def test_the_ledger_may_be_named_anywhere(
    run: Run, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    """Before or after the subcommand; the nearest wins, and any wins over the variable."""
    monkeypatch.setenv(LEDGER_VARIABLE, "/variable")
    result = run(*argv, "--field", "path")
    assert result.code == 0
    assert set(result.out.splitlines()) == {str(Path("/a"))}


def test_the_variable_wins_over_the_usual_place(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable counts as not set."""
    monkeypatch.setenv(LEDGER_VARIABLE, "/variable")
    assert run("sample", "within", "deep").out == f"{Path('/variable')}\n"
    monkeypatch.setenv(LEDGER_VARIABLE, "")
    assert run("sample", "within", "deep").out == f"{default_ledger()}\n"


def test_the_usual_place_is_the_users_own(tmp_ledger_env: Path) -> None:
    """Without any word from the user, a ledger lives in the user's data folder."""
    path = default_ledger()
    assert path.name == "ledger.db"
    assert "liveportal" in path.parts
    assert path.is_relative_to(tmp_ledger_env)
    assert LedgerOption().path == path


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--json", "--csv"), "Choose one format: --json or --csv."),
        (("--tsv", "--jsonl"), "Choose one format: --jsonl or --tsv."),
        (("--json", "--header"), "--header is for rows."),
    ],
)
def test_two_formats_are_wrong_usage(run: Run, argv: tuple[str, ...], message: str) -> None:
    """Neither is silently preferred."""
    result = run("sample", "rows", *argv)
    assert result.code == 2
    assert message in result.err
    assert result.out == ""


def test_fields_may_be_given_together_or_apart() -> None:
    """`--fields a,b` and `--field a --field b` are the same; none given is not no fields."""
    assert OutputOptions().columns is None
    assert OutputOptions(fields=["a, b", "c"]).columns == ("a", "b", "c")


def test_options_reach_the_command(run: Run) -> None:
    """Each option arrives in its group; a shared one arrives in both."""
    result = run(
        *("sample", "write", "--json", "--at", "yesterday 14:00", "--as-known", "2026-10-05"),
        *("--key", "K", "--dry-run", "--yes", "--timezone", "UTC"),
    )
    assert json.loads(result.out) == {
        "known_at": "2026-10-05T23:59:59.999999Z",
        "at": "2026-10-08T14:00:00Z",
        "key": "K",
        "dry_run": True,
        "yes": True,
        "same_zone": True,
    }


def test_what_is_not_given_is_none(run: Run) -> None:
    """A default time is up to the caller: it must not look as if it had been given."""
    assert json.loads(run("sample", "write", "--json").out) == {
        "known_at": None,
        "at": None,
        "key": None,
        "dry_run": False,
        "yes": False,
        "same_zone": True,
    }


def test_what_happened_on_a_weekday_is_past(run: Run) -> None:
    """`--at "monday 9am"` is the last Monday, in the zone that the command names."""
    result = run("sample", "write", "--at", "monday 9am", "--field", "at")
    assert result.out == "2026-10-05T07:00:00Z\n"


@pytest.mark.parametrize("zone", ["Nowhere/Else", "../etc/passwd", ""])
def test_a_zone_that_is_none(run: Run, zone: str) -> None:
    """A mistyped zone is malformed input, never UTC."""
    result = run("sample", "write", "--at", "9:00", "--timezone", zone)
    if zone:
        assert result.code == 1
        assert "is not a time zone" in result.err


def test_a_command_must_take_the_options_it_is_given() -> None:
    """A slip of a command's author is found when the command is built."""
    app = Commands()

    @app.command("wrong")
    @with_options(OutputOptions, WriteOptions)
    def wrong(out: OutputOptions) -> None: ...

    with pytest.raises(TypeError, match="does not take the options"):
        get_command(app)


def test_a_command_must_not_spell_a_shared_option_itself() -> None:
    """Two parameters of one name would shadow each other."""
    app = Commands()

    @app.command("twice")
    @with_options(ReadOptions)
    def twice(read: ReadOptions, timezone: str = "UTC") -> None: ...

    with pytest.raises(TypeError, match="timezone"):
        get_command(app)


@frozen
class Months(Options):
    """A group that the help lists before the command's own options."""

    comes_first: ClassVar[bool] = True
    month: Annotated[str | None, typer.Option("--month")] = None


def _parameters(app: Commands) -> list[str]:
    return [parameter.name or "" for parameter in get_command(app).params]


def test_a_group_may_come_before_the_commands_own_options() -> None:
    """After what must be given, before what may be; all other groups come last."""
    app = Commands()

    @app.command("sum")
    @with_options(LedgerOption, Months)
    def total(
        name: Annotated[str, typer.Argument()],
        ledger: LedgerOption,
        months: Months,
        by: Annotated[str | None, typer.Option("--by")] = None,
    ) -> None: ...

    assert _parameters(app) == ["name", "month", "by", "ledger"]


def test_a_command_that_records_has_the_options_of_all_writes() -> None:
    """Its function names only its own; the ids come first, and the shared options last."""
    app = Commands()

    @app.command("end")
    @records(Annotated[list[str], many_ids("Sessions", ids("session"))], Answer())
    def end(billed: Annotated[str | None, typer.Option("--billed")] = None) -> WriteStep:
        raise NotImplementedError(billed)

    own = ["ids", "billed", "ledger"]
    assert _parameters(app)[:3] == own
    assert {"dry_run", "at", "key", "json", "output"} <= set(_parameters(app)[3:])
