"""What a call uses that does not give it: the current time, and a new id."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from time import time_ns


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits; sorts by time."""
    milliseconds = time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    number = (milliseconds << 80) | random
    number = (number & ~(0xF000 << 64)) | (0x7000 << 64)  # Version 7.
    number = (number & ~(0xC000 << 48)) | (0x8000 << 48)  # Variant of the RFC.
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def ignore(*_: object) -> None:
    """Do nothing: no callback was given."""
