"""What happened to a thing, in words: one line an event, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from liveportal.cli.io.view_model import HumanValue
from liveportal.domain.clock import parse_instant
from liveportal.domain.money import Money

LONGEST_TEXT = 120
_SPEAKERS = {
    "expert": "you",
    "platform": "the platform",
    "unknown": "a feed under your name (see `liveportal doctor`)",
}


def in_words(history: Sequence[Mapping[str, Any]], earned: Money | None = None) -> HumanValue:
    """Return a history that a terminal shows in words; all else has the events themselves.

    `earned` is the gross that was booked when a session ended, where its end does not say it.
    """

    def lines(_now: datetime, local: tzinfo | None) -> list[str]:
        return [_line(each, earned, local) for each in history]

    return HumanValue(history, lines)


def pauses_in_words(pauses: Sequence[Sequence[datetime | None]]) -> HumanValue:
    """Return a session's pauses that a terminal shows one a line; the last may go on."""

    def lines(_now: datetime, local: tzinfo | None) -> list[str]:
        from liveportal.cli.io.rich_output import local_time

        ends = ((since, until and local_time(until, local)) for since, until in pauses)
        return [
            f"{since and local_time(since, local)} to {until or 'now'}" for since, until in ends
        ]

    return HumanValue(pauses, lines)


def _line(happened: Mapping[str, Any], earned: Money | None, local: tzinfo | None) -> str:
    from liveportal.cli.io.rich_output import local_time  # rich: only a terminal asks for words.

    kind, data = happened["type"], dict(happened["data"])
    if kind == "session.ended" and "billed" not in data:
        data["billed"] = {"amount": str(earned) if earned else "nothing"}
    what = kind.removeprefix("session.").replace(".", " ").replace("_", " ")
    details = "; ".join(_details(data, local))
    line = f"{what} at {local_time(happened['time'], local)}{f' ({details})' if details else ''}"
    speaker = _SPEAKERS[happened["speaker"]]
    flags = "".join(f", {flag.replace('_', ' ')}" for flag in happened["flags"])
    return f"{line}, {'confirmed' if happened['confirms'] else 'told'} by {speaker}{flags}"


def _details(data: Mapping[str, Any], local: tzinfo | None) -> Iterator[str]:
    """Yield what an event says beyond its kind, the most telling first."""
    for name, words in _WORDS.items():
        if value := data.get(name):
            text = words(value, local)
            yield text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _when(value: str, local: tzinfo | None) -> str:
    from liveportal.cli.io.rich_output import local_time

    return local_time(parse_instant(value), local)


def _pauses(value: list[list[str]], local: tzinfo | None) -> str:
    spans = (f"{_when(since, local)} to {_when(until, local)}" for since, until in value)
    return f"paused {', '.join(spans)}"


def _as_it_is(value: object, _local: tzinfo | None) -> str:
    return str(value)


_WORDS: Mapping[str, Callable[[Any, tzinfo | None], str]] = {
    "billed": lambda value, _: f"billed {value['amount']}",
    "amount": lambda value, _: f"{value['amount']} {value['currency']}",
    "rate": lambda value, _: f"{value['amount']} a minute",
    "start": lambda value, local: f"start {_when(value, local)}",
    "end": lambda value, local: f"end {_when(value, local)}",
    "pauses": _pauses,
    "minutes": lambda value, _: f"{value} min",
    "slot": lambda value, _: f"slot {value}",
    "rating": lambda value, _: f"{value} of 5",
    "claim": _as_it_is,
    "kind": _as_it_is,
    "by": lambda value, _: "by you" if value == "expert" else f"by the {value}",
    **dict.fromkeys(("title", "name", "reason", "summary", "note", "text"), _as_it_is),
}
