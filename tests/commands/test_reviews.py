"""Reviews of both sides: with the session, by customer, and averaged over all."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.ledger.queries.reviews import average
from tests.commands.test_history import held_session
from tests.commands.test_hostile import FORBIDDEN, FORMULA, HOSTILE
from tests.commands.test_sync import feed
from tests.kit.events import line

if TYPE_CHECKING:
    from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

FIELDS = [
    *("customer", "customer_name", "sessions", "minutes", "reviews_of_you", "rating_of_you"),
    *("reviews_by_you", "rating_by_you", "last_session", "last_review"),
    "customer_id",
]


def review(session: str, when: str, rating: int, by: str = "customer", text: str = "") -> bytes:
    """Return a feed's line of a review."""
    document = json.loads(line("review.posted", when, id=f"r-{session}-{by}-{when}"))
    document["data"] = {"session": session, "by": by, "rating": rating, "text": text or None}
    if not text:
        del document["data"]["text"]
    return json.dumps(document).encode() + b"\n"


@pytest.fixture
def reviewed(empty: Shell) -> Shell:
    """Give a ledger with three customers: one talkative, one that left a star, one silent."""
    lines = (
        *held_session(1, "10-01 09:00", customer={"id": "C-1", "name": "Zoë"}),
        *held_session(2, "10-02 09:00"),
        *held_session(3, "10-03 09:00"),
        *held_session(4, "10-04 09:00", customer={"id": "C-2", "name": "Åke"}),
        *held_session(5, "10-05 09:00", customer={"id": "C-3"}),
        review("S-1", "10-01 10:00", 5, text="Solved"),
        review("S-2", "10-02 10:00", 4),
        review("S-3", "10-03 10:00", 4, text="Fine"),
        review("S-1", "10-01 11:00", 3, "expert", "Came late"),
        review("S-4", "10-20 10:00", 1, text="No"),
        *held_session(6, "10-06 09:00", customer={"id": "C-4"})[:2],
    )
    empty.ok("sync", feed(empty, "reviews.jsonl", *lines))
    return empty


def test_one_row_a_customer_the_latest_first(reviewed: Shell) -> None:
    """One row per customer with a session; latest session or review first."""
    rows = reviewed.ok("sessions", "reviews")
    assert [list(row) for row in rows] == [FIELDS] * 3
    assert [row["customer"] for row in rows] == ["C-2", "C-3", "C-1"]
    assert list(rows[2].values()) == [
        *("C-1", "Zoë", 3, "45.00", 3, "4.33", 1, "3.00"),
        *("2026-10-03T09:15:00Z", "2026-10-03T10:00:00Z", "C-1"),
    ]
    assert list(rows[1].values()) == [
        *("C-3", None, 1, "15.00", 0, None, 0, None, "2026-10-05T09:15:00Z", None, "C-3"),
    ]
    assert rows[0]["rating_of_you"] == "1.00"
    assert reviewed.output_of("sessions", "reviews", "--fields", "customer,rating_of_you") == (
        "C-2\t1.00\nC-3\t\nC-1\t4.33\n"
    )


def test_the_reviews_of_a_customer(reviewed: Shell) -> None:
    """Each of them in the order they were given, both ways; a prefix of the id will do."""
    rows = reviewed.ok("sessions", "reviews", "--customer", "C-1")
    assert [tuple(row.values()) for row in rows] == [
        ("S-1", "customer", 5, "2026-10-01T10:00:00Z", "Solved"),
        ("S-1", "expert", 3, "2026-10-01T11:00:00Z", "Came late"),
        ("S-2", "customer", 4, "2026-10-02T10:00:00Z", None),
        ("S-3", "customer", 4, "2026-10-03T10:00:00Z", "Fine"),
    ]
    assert list(rows[0]) == ["session", "by", "rating", "time", "text"]
    assert reviewed.ok("sessions", "reviews", "--customer", "C-3") == []
    assert reviewed.ok("sessions", "reviews", "--customer", "C-4") == []
    shown = reviewed.ok("sessions", "show", "S-1")["reviews"]
    assert [row["text"] for row in shown] == ["Solved", "Came late"]


@pytest.mark.parametrize(
    ("given", "code"),
    [("C-9", "not_found"), ("", "not_found"), ("\udcff", "not_found"), ("C-", "ambiguous_id")],
)
def test_a_customer_that_there_is_not(reviewed: Shell, given: str, code: str) -> None:
    """The error says so, and where to look."""
    error = reviewed.refuses(3, "sessions", "reviews", f"--customer={given}")
    assert error["code"] == code
    assert error["hint"]


def test_a_changed_mind_counts_once(reviewed: Shell) -> None:
    """The latest review of a side is its review."""
    reviewed.ok("sync", feed(reviewed, "again.jsonl", review("S-4", "10-21 10:00", 5, text="Yes")))
    row = reviewed.ok("sessions", "reviews")[0]
    assert (row["customer"], row["reviews_of_you"], row["rating_of_you"]) == ("C-2", 1, "5.00")
    reviews = reviewed.ok("sessions", "reviews", "--customer", "C-2")
    assert [(row["rating"], row["text"]) for row in reviews] == [(5, "Yes")]
    assert reviewed.ok("sessions", "list", "--customer", "C-2")[0]["rating"] == 5


def test_what_is_erased_is_null(reviewed: Shell) -> None:
    """A forgotten customer has no name and no words; ratings and times stay."""
    forget = line("customer.forgotten", "10-09 09:00", id="f", customer="C-1")
    reviewed.says(forget)
    row = reviewed.ok("sessions", "reviews")[2]
    assert (row["customer"], row["customer_name"], row["rating_of_you"]) == ("C-1", None, "4.33")
    reviews = reviewed.ok("sessions", "reviews", "--customer", "C-1")
    assert [row["text"] for row in reviews] == [None] * 4
    assert [row["rating"] for row in reviews] == [5, 3, 4, 4]


def test_as_known_then(reviewed: Shell) -> None:
    """Later records are missing, and before the first session there is no customer."""
    assert reviewed.ok("sessions", "reviews", "--as-known", "2001-01-01") == []
    assert reviewed.ok("sessions", "reviews", "--as-known", "2999-01-01") == reviewed.ok(
        "sessions", "reviews"
    )


def test_on_a_terminal_with_the_average_over_all(
    reviewed: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line sums up all reviews, or those of the customer; a script gets rows only."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "dumb")
    shown = reviewed.run("sessions", "reviews", terminal=True)
    assert "Reviews: 4 of you, 3.50 on average; 1 by you, 3.00 on average\n" in shown.out
    assert "Zoë" in shown.out
    assert "--customer" in shown.err
    shown = reviewed.run("sessions", "reviews", "--customer", "C-2", terminal=True)
    assert "Reviews: 1 of you, 1.00 on average; 0 by you\n" in shown.out
    assert shown.err == ""
    assert "Reviews:" not in reviewed.output_of("sessions", "reviews")


def test_no_customers_yet(empty: Shell) -> None:
    """An empty ledger gives an empty list, and a sentence to a person."""
    assert empty.ok("sessions", "reviews") == []
    assert (
        "No customers yet. `liveportal requests list`"
        in empty.run("sessions", "reviews", terminal=True).out
    )


@pytest.mark.parametrize("text", [" ".join(HOSTILE), FORMULA, "\x1b]\u202e" * 300_000])
def test_hostile_words(empty: Shell, text: str) -> None:
    """JSON keeps untrusted text, escaped; rows and terminals get it cleaned."""
    lines = (
        *held_session(1, "10-01 09:00", customer={"id": "C-1", "name": text}),
        review("S-1", "10-01 10:00", 5, text=text),
    )
    empty.ok("sync", feed(empty, "hostile.jsonl", *lines))
    for argv in (("sessions", "reviews"), ("sessions", "reviews", "--customer", "C-1")):
        (row,) = empty.ok(*argv)
        assert text in row.values()
        assert empty.output_of(*argv, "--json").isascii()
        for option in ("--tsv", "--csv"):
            shown = empty.output_of(*argv, option)
            assert not FORBIDDEN.search(shown)
            assert shown.count("\n") == 1 + (option == "--csv")
            assert option == "--tsv" or ",=" not in shown
        ran = empty.run(*argv, terminal=True)
        assert ran.code == 0
        assert not FORBIDDEN.search(ran.out.replace("\x1b[1m", "").replace("\x1b[0m", ""))


@given(st.lists(st.integers(1, 5), max_size=40))
def test_averages_are_exact_and_rounded_half_up(ratings: list[int]) -> None:
    """To two digits; without ratings there is no average."""
    mean = average(sum(ratings), len(ratings))
    if not ratings:
        assert mean is None
        return
    exact = Decimal(sum(ratings)) / len(ratings)
    assert str(mean) == str(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))


@pytest.mark.parametrize(("stars", "count", "wanted"), [(13, 8, "1.63"), (1, 1, "1.00")])
def test_an_average_that_lies_between(stars: int, count: int, wanted: str) -> None:
    """1.625 is 1.63, and no float has made it less."""
    assert str(average(stars, count)) == wanted
