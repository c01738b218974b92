"""Who may report what (2-events): a feed can report falsehoods, and can do nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.domain.policy import Policy
from tests.commands.test_sync import feed, opened
from tests.kit.events import FEED, OTHER, amount, line
from tests.kit.shell import Shell, error_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.commands.conftest import Prepare

PROFILE = ["name", "email", "method", "country", "line", "city"]
DEAR = {**Policy().document, "name": "theirs", "fee": {"percent": 95}}
TIP: dict[str, Any] = {"session": "S-1003", "amount": amount("1.00")}

PREFERENCES: dict[str, Any] = {
    "skills": ["urp"],
    "languages": ["en"],
    "experience_years": 1,
    "minimum_rate": amount("5.00"),
    "direct_rate": amount("5.00"),
    "timezone": "Asia/Seoul",
    "availability": {"weekly": {}},
    "buffers": {"before": 1},
    "vacations": [],
    "auto_decline": [{"reason": "no", "kind": "instant"}],
    "notifications": {"bell": True},
    "attachment_limit": 1,
}

# What a feed must not say, and the field that the refusal names.
REFUSED: dict[str, tuple[bytes, str]] = {
    "a policy": (line("policy.adopted", "11-02 09:00", id="x", policy=DEAR), "type"),
    "an erasure": (line("customer.forgotten", "11-02 09:00", id="x", customer="mina"), "type"),
    "a profile": (line("payout_profile.changed", "11-02 09:00", id="x", fields=PROFILE), "type"),
    "a look at it": (
        line("payout_profile.revealed", "11-02 09:00", id="x", fields=["iban"]),
        "type",
    ),
    **{
        f"the preference {name}": (
            line("preferences.changed", "11-02 09:00", id="x", role="expert", **{name: value}),
            name,
        )
        for name, value in PREFERENCES.items()
    },
    "the expert's name": (
        line("tip.received", "11-02 09:00", id="x", source=CLI_SOURCE, **TIP),
        "source",
    ),
    "another spelling of it": (
        line("tip.received", "11-02 09:00", id="x", source="URN:LivePortal:cli", **TIP),
        "source",
    ),
    "an encoding of it": (
        line("tip.received", "11-02 09:00", id="x", source="urn:liveportal%3Acli ", **TIP),
        "source",
    ),
    "the name of a statement": (
        line(
            "tip.received", "11-02 09:00", id="x", source="urn:liveportal:statement:paypal:7", **TIP
        ),
        "source",
    ),
    "an attached file": (
        line(
            *("artifact.added", "11-02 09:00"),
            id="x",
            source=CLI_SOURCE,
            session="S-1003",
            kind="transcript",
            name="lies.txt",
            sha256="0" * 64,
            bytes=1,
        ),
        "source",
    ),
    "a reversal of the expert's tip": (
        line(
            *("entry.reversed", "11-02 09:00"),
            id="x",
            event={"source": CLI_SOURCE, "id": "tip"},
            reason="no",
        ),
        "event.source",
    ),
    "a reversal of another feed's": (
        line(
            *("entry.reversed", "11-02 09:00"),
            id="x",
            event={"source": OTHER, "id": "tip"},
            reason="no",
        ),
        "event.source",
    ),
}
GOOD = opened("GOOD", "11-02 08:00")
LATER = opened("LATER", "11-02 10:00")


@pytest.fixture
def book(states: Shell, prepared: Prepare) -> Shell:
    """Give a ledger with one tip that was typed, and one that another feed reported."""
    return prepared("two tips", states, _tip_twice)


def _tip_twice(states: Shell) -> None:
    states.ok("sessions", "tip", "S-1003", "5.00", "--key", "tip")
    other = line(
        "tip.received",
        "11-01 09:00",
        id="tip",
        source=OTHER,
        session="S-1003",
        amount=amount("7.00"),
    )
    states.ok("sync", feed(states, "other.jsonl", other))


@pytest.mark.parametrize(("said", "field"), REFUSED.values(), ids=REFUSED)
def test_sync_refuses_it(book: Shell, said: bytes, field: str) -> None:
    """Nothing of the feed is recorded; the error names the line, the field and the remedy."""
    path = feed(book, "bad.jsonl", GOOD, said, LATER)
    for more in ((), ("--dry-run",)):
        error = book.refuses(4, "sync", path, *more)
        assert error["code"] == "not_for_feeds"
        assert (error["details"]["line"], error["details"]["field"]) == (2, field)
        assert error["message"].startswith("Line 2: A feed ")
        assert "--rejects" in error["hint"]


def test_batches_stop_at_it(book: Shell) -> None:
    """Earlier batches are kept, and nothing after it is read."""
    said, field = REFUSED["a policy"]
    ran = book.run("sync", feed(book, "bad.jsonl", GOOD, said, LATER), "--batch", "1", "--json")
    assert ran.code == 4
    error = error_of(ran.err)
    assert (error["code"], error["details"]["field"]) == ("not_for_feeds", field)
    assert {"GOOD"} == {"GOOD", "LATER"} & _requests(book)


def test_rejects_go_on_past_all_of_it(book: Shell) -> None:
    """Each is written with its reason, and does nothing."""
    before = book.ok("preferences"), book.ok("policy", "show"), book.ok("payout", "profile", "show")
    path = feed(book, "bad.jsonl", GOOD, *(said for said, _ in REFUSED.values()), LATER)
    ran = book.run("sync", path, "--rejects", "rejects.jsonl", "--json")
    assert ran.code == 1
    counts = json.loads(ran.out)
    assert (counts["recorded"], counts["refused"]) == (2, len(REFUSED))
    assert _rejects(book) == [("not_for_feeds", field) for _, field in REFUSED.values()]
    after = book.ok("preferences"), book.ok("policy", "show"), book.ok("payout", "profile", "show")
    assert after == before


def test_watch_refuses_it(book: Shell) -> None:
    """What came before is recorded and shown; with --rejects the watch goes on past all of it."""
    said, _ = REFUSED["the preference skills"]
    ran = book.run("requests", "watch", "-", "--field", "id", stdin=GOOD + said + LATER)
    assert (ran.code, ran.out) == (4, "GOOD\n")
    assert "Line 2: A feed " in ran.err
    assert "--rejects" in ran.err
    more = ("--field", "id", "--rejects", "rejects.jsonl")
    lines = GOOD + b"".join(said for said, _ in REFUSED.values()) + LATER
    ran = book.run("requests", "watch", "-", *more, stdin=lines)
    assert (ran.code, ran.out) == (1, "LATER\n")
    assert _rejects(book) == [("not_for_feeds", field) for _, field in REFUSED.values()]


def _rejects(shell: Shell) -> list[tuple[str, str]]:
    """Return the codes and fields of the rejects."""
    lines = (shell.folder / "rejects.jsonl").read_text().splitlines()
    reasons = [json.loads(line)["error"] for line in lines]
    return [(reason["code"], reason["field"]) for reason in reasons]


def _requests(shell: Shell) -> set[str]:
    return {row["id"] for row in shell.ok("requests", "list", "--all")}


def test_what_a_feed_may_say(book: Shell) -> None:
    """The expert's standing with the platform, and reversals of that feed's own events."""
    mistaken = line(
        "adjustment.posted",
        "11-02 09:00",
        id="a",
        adjustment="A",
        amount=amount("1.00"),
        reason="x",
    )
    undone = line(
        "entry.reversed", "11-02 10:00", id="r", event={"source": FEED, "id": "a"}, reason="x"
    )
    standing = line("preferences.changed", "11-02 11:00", id="s", role="expert", verification="yes")
    row = book.ok("sync", feed(book, "good.jsonl", mistaken, undone, standing))
    assert row["recorded"] == 3
    shown = book.ok("preferences")
    assert (shown["role"], shown["verification"]) == ("expert", "yes")


def test_a_feed_uses_up_no_key(book: Shell) -> None:
    """An event with the name that a command will have is refused, so the command goes through."""
    output = line("tip.received", "11-02 09:00", id="k", source=CLI_SOURCE, **TIP)
    book.refuses(4, "sync", feed(book, "bad.jsonl", output))
    row = book.ok("sessions", "tip", "S-1003", "2.00", "--key", "k")
    assert row["replayed"] is False


def test_the_expert_may_reverse_what_any_feed_reported(book: Shell) -> None:
    """Also where the feed itself could not be made to."""
    row = book.ok("ledger", "reverse", "tip", "--source", OTHER, "--reason", "none came", "--yes")
    assert row["replayed"] is False


# --- erasure requests -----------------------------------------------------------------------------

ASKED = line(
    "customer.erasure_requested", "11-02 09:00", id="e", customer="mina", reason="Sesamweg"
)


def _due(shell: Shell) -> Sequence[dict[str, Any]]:
    return [row for row in shell.ok("due") if row["kind"] == "erasure_request"]


def test_an_erasure_request_is_due_until_it_is_carried_out(book: Shell) -> None:
    """It erases nothing; `due` shows it, whose it is, why, and the command, and exits with 10."""
    customer = book.ok("sessions", "show", "S-1003")["customer"]
    output = line(
        "customer.erasure_requested", "11-02 09:00", id="e", customer=customer, reason="Why"
    )
    before = {(row["kind"], row["id"]) for row in book.ok("due")}
    assert book.ok("sync", feed(book, "asked.jsonl", output))["recorded"] == 1
    (row,) = _due(book)
    assert (row["id"], row["customer"], row["title"]) == (customer, customer, "Why")
    assert (row["due"], row["asks"], row["customer_name"]) == (None, True, "Zoë")
    assert row["command"] == f"liveportal ledger forget {customer}"
    assert book.run("due").code == 10
    assert [item for item in book.ok("due", "--within", "1h") if item["kind"] == row["kind"]]
    assert book.ok("due", "--as-known", "2026-01-01") == []
    after = {(row["kind"], row["id"]) for row in book.ok("due")}
    assert after - before == {(row["kind"], row["id"])}
    # The command that it names carries it out; a dry run of it does not.
    argv = row["command"].split()[1:]
    book.ok(*argv, "--dry-run")
    assert len(_due(book)) == 1
    assert book.ok(*argv, "--yes")["events"] > 1
    assert _due(book) == []
    assert b"Why" not in book.ledger.read_bytes()
    assert book.ok("ledger", "verify")["ok"] is True


def test_two_sources_ask_for_the_same(book: Shell) -> None:
    """The second confirms the first, before and after the erasure; words do not contradict."""
    customer = book.ok("sessions", "show", "S-1003")["customer"]
    data = {"customer": customer}
    first = line("customer.erasure_requested", "11-02 09:00", id="e", **data)
    second = line(
        "customer.erasure_requested", "11-02 09:05", id="e", source=OTHER, reason="y", **data
    )
    third = line(
        "customer.erasure_requested",
        "11-02 09:05",
        id="e",
        source=f"{OTHER}/3",
        reason="Sesamweg",
        **data,
    )
    assert book.ok("sync", feed(book, "1.jsonl", first))["recorded"] == 1
    assert book.ok("sync", feed(book, "2.jsonl", second))["confirmed"] == 1
    assert len(_due(book)) == 1
    book.ok("ledger", "forget", customer, "--yes")
    row = book.ok("sync", feed(book, "3.jsonl", first, second, third))
    assert (row["recorded"], row["replayed"], row["confirmed"]) == (0, 2, 1)
    assert _due(book) == []
    assert b"Sesamweg" not in book.ledger.read_bytes()


def test_who_asks_again_after_an_erasure(book: Shell) -> None:
    """It is a new request, from any source, even if nothing is left to erase."""
    customer = book.ok("sessions", "show", "S-1003")["customer"]
    data = {"customer": customer}
    first = line("customer.erasure_requested", "11-02 09:00", id="e", **data)
    again = line("customer.erasure_requested", "9999-01-01T09:00:00Z", id="f", source=OTHER, **data)
    book.ok("sync", feed(book, "1.jsonl", first))
    book.ok("ledger", "forget", customer, "--yes")
    assert book.ok("sync", feed(book, "2.jsonl", again))["recorded"] == 1
    assert len(_due(book)) == 1
    row = book.ok("ledger", "forget", customer, "--yes")
    assert (row["replayed"], row["events"]) == (False, 0)
    assert _due(book) == []
    assert book.ok("ledger", "forget", customer, "--yes")["replayed"] is True


def test_a_request_of_an_unknown_customer(book: Shell) -> None:
    """It is refused like any other unknown entity."""
    error = book.refuses(3, "sync", feed(book, "bad.jsonl", ASKED))
    assert (error["code"], error["details"]["line"]) == ("not_found", 1)
