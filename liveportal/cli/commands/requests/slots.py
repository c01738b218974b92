"""The slots of a request: as a person reads them, and as one of them is chosen."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from liveportal.cli.io.prompts import can_ask, choose
from liveportal.cli.io.text import clean
from liveportal.cli.io.view_model import HumanValue
from liveportal.cli.parse.times import utc_now
from liveportal.domain.clock import zone
from liveportal.domain.errors import SlotsPast
from liveportal.ledger.queries import requests as seen

if TYPE_CHECKING:
    from liveportal.cli.write_command import Writer


def in_words(slots: Sequence[Mapping[str, Any]]) -> HumanValue:
    """Return slots that a terminal shows best first, in words; all else has them by number."""

    def lines(now: datetime, local: tzinfo | None) -> list[str]:
        best_first = sorted(slots, key=lambda slot: slot["rank"] or slot["slot"])
        return [_line(slot, now, local) for slot in best_first]

    return HumanValue(slots, lines)


def chosen(writer: Writer, request_id: str, *, best: bool, ask: bool) -> int | None:
    """Return the slot to accept a request at: the best one, or the one that is chosen.

    None where there is nothing to choose or nobody to ask: then the rules say what is missing.
    Raises `SlotsPast` where even the best one has begun, and `Declined`.
    """
    slots = seen.to_choose(writer.reader, request_id, writer.at or utc_now())
    if not slots or not (best or (ask and can_ask())):
        return None
    past = any(reason["code"] == "past" for reason in slots[0]["reasons"])
    usual = None if past else int(slots[0]["slot"])
    if not best:
        lines = [_line(each, utc_now(), zone(writer.zone)) for each in slots]
        offer = [f"Request {request_id}, its slots, best first:", *lines, ""]
        sys.stderr.write("\n".join(offer))
        return choose("Which slot? (q leaves)", range(1, len(slots) + 1), usual)
    if usual is None:
        raise SlotsPast(
            f"every slot of request {request_id} has begun already",
            hint="--slot N --anyway accepts one all the same.",
            id=request_id,
        )
    return usual


def _line(slot: Mapping[str, Any], now: datetime, local: tzinfo | None) -> str:
    """Write a slot as `2: 2026-10-12 15:00, 45 min, earns 94.50; free, 22:00 for them`."""
    from liveportal.cli.io.rich_output import short_time  # rich: only a terminal asks for words.

    earns = f", earns {slot['earns']}" if slot["earns"] else ""
    reasons = ", ".join(each["message"] for each in slot["reasons"])
    when = short_time(slot["start"], now, local)
    return clean(f"{slot['slot']}: {when}, {slot['minutes']} min{earns}; {reasons}".rstrip("; "))
