"""Rows, files and payouts for tests of matching, in short; amounts are in cents of dollars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from liveportal.domain.entities import PayoutState
from liveportal.domain.frozen import replace
from liveportal.statements.findings import (
    BookPayout,
    MatchRules,
    Reconciliation,
    RecordedRow,
    plain,
)
from liveportal.statements.matching import reconcile
from liveportal.statements.rows import Meaning, StatementFile, StatementRow

PAYER = "payouts@help.example"
NAMED = MatchRules(payers=frozenset((PAYER,)))
NOVEMBER = datetime(2026, 11, 1, 12, tzinfo=UTC)
_ids = count(1)


def day(number: float) -> datetime:
    """Return noon of a day of November; days after its end are of December."""
    return NOVEMBER + timedelta(days=number - 1)


def payout(name: str, amount: int, sent: float, **more: Any) -> BookPayout:  # noqa: ANN401
    """Return a payout that was sent at noon of a day of November."""
    values = {"currency": "USD", "method": "paypal", "state": PayoutState.SENT, **more}
    return BookPayout(id=name, amount=amount, sent_at=day(sent), **values)


def row(amount: int, at: float, *, fee: int | None = 0, **more: Any) -> StatementRow:  # noqa: ANN401
    """Return a row of a day of November; its line is set by `file`."""
    time = day(at)
    net = amount + (fee or 0)
    values: dict[str, Any] = {
        "line": 0,
        "row": f"ROW{next(_ids):05}",
        "parent": None,
        "time": time,
        "day": time.date(),
        "amount": amount,
        "gross": amount,
        "fee": fee,
        "net": net,
        "balance": None,
        "currency": "USD",
        "type": "Mass Pay Payment",
        "meaning": Meaning.PAYMENT,
        "names": (PAYER,) if amount > 0 else (),
    }
    return StatementRow(**{**values, **more})


def file(*rows: StatementRow, name: str = "paypal.csv", **more: Any) -> StatementFile:  # noqa: ANN401
    """Return a file of these rows, one a line below its header."""
    in_order = sorted(rows, key=lambda each: each.day)
    placed = tuple(replace(each, line=line) for line, each in enumerate(in_order, 2))
    values = {"sha256": f"{len(name):064}", "format": "paypal-activity", "provider": "paypal"}
    return StatementFile(
        name=name, **{**values, "account": None, "rows": placed, "proofs": (), **more}
    )


def month(*rows: StatementRow, **more: Any) -> StatementFile:  # noqa: ANN401
    """Return a file of these rows that covers all of November, with a purchase at each end."""
    ends = [row(-500, at, meaning=Meaning.OTHER, type="Purchase") for at in (1, 30)]
    return file(*ends, *rows, **more)


def compare(
    files: StatementFile | Sequence[StatementFile],
    *payouts: BookPayout,
    rules: MatchRules = NAMED,
    recorded: Sequence[RecordedRow] = (),
) -> Reconciliation:
    """Compare files with payouts; every row must have a kind."""
    given = [files] if isinstance(files, StatementFile) else files
    result = reconcile(given, payouts, recorded, rules, "USD")
    assert [len(kinds) for kinds in result.kinds] == [len(each.rows) for each in given]
    return result


def found(result: Reconciliation) -> list[tuple[str, str | None, str | None]]:
    """Return findings in short: what, of which payout, and by which row."""
    return [
        (
            str(each.finding),
            each.payout.id if each.payout else None,
            each.row.row if each.row else None,
        )
        for each in result.findings
    ]


def payers(*names: str) -> MatchRules:
    """Return rules with these payers."""
    return MatchRules(payers=frozenset(map(plain, names)))
