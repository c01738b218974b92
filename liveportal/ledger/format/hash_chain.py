"""The hash chain: money, facts and order under one digest a row; no past row can change unseen.

`hash = SHA-256(domain || prev_hash || fields, each length-prefixed || SHA-256(facts) ||
personal_digest || effects_digest)`. The personal digest has its own salt and stays when the text is
erased; the effects digest covers the transactions, transfers and counts as they are stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from liveportal.ledger.format.row_mapping import compact

DOMAIN = b"liveportal.journal.v1"
GENESIS = b"\x00" * 32
"""What stands before the first event."""


def personal_digest(salt: bytes, body: str | None) -> bytes:
    """Return the digest of a personal body; empty where there is none."""
    return hashlib.sha256(salt + body.encode()).digest() if body is not None else b""


def effects_digest(
    transactions: Iterable[tuple[Any, ...]],
    transfers: Iterable[tuple[Any, ...]],
    counts: Iterable[tuple[Any, ...]] = (),
) -> bytes:
    """Return the digest of what an event booked, from the rows as stored.

    Events of before there were counts have a digest without them, and so has what counts nothing.
    """
    booked = [list(transactions), list(transfers), list(counts)]  # JSON has one sort of list.
    stored = compact(booked if booked[2] else booked[:2])
    return hashlib.sha256(stored.encode()).digest()


ERASED_BEFORE = hashlib.sha256(b"liveportal.erased-before-import.v1").digest()
"""The personal digest of an event that came without its personal part: no body has this digest."""

NO_EFFECTS = effects_digest((), ())


def event_hash(
    prev: bytes, fields: Iterable[str], facts: str, personal: bytes, effects: bytes
) -> bytes:
    """Return the hash of a row; `fields` are seq, source, id, type, time, recorded_at as text."""
    told = hashlib.sha256(facts.encode()).digest()
    return hashlib.sha256(
        b"".join((DOMAIN, prev, _prefixed(tuple(fields)), told, personal, effects))
    ).digest()


def _prefixed(fields: Sequence[str]) -> bytes:
    """Return the fields as bytes, each after its length in eight bytes."""
    short = _SHORT
    try:  # All at once, where they are short and ASCII, as they are but for a few.
        seq, source, name, kind, time, recorded = fields
        return (
            f"{short[len(seq)]}{seq}{short[len(source)]}{source}{short[len(name)]}{name}"
            f"{short[len(kind)]}{kind}{short[len(time)]}{time}{short[len(recorded)]}{recorded}"
        ).encode("ascii")
    except (IndexError, UnicodeEncodeError):
        encoded = [each.encode("utf-8", "surrogatepass") for each in fields]
        return b"".join([part for each in encoded for part in (len(each).to_bytes(8, "big"), each)])


_SHORT = [f"{chr(0) * 7}{chr(length)}" for length in range(128)]
"""The lengths that are one byte of ASCII, as text."""
