"""How a terminal shows a refunded session: it must not look paid."""

from __future__ import annotations

from liveportal.cli.io.view_model import HumanValue, Row
from liveportal.domain.money import Money


def human_money(row: Row) -> dict[str, object]:
    """Return the state and the refund of a session as a terminal shows them."""
    gross, refunded, state = row["gross"], row["refunded"], str(row["state"])
    if not isinstance(gross, Money) or not isinstance(refunded, Money):
        return {}
    if refunded:
        state = "refunded" if refunded == gross else "part refunded"
    amount = [str(refunded)] if refunded else []
    return {
        "state": HumanValue(row["state"], lambda _now, _local: [state]),
        "refunded": HumanValue(refunded, lambda _now, _local: amount),
    }


def human_earned(row: Row) -> dict[str, object]:
    """Return what a list shows as earned: a wholly refunded session has no amount there."""
    if not row["refunded"] or row["refunded"] != row["gross"]:
        return {}
    return {"earned": HumanValue(row["earned"], lambda _now, _local: ["refunded"])}
