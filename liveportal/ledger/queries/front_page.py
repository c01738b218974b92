"""The front page: what waits for the expert, in five blocks; each row is whole."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from liveportal.domain.calculations.forecast import ExpectedPayout, forecast
from liveportal.domain.calculations.months import MonthRow
from liveportal.domain.clock import local_date, month_of
from liveportal.domain.entities import ClaimState, RequestState, SessionState
from liveportal.domain.money import Money
from liveportal.domain.row import Row, extend, row
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.agenda import AgendaRow, agenda
from liveportal.ledger.queries.calendar_conflicts import Busy
from liveportal.ledger.queries.claims import ClaimRow, claims
from liveportal.ledger.queries.live_figures import running_figures
from liveportal.ledger.queries.payouts import Blocker, open_balance, payout_position
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.request_filter import RequestFilter
from liveportal.ledger.queries.requests import RequestRow, requests


@row
class RunningSession(AgendaRow):
    """A live or paused session, with what it would be billed and earn if it ended now."""

    elapsed_seconds: timedelta | None
    paused_seconds: timedelta | None
    billable_seconds: timedelta | None
    gross_so_far: Money | None
    earned_so_far: Money | None


@row
class OpenClaim(ClaimRow):
    """A claim to answer; `silence` is what the policy says of an expert who does not answer."""

    silence: str


@row
class NextPayout(Row):
    """The next expected payout, and what blocks it; without a day if nothing is to be paid."""

    on: date | None
    months: list[str]
    amount: Money
    owed: Money
    held: Money
    currency: str
    blocked: list[Blocker]


@row
class FrontPage(Row):
    """What waits for the expert. Months and the payout's day are of the platform's time zone."""

    as_of: datetime
    timezone: str
    currency: str
    requests: list[RequestRow]
    running: list[RunningSession]
    upcoming: list[AgendaRow]
    claims: list[OpenClaim]
    this_month: MonthRow
    last_month: MonthRow
    payout: NextPayout


def front_page(reader: Reader, now: datetime, busy: Busy | None = None) -> FrontPage:
    """Return the front page at an instant; requests by the time left, claims oldest first."""
    open_ones = RequestFilter(states=(RequestState.OPEN,), sort="left")
    figures = running_figures(reader, now)
    sessions = agenda(reader, now)
    month = month_of(now, reader.timezone)
    return FrontPage(
        as_of=now,
        timezone=reader.own_timezone,
        currency=reader.currency,
        requests=requests(reader, now, open_ones, busy),
        running=[
            extend(RunningSession, session, **figures[session.id])
            for session in sessions
            if session.id in figures
        ],
        upcoming=[session for session in sessions if session.state == SessionState.UPCOMING],
        claims=_open_claims(reader, now),
        this_month=earnings.month(reader, month),
        last_month=earnings.month(reader, earnings.months_before(month, 1)),
        payout=_next_payout(reader, local_date(now, reader.timezone)),
    )


_POLICIES = """
    SELECT claim.id, session.policy FROM claim JOIN session ON session.id = claim.session
    WHERE claim.state = 'open'
"""


def _open_claims(reader: Reader, now: datetime) -> list[OpenClaim]:
    policies = {row["id"]: reader.policy_at(row["policy"]) for row in reader.all(_POLICIES)}
    return [
        extend(OpenClaim, claim, silence=str(policies[claim.id].dispute.silence))
        for claim in claims(reader, now, states=(ClaimState.OPEN,))
    ]


def _next_payout(reader: Reader, today: date) -> NextPayout:
    """Return the first payout that nothing blocks, or else the first one at all."""
    expected = forecast(payout_position(reader), today)
    paid = [payout for payout in expected if not payout.blocked]
    first: ExpectedPayout | None = next(iter(paid or expected), None)
    balance = open_balance(reader)
    return NextPayout(
        on=first.on if first else None,
        months=list(first.months) if first else [],
        # A blocked payout pays nothing: its amount is what it would have paid.
        amount=reader.money(first.minor or first.carried_minor if first else 0),
        owed=reader.money(balance["owed"]),
        held=reader.money(balance["held"]),
        currency=reader.currency,
        blocked=[Blocker(code=b.code, message=b.message) for b in first.blocked] if first else [],
    )
