"""What is particular to Wise: fees, reversals, statuses, and one transfer in several files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from liveportal.domain.errors import BadValue, MalformedFile, UnprovedFile
from liveportal.domain.frozen import replace
from liveportal.statements.options import Options
from liveportal.statements.rows import Meaning, StatementRow
from tests.kit.paypal_files import read
from tests.kit.statement_shape import Shape, some_moves
from tests.kit.wise_files import WISE

BY_NAME = {shape.name: shape for shape in WISE}
STATEMENT, HISTORY = BY_NAME["wise-statement-23"], BY_NAME["wise-history-en"]


def edited(shape: Shape, **cells: str) -> bytes:
    """Return the file of one credit, with cells changed by the names of their columns."""
    lines = shape.fields(some_moves(count=1))
    for name, text in cells.items():
        lines[1][shape.header.index(name.replace("_", " "))] = text
    return shape.write(lines)


def statement(*rows: tuple[str, str, str, str, str]) -> tuple[StatementRow, ...]:
    """Return what is read from rows of id, amount, balance, type and description; newest last."""
    header = BY_NAME["wise-statement-23"].header
    lines = [list(header)]
    for given, amount, balance, kind, text in rows:
        cells = {
            "TransferWise ID": given,
            "Date": "14-10-2026",
            "Amount": amount,
            "Currency": "EUR",
            "Running Balance": balance,
            "Transaction Details Type": kind,
            "Description": text,
        }
        lines.append([cells.get(name, "") for name in header])
    return read(STATEMENT.write(lines))[0].rows


def test_fees_are_rows_of_their_own_or_inside_and_never_added() -> None:
    """The fee row follows its transfer; `Total fees` changes no amount."""
    arrived, fee, bought, back = statement(
        ("TRANSFER-1", "61.20", "61.20", "DEPOSIT", "Received"),
        ("TRANSFER-1", "-0.24", "60.96", "", "Wise Charges for: TRANSFER-1"),
        ("CARD-9", "-10.00", "50.96", "CARD", "A shop"),
        ("CARD-9", "10.00", "60.96", "CARD", "A shop"),
    )
    assert (arrived.row, arrived.parent, arrived.meaning) == ("TRANSFER-1", None, Meaning.PAYMENT)
    assert (fee.parent, fee.meaning, fee.amount) == ("TRANSFER-1", Meaning.FEE, -24)
    assert (bought.row, bought.parent, back.row) == ("CARD-9:-1000:EUR", "CARD-9", "CARD-9")
    (other,) = statement(("FEE-TRANSFER-2", "-0.24", "1.00", "", "Fees"))
    assert (other.parent, other.meaning) == ("TRANSFER-2", Meaning.FEE)


def test_a_reversed_transfer_follows_its_arrival() -> None:
    """Its row names the arrival as its parent."""
    arrived, back = statement(
        ("TRANSFER-1", "42.00", "42.00", "DEPOSIT", "Received"),
        ("TRANSFER-1", "-42.00", "0.00", "TRANSFER", "Reversed"),
    )
    assert back.parent == arrived.row


def test_types_of_old_and_new_files() -> None:
    """Files without a type have it in front of the id."""
    rows = statement(
        ("BALANCE-1", "5.00", "5.00", "CONVERSION", ""),
        ("BALANCE-2", "5.00", "10.00", "", ""),
        ("X-3", "5.00", "15.00", "MONEY_ADDED", ""),
        ("ACCRUAL_CHARGE-4", "-1.00", "14.00", "ACCRUAL_CHARGE", ""),
    )
    assert [row.meaning for row in rows] == [
        *(Meaning.CONVERSION, Meaning.CONVERSION, Meaning.OWN_TRANSFER, Meaning.OTHER)
    ]


def test_times_have_no_zone_unless_the_user_gives_one() -> None:
    """Without it a row has its day only; the JSON statement is in UTC."""
    content = STATEMENT.file(some_moves(count=1))
    assert read(content)[0].rows[0].time is None
    (file,) = read(content, options=Options(timezone="Europe/Berlin"))
    assert file.rows[0].time == datetime(2026, 1, 13, 8, 30, 15, tzinfo=UTC)
    (file,) = read(BY_NAME["wise-json"].file(some_moves(count=1)))
    assert file.rows[0].time == datetime(2026, 1, 13, 9, 30, 15, tzinfo=UTC)


def test_one_transfer_in_all_files_is_one_row() -> None:
    """The statement, its JSON and the history give an arrival the same id, and it counts once."""
    files = read(*(shape.file(some_moves(count=1)) for shape in WISE))
    assert {row.row for file in files for row in file.rows} == {"TRANSFER-1001"}
    assert sum(not row.duplicate for file in files for row in file.rows) == 1
    changed = edited(HISTORY, Source_fee_amount="0.50", Source_name="X").replace(
        b"1233.50", b"9.50"
    )
    with pytest.raises(UnprovedFile) as caught:
        read(STATEMENT.file(some_moves(count=1)), changed)
    assert caught.value.details["proof"] == "joins"


def test_files_of_two_balances_are_not_expected_to_join() -> None:
    """Each currency has a file of its own; two files of one balance join, or that is noted."""
    numbered = [replace(move, number=move.number + 50) for move in some_moves("EUR")]
    dollars, euros = STATEMENT.file(some_moves("USD")), STATEMENT.file(numbered)
    assert all(not file.unproved for file in read(dollars, euros))
    later = STATEMENT.file([replace(some_moves()[0], number=7)], 1_00)
    assert any("do not join" in text for file in read(dollars, later) for text in file.unproved)


def test_fees_of_the_history_lie_outside_of_its_amounts() -> None:
    """The payer sent the source's amount and its fee; the target's amount arrived."""
    (file,) = read(HISTORY.file(some_moves(count=1)))
    (row,) = file.rows
    assert (row.gross, row.fee, row.net) == (1_234_50, -1_00, 1_233_50)
    (file,) = read(edited(HISTORY, Target_currency="EUR", Target_fee_amount="2.00"))
    assert (file.rows[0].amount, file.rows[0].currency) == (1_235_50, "EUR")
    with pytest.raises(UnprovedFile) as caught:
        read(edited(HISTORY, **{"Target amount (after fees)": "1000.00"}))
    assert caught.value.details["proof"] == "sums"


@pytest.mark.parametrize(
    ("status", "direction", "meaning"),
    [
        ("CANCELLED", "IN", Meaning.MEMO),
        ("CANCELLED", "OUT", Meaning.MEMO),
        ("REFUNDED", "OUT", Meaning.MEMO),
        ("REFUNDED", "IN", Meaning.RETURN),
        ("COMPLETED", "NEUTRAL", Meaning.OWN_TRANSFER),
    ],
)
def test_statuses_of_the_history(status: str, direction: str, meaning: Meaning) -> None:
    """Only completed transfers moved money; one that came back follows its arrival."""
    (file,) = read(edited(HISTORY, Status=status, Direction=direction))
    assert file.rows[0].meaning is meaning
    if meaning is Meaning.RETURN:
        assert file.rows[0].parent == "TRANSFER-1001"
        assert file.rows[0].amount < 0


@pytest.mark.parametrize(("column", "text"), [("Status", ""), ("Status", "?"), ("Direction", "")])
def test_a_status_that_is_not_known_is_refused(column: str, text: str) -> None:
    """A blank one must not pass as completed."""
    with pytest.raises(BadValue) as caught:
        read(edited(HISTORY, **{column: text}))
    assert caught.value.details["column"] == column
    assert read(edited(HISTORY, Status="?"), options=Options(unproved=True))[0].unproved


def test_the_very_same_row_twice_is_refused_and_a_shared_id_is_not() -> None:
    """One purchase that was paid from two balances is two rows of one id."""
    lines = HISTORY.fields(some_moves(count=2))
    at = HISTORY.header.index("Source amount (after fees)")
    other = [*lines[1][:at], "3.00", *lines[1][at + 1 :]]
    (file,) = read(HISTORY.write([*lines, other]))
    assert len({row.row for row in file.rows}) == 3
    with pytest.raises(MalformedFile):
        read(HISTORY.write([*lines, lines[1]]))


@pytest.mark.parametrize(
    "broken",
    [
        ('"USD"', "5"),
        ("1233.50", '"1233.50"'),
        ("1233.50", "NaN"),
        ("1233.50", "true"),
        ('"CREDIT",', '"CREDIT", "type": "DEBIT",'),
        ("DEPOSIT", "D\x01"),
        ('"transactions": [', '"transactions": [[], '),
        ('"transactions": [', '"transactions": [' + "[" * 3000),
    ],
)
def test_broken_json_is_refused(broken: tuple[str, str]) -> None:
    """Numbers in quotation marks, keys twice, and what is nested too deeply."""
    content = BY_NAME["wise-json"].file(some_moves(count=1)).decode().replace(*broken)
    with pytest.raises((BadValue, MalformedFile)) as caught:
        read(content.encode())
    assert caught.value.details["line"] in {1, 2}
    assert caught.value.message.isprintable()


def test_json_in_one_line_is_read() -> None:
    """Programs write it so; all rows are then of line 1."""
    content = BY_NAME["wise-json"].file(some_moves())
    (file,) = read(json.dumps(json.loads(content)).encode())
    assert {row.line for row in file.rows} == {1}
