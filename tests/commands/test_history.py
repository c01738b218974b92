"""Session history: every past session, filtered, sorted, searched and resumed."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries import sessions
from liveportal.ledger.queries.session_filter import SORTS, SessionFilter
from tests.commands.test_sync import feed, opened
from tests.kit.events import amount, line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kit.shell import Shell

Rows = list[dict[str, Any]]
STATES = ("upcoming", "live", "paused", "ended", "cancelled", "missed")


def held_session(number: int, when: str, **data: Any) -> tuple[bytes, ...]:  # noqa: ANN401 -- JSON.
    """Return a feed's lines of an instant session of a quarter of an hour."""
    day, clock = when.split(" ")
    end = f"{day} {clock[:2]}:{int(clock[3:]) + 15:02}"
    return (
        opened(f"R-{number}", when, **data),
        line(
            "request.accepted", when, id=f"a-{number}", request=f"R-{number}", session=f"S-{number}"
        ),
        line("session.ended", end, id=f"e-{number}", session=f"S-{number}"),
    )


def reviewed(session: str, when: str, text: str) -> bytes:
    """Return a feed's line of a review by the customer."""
    document = json.loads(line("review.posted", when, id=f"r-{session}"))
    document["data"] = {"session": session, "by": "customer", "rating": 5, "text": text}
    return json.dumps(document).encode() + b"\n"


def ids(shell: Shell, *options: object) -> list[str]:
    """Return the ids that a list shows."""
    return shell.output_of("sessions", "list", *options, "--field", "id").split()


# --- which ----------------------------------------------------------------------------------------


def test_all_by_default_and_the_new_fields_at_the_end(states: Shell) -> None:
    """Every session is listed by its start; the fields that came later are the last."""
    rows = states.ok("sessions", "list")
    assert [row["id"] for row in rows] == [
        *("S-1001", "S-1002", "S-1003", "S-1004", "S-LIVE", "S-PAUSED", "S-UP"),
    ]
    assert list(rows[0])[-5:] == ["rating", "disputed", "seq", "refunded", "customer_id"]
    assert (rows[0]["rating"], rows[0]["disputed"]) == (2, True)
    assert (rows[1]["rating"], rows[1]["disputed"]) == (None, False)
    assert (rows[2]["claim"], rows[2]["disputed"]) == ("CL-2", False)


def test_the_portal_s_dispute_tab(states: Shell) -> None:
    """--claimed are those with any claim, --disputed those whose claim was ever disputed."""
    assert ids(states, "--claimed") == ["S-1001", "S-1003"]
    assert ids(states, "--disputed") == ["S-1001"]
    at = ("--at", "2026-10-21T09:00:00Z", "--yes")
    states.ok("dispute", "withdraw", "CL-1", *at)
    states.ok("refunds", "concede", "CL-2", *at)
    assert ids(states, "--claimed") == ["S-1001", "S-1003"]
    assert ids(states, "--disputed") == ["S-1001"]
    session = states.ok("sessions", "list", "--disputed")[0]
    assert session["disputed"] is True


def test_every_filter_narrows_what_the_others_leave(states: Shell) -> None:
    """Filters are combined with "and"; each keeps only its matching rows."""
    states.ok("sessions", "cancel", "S-UP", "--at", "2026-11-04 09:00")
    rows: Rows = states.ok("sessions", "list")
    reached = set()
    for state, claimed, disputed, customer, month in product(
        [None, *STATES], [False, True], [False, True], [None, "C-77", "C-31"], [None, "2026-10"]
    ):
        argv: list[str] = []
        argv += ["--state", state] if state else []
        argv += ["--claimed"] if claimed else []
        argv += ["--disputed"] if disputed else []
        argv += ["--customer", customer] if customer else []
        argv += ["--month", month] if month else []
        with open_readonly(states.ledger) as reader:
            selected = sessions.sessions(
                reader,
                SessionFilter(
                    states=(state,) if state else (),
                    claimed=claimed,
                    disputed=disputed,
                    customer=customer,
                    first_month=month,
                    last_month=month,
                ),
            )
        wanted = [
            row["id"]
            for row in rows
            if state in (None, row["state"])
            and (not claimed or row["claim"])
            and (not disputed or row["disputed"])
            and customer in (None, row["customer"])
            and (not month or row["state"] == "ended")
        ]
        assert [row["id"] for row in selected] == wanted, argv
        reached.add(len(wanted))
    assert reached >= {0, 1, 2, 4}
    both = ids(states, "--state", "live", "--state", "cancelled")
    assert both == ids(states, "--state", "live,cancelled") == ["S-LIVE", "S-UP"]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("--month 2026-10", "S-1 S-2 S-3"),
        ("--from 2026-10", "S-1 S-2 S-3 S-4"),
        ("--to 2026-10", "S-0 S-1 S-2 S-3"),
        ("--from 2026-10 --to 2026-10", "S-1 S-2 S-3"),
        ("--from 2026-11 --to 2026-10", ""),
        # A session falls in the month in which it ends, and on the day on which it starts.
        ("--from 2026-10-01", "S-2 S-3 S-4 S-UP"),
        ("--to 2026-10-05", "S-0 S-1 S-2"),
        ("--from 2026-10-05 --to 2026-10-05", "S-2"),
        ("--from 2026-10-05 --to 2026-10", "S-2 S-3"),
        ("--from 2026-10 --since 2026-10-24T09:00:00Z", "S-3 S-4"),
        ("--from 2026-10-05 --since 2026-10-24T09:00:01Z", "S-4 S-UP"),
        ("--from 2026-10-24 --since 2026-10-05T09:00:00Z", "S-3 S-4 S-UP"),
        # In Paris S-3 begins at 11:00, the day before the clocks go back.
        ("--from 2026-10-24T11:00 --to 2026-10-24T11:00 --timezone Europe/Paris", "S-3"),
        ("--since 2026-10-24T11:00 --timezone Europe/Paris", "S-3 S-4 S-UP"),
        ("--since 2026-10-24T11:00:01 --timezone Europe/Paris", "S-4 S-UP"),
        ("--from 2026-11-01 --timezone Pacific/Apia", "S-4 S-UP"),
        ("--to 2026-10-31 --timezone Pacific/Apia", "S-0 S-1 S-2 S-3"),
        ("--from 2026-11-01 --timezone America/New_York", "S-UP"),
    ],
)
def test_months_and_days(empty: Shell, options: str, wanted: str) -> None:
    """A month is in the ledger's zone and has ended sessions only; a day in the user's zone."""
    lines = (
        *held_session(0, "09-15 09:00"),
        opened("R-1", "09-30 23:50"),
        line("request.accepted", "09-30 23:50", id="a-1", request="R-1", session="S-1"),
        line("session.ended", "10-01 00:10", id="e-1", session="S-1"),
        *held_session(2, "10-05 09:00"),
        *held_session(3, "10-24 09:00"),
        *held_session(4, "11-01 00:30"),
        opened(
            "R-U",
            "11-02 09:00",
            kind="scheduled",
            slots=[{"start": "2026-11-05T09:00:00Z", "minutes": 60}],
        ),
        line("request.accepted", "11-02 09:00", id="a-U", request="R-U", session="S-UP", slot=1),
    )
    empty.ok("sync", feed(empty, "months.jsonl", *lines))
    assert ids(empty, *options.split()) == wanted.split()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ("--sort name", 2, "start, end, earned, minutes, rate, seq"),
        ("--sort --start", 2, "--sort"),
        ("--sort=", 2, "--sort"),
        ("--text=", 2, "--text"),
        ("--text ...", 2, "no word"),
        ("--state open", 2, "upcoming"),
        ("--month oct --from sep", 2, "--month"),
        ("--month oct --to nov", 2, "--month"),
        ("--month nonsense", 1, "month"),
        ("--from nonsense", 1, "nonsense"),
        ("--to 2026-13-01", 1, "2026-13-01"),
        ("--since=", 1, "time"),
        ("--since oct", 1, "oct"),
        ("--since=-1", 1, "time"),
        ("--since 99999999999999999999", 1, "time"),
        ("--since 2026-10-25T02:30 --timezone Europe/Paris", 1, "twice"),
        ("--from 2026-03-29T02:30 --timezone Europe/Paris", 1, "does not exist"),
        ("--from 2026-10-05 --timezone Nowhere/Land", 1, "time zone"),
    ],
)
def test_what_makes_no_sense_is_refused(october: Shell, options: str, code: int, said: str) -> None:
    """A filter is never ignored: it is applied or refused."""
    error = october.refuses(code, "sessions", "list", *options.split())
    assert said in error["message"]


@pytest.mark.parametrize("given", ["é", "\udcff", "C-77\udcff", "C-77' OR 1=1 --", "C", ""])
def test_a_customer_that_there_is_not(october: Shell, given: str) -> None:
    """An unknown customer gives an empty list."""
    assert ids(october, f"--customer={given}") == []


# --- in which order -------------------------------------------------------------------------------


def _value(row: dict[str, Any], name: str) -> Any:  # noqa: ANN401 -- Whatever is sorted by.
    value = row[name]
    return Decimal(value) if name in ("earned", "minutes", "rate") and value else value


@pytest.mark.parametrize("name", SORTS)
def test_every_order_and_its_opposite(states: Shell, name: str) -> None:
    """Numbers sort as numbers; missing values come last; ties by start."""
    rows: Rows = states.ok("sessions", "list")
    for sign in ("", "-"):
        listed: Rows = states.ok("sessions", "list", "--sort", f"{sign}{name}")
        valued = [row for row in rows if row[name] is not None]
        valued.sort(key=lambda row: _value(row, name), reverse=bool(sign))
        assert listed == valued + [row for row in rows if row[name] is None]
    assert states.ok("sessions", "list", "--sort", "start") == rows


def test_equals_stay_in_the_order_of_their_start(empty: Shell) -> None:
    """Also the other way round."""
    lines = [text for n in (3, 1, 2) for text in held_session(n, f"10-0{n} 09:00")]
    empty.ok("sync", feed(empty, "equal.jsonl", *lines))
    for sort in ("earned", "-earned", "rate", "-minutes"):
        assert ids(empty, "--sort", sort) == ["S-1", "S-2", "S-3"]


# --- as a whole -----------------------------------------------------------------------------------


def test_a_list_costs_few_statements(empty: Shell, tmp_path: Path) -> None:
    """However many sessions and nameless customers there are: nothing is asked row by row."""
    lines: list[bytes] = []
    counted: dict[int, int] = {}
    for number in range(60):
        named = (
            {"id": f"C-{number % 7}", "name": "Zoë"} if number < 7 else {"id": f"C-{number % 9}"}
        )
        lines += held_session(number, f"10-{number % 28 + 1:02} 09:00", customer=named)
        if number not in (9, 59):
            continue
        empty.ok("sync", feed(empty, f"{number}.jsonl", *lines))
        with open_readonly(empty.ledger) as reader:
            output: list[str] = []
            reader.db.set_trace_callback(output.append)
            asked = SessionFilter(words=("help",), after_seq=0, claimed=False, sort="-earned")
            rows = sessions.sessions(reader, asked)
            reader.db.set_trace_callback(None)
        assert len(rows) == number + 1
        assert {row["customer_name"] for row in rows} == {"Zoë", None}
        counted[number] = len([text for text in output if not text.startswith("--")])
    assert (
        counted[9] == counted[59] <= 9
    )  # One is the index's own, and one reads the ids of the page.
    assert tmp_path.is_dir()


def test_the_list_on_a_terminal(october: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bill of each session, and the next step; also for an empty list."""
    monkeypatch.setenv("COLUMNS", "120")
    shown = october.run("sessions", "list", "--disputed", terminal=True)
    assert "S-1001" in shown.out
    assert "42.00" in shown.out
    assert "sessions show" in shown.err
    shown = october.run("sessions", "list", "--text", "nothing", terminal=True)
    assert "No sessions found. `liveportal requests list`" in shown.out
    assert shown.err == ""


def test_amounts_and_minutes_sort_as_numbers(empty: Shell) -> None:
    """9.00 is less than 15.00 and than 45.00."""
    lines = [*held_session(1, "10-05 09:00"), *held_session(2, "10-06 09:00")]
    lines[-1] = line("session.ended", "10-06 09:09", id="e-2", session="S-2", billed=amount("9"))
    empty.ok("sync", feed(empty, "billed.jsonl", *lines))
    for field in ("minutes", "earned"):
        assert ids(empty, "--sort", field) == ["S-2", "S-1"]
        assert ids(empty, "--sort", f"-{field}") == ["S-1", "S-2"]
