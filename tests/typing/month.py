"""A month from Python, as a caller writes it: the type checkers must know every type.

`assert_type` fails in mypy and in pyright if a type is another one, also if it is `Any`. The lines
that end in an error code are wrong, and must be found.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import assert_type

import liveportal
from liveportal import (
    Event,
    LiveportalError,
    Money,
    Outcome,
    Policy,
    Portal,
    RequestFilter,
    SyncResult,
    View,
    events,
    rows,
)


def month(path: str) -> Money:
    """Record and ask."""
    Portal.create(path, Policy(), settings=[events.PreferencesChanged(timezone="Europe/Paris")])
    with Portal(path) as portal:
        assert_type(portal, Portal)
        assert_type(portal.sync("october.jsonl"), SyncResult)
        with open("october.jsonl") as text, open("october.jsonl", "rb") as raw:  # noqa: PTH123
            portal.sync(text)
            portal.sync(raw, batch=100, on_error=lambda line, error: print(line.number, error.code))  # noqa: T201
        opened: list[Event] = [portal.event(events.SessionPaused(session="S-1"))]
        assert_type(portal.record(opened, allow=True), list[Outcome])
        outcome = portal.execute(
            events.DisputeFiled(claim="CL-1", summary="Fixed at 14:17."),
            at=datetime.now(UTC),
            key="dispute",
            allow={"late_claim"},
        )
        assert_type(outcome, Outcome)
        assert_type(outcome.event.time, datetime)
        old = portal.as_known(date(2026, 11, 1))
        assert_type(old, View)
        assert_type(old.earnings.months(), Sequence[rows.MonthRow])
        asked(portal)
        return portal.earnings.month("2026-10").net


def asked(view: View) -> None:
    """Ask each group."""
    request = view.requests.list(RequestFilter(states=["open"], min_rate=Money.parse("3", "USD")))[
        0
    ]
    assert_type(request, rows.RequestRow)
    assert_type(request.customer.name, str | None)
    assert_type(request.left_seconds, timedelta | None)
    assert_type(view.requests.get(request.id).slots, Sequence[rows.RankedSlotRow])
    assert_type(view.sessions.get("S-1").transactions[0].amount, Money)
    assert_type(view.claims.get("CL-1").answer_by, datetime | None)
    assert_type(view.claims.record().filed, int)
    assert_type(view.payouts.preview(date(2026, 11, 15)).eligible, Money)
    assert_type(view.payouts.overdue(), rows.OverdueRow | None)
    assert_type(view.payouts.reconcile("paypal.csv").findings[0].fee, Money | None)
    assert_type(view.earnings.summary("2026-01", "2026-12").risk.held, Money)
    assert_type(view.earnings.explain("2026-10").net.parts, list[rows.NodeRow])
    assert_type(view.customers.list()[0].sessions, int)
    assert_type(view.agenda.due()[0].due_on, date | None)
    assert_type(view.ledger.policy(), Policy)
    assert_type(view.ledger.infer_policy().readings, list[rows.ReadingRow])
    assert_type(view.ledger.info().head, str | None)


def wrong(portal: Portal, view: View) -> None:
    """Make the mistakes that a type checker must find."""
    portal.execute("S-1")  # type: ignore[arg-type]
    portal.execute(events.SessionPaused())  # type: ignore[call-arg]
    portal.execute(events.SessionPaused(session="S-1"), allow="late_claim")  # type: ignore[arg-type]
    portal.sync(17)  # type: ignore[arg-type]
    view.execute(events.SessionPaused(session="S-1"))  # type: ignore[attr-defined]
    view.earnings.month("2026-10").nett  # type: ignore[attr-defined]  # noqa: B018
    view.earnings.month("2026-10").net = Money(1, "USD")  # type: ignore[misc]
    Portal("book.db", mode="w")  # type: ignore[arg-type]
    liveportal.Portl  # type: ignore[attr-defined]  # noqa: B018
    try:
        portal.head()
    except LiveportalError as error:
        assert_type(error.code, str)
