"""The state machines of rulebook 6 as tables: every state, every event, the result.

Each story below brings an entity into a state; the tables give the state after each event. `-` is a
transition that does not exist: refused with the state named, nothing recorded.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from liveportal.domain import errors
from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.domain.events.types import TYPES
from liveportal.domain.handlers import payouts, refunds, requests, sessions
from liveportal.ledger.journal.journal import Outcome
from tests.kit.books import Book
from tests.kit.events import OTHER, amount

EARLY, LATE = "10-05 12:00", "10-06 09:00"
Cells = list[tuple[str, str, str]]


def cells(table: str) -> Cells:
    """Parse a table: the head lists the states, each row an event and the states after it."""
    head, *rows = [row.split() for row in table.strip().splitlines()]
    return [
        (state, row[0], after) for row in rows for state, after in zip(head, row[1:], strict=True)
    ]


def report(books: Book, kind: str, when: str, **thing: str) -> Outcome:
    """Record an event with all fields that its type requires, besides the entity's id."""
    required: dict[str, dict[str, object]] = {
        "session.rescheduled": {"start": "2026-10-07T09:00:00Z"},
        "session.cancelled": {"by": "expert"},
        "session.missed": {"by": "customer"},
        "dispute.filed": {"summary": "No."},
        "session.corrected": {"billed": amount("10.00"), "reason": "x"},
        "review.posted": {"by": "expert", "rating": 3},
        "tip.received": {"amount": amount("1.00")},
    }
    return books.record(kind, when, **thing, **required.get(kind, {}))


def check(
    books: Book, state: Callable[[], str], kind: str, after: str, thing: dict[str, str]
) -> None:
    """Expect the state after the event, or a refusal that names the state and records nothing."""
    was = state()
    if after != "-":
        report(books, kind, LATE, **thing)
        assert state() == after
        return
    before = books.dump()
    with pytest.raises(errors.WrongState) as caught:
        report(books, kind, LATE, **thing)
    name = next(iter(thing.values()))
    assert re.fullmatch(rf"[A-Z][a-z]+ {re.escape(name)} .+\.", caught.value.message)
    assert caught.value.hint, "it says what can be done now"
    assert caught.value.details["state"] == was
    assert books.dump() == before


# --- requests -------------------------------------------------------------------------------------

REQUESTS = """
                  open       accepted  declined  withdrawn  taken  expired
request.accepted  accepted   -         -         -          -      -
request.declined  declined   -         -         -          -      -
request.withdrawn withdrawn  -         -         -          -      -
request.taken     taken      taken     -         -          -      -
request.expired   expired    -         -         -          -      -
"""
# A feed reports an earlier step than the shell: `=` has no effect, `!` is a conflict.
BY_FEED = """
                  accepted   declined  withdrawn  taken  expired
request.accepted  -          -         -          -      -
request.declined  !          =         =          =      =
request.withdrawn withdrawn  =         =          =      =
request.taken     taken      =         =          =      =
request.expired   expired    =         =          =      =
"""


@pytest.mark.parametrize(("state", "kind", "after"), cells(REQUESTS))
def test_requests(books: Book, state: str, kind: str, after: str) -> None:
    """A request is answered once; only the race for an accepted one may still be lost."""
    books.open()
    if state != "open":
        books.record(f"request.{state}", EARLY, request="R-1")
    thing = {"request": "R-1", "source": CLI_SOURCE}
    check(books, lambda: books.request().state, kind, after, thing)


@pytest.mark.parametrize(("state", "kind", "after"), cells(BY_FEED))
def test_requests_by_a_feed(books: Book, state: str, kind: str, after: str) -> None:
    """A feed's late report about a request must still be accepted."""
    books.open()
    books.record(f"request.{state}", EARLY, request="R-1", source=OTHER)
    if kind == f"request.{state}":
        books.record(kind, EARLY, request="R-1")  # A confirmation; from then on it is its own.
    if after == "!":
        assert isinstance(books.refuses(kind, LATE, request="R-1"), errors.Conflict)
    elif after == "=":
        outcome = report(books, kind, LATE, request="R-1")
        assert (outcome.status, outcome.flags) == ("recorded", ("superseded",))
        assert books.request().state == state
    else:
        check(books, lambda: books.request().state, kind, after, {"request": "R-1"})


# --- sessions -------------------------------------------------------------------------------------

SESSIONS = """
                     upcoming   live    paused  ended  cancelled  missed
session.rescheduled  upcoming   -       -       -      -          -
session.cancelled    cancelled  -       -       -      -          -
session.missed       missed     -       -       -      -          -
session.started      live       -       -       -      -          -
session.paused       -          paused  -       -      -          -
session.resumed      -          -       live    -      -          -
session.ended        -          ended   ended   -      -          -
session.corrected    -          -       -       ended  -          -
review.posted        -          -       -       ended  -          -
tip.received         -          -       -       ended  -          -
"""
SESSION_STORIES = {
    "upcoming": [],
    "live": ["session.started"],
    "paused": ["session.started", "session.paused"],
    "ended": ["session.started", "session.ended"],
    "cancelled": ["session.cancelled"],
    "missed": ["session.missed"],
}


def scheduled(books: Book) -> None:
    """Accept a scheduled request: session S-1 is upcoming."""
    slots = [{"start": "2026-10-07T09:00:00Z", "minutes": 30}]
    books.open(kind="scheduled", slots=slots)
    books.record("request.accepted", "10-05 08:00", request="R-1", session="S-1", slot=1)


@pytest.mark.parametrize(("state", "kind", "after"), cells(SESSIONS))
def test_sessions(books: Book, state: str, kind: str, after: str) -> None:
    """Upcoming -> live <-> paused; live | paused -> ended; upcoming -> cancelled | missed."""
    scheduled(books)
    for step in SESSION_STORIES[state]:
        report(books, step, EARLY, session="S-1")
    check(books, lambda: books.session().state, kind, after, {"session": "S-1"})


def test_an_instant_session_begins_live(books: Book) -> None:
    """Accepting an instant request creates the session live; starting it is refused."""
    books.live(when="10-05 09:00")
    assert books.session().state == "live"
    error = books.refuses("session.started", "10-05 09:00", session="S-1")
    assert isinstance(error, errors.WrongState)


def test_a_logged_session_enters_as_ended(books: Book) -> None:
    """A session logged by hand was over when it was logged."""
    books.log()
    assert books.session().state == "ended"
    again = books.refuses(
        "session.logged",
        "10-05 12:00",
        session="S-1",
        customer={"id": "C-1"},
        rate=amount("5.00"),
        start="2026-10-05T09:00:00Z",
        end="2026-10-05T10:00:00Z",
    )
    assert isinstance(again, errors.AlreadyExists)


# --- claims ---------------------------------------------------------------------------------------

CLAIMS = """
                   open       disputed   conceded  granted  denied  withdrawn  accepted  rejected
refund.conceded    conceded   -          -         -        -       -          -         -
refund.granted     granted    -          -         -        -       -          -         -
refund.denied      denied     -          -         -        -       -          -         -
refund.withdrawn   withdrawn  withdrawn  -         -        -       -          -         -
dispute.filed      disputed   -          -         -        -       -          -         -
dispute.withdrawn  -          open       -         -        -       -          -         -
dispute.accepted   -          accepted   -         -        -       -          -         -
dispute.rejected   -          rejected   -         -        -       -          -         -
"""
# What the states mean for the money: what is held, and what the session has earned since.
MONEY = {
    "open": ("42.00", "42.00"),
    "disputed": ("42.00", "42.00"),
    "conceded": ("0.00", "0.00"),
    "granted": ("0.00", "0.00"),
    "denied": ("0.00", "42.00"),
    "withdrawn": ("0.00", "42.00"),
    "accepted": ("0.00", "42.00"),
    "rejected": ("0.00", "0.00"),
}


def claim_in(books: Book, state: str) -> None:
    """Bring claim CL-1 into a state."""
    books.log(end="10-05 10:00", gross="60.00")
    books.claim()
    if state in ("disputed", "accepted", "rejected"):
        report(books, "dispute.filed", EARLY, claim="CL-1")
    if state in ("accepted", "rejected"):
        report(books, f"dispute.{state}", EARLY, claim="CL-1")
    elif state not in ("open", "disputed"):
        report(books, f"refund.{state}", EARLY, claim="CL-1")


@pytest.mark.parametrize(("state", "kind", "after"), cells(CLAIMS))
def test_claims(books: Book, state: str, kind: str, after: str) -> None:
    """A claim is held while open or disputed, and ends once: deducted or released."""
    claim_in(books, state)
    check(books, lambda: books.claimed().state, kind, after, {"claim": "CL-1"})
    now = books.claimed().state
    assert (books.balance()[1], books.month()["net"]) == MONEY[now]


@pytest.mark.parametrize("state", ["disputed", "conceded", "denied", "withdrawn", "accepted"])
@pytest.mark.parametrize("kind", ["refund.conceded", "dispute.filed"])
def test_the_code_of_a_claim_that_is_not_open(books: Book, state: str, kind: str) -> None:
    """Conceding or disputing a claim that is not open is `claim_not_open`."""
    claim_in(books, state)
    with pytest.raises(errors.ClaimNotOpen) as caught:
        report(books, kind, LATE, claim="CL-1")
    assert caught.value.code == "claim_not_open"


@pytest.mark.parametrize("state", sorted(MONEY))
def test_claim_again(books: Book, state: str) -> None:
    """A new claim may follow a released one; a deducted full refund leaves nothing to claim."""
    claim_in(books, state)
    if state in ("denied", "withdrawn", "accepted"):
        books.claim("CL-2", LATE)
        assert books.claimed("CL-2").state == "open"
        return
    expected = errors.ClaimOpen if state in ("open", "disputed") else errors.NothingToRefund
    error = books.refuses("refund.claimed", LATE, claim="CL-2", session="S-1")
    assert type(error) is expected
    same = books.refuses("refund.claimed", LATE, claim="CL-1", session="S-1")
    assert isinstance(same, errors.AlreadyExists)


# --- payouts --------------------------------------------------------------------------------------

PAYOUTS = """
                 sent    paid      failed  returned
payout.paid      paid    -         -       -
payout.failed    failed  -         -       -
payout.returned  -       returned  -       -
"""
PAYOUT_STORIES = {
    "sent": [],
    "paid": ["payout.paid"],
    "failed": ["payout.failed"],
    "returned": ["payout.paid", "payout.returned"],
}


@pytest.mark.parametrize(("state", "kind", "after"), cells(PAYOUTS))
def test_payouts(books: Book, state: str, kind: str, after: str) -> None:
    """Sent -> paid | failed; paid -> returned."""
    books.log(gross="100.00")
    books.record(
        "payout.sent", "10-05 11:00", payout="PO-1", amount=amount("70.00"), method="paypal"
    )
    for step in PAYOUT_STORIES[state]:
        report(books, step, EARLY, payout="PO-1")
    check(books, lambda: books.payout().state, kind, after, {"payout": "PO-1"})
    owed = {"sent": "0.00", "paid": "0.00", "failed": "70.00", "returned": "70.00"}
    assert books.balance()[0] == owed[books.payout().state]


# --- nothing forgotten ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moves", "table"),
    [
        (requests.MOVES, REQUESTS),
        (sessions.MOVES, SESSIONS),
        (refunds.MOVES, CLAIMS),
        (payouts.MOVES, PAYOUTS),
    ],
)
def test_the_tables_hold_every_move(moves: dict[tuple[str, str], str], table: str) -> None:
    """No machine has a move that its table above does not show."""
    shown = {(state, kind): after for state, kind, after in cells(table) if after != "-"}
    assert moves.items() <= shown.items()


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in TYPES
        if kind.split(".")[0]
        in ("request", "session", "refund", "dispute", "payout", "tip", "review")
        and kind.split(".")[1] not in ("opened", "logged", "claimed", "sent")
    ],
)
def test_an_unknown_id_is_not_found(books: Book, kind: str) -> None:
    """An event about an unknown entity is refused as not found."""
    thing = {"dispute": "claim", "refund": "claim", "tip": "session", "review": "session"}
    name = thing.get(kind.split(".", maxsplit=1)[0], kind.split(".", maxsplit=1)[0])
    before = books.dump()
    with pytest.raises(errors.UnknownEntity) as caught:
        report(books, kind, LATE, **{name: "X-1"})
    assert caught.value.details["kind"] == name
    assert "X-1" in caught.value.message
    assert books.dump() == before


# --- times ----------------------------------------------------------------------------------------

TIMED = ["session.rescheduled", "session.cancelled", "session.missed", "session.started"]


@pytest.mark.parametrize("kind", TIMED)
def test_schedule_times_do_not_go_back(books: Book, kind: str) -> None:
    """A schedule event must not precede the acceptance; equal is fine."""
    scheduled(books)
    with pytest.raises(errors.ImpossibleTime):
        report(books, kind, "10-05 07:59:59.999999", session="S-1")
    report(books, kind, "10-05 08:00", session="S-1")


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        ([], "session.paused"),
        ([], "session.ended"),
        (["session.paused"], "session.resumed"),
        (["session.paused"], "session.ended"),
        (["session.paused", "session.resumed"], "session.paused"),
    ],
)
def test_the_timer_does_not_go_back(books: Book, before: list[str], kind: str) -> None:
    """A timer event must not precede the last one; an equal time and zero length are fine."""
    books.live(when="10-05 09:00")
    for step in before:
        report(books, step, "10-05 09:10", session="S-1")
    last = "10-05 09:10" if before else "10-05 09:00"
    with pytest.raises(errors.ImpossibleTime):
        report(books, kind, "10-05 08:59:59.999999", session="S-1")
    report(books, kind, last, session="S-1")


@pytest.mark.parametrize("kind", ["tip.received", "review.posted", "refund.claimed"])
def test_what_follows_a_session_does_not_precede_its_end(books: Book, kind: str) -> None:
    """A claim, tip or review must not precede the session's end; equal is fine."""
    books.log(end="10-05 10:00")
    claim = {"claim": "CL-1"} if kind == "refund.claimed" else {}
    with pytest.raises(errors.ImpossibleTime):
        report(books, kind, "10-05 09:59:59.999999", session="S-1", **claim)
    report(books, kind, "10-05 10:00", session="S-1", **claim)


@pytest.mark.parametrize(
    "kind", ["refund.conceded", "refund.granted", "refund.denied", "refund.withdrawn"]
)
def test_a_decision_does_not_precede_its_claim(books: Book, kind: str) -> None:
    """A decision must not precede its claim; equal is fine."""
    claim_in(books, "open")
    with pytest.raises(errors.ImpossibleTime):
        report(books, kind, "10-05 10:59:59.999999", claim="CL-1")
    report(books, kind, "10-05 11:00", claim="CL-1")


def test_evidence_may_come_any_time(books: Book) -> None:
    """A recording or file may come before the session has begun, as after."""
    scheduled(books)
    digest = "0" * 64
    for when in ("01-01 00:00", "12-31 00:00"):
        books.record(
            "artifact.added", when, session="S-1", kind="code", name="a.cs", sha256=digest, bytes=1
        )
    assert len(books.rows("SELECT * FROM artifact")) == 2


def test_times_ahead_of_the_clock_are_recorded(books: Book) -> None:
    """The ledger's clock shows January; October is recorded all the same."""
    books.live(when="10-05 09:00")
    assert books.session().state == "live"
