"""Damaged, edited and re-saved files: read right, or refused with the file and the right line."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from liveportal.domain.errors import (
    BadEncoding,
    BadValue,
    LiveportalError,
    MalformedFile,
    UnknownFormat,
    UnprovedFile,
)
from liveportal.statements.options import Options
from liveportal.statements.registry import FORMATS
from liveportal.tables.lines import LONGEST_LINE
from tests.kit.paypal_files import (
    CUSTOM,
    DEFAULT,
    OLD,
    STATEMENT,
    PayPalAccount,
    Shape,
    found,
    read,
    write,
)
from tests.kit.paypal_locales import DE, EN, LOCALES, Locale
from tests.kit.paypal_months import accounts
from tests.statements.test_round_trips import some_account

Lines = list[list[str]]


def refused(kind: type[LiveportalError], content: bytes, line: int, *words: str) -> LiveportalError:
    """Read a file that must be refused, at this line and with these words in the message."""
    with pytest.raises(kind) as caught:
        read(content)
    error = caught.value
    assert error.details["file"] == "1.csv"
    assert error.details["line"] == line
    assert error.message.startswith(f"1.csv, line {line}: ")
    for word in words:
        assert word in error.message
    assert error.message.isprintable()
    return error


def with_cell(row: int, column: str, text: str, shape: Shape = DEFAULT) -> bytes:
    """Return the file of `some_account` with one cell changed; row 1 is below the header."""
    lines = some_account().lines(shape)
    names = [name.strip() for name in lines[0]]
    lines[row][names.index(column)] = text
    return write(lines, shape)


# --- harmless changes -----------------------------------------------------------------------------


def _padded(lines: Lines) -> Lines:
    return [[f"  {name} " for name in lines[0]], *([f" {c} " for c in row] for row in lines[1:])]


def _shuffled(lines: Lines) -> Lines:
    order = list(range(len(lines[0])))
    random.Random(7).shuffle(order)  # noqa: S311 -- Any order will do.
    return [[row[at] for at in order] for row in lines]


HARMLESS: dict[str, Callable[[Lines], Lines]] = {
    "header with spaces": _padded,
    "columns shuffled": _shuffled,
    "a column twice": lambda lines: [[*row, row[7]] for row in lines],
    "a column twice, once empty": lambda lines: [
        [*row, lines[0][7] if n == 0 else ""] for n, row in enumerate(lines)
    ],
    "a column without a name": lambda lines: [
        ["", *row] if n == 0 else ["x", *row] for n, row in enumerate(lines)
    ],
    "empty columns at the end": lambda lines: [[*row, "", ""] for row in lines],
    "empty rows": lambda lines: [*lines[:3], [""] * len(lines[0]), [], *lines[3:], [" "], []],
    "lower case header": lambda lines: [[name.lower() for name in lines[0]], *lines[1:]],
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS.keys())
@pytest.mark.parametrize("locale", [EN, DE], ids=["en", "de"])
def test_harmless_changes_change_nothing(change: Callable[[Lines], Lines], locale: Locale) -> None:
    """What spreadsheets do to a file without changing its values."""
    account = some_account()
    (file,) = read(write(change(account.lines(DEFAULT, locale))))
    assert found(file) == account.expected()


def test_a_spreadsheets_first_line_and_line_ends_are_no_obstacle() -> None:
    """Excel writes `sep=;`, CRLF and semicolons; lines still count from the file's first one."""
    account = some_account()
    shape = replace(DEFAULT, delimiter=";", end="\r\n", bom=False)
    content = b"\xef\xbb\xbfsep=;\r\n" + account.file(shape)
    (file,) = read(content)
    assert found(file) == account.expected()
    assert min(row.line for row in file.rows) == 3


def test_the_line_is_the_one_on_which_a_row_begins() -> None:
    """Line breaks in quoted cells count as lines."""
    account = PayPalAccount()
    account.payout("1.00", "2026-10-15T09:00:00Z", note="one\ntwo\r\nthree")
    account.payout("2.00", "2026-10-16T09:00:00Z")
    (file,) = read(account.file())
    assert [row.line for row in file.rows] == [2, 5]
    assert "one\ntwo\r\nthree" in file.rows[0].references


@pytest.mark.parametrize(
    "text",
    ["\u22121,234.50", "-1\u00a0234.50", "-1\u202f234.5", "-1'234.50", "1,234.50-", "-1234.500"],
)
def test_ways_of_writing_an_amount(text: str) -> None:
    """Unicode minus, no-break spaces, apostrophes, a trailing minus, more or fewer digits."""
    content = with_cell(2, "Gross", text)
    (file,) = read(content)
    assert file.rows[1].gross == -1_234_50


# --- bytes ----------------------------------------------------------------------------------------


def test_latin_1_is_refused_with_the_byte() -> None:
    """The offset is that in the file, byte order mark included."""
    content = some_account().file(DEFAULT, DE)
    broken = content.decode("utf-8-sig").encode("latin-1")
    error = refused(BadEncoding, broken, 1, "0xE4", "UTF-8")
    assert error.details["offset"] == broken.index(b"\xe4")
    account = PayPalAccount()
    account.payout("1.00", "2026-10-15T09:00:00Z", note="a")
    account.payout("1.00", "2026-10-16T09:00:00Z", note="@@")
    broken = account.file().replace(b"@@", b"\xe9")
    error = refused(BadEncoding, broken, 3, "0xE9")
    assert error.details["offset"] == broken.index(b"\xe9")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_by_name(encoding: str) -> None:
    """With a byte order mark and without."""
    content = some_account().file().decode("utf-8-sig").encode(encoding)
    assert refused(BadEncoding, content, 1, "UTF-16").details["offset"] == 0


def test_a_nul_and_overlong_lines_and_cells_are_refused() -> None:
    """No statement has them."""
    refused(MalformedFile, with_cell(3, "Note", "a\0b"), 4, "NUL")
    refused(MalformedFile, with_cell(3, "Note", "a" * 200_000), 4, "131,072")
    header, _, rest = some_account().file().partition(b"\n")
    content = header + b"\n" + b"x" * (LONGEST_LINE + 1) + b"\n" + rest
    refused(MalformedFile, content, 2, "longer")


@given(st.integers(0, 10_000), st.sampled_from((DEFAULT, OLD, STATEMENT)))
@settings(max_examples=300)
def test_a_cut_file_is_refused_unless_it_is_cut_between_rows(at: int, shape: Shape) -> None:
    """A file that ends within a row is never read as if that row were whole."""
    account = some_account()
    content = account.file(shape)
    cut = content[: 1 + at % (len(content) - 1)]
    try:
        (file,) = read(cut)
    except (MalformedFile, UnknownFormat, BadEncoding, UnprovedFile):
        return
    is_whole = content[len(cut) :].startswith(b"\n") or cut.endswith((b"\n", b","))
    assert is_whole or not file.rows
    assert set(found(file)) <= set(account.expected(shape))


def test_a_cut_in_a_quoted_cell_names_the_row() -> None:
    """The message names the line on which the row begins."""
    content = some_account().file()
    refused(MalformedFile, content[: content.index(b"Mass Pay") + 3], 2, "never closed")
    refused(MalformedFile, with_cell(3, "Note", "@").replace(b'"@"', b'"a"b"'), 4, "not doubled")
    refused(MalformedFile, with_cell(3, "Note", "@").replace(b'"@"', b"a\rb"), 4, "CR")


# --- tables ---------------------------------------------------------------------------------------


def test_rows_with_too_few_or_too_many_cells_are_refused() -> None:
    """A row that is shorter than the header was cut; one that is longer has something to hide."""
    lines = some_account().lines()
    refused(MalformedFile, write([*lines[:4], lines[4][:-1], *lines[5:]]), 5, "40 cells")
    refused(MalformedFile, write([*lines[:4], [*lines[4], "x"], *lines[5:]]), 5, "'x'")


def test_columns_that_mean_the_same_must_not_differ() -> None:
    """Both names of the column are in the message."""
    lines = [
        [*row, "Time Zone" if n == 0 else row[2]] for n, row in enumerate(some_account().lines())
    ]
    assert read(write(lines))[0].rows
    lines[3][-1] = "CET"
    refused(MalformedFile, write(lines), 4, "TimeZone and Time Zone", "'PDT'", "'CET'")


@pytest.mark.parametrize(
    "column", ["Date", "Time", "TimeZone", "Type", "Status", "Currency", "Net", "Transaction ID"]
)
def test_a_missing_column_is_an_unknown_format(column: str) -> None:
    """The message shows the header, and the hint names the providers."""
    lines = some_account().lines()
    at = lines[0].index(column)
    content = write([[*row[:at], *row[at + 1 :]] for row in lines])
    error = refused(UnknownFormat, content, 1, "header")
    assert "PayPal, Wise, Stripe" in str(error.hint)
    assert error.details["formats"] == [form.name for form in FORMATS]


def test_joined_files_are_refused_at_the_second_header() -> None:
    """The message says what happened, instead of that `Date` is not a date."""
    content = some_account().file()
    refused(MalformedFile, content + content[3:], content.count(b"\n") + 1, "header is repeated")


@given(accounts(), st.sampled_from((DEFAULT, OLD, CUSTOM)), st.sampled_from(LOCALES), st.data())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_a_dropped_row_is_noticed(
    account: PayPalAccount, shape: Shape, locale: Locale, data: st.DataObject
) -> None:
    """A row is missing whose balance the next one builds on: the next one is the bad line."""
    options = Options(dates=locale.dates)
    (file,) = read(account.file(shape, locale), options=options)
    (again,) = read(account.file(shape, locale), options=replace_unproved(options))
    assert again == file
    chains: dict[str, list[int]] = {}
    for row in file.rows:
        if row.meaning != "memo" and row.net:
            chains.setdefault(row.currency, []).append(row.line)
    droppable = [line for chain in chains.values() for line in chain[1:-1]]
    assume(droppable)
    line = data.draw(st.sampled_from(droppable))
    lines = account.lines(shape, locale)
    starts = sorted(row.line for row in file.rows)
    dropped = starts.index(line) + 1
    content = write(lines[:dropped] + lines[dropped + 1 :], shape)
    with pytest.raises(UnprovedFile) as caught:
        read(content, options=options)
    assert caught.value.details["proof"] in {"balance", "groups"}
    (kept,) = read(content, options=replace_unproved(options))
    assert kept.unproved
    assert any(proof.proved < proof.rows for proof in kept.proofs)


def replace_unproved(options: Options) -> Options:
    """Return the options with `unproved`."""
    return Options(dates=options.dates, unproved=True)


@given(st.integers(1, 13), st.sampled_from((DEFAULT, OLD, CUSTOM)))
def test_a_doubled_row_is_refused_at_its_second_line(row: int, shape: Shape) -> None:
    """By its id, by the balance or, for a memo that was copied, by being the same."""
    lines = some_account().lines(shape)
    content = write([*lines[: row + 1], lines[row], *lines[row + 1 :]], shape)
    with pytest.raises((UnprovedFile, MalformedFile)) as caught:
        read(content)
    first = read(write(lines, shape))[0]
    starts = sorted(each.line for each in first.rows)
    bad = caught.value.details["line"]
    assert isinstance(bad, int)
    length = (starts[row] if row < len(starts) else starts[-1] + 1) - starts[row - 1]
    assert bad in {starts[row - 1], starts[row - 1] + length}


# --- cells ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("970.45 986.35", "12.00 USD", "$12.00", "1e5", "0x10", "NaN", "\u0661\u0662", "1,23.00"),
        *(
            "--1",
            "+-1",
            "-1-",
            "1.2.3",
            "1,234,5",
            "=1+1",
            "\x1b[2J1",
            "1" * 80,
            ".",
            "-",
            "12.345",
        ),
    ],
)
def test_what_is_not_an_amount_is_refused(text: str) -> None:
    """The line, the column and the cell are in the message, and nothing that moves the cursor."""
    error = refused(BadValue, with_cell(9, "Gross", text), 11, "Gross")
    assert error.details["column"] == "Gross"
    assert error.details["value"] == text


def test_an_amount_may_be_missing_in_a_memo_only() -> None:
    """`...` is PayPal's way of not stating an amount in a memo row."""
    for text in ("...", ""):
        error = refused(BadValue, with_cell(2, "Fee", text), 3, "Fee", "move no money")
        assert "unproved" in str(error.hint)
        (file,) = read(with_cell(2, "Fee", text), options=Options(unproved=True))
        assert file.rows[1].fee is None
        assert "line 3" in file.unproved[0]
    lines = some_account().lines()
    for row in lines[2:]:
        row[lines[0].index("Fee")] = ""
    (file,) = read(write(lines), options=Options(unproved=True))
    assert len(file.unproved) == 1


def test_two_decimal_marks_are_refused_with_both_lines() -> None:
    """The cell that contradicts is refused, and the one that decided is named."""
    refused(BadValue, with_cell(5, "Gross", "-3,00"), 6, "a comma", "line 2", "a point")


@pytest.mark.parametrize(
    ("column", "text", "word"),
    [
        ("Date", "31/02/2026", "not a date"),
        ("Date", "10/07/26", "not a date"),
        ("Date", "2026-10-07", "month first"),
        ("Date", "27/10/2026", "month first"),
        ("Date", "", "not a date"),
        ("Time", "25:00:00", "time of day"),
        ("Time", "09:00:60", "time of day"),
        ("TimeZone", "CST", "time zone"),
        ("TimeZone", "IST", "time zone"),
        ("TimeZone", "Europe/Nowhere", "time zone"),
        ("TimeZone", "../../etc/passwd", "time zone"),
        ("TimeZone", "GMT+25:00", "time zone"),
        ("Currency", "$", "currency"),
        ("Currency", "", "currency"),
        ("Transaction ID", "8.1E+16", "id"),
    ],
)
def test_other_cells_that_are_refused(column: str, text: str, word: str) -> None:
    """Each with its line and its column."""
    lines = some_account().lines()
    lines[1][0] = "10/25/2026"  # Decides the order of the dates; it makes them not monotonic.
    lines[5][lines[0].index(column)] = text
    refused(BadValue, write(lines), 6, column, word)


def test_dates_that_contradict_each_other_are_refused_with_both_lines() -> None:
    """The earlier one may be the wrong one, so both are named."""
    error = refused(BadValue, with_cell(5, "Date", "27/10/2026"), 7, "in the column Date")
    assert "'10/17/2026' is not a date with the day first, as '27/10/2026' in line 6 is." in (
        error.message
    )


def test_a_row_that_moves_money_has_an_id() -> None:
    """A memo may lack it."""
    refused(BadValue, with_cell(3, "Transaction ID", ""), 4, "Transaction ID", "is not an id")
    (file,) = read(with_cell(4, "Transaction ID", ""))
    assert file.rows[3].row.startswith("row-")


@given(
    st.sampled_from((1, 2, 3, 7, 8, 12, 13)),
    st.sampled_from(("Gross", "Fee", "Net")),
    st.integers(1, 8),
    st.sampled_from((DEFAULT, CUSTOM)),
)
def test_a_changed_amount_breaks_the_sum_of_its_row(
    row: int, column: str, change: int, shape: Shape
) -> None:
    """The first digit of an amount is changed; the line is that of the row."""
    lines = some_account().lines(shape)
    at = lines[0].index(column)
    text = lines[row][at]
    digit = next(n for n, character in enumerate(text) if character.isdigit())
    lines[row][at] = f"{text[:digit]}{(int(text[digit]) + change - 1) % 9 + 1}{text[digit + 1 :]}"
    line = sorted(each.line for each in read(write(some_account().lines(shape), shape))[0].rows)
    error = refused(UnprovedFile, write(lines, shape), line[row - 1], "do not make net")
    assert error.details["proof"] == "sums"


def test_a_changed_balance_is_refused() -> None:
    """The message has the balance, the one before it, and what they should make."""
    error = refused(
        UnprovedFile,
        with_cell(3, "Balance", "1,235.00"),
        4,
        *("1235.00 USD", "0.00 in line 3", "1234.50", "is missing or appears twice"),
    )
    assert error.details["proof"] == "balance"


def test_unproved_reads_the_file_and_says_what_is_not_proved() -> None:
    """Each proof's first failure is a sentence with its line; the counts show how many fail."""
    content = with_cell(3, "Balance", "1,235.00")
    (file,) = read(content, options=Options(unproved=True))
    proofs = {proof.proof: (proof.rows, proof.proved) for proof in file.proofs}
    assert proofs["sums"] == (12, 12)
    assert proofs["balance"] == (9, 7)
    (sentence,) = file.unproved
    assert sentence.startswith("1.csv, line 4: the balance is 1235.00 USD")


def test_minimal_quoting_reads_like_full_quoting() -> None:
    """Quotation marks are the writer's choice."""
    account = some_account()
    (minimal,) = read(account.file(replace(DEFAULT, quoting=csv.QUOTE_MINIMAL)))
    (full,) = read(account.file())
    assert minimal.rows == full.rows
