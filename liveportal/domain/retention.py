"""Which backups are kept: the newest of each of the last days, weeks, months and years.

A period counts only if it has a backup, so that nothing goes because the machine was off for a
while. Periods are those of UTC, in which the names tell the time; weeks begin on Monday.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from liveportal.domain.errors import InvalidValue

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


@dataclass(frozen=True, slots=True)
class Keep:
    """How many days, weeks, months and years keep one backup each."""

    days: int = 0
    weeks: int = 0
    months: int = 0
    years: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `7d,4w,12m`; raises `InvalidValue`."""
        counts: dict[str, int] = {}
        for part in text.split(","):
            found = _PART.fullmatch(part.strip())
            unit = _UNIT_OF[found[2]] if found else ""
            if not found or unit in counts:
                raise InvalidValue(
                    f"{text!r} does not say how many to keep",
                    hint="Give numbers of days, weeks, months and years, such as 7d,4w,12m.",
                )
            counts[unit] = int(found[1])
        return cls(**counts)


def kept(times: Iterable[datetime], keep: Keep) -> frozenset[datetime]:
    """Return the backups that are kept, of those made at these times; always the newest."""
    newest_first = sorted({time.astimezone(UTC) for time in times}, reverse=True)
    chosen = set(newest_first[:1])
    for unit, period_of in _UNITS.items():
        newest: dict[object, datetime] = {}
        for time in newest_first:
            newest.setdefault(period_of(time), time)
        chosen.update(list(newest.values())[: getattr(keep, unit)])
    return frozenset(chosen)


def name_of(ledger: str, book: str, made_at: datetime, suffix: str) -> str:
    """Return what a backup of a ledger is called; `book` is the hash of its first event (hex)."""
    return f"{_series(ledger, book)}-{made_at.astimezone(UTC).strftime(_STAMP)}{suffix}"


def made_at(name: str, ledger: str, book: str) -> datetime | None:
    """Return when the backup of that name was made; None for what is none of this very book."""
    series = re.escape(_series(ledger, book))
    suffixes = "|".join(map(re.escape, SUFFIXES))
    found = re.fullmatch(f"{series}-([0-9]{{8}}T[0-9]{{6}}Z)({suffixes})", name, re.ASCII)
    if found is None:
        return None
    try:
        return datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC)
    except ValueError:  # The 31st of February.
        return None


def _series(ledger: str, book: str) -> str:
    """Return how the names of all backups of a book begin: its ledger's name, and its own."""
    stem = ledger.removesuffix(".db")
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", stem)[:60].lstrip(".-") or "ledger"
    return f"{plain}-{book[:BOOK_DIGITS]}"
