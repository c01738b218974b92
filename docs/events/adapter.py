"""Help Desk Ltd: the payouts that its webhooks report."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from liveportal.feeds.adapters.steps import (
    Ignored,
    Settings,
    Source,
    Step,
    text_at,
    time_at,
)


class HelpDesk:
    """Makes steps of the help desk's webhooks."""

    def steps(self, document: dict[str, Any], _settings: Settings) -> Iterator[Step]:
        """Yield the steps of a body; raises `InvalidEvent` with the field that is wrong."""
        kind = text_at(document, "kind")
        if kind != "payout":
            yield Ignored(kind)
            return
        source = Source(f"urn:helpdesk:{text_at(document, 'desk')}")
        payout = text_at(document, "payout", "id")
        yield source.event(
            f"{payout}:sent",
            "payout.sent",
            time_at(document, "payout", "sent_at"),
            payout=payout,
            amount={
                "amount": text_at(document, "payout", "total"),
                "currency": text_at(document, "payout", "currency"),
            },
            method="paypal",
        )

    def is_signed(self, headers: Mapping[str, str], body: bytes, secret: bytes) -> bool:
        """Return True if the header has the HMAC-SHA256 of the body, in hex."""
        expected = hmac.new(secret, body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(headers.get("x-desk-signature", ""), expected)
