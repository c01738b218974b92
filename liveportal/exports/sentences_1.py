"""The sentences of page formats 1 and 2: each event as one sentence. They never change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Data = Mapping[str, Any]
"""The data of an event as JSON; erased fields are missing."""


def describe(kind: str, data: Data) -> str:
    """Return an event as an English sentence; `kind` is its type without the prefix."""
    return _SENTENCES[kind](data) if kind in _SENTENCES else kind.replace(".", " ")


def _money(data: Data, name: str) -> str:
    amount = data[name]
    return f"{amount['amount']} {amount['currency']}"


def _reason_suffix(data: Data, name: str = "reason") -> str:
    return f": {data[name]}" if data.get(name) else "."


def _opened(data: Data) -> str:
    action = "booked you personally" if data.get("direct") else "asked for help"
    return (
        f"The customer {action}, at {_money(data, 'rate')} a minute{_reason_suffix(data, 'title')}"
    )


def _accepted(data: Data) -> str:
    slot = f", slot {data['slot']}" if "slot" in data else ""
    return f"The request was accepted{slot}."


def _ended(data: Data) -> str:
    billed = f"; the platform billed {_money(data, 'billed')}" if "billed" in data else ""
    return f"The session ended{billed}."


def _logged(data: Data) -> str:
    return (
        f"The session was logged, at {_money(data, 'rate')} a minute{_reason_suffix(data, 'title')}"
    )


def _claimed(data: Data) -> str:
    amount = _money(data, "amount") if "amount" in data else "all of it"
    return f"The customer claimed back {amount}{_reason_suffix(data)}"


def _reviewed(data: Data) -> str:
    return f"The {data['by']} rated the session {data['rating']} of 5{_reason_suffix(data, 'text')}"


def _attached(data: Data) -> str:
    name = f" {data['name']}" if data.get("name") else ""
    size = f", {data['bytes']} bytes" if "bytes" in data else ""
    return f"A file was added: {data['kind']}{name}{size}."


_SENTENCES: Mapping[str, Callable[[Data], str]] = {
    "request.opened": _opened,
    "request.accepted": _accepted,
    "request.declined": lambda data: f"The request was declined{_reason_suffix(data)}",
    "request.withdrawn": lambda data: f"The customer withdrew the request{_reason_suffix(data)}",
    "request.taken": lambda data: f"Somebody else took the request{_reason_suffix(data)}",
    "request.expired": lambda data: f"The request expired{_reason_suffix(data)}",
    "session.rescheduled": lambda data: f"The session was moved to {data['start']}.",
    "session.cancelled": lambda data: (
        f"The {data['by']} cancelled the session{_reason_suffix(data)}"
    ),
    "session.missed": lambda data: f"The {data['by']} did not come.",
    "session.started": lambda _: "The timer started.",
    "session.paused": lambda _: "The timer was paused.",
    "session.resumed": lambda _: "The timer ran again.",
    "session.ended": _ended,
    "session.logged": _logged,
    "session.corrected": lambda data: f"The session was corrected{_reason_suffix(data)}",
    "artifact.added": _attached,
    "review.posted": _reviewed,
    "tip.received": lambda data: f"The customer gave a tip of {_money(data, 'amount')}.",
    "refund.claimed": _claimed,
    "refund.conceded": lambda data: f"The expert conceded the claim{_reason_suffix(data)}",
    "refund.granted": lambda data: f"The platform granted the claim{_reason_suffix(data)}",
    "refund.denied": lambda data: f"The platform denied the claim{_reason_suffix(data)}",
    "refund.withdrawn": lambda data: f"The customer withdrew the claim{_reason_suffix(data)}",
    "dispute.filed": lambda data: f"The expert disputed the claim{_reason_suffix(data, 'summary')}",
    "dispute.withdrawn": lambda _: "The expert withdrew the dispute.",
    "dispute.accepted": lambda data: f"The dispute was accepted{_reason_suffix(data, 'note')}",
    "dispute.rejected": lambda data: f"The dispute was rejected{_reason_suffix(data, 'note')}",
}
