"""The hash chain: one digest per row covers money, facts and order, so that changes are detected.

`hash = SHA-256(domain || prev_hash || fields, each length-prefixed || SHA-256(facts) ||
personal_digest || effects_digest)`. The personal digest has its own salt and stays when the text is
erased; the effects digest covers the transactions, transfers and counts as they are stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from liveportal.ledger.format.row_mapping import to_json

DOMAIN = b"liveportal.journal.v1"
GENESIS = b"\x00" * 32
"""The previous hash of the first event."""


def personal_digest(salt: bytes, body: str | None) -> bytes:
    """Return the digest of a personal body; empty for None."""
    return hashlib.sha256(salt + body.encode()).digest() if body is not None else b""


def effects_digest(
    transactions: Iterable[tuple[Any, ...]],
    transfers: Iterable[tuple[Any, ...]],
    counts: Iterable[tuple[Any, ...]] = (),
) -> bytes:
    """Return the digest of an event's transactions, transfers and counts, as stored.

    Events without counts, such as those older than counts, have a digest without them.
    """
    effects = [list(transactions), list(transfers), list(counts)]
    document = to_json(effects if effects[2] else effects[:2])
    return hashlib.sha256(document.encode()).digest()


ERASED_BEFORE = hashlib.sha256(b"liveportal.erased-before-import.v1").digest()
"""The personal digest of an event imported after its erasure: no body has this digest."""

NO_EFFECTS = effects_digest((), ())


def event_hash(
    prev: bytes, fields: Iterable[str], facts: str, personal: bytes, effects: bytes
) -> bytes:
    """Return the hash of a row; `fields` are seq, source, id, type, time, recorded_at as text."""
    facts_digest = hashlib.sha256(facts.encode()).digest()
    return hashlib.sha256(
        b"".join((DOMAIN, prev, _prefixed(tuple(fields)), facts_digest, personal, effects))
    ).digest()


def _prefixed(fields: Sequence[str]) -> bytes:
    """Return the fields as UTF-8, each after its length in eight bytes, big-endian."""
    short = _SHORT
    try:  # Usually all fields are short and ASCII, and can be encoded together.
        seq, source, name, kind, time, recorded = fields
        return (
            f"{short[len(seq)]}{seq}{short[len(source)]}{source}{short[len(name)]}{name}"
            f"{short[len(kind)]}{kind}{short[len(time)]}{time}{short[len(recorded)]}{recorded}"
        ).encode("ascii")
    except (IndexError, UnicodeEncodeError):
        encoded = [field.encode("utf-8", "surrogatepass") for field in fields]
        return b"".join([part for data in encoded for part in (len(data).to_bytes(8, "big"), data)])


_SHORT = [f"{chr(0) * 7}{chr(length)}" for length in range(128)]
"""The eight-byte lengths from 0 to 127, as ASCII text."""
