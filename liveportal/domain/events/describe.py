"""Each event as a sentence, for whoever was not there: a reviewer, an accountant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Data = Mapping[str, Any]
"""An event's data as JSON has it; what was erased is missing."""


def sentence(kind: str, data: Data) -> str:
    """Return what an event says; `kind` is its type without the prefix."""
    return _SENTENCES[kind](data) if kind in _SENTENCES else kind.replace(".", " ")


def _money(data: Data, name: str) -> str:
    amount = data[name]
    return f"{amount['amount']} {amount['currency']}"


def _because(data: Data, name: str = "reason") -> str:
    return f": {data[name]}" if data.get(name) else "."


def _opened(data: Data) -> str:
    asked = "booked you personally" if data.get("direct") else "asked for help"
    return f"The customer {asked}, at {_money(data, 'rate')} a minute{_because(data, 'title')}"


def _accepted(data: Data) -> str:
    slot = f", slot {data['slot']}" if "slot" in data else ""
    return f"The request was accepted{slot}."


def _ended(data: Data) -> str:
    billed = f"; the platform billed {_money(data, 'billed')}" if "billed" in data else ""
    return f"The session ended{billed}."


def _logged(data: Data) -> str:
    return f"The session was logged, at {_money(data, 'rate')} a minute{_because(data, 'title')}"


def _claimed(data: Data) -> str:
    amount = _money(data, "amount") if "amount" in data else "all of it"
    return f"The customer claimed back {amount}{_because(data)}"


def _reviewed(data: Data) -> str:
    return f"The {data['by']} rated the session {data['rating']} of 5{_because(data, 'text')}"


def _attached(data: Data) -> str:
    name = f" {data['name']}" if data.get("name") else ""
    size = f", {data['bytes']} bytes" if "bytes" in data else ""
    return f"A file was added: {data['kind']}{name}{size}."


_SENTENCES: Mapping[str, Callable[[Data], str]] = {
    "request.opened": _opened,
    "request.accepted": _accepted,
    "request.declined": lambda data: f"The request was declined{_because(data)}",
    "request.withdrawn": lambda data: f"The customer withdrew the request{_because(data)}",
    "request.taken": lambda data: f"Somebody else took the request{_because(data)}",
    "request.expired": lambda data: f"The request expired{_because(data)}",
    "session.rescheduled": lambda data: f"The session was moved to {data['start']}.",
    "session.cancelled": lambda data: f"The {data['by']} cancelled the session{_because(data)}",
    "session.missed": lambda data: f"The {data['by']} did not come.",
    "session.started": lambda _: "The timer started.",
    "session.paused": lambda _: "The timer was paused.",
    "session.resumed": lambda _: "The timer ran again.",
    "session.ended": _ended,
    "session.logged": _logged,
    "session.corrected": lambda data: f"The session was corrected{_because(data)}",
    "artifact.added": _attached,
    "review.posted": _reviewed,
    "tip.received": lambda data: f"The customer gave a tip of {_money(data, 'amount')}.",
    "refund.claimed": _claimed,
    "refund.conceded": lambda data: f"The expert conceded the claim{_because(data)}",
    "refund.granted": lambda data: f"The platform granted the claim{_because(data)}",
    "refund.denied": lambda data: f"The platform denied the claim{_because(data)}",
    "refund.withdrawn": lambda data: f"The customer withdrew the claim{_because(data)}",
    "dispute.filed": lambda data: f"The expert disputed the claim{_because(data, 'summary')}",
    "dispute.withdrawn": lambda _: "The expert withdrew the dispute.",
    "dispute.accepted": lambda data: f"The dispute was accepted{_because(data, 'note')}",
    "dispute.rejected": lambda data: f"The dispute was rejected{_because(data, 'note')}",
}
