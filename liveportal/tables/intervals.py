"""Starts and ends in local time, and which instants they are in the hour that comes twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

Interval = tuple[datetime, datetime]
"""A start and an end, in UTC."""


def readings(
    starts: Sequence[datetime], ends: Sequence[datetime], length: timedelta | None
) -> list[Interval]:
    """Return what an interval can be, in order of time; none if every end is before the start.

    Where a file states the `length`, the readings that are nearest to it are left.
    """
    possible = [(start, end) for start in starts for end in ends if end >= start]
    if length is None or not possible:
        return possible
    nearest = min(abs(end - start - length) for start, end in possible)
    return [(start, end) for start, end in possible if abs(end - start - length) == nearest]


def settle(rows: Sequence[Sequence[Interval]]) -> list[Interval | None]:
    """Return the interval of each row; None where not even the order of the rows decides it.

    The rows of a file in the order of time, or newest first, decide a repeated hour: 02:10 after
    02:30 is the second 02:10.
    """
    sure = [row[0][0] for row in rows if len(row) == 1]
    found: list[list[Interval | None]] = []
    if len(sure) < len(rows):
        if all(above <= below for above, below in pairwise(sure)):
            found += _in_order(rows)
        if all(above >= below for above, below in pairwise(sure)):
            found += (settled[::-1] for settled in _in_order(rows[::-1]))
    return [
        row[0] if len(row) == 1 else _agreed([settled[at] for settled in found])
        for at, row in enumerate(rows)
    ]


def _agreed(intervals: Sequence[Interval | None]) -> Interval | None:
    return intervals[0] if intervals and len(set(intervals)) == 1 else None


def _in_order(rows: Sequence[Sequence[Interval]]) -> Iterator[list[Interval | None]]:
    """Yield the intervals if no row starts before the one above, or nothing if that cannot be."""
    earliest: list[Interval] = []
    for row in rows:
        after = [each for each in row if not earliest or each[0] >= earliest[-1][0]]
        if not after:
            return
        earliest.append(min(after))
    latest: list[Interval] = []
    for row in reversed(rows):
        latest.append(max(each for each in row if not latest or each[0] <= latest[-1][0]))
    yield [
        early if early == late else None
        for early, late in zip(earliest, reversed(latest), strict=True)
    ]
