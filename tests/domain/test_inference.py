"""Rules inferred from payouts: worked examples, and the estimate that must leave out no reading."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.calculations.inference import contents as paid
from liveportal.domain.calculations.inference.contents import Content
from liveportal.domain.calculations.inference.estimate import ContentEstimator, fees_that_fit
from liveportal.domain.calculations.inference.facts import (
    Facts,
    OtherMoney,
    PastClaim,
    PastPayout,
    PastSession,
    claims_of,
)
from liveportal.domain.calculations.inference.judge import Judge
from liveportal.domain.calculations.inference.readings import (
    SEARCHED,
    TERMS,
    Changes,
    changed,
)
from liveportal.domain.calculations.inference.search import Inference, Search
from liveportal.domain.frozen import replace
from liveportal.domain.policy import Counts, Deducts, Policy, SessionMonth
from tests.kit.events import at, usd

DUE_AT_ONCE = Policy.from_document({"name": "p", "payout": {"due_days_after_month_end": 0}})


def session(end: str, minutes: float, *claims: PastClaim, **more: object) -> PastSession:
    """Return a session at 5.00 a minute, which is 500 minor units."""
    until, length = at(end), timedelta(minutes=minutes)
    active_us = length // timedelta(microseconds=1)
    return PastSession(until - length, until, active_us, usd("5.00"), claims=claims, **more)  # type: ignore[arg-type]


def payout(name: str, when: str, minor: int, back: str | None = None) -> PastPayout:
    """Return a payout."""
    return PastPayout(name, minor, at(when), None if back is None else at(back))


def facts(*parts: PastSession | OtherMoney | PastPayout, adopted: Policy = DUE_AT_ONCE) -> Facts:
    """Return the facts of a book."""
    return Facts(
        adopted,
        (adopted,),
        ("UTC", "Asia/Tokyo"),
        tuple(part for part in parts if isinstance(part, PastSession)),
        tuple(part for part in parts if isinstance(part, OtherMoney)),
        tuple(part for part in parts if isinstance(part, PastPayout)),
    )


def given_by(book: Facts, **changes: str | int) -> list[int]:
    """Return what each payout pays under the adopted rules with some changes."""
    named = {name.replace("__", "."): value for name, value in changes.items()}
    judge = Judge(book)
    amounts = judge.judge(named, range(len(judge.payouts))).given
    return [amounts[number] for number in range(len(judge.payouts))]


def inferred(book: Facts) -> Inference:
    """Search to the end."""
    search = Search(book)
    assert sum(search.run()) == search.steps
    return search.result()


# --- what a payout pays ---------------------------------------------------------------------------


def test_a_month_is_paid_once_it_is_due() -> None:
    """A tip waits like an earning; what is taken is taken at once."""
    book = facts(
        session("10-05 10:00", 20),
        session("11-05 10:00", 10),
        OtherMoney(at("11-06 10:00"), 100),
        OtherMoney(at("11-07 10:00"), -300),
        payout("P-1", "11-10 10:00", 0),
        payout("P-2", "12-10 10:00", 0),
    )
    assert given_by(book) == [7000 - 300, 3500 + 100]
    assert given_by(book, fee__percent="0", trial__billed="after-trial") == [7500 - 300, 2500 + 100]


def test_months_are_cut_in_the_zone_of_the_platform() -> None:
    """At 20:00 UTC on 31 October it is November in Tokyo; so it is for a session that ends then."""
    book = facts(
        session("10-31 20:00", 20),
        session("11-01 00:10", 20),
        payout("P-1", "11-10 10:00", 0),
        payout("P-2", "12-10 10:00", 0),
    )
    assert given_by(book) == [7000, 7000]
    assert given_by(book, period__session_month="start") == [14000, 0]
    assert given_by(book, period__timezone="Asia/Tokyo") == [0, 14000]


def test_a_claim_holds_its_part_until_it_is_decided() -> None:
    """Denied, it is paid with the next payout; granted, it is taken with the next."""
    denied = PastClaim(10000, True, at("10-06 10:00"), at("11-20 10:00"))
    granted = replace(denied, is_deducted=True)
    ends = payout("P-1", "11-10 10:00", 0), payout("P-2", "12-10 10:00", 0)
    assert given_by(facts(session("10-05 10:00", 20, denied), *ends)) == [0, 7000]
    taken = facts(session("10-05 10:00", 20, granted), *ends)
    assert given_by(taken) == [0, 0]
    assert given_by(taken, refund__deducts="gross") == [0, 7000 - 10000]
    # A claim on money that was paid already is held back from the next payout.
    late = replace(denied, claimed_at=at("11-15 10:00"), decided_at=None)
    later = session("11-05 10:00", 20)
    assert given_by(facts(session("10-05 10:00", 20, late), later, *ends)) == [7000, 0]


def test_claims_for_parts() -> None:
    """The share of a part is what is taken; a whole claim afterwards takes the rest."""
    first = PastClaim(4000, False, at("10-06 10:00"), at("10-07 10:00"), is_deducted=True)
    rest = PastClaim(6000, True, at("10-08 10:00"), at("10-09 10:00"), is_deducted=True)
    assert claims_of(
        10000,
        [
            {
                "minor": claim.minor,
                "claimed_at": claim.claimed_at,
                "decided_at": claim.decided_at,
                "is_deducted": claim.is_deducted,
            }
            for claim in (first, rest)
        ],
    ) == (first, rest)
    end = payout("P-1", "11-10 10:00", 0)
    assert given_by(facts(session("10-05 10:00", 20, first), end)) == [7000 - 2800]
    assert given_by(facts(session("10-05 10:00", 20, first, rest), end)) == [0]
    # No claim takes more than the bill.
    billed = session("10-05 10:00", 20, first, billed_minor=100)
    assert given_by(facts(billed, end)) == [0]


def test_what_came_back_is_paid_with_the_next() -> None:
    """Only payouts that arrived count; one sent before the other failed does not pay it again."""
    book = facts(
        session("10-05 10:00", 20),
        session("11-05 10:00", 10),
        session("12-05 10:00", 6),
        payout("P-1", "11-10 10:00", 7000, back="12-12 10:00"),
        payout("P-2", "12-10 10:00", 0),
        payout("P-3", "12-31 23:00", 0),
    )
    assert [each.id for each in paid.arrived(book)] == ["P-2", "P-3"]
    assert given_by(book) == [3500, 2100 + 7000]


def test_the_minimum_counts_what_it_says() -> None:
    """On the gross a refund counts nothing, and what it gave back no longer counts."""
    part = PastClaim(4000, False, at("10-06 10:00"), at("10-07 10:00"), is_deducted=True)
    book = facts(
        session("10-05 10:00", 20, part),
        session("10-05 12:00", 10),
        session("10-05 14:00", 1, billed_minor=200),
        OtherMoney(at("10-06 10:00"), -50),
        payout("P-1", "11-10 10:00", 0),
    )
    (content,) = paid.contents(book, "UTC", SessionMonth.END)
    bills = paid.grosses(content, book.policies)
    assert paid.counted_minor(content, bills, book.policies, Counts.GROSS) == (
        6000 + 5000 + 200 - 50
    )
    share = paid.counted_minor(content, bills, book.policies, Counts.SHARE)
    assert share == paid.amount(content, bills, book.policies) == 7000 - 2800 + 3500 + 140 - 50


# --- what is found --------------------------------------------------------------------------------


def test_what_the_platform_billed_decides_no_trial() -> None:
    """Only the fee can be seen in a session that the platform billed itself."""
    book = facts(session("10-05 10:00", 20, billed_minor=9000), payout("P-1", "11-10 10:00", 6750))
    found = inferred(book)
    assert found.readings[0].changes == {"fee.percent": "25", "payout.minimum": "50"}
    assert {switch for switch in SEARCHED if switch.startswith(("trial", "billing"))} <= {
        *found.undecided
    }


def test_sessions_keep_the_policy_of_their_agreement() -> None:
    """That is a reading of its own, which changes nothing; one rule for all is another."""
    cheap = Policy.from_document({**DUE_AT_ONCE.document, "fee": {"percent": 10}})
    mixed = replace(
        facts(
            session("10-05 10:00", 40),
            session("11-05 10:00", 50, policy=1),
            payout("P-1", "11-10 10:00", 14000),
            payout("P-2", "12-10 10:00", 22500),
        ),
        policies=(DUE_AT_ONCE, cheap),
    )
    assert inferred(mixed).readings[0].changes == {}
    same = replace(mixed, payouts=(mixed.payouts[0], payout("P-2", "12-10 10:00", 17500)))
    assert inferred(same).readings[0].changes == {"fee.percent": "30"}


def test_a_payout_of_tips_is_explained_by_anything() -> None:
    """No search begins with it, and no switch is decided by it."""
    book = facts(OtherMoney(at("10-05 10:00"), 12000), payout("P-1", "11-10 10:00", 12000))
    found = inferred(book)
    assert found.readings[0].changes == {}
    assert found.readings[0].explained == {0}
    assert "fee.percent" in found.undecided
    assert "payout.minimum" not in found.undecided


def test_equal_rules_are_ambiguous() -> None:
    """Rounding down to five minutes is five free minutes and rounding up: the payouts are equal."""
    minutes = (11.5, 17.25, 23.1, 41.9, 58.7)
    ends = [f"10-{5 + number:02d} 10:00" for number in range(len(minutes))]
    sessions = [session(end, length) for end, length in zip(ends, minutes, strict=True)]
    gross = sum(length // 5 * 2500 for length in minutes)
    book = facts(*sessions, payout("P-1", "11-10 10:00", round(gross * 0.7)))
    found = inferred(book)
    assert found.readings[0].changes == {
        "billing.rounding": "down",
        "billing.increment_seconds": 300,
    }
    assert {"trial.billed", "billing.rounding"} <= set(found.ambiguous)
    assert "fee.percent" not in found.undecided


# --- the estimate ---------------------------------------------------------------------------------

TIMES = st.one_of(
    st.integers(0, 5_400_000_000), st.sampled_from([m * 60_000_000 for m in range(0, 90, 5)])
)
SESSIONS = st.builds(
    lambda active_us, rate, billed, claims: PastSession(
        at("10-05 09:00"), at("10-05 10:00"), active_us, usd(rate), billed, 0, claims
    ),
    TIMES,
    st.sampled_from(["1.00", "2.25", "3.33", "5.00"]),
    st.sampled_from([None, None, None, 0, 4321]),
    st.sampled_from(
        [
            (),
            (),
            (PastClaim(0, True, at("10-06 10:00"), at("10-07 10:00"), is_deducted=True),),
            (PastClaim(0, True, at("10-06 10:00")),),
        ]
    ),
)
READINGS = st.fixed_dictionaries(
    {}, optional={switch: st.sampled_from(values) for switch, values in TERMS.items()}
)


def only_of(book: Facts) -> Content:
    """Return the content of the only payout."""
    (content,) = paid.contents(book, "UTC", SessionMonth.END)
    return content


@given(st.lists(SESSIONS, max_size=12), READINGS)
def test_the_estimate_is_as_near_as_it_says(sessions: list[PastSession], changes: Changes) -> None:
    """So no reading that explains a payout is left out, whatever its rounding."""
    book = facts(*sessions, payout("P-1", "11-10 10:00", 0))
    policies = (changed(DUE_AT_ONCE, changes),)
    content = only_of(book)
    minor = paid.amount(content, paid.grosses(content, policies), policies)
    estimator = ContentEstimator(content, 1)
    ((earned, cost),) = estimator.parts([(policies[0].trial, policies[0].billing)])
    is_gross = policies[0].refund.deducts is Deducts.GROSS
    with_fee = earned if is_gross else earned + cost
    without_fee = estimator.others_minor + (cost if is_gross else 0)
    percent = policies[0].fee.percent
    share = 1 - percent.numerator / percent.denominator
    assert abs(with_fee * share + without_fee - minor) <= estimator.tolerance
    fee = round(100 - 100 * share)  # The fees that are tried are whole.
    assert fee in fees_that_fit(with_fee, without_fee, minor, estimator.tolerance)
