"""The rows of a statement, the same for every provider and format.

Amounts are signed minor units from the account's point of view: money that arrives is positive, and
a fee that was taken is negative, so that `gross + fee = net`. Instants are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from enum import StrEnum

from liveportal.domain.frozen import frozen


class Meaning(StrEnum):
    """What a row's own words say that it is, before any payout is looked at."""

    PAYMENT = "payment"  # By its sign, money that arrived or that was sent.
    OWN_TRANSFER = "own_transfer"  # Between the expert's own accounts.
    CONVERSION = "conversion"  # One leg of an exchange of currencies.
    HOLD = "hold"
    RELEASE = "release"
    RETURN = "return"  # An earlier payment that was taken back.
    FEE = "fee"  # A fee that is a row of its own; `parent` is what it was taken from.
    MEMO = "memo"  # No money moved.
    OTHER = "other"  # A known type that is none of these, such as a purchase.
    UNLISTED = "unlisted"  # A type that the format does not list.


class RowKind(StrEnum):
    """What a row is to the books. Every row of a file is of exactly one kind."""

    ARRIVED = "arrived"
    SHORT = "short"
    DIFFERS = "differs"
    RETURNED = "returned"
    PARTLY_RETURNED = "partly_returned"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    FEE = "fee"
    CONVERSION = "conversion"
    HOLD = "hold"
    RELEASE = "release"
    OWN_TRANSFER = "own_transfer"
    OTHER_INCOME = "other_income"
    UNRELATED = "unrelated"
    UNRECOGNISED = "unrecognised"
    PENDING = "pending"
    MEMO = "memo"
    DUPLICATE = "duplicate"


@frozen
class StatementRow:
    """One row of a statement, read but not yet matched.

    `line` is the physical line, from 1, on which the row begins. `row` is the provider's id or,
    where a format has no ids, a digest with an ordinal among equal rows. `time` is missing where
    the file has only a `day`, which is in the file's own zone. `gross`, `fee`, `net` and `balance`
    are missing where the file does not state them; `amount` never is. `names` are the payer's (for
    money that was sent, the recipient's): name, e-mail address, account holder. `references` are
    the texts in which a payout's reference may be.
    """

    line: int
    row: str
    parent: str | None
    time: datetime | None
    day: date
    amount: int  # What the payer sent, where the file shows it, else what arrived.
    gross: int | None
    fee: int | None
    net: int | None
    balance: int | None
    currency: str
    type: str  # In the provider's own words.
    meaning: Meaning
    names: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    pot: str = ""  # Which of several balances in one currency it changes.
    duplicate: bool = False  # Another file of the same call has this row, too, and is to be used.


@frozen
class Proof:
    """How many of the rows (or steps) that a proof is about it proved."""

    proof: str  # `sums`, `balance`, `groups` or `joins`.
    rows: int
    proved: int


@frozen
class StatementFile:
    """A statement that was read whole. `name` is as the user gave it, for messages."""

    name: str
    sha256: str
    format: str  # Such as `paypal-activity`.
    provider: str  # Such as `paypal`; the windows of payouts are set by provider.
    account: str | None
    rows: tuple[StatementRow, ...]  # In the order of time.
    proofs: tuple[Proof, ...]
    unproved: tuple[str, ...] = ()  # Sentences about what the file does not prove.
    unlisted: tuple[str, ...] = ()  # The types that the format does not list, each once.
    ignored_columns: int = 0
    digits: Mapping[str, int] = field(default_factory=dict)
    """The digits of the amounts in each currency, also of those that are not ISO 4217's."""
