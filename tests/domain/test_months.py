"""The months of a book: from the first to the last with a figure, long empty runs left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.calculations.months import (
    LONGEST_GAP,
    Month,
    gaps_in,
    minutes_text,
    monthly_series,
)
from liveportal.domain.calculations.months import fill_gaps as names_in_a_row
from liveportal.domain.clock import months_between

NAMES = st.integers(2026 * 12, 2126 * 12).map(lambda n: f"{n // 12:04d}-{n % 12 + 1:02d}")


def flow(name: str, minor: int = 1) -> Month:
    """Return a month in which something became owed."""
    return Month(month=name, owed_minor=minor)


def test_months_between_are_shown() -> None:
    """A month without events is shown, with the unchanged balance."""
    months = monthly_series({name: flow(name) for name in ("2026-10", "2027-01")})
    assert [each.month for each in months] == ["2026-10", "2026-11", "2026-12", "2027-01"]
    assert [month.owed_minor for month in months] == [1, 1, 1, 2]


def test_a_month_whose_figures_cancel_out_is_none() -> None:
    """Transactions that cancel each other neither start nor end the range of months."""
    months = {"2026-09": Month(month="2026-09"), "2026-10": flow("2026-10")}
    months["2026-12"] = Month(month="2026-12")
    assert [each.month for each in monthly_series(months)] == ["2026-10"]
    assert monthly_series({"2026-09": Month(month="2026-09")}) == []


def test_a_gap_of_120_months_is_shown_and_a_longer_one_is_not() -> None:
    """Rulebook 9, at its edge."""
    assert LONGEST_GAP == 120
    assert len(names_in_a_row({"2026-10", "2036-11"})) == 122
    assert names_in_a_row({"2026-10", "2036-12"}) == ["2026-10", "2036-12"]
    assert gaps_in(["2026-10", "2036-12"]) == [("2026-11", "2036-11")]
    assert names_in_a_row({"2026-10", "9999-12"}) == ["2026-10", "9999-12"]
    assert names_in_a_row(()) == []


@given(st.sets(NAMES, max_size=6))
def test_gaps_are_what_is_left_out(names: set[str]) -> None:
    """The shown months and the gaps are all months from the first to the last, each once."""
    shown = names_in_a_row(names)
    assert shown == sorted(set(shown))
    assert names <= set(shown)
    if names:
        left = [month for gap in gaps_in(shown) for month in months_between(*gap)]
        assert sorted([*shown, *left]) == months_between(min(names), max(names))
    assert all(len(months_between(*gap)) > LONGEST_GAP for gap in gaps_in(shown))


def test_negative_minutes() -> None:
    """A correction may take minutes from its month: rounded half-up by their size."""
    assert minutes_text(-1_800_000_000) == "-30.00"
    assert minutes_text(-300_000) == "-0.01"
