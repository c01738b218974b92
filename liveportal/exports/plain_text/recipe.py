"""What the dialects share: tags, amounts, accounts, and text that none of the programs obeys."""

from __future__ import annotations

from liveportal.domain.accounts import Account
from liveportal.domain.clock import utc_text
from liveportal.domain.ledger_entries import BookSpan, LedgerEntry
from liveportal.domain.money import digits_of, format_minor
from liveportal.domain.patterns import pattern
from liveportal.domain.text import clean

OPENING = "equity:opening"
TAGS = ("event", "source", "seq", "time", "session", "claim", "payout", "adjustment")
"""The tags of an entry: those of the event that caused it, and the ids that it concerns."""
_SPACES = pattern(r"\s+")
# Every character that means something in a comment of one of the programs, or could.
_ENCODED = pattern(r"[^A-Za-z0-9._:/@+=~#?&-]|:(?=:)")
_CUT = str.maketrans({";": ",", "|": "/"})


def tags(entry: LedgerEntry) -> dict[str, str]:
    """Return the tags of an entry that have a value, exactly as they are recorded."""
    values = {
        "event": entry.event,
        "source": entry.source,
        "seq": str(entry.seq),
        "time": utc_text(entry.time),
        **entry.ids,
    }
    return {name: values[name] for name in TAGS if name in values}


def amount(minor: int, currency: str) -> str:
    """Return an amount such as `-42.00 USD`, with all the digits of the currency."""
    return f"{format_minor(minor, digits_of(currency))} {currency}"


def opening_postings(span: BookSpan) -> list[tuple[str, int]]:
    """Return the postings that open the accounts: their balances, and their sum as equity."""
    total = sum(span.opening.values())
    return [*span.opening.items(), *([(OPENING, -total)] if total else [])]


def encoded(value: str) -> str:
    """Return a value without any character that has a meaning in a comment, percent-encoded."""
    return _ENCODED.sub(lambda match: "".join(f"%{byte:02X}" for byte in _utf8(match[0])), value)


def description(entry: LedgerEntry) -> str:
    """Return an entry's description as one line in which nothing begins a comment or a note."""
    return _SPACES.sub(" ", clean(entry.description).translate(_CUT)).strip()


def account_names() -> list[str]:
    """Return all accounts of a book, in the order of the chart of accounts."""
    return [*map(str, Account), OPENING]


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
