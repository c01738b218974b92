"""Decimal marks and dates by the whole file, zones by row, and the hour that comes twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.cli.io.hints import spell
from liveportal.domain.errors import AmbiguousDates, BadValue
from liveportal.statements.options import Options
from liveportal.tables.dates import in_words, possible_orders, read_date
from liveportal.tables.numbers import minor_units, possible_marks
from liveportal.tables.zones import instants, read_zone
from tests.kit.paypal_files import (
    CUSTOM,
    DEFAULT,
    OLD,
    STATEMENT,
    PayPalAccount,
    Shape,
    amount_text,
    found,
    read,
    write,
)
from tests.kit.paypal_locales import DE, EN, ES

BERLIN = replace(DEFAULT, zone="Europe/Berlin", zone_style="iana")


# --- amounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "digits", "marks"),
    [
        ("84", 2, ".,"),
        ("84.00", 2, "."),
        ("84,00", 2, ","),
        ("275.1", 2, "."),
        ("1653.75", 2, "."),
        ("1,525.00", 2, "."),
        ("1.525,00", 2, ","),
        ("1,234", 2, "."),
        ("1.234", 2, ","),
        ("1,234", 0, "."),
        ("1,234", 3, ".,"),
        ("1,234", None, ".,"),
        ("0.123", 3, "."),
        ("-33.7200", 2, "."),
        ("+75.6000", 2, "."),
        ("1,234,567", 2, "."),
        ("1234.567", 2, ""),
        ("1234.567", 3, "."),
        ("1.23,4", 2, ""),
        ("", 2, ""),
        ("999,999,999,999,999.99", 2, "."),
        ("1,000,000,000,000,000.00", 2, ""),
        ("1000000000000000", 2, ""),
        ("1 234,50", 2, ","),
        ("1 23", 2, ""),
    ],
)
def test_the_marks_under_which_a_text_is_an_amount(
    text: str, digits: int | None, marks: str
) -> None:
    """A currency's digits settle what three digits after a mark are."""
    assert possible_marks(text, digits) == marks


@given(
    st.integers(1 - 10**15, 10**15 - 1),
    st.sampled_from(("USD", "JPY", "KWD")),
    st.sampled_from(".,"),
)
def test_an_amount_that_was_written_is_read_back(minor: int, currency: str, mark: str) -> None:
    """In every currency, with grouped thousands, under its own mark."""
    digits = {"USD": 2, "JPY": 0, "KWD": 3}[currency]
    text = amount_text(minor, currency, mark)
    assert mark in possible_marks(text, digits)
    assert minor_units(text, mark, digits) == minor


def test_the_digits_of_a_currency_are_iso_4217s() -> None:
    """JPY has none, HUF two, KWD three."""
    account = PayPalAccount()
    account.payout("1234", "2026-10-15T09:00:00Z", currency="JPY")
    account.payout("1234.50", "2026-10-16T09:00:00Z", currency="HUF")
    account.payout("1.234", "2026-10-17T09:00:00Z", currency="KWD")
    (file,) = read(account.file())
    assert [row.amount for row in file.rows] == [1234, 1234_50, 1234]
    assert file.digits == {"JPY": 0, "HUF": 2, "KWD": 3}


def test_an_amount_that_stays_open_is_refused() -> None:
    """A file with only `1,234` dinars could mean 1.234 or 1234 dinars."""
    account = PayPalAccount()
    account.payout("1.234", "2026-10-15T09:00:00Z", currency="KWD")
    lines = account.lines()
    for column in ("Gross", "Net", "Balance"):
        lines[1][lines[0].index(column)] = "1,234"
    lines[1][lines[0].index("Fee")] = "0"
    with pytest.raises(BadValue, match="decimal point or a decimal comma"):
        read(write(lines))


def test_whole_amounts_need_no_decimal_mark() -> None:
    """They are the same under both."""
    account = PayPalAccount()
    account.payout("84.00", "2026-10-15T09:00:00Z")
    lines = [[cell.removesuffix(".00") for cell in row] for row in account.lines()]
    (file,) = read(write(lines))
    assert file.rows[0].amount == 84_00


def test_unknown_currencies_are_read_and_proved() -> None:
    """With as many digits as the file has for them; a changed amount is noticed."""
    account = PayPalAccount()
    account.payout("1.00", "2026-10-15T09:00:00Z")
    lines = account.lines()
    at = {name: n for n, name in enumerate(lines[0])}
    row = lines[1].copy()
    row[at["Currency"]], row[at["Transaction ID"]] = "PYUSD", "8XK9"
    for column, text in (
        ("Gross", "1.23456"),
        ("Fee", "-0.1"),
        ("Net", "1.13456"),
        ("Balance", "2"),
    ):
        row[at[column]] = text
    (file,) = read(write([*lines, row]))
    assert file.digits == {"USD": 2, "PYUSD": 5}
    assert file.rows[1].net == 113456
    assert file.proofs[0].proved == 2


# --- dates ----------------------------------------------------------------------------------------


def test_the_orders_in_which_a_text_is_a_date() -> None:
    """Impossible days and months rule an order out; two-digit years are not read."""
    assert possible_orders("03/04/2026") == ["dmy", "mdy"]
    assert possible_orders("13/04/2026") == ["dmy"]
    assert possible_orders("9/4/2018") == ["dmy", "mdy"]
    assert possible_orders("07.06.2025") == ["dmy", "mdy"]
    assert possible_orders("2025-06-07") == ["ymd"]
    assert possible_orders("29/02/2025") == []
    assert possible_orders("1/2/26") == []
    assert possible_orders("1/2-2026") == []
    assert possible_orders("01/02/0226") == []
    day = read_date("3/4/2026", "dmy")
    assert day
    assert in_words(day) == "3 April 2026"


def test_open_dates_are_asked_with_both_readings() -> None:
    """The message has a real cell in both readings, and the hint has the option."""
    account = PayPalAccount()
    account.payout("1.00", "2026-03-04T12:00:00Z")
    account.payout("1.00", "2026-04-04T12:00:00Z")
    account.payout("1.00", "2026-05-06T12:00:00Z")
    with pytest.raises(AmbiguousDates) as caught:
        read(account.file())
    error = caught.value
    assert error.message == (
        "1.csv, line 2: the dates of this file can be read in two ways: 03/04/2026 is 3 April 2026"
        " (day first) or 4 March 2026 (month first)."
    )
    assert spell(error.hint) == "Choose --dates dmy or --dates mdy."
    assert error.details["readings"] == {"dmy": "2026-04-03", "mdy": "2026-03-04"}
    for order, month in (("mdy", 3), ("dmy", 4)):
        (file,) = read(account.file(), options=Options(dates=order))
        assert file.rows[0].day.month == month


def test_the_order_in_which_rows_go_one_way_wins() -> None:
    """Within each currency: the statement lists a whole year of euros before the dollars."""
    account = PayPalAccount()
    for currency in ("EUR", "USD"):
        for month, day in ((1, 9), (3, 2), (5, 1), (10, 4)):
            account.payout("1.00", f"2026-{month:02d}-{day:02d}T12:00:00Z", currency=currency)
    for shape in (STATEMENT, DEFAULT, OLD):
        for locale in (EN, ES):
            (file,) = read(account.file(shape, locale))
            assert found(file) == account.expected(shape)


def test_dates_that_read_the_same_are_not_asked() -> None:
    """The third of March is 03/03 everywhere."""
    account = PayPalAccount()
    account.payout("1.00", "2026-03-03T20:00:00Z")
    assert read(account.file())[0].rows[0].day.isoformat() == "2026-03-03"


def test_the_option_does_not_overrule_what_a_file_shows() -> None:
    """One option serves several files; a file that leaves nothing open does not need it."""
    account = PayPalAccount()
    account.payout("1.00", "2026-10-28T12:00:00Z")
    assert read(account.file(), options=Options(dates="dmy"))[0].rows[0].day.day == 28


def test_a_day_against_the_direction_is_another_zone() -> None:
    """One file had 18 rows of Los Angeles and one of Berlin."""
    account = PayPalAccount()
    for hour in range(6):
        account.payout("1.00", f"2026-10-0{hour + 1}T23:30:00Z")
    lines, berlin = account.lines(), account.lines(replace(DEFAULT, zone="Europe/Berlin"))
    lines[3] = berlin[3]
    assert lines[3][2] == "CEST"
    (file,) = read(write(lines), options=Options(dates="mdy"))
    assert found(file) == account.expected()


# --- zones ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        *(("CET", 1), ("CEST", 2), ("PST", -8), ("PDT", -7), ("GMT+02:00", 2), ("GMT-8", -8)),
        *(("UTC", 0), ("+0530", 5.5), ("Europe/Berlin", 2), ("America/Los_Angeles", -7)),
    ],
)
def test_zones_that_are_read(text: str, hours: float) -> None:
    """Abbreviations of a closed table, offsets and IANA names; in July."""
    tz = read_zone(text)
    assert tz
    (instant,) = instants(datetime(2026, 7, 1, 12), tz)  # noqa: DTZ001
    assert instant == datetime(2026, 7, 1, 12, tzinfo=UTC) - timedelta(hours=hours)


@pytest.mark.parametrize("text", ["CST", "IST", "EST5EDT", "Turkey", "", "GMT+15", "GMT+1:99"])
def test_zones_with_two_meanings_or_none_are_refused(text: str) -> None:
    """A guess would shift a row by half a day."""
    assert read_zone(text) is None


def test_the_users_zone_says_what_an_abbreviation_is() -> None:
    """CST is Chicago's in winter and China's: only where the user's zone uses it, it is read."""
    account = PayPalAccount()
    for day in (12, 13, 14):
        account.payout("1.00", f"2026-01-{day}T12:00:00Z")
    shape = replace(DEFAULT, zone="America/Chicago")
    assert account.lines(shape)[1][2] == "CST"
    (file,) = read(account.file(shape), options=Options(timezone="America/Chicago"))
    assert found(file) == account.expected()
    for zone in (None, "Europe/Berlin"):
        with pytest.raises(BadValue, match="in the column TimeZone, 'CST' is not a time") as caught:
            read(account.file(shape), options=Options(timezone=zone))
        assert "give --timezone ZONE" in (spell(caught.value.hint) or "")


def _autumn(*times: str) -> PayPalAccount:
    """Return an account with payouts at times of 25 October 2026, in UTC."""
    account = PayPalAccount()
    for time in times:
        account.payout("1.00", f"2026-10-25T{time}:00Z")
    return account


@pytest.mark.parametrize(
    "times",
    [
        ("00:30", "01:10"),  # 02:30, and then 02:10: the second one.
        ("00:10", "00:30", "01:20", "01:40"),
        ("00:59", "01:00"),
        ("00:30", "01:10", "05:00"),
    ],
)
@pytest.mark.parametrize("shape", [BERLIN, replace(OLD, zone="Europe/Berlin", zone_style="iana")])
def test_the_order_of_rows_decides_the_hour_that_comes_twice(
    times: tuple[str, ...], shape: Shape
) -> None:
    """A time that goes back is the second one, oldest first or newest first."""
    account = _autumn(*times)
    (file,) = read(account.file(shape, DE))
    assert found(file) == account.expected()


def test_a_row_next_to_it_with_an_offset_decides_the_hour_too() -> None:
    """02:30 after 00:40 UTC is the second one; 02:30 before 00:50 UTC is the first."""
    for other, time in (("00:40", "01:30"), ("00:50", "00:30")):
        account = _autumn(*sorted((other, time)))
        lines = account.lines(BERLIN, DE)
        exact = account.lines(replace(DEFAULT, zone="Europe/Berlin", zone_style="offset"), DE)
        at = 1 if other < time else 2
        lines[at] = exact[at]
        assert found(read(write(lines))[0]) == account.expected()


def test_an_hour_that_stays_open_is_refused_with_both_readings() -> None:
    """With --unproved, the earlier one is taken."""
    account = _autumn("00:10", "00:20")
    with pytest.raises(BadValue) as caught:
        read(account.file(BERLIN, DE))
    error = caught.value
    assert error.details["line"] == 2
    assert error.details["readings"] == ["2026-10-25T00:10:00Z", "2026-10-25T01:10:00Z"]
    assert "2026-10-25T00:10:00Z or 2026-10-25T01:10:00Z" in error.message
    assert spell(error.hint) == "--unproved takes the earlier one."
    (file,) = read(account.file(BERLIN, DE), options=Options(unproved=True))
    assert found(file) == account.expected()
    assert len(file.unproved) == 1


def test_an_hour_that_does_not_exist_is_refused() -> None:
    """Clocks go forward on 29 March 2026."""
    lines = _autumn("12:00").lines(BERLIN, DE)
    lines[1][:2] = ["29.03.2026", "02:30:00"]
    with pytest.raises(BadValue, match="does not exist on 2026-03-29 in the zone Europe/Berlin"):
        read(write(lines))


def test_a_file_may_mix_zones() -> None:
    """Each row has its own."""
    account = PayPalAccount()
    for day in (11, 12, 13):
        account.payout("1.00", f"2026-10-{day}T12:00:00Z")
    mixed = account.lines()
    for row, style in ((1, "iana"), (2, "offset")):
        mixed[row] = account.lines(replace(DEFAULT, zone="Asia/Tokyo", zone_style=style))[row]
    (file,) = read(write(mixed, CUSTOM), options=Options(dates="mdy"))
    assert found(file) == account.expected()
