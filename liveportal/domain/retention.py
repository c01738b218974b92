"""Backup retention: keep the newest backup of each recent day, week, month and year.

A period counts only if it has a backup, so that none is removed because the machine was off for a
while. Periods are in UTC, like the times in the backups' names; weeks begin on Monday.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Self

from liveportal.domain.errors import InvalidValue
from liveportal.domain.frozen import frozen

BOOK_DIGITS = 12
SUFFIXES = (".zip", ".zip.age", ".age.zip")

_PART = re.compile(r"([0-9]{1,4})([dwmy])", re.ASCII)
_STAMP = "%Y%m%dT%H%M%SZ"
_UNIT_OF = {"d": "days", "w": "weeks", "m": "months", "y": "years"}
_UNITS: dict[str, Callable[[datetime], object]] = {
    "days": lambda time: time.date(),
    "weeks": lambda time: time.isocalendar()[:2],
    "months": lambda time: (time.year, time.month),
    "years": lambda time: time.year,
}


@frozen
class Keep:
    """How many days, weeks, months and years keep one backup each."""

    days: int = 0
    weeks: int = 0
    months: int = 0
    years: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `7d,4w,12m`; raises `InvalidValue`."""
        counts: dict[str, int] = {}
        for part in text.split(","):
            match = _PART.fullmatch(part.strip())
            unit = _UNIT_OF[match[2]] if match else ""
            if not match or unit in counts:
                raise InvalidValue(
                    f"{text!r} does not state how many backups to keep.",
                    hint="Give numbers of days, weeks, months and years, such as 7d,4w,12m.",
                )
            counts[unit] = int(match[1])
        return cls(**counts)


def kept(times: Iterable[datetime], keep: Keep) -> frozenset[datetime]:
    """Return the times of the backups to keep, always including the newest."""
    newest_first = sorted({time.astimezone(UTC) for time in times}, reverse=True)
    chosen = set(newest_first[:1])
    for unit, period_of in _UNITS.items():
        newest: dict[object, datetime] = {}
        for time in newest_first:
            newest.setdefault(period_of(time), time)
        chosen.update(list(newest.values())[: getattr(keep, unit)])
    return frozenset(chosen)


def name_of(ledger: str, book: str, made_at: datetime, suffix: str) -> str:
    """Return the file name of a backup; `book` is the hash of the book's first event (hex)."""
    return f"{_series(ledger, book)}-{made_at.astimezone(UTC).strftime(_STAMP)}{suffix}"


def made_at(name: str, ledger: str, book: str) -> datetime | None:
    """Return the time of a backup by its file name; None if it is not a backup of this book."""
    series = re.escape(_series(ledger, book))
    suffixes = "|".join(map(re.escape, SUFFIXES))
    match = re.fullmatch(f"{series}-([0-9]{{8}}T[0-9]{{6}}Z)({suffixes})", name, re.ASCII)
    if match is None:
        return None
    try:
        return datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
    except ValueError:  # A date such as 31 February.
        return None


def _series(ledger: str, book: str) -> str:
    """Return the prefix of all backup names of a book: its ledger's name and its hash."""
    stem = ledger.removesuffix(".db")
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", stem)[:60].lstrip(".-") or "ledger"
    return f"{plain}-{book[:BOOK_DIGITS]}"
