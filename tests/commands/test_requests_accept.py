"""Slots ranked; the best one accepted, or one chosen by a person."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

import pytest

from liveportal.cli.main import main
from tests.commands.test_sync import feed, opened
from tests.kit.requests_ledger import BEST, NOW, SLOTS, accept, nine_o_clock, row_of
from tests.kit.shell import Ran, Shell, Terminal


@pytest.fixture
def requests_book(empty: Shell) -> Shell:
    """Give a ledger in Paris with requests of every kind, at nine o'clock on 5 October."""
    nine_o_clock(empty)
    return empty


# --- slots ----------------------------------------------------------------------------------------


def test_slots_are_ranked_and_say_why(requests_book: Shell) -> None:
    """Each has its number, both local times, rank, pros and cons, and earnings."""
    slots = requests_book.ok("requests", "show", "PLAN")["slots"]
    assert [slot["slot"] for slot in slots] == [1, 2, 3, 4, 5]
    assert [slot["rank"] for slot in slots] == [4, 2, 1, 3, 5]
    assert [slot["usable"] for slot in slots] == [False, True, True, True, False]
    assert slots[BEST - 1] == {
        "slot": 3,
        "start": "2026-10-07T13:00:00Z",
        "minutes": 30,
        "local": "2026-10-07T15:00:00+02:00",
        "customer_local": "2026-10-07T09:00:00-04:00",
        "rank": 1,
        "usable": True,
        "reasons": [
            {"code": "free", "message": "free"},
            {"code": "in_hours", "message": "within your hours"},
            {"code": "their_day", "message": "09:00 for them"},
        ],
        "earns": "63.00",
    }
    assert [slot["reasons"][0]["code"] for slot in slots] == [
        *("vacation", "their_night", "free", "outside_hours", "past"),
    ]


def test_a_zone_that_is_none_is_null(requests_book: Shell) -> None:
    """An invalid customer zone counts as unknown; everything else is as usual."""
    row = requests_book.ok("requests", "show", "OTHER")
    assert row["customer"]["timezone"] == "Nowhere/\ud800"
    (slot,) = row["slots"]
    assert (slot["customer_local"], slot["local"]) == (None, "2026-10-07T15:00:00+02:00")


def test_of_an_answered_request_nothing_is_ranked(requests_book: Shell) -> None:
    """Its own session occupies its slot: there is nothing left to choose."""
    accept(requests_book, "PLAN", "--best")
    slots = requests_book.ok("requests", "show", "PLAN")["slots"]
    assert {(slot["rank"], slot["usable"], *slot["reasons"]) for slot in slots} == {(None, None)}
    assert slots[0]["local"] == "2026-10-14T12:00:00+02:00"


def test_what_is_booked_is_a_conflict_and_a_buffer(requests_book: Shell) -> None:
    """A slot during a session, or too near it, names the session."""
    accept(requests_book, "PLAN", "--slot", "3", "--session", "S-9")
    assert row_of(requests_book, "OTHER")["conflicts"] == ["S-9"]
    assert row_of(requests_book, "CHEAP")["helped"] == 3  # A future session does not count as help.
    (slot,) = requests_book.ok("requests", "show", "OTHER")["slots"]
    assert slot["reasons"][0] == {"code": "conflict", "message": "overlaps session S-9"}
    near = {"start": "2026-10-07T13:40:00Z", "minutes": 20}
    more = opened("NEAR", "10-05 08:40", kind="scheduled", slots=[near])
    requests_book.ok("sync", feed(requests_book, "near.jsonl", more))
    (slot,) = requests_book.ok("requests", "show", "NEAR")["slots"]
    assert slot["reasons"][0] == {"code": "buffer", "message": "too close to session S-9"}
    assert slot["usable"] is True


# --- accepting ------------------------------------------------------------------------------------


def test_the_best_slot_is_taken(requests_book: Shell) -> None:
    """--best accepts the slot that `show` ranks first; the result names it and the session."""
    row = accept(requests_book, "PLAN", "--best")
    assert (row["slot"], row["session"], row["start"]) == (BEST, "PLAN", "2026-10-07T13:00:00Z")
    assert list(row)[-1] == "slot"
    assert list(row)[:7] == ["id", "state", "error", "message", "session", "start", "time"]


def test_an_instant_one_has_no_slot_to_be_best(requests_book: Shell) -> None:
    """--best concerns slots; a request without slots is accepted as usual."""
    assert accept(requests_book, "LAST", "--best")["slot"] is None


def test_later_ones_see_earlier_ones_booked(requests_book: Shell) -> None:
    """Of many at once, each gets its best slot given the ones booked before."""
    second = opened("TWO", "10-05 08:50", kind="scheduled", slots=SLOTS[1:3])
    requests_book.ok("sync", feed(requests_book, "two.jsonl", second))
    for more in (("--dry-run",), ()):
        rows = accept(requests_book, "PLAN", "TWO", "--best", *more)
        assert [(row["id"], row["slot"]) for row in rows] == [("PLAN", 3), ("TWO", 1)]
    # Without the first, the second's best slot is the one that the first one got.
    assert [row["slot"] for row in requests_book.ok("requests", "show", "TWO")["slots"]] == [1, 2]


def test_the_best_of_the_past_is_refused(requests_book: Shell) -> None:
    """Where even the best has begun, --best takes none; --slot may."""
    late = ("--at", "2026-11-01 09:00", "--anyway")
    error = requests_book.refuses(4, "requests", "accept", "PLAN", "--best", *late)
    assert error["code"] == "slots_past"
    assert "--slot" in error["hint"]
    assert requests_book.ok("requests", "accept", "PLAN", "--slot", "5", *late)["slot"] == 5


def test_the_best_may_still_need_insisting(requests_book: Shell) -> None:
    """A conflict and a vacation are the door's cautions, whichever way the slot was chosen."""
    accept(requests_book, "PLAN", "--slot", "3")
    argv = ("requests", "accept", "OTHER", "--best", "--anyway", "--at", NOW)
    assert requests_book.refuses(4, *argv)["code"] == "double_booking"
    assert requests_book.ok(*argv, "--overlap")["slot"] == 1
    away = opened("AWAY", "10-05 08:50", kind="scheduled", slots=SLOTS[:1])
    requests_book.ok("sync", feed(requests_book, "away.jsonl", away))
    take = ("requests", "accept", "AWAY", "--best", "--at", NOW)
    assert requests_book.refuses(4, *take)["code"] == "on_vacation"
    assert requests_book.ok(*take, "--anyway")["flags"] == ["on_vacation"]


def test_a_slot_is_required_without_a_prompt(requests_book: Shell) -> None:
    """In a pipe, in a dry run and with --yes: a slot is needed, and the hint says how."""
    for more in ((), ("--dry-run",), ("--yes",)):
        error = requests_book.refuses(4, "requests", "accept", "PLAN", "--at", NOW, *more)
        assert error["code"] == "slot_needed"
        assert "--best" in error["hint"]
    both = ("requests", "accept", "PLAN", "--slot", "1", "--best")
    assert requests_book.refuses(2, *both)["code"] == "usage"


def test_the_best_is_chosen_once(requests_book: Shell) -> None:
    """A repeated key replays the accepted slot, whatever is best now."""
    argv = ("requests", "accept", "PLAN", "--best", "--key", "k")
    done = requests_book.ok(*argv, "--at", NOW)
    assert requests_book.ok(*argv) == done | {"replayed": True}
    # A repeat that names a slot must name the accepted one.
    named = ("requests", "accept", "PLAN", "--key", "k", "--slot")
    assert requests_book.ok(*named, BEST)["replayed"] is True
    error = requests_book.refuses(4, *named, "1")
    assert (error["code"], error["details"]["fields"]) == ("conflict", ["slot"])
    assert requests_book.refuses(4, "requests", "accept", "PLAN", "--best")["code"] == "wrong_state"


def choosing(typed: bytes, *argv: object) -> Ran:
    """Run the program at a terminal with a user who types."""
    out, err = Terminal(io.BytesIO(), "utf-8"), Terminal(io.BytesIO(), "utf-8")
    source = Terminal(io.BytesIO(typed), "utf-8")
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "stdin", source):
        code = main(["requests", "accept", *map(str, argv), "--at", NOW, "--json"])
    texts = []
    for stream in (out, err):
        stream.seek(0)
        texts.append(stream.read())
    return Ran(code, *texts)


@pytest.mark.usefixtures("requests_book")
@pytest.mark.parametrize(
    ("typed", "slot"),
    [(b"\n", 3), (b"2\n", 2), (b"4\n", 4), (b"9\nwhat\n0\n 3 \n", 3), (b"\xc2\xb3\n2\n", 2)],
)
def test_a_person_chooses(typed: bytes, slot: int) -> None:
    """The slots are shown best first; an empty answer is the best, a wrong one is asked again."""
    ran = choosing(typed, "PLAN")
    assert ran.code == 0, ran
    assert json.loads(ran.out)["slot"] == slot
    places = [ran.err.index(f"\n{number}: 2026-") for number in (3, 2, 4, 1, 5)]
    assert places == sorted(places)
    assert "[3]" in ran.err


@pytest.mark.parametrize("typed", [b"q\n", b"Q\n", b"", b"7\n", b"\xff\n"])
def test_a_person_leaves(requests_book: Shell, typed: bytes) -> None:
    """`q`, and the end of the input, leave as a question that was not answered with yes."""
    before = requests_book.dump()
    ran = choosing(typed, "PLAN")
    assert (ran.code, ran.out) == (7, "")
    assert '"declined"' in ran.err
    assert requests_book.dump() == before


@pytest.mark.usefixtures("requests_book")
def test_no_question_without_need() -> None:
    """An instant request, a slot that was named, one that was answered: nothing is asked."""
    for more in ("--yes", "--dry-run"):
        ran = choosing(b"", "PLAN", more)
        assert ran.code == 4
        assert "slot_needed" in ran.err
    assert choosing(b"", "PLAN", "--slot", "3").code == 0
    assert choosing(b"", "LAST").code == 0
    assert choosing(b"", "PLAN").code == 4


def test_there_is_no_usual_answer_in_the_past(requests_book: Shell) -> None:
    """Where all slots are over, one is taken only if it is named."""
    gone = opened("GONE", "10-05 08:50", kind="scheduled", slots=SLOTS[4:])
    requests_book.ok("sync", feed(requests_book, "gone.jsonl", gone))
    assert choosing(b"\n\n", "GONE").code == 7
    assert choosing(b"\n1\n", "GONE").code == 4
    assert json.loads(choosing(b"\n1\n", "GONE", "--anyway").out)["slot"] == 1
