"""The events that record what statements show, and the names by which they are known again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from liveportal.domain.clock import day_ends, short_text
from liveportal.domain.errors import InvalidEvent
from liveportal.domain.events.envelope import STATEMENT_PREFIX, Event
from liveportal.domain.events.field_types import ID
from liveportal.domain.events.types import (
    Evidence,
    PayoutEvent,
    PayoutPaid,
    PayoutReturned,
    PayoutSent,
)
from liveportal.domain.money import Money
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.reconciliation import recorded_events
from liveportal.ledger.secrets.identity import IdentityKey
from liveportal.statements.findings import Finding, Step
from liveportal.statements.rows import RowKind, StatementFile, StatementRow


class StatementEvents:
    """Makes the events of findings, with ids that no earlier event of the same row has."""

    def __init__(self, reader: Reader, identity: IdentityKey, now: datetime, timezone: str) -> None:
        self._reader = reader
        self._identity = identity
        self._now = now
        self._timezone = timezone
        self._recorded = Counter(
            name for was in recorded_events(reader) if (name := EventName.read(was.source, was.id))
        )

    def events(self, finding: Finding) -> Iterator[Event]:
        """Yield the events of a finding: one, or two where the books do not know the sending."""
        row, file = finding.row, finding.file
        if row is None or file is None:
            raise TypeError("only what a row shows is recorded")
        at = self._instant(row)
        if finding.payout is None:
            name = _payout_id(file.provider, row.row)
            amount = self._money(finding.amount)
            sent = PayoutSent(payout=name, amount=amount, method=file.provider, reference=row.row)
            yield self._event(file, row, Step.SENT, at, sent)
            yield self._event(file, row, Step.PAID, at, self._paid(finding, name, file, row))
            return
        at = max(at, finding.payout.sent_at)
        if finding.finding == RowKind.RETURNED:
            debited = None if finding.debited is None else self._money(finding.debited)
            returned = PayoutReturned(payout=finding.payout.id, debited=debited)
            yield self._event(file, row, Step.RETURNED, at, returned)
        else:
            paid = self._paid(finding, finding.payout.id, file, row)
            yield self._event(file, row, Step.PAID, at, paid)

    def _paid(
        self, finding: Finding, payout: str, file: StatementFile, row: StatementRow
    ) -> PayoutPaid:
        received = finding.received
        currency = finding.received_currency or finding.currency
        return PayoutPaid(
            payout=payout,
            fee=None if finding.fee is None else self._money(finding.fee),
            received=None if received is None else Money(received, currency),
            evidence=Evidence(
                file_sha256=file.sha256,
                line=row.line,
                row=row.row,
                time=short_text(row.time) if row.time else row.day.isoformat(),
            ),
        )

    def _event(
        self, file: StatementFile, row: StatementRow, step: Step, at: datetime, data: PayoutEvent
    ) -> Event:
        times = self._recorded[EventName(file.provider, row.row, step)]
        again = f".{times + 1}" if times else ""
        account = self._identity.fingerprint(f"{file.provider}:{file.account or ''}")
        source = f"{STATEMENT_PREFIX}{file.provider}:{account}"
        return Event(source, f"{row.row}:{step}{again}", at, data, assumed=frozenset({"time"}))

    def _money(self, minor: int) -> Money:
        return Money(minor, str(self._reader.currency))

    def _instant(self, row: StatementRow) -> datetime:
        """Return when a row happened; a day counts to its end, but never beyond now."""
        if row.time is not None:
            return row.time
        return min(day_ends(row.day, self._timezone), self._now)


def _payout_id(provider: str, row: str) -> str:
    """Return the id of a payout that only a statement shows: its row's, or a digest of that."""
    name = f"{provider}-{row}"
    try:
        ID.check("payout", name)
    except InvalidEvent:
        return f"{provider}-{sha256(row.encode()).hexdigest()[:16]}"
    return name


class EventName(NamedTuple):
    """What the name of an event from a statement says: the row, and what it was recorded as."""

    provider: str
    row: str
    step: Step

    @classmethod
    def read(cls, source: str, event_id: str) -> EventName | None:
        """Return the parts of a name; None if it is not such a name."""
        provider = source.removeprefix(STATEMENT_PREFIX).partition(":")[0]
        row, _, step = event_id.rpartition(":")
        word = step.partition(".")[0]
        return cls(provider, row, Step(word)) if row and word in tuple(Step) else None
