"""Requests listed, filtered and sorted; automatic declines; added requests."""

from __future__ import annotations

import pytest

from liveportal.domain.row import columns
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries import requests as seen
from liveportal.ledger.queries.request_filter import RequestFilter
from tests.commands.test_sync import feed, opened
from tests.kit.events import amount, at, line
from tests.kit.requests_ledger import NOW, OPEN, SLOTS, accept, list_requests, nine_o_clock, row_of
from tests.kit.shell import Shell


@pytest.fixture
def requests_book(empty: Shell) -> Shell:
    """Give a ledger in Paris with requests of every kind, at nine o'clock on 5 October."""
    nine_o_clock(empty)
    return empty


# --- at a glance ----------------------------------------------------------------------------------


def test_the_new_fields_stand_at_the_end() -> None:
    """Fields only ever grow at the end, of the list and of a single request."""
    first = (
        *("id", "kind", "state", "direct", "customer.id", "customer.name", "title", "skills"),
        *("rate", "currency", "slots", "expires", "matches", "conflicts", "opened_at"),
    )
    then = ("description", "customer.timezone", "customer.language", "session", "closed_at")
    assert columns(seen.RequestRow)[:15] == first
    assert columns(seen.RequestDetail)[:22] == (*first, *then, "flags", "history")
    assert set(columns(seen.RequestDetail)) >= set(columns(seen.RequestRow))


def test_a_request_at_a_glance(requests_book: Shell) -> None:
    """Age, time left, past sessions and ratings, skills, rates, expected earnings."""
    row = row_of(requests_book, "PLAN")
    assert row["age_seconds"] == 40 * 60
    assert row["left_seconds"] == 48 * 3600
    assert row["customer"] == {"id": "C-2", "name": "Ann"}
    assert (row["helped"], row["customer_rating"]) == (3, "4.33")
    assert (row["minimum"], row["above_minimum"], row["matches"]) == ("2.50", True, True)
    assert (row["earns"], row["earns_minutes"]) == ("63.00", 30)
    assert row["conflicts"] == []
    assert [list(slot) for slot in row["slots"]] == [["slot", "start", "minutes"]] * 5
    last = row_of(requests_book, "LAST")
    assert (last["left_seconds"], last["matched_skills"]) == (0, ["URP"])
    assert (last["earns"], last["earns_minutes"]) == ("126.00", 60)
    assert last["customer"] == {"id": "C-1", "name": None}
    assert (last["helped"], last["customer_rating"]) == (0, None)
    other = row_of(requests_book, "OTHER")
    assert (other["minimum"], other["above_minimum"], other["matches"]) == ("3.50", False, False)
    assert (other["matched_skills"], other["left_seconds"]) == ([], None)


def test_without_preferences_nothing_is_held_against_a_request(empty: Shell) -> None:
    """No minimum, no skills: the figures are null, and everything matches."""
    empty.ok("sync", feed(empty, "one.jsonl", opened("R", "10-05 09:00", skills=["urp"])))
    row = row_of(empty, "R")
    assert (row["minimum"], row["above_minimum"], row["matches"]) == (None, None, True)
    assert row["matched_skills"] == []


def test_what_no_book_could_hold_earns_nothing_that_could_be_said(empty: Shell) -> None:
    """A rate at the end of all amounts does not keep the others from being listed."""
    huge = opened("R", "10-05 09:00", rate=amount("92233720368547758.07"))
    empty.ok("sync", feed(empty, "one.jsonl", huge, opened("S", "10-05 09:00")))
    assert [row["earns"] for row in empty.ok("requests", "list", "--all")] == [None, "126.00"]
    assert empty.ok("requests", "list", "--all", "--sort", "-earns")[0]["id"] == "S"


def test_an_hour_ends_after_its_last_microsecond(requests_book: Shell) -> None:
    """What has lapsed reads as expired everywhere; nothing is recorded, and it can be accepted."""
    before = requests_book.dump()
    assert list_requests(requests_book, "--state", "open") == OPEN
    assert list_requests(requests_book, "--state", "expired") == ["OLD"]
    assert list_requests(requests_book, "--state", "expired,open") == ["OLD", *OPEN]
    old = row_of(requests_book, "OLD")
    assert (old["state"], old["age_seconds"], old["left_seconds"]) == ("expired", None, None)
    assert requests_book.ok("requests", "show", "OLD")["state"] == "expired"
    assert requests_book.dump() == before
    error = requests_book.refuses(4, "requests", "accept", "OLD", "--at", NOW)
    assert error["code"] == "request_expired"
    assert accept(requests_book, "OLD", "--anyway")["state"] == "accepted"
    assert list_requests(requests_book, "--state", "accepted") == ["OLD"]


def test_what_the_platform_closed_stays_as_it_was_closed(requests_book: Shell) -> None:
    """Only open requests lapse: an answer stays, at any later time."""
    taken = line("request.taken", "10-05 08:30", id="taken", request="OLD")
    requests_book.ok("sync", feed(requests_book, "taken.jsonl", taken))
    assert list_requests(requests_book, "--state", "taken") == ["OLD"]
    assert row_of(requests_book, "OLD")["state"] == "taken"


def test_as_known_lapses_as_it_was_then(requests_book: Shell) -> None:
    """--as-known counts from its own instant, or from now where that is ahead."""
    argv = ("--as-known", "2999-01-01", "--state", "open")
    assert list_requests(requests_book, *argv) == OPEN
    requests_book.clock.set(at("3000-01-01T00:00:00Z"))
    assert list_requests(requests_book, *argv) == ["CHEAP", "OTHER"]
    (row, _) = requests_book.ok("requests", "list", *argv)
    assert row["age_seconds"] == (at("2999-01-01T22:59:59Z") - at("10-05 08:10")).total_seconds()


@pytest.mark.parametrize(
    ("argv", "ids"),
    [
        ("--kind scheduled", ["PLAN", "OTHER"]),
        ("--direct", ["OTHER"]),
        ("--not-direct --state open", ["LAST", "CHEAP", "PLAN"]),
        ("--skill uRP", ["OLD", "LAST"]),
        ("--skill netcode --skill nothing", ["LAST", "OTHER"]),
        ("--min-rate 3.00", ["OLD", "LAST", "PLAN", "OTHER"]),
        ("--min-rate 3.49", ["OTHER"]),
        ("--customer C-2", ["CHEAP", "PLAN"]),
        ("--matching", ["OLD", "LAST", "PLAN"]),
        ("--matching --state open --kind instant", ["LAST"]),
        ("--sort opened", ["OLD", *OPEN]),
        ("--sort -opened", [*OPEN[::-1], "OLD"]),
        ("--sort expires", ["OLD", "LAST", "PLAN", "CHEAP", "OTHER"]),
        ("--sort -left", ["PLAN", "LAST", "OLD", "CHEAP", "OTHER"]),
        ("--sort rate", ["CHEAP", "OLD", "LAST", "PLAN", "OTHER"]),
        ("--sort -earns --state open", ["LAST", "OTHER", "PLAN", "CHEAP"]),
    ],
)
def test_filters_and_orders(requests_book: Shell, argv: str, ids: list[str]) -> None:
    """Filters are combined with "and"; missing values come last in both directions."""
    assert list_requests(requests_book, *argv.split()) == ids


def test_since_a_time_or_a_position(requests_book: Shell) -> None:
    """A time is included, as typed in the expert's zone; a position is where one left off."""
    assert list_requests(requests_book, "--since", "2026-10-05 10:20") == ["PLAN", "OTHER"]
    seq = row_of(requests_book, "CHEAP")["seq"]
    assert list_requests(requests_book, "--since", seq) == ["PLAN", "OTHER"]
    last = row_of(requests_book, "OTHER")["seq"]
    assert requests_book.ok("requests", "list", "--all", "--since", last) == []
    assert requests_book.refuses(1, "requests", "list", "--since", "soon")["code"] == "invalid_time"


@pytest.mark.parametrize(
    ("option", "value"), [("--kind", "sudden"), ("--sort", "title"), ("--state", "lost")]
)
def test_a_word_that_there_is_not_is_wrong_usage(
    requests_book: Shell, option: str, value: str
) -> None:
    """An invalid filter is a usage error that lists the valid words."""
    error = requests_book.refuses(2, "requests", "list", option, value)
    assert value in error["message"]
    assert "open" in error["message"] or "instant" in error["message"]


def test_an_invalid_amount_is_reported(requests_book: Shell) -> None:
    """--min-rate is an amount in the ledger's currency."""
    assert (
        requests_book.refuses(1, "requests", "list", "--min-rate", "much")["code"]
        == "invalid_amount"
    )


def test_a_list_asks_a_fixed_number_of_questions(empty: Shell) -> None:
    """However many requests there are, the ledger is asked as often as for one."""
    slots = {"kind": "scheduled", "slots": SLOTS}
    many = [
        opened(f"R-{n}", "10-05 09:00", customer={"id": f"C-{n}"}, **(slots if n % 2 else {}))
        for n in range(20)
    ]
    empty.ok("sync", feed(empty, "many.jsonl", *many))
    counts = []
    for ids in (["R-1"], None):
        with open_readonly(empty.ledger) as reader:
            asked_for: list[str] = []
            reader.db.set_trace_callback(asked_for.append)
            rows = seen.requests(reader, at("10-05 09:00"), RequestFilter(ids=ids))
            reader.db.set_trace_callback(None)
        counts.append((len(rows), len(asked_for)))
    assert [rows for rows, _ in counts] == [1, 20]
    assert counts[0][1] == counts[1][1]


def test_a_person_reads_it_in_eighty_columns(
    requests_book: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids and dates unbroken, no line too long; who, when, how much, and until when."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    shown = requests_book.run("requests", "list", "--all", terminal=True)
    lines = shown.out.splitlines()
    assert max(map(len, lines)) <= 80
    words = " ".join(shown.out.split())
    for said in ("OTHER", "2026-10-07 15:00", "expired", "Ann", "126.00 for 60 min", " left "):
        assert said in words, said
    one = requests_book.run("requests", "show", "PLAN", terminal=True)
    assert max(map(len, one.out.splitlines())) <= 80
    output = " ".join(one.out.split())
    order = [output.index(f"{number}: 2026-") for number in (3, 2, 4, 1, 5)]
    assert order == sorted(order)
    assert "3: 2026-10-07 15:00, 30 min, earns 63.00; free, within your hours, 09:00 for" in output
    assert "accept PLAN --best" in one.err


# --- declining ------------------------------------------------------------------------------------


def test_the_rules_decline_what_they_name(requests_book: Shell) -> None:
    """Every open request that a rule matches, each with the rule's reason; the others stay."""
    argv = ("requests", "decline", "--auto", "--at", NOW)
    before = requests_book.dump()
    tried = requests_book.ok(*argv, "--dry-run")
    assert requests_book.dump() == before
    done = requests_book.ok(*argv)
    for rows in (tried, done):
        assert [(row["id"], row["state"], row["reason"]) for row in rows] == [
            ("CHEAP", "declined", "too cheap"),
            ("OTHER", "declined", "not my field"),
        ]
    assert list_requests(requests_book, "--state", "open") == ["LAST", "PLAN"]
    history = requests_book.ok("requests", "show", "CHEAP")["history"]
    assert history[-1]["data"] == {"request": "CHEAP", "reason": "too cheap"}
    assert requests_book.ok(*argv) == []


def test_what_has_lapsed_is_left_to_the_platform(requests_book: Shell) -> None:
    """Rules decline only requests that can still be answered."""
    requests_book.ok("requests", "decline", "CHEAP", "OTHER")
    old = opened("GONE", "10-05 08:00", rate=amount("1.00"), expires="2026-10-05T08:30:00Z")
    requests_book.ok("sync", feed(requests_book, "old.jsonl", old))
    assert requests_book.ok("requests", "decline", "--auto", "--at", NOW) == []


def test_without_rules_nothing_is_declined(october: Shell) -> None:
    """No rules: nothing to do, and that is a success."""
    assert october.ok("requests", "decline", "--auto") == []


@pytest.mark.parametrize(
    "argv", [(), ("CHEAP", "--auto"), ("-", "--auto"), ("--auto", "--reason", "no")]
)
def test_either_ids_or_the_rules(requests_book: Shell, argv: tuple[str, ...]) -> None:
    """Nothing named is wrong usage, and so is naming both; a rule has its own reason."""
    assert requests_book.refuses(2, "requests", "decline", *argv)["code"] == "usage"


def test_a_decline_shows_its_reason(requests_book: Shell) -> None:
    """The reason is at the end of the result, also of a replay."""
    argv = ("requests", "decline", "LAST", "--reason", "busy", "--key", "k")
    done = requests_book.ok(*argv)
    assert (done["reason"], list(done)[-1]) == ("busy", "reason")
    assert requests_book.ok(*argv) == done | {"replayed": True}
    assert requests_book.ok("requests", "decline", "CHEAP")["reason"] is None


# --- adding ---------------------------------------------------------------------------------------


def test_what_is_added_is_counted_from_when_it_came(requests_book: Shell) -> None:
    """Slots and expiry that are typed in words count from --at, in the expert's zone."""
    argv = ("requests", "add", "--id", "MINE", "--customer", "C-4", "--title", "x", "--rate", "3")
    when = ("--at", "2026-10-05 09:30", "--expires", "in 2 hours", "--slot", "tomorrow 9am, 45")
    assert requests_book.ok(*argv, *when)["state"] == "open"
    row = row_of(requests_book, "MINE")
    assert (row["expires"], row["left_seconds"]) == ("2026-10-05T09:30:00Z", 1800)
    assert row["slots"] == [{"slot": 1, "start": "2026-10-06T07:00:00Z", "minutes": 45}]
    assert row["age_seconds"] == 5400


def test_a_list_is_of_open_requests_unless_asked_otherwise(requests_book: Shell) -> None:
    """`--all` and `--state` list others, `--limit` only the first; --all is every state."""
    listed = [row["id"] for row in requests_book.ok("requests", "list")]
    assert listed == [row["id"] for row in requests_book.ok("requests", "list", "--state", "open")]
    everything = [row["id"] for row in requests_book.ok("requests", "list", "--all")]
    assert set(listed) < set(everything)
    assert listed[:2] == [row["id"] for row in requests_book.ok("requests", "--limit", "2")]
    first, *_ = requests_book.ok("requests", "list", "--all", "--sort", "-rate", "--limit", "1")
    assert first["rate"] == max(
        row["rate"] for row in requests_book.ok("requests", "list", "--all")
    )
    assert requests_book.refuses(2, "requests", "list", "--all", "--state", "open")
    assert requests_book.refuses(2, "requests", "list", "--limit", "0")
