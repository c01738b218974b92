"""Tables fit a terminal: numbers, dates, ids and states are whole, and what goes is named."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from liveportal.cli.io.columns import rank_of
from liveportal.cli.io.layout import GAP, Column, lay_out, measure, wrap
from liveportal.cli.io.rich_output import format_local_time
from liveportal.cli.io.text import clean
from liveportal.cli.io.text_tables import View, draw_table
from liveportal.domain.money import Money

WIDTHS = st.integers(40, 160)
TEXTS = st.text(st.sampled_from("ab 李-9ß\x1b\u202e\t"), max_size=60) | st.text(max_size=40)
COLUMNS = st.lists(
    st.builds(
        lambda rank, least, more, heading: Column("", rank, least, least + more, heading),
        st.integers(0, 9),
        st.integers(1, 30),
        st.integers(0, 60),
        st.integers(1, 20),
    ),
    min_size=1,
    max_size=12,
).map(lambda columns: [column._replace(name=str(n)) for n, column in enumerate(columns)])


@given(COLUMNS, WIDTHS)
def test_columns_fit_and_the_least_important_go(columns: list[Column], width: int) -> None:
    """Each column has its least width; a column is left out only if it and the rest do not fit."""
    widths = lay_out(columns, width)
    kept = [column for column in columns if column.name in widths]
    left_out = [column for column in columns if column.name not in widths]
    assert list(widths) == [column.name for column in kept]
    assert all(widths[column.name] >= column.least for column in kept)
    assert len(kept) == 1 or _total(list(widths.values())) <= width
    if left_out:
        assert min(column.rank for column in left_out) >= max(column.rank for column in kept)
        back = min(left_out, key=lambda column: column.rank)
        assert _total([column.least for column in (*kept, back)]) > width


def _total(widths: list[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


@given(COLUMNS, st.integers(400, 900))
def test_a_wide_terminal_shrinks_nothing(columns: list[Column], width: int) -> None:
    """Where there is room, each column is as wide as its cells and its heading."""
    assert lay_out(columns, width + 600) == {
        column.name: max(column.least, column.cells, column.heading) for column in columns
    }


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.from_regex(r"[A-Z]{1,3}-[0-9]{1,16}", fullmatch=True),
            "state": st.sampled_from(["open", "part refunded", "upcoming"]),
            "start": st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 2)),  # noqa: DTZ001
            "gross": st.builds(
                Money, st.integers(-(10**14), 10**14), st.sampled_from(["USD", "KWD"])
            ),
            "due_on": st.none() | st.dates(),
            "title": st.none() | TEXTS,
            "reason": TEXTS,
        }
    ),
    min_size=1,
    max_size=4,
)


@given(ROWS, WIDTHS)
def test_no_number_date_id_or_state_is_broken(rows: list[dict[str, object]], width: int) -> None:
    """Each is whole in one line of its row, and no line is wider than the terminal."""
    paris = ZoneInfo("Europe/Paris")
    fields = tuple(rows[0])
    table = draw_table(
        fields, rows, View(datetime(2026, 1, 1, tzinfo=UTC), paris, width), keep_empty=True
    )
    assert set(table.left_out) <= set(fields)
    shown = [field for field in fields if field not in table.left_out]
    assert "id" in shown
    for row, lines in zip(rows, table.rows, strict=True):
        first = lines[0].plain
        for field in shown:
            value = row[field]
            if isinstance(value, Money | date) or field in ("id", "state"):
                text = (
                    format_local_time(value, paris) if isinstance(value, datetime) else str(value)
                )
                assert f" {text} " in f" {first} "
        assert all(cell_len(line.plain) <= width for line in lines)
    dropped = [rank_of(field) for field in table.left_out]
    assert min(dropped, default=99) > max(rank_of(field) for field in shown)


@given(TEXTS.map(clean), st.integers(2, 50))
def test_a_folded_text_loses_nothing(text: str, width: int) -> None:
    """Its lines fit, and together they are the text."""
    lines = wrap(text, width, cell_len)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize("unit", ["2026-10-25 02:30+01:00", "123456789012.00 USD", "45 min"])
def test_a_time_and_an_amount_in_a_text_stay_on_a_line(unit: str) -> None:
    """A sentence breaks between them."""
    for width in range(len(unit), 60):
        assert any(unit in line for line in wrap(f"It was about {unit} then.", width, cell_len))


def test_sentences_are_not_squeezed_into_a_narrow_column() -> None:
    """A long text has room for a few words a line; a less important column goes instead."""
    words = "Nothing is paid out then. The payout profile is incomplete. It needs: tax form. " * 2
    cells = {"kind": ["session start"], "id": ["REQ-2"], "means": [words]}
    columns = [
        measure(name, name, texts, len, rank=rank, breaks=name == "means")
        for rank, (name, texts) in zip((9, 0, 1), cells.items(), strict=True)
    ]
    assert lay_out(columns, 40) == {"id": 5, "means": 33}
