"""What commands do when little is said: this month, the last one, the machine's own zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from liveportal.cli.clock import system_timezone
from tests.kit.events import at
from tests.kit.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def november(october: Shell) -> Shell:
    """Give a shell in November, whose ledger holds October."""
    october.clock.set(at("11-04 12:00"))
    return october


def test_an_explanation_is_of_this_month(november: Shell) -> None:
    """`earnings explain` needs no month."""
    assert november.ok("earnings", "explain") == november.ok("earnings", "explain", "2026-11")


def test_a_statement_is_of_the_last_month_in_a_file_of_its_name(november: Shell) -> None:
    """A page in the current folder; a file that is there is replaced only if it is named."""
    written = november.ok("earnings", "statement")
    assert (written["statement"], written["file"]) == ("2026-10", "statement-2026-10.html")
    page = november.folder / "statement-2026-10.html"
    named = november.ok("earnings", "statement", "2026-10", "-o", "named.html")
    assert page.read_bytes() == (november.folder / "named.html").read_bytes()
    assert named["digest"] == written["digest"]
    page.write_text("kept")
    error = november.refuses(74, "earnings", "statement")
    assert error["code"] == "output_failed"
    assert "-o statement-2026-10.html" in error["hint"]
    assert page.read_text() == "kept"
    assert november.ok("earnings", "statement", "2026")["file"] == "statement-2026.html"


def test_an_empty_month_names_the_latest_that_earned(
    november: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal; a month before the book began has none to name."""
    monkeypatch.setenv("TERM", "dumb")
    shown = november.run("earnings", terminal=True)
    assert (
        shown.out.splitlines()[0].rstrip() == "Nothing in November yet; October earned 210.55 USD"
    )
    assert "--month last" in shown.err
    month = november.run("earnings", "--month", "2027-01", terminal=True).out
    assert month.startswith("Nothing in January 2027; October earned 210.55 USD")
    old = november.run("earnings", "--month", "2019-03", terminal=True).out.splitlines()[0]
    assert old.rstrip() == "Nothing in March 2019"
    assert november.run("earnings", "--month", "last", terminal=True).out.startswith("Earnings for")
    assert "Nothing" not in november.run("earnings").out
    year = november.run("earnings", "--year", "2019", terminal=True)
    assert year.out.startswith("Earnings for 2019")


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("requests list", "requests list --all"),
        ("requests list --all", "sync FEED"),
        ("sessions list", "requests list"),
        ("sessions upcoming", "requests list"),
        ("sessions reviews", "requests list"),
        ("refunds list", "refunds claim SESSION"),
        ("dispute list", "refunds list --state open"),
        ("earnings months", "sync FEED"),
        ("earnings sessions", "sync FEED"),
        ("earnings transactions", "earnings months"),
        ("earnings --by skill", "earnings months"),
        ("payout list", "payout forecast"),
        ("payout forecast", "earnings months"),
        ("payout overdue", "payout forecast"),
        ("due", "sessions upcoming"),
    ],
)
def test_an_empty_screen_says_what_to_do(
    empty: Shell, command: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names a command; a pipe gets nothing at all."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    shown = empty.run(*command.split(), terminal=True)
    assert shown.code == 0
    assert f"`liveportal {advice}`" in shown.out
    assert empty.output_of(*command.split()) == ""


# --- the machine's zone ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "zone"),
    [
        ("Asia/Tokyo", "Asia/Tokyo"),
        (":Europe/Paris", "Europe/Paris"),
        ("Etc/UTC", "UTC"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", None),
        ("/etc/localtime", None),
    ],
)
def test_a_zone_of_the_environment(
    tmp_path: Path, given: str, zone: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts before that of the machine; rules without a name are no zone."""
    monkeypatch.setenv("TZ", given)
    assert system_timezone(tmp_path) == zone


def test_a_zone_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link to the zone's file, or its name in a file; a machine without them has none."""
    monkeypatch.delenv("TZ")
    assert system_timezone(tmp_path) is None
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "timezone").write_text("America/New_York\n")
    assert system_timezone(tmp_path) == "America/New_York"
    (tmp_path / "zoneinfo" / "Asia").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Asia" / "Kolkata").touch()
    (tmp_path / "etc" / "localtime").symlink_to(tmp_path / "zoneinfo" / "Asia" / "Kolkata")
    assert system_timezone(tmp_path) == "Asia/Kolkata"
    (tmp_path / "etc" / "localtime").unlink()
    (tmp_path / "etc" / "timezone").write_bytes(b"TZif2\xff")
    assert system_timezone(tmp_path) is None


def test_a_ledger_begins_in_the_machines_zone(
    nothing: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`init` says so; --timezone says otherwise, and one without a name is the policy's."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    ran = nothing.run("init", terminal=True)
    assert "your times in Asia/Tokyo (this computer's zone)" in " ".join(ran.out.split())
    assert "liveportal preferences set --zone ZONE" in ran.out
    assert ran.err == ""
    assert nothing.ok("ledger", "info")["own_timezone"] == "Asia/Tokyo"
    other = ("--ledger", nothing.folder / "other.db")
    assert nothing.ok("init", *other, "--timezone", "UTC")["own_timezone"] == "UTC"
    assert nothing.refuses(1, "init", *other, "--timezone", "")["code"] == "invalid_value"
    monkeypatch.setenv("TZ", "no zone at all")
    third = ("--ledger", nothing.folder / "third.db", "--dry-run")
    assert nothing.ok("init", *third)["own_timezone"] == "UTC"
