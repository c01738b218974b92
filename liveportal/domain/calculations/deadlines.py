"""Everything that has a day and an hour: what it is, by when, and what silence means.

Nothing here moves money or ends anything: silence is shown, and booked when the platform says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import date, datetime, timedelta

from liveportal.domain.calculations.claim_answers import answer_by, if_silent
from liveportal.domain.calculations.forecast import forecast, overdue
from liveportal.domain.calculations.payout_plan import (
    PayoutBlocker,
    PayoutPosition,
    due_date,
    next_due,
)
from liveportal.domain.calculations.refund_window import cost_of, window_closes
from liveportal.domain.clock import FIRST, day_ends, local_date, shifted
from liveportal.domain.entities import Artifact, Claim, Request, Session
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.domain.profile.requirements import Finding
from liveportal.domain.values import dataclass

RENEWAL = timedelta(days=60)
"""How long before its end a tax form should be renewed."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """One thing that is due. `due` is None where no deadline was stated: then it is any time.

    What is due by the end of a day of the platform has that day as `due_on`. `means` says what
    happens if nothing is done; `asks` tells whether the expert has something to do, which `command`
    does; `amount` is the money that it is about.
    """

    kind: str
    thing: str
    due: datetime | None
    means: str
    asks: bool = True
    command: str | None = None
    amount: Money | None = None
    session: str | None = field(default=None, compare=False)
    due_on: date | None = None


def of_request(request: Request, now: datetime) -> list[Deadline]:
    """Return until when an open request can be answered, and when its next slot begins."""
    if request.state != "open" or (request.expires and request.expires < now):
        return []
    found = []
    if request.expires:
        command = f"liveportal requests accept {request.id}"
        if request.slots:
            command += " --best"
        means = "The request expires, and somebody else may have it."
        found.append(
            Deadline("request_expiry", request.id, request.expires, means, command=command)
        )
    elif not request.slots:
        means = "No deadline is stated: whoever accepts it first has it."  # R3
        command = f"liveportal requests accept {request.id}"
        found.append(Deadline("request_expiry", request.id, None, means, command=command))
    ahead = [(slot.start, n) for n, slot in enumerate(request.slots, 1) if slot.start > now]
    if ahead:
        start, number = min(ahead)
        rest = len(ahead) - 1
        others = f"{rest} of its slots is left" if rest == 1 else f"{rest} of its slots are left"
        command = f"liveportal requests accept {request.id} --slot {number}"
        means = f"Slot {number} is gone; {others if rest else 'no other is left'}."
        found.append(Deadline("slot_start", request.id, start, means, command=command))
    return found


def of_upcoming(session: Session) -> Deadline | None:
    """Return when an agreed session begins; one that has not begun by then is overdue."""
    if session.state != "upcoming" or session.planned_start is None:
        return None
    return Deadline(
        "session_start",
        session.id,
        session.planned_start,
        "The customer waits, and it counts as a session that you missed.",
        command=f"liveportal sessions start {session.id}",
        session=session.id,
    )


def of_claim(claim: Claim, session: Session, policy: Policy) -> Deadline | None:
    """Return until when an open claim can be answered (`dispute.window_hours`)."""
    if claim.state != "open":
        return None
    cost = Money(cost_of(claim.amount_minor, session, policy), session.currency)
    return Deadline(
        "claim_answer",
        claim.id,
        answer_by(claim.claimed_at, policy),
        if_silent(claim.state, cost, policy) or "",
        command=f"liveportal dispute file {claim.id} --edit",
        amount=cost,
        session=session.id,
    )


def of_window(session: Session, policy: Policy, now: datetime) -> Deadline | None:
    """Return until when a customer may claim a session back (R8); after that it is final."""
    closes = window_closes(session, policy)
    if closes is None or closes < now or not session.left_minor or session.claim_undecided:
        return None
    cost = Money(cost_of(session.left_minor, session, policy), session.currency)
    return Deadline(
        "refund_window",
        session.id,
        closes,
        "Nothing more: after it a claim is late.",
        asks=False,
        amount=cost,
        session=session.id,
    )


def of_evidence(
    artifact: Artifact, session: Session, added: datetime, policy: Policy, now: datetime
) -> Deadline | None:
    """Return until when the platform keeps a file that only it has (`evidence.kept_days`).

    It matters as long as the session can be claimed back, or a claim is undecided.
    """
    closes = window_closes(session, policy)
    if not session.claim_undecided and (closes is None or closes < now or not session.left_minor):
        return None
    days = policy.evidence.kept_days
    due = None if days is None else shifted(added, timedelta(days=days))
    lost = due is not None and due < now
    means = f"The platform deletes the {artifact.kind}, which only it has."
    if due is None:
        means = f"It is not said how long the platform keeps the {artifact.kind}: only it has it."
    elif lost:
        means = f"The platform may have deleted the {artifact.kind}."
    return Deadline(
        "evidence",
        session.id,
        due,
        means,
        asks=not lost,
        command=f"liveportal sessions attach {session.id} FILE --kind {artifact.kind}",
        session=session.id,
    )


def of_earnings(standing: PayoutPosition, now: datetime) -> list[Deadline]:
    """Return by when each month's unpaid earnings are due (R13); overdue ones ask for a letter.

    What was taken back, or is held of what was paid already, comes off the oldest months, as
    payouts take it (rulebook 8). What blocks a payout on that day is what the forecast says.
    """
    policy = standing.policy
    months: dict[str, int] = {}
    for item in standing.items:
        if item.open_minor > 0:
            months[item.period] = months.get(item.period, 0) + item.open_minor
    today = local_date(now, policy.period.timezone)
    late = overdue(standing, today) is not None
    expected = {each.on: each.blocked for each in forecast(standing, today)}
    found, left_minor = [], standing.owed_minor - sum(months.values())
    for month, minor in sorted(months.items()):
        left_minor += minor
        if left_minor <= 0:
            continue
        on = due_date(month, policy)
        past, blocked = on < today, expected.get(max(on, today), ())
        found.append(
            Deadline(
                "payout_due",
                month,
                day_ends(on, policy.period.timezone),
                _silence(blocked, past=past, late=late),
                asks=past and late,
                command="liveportal payout preview",
                amount=Money(left_minor, policy.currency),
                due_on=on,
            )
        )
        left_minor = 0
    return found


def _silence(blocked: Sequence[PayoutBlocker], *, past: bool, late: bool) -> str:
    """Return what happens to a month's earnings if nothing is done."""
    why = "; ".join(each.message for each in blocked)
    if past and late:
        return f"It is overdue, but {why}." if why else "It is overdue: ask the platform for it."
    if past:
        return f"It is carried over: {why}."
    return f"Nothing is paid out then: {why}." if why else "Nothing: the platform pays it by then."


def of_profile(needs: Sequence[Finding], standing: PayoutPosition, now: datetime) -> list[Deadline]:
    """Return what of the payout profile is to be done (R12, R14), and by when.

    From the first earning on, whatever is missing keeps money back, which is due on the earliest
    due date. A tax form is to be renewed once that takes no longer than it is still valid.
    """
    policy, zone_name = standing.policy, standing.policy.period.timezone
    has_earned = standing.first_billed_end is not None or bool(standing.items)
    on = next_due(standing.items, policy)
    due = None if on is None else day_ends(on, zone_name)
    command = "liveportal payout profile check"
    found: list[Deadline] = []
    lacking = [each for each in needs if each.blocks and each.requirement != "tax_form"]
    if lacking and has_earned:
        why = "; ".join(each.message or each.requirement for each in lacking)
        means = f"Nothing is paid out before the payout profile is complete: {why}."
        found.append(Deadline("payout_profile", "profile", due, means, command=command, due_on=on))
    for form in (each for each in needs if each.requirement == "tax_form"):
        if form.blocks and form.state != "expired":
            if has_earned:
                means = f"Nothing is paid out: {form.message}."
                found.append(
                    Deadline("tax_form", "profile", due, means, command=command, due_on=on)
                )
        elif form.until is not None:
            ends = day_ends(form.until, zone_name)
            means = "Nothing is paid out after it."
            if form.blocks:
                means = "It has expired: nothing is paid out."
            asks = ends < shifted(now, RENEWAL)
            found.append(
                Deadline(
                    *("tax_form", "profile", ends, means),
                    asks=asks,
                    command=command,
                    due_on=form.until,
                )
            )
    return found


def of_erasure(customer: str) -> Deadline:
    """Return what a customer's request to be forgotten asks for; it states no deadline."""
    return Deadline(
        "erasure_request",
        customer,
        None,
        "The customer asks you to erase their personal data. Nothing is erased until you do it.",
        command=f"liveportal ledger forget {customer}",
    )


def in_order(deadlines: Sequence[Deadline]) -> list[Deadline]:
    """Sort by when they are due; what has no stated deadline may be due any time, and is first."""
    return sorted(deadlines, key=lambda each: (each.due or FIRST, each.kind, each.thing))
