"""Instants are exact and UTC; months are a zone's own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.clock import (
    FIRST,
    LAST,
    check_month,
    from_text,
    last_day,
    local_date,
    microseconds,
    month_of,
    months_between,
    parse_instant,
    short_text,
    utc_text,
    zone,
)
from liveportal.domain.errors import InvalidMonth, InvalidTime, InvalidValue
from tests.kit.events import short

instants = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 (the zone is drawn too)
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.sampled_from(
        [UTC, timezone(timedelta(hours=13)), timezone(-timedelta(hours=9, minutes=30))]
    ),
)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-10-05T09:00:00Z", "2026-10-05T09:00:00+00:00"),
        ("2026-10-05t09:00:00z", "2026-10-05T09:00:00Z"),
        ("2026-10-05 09:00:00Z", "2026-10-05T09:00:00Z"),
        ("2026-10-05T22:00:00+13:00", "2026-10-05T09:00:00Z"),
        ("2026-10-04T23:30:00-09:30", "2026-10-05T09:00:00Z"),
        ("2026-10-05T09:00:00.5Z", "2026-10-05T09:00:00.500000Z"),
        ("2026-10-05T09:00:00-00:00", "2026-10-05T09:00:00Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"),
    ],
)
def test_an_instant_is_what_it_means(text: str, same: str) -> None:
    """The spelling of the offset does not count."""
    assert parse_instant(text) == parse_instant(same)


def test_the_offset_is_kept() -> None:
    """The zone that belongs to an instant is kept beside it."""
    assert parse_instant("2026-10-05T22:00:00+13:00").utcoffset() == timedelta(hours=13)


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026-10-05", "2026-10-05T09:00:00", "2026-10-05T09:00Z", "20261005T090000Z"),
        *("2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-10-05T25:00:00Z"),
        *("2026-10-05T09:00:60Z", "2026-10-05T09:61:00Z", "0000-01-01T00:00:00Z"),
        *("2026-10-05T09:00:00+24:00", "2026-10-05T09:00:00+0100", "2026-10-05T09:00:00,5Z"),
        *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "10000-01-01T00:00:00Z"),
        *(" 2026-10-05T09:00:00Z", "2026-10-05T09:00:00Z\n", "٢026-10-05T09:00:00Z"),
        *("2026-10-05T09:00:00Z\x00", "\ud800", "2026-10-05T09:00:00Europe/Paris"),
    ],
    ids=short,
)
def test_what_is_no_instant(text: str) -> None:
    """No offset, or a time that does not exist: refused."""
    with pytest.raises(InvalidTime):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2026-10-05T09:00:00.1234567Z", "2026-10-05T09:00:00.123456Z"),  # As .NET 7 writes.
        ("2026-10-05T09:00:00.123456789Z", "2026-10-05T09:00:00.123456Z"),  # As Java 9 writes.
        ("2026-10-05T11:00:00.9999999+02:00", "2026-10-05T09:00:00.999999Z"),
        ("2026-12-31t23:59:59.999999999999z", "2026-12-31T23:59:59.999999Z"),
        ("2026-10-05T09:00:00.0000000Z", "2026-10-05T09:00:00.000000Z"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_finer_digits_are_cut_off(text: str, stored: str) -> None:
    """Digits beyond the microsecond are truncated, so no instant moves to a later one."""
    assert utc_text(parse_instant(text)) == stored


@given(instants)
def test_stored_and_read_back(instant: datetime) -> None:
    """An instant is stored in UTC, with microseconds, and reads back as the same instant."""
    text = utc_text(instant)
    assert len(text) == len("2026-10-05T09:00:00.000000Z")
    assert from_text(text) == parse_instant(short_text(instant)) == instant
    assert from_text(text).utcoffset() == timedelta()


@given(instants, instants)
def test_stored_text_sorts_as_time_does(one: datetime, other: datetime) -> None:
    """Fixed width: comparing the texts compares the instants, in the year 5 as in 2026."""
    assert (utc_text(one) < utc_text(other)) is (one < other)


def test_short_text_leaves_out_what_is_zero() -> None:
    """Microseconds are printed only if they are not zero."""
    assert short_text(parse_instant("2026-10-05T11:00:00+02:00")) == "2026-10-05T09:00:00Z"
    assert short_text(parse_instant("2026-10-05T09:00:00.25Z")) == "2026-10-05T09:00:00.250000Z"


def test_lengths_are_exact() -> None:
    """A length of time is whole microseconds, also one of thousands of years."""
    assert microseconds(LAST - FIRST) == 315_537_897_599_999_999


@pytest.mark.parametrize(
    ("text", "name", "month"),
    [
        ("2026-10-31T23:59:59.999999Z", "UTC", "2026-10"),
        ("2026-11-01T00:00:00Z", "UTC", "2026-11"),
        ("2026-10-31T11:00:00Z", "Pacific/Auckland", "2026-11"),
        ("2026-10-31T10:59:59Z", "Pacific/Auckland", "2026-10"),
        ("2026-11-01T03:59:59Z", "America/New_York", "2026-10"),
        ("2026-11-01T04:00:00Z", "America/New_York", "2026-11"),
        ("9999-12-31T23:00:00Z", "Pacific/Auckland", "9999-12"),
        ("0001-01-01T00:00:00Z", "America/New_York", "0001-01"),
    ],
)
def test_the_month_of_an_instant(text: str, name: str, month: str) -> None:
    """A month in a zone runs from its first instant up to, but not including, the next one's."""
    assert month_of(parse_instant(text), name) == month


def test_the_day_of_an_instant() -> None:
    """A calendar day is the zone's too, also across a change of clocks."""
    instant = parse_instant("2026-03-29T00:59:00Z")
    assert local_date(instant, "Europe/Paris") == date(2026, 3, 29)
    assert local_date(instant, "America/New_York") == date(2026, 3, 28)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "/", "Europe", "Europe/", "/etc/passwd", "../../etc/passwd", "Mars/Base"),
        *("a\x00b", "\ud800", "x" * 5_000, "utc ", "Europe/Paris\n", "europe\\paris"),
    ],
    ids=short,
)
def test_what_is_no_zone(name: str) -> None:
    """A name that is not an IANA zone is refused; it never names a file."""
    with pytest.raises(InvalidValue):
        zone(name)


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-00", "2026-13", "2026-1", "0000-01", "2026-10-05", "٢026-10"]
)
def test_what_is_no_month(text: str) -> None:
    """A month is `YYYY-MM` of the calendar."""
    assert check_month("2026-10") == "2026-10"
    with pytest.raises(InvalidMonth):
        check_month(text)


@pytest.mark.parametrize(
    ("month", "day"),
    [
        ("2026-10", date(2026, 10, 31)),
        ("2026-12", date(2026, 12, 31)),
        ("2026-02", date(2026, 2, 28)),
        ("2028-02", date(2028, 2, 29)),
        ("2100-02", date(2100, 2, 28)),
        ("9999-12", date(9999, 12, 31)),
    ],
)
def test_the_last_day_of_a_month(month: str, day: date) -> None:
    """Months have their own lengths, and the last one of all ends the calendar."""
    assert last_day(month) == day


def test_months_between() -> None:
    """Every month from the first to the last, without gaps."""
    assert months_between("2026-11", "2027-02") == ["2026-11", "2026-12", "2027-01", "2027-02"]
    assert months_between("2026-11", "2026-11") == ["2026-11"]
    assert months_between("0001-01", "0001-02") == ["0001-01", "0001-02"]
