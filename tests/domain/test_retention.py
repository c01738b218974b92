"""Which backups are kept, and how they are named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from liveportal.domain.errors import InvalidValue
from liveportal.domain.retention import SUFFIXES, Keep, kept, made_at, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

BOOK = "0123456789abcdef" * 4
START = datetime(2026, 1, 1, tzinfo=UTC)

counts = st.integers(0, 12)
keeps = st.builds(Keep, counts, counts, counts, st.integers(0, 3))
# Hours of three years, so that several fall on a day; and a zone, since a time is an instant.
times = st.integers(0, 3 * 366 * 24).map(lambda hours: START + timedelta(hours=hours))
histories = st.lists(times, max_size=60)


@given(histories, keeps)
def test_the_newest_is_always_kept(made: list[datetime], keep: Keep) -> None:
    """The newest is kept under any plan, and only existing backups are kept."""
    chosen = kept(made, keep)
    assert chosen <= set(made)
    if made:
        assert max(made) in chosen
    else:
        assert not chosen


@given(histories, keeps)
def test_what_is_kept_is_kept_again(made: list[datetime], keep: Keep) -> None:
    """Rotating twice removes nothing more."""
    chosen = kept(made, keep)
    assert kept(chosen, keep) == chosen


@given(histories, keeps, keeps)
def test_keeping_more_keeps_all_that_keeping_less_does(
    made: list[datetime], keep: Keep, more: Keep
) -> None:
    """A larger number never removes a backup that a smaller one keeps."""
    larger = Keep(
        keep.days + more.days,
        keep.weeks + more.weeks,
        keep.months + more.months,
        keep.years + more.years,
    )
    assert kept(made, keep) <= kept(made, larger)


@given(histories, keeps)
def test_every_period_is_represented_by_its_newest(made: list[datetime], keep: Keep) -> None:
    """For each recent day, week, month and year with a backup, the newest is kept."""
    chosen = kept(made, keep)
    spans: dict[str, Callable[[datetime], object]] = {
        "days": lambda time: time.date(),
        "weeks": lambda time: time.date() - timedelta(days=time.weekday()),
        "months": lambda time: time.date().replace(day=1),
        "years": lambda time: time.year,
    }
    wanted = {max(made)} if made else set()
    for unit, span in spans.items():
        newest = [max(other for other in made if span(other) == span(time)) for time in made]
        wanted.update(sorted(set(newest), reverse=True)[: getattr(keep, unit)])
    assert chosen == wanted


@given(histories, keeps, times)
def test_a_new_one_never_brings_an_old_one_back(
    made: list[datetime], keep: Keep, new: datetime
) -> None:
    """A removed backup is not needed later: adding a newer one requires no others."""
    later = max([*made, new]) + timedelta(hours=1)
    assert kept([*made, later], keep) - {later} <= kept(made, keep)


def test_a_year_of_nightly_backups() -> None:
    """With 7d,4w,12m: seven days, then the Sundays, then the last days of the months."""
    nights = [datetime(2026, 1, 1, 3, tzinfo=UTC) + timedelta(days=n) for n in range(332)]
    chosen = sorted(kept(nights, Keep.parse("7d,4w,12m")), reverse=True)
    assert [f"{backup:%m-%d}" for backup in chosen] == [
        *("11-28", "11-27", "11-26", "11-25", "11-24", "11-23", "11-22"),
        *("11-15", "11-08"),
        *("10-31", "09-30", "08-31", "07-31", "06-30", "05-31", "04-30", "03-31", "02-28", "01-31"),
    ]


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("7d,4w,12m", Keep(7, 4, 12)),
        ("3y", Keep(years=3)),
        (" 1m , 2d", Keep(days=2, months=1)),
        ("0d", Keep()),
    ],
)
def test_how_many_to_keep_is_read(text: str, keep: Keep) -> None:
    """Numbers with d, w, m or y, in any order."""
    assert Keep.parse(text) == keep


@pytest.mark.parametrize(
    "text", ["", "7", "d", "7d,7d", "-1d", "7d,,4w", "7h", "99999d", "\u0667d"]
)
def test_anything_else_is_refused(text: str) -> None:
    """A number without a unit, a unit twice, or an unknown unit."""
    with pytest.raises(InvalidValue):
        Keep.parse(text)


@example("-", START, SUFFIXES[0])  # No backup is taken for an option.
@given(st.text(min_size=1, max_size=80), times, st.sampled_from(SUFFIXES))
def test_a_name_tells_when_it_was_made(ledger: str, time: datetime, suffix: str) -> None:
    """The name of a backup is a plain file name with its time to the second."""
    name = name_of(ledger, BOOK, time, suffix)
    assert made_at(name, ledger, BOOK) == time
    assert name.isascii()
    assert not set(name) & set("/\\: \0")
    assert not name.startswith((".", "-"))


@pytest.mark.parametrize(
    "name",
    [
        "ledger-0123456789ab-20261128T120000Z.zip.part",
        ".ledger-0123456789ab-20261128T120000Z.zip.1a2b3c4d.part",
        "ledger-0123456789ab-20261128T120000Z.txt",
        "ledger-0123456789ab-20260231T120000Z.zip",
        "ledger-0123456789ac-20261128T120000Z.zip",
        "ledgers-0123456789ab-20261128T120000Z.zip",
        "my-ledger-0123456789ab-20261128T120000Z.zip",
        "ledger-0123456789ab-20261128T120000Z.zip\n",
        "ledger-0123456789ab-\u0662\u0660\u0662\u06661128T120000Z.zip",
        "ledger.db",
    ],
)
def test_no_other_name_is_that_of_a_backup(name: str) -> None:
    """A file with another name, or of another book, is never removed."""
    assert made_at(name, "ledger.db", BOOK) is None
    assert made_at("ledger-0123456789ab-20261128T120000Z.zip", "ledger.db", BOOK)
