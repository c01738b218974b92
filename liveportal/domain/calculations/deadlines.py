"""Deadlines: what is due, when, and the consequence of silence.

Nothing here moves money or ends anything: consequences are only shown, and booked when the platform
reports them.
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
from liveportal.domain.calculations.payout_window import expected_by, is_late, window_days
from liveportal.domain.calculations.refund_window import cost_of, window_closes
from liveportal.domain.clock import FIRST, day_ends, local_date, shifted
from liveportal.domain.entities import (
    Artifact,
    Claim,
    ClaimState,
    Payout,
    Request,
    RequestState,
    Session,
    SessionState,
)
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.domain.profile.requirements import Finding

RENEWAL = timedelta(days=60)
"""How long before its expiry a tax form should be renewed."""


@frozen
class Deadline:
    """One task or date with its deadline. Without a stated deadline, `due` has no value.

    For a deadline at the end of a day of the platform, `due_on` is that day. `means` is the
    consequence of doing nothing; `asks` is True if the expert has to act, with `command`; `amount`
    is the money concerned.
    """

    kind: str
    thing: str
    due: datetime | None
    means: str
    asks: bool = True
    command: Hint | None = None
    amount: Money | None = None
    session: str | None = field(default=None, compare=False)
    due_on: date | None = None


def of_request(request: Request, now: datetime) -> list[Deadline]:
    """Return the deadline of an open request, and the start of its next slot."""
    if request.state != RequestState.OPEN or (request.expires and request.expires < now):
        return []
    deadlines = []
    if request.expires:
        action = "{accept_its_best_slot}" if request.slots else "{accept_it}"
        command = Hint(action, request=request.id)
        means = "The request expires, and another expert may get it."
        deadlines.append(
            Deadline("request_expiry", request.id, request.expires, means, command=command)
        )
    elif not request.slots:
        means = "No deadline is stated. The first expert to accept it gets it."  # R3
        command = Hint("{accept_it}", request=request.id)
        deadlines.append(Deadline("request_expiry", request.id, None, means, command=command))
    future_slots = [(slot.start, n) for n, slot in enumerate(request.slots, 1) if slot.start > now]
    if future_slots:
        start, number = min(future_slots)
        remaining = len(future_slots) - 1
        remaining_text = "no other slot is left"
        if remaining:
            remaining_text = f"{remaining} other slot{'s are' if remaining > 1 else ' is'} left"
        command = Hint("{accept_that_slot}", request=request.id, slot=number)
        means = f"Slot {number} passes, and {remaining_text}."
        deadlines.append(Deadline("slot_start", request.id, start, means, command=command))
    return deadlines


def of_upcoming(session: Session) -> Deadline | None:
    """Return the start of an agreed session; after it, the session is overdue."""
    if session.state != SessionState.UPCOMING or session.planned_start is None:
        return None
    return Deadline(
        "session_start",
        session.id,
        session.planned_start,
        "If you do not start it, it counts as missed.",
        command=Hint("{start_it}", session=session.id),
        session=session.id,
    )


def of_claim(claim: Claim, session: Session, policy: Policy) -> Deadline | None:
    """Return the deadline for an answer to an open claim (`dispute.window_hours`)."""
    if claim.state != ClaimState.OPEN:
        return None
    cost = Money(cost_of(claim.amount_minor, session.refunded_minor, policy), session.currency)
    return Deadline(
        "claim_answer",
        claim.id,
        answer_by(claim.claimed_at, policy),
        if_silent(claim.state, cost, policy) or "",
        command=Hint("{dispute_it}", claim=claim.id),
        amount=cost,
        session=session.id,
    )


def of_window(session: Session, policy: Policy, now: datetime) -> Deadline | None:
    """Return the end of a session's refund window (R8), after which it is final."""
    closes = window_closes(session, policy)
    if closes is None or closes < now or not session.left_minor or session.claim_undecided:
        return None
    cost = Money(cost_of(session.left_minor, session.refunded_minor, policy), session.currency)
    return Deadline(
        "refund_window",
        session.id,
        closes,
        "Nothing. A claim after this time is late.",
        asks=False,
        amount=cost,
        session=session.id,
    )


def of_evidence(
    artifact: Artifact, session: Session, added: datetime, policy: Policy, now: datetime
) -> Deadline | None:
    """Return when the platform deletes a file that only it has (`evidence.kept_days`).

    None unless the session can still be claimed back, or a claim is undecided.
    """
    closes = window_closes(session, policy)
    if not session.claim_undecided and (closes is None or closes < now or not session.left_minor):
        return None
    days = policy.evidence.kept_days
    due = None if days is None else shifted(added, timedelta(days=days))
    may_be_deleted = due is not None and due < now
    means = f"The platform deletes the {artifact.kind}, and you have no copy."
    if due is None:
        means = (
            f"The platform does not state how long it keeps the {artifact.kind}, and you have"
            " no copy."
        )
    elif may_be_deleted:
        means = f"The platform may already have deleted the {artifact.kind}."
    return Deadline(
        "evidence",
        session.id,
        due,
        means,
        asks=not may_be_deleted,
        command=Hint("{attach_the_file}", session=session.id, kind=artifact.kind),
        session=session.id,
    )


def of_earnings(standing: PayoutPosition, now: datetime) -> list[Deadline]:
    """Return when each month's unpaid earnings are due (R13); overdue ones need a reminder.

    Amounts taken back, or held after they were paid, are deducted from the oldest months, as
    payouts deduct them (rulebook 8). The blockers of a payout on that day come from the forecast.
    """
    policy = standing.policy
    months: dict[str, int] = {}
    for open_item in standing.items:
        if open_item.open_minor > 0:
            period = open_item.item.period
            months[period] = months.get(period, 0) + open_item.open_minor
    today = local_date(now, policy.period.timezone)
    late = overdue(standing, today) is not None
    blockers = {payout.on: payout.blocked for payout in forecast(standing, today)}
    deadlines, left_minor = [], standing.owed_minor - sum(months.values())
    for month, minor in sorted(months.items()):
        left_minor += minor
        if left_minor <= 0:
            continue
        on = due_date(month, policy)
        past, blocked = on < today, blockers.get(max(on, today), ())
        deadlines.append(
            Deadline(
                "payout_due",
                month,
                day_ends(on, policy.period.timezone),
                _if_unpaid(blocked, past=past, late=late),
                asks=past and late,
                command=Hint("{preview_the_payout}"),
                amount=Money(left_minor, policy.currency),
                due_on=on,
            )
        )
        left_minor = 0
    return deadlines


def _if_unpaid(blocked: Sequence[PayoutBlocker], *, past: bool, late: bool) -> str:
    """Return the consequence for a month's earnings of doing nothing."""
    why = " ".join(blocker.message for blocker in blocked)
    if past and late:
        return f"It is overdue. {why}" if why else "It is overdue. Ask the platform to pay it."
    if past:
        return f"It is carried over. {why}"
    return f"Nothing is paid out then. {why}" if why else "Nothing. The platform pays it by then."


def of_payout(payout: Payout, currency: str, now: datetime) -> Deadline | None:
    """Return by when a payout that was sent should have arrived; None unless it is late."""
    if not is_late(payout, now):
        return None
    days = window_days(payout.method)
    return Deadline(
        "payout_arrival",
        payout.id,
        expected_by(payout),
        f"It was sent, and has not arrived within {days} days. Compare your statement with the"
        " books, or ask the platform where it is.",
        command=Hint("{reconcile_a_statement}"),
        amount=Money(payout.amount_minor, currency),
    )


def of_profile(needs: Sequence[Finding], standing: PayoutPosition, now: datetime) -> list[Deadline]:
    """Return the tasks that the payout profile needs (R12, R14), and their deadlines.

    After the first earning, anything missing keeps money back, which is due on the earliest due
    date. A tax form is due for renewal once its remaining validity is shorter than a payout takes.
    """
    policy, zone_name = standing.policy, standing.policy.period.timezone
    has_earned = standing.first_billed_end is not None or bool(standing.items)
    on = next_due(standing.items, policy)
    due = None if on is None else day_ends(on, zone_name)
    command = Hint("{check_the_payout_profile}")
    deadlines: list[Deadline] = []
    lacking = [need for need in needs if need.blocks and need.requirement != "tax_form"]
    if lacking and has_earned:
        why = " ".join(need.message or need.requirement for need in lacking)
        means = f"Nothing is paid out until the payout profile is complete. {why}"
        deadlines.append(
            Deadline("payout_profile", "profile", due, means, command=command, due_on=on)
        )
    for form in (need for need in needs if need.requirement == "tax_form"):
        if form.blocks and form.state != "expired":
            if has_earned:
                means = f"Nothing is paid out. {form.message}"
                deadlines.append(
                    Deadline("tax_form", "profile", due, means, command=command, due_on=on)
                )
        elif form.until is not None:
            ends = day_ends(form.until, zone_name)
            means = "The tax form expires. Nothing is paid out after that day."
            if form.blocks:
                means = "The tax form has expired, so nothing is paid out."
            asks = ends < shifted(now, RENEWAL)
            deadlines.append(
                Deadline(
                    *("tax_form", "profile", ends, means),
                    asks=asks,
                    command=command,
                    due_on=form.until,
                )
            )
    return deadlines


def of_erasure(customer: str) -> Deadline:
    """Return the task of a customer's erasure request; it states no deadline."""
    return Deadline(
        "erasure_request",
        customer,
        None,
        "The customer asked you to erase their personal data. It stays until you do.",
        command=Hint("{forget_the_customer}", customer=customer),
    )


def in_order(deadlines: Sequence[Deadline]) -> list[Deadline]:
    """Sort by deadline; those without a stated deadline may be due any time, and come first."""
    return sorted(
        deadlines, key=lambda deadline: (deadline.due or FIRST, deadline.kind, deadline.thing)
    )
