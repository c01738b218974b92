"""A feed with three payouts by rules that the expert does not know: a fee of 40 %, a free trial.

Each session bills the minutes after the fifth, at 5.00 a minute: 15 and 25 in October (200.00, of
which the expert has 120.00), 56 in November (168.00), 37.5 in December (112.50).
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.kit.events import amount, line

SESSIONS = (
    ("S-1", "2026-10-05T09:00:00Z", "2026-10-05T09:20:00Z"),
    ("S-2", "2026-10-20T09:00:00Z", "2026-10-20T09:30:00Z"),
    ("S-3", "2026-11-11T09:00:00Z", "2026-11-11T10:01:00Z"),
    ("S-4", "2026-12-03T09:00:00Z", "2026-12-03T09:42:30Z"),
)
PAYOUTS = (
    ("PO-1", "2026-12-31T10:00:00Z", "120.00"),
    ("PO-2", "2027-01-31T10:00:00Z", "168.00"),
    ("PO-3", "2027-03-05T10:00:00Z", "112.50"),
)
NOW = "2027-03-10T12:00Z"
RULES = {"fee.percent": "40", "trial.billed": "after-trial"}
"""The rules behind the payouts, where they differ from the default policy."""


def feed(payouts: tuple[tuple[str, str, str], ...] = PAYOUTS) -> Iterator[bytes]:
    """Yield the lines of the feed."""
    for name, start, end in SESSIONS:
        yield line(
            "session.logged",
            end,
            id=name,
            session=name,
            customer={"id": "C-1"},
            rate=amount("5.00"),
            start=start,
            end=end,
        )
    for name, sent, paid in payouts:
        yield line("payout.sent", sent, id=name, payout=name, amount=amount(paid), method="paypal")
