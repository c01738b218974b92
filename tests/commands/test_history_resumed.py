"""Session history resumed: `seq`, `--since`, and the pipeline of the help text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.commands.test_history import Rows, ids
from tests.commands.test_sync import feed
from tests.kit.events import line
from tests.kit.shell import OCTOBER

if TYPE_CHECKING:
    from tests.kit.shell import Shell

pytestmark = pytest.mark.slow


def test_seq_is_the_last_thing_recorded_about_it(october: Shell) -> None:
    """Of the session, its request or its claims only; each is unique."""

    def seq(name: str) -> int:
        seqs = {row["id"]: row["seq"] for row in october.ok("sessions", "list")}
        assert len(set(seqs.values())) == len(seqs)
        return int(seqs[name])

    def last() -> int:
        return int(october.ok("ledger", "info")["events"])

    before = {name: seq(name) for name in ("S-1001", "S-1003")}
    at = ("--at", "2026-10-21T09:00:00Z")
    for argv in (
        ("sessions", "tip", "S-1002", "5.00"),
        ("sessions", "review", "S-1002", "5"),
        ("refunds", "claim", "S-1002", "--id", "CL-9", "--reason", "slow", "--late"),
        ("refunds", "deny", "CL-9"),
        ("sessions", "correct", "S-1002", "--billed", "100.00", "--reason", "agreed"),
    ):
        october.ok(*argv, *at)
        assert seq("S-1002") == last(), argv
    october.ok("earnings", "adjust", "1.00", "--reason", "x", *at)
    october.ok("requests", "decline", "REQ-1006", *at)
    assert seq("S-1002") == last() - 2
    # Another source reports the request's acceptance again, with another session id.
    again = line(
        *("request.accepted", "10-05 14:01"),
        source="https://other.example",
        id="z",
        request="REQ-1001",
        session="ALIAS",
    )
    october.ok("sync", feed(october, "again.jsonl", again))
    assert seq("S-1001") == last()
    assert seq("S-1003") == before["S-1003"]


def test_nothing_is_missed_and_nothing_repeated(empty: Shell) -> None:
    """After each feed line, `--since` returns exactly the sessions that changed."""
    known: dict[str, dict[str, Any]] = {}
    last = 0
    for number, line_bytes in enumerate(OCTOBER.read_bytes().splitlines(keepends=True)):
        empty.ok("sync", feed(empty, f"{number}.jsonl", line_bytes))
        news: Rows = empty.ok("sessions", "list", "--since", last, "--sort", "seq")
        assert len(news) <= 1
        for row in news:
            assert row != known.get(row["id"])
            assert row["seq"] > last
            last = row["seq"]
            known[row["id"]] = row
        rows = {row["id"]: row for row in empty.ok("sessions", "list")}
        assert known == rows
    assert len(known) == 4
    assert empty.ok("sessions", "list", "--since", last) == []
    assert len(empty.ok("sessions", "list", "--since", 0)) == 4


IDIOM = (
    'liveportal sessions list --since "$(cat seen || echo 0)" --sort seq --fields seq,id |'
    ' while read -r seq id; do echo "$id changed" && echo "$seq" > seen; done'
)


def test_a_pipeline_takes_up_where_it_left_off(states: Shell) -> None:
    """The idiom of the help in a real shell: all, then the new ones, then none."""
    words = " ".join(states.output_of("sessions", "list", "--help").split())
    assert IDIOM in words
    first = states.script(IDIOM)
    assert first.code == 0
    shown = [text.split()[0] for text in first.out.splitlines()]
    assert shown == ids(states, "--sort", "seq")
    assert states.script(IDIOM).out == ""
    states.ok("sessions", "tip", "S-1002", "5.00", "--at", "2026-10-13 09:00")
    states.ok("sessions", "end", "S-LIVE", "--at", "2026-11-02 10:20")
    states.ok("earnings", "adjust", "1.00", "--reason", "x")
    ran = states.script(IDIOM)
    assert (ran.code, ran.out, ran.err) == (0, "S-1002 changed\nS-LIVE changed\n", "")
    assert states.script(IDIOM).out == ""


def test_a_pipeline_that_was_cut_short_goes_on(states: Shell) -> None:
    """Interrupted after any row, the pipeline misses none."""
    shown = []
    for _ in range(len(ids(states))):
        ran = states.script(IDIOM.replace("> seen;", "> seen; break;"))
        assert ran.code == 0, ran.err
        shown += ran.out.split()[:1]
    assert shown == ids(states, "--sort", "seq")
    assert states.script(IDIOM).out == ""
