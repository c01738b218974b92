"""Past sessions in words, across every clock change, and corrections that keep history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.kit.shell import Shell

PARIS = ("--timezone", "Europe/Paris")
WHO = ("--customer", "C-1", "--rate", "3.00")


def test_yesterday_in_words(empty: Shell) -> None:
    """`yesterday 14:00-14:45, paused 14:10-14:15` is forty minutes, in the expert's own zone."""
    empty.ok("preferences", "set", "--zone", "Europe/Paris")
    words = "yesterday 14:00-14:45, paused 14:10-14:15"
    done = empty.ok("sessions", "log", words, *WHO, "--id", "S-1")
    day = datetime.now(ZoneInfo("Europe/Paris")).date() - timedelta(days=1)
    start = datetime(day.year, day.month, day.day, 14, tzinfo=ZoneInfo("Europe/Paris"))
    assert datetime.fromisoformat(done["start"]) == start
    assert datetime.fromisoformat(done["end"]) == start + timedelta(minutes=45)
    assert (done["minutes"], done["gross"], done["earned"]) == ("40.00", "120.00", "84.00")
    shown = empty.ok("sessions", "show", "S-1")
    since, until = (datetime.fromisoformat(text) for text in shown["pauses"][0])
    assert (since - start, until - start) == (timedelta(minutes=10), timedelta(minutes=15))
    assert shown["state"] == "ended"


@pytest.mark.parametrize(
    ("words", "zone", "minutes"),
    [
        ("2026-10-25 01:30-03:30", "Europe/Paris", "180.00"),  # 02:00 to 03:00 comes twice.
        ("2026-03-29 01:30-03:30", "Europe/Paris", "60.00"),  # 02:00 to 03:00 never comes.
        ("2026-10-25 01:30-03:30, paused 01:45-03:15", "Europe/Paris", "30.00"),
        ("2026-03-29 01:30-03:30, paused 01:45-03:15", "Europe/Paris", "30.00"),
        ("2026-11-01 00:30-02:30", "America/New_York", "180.00"),
        ("2026-03-08 01:30-03:30", "America/New_York", "60.00"),
        ("2026-10-24 23:30-04:30", "Europe/Paris", "360.00"),  # Over midnight, too.
        ("2026-10-25 01:30-03:30", "Asia/Seoul", "120.00"),
        ("2011-12-29 23:30-2011-12-31 00:30", "Pacific/Apia", "60.00"),  # There was no 30th.
        ("2011-12-29 23:30 to 2011-12-31 00:30", "Pacific/Apia", "60.00"),
    ],
)
def test_the_minutes_that_really_passed_are_billed(
    empty: Shell, words: str, zone: str, minutes: str
) -> None:
    """Clocks on the wall change; timers do not."""
    argv = ("sessions", "log", words, *WHO, "--timezone", zone, "--anyway")
    done = empty.ok(*argv)
    assert done["minutes"] == minutes
    assert float(done["gross"]) == float(minutes) * 3


@pytest.mark.parametrize(
    ("words", "readings"),
    [
        ("2026-10-25 02:30-03:30", ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"]),
        ("2026-10-25 01:30-02:30", ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"]),
        ("2026-03-29 02:30-03:30", ["2026-03-29T03:30:00+02:00", "2026-03-29T01:30:00+01:00"]),
    ],
)
def test_a_time_that_comes_twice_or_never_is_not_guessed(
    empty: Shell, words: str, readings: list[str]
) -> None:
    """It is refused with both interpretations, in a spelling that parses."""
    error = empty.refuses(1, "sessions", "log", words, *WHO, *PARIS)
    assert error["code"] == "invalid_time"
    assert error["details"]["readings"] == readings


def test_the_readings_of_an_hour_that_comes_twice(empty: Shell) -> None:
    """With its offset each of them is a session of its own length."""
    for offset, minutes in (("+02:00", "120.00"), ("+01:00", "60.00")):
        words = f"2026-10-25 02:30{offset}-03:30+01:00"
        done = empty.ok("sessions", "log", words, *WHO, *PARIS)
        assert done["minutes"] == minutes


@pytest.mark.parametrize(
    ("zone", "month"),
    [("UTC", "2026-10"), ("America/New_York", "2026-10"), ("Asia/Seoul", "2026-11")],
)
def test_the_month_is_that_of_the_platform(nothing: Shell, zone: str, month: str) -> None:
    """Half past midnight in Paris is November there; the ledger uses its own zone."""
    policy = nothing.file("own.toml", f'name = "own"\n[period]\ntimezone = "{zone}"\n')
    assert nothing.run("init", "--policy", policy, "--timezone", "Europe/Paris").code == 0
    done = nothing.ok("sessions", "log", "2026-10-31 23:45 to 2026-11-01 00:30", *WHO)
    assert done["end"] == "2026-10-31T23:30:00Z"
    assert done["start"] == "2026-10-31T22:45:00Z"
    shown = nothing.ok("sessions", "show", done["id"])
    assert shown["period"] == month
    assert nothing.ok("earnings", "--month", month)["sessions"] == 1


def test_a_correction_edits_nothing(empty: Shell) -> None:
    """Both bills stay visible, in the history and in the money; the second undoes the first."""
    words = "2026-10-25 01:30-03:30"
    first = empty.ok("sessions", "log", words, *WHO, *PARIS, "--id", "S-1")
    before = empty.ok("earnings", "transactions")
    argv = ("sessions", "correct", "S-1", "--reason", "timer forgotten")
    right = empty.ok(*argv, "--end", "2026-10-25T03:00:00+01:00")
    assert (first["minutes"], right["minutes"]) == ("180.00", "150.00")
    shown = empty.ok("sessions", "show", "S-1")
    assert [entry["type"] for entry in shown["history"]] == ["session.logged", "session.corrected"]
    assert shown["history"][0]["data"]["end"].startswith("2026-10-25T")
    assert shown["history"][1]["data"]["reason"] == "timer forgotten"
    money = [(transaction["kind"], transaction["amount"]) for transaction in shown["transactions"]]
    assert money == [("earning", "378.00"), ("reversal", "-378.00"), ("correction", "315.00")]
    assert empty.ok("earnings", "transactions")[: len(before)] == before
    assert datetime.fromisoformat(shown["end"]) == datetime(2026, 10, 25, 2, tzinfo=UTC)


def test_a_correction_is_not_repeated(empty: Shell) -> None:
    """It would add a reversal and a correction for nothing; but a key is a replay."""
    empty.ok("sessions", "log", "2026-10-25 10:00-11:00", *WHO, "--id", "S-1")
    argv = ("sessions", "correct", "S-1", "--end", "2026-10-25 11:30", "--reason")
    empty.ok(*argv, "timer")
    before = empty.ok("earnings", "transactions")
    error = empty.refuses(4, *argv, "again")
    assert error["code"] == "correction_refused"
    assert "already corrected session S-1 in this way" in error["message"]
    assert empty.ok("earnings", "transactions") == before
    other = ("--end", "2026-10-25 11:20", "--reason", "x", "--key", "K-1")
    empty.ok(*argv[:3], *other)
    assert empty.ok(*argv[:3], *other)["replayed"] is True
    empty.ok(*argv, "It was right.")


def test_a_pause_is_corrected_in_the_hours_of_its_day(empty: Shell) -> None:
    """`--pause 03:10-03:20` is on the day of the session's start, after the clock change."""
    empty.ok("sessions", "log", "2026-03-29 01:30-04:30", *WHO, *PARIS, "--id", "S-1")
    argv = ("sessions", "correct", "S-1", "--reason", "lunch", *PARIS)
    assert empty.ok(*argv, "--pause", "03:10-03:20")["minutes"] == "110.00"
    assert empty.ok("sessions", "show", "S-1")["pauses"] == [
        ["2026-03-29T01:10:00Z", "2026-03-29T01:20:00Z"]
    ]
    assert empty.ok(*argv, "--no-pauses")["minutes"] == "120.00"
