"""`sync --format`: what schedulers and Stripe send, as a user syncs it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tests.kit.shell import Ran, Shell
from tests.kit.webhooks import (
    EXPERT,
    MINA,
    booking,
    capture,
    invitee,
    invitee_uri,
    lines,
    meeting,
    no_show,
    stripe,
)

RATE = ("--rate", "3.00")
CALCOM = ("--format", "calcom", *RATE)
CALENDLY = ("--format", "calendly", *RATE)
STRIPE = ("--format", "stripe", "--hop", "payout")
DAY = 86_400
OCTOBER = 1_790_812_800
"""The first second of October 2026."""


def sync(shell: Shell, bodies: str, *options: str) -> dict[str, Any]:
    """Sync bodies, and return the counts."""
    ran = shell.run("sync", shell.file("feed.jsonl", bodies), *options, "--json")
    assert ran.code == 0, ran
    row: dict[str, Any] = json.loads(ran.out)
    assert (row["ignored"] > 0) is ("Ignored" in ran.err)
    return row


def states(shell: Shell) -> dict[str, str]:
    """Return the state of each session by its id."""
    return {row["id"]: row["state"] for row in shell.ok("sessions", "list")}


def requests(shell: Shell) -> dict[str, str]:
    """Return the state of each request by its id."""
    return {row["id"]: row["state"] for row in shell.ok("requests", "list", "--all")}


# --- cal.com --------------------------------------------------------------------------------------


MONTH = (
    booking("BOOKING_REQUESTED", "A", "05T09:00", created="01T10:00", status="PENDING"),
    booking("BOOKING_CREATED", "A", "05T09:00", created="01T11:00"),
    booking("BOOKING_CREATED", "B", "06T09:00", created="02T10:00"),
    booking("BOOKING_RESCHEDULED", "B2", "07T10:00", created="02T12:00", rescheduleUid="B"),
    booking("BOOKING_RESCHEDULED", "B3", "08T10:00", created="02T13:00", rescheduleUid="B2"),
    booking("BOOKING_CREATED", "C", "09T09:00", created="03T10:00"),
    booking("BOOKING_CANCELLED", "C", "09T09:00", created="03T12:00", cancelledBy=MINA),
    booking("BOOKING_CREATED", "D", "10T09:00", created="03T13:00"),
    booking("BOOKING_REQUESTED", "E", "11T09:00", created="03T14:00", status="PENDING"),
    booking("BOOKING_REJECTED", "E", "11T09:00", created="03T15:00", rejectionReason="Away"),
    booking("BOOKING_PAID", "A", "05T09:00", created="04T10:00"),
    meeting("MEETING_STARTED", "A", "05T09:00"),
    meeting("MEETING_ENDED", "A", "05T09:00"),
    meeting("MEETING_STARTED", "B3", "08T10:00"),
    meeting("MEETING_ENDED", "B3", "08T10:00"),
    no_show("D", created="10T10:00"),
    no_show("D", created="10T10:05", marked=False),
    {"triggerEvent": "SOMETHING_NEW", "createdAt": "2026-10-11T00:00:00Z", "payload": {}},
)


def test_a_month_of_calcom_ends_in_the_right_earnings(empty: Shell) -> None:
    """Two sessions of an hour at 3.00 a minute; what says nothing is counted by its name."""
    row = sync(empty, lines(*MONTH), *CALCOM, "--trust-schedule")
    kinds = {"BOOKING_PAID": 1, "no_show_unmarked": 1, "SOMETHING_NEW": 1}
    assert (row["ignored"], row["ignored_kinds"]) == (3, kinds)
    assert states(empty) == {"A": "ended", "B": "ended", "C": "cancelled", "D": "missed"}
    assert requests(empty)["E"] == "declined"
    month = empty.ok("earnings", "--month", "2026-10")
    assert (month["sessions"], month["gross"], month["earned"]) == (2, "360.00", "252.00")
    assert empty.ok("sessions", "show", "B")["aliases"] == ["B2", "B3"]


def test_the_same_bodies_again_record_nothing(empty: Shell) -> None:
    """Each is known by its booking and its step."""
    first = sync(empty, lines(*MONTH), *CALCOM, "--trust-schedule")
    again = sync(empty, lines(*MONTH), *CALCOM, "--trust-schedule")
    assert (again["recorded"], again["confirmed"], again["refused"]) == (0, 0, 0)
    assert again["head"] == first["head"]


@pytest.mark.parametrize("cut", range(1, len(MONTH)))
def test_overlapping_captures_end_alike_in_either_order(empty: Shell, cut: int) -> None:
    """The later one first, with all that it tells of the bookings before it."""
    both = [lines(*MONTH[: cut + 4]), lines(*MONTH[max(cut - 4, 0) :])]
    for part in both:
        sync(empty, part, *CALCOM, "--trust-schedule")
    assert states(empty) == {"A": "ended", "B": "ended", "C": "cancelled", "D": "missed"}


def test_a_moved_booking_that_was_never_seen_is_opened(empty: Shell) -> None:
    """Its session has the oldest id known, so an older capture is about the same one."""
    sync(empty, lines(*MONTH[3:5]), *CALCOM)
    sync(empty, lines(*MONTH[2:4]), *CALCOM)
    assert states(empty) == {"B": "upcoming"}
    assert empty.ok("sessions", "show", "B3")["start"].startswith("2026-10-08T10:00")


def test_a_change_of_an_unknown_booking_is_ignored(empty: Shell) -> None:
    """It holds too little to open it."""
    row = sync(empty, lines(MONTH[6], MONTH[15]), *CALCOM)
    assert row["ignored_kinds"] == {"unknown_booking": 2}


def test_a_moved_request_is_a_new_one(empty: Shell) -> None:
    """It was never agreed: nothing moves but what the customer asks for."""
    moved = booking(
        "BOOKING_RESCHEDULED",
        "A2",
        "06T09:00",
        created="01T12:00",
        rescheduleUid="A",
        status="PENDING",
    )
    sync(empty, lines(MONTH[0], moved), *CALCOM)
    assert requests(empty) == {"A": "withdrawn", "A2": "open"}


@pytest.mark.parametrize(
    ("by", "request_state", "cancelled_by"),
    [
        (MINA, "withdrawn", "customer"),
        (EXPERT, "declined", "expert"),
        (None, "withdrawn", "platform"),
    ],
)
def test_who_cancelled_is_recorded(
    empty: Shell, by: str | None, request_state: str, cancelled_by: str
) -> None:
    """An open request is withdrawn or declined, and a session is cancelled."""
    changed = {"cancelledBy": by} if by else {}
    cancel = [
        booking("BOOKING_CANCELLED", uid, "09T09:00", created="03T12:00", **changed)
        for uid in ("A", "C")
    ]
    sync(empty, lines(MONTH[0], MONTH[5], *cancel), *CALCOM)
    assert requests(empty)["A"] == request_state
    timeline = json.dumps(empty.ok("sessions", "show", "C"))
    assert states(empty)["C"] == "cancelled"
    assert cancelled_by in timeline


def test_meetings_are_ignored_unless_the_schedule_is_trusted(empty: Shell) -> None:
    """They are reported at the planned times, whatever happened."""
    row = sync(empty, lines(MONTH[1], MONTH[11], MONTH[12]), *CALCOM)
    assert row["ignored_kinds"] == {"MEETING_STARTED": 1, "MEETING_ENDED": 1}
    assert states(empty) == {"A": "upcoming"}


def test_an_end_without_a_start_is_both(empty: Shell) -> None:
    """A capture that began in between has the planned start, too."""
    sync(empty, lines(MONTH[1], MONTH[12]), *CALCOM, "--trust-schedule")
    assert states(empty) == {"A": "ended"}


def test_the_expert_may_be_ahead(empty: Shell) -> None:
    """What was done at the shell is confirmed."""
    sync(empty, lines(MONTH[0]), *CALCOM)
    empty.ok("requests", "accept", "A", "--slot", "1", "--at", "2026-10-01T10:30Z")
    row = sync(empty, lines(*MONTH[:2]), *CALCOM)
    assert (row["recorded"], row["confirmed"], row["replayed"]) == (0, 1, 2)


def test_the_customer_is_a_pseudonym(empty: Shell) -> None:
    """An id is never erased, so it holds nothing personal; the same person has the same one."""
    sync(empty, lines(MONTH[1], MONTH[2]), *CALCOM)
    (customer,) = empty.ok("customers", "list")
    assert "mina" not in customer["id"].casefold()
    assert customer["name"] == "Mina"
    assert MINA not in empty.run("ledger", "export", "events").out


# --- Calendly -------------------------------------------------------------------------------------


CALENDLY_MONTH = (
    invitee("invitee.created", "A", "05T09:00", created="01T10:00"),
    invitee("invitee.created", "B", "06T09:00", created="02T10:00"),
    invitee("invitee.created", "B2", "07T09:00", created="02T12:00", old_invitee=invitee_uri("B")),
    invitee("invitee.canceled", "B", "06T09:00", created="02T12:00", rescheduled=True),
    invitee(
        "invitee.canceled",
        "A",
        "05T09:00",
        created="03T10:00",
        cancellation={"canceler_type": "host", "reason": "Away"},
    ),
    {
        "event": "invitee_no_show.created",
        "created_at": "2026-10-07T10:00:00Z",
        "created_by": "https://api.calendly.com/users/U-1",
        "payload": {
            "uri": "https://api.calendly.com/invitee_no_shows/N",
            "invitee": invitee_uri("B2"),
        },
    },
    {
        "event": "routing_form_submission.created",
        "created_at": "2026-10-08T10:00:00Z",
        "payload": {},
    },
)


def test_a_month_of_calendly(empty: Shell) -> None:
    """A moved invitee is one session, in whichever order its two halves come."""
    row = sync(empty, lines(*CALENDLY_MONTH), *CALENDLY)
    assert row["ignored_kinds"] == {"rescheduled": 1, "routing_form_submission.created": 1}
    assert states(empty) == {"A": "cancelled", "B": "missed"}
    again = sync(empty, lines(*CALENDLY_MONTH), *CALENDLY)
    assert (again["recorded"], again["head"]) == (0, row["head"])


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_halves_of_a_move_come_in_any_order(empty: Shell, order: tuple[int, ...]) -> None:
    """Even before the booking itself."""
    for position in order:
        sync(empty, lines(CALENDLY_MONTH[position]), *CALENDLY)
    assert states(empty) == {"B": "upcoming"}
    assert empty.ok("sessions", "show", "B")["start"].startswith("2026-10-07T09:00")


def test_an_invitee_without_times_is_refused(empty: Shell) -> None:
    """Older bodies name the event only."""
    body = invitee("invitee.created", "A", "05T09:00", created="01T10:00", scheduled_event=None)
    error = empty.refuses(1, "sync", empty.file("feed", lines(body)), *CALENDLY)
    assert error["details"]["field"] == "payload.scheduled_event"
    assert error["details"]["line"] == 1


# --- Stripe ---------------------------------------------------------------------------------------


@pytest.fixture
def earned(empty: Shell) -> Shell:
    """Give a ledger that is owed 252.00 for two sessions."""
    for number in (1, 2):
        span = f"2026-09-0{number}T09:00Z"
        empty.ok(
            "sessions",
            "log",
            f"2026-09-0{number} 09:00-10:00 UTC",
            "--customer",
            "C-1",
            "--rate",
            "3.00",
            "--id",
            f"S-{number}",
            "--at",
            span.replace("09:00", "10:00"),
        )
    return empty


def test_payouts_of_stripe(earned: Shell) -> None:
    """In any order: each event holds all of the payout."""
    made = OCTOBER
    events = (
        stripe("payout.paid", "po_1", made, amount=10_000),
        stripe("payout.created", "po_1", made, amount=10_000),
        stripe("payout.created", "po_2", made, amount=5_000),
        stripe("payout.failed", "po_2", made, amount=5_000, failure_code="could_not_process"),
        stripe("payout.failed", "po_1", made, amount=10_000, failure_code="account_closed"),
        stripe("payout.created", "po_3", made, amount=-500),
        stripe("balance.available", "b", made),
    )
    row = sync(earned, lines(*events), *STRIPE)
    assert row["ignored_kinds"] == {"negative_payout": 1, "balance.available": 1}
    payouts = {each["id"]: each["state"] for each in earned.ok("payout", "list")}
    assert payouts == {"po_1": "returned", "po_2": "failed"}
    assert sync(earned, lines(*events), *STRIPE)["recorded"] == 0


def test_a_transfer_is_sent_and_arrived(earned: Shell) -> None:
    """With the other hop, a payout to the bank is the expert's own transfer."""
    events = (
        stripe("payment.created", "py_1", OCTOBER, amount=10_000),
        stripe("payout.created", "po_1", OCTOBER, amount=10_000),
    )
    row = sync(earned, lines(*events), "--format", "stripe", "--hop", "transfer")
    assert row["ignored_kinds"] == {"payout.created": 1}
    (payout,) = earned.ok("payout", "list")
    assert (payout["id"], payout["state"]) == ("py_1", "paid")


def dispute(step: str, status: str, session: str = "S-1", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an event about a dispute of a whole session, a day after it."""
    thing = {
        "amount": 18_000,
        "status": status,
        "reason": "fraudulent",
        "charge": "ch_1",
        "metadata": {"session": session},
        **more,
    }
    body = stripe(f"charge.dispute.{step}", "dp_1", OCTOBER, **thing)
    body["created"] = OCTOBER + DAY
    return body


@pytest.mark.parametrize(
    ("status", "disputed", "state"),
    [
        ("won", False, "denied"),
        ("lost", False, "granted"),
        ("won", True, "accepted"),
        ("lost", True, "rejected"),
    ],
)
def test_a_dispute_is_a_claim(earned: Shell, status: str, disputed: bool, state: str) -> None:
    """Its end is the dispute's, if the expert disputed the claim, and else the claim's."""
    sync(earned, lines(dispute("created", "needs_response")), *STRIPE)
    if disputed:
        earned.ok(
            "dispute", "file", "dp_1", "--summary", "I was there.", "--at", "2026-10-01T12:00Z"
        )
    sync(earned, lines(dispute("closed", status)), *STRIPE)
    claim = earned.ok("refunds", "show", "dp_1")
    assert claim["state"] == state


def test_an_inquiry_is_ignored(earned: Shell) -> None:
    """No money has moved."""
    row = sync(earned, lines(dispute("created", "warning_needs_response")), *STRIPE)
    assert row["ignored_kinds"] == {"inquiry": 1}


def test_the_fee_of_a_dispute_is_an_adjustment(earned: Shell) -> None:
    """It comes back when the dispute is won."""
    fees = [{"fee": 1500, "net": -19_500}, {"fee": -1500, "net": 19_500}]
    sync(
        earned,
        lines(
            dispute("funds_withdrawn", "needs_response", balance_transactions=fees[:1]),
            dispute("funds_reinstated", "won", balance_transactions=fees),
        ),
        *STRIPE,
    )
    amounts = [
        row["amount"]
        for row in earned.ok("earnings", "transactions")
        if row["kind"] == "adjustment"
    ]
    assert amounts == ["-15.00", "15.00"]


def test_a_refund_is_claimed_and_granted(earned: Shell) -> None:
    """Its charge is tied to a session by its metadata or by a file."""
    refund = stripe(
        "refund.created", "re_1", OCTOBER, amount=18_000, status="succeeded", charge="ch_2"
    )
    error = earned.refuses(1, "sync", earned.file("feed", lines(refund)), *STRIPE)
    assert error["details"]["field"] == "data.object.charge"
    sessions = earned.file("sessions.csv", "ch_1,S-1\nch_2,S-2\n")
    sync(earned, lines(refund), *STRIPE, "--sessions", str(sessions))
    assert earned.ok("refunds", "show", "re_1")["session"] == "S-2"
    assert earned.ok("earnings", "--month", "2026-10")["deducted"] == "126.00"


@pytest.mark.parametrize("amount", ["100.00", 100.5, None, True])
def test_an_amount_that_is_no_whole_number_is_refused(earned: Shell, amount: object) -> None:
    """Nobody knows what it means."""
    body = stripe("payout.created", "po_1", OCTOBER, amount=amount)
    error = earned.refuses(1, "sync", earned.file("feed", lines(body)), *STRIPE)
    assert error["details"]["field"] == "data.object.amount"


def test_stripe_needs_to_know_the_hop(empty: Shell) -> None:
    """Wrong usage, with both."""
    ran = empty.run("sync", empty.file("feed", ""), "--format", "stripe")
    assert ran.code == 2
    assert "--hop" in ran.err


# --- files and signatures -------------------------------------------------------------------------


def shapes() -> dict[str, str]:
    """Return the shapes in which bodies are saved."""
    bodies = MONTH[1:3]
    captured = [capture(body, "X-Cal-Signature-256", "secret") for body in bodies]
    return {
        "lines": lines(*bodies),
        "array": json.dumps(bodies, indent=2),
        "one array line": json.dumps(bodies),
        "captures": "".join(captured),
        "blank lines": f"\n\n{lines(bodies[0])}\n{lines(bodies[1])}\n",
        "byte order mark": f"\ufeff{lines(*bodies)}",
    }


@pytest.mark.parametrize("shape", shapes())
def test_any_shape_of_file_is_read(empty: Shell, shape: str) -> None:
    """One document, an array, JSON Lines, captures."""
    assert sync(empty, shapes()[shape], *CALCOM)["recorded"] == 4


def test_one_document_is_read(empty: Shell) -> None:
    """As a tool saves it, over several lines."""
    assert sync(empty, json.dumps(MONTH[1], indent=4), *CALCOM)["recorded"] == 2


def test_an_error_in_an_array_names_its_line(empty: Shell) -> None:
    """The physical one on which the document begins."""
    bad = {**MONTH[2], "payload": {**MONTH[2]["payload"], "startTime": "soon"}}
    text = json.dumps([MONTH[1], bad], indent=1)
    number = text[: text.index('"createdAt": "2026-10-02')].count("\n") - 1
    error = empty.refuses(1, "sync", empty.file("feed", text), *CALCOM)
    assert error["details"] == {
        "field": "startTime",
        "reason": error["details"]["reason"],
        "line": number,
    }
    assert requests(empty) == {}


@pytest.mark.parametrize(
    ("name", "header", "time", "body"),
    [
        ("calcom", "x-cal-signature-256", None, MONTH[1]),
        ("calendly", "Calendly-Webhook-Signature", "1790812800", CALENDLY_MONTH[0]),
        ("stripe", "Stripe-Signature", "1790812800", stripe("x.y", "a", OCTOBER)),
    ],
)
def test_signatures_are_checked(
    empty: Shell, name: str, header: str, time: str | None, body: dict[str, Any]
) -> None:
    """A byte that changed, another secret, no signature, no capture: each is refused."""
    secret = empty.file("secret", "whsec\n")
    secret.chmod(0o600)
    more = ("--hop", "payout") if name == "stripe" else RATE
    options = ("--format", name, "--secret-file", str(secret), *more)
    good = capture(body, header, "whsec", time=time)
    sync(empty, good, *options)
    document = json.loads(good)
    changed = (
        document["body"][:8] + ("A" if document["body"][8] != "A" else "B") + document["body"][9:]
    )
    for bad in (
        json.dumps({**document, "body": changed}),
        json.dumps({**document, "headers": {}}),
        json.dumps({**document, "headers": {header: "no-secret-provided"}}),
        capture(body, header, "other", time=time),
        lines(body),
    ):
        error = empty.refuses(1, "sync", empty.file("feed", bad), *options)
        assert error["code"] in {"bad_signature", "invalid_event"}


def test_bad_documents_are_rejected_and_the_others_recorded(empty: Shell) -> None:
    """As lines of the program's own format are."""
    text = lines(MONTH[1]) + "{\n[]\n" + lines(MONTH[2])
    rejects = empty.folder / "rejects"
    ran: Ran = empty.run("sync", empty.file("feed", text), *CALCOM, "--rejects", rejects)
    assert ran.code == 1
    assert len(rejects.read_text().splitlines()) == 2
    assert set(states(empty)) == {"A", "B"}


@pytest.mark.parametrize("option", [RATE, ("--trust-schedule",), ("--hop", "payout")])
def test_options_of_other_tools_need_a_format(empty: Shell, option: tuple[str, ...]) -> None:
    """Else they would be ignored in silence."""
    assert empty.run("sync", empty.file("feed", ""), *option).code == 2


def test_a_rate_is_needed(empty: Shell) -> None:
    """No scheduler states one; the direct rate of the preferences will do."""
    feed = empty.file("feed", lines(MONTH[1]))
    error = empty.refuses(1, "sync", feed, "--format", "calcom")
    assert error["code"] == "rate_needed"
    empty.ok("preferences", "set", "--direct-rate", "4.00")
    empty.ok("sync", feed, "--format", "calcom")
    (request,) = empty.ok("requests", "list", "--all")
    assert request["rate"] == "4.00"


def test_a_growing_file_of_captures_is_watched(empty: Shell) -> None:
    """Each new request is shown, as with the program's own feeds."""
    feed = empty.file("feed", lines(MONTH[0], MONTH[8]))
    rows = empty.ok("requests", "watch", feed, "--once", *CALCOM)
    assert [row["id"] for row in rows] == ["A", "E"]
