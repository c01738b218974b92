"""What a payout of the platform can be in files of Stripe, where its money moves twice."""

from __future__ import annotations

HOPS = ("payout", "transfer")
"""Stripe's payout to the bank, or the payment (by a transfer) into the Stripe balance."""
