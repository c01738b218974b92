"""Every deadline: from the first instant at which it is one to the last, to the microsecond."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.calculations import deadlines as of
from liveportal.domain.calculations.deadlines import Deadline, in_order
from liveportal.domain.calculations.forecast import forecast, overdue
from liveportal.domain.calculations.payout_plan import PayoutPosition, due_date, preview
from liveportal.domain.clock import FIRST, day_ends, local_date
from liveportal.domain.entities import (
    Artifact,
    Claim,
    ClaimState,
    Item,
    OpenItem,
    Request,
    RequestState,
    SessionState,
)
from liveportal.domain.events.types import Slot
from liveportal.domain.hint import Hint
from liveportal.domain.policy import Policy
from liveportal.domain.profile.fields import expiry
from liveportal.domain.profile.requirements import blocking, findings
from tests.kit.events import at, policy, usd
from tests.kit.pack_case import SESSION as CLAIMED

MICROSECOND = timedelta(microseconds=1)
NOW = at("10-05 09:00")
SESSION = replace(CLAIMED, claim=None, claim_undecided=False)


def request(*starts: str, expires: str | None = None, state: str = "open") -> Request:
    """Return a request with slots of an hour."""
    return Request(
        id="R-1",
        kind="scheduled" if starts else "instant",
        direct=False,
        customer="C-1",
        rate=usd("3.00"),
        state=RequestState(state),
        opened_at=at("10-04 09:00"),
        opened_seq=2,
        slots=tuple(Slot(start=at(each), minutes=60) for each in starts),
        expires=at(expires) if expires else None,
    )


def kinds(found: list[Deadline]) -> list[tuple[str, datetime | None]]:
    """Return each deadline's kind and time."""
    return [(each.kind, each.due) for each in found]


# --- requests and sessions ------------------------------------------------------------------------


def test_a_request_is_due_when_it_expires_and_when_its_next_slot_begins() -> None:
    """The last instant of its expiry counts; a slot that begins now cannot be chosen any more."""
    asked = request("10-06 09:00", "10-05 12:00", "10-05 09:00", expires="10-05 10:00")
    assert kinds(of.of_request(asked, NOW)) == [
        ("request_expiry", at("10-05 10:00")),
        ("slot_start", at("10-05 12:00")),
    ]
    assert len(of.of_request(asked, at("10-05 10:00"))) == 2
    assert of.of_request(asked, at("10-05 10:00") + MICROSECOND) == []
    before = of.of_request(replace(asked, expires=None), at("10-05 12:00") - MICROSECOND)
    assert kinds(before) == [("slot_start", at("10-05 12:00"))]
    after = of.of_request(replace(asked, expires=None), at("10-05 12:00"))
    assert kinds(after) == [("slot_start", at("10-06 09:00"))]
    assert of.of_request(replace(asked, expires=None), at("10-06 09:00")) == []


def test_a_request_says_what_to_do() -> None:
    """The command takes the very slot; with how many others are left."""
    asked = request("10-06 09:00", "10-05 12:00", "10-07 09:00", expires="10-05 10:00")
    expiry, slot = of.of_request(asked, NOW)
    assert expiry.command == Hint("{accept_its_best_slot}", request="R-1")
    assert slot.command == Hint("{accept_that_slot}", request="R-1", slot=2)
    assert slot.means == "Slot 2 passes, and 2 other slots are left."
    (slot,) = of.of_request(replace(asked, expires=None), at("10-05 12:00"))
    assert slot.means == "Slot 1 passes, and 1 other slot is left."
    (slot,) = of.of_request(replace(asked, expires=None), at("10-06 12:00"))
    assert slot.means == "Slot 3 passes, and no other slot is left."
    (instant,) = of.of_request(request(expires="10-05 10:00"), NOW)
    assert instant.command == Hint("{accept_it}", request="R-1")
    assert expiry.asks
    assert slot.asks


@pytest.mark.parametrize("state", ["accepted", "declined", "withdrawn", "taken", "expired"])
def test_a_request_that_is_closed_is_not_due(state: str) -> None:
    """Only an open request can be answered."""
    assert of.of_request(request("10-06 09:00", expires="10-05 10:00", state=state), NOW) == []


def test_a_session_is_due_until_it_starts() -> None:
    """Also after the planned time: the customer is then waiting."""
    planned = replace(SESSION, state=SessionState.UPCOMING, start=None, end=None, planned_start=NOW)
    deadlines = of.of_upcoming(planned)
    assert deadlines
    assert (deadlines.kind, deadlines.due, deadlines.asks) == ("session_start", NOW, True)
    assert deadlines.command == Hint("{start_it}", session="S-1")
    for state in ("live", "paused", "ended", "cancelled", "missed"):
        assert of.of_upcoming(replace(planned, state=SessionState(state))) is None


# --- claims, refund windows, evidence -------------------------------------------------------------


def claim(**changes: Any) -> Claim:  # noqa: ANN401 (whatever a claim has)
    """Return an open claim of the whole session."""
    made = Claim("CL-1", "S-1", ClaimState.OPEN, 6000, 4200, at("10-05 15:00"), "2026-10")
    return replace(made, **changes)


def test_a_claim_is_due_by_its_window_or_any_time() -> None:
    """`dispute.window_hours` after it was made; without it no deadline was stated."""
    deadlines = of.of_claim(claim(), CLAIMED, policy(dispute={"window_hours": 48}))
    assert deadlines
    assert (deadlines.kind, deadlines.due) == ("claim_answer", at("10-07 15:00"))
    assert (deadlines.amount, deadlines.session) == (usd("42.00"), "S-1")
    assert deadlines.means == "No answer counts as consent: 42.00 USD is deducted."
    assert deadlines.command == Hint("{dispute_it}", claim="CL-1")
    deadlines = of.of_claim(claim(), CLAIMED, policy(refund={"deducts": "gross"}))
    assert deadlines
    assert (deadlines.due, deadlines.amount) == (None, usd("60.00"))
    for state in ("disputed", "conceded", "granted", "denied", "withdrawn", "accepted", "rejected"):
        assert of.of_claim(claim(state=state), CLAIMED, Policy()) is None


def test_a_refund_window_is_open_to_its_last_instant() -> None:
    """R8: exactly at its end a claim is in time; then the money is final."""
    closes = at("10-06 14:21")
    deadlines = of.of_window(SESSION, Policy(), closes)
    assert deadlines
    assert (deadlines.kind, deadlines.due, deadlines.amount, deadlines.asks) == (
        *("refund_window", closes, usd("42.00"), False),
    )
    assert of.of_window(SESSION, Policy(), closes + MICROSECOND) is None
    assert of.of_window(SESSION, policy(refund={"window_hours": 0}), at("10-05 14:21"))
    assert of.of_window(SESSION, policy(refund={"window_hours": 0}), closes) is None
    for closed in (
        replace(SESSION, claim_undecided=True),
        replace(SESSION, refunded_minor=6000),
        replace(SESSION, gross_minor=0, fee_minor=0),
        replace(SESSION, state=SessionState.LIVE, end=None),
    ):
        assert of.of_window(closed, Policy(), closes) is None
    part = of.of_window(replace(SESSION, refunded_minor=2000), Policy(), closes)
    assert part
    assert part.amount == usd("28.00"), "what a claim of the rest would cost"


def test_evidence_is_due_while_it_may_be_needed() -> None:
    """`evidence.kept_days` after it came, as long as the session can be claimed back or is."""
    recording = Artifact(9, "S-1", "recording", "ab" * 32, 7, None)
    added, kept = at("10-05 15:00"), policy(evidence={"kept_days": 1})
    deadlines = of.of_evidence(recording, SESSION, added, kept, NOW)
    assert deadlines
    assert (deadlines.kind, deadlines.due, deadlines.asks) == ("evidence", at("10-06 15:00"), True)
    assert deadlines.command == Hint("{attach_the_file}", session="S-1", kind="recording")
    closes = at("10-06 14:21")
    assert of.of_evidence(recording, SESSION, added, kept, closes)
    assert of.of_evidence(recording, SESSION, added, kept, closes + MICROSECOND) is None
    for year in ("10-06 15:00", "12-31 00:00"):
        claimed = of.of_evidence(recording, CLAIMED, added, kept, at(year))
        assert claimed, "a claim is undecided"
        assert claimed.asks is (year == "10-06 15:00")
    unstated = of.of_evidence(recording, SESSION, added, Policy(), NOW)
    assert unstated
    assert unstated.due is None
    assert "does not state" in unstated.means


# --- payouts --------------------------------------------------------------------------------------


def item(number: int, period: str, face: int, **more: Any) -> OpenItem:  # noqa: ANN401 (whatever it has)
    """Return an open item of a month."""
    return OpenItem(Item(number, at(f"{period[5:]}-02 09:00"), period, face), **more)


def standing(*items: OpenItem, owed: int | None = None, **tables: dict[str, Any]) -> PayoutPosition:
    """Return the payout position for these open items; the first session was long ago."""
    return PayoutPosition(
        owed_minor=sum(open_item.open_minor for open_item in items) if owed is None else owed,
        items=items,
        first_billed_end=FIRST,
        missing_on=lambda _: (),
        policy=policy(**({"payout": {"minimum": "1.00"}} | tables)),
    )


def test_each_month_is_due_at_the_end_of_its_day() -> None:
    """R13: the last instant of the day, in the platform's zone; after it one may ask for it."""
    book = standing(item(1, "2026-09", 4200), item(2, "2026-09", 800), item(3, "2026-10", 1000))
    early, late = of.of_earnings(book, NOW)
    assert (early.thing, early.due, early.amount) == (
        *("2026-09", at("11-29 23:59:59.999999"), usd("50.00")),
    )
    assert (late.thing, late.due, late.amount) == (
        *("2026-10", at("12-30 23:59:59.999999"), usd("10.00")),
    )
    assert not early.asks
    assert early.due
    assert not of.of_earnings(book, early.due)[0].asks
    past, ahead = of.of_earnings(book, early.due + MICROSECOND)
    assert past.asks
    assert "overdue" in past.means
    assert not ahead.asks
    west = standing(item(1, "2026-09", 4200), period={"timezone": "America/New_York"})
    assert of.of_earnings(west, NOW)[0].due == at("11-30 04:59:59.999999")


def test_what_was_taken_back_comes_off_the_oldest_month() -> None:
    """A later refund reduces what is due: a payout settles it before anything else."""
    refund = item(9, "2026-11", -4200)
    assert [
        deadline.thing
        for deadline in of.of_earnings(standing(item(1, "2026-09", 4200), refund), NOW)
    ] == []
    (rest,) = of.of_earnings(
        standing(item(1, "2026-09", 4200), item(2, "2026-10", 1000), refund), NOW
    )
    assert (rest.thing, rest.amount) == ("2026-10", usd("10.00"))
    (part,) = of.of_earnings(standing(item(1, "2026-09", 5000), refund), NOW)
    assert part.amount == usd("8.00")


def test_what_is_held_of_a_paid_session_comes_off_too() -> None:
    """A claim on a paid session makes the balance smaller than the open items."""
    book = standing(item(2, "2026-10", 5000), owed=800)
    (deadlines,) = of.of_earnings(book, NOW)
    assert deadlines.amount == usd("8.00")


def test_what_is_blocked_is_carried_and_not_overdue() -> None:
    """R12: below the minimum nothing is overdue, and there is no deadline."""
    book = standing(item(1, "2026-09", 4200), payout={"minimum": "100.00"})
    (deadlines,) = of.of_earnings(book, at("12-01 00:00"))
    assert not deadlines.asks
    assert (
        deadlines.means == "It is carried over. It is below the payout minimum of 100.00 USD (R12)."
    )
    first = replace(standing(item(1, "2026-09", 4200)), first_billed_end=at("10-30 09:00"))
    assert not of.of_earnings(first, at("12-01 00:00"))[0].asks
    assert of.of_earnings(first, at("12-31 00:00"))[0].asks
    lacking = replace(standing(item(1, "2026-09", 4200)), missing_on=lambda _: ("tax_form",))
    assert of.of_earnings(lacking, at("12-01 00:00"))[0].asks, "it was due all the same"


MONTHS = ("2026-08", "2026-09", "2026-10", "2026-11")
items = st.lists(
    st.builds(
        lambda period, face, held: (period, face, min(held, max(face, 0))),
        st.sampled_from(MONTHS),
        st.integers(-500, 500).filter(bool),
        st.sampled_from((0, 0, 100, 500)),
    ),
    max_size=8,
).map(
    lambda found: [
        item(n, period, face, held_minor=held) for n, (period, face, held) in enumerate(found, 1)
    ]
)


@given(
    items, st.sampled_from((0, 0, -300)), st.sampled_from(["1.00", "100.00"]), st.integers(0, 200)
)
def test_months_add_up_to_what_is_eligible(
    found: list[OpenItem], more: int, minimum: str, day: int
) -> None:
    """For any day, the amounts due until then are the payout of that day."""
    owed = sum(each.open_minor for each in found) + more
    book = standing(*found, owed=owed, payout={"minimum": minimum})
    now = at("08-01 12:00") + timedelta(days=day)
    shown = of.of_earnings(book, now)
    assert [each.thing for each in shown] == sorted({each.thing for each in shown})
    for period in MONTHS:
        on = due_date(period, book.policy)
        eligible = preview(book, on).eligible_minor
        by_then = sum(each.amount.minor for each in shown if each.amount and each.thing <= period)
        assert by_then == max(eligible, 0)
    assert sum(each.amount.minor for each in shown if each.amount) == max(owed, 0)

    # A deadline with an action names the amount of the overdue command.
    late = overdue(book, local_date(now, "UTC"))
    asked = sum(each.amount.minor for each in shown if each.asks and each.amount)
    assert asked == (late.minor if late else 0)
    for each in shown:
        assert each.due == day_ends(due_date(each.thing, book.policy), "UTC")


FILLED = ("name", "email", "method", "address", "tax_form")
profiles = st.tuples(
    st.lists(st.sampled_from(FILLED), unique=True, max_size=5),
    st.sampled_from(["IE", "US"]),
    st.dates(date(2023, 1, 1), date(2026, 12, 31)),
    st.sampled_from(["paypal", "wire"]),
)


@given(items, profiles, st.integers(0, 400), st.integers(0, 90), st.sampled_from([0, 60, 200]))
def test_due_preview_and_forecast_agree(
    found: list[OpenItem],
    profile: tuple[list[str], str, date, str],
    day: int,
    due_days: int,
    wait_days: int,
) -> None:
    """A payout blocker is a deadline that asks for action; the dates are the same everywhere."""
    filled, country, signed, method = profile
    facts = {"country": country, "tax_form": "w8ben", "tax_signed": signed.isoformat()}
    facts["method"] = method
    terms = {"minimum": "1.00", "due_days_after_month_end": due_days, "first_wait_days": wait_days}
    book = standing(*found, payout=terms)
    book = replace(
        book,
        first_billed_end=at("08-02 09:00"),
        missing_on=lambda on: blocking(filled, facts, methods=["paypal"], on=on),
    )
    now = at("08-03 12:00") + timedelta(days=day)
    today = local_date(now, "UTC")
    outlook = preview(book, today)
    needs = findings(filled, facts, methods=["paypal"], on=today)
    rows = {deadline.kind: deadline for deadline in of.of_profile(needs, book, now)}
    lacking = {need.requirement for need in needs if need.blocks}
    codes = {block.code for block in outlook.blocked}
    assert ("profile_incomplete" in codes) is bool(lacking)
    assert ("payout_profile" in rows) is bool(lacking - {"tax_form"})
    if "tax_form" in lacking:
        assert rows["tax_form"].asks
    for row in rows.values():
        assert row.asks or row.kind == "tax_form"
        expires = row.kind == "tax_form" and "tax_form" in filled and country != "US"
        assert row.due_on == (expiry(facts) if expires else outlook.due_on)
    payouts = of.of_earnings(book, now)
    coming = {deadline.on: deadline for deadline in forecast(book, today)}
    for each in payouts:
        assert each.due_on is not None
        expected = coming[max(each.due_on, today)]
        assert all(block.message in each.means for block in expected.blocked)
    if coming:
        first = min(coming)
        assert first == max(outlook.due_on or first, today)
        assert coming[first].blocked == preview(book, first).blocked
        assert coming[first].carried_minor == preview(book, first).carried_minor


# --- sorted ---------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["claim_answer", "evidence"]),
            st.sampled_from("ab"),
            st.one_of(st.none(), st.datetimes().map(lambda each: each.replace(tzinfo=NOW.tzinfo))),
        )
    )
)
def test_the_next_is_first(found: list[tuple[str, str, datetime | None]]) -> None:
    """A deadline without a time may be due any moment, and comes before all others."""
    ordered = in_order([Deadline(kind, thing, due, "") for kind, thing, due in found])
    assert [each.due for each in ordered] == sorted(
        (due for _, _, due in found), key=lambda due: (due is not None, due or NOW)
    )


def test_every_deadline_names_its_command() -> None:
    """Each deadline that asks for an action names the command for it."""
    upcoming = of.of_upcoming(replace(SESSION, state=SessionState.UPCOMING, planned_start=NOW))
    shown: list[Deadline | None] = [
        *of.of_request(request("10-06 09:00", expires="10-05 10:00"), NOW),
        upcoming,
        of.of_claim(claim(), CLAIMED, Policy()),
        of.of_window(SESSION, Policy(), NOW),
        *of.of_earnings(standing(item(1, "2026-01", 4200)), NOW),
    ]
    assert None not in shown
    for each in shown:
        assert each
        assert each.means.endswith(".")
        assert each.command or not each.asks
