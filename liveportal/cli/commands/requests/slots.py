"""The slots of a request: format them for a terminal, and choose one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from liveportal.cli.clock import utc_now
from liveportal.cli.io.prompts import can_ask, choose
from liveportal.cli.io.text import clean
from liveportal.cli.io.view_model import HumanValue
from liveportal.domain.clock import zone
from liveportal.domain.errors import SlotsPast
from liveportal.ledger.queries import requests
from liveportal.ledger.queries.calendar_conflicts import Busy
from liveportal.ledger.queries.requests import RankedSlotRow

if TYPE_CHECKING:
    from liveportal.cli.write_command import Writer


def format_slots(slots: Sequence[RankedSlotRow]) -> HumanValue:
    """Return slots that a terminal shows in words, best first; other formats have them as given."""

    def lines(now: datetime, local: tzinfo | None) -> list[str]:
        best_first = sorted(slots, key=lambda slot: slot.rank or slot.slot)
        return [_format_slot(slot, now, local) for slot in best_first]

    return HumanValue(slots, lines)


def choose_slot(
    writer: Writer, request_id: str, *, best: bool, ask: bool, busy: Busy | None = None
) -> int | None:
    """Return the number of the slot to accept: the best one, or the user's choice.

    None without slots, or without a terminal to ask on; the rules then report what is missing.
    Raises `SlotsPast` if all slots have begun, and `Declined`.
    """
    slots = requests.ranked_slots(writer.reader, request_id, writer.at or utc_now(), busy)
    if not slots or not (best or (ask and can_ask())):
        return None
    is_past = any(reason.code == "past" for reason in slots[0].reasons)
    default = None if is_past else slots[0].slot
    if not best:
        lines = [_format_slot(slot, utc_now(), zone(writer.zone)) for slot in slots]
        offer = [f"The slots of request {request_id}, best first:", *lines, ""]
        sys.stderr.write("\n".join(offer))
        return choose("Which slot? (q to cancel)", range(1, len(slots) + 1), default)
    if default is None:
        raise SlotsPast(
            f"All slots of request {request_id} have already begun.",
            hint="To accept one anyway, add --slot N --anyway.",
            id=request_id,
        )
    return default


def _format_slot(slot: RankedSlotRow, now: datetime, local: tzinfo | None) -> str:
    """Format a slot as `2: 2026-10-12 15:00, 45 min, earns 94.50; free, 22:00 for them`."""
    from liveportal.cli.io.rich_output import format_short_time  # Imports rich: terminals only.

    earns = f", earns {slot.earns}" if slot.earns else ""
    reasons = ", ".join(reason.message for reason in slot.reasons)
    when = format_short_time(slot.start, now, local)
    return clean(f"{slot.slot}: {when}, {slot.minutes} min{earns}; {reasons}".rstrip("; "))
