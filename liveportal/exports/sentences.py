"""Each event as a sentence in the third person, for a reader who was not in the session.

This module is part of page format 3 (`pages`): a released sentence never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from liveportal.domain.clock import parse_instant
from liveportal.exports.local_time import local_text

Data = Mapping[str, Any]
"""The data of an event as JSON; erased fields are missing."""


def sentence(kind: str, data: Data, zone_name: str) -> str:
    """Return an event as an English sentence, with times in a zone.

    `kind` is its type without the prefix. What a person wrote is in quotation marks.
    """
    if kind in _SENTENCES:
        return _SENTENCES[kind](data)
    if kind in _TIMED_SENTENCES:
        return _TIMED_SENTENCES[kind](data, zone_name)
    return f"Another event was recorded: {kind.replace('.', ' ').replace('_', ' ')}."


def quoted(text: str) -> str:
    """Return what a person wrote, in quotation marks."""
    return f"\u201c{text}\u201d"


def _money(data: Data, name: str) -> str:
    amount = data[name]
    return f"{amount['amount']} {amount['currency']}"


def _with_words(text: str, data: Data, name: str = "reason") -> str:
    """Return a sentence, followed by the words of a field if it has any."""
    return f"{text}: {quoted(data[name])}" if data.get(name) else f"{text}."


def _opened(data: Data) -> str:
    action = "asked for this expert in person" if data.get("direct") else "asked for help"
    return _with_words(f"The customer {action}, at {_money(data, 'rate')} a minute", data, "title")


def _accepted(data: Data) -> str:
    if "slot" not in data:
        return "The expert accepted the request."
    return f"The expert accepted the request, for proposed time number {data['slot']}."


def _rescheduled(data: Data, zone_name: str) -> str:
    length = f", for {data['minutes']} minutes" if "minutes" in data else ""
    return f"The session was moved to {_time(data, 'start', zone_name)}{length}."


def _ended(data: Data) -> str:
    return "The session ended." + _billed(data)


def _billed(data: Data) -> str:
    return f" The customer was billed {_money(data, 'billed')}." if "billed" in data else ""


def _logged(data: Data, zone_name: str) -> str:
    span = f"from {_time(data, 'start', zone_name)} to {_time(data, 'end', zone_name)}"
    text = f"The session took place {span}, at {_money(data, 'rate')} a minute."
    title = f" It was about {quoted(data['title'])}." if data.get("title") else ""
    return text + title + _billed(data)


def _corrected(data: Data, zone_name: str) -> str:
    changes = [
        f"the {label} is {_time(data, name, zone_name)}"
        for name, label in (("start", "start"), ("end", "end"))
        if name in data
    ]
    if "pauses" in data:
        changes.append(f"the number of pauses is {len(data['pauses'])}")
    if "billed" in data:
        changes.append(f"the bill is {_money(data, 'billed')}")
    described = f", so that {' and '.join(changes)}" if changes else ""
    return _with_words(f"The record of the session was corrected{described}", data)


def _time(data: Data, name: str, zone_name: str) -> str:
    return local_text(parse_instant(data[name]), zone_name)


def _claimed(data: Data) -> str:
    amount = _money(data, "amount") if "amount" in data else "the whole amount"
    return _with_words(f"The customer asked for {amount} back", data)


def _reviewed(data: Data) -> str:
    return _with_words(
        f"The {data['by']} rated the session with {data['rating']} of 5", data, "text"
    )


def _attached(data: Data) -> str:
    kind = "file with code" if data["kind"] == "code" else data["kind"]
    article = "An" if kind == "attachment" else "A"
    name = f": {quoted(data['name'])}" if data.get("name") else ""
    return f"{article} {kind} was added{name}" + ("" if name else ".")


_SENTENCES: Mapping[str, Callable[[Data], str]] = {
    "request.opened": _opened,
    "request.accepted": _accepted,
    "request.declined": lambda data: _with_words("The expert declined the request", data),
    "request.withdrawn": lambda data: _with_words("The customer withdrew the request", data),
    "request.taken": lambda data: _with_words("Another expert took the request", data),
    "request.expired": lambda data: _with_words("The request expired without an answer", data),
    "session.cancelled": lambda data: _with_words(f"The {data['by']} cancelled the session", data),
    "session.missed": lambda data: f"The {data['by']} did not come to the session.",
    "session.started": lambda _: "The session started, and its timer ran.",
    "session.paused": lambda _: "The timer was paused.",
    "session.resumed": lambda _: "The timer was started again.",
    "session.ended": _ended,
    "artifact.added": _attached,
    "review.posted": _reviewed,
    "tip.received": lambda data: f"The customer gave a tip of {_money(data, 'amount')}.",
    "refund.claimed": _claimed,
    "refund.conceded": lambda data: _with_words("The expert agreed to the refund", data),
    "refund.granted": lambda data: _with_words("The platform granted the refund", data),
    "refund.denied": lambda data: _with_words("The platform refused the refund", data),
    "refund.withdrawn": lambda data: _with_words("The customer withdrew the claim", data),
    "dispute.filed": lambda data: _with_words("The expert disputed the claim", data, "summary"),
    "dispute.withdrawn": lambda _: "The expert withdrew the dispute.",
    "dispute.accepted": lambda data: _with_words(
        "The dispute was accepted, so there was no refund", data, "note"
    ),
    "dispute.rejected": lambda data: _with_words(
        "The dispute was rejected, so the customer got the refund", data, "note"
    ),
}
_TIMED_SENTENCES: Mapping[str, Callable[[Data, str], str]] = {
    "session.rescheduled": _rescheduled,
    "session.logged": _logged,
    "session.corrected": _corrected,
}
