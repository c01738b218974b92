"""What the books and the statements say together: the values that matching takes and returns.

Amounts are minor units with the digits of ISO 4217, as in the rows of statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import date, datetime
from enum import StrEnum

from liveportal.domain.calculations.payout_window import DAYS, window_days
from liveportal.domain.currencies import listed_digits
from liveportal.domain.entities import PayoutState
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.money import format_minor
from liveportal.statements.rows import Meaning, RowKind, StatementFile, StatementRow

TAUGHT = (
    *(Meaning.PAYMENT, Meaning.OWN_TRANSFER, Meaning.CONVERSION, Meaning.HOLD, Meaning.RELEASE),
    *(Meaning.RETURN, Meaning.FEE, Meaning.MEMO),
)
"""What a user may say that a word of a provider means."""

MISSING = "missing"
"""The finding about a payout that was sent and is not in the files; no row is of this kind."""


class Step(StrEnum):
    """What a row of a statement was recorded as: the last part of its event's id."""

    SENT = "sent"
    PAID = "paid"
    RETURNED = "returned"


@frozen
class BookPayout:
    """A payout of the books; `aliases` are its other ids.

    `fee` is what was taken on the way, None as long as that is not known.
    """

    id: str
    amount: int
    currency: str
    method: str
    state: PayoutState
    sent_at: datetime
    reference: str | None = None
    fee: int | None = None
    aliases: tuple[str, ...] = ()


@frozen
class RecordedRow:
    """A row of a statement that was recorded earlier; `is_live` is False once it was reversed."""

    provider: str
    row: str
    step: Step
    payout: str
    is_live: bool = True


@frozen
class MatchRules:
    """What the user knows: payers, the days of windows, and pairs.

    `payers` are in the form of `plain`. A pair names a payout and a row,
    by its id or as `FILE:LINE`.
    """

    payers: frozenset[str] = frozenset()
    windows: Mapping[str, int] = field(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()
    short_is_fee: bool = False
    unproved: bool = False

    def window(self, provider: str) -> int:
        """Return how many days after its sending a payout may arrive at a provider."""
        own = self.windows.get(provider)
        if own is None and provider not in DAYS:  # Like a bank.
            own = self.windows.get("bank")
        return window_days(provider) if own is None else own

    def named_payer(self, row: StatementRow) -> str | None:
        """Return the first name of the row's payer that the user named, or None."""
        if not self.payers:
            return None
        return next((name for name in row.names if plain(name) in self.payers), None)


@frozen
class Finding:
    """One answer about a payout, about a row, or about both.

    `finding` is a kind of rows, or `missing`. `amount` is what was sent or, where the books have no
    payout, what the row says. `fee` was taken on the way, `received` is what arrived, and `debited`
    what left the account again, each as far as it is known. `candidates` are ids of rows
    where there is a payout, else of payouts. `is_new` is True if there is something to record.
    """

    finding: str
    amount: int
    currency: str
    payout: BookPayout | None = None
    file: StatementFile | None = None
    row: StatementRow | None = None
    fee: int | None = None
    received: int | None = None
    received_currency: str | None = None
    debited: int | None = None
    payer: str | None = None
    candidates: tuple[str, ...] = ()
    note: Hint | str | None = None
    days: int | None = None
    is_new: bool = False

    @property
    def day(self) -> date:
        """The day of the row or, without one, of the sending."""
        if self.row is not None:
            return self.row.day
        if self.payout is None:
            raise TypeError("a finding is about a row or a payout")
        return self.payout.sent_at.date()


@frozen
class Reconciliation:
    """Every finding in the order of time, and the kind of every row, file by file as given.

    `pending` are the payouts that the files do not cover yet; `recorded` those with an arrival that
    is in the files, and was recorded earlier.
    """

    findings: tuple[Finding, ...]
    kinds: tuple[tuple[RowKind, ...], ...]
    pending: tuple[Finding, ...] = ()
    recorded: tuple[str, ...] = ()


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by day, whatever the order of the files was."""
    return tuple(sorted(findings, key=_order))


def _order(finding: Finding) -> tuple[object, ...]:
    row, payout = finding.row, finding.payout
    instant = row.time.isoformat() if row and row.time else ""
    return (finding.day, instant, row.row if row else "", payout.id if payout else "")


def plain(text: str) -> str:
    """Return a name or a word for comparison: in any case, and without spaces at the ends."""
    return " ".join(text.split()).casefold()


def payer_of(row: StatementRow, named: str | None = None) -> str | None:
    """Return how a row's payer is shown: the name the user gave, else an address, else a name."""
    addresses = (name for name in row.names if "@" in name)
    return named or next(addresses, None) or next(iter(row.names), None)


def shown(minor: int, currency: str) -> str:
    """Return an amount with its currency, for a note; a code that is not listed has two digits."""
    return f"{format_minor(minor, listed_digits().get(currency, 2))} {currency}"
