"""Mappings: what they can say, what is wrong with one, and the template from a file's header."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.errors import MalformedFile, NotFound, UnknownFormat
from liveportal.statements.options import Options
from liveportal.statements.rows import Meaning, StatementRow
from liveportal.tables.mapping import find_mapping, read_mapping, shipped
from liveportal.tables.mapping_template import template
from liveportal.tables.source import Source
from tests.kit.other_files import BANK, MAPPED
from tests.kit.paypal_files import DEFAULT, read
from tests.kit.statement_shape import some_moves
from tests.statements.test_round_trips import some_account

PLAIN = """
name = "plain"
[columns]
date = "Day"
amount = "Sum"
currency = "Unit"
text = "Text"
"""
HEAD = b"Day,Sum,Unit,Text,Kind,Fee\n"


def rows(mapping: str, *lines: str, head: bytes = HEAD) -> tuple[StatementRow, ...]:
    """Return what is read from lines with a mapping."""
    options = Options(mapping=read_mapping(mapping.encode(), "plain.toml"))
    content = head + "".join(f"{line}\n" for line in lines).encode("cp1252")
    return read(content, options=options)[0].rows


def test_signs() -> None:
    """A column has the sign, or what left is positive."""
    column = PLAIN + '[sign]\ncolumn = "Kind"\nnegative = ["OUT"]\n'
    out, came = rows(column, "2026-01-13,5.00,EUR,a,out,", "2026-01-14,5.00,EUR,a,IN,")
    assert (out.amount, came.amount) == (-5_00, 5_00)
    (row,) = rows(PLAIN + "[sign]\ninvert = true\n", "2026-01-13,5.00,EUR,a,,")
    assert row.amount == -5_00


@pytest.mark.parametrize(
    ("table", "cell", "amount", "fee"),
    [
        ("", "1.00", 42_00, -1_00),
        ('sign = "negative"', "-1.00", 42_00, -1_00),
        ("included = true", "1.00", 43_00, -1_00),
        ("", "", 42_00, None),
    ],
)
def test_fees(table: str, cell: str, amount: int, fee: int | None) -> None:
    """A fee is outside of the amount unless the mapping says that it is taken off already."""
    mapping = PLAIN.replace("text =", 'fee = "Fee"\ntext =') + f"[fees]\n{table}\n"
    (row,) = rows(mapping, f"2026-01-13,42.00,EUR,a,,{cell}")
    assert (row.amount, row.fee) == (amount, fee)


def test_fee_rows_left_out_rows_and_payers() -> None:
    """A type may be a fee's; some rows do not count; a payer is whole words of the text."""
    mapping = PLAIN.replace("text =", 'type = "Kind"\ntext =')
    mapping += (
        '[fees]\ntypes = ["Charge"]\n[skip]\nKind = ["Total"]\n[payers]\nnames = ["Live Help"]'
    )
    fee, total, paid, other = rows(
        mapping,
        "2026-01-13,-1.00,EUR,a,charge,",
        "2026-01-14,9.00,EUR,a,total,",
        "2026-01-15,9.00,EUR,from: live help/PO-1,x,",
        "2026-01-16,9.00,EUR,olive helpers,x,",
    )
    assert [row.meaning for row in (fee, total, paid)] == [
        *(Meaning.FEE, Meaning.MEMO, Meaning.OTHER)
    ]
    assert (paid.names, other.names) == (("Live Help",), ())


def test_formats() -> None:
    """Order of dates, decimal mark, zone, encoding, lines before the header, and a time."""
    mapping = PLAIN + (
        '[format]\ndates = "mdy"\ndecimal = ","\ndelimiter = ";"\nzone = "Europe/Berlin"\n'
        'encoding = "cp1252"\nskip = 2\n'
    )
    head = b'An "account of\n\nDay;Sum;Unit;Text\n'
    (row,) = rows(mapping, "01/02/2026 2:30:15 PM;1.234;EUR;Müé", head=head)
    assert (row.line, row.day, row.amount) == (4, date(2026, 1, 2), 1_234_00)
    assert row.time == datetime(2026, 1, 2, 13, 30, 15, tzinfo=UTC)
    assert row.references == ("Müé",)


def test_json() -> None:
    """Columns are paths; the objects are in an array at the top, or under a key."""
    mapping = (
        'name = "j"\n[columns]\ndate = "at"\namount = "sum.value"\ncurrency = "sum.unit"\n'
        'text = ["tags", "note"]\n[format]\njson = "rows"\n'
    )
    line = '{"at": "2026-01-13", "sum": {"value": 5.50, "unit": "EUR"}, "tags": ["a", "b"]}'
    options = Options(mapping=read_mapping(mapping.encode(), "j.toml"))
    (file,) = read(f'{{"rows": [\n{line},\n{line}]}}'.encode(), options=options)
    assert [(row.line, row.amount, row.references) for row in file.rows] == [
        *((2, 5_50, ("a b",)), (3, 5_50, ("a b",)))
    ]
    top = mapping.replace('json = "rows"', "json = true")
    options = Options(mapping=read_mapping(top.encode(), "j.toml"))
    assert len(read(f"[{line}]".encode(), options=options)[0].rows) == 1
    with pytest.raises(UnknownFormat):
        read(b"a,b\n", options=options)


def test_other_files_of_the_same_call_keep_their_own_formats() -> None:
    """A mapping is for the files that it fits; settings add mappings that are recognised."""
    bank = MAPPED[1]
    content = bank.file(some_moves("EUR"))
    one, two = read(content, some_account().file(DEFAULT), options=bank.options)
    assert (one.provider, two.provider) == ("my-bank", "paypal")
    known = Options(mappings=[read_mapping(BANK, "config.toml")])
    assert read(content, options=known)[0].provider == "my-bank"
    with pytest.raises(UnknownFormat) as caught:
        read(content.replace(b"Saldo", b"Stand"), options=bank.options)
    assert "lacks columns of the mapping my-bank: 'saldo'." in caught.value.message
    assert "my-bank.toml" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('date = "Day"', "date = 5", 4, "date must be a string"),
        ('date = "Day"', 'day = "Day"', 4, "'day' is not a column"),
        ('date = "Day"', "", 3, "must have date"),
        ('amount = "Sum"', "", 3, "amount or credit or debit"),
        ('currency = "Unit"', "", 3, "must have currency"),
        ('name = "plain"', 'name = "A B"', 2, "small letters"),
        ('name = "plain"', "", 1, "small letters"),
        ("[columns]", "[columns", 3, "not TOML"),
        ("[columns]", "[other]\n[columns]", 3, "'other' is not a table"),
        ("[columns]", "sign = 1\n[columns]", 3, "sign must be a table"),
        ("[columns]", "[format]\ncomma = 1\n[columns]", 4, "[format] has no 'comma'"),
        ("[columns]", '[format]\ndates = "dym"\n[columns]', 4, "dmy mdy ymd"),
        ("[columns]", '[format]\ndecimal = ";"\n[columns]', 4, "one of: . ,"),
        ("[columns]", '[format]\ndelimiter = ",,"\n[columns]', 4, "one character"),
        ("[columns]", "[format]\nskip = -1\n[columns]", 4, "lines before the header"),
        ("[columns]", '[format]\nencoding = "utf-16"\n[columns]', 4, "encoding must be one of"),
        ("[columns]", '[format]\nencoding = "nonsense"\n[columns]', 4, "encoding must be one of"),
        ("[columns]", '[format]\nzone = "Mars"\n[columns]', 4, "Europe/Berlin"),
        ("[columns]", "[format]\njson = 3\n[columns]", 4, "json must be"),
        ("[columns]", '[sign]\ncolumn = "x"\n[columns]', 3, "both column and negative"),
        ("[columns]", '[sign]\ninvert = "x"\n[columns]', 4, "true or false"),
        ("[columns]", '[fees]\nincluded = "x"\n[columns]', 4, "true or false"),
    ],
)
def test_what_is_wrong_with_a_mapping(old: str, new: str, line: int, words: str) -> None:
    """The file, the line and the key are named."""
    with pytest.raises(MalformedFile) as caught:
        read_mapping(PLAIN.replace(old, new).encode(), "plain.toml")
    assert caught.value.details["line"] == line
    assert words in caught.value.message


def test_mappings_are_found_by_name_and_path(tmp_path: Path) -> None:
    """Settings first, then the shipped ones, then files."""
    path = tmp_path / "plain.toml"
    path.write_text(PLAIN)
    assert find_mapping("payoneer", "statement").name == "payoneer"
    assert find_mapping(str(path), "statement").name == "plain"
    assert find_mapping("mine", "statement", {"mine": str(path)}).name == "plain"
    table = {"columns": {"date": "D", "amount": "A", "currency": "C"}}
    assert find_mapping("payoneer", "statement", {"payoneer": table}).columns["date"] == ("D",)
    for name in ("absent", str(tmp_path / "absent.toml")):
        with pytest.raises(NotFound):
            find_mapping(name, "statement")
    with pytest.raises(MalformedFile, match="is for a statement file, not for a hours file"):
        find_mapping(str(path), "hours")
    with pytest.raises(MalformedFile, match=r"config.toml: mine, line 1: "):
        find_mapping("mine", "statement", {"mine": {}})
    assert [each.name for each in shipped("statement")] == ["payoneer"]


def test_hours_have_columns_of_their_own() -> None:
    """A mapping with a start is one for sessions; a start may be two columns."""
    document = read_mapping(
        b'name = "t"\n[columns]\nstart = ["Start date", "Start time"]\nduration = "Duration"\n'
        b'customer = ["Client", "Project"]\n',
        "t.toml",
    )
    cells = {"start": "2026-01-13", "start+1": "09:00", "customer": "A", "customer+1": "B"}
    document.prepare(cells)
    assert document.rows == "hours"
    assert cells == {"start": "2026-01-13 09:00", "customer": "A"}
    with pytest.raises(MalformedFile, match="customer or customer_id"):
        read_mapping(b'name = "t"\n[columns]\nstart = "S"\nend = "E"\n', "t.toml")
    with pytest.raises(MalformedFile, match="end or duration"):
        read_mapping(b'name = "t"\n[columns]\nstart = "S"\n', "t.toml")


@pytest.mark.parametrize("shape", MAPPED, ids=lambda shape: shape.name)
def test_a_template_reads_the_file_that_it_was_made_from(shape: object) -> None:
    """Common names of columns are recognised, so that little is to be filled in."""
    assert shape in MAPPED
    mapped = next(each for each in MAPPED if each is shape)
    content = mapped.file(some_moves("EUR"))
    text = template(Source(f"{mapped.name}.csv", io.BytesIO(content)))
    options = Options(mapping=read_mapping(text.encode(), "template.toml"), dates="dmy")
    (file,) = read(content, options=options)
    assert file.provider == mapped.name
    assert [row.amount for row in file.rows] == [
        move.amount + move.fee for move in some_moves("EUR")
    ]
    assert all(proof.rows == proof.proved for proof in file.proofs)


def test_a_template_of_hours_and_of_other_encodings() -> None:
    """What is not UTF-8 is taken for a spreadsheet's, and an empty file has no template."""
    content = "Start date,Duration,Client\n2026-01-13,1:00,Müé\n".encode("cp1252")
    text = template(Source("Time log.csv", io.BytesIO(content)), "hours")
    document = read_mapping(text.encode(), "t.toml")
    assert (document.name, document.rows) == ("time-log", "hours")
    assert document.dialect.encoding == "cp1252"
    with pytest.raises(UnknownFormat):
        template(Source("x.csv", io.BytesIO(b"\n")))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1))
def test_a_template_is_toml_whatever_the_header_is(names: list[str]) -> None:
    """Quotation marks, escapes and line breaks of a hostile header end no text."""
    cells = ",".join('"' + name.replace('"', '""').replace("\0", "") + '"' for name in names)
    source = Source("x.csv", io.BytesIO(f"Start date,Duration,Client,{cells}\n".encode()))
    text = template(source, "hours")
    assert read_mapping(text.encode(), "x.toml").name == "x"
    assert text.replace("\n", "").isprintable()


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_bytes_are_a_mapping_or_refused(content: bytes) -> None:
    """Never anything but the contract's error."""
    with pytest.raises(MalformedFile):
        read_mapping(content, "x.toml")
