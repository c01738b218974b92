"""Every format but PayPal's: read back equal, proved, and refused at the right line if damaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liveportal.domain.errors import (
    AmbiguousDates,
    BadEncoding,
    BadValue,
    LiveportalError,
    MalformedFile,
    UnprovedFile,
)
from liveportal.domain.frozen import replace
from liveportal.statements.options import Options
from liveportal.statements.rows import StatementFile
from tests.kit.paypal_files import read
from tests.kit.statement_shape import Movement, Shape, facts, moves, some_moves
from tests.kit.statement_shapes import SHAPES

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=[shape.name for shape in SHAPES])


def read_shape(shape: Shape, *contents: bytes, dates: str | None = None) -> Sequence[StatementFile]:
    """Read files of a shape with the options that it needs."""
    return read(*contents, options=replace(shape.options, dates=dates))


def distinct(files: Sequence[StatementFile]) -> list[tuple[object, ...]]:
    """Return the facts of all rows that are not repeated."""
    kept = [
        replace(file, rows=tuple(row for row in file.rows if not row.duplicate)) for file in files
    ]
    return sorted((fact for file in kept for fact in facts(file)), key=repr)


@every_shape
def test_a_file_is_read_and_proved(shape: Shape) -> None:
    """Every fact that the shape states is found, and every proof is whole."""
    found = some_moves(shape.currencies[0])
    (file,) = read_shape(shape, shape.file(found, 5_00))
    assert facts(file) == shape.expected(found, 5_00)
    assert file.format == shape.form
    assert file.provider == (shape.provider or shape.form)
    assert all(proof.rows == proof.proved for proof in file.proofs)
    steps = {proof.proof: proof.rows for proof in file.proofs}
    assert steps["balance"] == (len(found) - 1 if shape.has_balance else 0)
    days = [row.day for row in file.rows]
    assert days == sorted(days)
    (first, *_) = (row for row in file.rows if row.amount > 0)
    assert any("PO-0" in text for text in first.references)
    assert len({row.row for row in file.rows}) == len(found)


@given(st.data(), st.sampled_from(SHAPES))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_random_movements(data: st.DataObject, shape: Shape) -> None:
    """Whatever happened: the rows are read back, or the order of the dates is asked."""
    found, opening = data.draw(moves(shape))
    content = shape.file(found, opening)
    try:
        (file,) = read_shape(shape, content)
    except AmbiguousDates as error:
        readings = error.details["readings"]
        assert isinstance(readings, dict)
        (file,) = next(
            files
            for dates in readings
            if facts((files := read_shape(shape, content, dates=dates))[0])
            == shape.expected(found, opening)
        )
    assert facts(file) == shape.expected(found, opening)


@given(st.data(), st.sampled_from(SHAPES))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_overlapping_files_double_nothing(data: st.DataObject, shape: Shape) -> None:
    """Two exports with days in common, and one of them twice: each movement counts once."""
    found = some_moves(shape.currencies[0], 9)
    first, last = sorted(data.draw(st.tuples(st.integers(0, 8), st.integers(0, 8))))
    balances = [sum(move.amount + move.fee for move in found[:n]) for n in range(10)]
    early, late = found[: last + 1], found[first:]
    contents = [shape.file(early), shape.file(late, balances[first]), shape.file(early)]
    files = read_shape(shape, *data.draw(st.permutations(contents)), dates=shape.dates)
    assert distinct(files) == shape.expected(found)


@pytest.mark.parametrize(
    "shape", [shape for shape in SHAPES if not shape.has_ids], ids=lambda shape: str(shape.name)
)
def test_equal_rows_stay_distinct(shape: Shape) -> None:
    """Two coffees of one price on one day, in one file and in two."""
    coffee = replace(some_moves(shape.currencies[0])[1], amount=-3_00)
    found = [some_moves(shape.currencies[0])[0], coffee, coffee]
    content = shape.file(found)
    assert len(read_shape(shape, content)[0].rows) == 3
    assert distinct(read_shape(shape, content, content)) == shape.expected(found)


Lines = list[list[str]]
Change = Callable[[Shape, Lines], tuple[Lines, int]]
"""Damages the cells of a file, and returns the line at which it is to be refused."""


def _with(shape: Shape, lines: Lines, column: str, text: str) -> tuple[Lines, int]:
    at = int(column) if column.isdigit() else list(shape.header).index(column)
    lines[2][at] = text
    return lines, 3


CELLS = {
    "two numbers": lambda shape, lines: _with(shape, lines, shape.amount_column, "970.45 986.35"),
    "a sign of a currency": lambda shape, lines: _with(shape, lines, shape.amount_column, "$12"),
    "a formula": lambda shape, lines: _with(shape, lines, shape.amount_column, "=1+1"),
    "an exponent": lambda shape, lines: _with(shape, lines, shape.amount_column, "1E+2"),
    "too many decimals": lambda shape, lines: _with(shape, lines, shape.amount_column, "1.23456"),
    "no amount": lambda shape, lines: _with(shape, lines, shape.amount_column, ""),
    "a date that does not exist": lambda shape, lines: _with(
        shape, lines, shape.date_column, "2026-02-31 10:00:00"
    ),
    "a short year": lambda shape, lines: _with(shape, lines, shape.date_column, "31/01/26"),
}


@every_shape
@pytest.mark.parametrize("change", CELLS.values(), ids=CELLS.keys())
def test_a_damaged_cell_is_refused_at_its_line(shape: Shape, change: Change) -> None:
    """The error has the file, the line and, but for JSON that is broken, the cell."""
    lines, line = change(shape, shape.fields(some_moves(shape.currencies[0])))
    with pytest.raises((BadValue, MalformedFile)) as caught:
        read_shape(shape, shape.write(lines))
    assert caught.value.details["line"] == line
    assert caught.value.details["file"] == "1.csv"


def _changed(shape: Shape, lines: Lines) -> tuple[Lines, int]:
    text = "1" if shape.form == "stripe-events" else f"1{shape.mark}00"
    return _with(shape, lines, shape.amount_column, text)


def _dropped(_shape: Shape, lines: Lines) -> tuple[Lines, int]:
    return lines[:3] + lines[4:], 3


def _doubled(_shape: Shape, lines: Lines) -> tuple[Lines, int]:
    return [*lines[:3], lines[2], *lines[3:]], 3


@every_shape
@pytest.mark.parametrize("change", [_changed, _dropped, _doubled])
def test_an_edited_file_is_unproved(shape: Shape, change: Change) -> None:
    """A changed amount, a dropped row and a doubled row break the chain of balances there.

    Without balances, only what has ids shows a doubled row, and the file says so.
    """
    content = shape.write(change(shape, shape.fields(some_moves(shape.currencies[0])))[0])
    shown = shape.has_sums if change is _changed else shape.has_ids and change is _doubled
    if not shape.has_balance and not shown:
        (file,) = read_shape(shape, content)
        assert "does not show whether a row is missing" in file.unproved[-1]
        return
    with pytest.raises((UnprovedFile, MalformedFile)) as caught:
        read_shape(shape, content)
    assert caught.value.details["line"] in {3, 4}
    if isinstance(caught.value, UnprovedFile) and change is not _doubled:
        (file,) = read(content, options=replace(shape.options, unproved=True))
        assert file.unproved


@every_shape
def test_bytes_that_are_refused(shape: Shape) -> None:
    """Latin-1, a NUL, and a file that was cut within a row."""
    party = replace(some_moves(shape.currencies[0])[0], text="PO-0 Müé")
    content = shape.file([party, *some_moves(shape.currencies[0])[1:]])
    cases: list[tuple[bytes, type[LiveportalError]]] = [
        (content.replace("Müé".encode(), b"M\xfc\xe9"), BadEncoding),
        (content.replace("Müé".encode(), b"M\0"), MalformedFile),
    ]
    for broken, kind in cases:
        with pytest.raises(kind) as caught:
            read_shape(shape, broken)
        line = content[: len(content.partition("Müé".encode())[0])].count(b"\n") + 1
        assert caught.value.details["line"] == line
    with pytest.raises(LiveportalError) as cut:
        read_shape(shape, content[: content.rindex(b"PO-") + 1])
    assert cut.value.details["line"] == content.rstrip().count(b"\n") + (
        1 if shape.header[0] != "{" else 0
    )


def test_movements_are_what_they_seem() -> None:
    """The kit's own promise: fees are negative, and no movement moves nothing."""
    found: list[Movement] = some_moves()
    assert all(move.fee <= 0 and move.amount + move.fee for move in found)
    assert Options().dates is None
