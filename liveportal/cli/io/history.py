"""The history of an entity for a terminal: one line of words per event."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from liveportal.cli.io.view_model import HumanValue
from liveportal.domain.clock import parse_instant
from liveportal.domain.money import Money

if TYPE_CHECKING:
    from liveportal.ledger.queries.history import HistoryRow

LONGEST_TEXT = 120
_SPEAKERS = {
    "expert": "you",
    "platform": "the platform",
    "unknown": "a feed under your name (see `liveportal doctor`)",
}


def format_history(history: Sequence[HistoryRow], earned: Money | None = None) -> HumanValue:
    """Return a history that a terminal shows in words; other formats have the events themselves.

    `earned` is the gross booked when a session ended; it is shown if the event has no bill.
    """

    def lines(_now: datetime, local: tzinfo | None) -> list[str]:
        return [_event_line(event, earned, local) for event in history]

    return HumanValue(history, lines)


def format_pauses(pauses: Sequence[Sequence[datetime | None]]) -> HumanValue:
    """Return a session's pauses that a terminal shows one per line; the last may be open."""

    def lines(_now: datetime, local: tzinfo | None) -> list[str]:
        from liveportal.cli.io.rich_output import format_local_time

        ends = ((since, until and format_local_time(until, local)) for since, until in pauses)
        return [
            f"{since and format_local_time(since, local)} to {until or 'now'}"
            for since, until in ends
        ]

    return HumanValue(pauses, lines)


def _event_line(event: HistoryRow, earned: Money | None, local: tzinfo | None) -> str:
    from liveportal.cli.io.rich_output import format_local_time  # Imports rich: terminals only.

    kind, data = event.type, dict(event.data)
    if kind == "session.ended" and "billed" not in data:
        data["billed"] = {"amount": str(earned) if earned else "nothing"}
    name = kind.removeprefix("session.").replace(".", " ").replace("_", " ")
    details = "; ".join(_details(data, local))
    line = (
        f"{name} at {format_local_time(event['time'], local)}{f' ({details})' if details else ''}"
    )
    speaker = _SPEAKERS[event.speaker]
    flags = "".join(f", {flag.replace('_', ' ')}" for flag in event.flags)
    how = "confirmed" if event.confirms else "recorded" if event.speaker == "expert" else "reported"
    return f"{line}, {how} by {speaker}{flags}"


def _details(data: Mapping[str, Any], local: tzinfo | None) -> Iterator[str]:
    """Yield the details of an event, the most informative first."""
    for name, format_detail in _DETAIL_FORMATS.items():
        if value := data.get(name):
            text = format_detail(value, local)
            yield text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _format_time(value: str, local: tzinfo | None) -> str:
    from liveportal.cli.io.rich_output import format_local_time

    return format_local_time(parse_instant(value), local)


def _format_pause_list(value: list[list[str]], local: tzinfo | None) -> str:
    spans = (
        f"{_format_time(since, local)} to {_format_time(until, local)}" for since, until in value
    )
    return f"paused {', '.join(spans)}"


def _to_text(value: object, _local: tzinfo | None) -> str:
    return str(value)


_DETAIL_FORMATS: Mapping[str, Callable[[Any, tzinfo | None], str]] = {
    "billed": lambda value, _: f"billed {value['amount']}",
    "fee": lambda value, _: f"transfer fee {value['amount']}",
    "received": lambda value, _: f"{value['amount']} {value['currency']} credited",
    "debited": lambda value, _: f"{value['amount']} debited",
    "amount": lambda value, _: f"{value['amount']} {value['currency']}",
    "rate": lambda value, _: f"{value['amount']} a minute",
    "start": lambda value, local: f"start {_format_time(value, local)}",
    "end": lambda value, local: f"end {_format_time(value, local)}",
    "pauses": _format_pause_list,
    "minutes": lambda value, _: f"{value} min",
    "slot": lambda value, _: f"slot {value}",
    "rating": lambda value, _: f"{value} of 5",
    "claim": _to_text,
    "kind": _to_text,
    "by": lambda value, _: "by you" if value == "expert" else f"by the {value}",
    **dict.fromkeys(("title", "name", "reason", "summary", "note", "text"), _to_text),
}
