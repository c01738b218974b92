"""`sync` of what time trackers export, and of any table by a mapping."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from liveportal.feeds.adapters import TABLE_ADAPTERS
from liveportal.tables.mapping import shipped
from tests.kit import trackers
from tests.kit.shell import Shell
from tests.kit.trackers import BERLIN, GROSS, LOCALES, MINUTES, MONTH, Entry, Locale, entry

RATE = ("--rate", "1")
OWN = """
name = "mine"
[columns]
start = "Start"
end = "End"
duration = "Length"
customer = "Who"
customer_id = "Key"
title = "What"
rate = "Rate"
amount = "Sum (*)"
id = "No"
pauses = "Break"
zone = "Zone"
[match]
header = ["Start"]
"""
TOGGL = "Client,Project,Start date,Start time,End date,End time,Duration\n"


def sync(shell: Shell, content: bytes | str, *options: str, code: int = 0) -> dict[str, Any]:
    """Sync a file, and return the counts."""
    ran = shell.run("sync", shell.file("hours.csv", content), *options, "--json")
    assert ran.code == code, ran
    row: dict[str, Any] = json.loads(ran.out)
    return row


def refused(shell: Shell, content: bytes | str, *options: str, code: int = 1) -> dict[str, Any]:
    """Return the error of a file, of which nothing was recorded."""
    before = shell.ok("sessions", "list")
    error = shell.refuses(code, "sync", shell.file("hours.csv", content), *options)
    assert shell.ok("sessions", "list") == before
    return error


def own(shell: Shell, *rows: str, head: str = "Start,End,Who", mapping: str = OWN) -> list[Any]:
    """Sync rows with a mapping of one's own, and return the sessions."""
    options = ("--format", "csv", "--mapping", str(shell.file("own.toml", mapping)), *RATE)
    sync(shell, "\n".join([head, *rows, ""]), *options)
    return list(shell.ok("sessions", "list"))


FILES: dict[str, Callable[[Sequence[Entry]], bytes]] = {
    **{f"toggl, {name}": partial(trackers.toggl, how=how) for name, how in LOCALES.items()},
    **{f"clockify, {name}": partial(trackers.clockify, how=how) for name, how in LOCALES.items()},
    "timewarrior": trackers.timewarrior,
    "toggl, free plan": partial(trackers.toggl, bills=False),
    "clockify, no bills": partial(trackers.clockify, bills=False),
}


@pytest.mark.parametrize("name", FILES)
def test_a_month_ends_in_the_right_earnings(empty: Shell, name: str) -> None:
    """Told twice, newest first, and in halves that overlap, in either order: it is the same."""
    write = FILES[name]
    tracker, *more = name.split(", ")
    zone = ("--timezone", BERLIN) if "german" in more else ()
    options = ("--format", tracker, *RATE, *zone)
    first = sync(empty, write(MONTH[3:]), *options)
    sync(empty, write(MONTH[:6]), *options)
    ignored = {"timewarrior": {"open_interval": 1}, "clockify": {"left_out": 1}}
    assert (first["recorded"], first["ignored_kinds"]) == (6, ignored.get(tracker, {}))
    again = sync(empty, write(MONTH), *options)
    assert (again["recorded"], again["replayed"]) == (0, len(MONTH))
    newest_first = sync(empty, write(MONTH[::-1]), *options)
    assert newest_first["head"] == again["head"]
    month = empty.ok("earnings", "--month", "2026-10")
    has_bills = tracker != "timewarrior" and not more[0].endswith(("plan", "bills"))
    gross = GROSS if has_bills else f"{MINUTES}.00"
    assert (month["sessions"], month["gross"]) == (9, gross)
    assert {row["start"] for row in empty.ok("sessions", "list")} == {
        f"{each.start:%Y-%m-%dT%H:%M:%SZ}" for each in MONTH
    }


def test_formats_are_the_mappings_that_are_shipped() -> None:
    """Each mapping of hours has a format of its name."""
    assert {each.name for each in shipped("hours")} == TABLE_ADAPTERS.keys() - {"csv"}


def test_customers_are_pseudonyms(empty: Shell) -> None:
    """Toggl's client, or else the project; ids hold no names, whatever these have in them."""
    times = "2026-10-05,09:00,2026-10-05,10:00"
    rows = f"Acme,S,{times},\n,\x1b[31mSite,{times},\n"
    sync(empty, TOGGL + rows, "--format", "toggl", *RATE)
    names = {row["customer_name"]: row["customer"] for row in empty.ok("sessions", "list")}
    assert set(names) == {"Acme", "\x1b[31mSite"}
    assert all(key.startswith("C-") and len(key) == 22 for key in names.values())
    assert "\x1b" not in empty.output_of("sessions", "list")


def test_equal_rows_with_other_bills_keep_their_ids_in_any_order(empty: Shell) -> None:
    """Their ordinal does not depend on their place in the file; a title is not compared."""
    pair = [entry("05T09:00", 25, bill="12.50"), entry("05T09:00", 25, bill="9.00", title="x")]
    sync(empty, trackers.toggl(pair), "--format", "toggl", *RATE)
    again = sync(empty, trackers.toggl(pair[::-1]), "--format", "toggl", "--rate", "2.00")
    assert again["replayed"] == 2
    renamed = [each._replace(title="Renamed") for each in pair]
    assert sync(empty, trackers.toggl(renamed), "--format", "toggl", *RATE)["replayed"] == 2
    other = [pair[0]._replace(bill="99.00"), pair[1]]
    error = refused(empty, trackers.toggl(other), "--format", "toggl", *RATE, code=4)
    assert (error["code"], error["details"]["line"]) == ("conflict", 2)


def test_yen(empty: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Amounts have no decimals, and 1,500 is one thousand five hundred."""
    ledger = tmp_path / "yen.db"
    assert empty.run("init", "--ledger", ledger, "--currency", "JPY").code == 0
    monkeypatch.setenv("LIVEPORTAL_LEDGER", str(ledger))
    head = "Start,End,Who,Sum (JPY),Rate"
    day = "2026-10-05 {}:00,2026-10-05 {}:30,A"
    rows = [day.format(9, 9) + ',"1,500",', day.format(10, 10) + ",,5000"]
    assert {row["gross"] for row in own(empty, *rows, head=head)} == {"1500", "2500"}


@pytest.mark.parametrize(
    ("row", "minutes", "gross"),
    [
        ("2026-10-05 09:00,2026-10-05 10:30,A,,,,,", "90.00", "90.00"),
        ("2026-10-05T09:00+02:00,2026-10-05T09:30Z,A,,,,,", "150.00", "150.00"),
        ("20261005T090000Z,20261005T100000Z,A,,,,,", "60.00", "60.00"),
        ("2026-10-05 9:00 PM,9:30 PM,A,,,,,", "30.00", "30.00"),
        ("2026-10-05 23:30,00:15,A,,,,,", "45.00", "45.00"),
        ("2026-10-05 09:00,2026-10-05 10:30,A,0:30,,,,", "60.00", "60.00"),
        ("2026-10-05 09:00,2026-10-05 10:00,A,,90.00,,,", "60.00", "90.00"),
        ("2026-10-05 09:00,2026-10-05 10:30,A,,100.00,,,", "90.00", "150.00"),
        ("2026-10-05 09:00,2026-10-05 10:00,A,,100.00,77.00,,", "60.00", "77.00"),
        ("2026-10-05 09:00,2026-10-05 10:00,A,,,0.00,,", "60.00", "0.00"),
        ("2026-10-05 09:00,2026-10-05 10:00,A,,0.00,,,", "60.00", "60.00"),
        ("2026-10-05 09:00,2026-10-05 10:00,A,,,,S-1,K-1", "60.00", "60.00"),
        ('2026-10-05 09:00,2026-10-05 10:00,A,,,"1,234.50",,', "60.00", "1234.50"),
    ],
)
def test_what_a_row_may_have(empty: Shell, row: str, minutes: str, gross: str) -> None:
    """Instants, an end without a day, pauses, rates for an hour, bills, ids."""
    (session,) = own(empty, row, head="Start,End,Who,Break,Rate,Sum (USD),No,Key")
    assert (session["minutes"], session["gross"]) == (minutes, gross)
    if "S-1" in row:
        assert (session["id"], session["customer"]) == ("S-1", "K-1")


@pytest.mark.parametrize(
    ("length", "minutes"),
    [
        *(("1:30", "90.00"), ("00:20:30", "20.50"), ("1.5", "90.00"), ('"0,25"', "15.00")),
        *(("2", "120.00"), ("90m", "90.00"), ("1h 5min", "65.00"), ("PT1H30M", "90.00")),
    ],
)
def test_a_duration_does_without_an_end(empty: Shell, length: str, minutes: str) -> None:
    """In any of the usual shapes; a comma is a decimal mark."""
    (session,) = own(empty, f"2026-10-05 09:00,{length},A", head="Start,Length,Who")
    assert session["minutes"] == minutes


def test_pauses_are_added_to_a_duration(empty: Shell) -> None:
    """It is the time worked."""
    (session,) = own(empty, "2026-10-05 09:00,1:00,A,0:15", head="Start,Length,Who,Break")
    assert session["minutes"] == "60.00"
    assert session["end"] == "2026-10-05T10:15:00Z"


def test_rows_without_time_are_ignored(empty: Shell) -> None:
    """Open ones, whatever their length is until now, and those that end when they start."""
    table = TOGGL + "A,,2026-10-05,09:00,,,1:00\nA,,2026-10-05,09:00,2026-10-05,09:00,0:00\n"
    row = sync(empty, table, "--format", "toggl", *RATE)
    assert row["ignored_kinds"] == {"open_interval": 1, "no_time": 1}


# --- the hour that comes twice ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "starts"),
    [
        (["02:30,0:20", "02:10,0:10"], None),
        (["02:30,0:20", "02:10,0:10", "03:10,0:10"], ["00:30", "01:10", "02:10"]),
        (["03:10,0:10", "02:10,0:10", "02:30,0:20"], ["00:30", "01:10", "02:10"]),
        (["01:30,0:15", "02:30,0:10", "02:10,0:10"], ["00:30", "01:10", "23:30"]),
        (["02:10,0:10", "03:10,0:10", "02:10,0:10"], None),
        (["02:10,0:10"], None),
        (["02:10,0:10", "02:10,0:10"], None),
    ],
)
def test_the_order_of_rows_decides_the_hour(
    empty: Shell, rows: list[str], starts: list[str] | None
) -> None:
    """02:10 after 02:30 is the second 02:10; where it does not, both readings are named."""
    table = "\n".join(["Start,Length,Who", *(f"2026-10-25 {row},A" for row in rows), ""])
    mapping = str(empty.file("own.toml", OWN))
    options = ("--format", "csv", "--mapping", mapping, "--timezone", BERLIN, *RATE)
    if starts is None:
        error = refused(empty, table, *options)
        assert error["code"] == "bad_value"
        assert len(error["details"]["readings"]) > 1
        return
    sync(empty, table, *options)
    found = [row["start"][11:16] for row in empty.ok("sessions", "list")]
    assert sorted(found) == sorted(starts)


@pytest.mark.parametrize(
    ("length", "start", "minutes"),
    [("0:20", "00:50", "20.00"), ("1:20", "00:50", "80.00")],
)
def test_a_duration_decides_the_hour(empty: Shell, length: str, start: str, minutes: str) -> None:
    """Of a row from 02:50 to 03:10, the end is sure."""
    table = TOGGL + f"A,,2026-10-25,02:50,2026-10-25,03:10,{length}\n"
    sync(empty, table, "--format", "toggl", "--timezone", BERLIN, *RATE)
    (session,) = empty.ok("sessions", "list")
    begins = {"0:20": "01:50", "1:20": start}[length]
    assert (session["start"][11:16], session["minutes"]) == (begins, minutes)


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("soon,2026-10-05 10:00,A,,", "Start", "is not a date"),
        ("2026-10-05,2026-10-05 10:00,A,,", "Start", "has no time of day"),
        ("2026-10-05 09:00,2026-10-05 08:00,A,,", "End", "before the start"),
        ("2026-10-05 09:00,2026-10-05 10:00,,,", "Who", "does not name a customer"),
        ("2026-10-05 09:00,2026-10-05 10:00,A,soon,", "Break", "is not a length"),
        ("2026-10-05 09:00,2026-10-05 10:00,A,1:01,", "Break", "longer than the whole"),
        ("2026-10-05 09:00,2026-10-05 10:00,A,,1.2345", "Sum (USD)", "is not an amount"),
        ("2026-10-05 09:00,2026-10-05 10:00,A,,-5.00", "Sum (USD)", "is negative"),
        ("2026-10-05 09:00,2026-10-05 10:00,A,,=1+1", "Sum (USD)", "is not an amount"),
    ],
)
def test_a_cell_that_is_refused(empty: Shell, row: str, column: str, words: str) -> None:
    """File, line and cell are named; with `--rejects` the other rows are recorded."""
    head = "Start,End,Who,Break,Sum (USD)"
    table = f"{head}\n2026-10-13 09:00,2026-10-13 10:00,A,,5.00\n\n{row}\n"
    options = ("--format", "csv", "--mapping", str(empty.file("own.toml", OWN)), *RATE)
    error = refused(empty, table, *options)
    assert (error["code"], error["details"]["line"], error["details"]["column"]) == (
        *("bad_value", 4, column),
    )
    assert words in error["message"]
    assert "hours.csv" in error["message"]
    rejects = empty.folder / "rejects"
    ran = empty.run("sync", empty.folder / "hours.csv", *options, "--rejects", rejects, "--json")
    assert (ran.code, json.loads(ran.out)["recorded"]) == (1, 1)
    assert json.loads(rejects.read_text())["raw"] == row


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (TOGGL.replace("Project,", "") + "a,b,c,d,e,f\n", "unknown_format", "'project'"),
        ("", "unknown_format", "empty"),
        (TOGGL + '"A,,2026-10-05', "malformed_file", "never closed"),
        (TOGGL + "A,,2026-10-05\n", "malformed_file", "3 cells"),
        (TOGGL.encode("utf-16"), "bad_encoding", "UTF-16"),
        (TOGGL.encode() + b"\xff", "bad_encoding", "byte"),
        (TOGGL + "A,,05/10/2026,09:00,05/10/2026,10:00,\n", "ambiguous_dates", "two ways"),
        (
            TOGGL + "A,,13/10/2026,09:00,13/10/2026,10:00,\nA,,10/14/2026,9:00,10/14/2026,9:30,\n",
            *("bad_value", "in line 2"),
        ),
    ],
)
def test_a_file_that_is_refused(empty: Shell, content: bytes | str, code: str, words: str) -> None:
    """As a whole, before anything is recorded, and with `--rejects`, too."""
    for more in ((), ("--rejects", str(empty.folder / "rejects"))):
        error = refused(empty, content, "--format", "toggl", *RATE, *more)
        assert error["code"] == code
        assert words in error["message"]


def test_the_order_of_dates_is_chosen(empty: Shell) -> None:
    """As the refusal says."""
    table = TOGGL + "A,,05/10/2026,09:00,05/10/2026,10:00,\n"
    assert "--dates dmy" in refused(empty, table, "--format", "toggl", *RATE)["hint"]
    sync(empty, table, "--format", "toggl", "--dates", "mdy", *RATE)
    (session,) = empty.ok("sessions", "list")
    assert session["start"] == "2026-05-10T09:00:00Z"


def test_a_rate_is_needed_where_the_file_has_none(empty: Shell) -> None:
    """Unless a row has a bill: its rate is then the bill's."""
    table = trackers.toggl(MONTH[:1], bills=False)
    assert refused(empty, table, "--format", "toggl")["code"] == "rate_needed"
    sync(empty, trackers.toggl(MONTH[:1]), "--format", "toggl")
    (session,) = empty.ok("sessions", "list")
    assert (session["gross"], session["rate"]) == ("30.00", "0.50")


def test_another_currency_is_refused(empty: Shell) -> None:
    """The name of a column has it."""
    table = trackers.toggl(MONTH[:1], Locale(currency="EUR"))
    assert refused(empty, table, "--format", "toggl", code=4)["code"] == "currency_mismatch"


@pytest.mark.parametrize(
    "options",
    [
        ("--mapping", "toggl"),
        ("--format", "csv"),
        ("--format", "toggl", "--mapping", "clockify"),
        ("--format", "toggl", "--hop", "payout"),
        ("--format", "calcom", "--dates", "dmy"),
        ("--format", "toggl", "--dates", "dym"),
    ],
)
def test_options_that_do_not_go_together(empty: Shell, options: tuple[str, ...]) -> None:
    """They are usage errors."""
    assert empty.run("sync", empty.file("hours.csv", ""), *options).code == 2


def test_a_table_is_not_watched(empty: Shell) -> None:
    """It is read whole; the error names what reads it."""
    ran = empty.run("requests", "watch", empty.file("hours.csv", TOGGL), "--format", "toggl")
    assert ran.code == 2
    assert "`sync` reads it" in ran.err


def test_mappings_of_the_settings_serve(empty: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so does the one that `--mapping-help` prints for the file."""
    table = "Date;From;To;Client;Amount (USD)\n13.10.2026;09:00;10:00;A;30,00\n"
    file = empty.file("hours.csv", table)
    printed = empty.run("sync", file, "--mapping-help")
    assert printed.code == 0
    settings = empty.folder / "config" / "liveportal"
    settings.mkdir(parents=True)
    (settings / "config.toml").write_text(_tables(printed.out))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(empty.folder / "config"))
    for mapping in ("own", str(empty.file("printed.toml", printed.out))):
        empty.ok("sync", file, "--format", "csv", "--mapping", mapping)
    assert [row["gross"] for row in empty.ok("sessions", "list")] == ["30.00", "30.00"]


def _tables(text: str) -> str:
    """Return the tables of a mapping as tables of the settings."""
    lines = (line for line in text.splitlines() if not line.startswith(("name", "#")))
    return "\n".join(
        line.replace("[", "[reconcile.mappings.own.", 1) if line[:1] == "[" else line
        for line in lines
    )


def test_a_pipe_and_batches(empty: Shell) -> None:
    """A table is read whole in any case; with `--batch`, it is saved in parts."""
    ran = empty.run("sync", "-", "--format", "toggl", "--batch", "2", stdin=trackers.toggl(MONTH))
    assert ran.code == 0
    assert len(empty.ok("sessions", "list")) == len(MONTH)
