"""Facts reported twice, corrected and reversed, as the last version of schema 3 judged them.

That version wrote `kit/fixtures/facts3.db.gz` with this module, so it may use nothing newer:
`python -m tests.ledger.make_facts3 FILE`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from liveportal.domain.events.envelope import CLI_SOURCE, Event
from liveportal.domain.policy import Policy
from liveportal.portal import Portal
from tests.kit.events import FEED, OTHER, amount, event


def hosted(number: int, *middle: str) -> Iterator[Event]:
    """Yield a session of 20 minutes at $3.00, recorded at the shell."""
    request, session = f"R-{number}", f"S-{number}"
    yield event(
        "request.opened",
        "10-05 08:00",
        request=request,
        kind="instant",
        customer={"id": "C-1"},
        title="help",
        rate=amount("3.00"),
    )
    shell: dict[str, Any] = {"source": CLI_SOURCE}
    yield event("request.accepted", "10-05 09:00", request=request, session=session, **shell)
    for kind in middle:
        yield event(kind, "10-05 09:12", session=session, **shell)
    yield event("session.ended", "10-05 09:20", session=session, **shell)


def billed(number: int, text: str, source: str = FEED) -> Event:
    """Return the end of a session once more, with a bill."""
    data: dict[str, Any] = {"session": f"S-{number}", "billed": amount(text)}
    return event("session.ended", "10-05 09:20", source=source, **data)


def corrected(number: int, **data: Any) -> Event:  # noqa: ANN401 (JSON)
    """Correct a session at the shell."""
    given: dict[str, Any] = {"session": f"S-{number}", "reason": "x", "source": CLI_SOURCE, **data}
    return event("session.corrected", "10-06 09:00", **given)


def claimed(number: int, **data: Any) -> Event:  # noqa: ANN401 (JSON)
    """Claim a session's money back."""
    given: dict[str, Any] = {"claim": f"CL-{number}", "session": f"S-{number}", **data}
    return event("refund.claimed", "10-05 12:00", **given)


def story() -> Iterator[Event]:
    """Yield events that today's rules would judge differently."""
    # A correction without a bill went back to our own calculation.
    yield from hosted(1)
    yield billed(1, "84.00")
    yield corrected(1, end="2026-10-05T09:10:00Z")
    # A claim for everything changed with the bill, whether it named its amount or not.
    whole: dict[str, Any] = {"amount": amount("60.00")}
    for number, said, bill in ((2, {}, "70.00"), (3, whole, "70.00")):
        yield from hosted(number)
        yield claimed(number, **said)
        yield billed(number, bill)
    yield event("refund.granted", "10-05 13:00", claim="CL-3")
    yield from hosted(4)
    yield claimed(4)
    yield billed(4, "50.00")
    # A pause that was open at the end kept its length.
    yield from hosted(5, "session.paused")
    yield corrected(5, end="2026-10-05T09:40:00Z")
    # A repeated bill undid the correction.
    yield from hosted(6)
    yield corrected(6, billed=amount("50.00"))
    yield billed(6, "60.00")
    # Bill and pauses of a repeated logged session were lost.
    logged: dict[str, Any] = {
        "session": "S-7",
        "customer": {"id": "C-1"},
        "rate": amount("3.00"),
        "start": "2026-10-05T09:00:00Z",
        "end": "2026-10-05T09:20:00Z",
    }
    yield event("session.logged", "10-05 09:20", source=CLI_SOURCE, **logged)
    pauses = [["2026-10-05T09:05:00Z", "2026-10-05T09:06:00Z"]]
    yield event("session.logged", "10-05 09:20", **logged, pauses=pauses)
    # Events before their subject.
    yield event("dispute.filed", "10-05 11:00", claim="CL-2", summary="x")
    sent: dict[str, Any] = {"payout": "PO-1", "amount": amount("20.00"), "method": "paypal"}
    yield event("payout.sent", "12-01 09:00", id="sent", source=CLI_SOURCE, **sent)
    yield event("payout.paid", "11-01 09:00", id="paid", source=CLI_SOURCE, payout="PO-1")
    yield reversed_("paid", "10-01 09:00")
    yield event("payout.failed", "11-01 09:00", source=CLI_SOURCE, payout="PO-1")
    # By another name of its session, a confirming event was reversed, and nothing was booked.
    tip: dict[str, Any] = {"amount": amount("5.00")}
    yield event("tip.received", "10-05 10:00", source=CLI_SOURCE, session="S-1", **tip)
    again: dict[str, Any] = {"request": "R-1", "session": "X-1", "source": OTHER}
    yield event("request.accepted", "10-05 09:00", **again)
    yield event("tip.received", "10-05 10:00", id="tip", source=OTHER, session="X-1", **tip)
    yield reversed_("tip", "10-06 10:00", OTHER)


def reversed_(name: str, when: str, source: str = CLI_SOURCE) -> Event:
    """Reverse an event of a source."""
    of = {"source": source, "id": name}
    return event("entry.reversed", when, source=source, event=of, reason="x")


def main(path: Path) -> None:
    """Write the ledger."""
    Portal.create(path, Policy(), now=lambda: datetime(2026, 12, 2, tzinfo=UTC))
    with Portal(path, now=lambda: datetime(2026, 12, 2, tzinfo=UTC)) as portal:
        portal.record(list(story()), allow=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
