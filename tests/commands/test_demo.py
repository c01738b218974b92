"""`liveportal demo`: a month that ends now, at any date, which can be played with and removed."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from liveportal.cli.commands.demo import FEED, SAMPLES, dated
from tests.kit.shell import Ran, Shell

HOSTILE = (
    ("2028-02-29T23:59:30+00:00", "UTC"),  # A leap day, and half a minute before its end.
    ("2027-01-01T00:00:00+00:00", "Europe/Paris"),
    ("2026-12-31T23:59:59.999999+00:00", "Pacific/Kiritimati"),
    ("2026-03-31T12:00:00+00:00", "America/New_York"),  # A month has no 31st of February.
    ("2026-03-29T00:59:00+00:00", "Europe/Paris"),  # A minute before the clocks go forward.
    ("2026-10-25T01:30:00+00:00", "Europe/Paris"),  # In the hour that comes twice.
    ("2026-04-05T02:00:00+00:00", "Australia/Lord_Howe"),  # Clocks that change by half an hour.
    ("2012-01-01T10:30:00+00:00", "Pacific/Apia"),  # It had no 30 December 2011.
)
at_hostile_times = pytest.mark.parametrize(("now", "zone"), HOSTILE)


def run_demo(shell: Shell, now: str, zone: str, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Make a demo in the shell's own ledger, on a terminal."""
    monkeypatch.setenv("TZ", zone)
    monkeypatch.setenv("COLUMNS", "80")
    shell.clock.set(datetime.fromisoformat(now))
    return shell.run("demo", "--ledger", shell.ledger, terminal=True)


@at_hostile_times
def test_the_demo_works_at_any_time(
    nothing: Shell, now: str, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends on the front page, nothing in the books looks wrong, and `--deep` verifies them."""
    ran = run_demo(nothing, now, zone, monkeypatch)
    assert (ran.code, "error" in ran.err) == (0, False)
    page = ran.out.rpartition("$ liveportal\n")[2]
    for expected in (
        "Open requests (2)",
        "live 18 min, ",
        "tomorrow 17:00",
        "Claims to answer (1)",
        "1 d 21 h left, 117.60 USD at risk",
    ):
        assert expected in page
    shell = nothing
    assert shell.ok("ledger", "verify", "--deep")["ok"] is True
    assert shell.ok("sessions", "check") == []
    assert [row["state"] for row in shell.ok("payout", "list")] == ["sent"]
    assert shell.ok("payout", "overdue") == []
    sessions = [shell.ok("sessions", "show", row["id"]) for row in shell.ok("sessions", "list")]
    assert len(sessions) == 9
    assert {flag for row in sessions for flag in row["flags"]} == set()
    assert {flag for row in sessions for step in row["history"] for flag in step["flags"]} == set()


@at_hostile_times
def test_the_commands_to_try_work(
    nothing: Shell, now: str, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are shown."""
    ran = run_demo(nothing, now, zone, monkeypatch)
    tried = re.search(r"Try:\n\n  export .*\n((?:  liveportal .*\n)+)", ran.out)
    assert tried
    commands = tried[1].splitlines()
    assert len(commands) == 3
    for command in commands:
        words = shlex.split(command)[1:]
        assert nothing.run(*words).code == 0, command


@at_hostile_times
def test_the_feed_is_a_month_that_ends_now(now: str, zone: str) -> None:
    """No event is in the future; those of the month are of its last 30 days; others are paid."""
    instant = datetime.fromisoformat(now)
    feed = dated((SAMPLES / FEED).read_text("utf-8"), instant, zone)
    assert "@" not in feed
    times = [datetime.fromisoformat(json.loads(line)["time"]) for line in feed.splitlines()]
    assert max(times) <= instant
    assert max(times) > instant - timedelta(minutes=5)
    assert len([time for time in times if time > instant - timedelta(days=30)]) == len(times) - 2
    assert all(time.astimezone(UTC).second == 0 for time in times)


def test_the_demo_is_the_same_at_the_same_time(
    nothing: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it shows depends on the clock, the zone and the path only."""
    nothing.ok("init")  # It makes the id of the machine, which the demo mentions otherwise.
    nothing.ledger.unlink()
    ran = run_demo(nothing, "2026-11-28T14:00:00+00:00", "UTC", monkeypatch)
    nothing.ledger.unlink()
    again = run_demo(nothing, "2026-11-28T14:00:00+00:00", "UTC", monkeypatch)
    head = re.compile(r"\b[0-9a-f]{64}\b|(?<=--head )[0-9a-f]{16}")  # Personal data is salted.
    assert head.sub("", again.out) == head.sub("", ran.out)


def test_the_users_own_ledger_is_left_alone(nothing: Shell) -> None:
    """In a pipe, rows have a header and `due` comes last; the removal leaves nothing."""
    before = {*nothing.folder.rglob("*")}
    ran = nothing.run("demo")
    assert (ran.code, ran.err) == (0, "")
    assert not nothing.ledger.exists()
    assert "\n$ liveportal due --header\ndue\tkind\t" in ran.out
    assert ran.out.count("\nid\t") == 3
    made = re.search(r"export LIVEPORTAL_LEDGER=(\S+)\n", ran.out)
    removal = re.search(r"unset LIVEPORTAL_LEDGER; (rm -r \S+)\n", ran.out)
    assert made
    assert removal
    folder = Path(made[1]).parent
    assert folder.is_dir()
    assert nothing.script(removal[1]).code == 0
    assert not folder.exists()
    (left,) = (path for path in {*nothing.folder.rglob("*")} - before if path.is_file())
    assert f"\n  {left}\n" in ran.out  # The id of the machine.


def test_a_demo_in_a_place_of_ones_own_is_removed_whole(nothing: Shell) -> None:
    """`--ledger` says where it is; the log beside it is removed, too."""
    nothing.ok("init")
    before = {*nothing.folder.rglob("*")}
    ran = nothing.run("demo", "--ledger", nothing.folder / "it's a demo.db")
    assert (ran.code, "id of this machine" in ran.out) == (0, False)
    assert {*nothing.folder.rglob("*")} > before
    removal = re.search(r"unset LIVEPORTAL_LEDGER; (rm -rf .+)\n", ran.out)
    assert removal
    assert nothing.script(removal[1]).code == 0
    assert {*nothing.folder.rglob("*")} == before


def test_a_failed_demo_leaves_no_folder(
    nothing: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A command that fails ends the demo with its exit code."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("liveportal.cli.commands.demo.STORY", (("A typing error.", "innit"),))
    assert nothing.run("demo").code == 2
    assert not [*tmp_path.glob("liveportal-*")]
