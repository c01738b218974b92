"""One renderer: the same names and values in every format."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.cli.io.errors import UnknownField
from liveportal.cli.io.render import check_output_possible, hint, render
from liveportal.cli.io.rich_output import format_short_time
from liveportal.cli.io.text import clean, csv_safe
from liveportal.cli.io.view_model import Detail, Table, format_cell, is_number, to_json_value
from liveportal.cli.options import OutputOptions
from liveportal.domain.errors import OutputFailed
from liveportal.domain.money import Money
from tests.cli.conftest import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liveportal.cli.io.view_model import Row

NOW = datetime(2026, 10, 9, 10, tzinfo=UTC)


class State(StrEnum):
    """An enumeration, as states are."""

    OPEN = "open"


REQUEST = {
    "id": "R-1",
    "state": State.OPEN,
    "customer": {"id": "C-1", "name": "Mina\x1b[31m\t\u202eX"},
    "rate": Money(-250, "USD"),
    "minutes": Decimal("95.50"),
    "matches": True,
    "skills": ["c#", "shaders"],
    "slots": [{"start": NOW, "minutes": 30}],
    "expires": None,
    "day": date(2026, 10, 9),
    "title": "=HYPERLINK(1)",
    "at": NOW,
    "count": -3,
}
FIELDS = (
    *("id", "state", "customer.id", "customer.name", "rate", "minutes", "matches", "skills"),
    *("slots", "expires", "day", "title", "at", "count"),
)


def shown(result: Table | Detail, to: io.StringIO | None = None, **options: Any) -> str:  # noqa: ANN401
    """Return the rendered output of a result."""
    stream = to or io.StringIO()
    render(result, OutputOptions(**options), stdout=stream, zone="UTC", width=200, now=NOW)
    return stream.getvalue()


def test_an_item_as_json() -> None:
    """JSON has every field, nested as its name says, amounts as strings, times in UTC."""
    assert json.loads(shown(Detail(FIELDS, REQUEST), json=True)) == {
        "id": "R-1",
        "state": "open",
        "customer": {"id": "C-1", "name": "Mina\x1b[31m\t\u202eX"},
        "rate": "-2.50",
        "minutes": "95.50",
        "matches": True,
        "skills": ["c#", "shaders"],
        "slots": [{"start": "2026-10-09T10:00:00Z", "minutes": 30}],
        "expires": None,
        "day": "2026-10-09",
        "title": "=HYPERLINK(1)",
        "at": "2026-10-09T10:00:00Z",
        "count": -3,
    }


def test_rows_are_plain() -> None:
    """A pipe gets one line a result: no header, no control characters, nothing cut."""
    line = (
        "R-1\topen\tC-1\tMina X\t-2.50\t95.50\ttrue\tc#,shaders\t"
        '[{"start":"2026-10-09T10:00:00Z","minutes":30}]\t\t2026-10-09\t=HYPERLINK(1)\t'
        "2026-10-09T10:00:00Z\t-3\n"
    )
    assert shown(Detail(FIELDS, REQUEST)) == line
    assert shown(Table(FIELDS, [REQUEST]), tsv=True, header=True) == "\t".join(FIELDS) + "\n" + line


def test_csv_runs_no_formula_and_leaves_numbers_alone() -> None:
    """Text that a spreadsheet would run is neutralised; negative numbers stay numbers."""
    header, row = csv.reader(io.StringIO(shown(Table(FIELDS, [REQUEST]), csv=True)))
    assert tuple(header) == FIELDS
    values = dict(zip(header, row, strict=True))
    assert values["title"] == "'=HYPERLINK(1)"
    assert (values["rate"], values["count"], values["minutes"]) == ("-2.50", "-3", "95.50")


def test_every_format_is_complete_without_rows() -> None:
    """No rows are an empty array, no lines, or a header."""
    nothing = Table(("id", "state"), [], empty="No requests.")
    assert json.loads(shown(nothing, json=True)) == []
    assert shown(nothing, jsonl=True) == ""
    assert shown(nothing, csv=True) == "id,state\n"
    assert shown(nothing) == ""
    assert "No requests." in shown(nothing, Terminal())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"json": True}, '[\n{"state": "open", "customer": {"id": "C-1"}}\n]\n'),
        ({"jsonl": True}, '{"state": "open", "customer": {"id": "C-1"}}\n'),
        ({"csv": True}, "state,customer.id\nopen,C-1\n"),
        ({"tsv": True}, "open\tC-1\n"),
    ],
)
def test_fields_are_chosen_in_every_format(options: dict[str, Any], text: str) -> None:
    """`--fields` selects the fields and their order."""
    table = Table(FIELDS, [REQUEST])
    assert shown(table, fields=["state, customer.id"], **options) == text
    assert shown(table, fields=["state", "customer.id"], **options) == text


def test_one_field_gives_bare_values() -> None:
    """What `requests list --field id` gives is what `requests accept -` takes."""
    assert shown(Table(FIELDS, [REQUEST, REQUEST]), fields=["id"]) == "R-1\nR-1\n"


def test_an_outer_field_is_all_that_is_within() -> None:
    """`--fields customer` is the customer, a column each."""
    assert shown(Detail(FIELDS, REQUEST), csv=True, fields=["customer"]).startswith(
        "customer.id,customer.name\n"
    )


def test_a_nested_value_that_is_none() -> None:
    """A field inside a null is null; a row may have dotted names of its own."""
    row = {"claim": None, "balance.owed": Money(1, "USD")}
    item = Detail(("claim.id", "balance.owed"), row)
    assert json.loads(shown(item, json=True)) == {
        "claim": {"id": None},
        "balance": {"owed": "0.01"},
    }


def test_an_unknown_field_is_named_with_the_known_ones() -> None:
    """A mistyped field is malformed input; nothing is written, rows are not even asked for."""

    def rows() -> Iterator[Row]:
        yield from ()
        raise AssertionError

    stream = io.StringIO()
    with pytest.raises(UnknownField) as caught:
        shown(Table(("id", "state"), rows()), stream, fields=["stat"])
    assert caught.value.code == "unknown_field"
    assert caught.value.details == {"field": "stat", "fields": ("id", "state")}
    assert "id, state" in str(caught.value.hint)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("value", [1.5, datetime(2026, 1, 1), {1}, b"x", object()])  # noqa: DTZ001
def test_values_that_results_do_not_have(value: object) -> None:
    """A float is no amount and a time without a zone no instant: both are bugs, loudly."""
    with pytest.raises(TypeError):
        to_json_value(value)
    with pytest.raises(TypeError):
        format_cell(value)


def test_a_row_without_its_field_is_a_bug() -> None:
    """A documented field is never quietly missing."""
    with pytest.raises(KeyError):
        shown(Detail(("id", "state"), {"id": "R-1"}))
    with pytest.raises(KeyError):
        shown(Detail(("id.x",), {"id": "R-1"}))


# --- every type in every format ---------------------------------------------------------------

SCALARS: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(st.one_of(st.characters(), st.sampled_from("\t\n\r\x1b\x7f\"',;=+-@\ud800"))),
    st.builds(Money, st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(["USD", "JPY", "KWD"])),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.just(State.OPEN),
    st.just(Path("/a/b")),
)
VALUES = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.dictionaries(st.text(max_size=3), SCALARS, max_size=3),
    st.lists(st.dictionaries(st.sampled_from("ab"), SCALARS), max_size=3),
)
ROWS = st.lists(st.fixed_dictionaries({"a": VALUES, "b": VALUES}), max_size=4)


@pytest.mark.slow
@given(ROWS)
def test_json_holds_any_value_in_printable_ascii(rows: list[dict[str, object]]) -> None:
    """JSON and JSON Lines agree, and a terminal obeys nothing in them."""
    table = Table(("a", "b"), rows)
    array, lines = shown(table, json=True), shown(table, jsonl=True)
    assert json.loads(array) == [json.loads(line) for line in lines.splitlines()]
    assert json.loads(array) == [{k: to_json_value(v) for k, v in row.items()} for row in rows]
    assert (array + lines).replace("\n", "").isascii()
    assert not rows or (array + lines).replace("\n", "").isprintable()


@pytest.mark.slow
@given(ROWS)
def test_rows_come_back_as_they_were(rows: list[dict[str, object]]) -> None:
    """CSV reads back cell by cell, and each line of TSV has as many cells as there are fields."""
    table = Table(("a", "b"), rows)
    read = list(csv.reader(io.StringIO(shown(table, csv=True), newline="")))[1:]
    for row, back in zip(rows, read, strict=True):
        for value, text in zip((row["a"], row["b"]), back, strict=True):
            assert text == (
                format_cell(value) if is_number(value) else csv_safe(format_cell(value))
            )
            assert clean(text) == text
    lines = shown(table).split("\n")[:-1]
    assert [line.split("\t") for line in lines] == [[format_cell(r[k]) for k in "ab"] for r in rows]


@given(ROWS, st.booleans())
def test_a_terminal_obeys_nothing_in_a_value(rows: list[dict[str, object]], one: bool) -> None:
    """Any value reaches a terminal as text and line breaks; also years without a zone."""
    for result in [Detail(("a", "b"), row) for row in rows] if one else [Table(("a", "b"), rows)]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NO_COLOR", "1")
            text = shown(result, Terminal())
        assert clean(text.replace("\n", " ")) == text.replace("\n", " ")


# --- a terminal -------------------------------------------------------------------------------


def test_a_terminal_shows_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chosen columns with headings, numbers to the right, local times, yes and no."""
    monkeypatch.setenv("NO_COLOR", "1")
    rows = [REQUEST, REQUEST | {"id": "R-200", "rate": Money(10000, "USD"), "matches": False}]
    human = ("id", "customer.name", "rate", "matches", "at", "expires")
    text = shown(Table(FIELDS, rows, human=human, title="Requests"), Terminal())
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines[0] == "Requests"
    assert lines[1].split() == ["id", "customer", "rate", "matches", "at", "(UTC)"]
    assert [line.split() for line in lines[3:]] == [
        ["R-1", "Mina", "X", "-2.50", "yes", "2026-10-09", "10:00"],
        ["R-200", "Mina", "X", "100.00", "no", "2026-10-09", "10:00"],
    ]
    assert lines[3].index("-2.50") + len("-2.50") == lines[4].index("100.00") + len("100.00")


def test_fields_win_over_what_a_terminal_shows_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--fields` holds on a terminal, too."""
    monkeypatch.setenv("NO_COLOR", "1")
    text = shown(Table(FIELDS, [REQUEST], human=("id",)), Terminal(), fields=["state"])
    assert [line.strip() for line in text.splitlines()][::2] == ["state", "open"]


def test_a_terminal_shows_a_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One result is a line for each field, and a line for each record in a list."""
    monkeypatch.setenv("NO_COLOR", "1")
    later = NOW + timedelta(hours=1)
    row = REQUEST | {"slots": [{"start": NOW, "minutes": 30}, {"start": later, "minutes": 1}]}
    text = shown(Detail(FIELDS, row, human=("id", "customer.id", "slots", "skills")), Terminal())
    assert [line.rstrip() for line in text.splitlines()] == [
        "Times in UTC",
        "id           R-1",
        "customer id  C-1",
        "",
        "when",
        "  start (UTC)       minutes",
        "  " + "\u2500" * 25,
        "  2026-10-09 10:00       30",
        "  2026-10-09 11:00        1",
        "",
        "skills       c#, shaders",
    ]


def test_nothing_is_cut_off_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long value is folded, never shortened."""
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    table = Table(("id", "title"), [{"id": "R-1", "title": "x" * 100}])
    render(table, OutputOptions(), stdout=stream, width=30)
    assert stream.getvalue().count("x") == 100


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_can_be_turned_off(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """No escape sequence reaches a terminal that wants none."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in shown(Detail(("id",), REQUEST), Terminal())
    monkeypatch.setenv(variable, value)
    assert "\x1b" not in shown(Detail(("id",), REQUEST), Terminal())


def test_json_on_a_terminal_is_indented() -> None:
    """The same document, easier to read."""
    assert shown(Detail(("id",), REQUEST), Terminal(), json=True) == '{\n  "id": "R-1"\n}\n'


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "2026-10-09 10:00 (now)"),
        (-59, "2026-10-09 09:59 (now)"),
        (60, "2026-10-09 10:01 (in 1 min)"),
        (-3599, "2026-10-09 09:00 (59 min ago)"),
        (7200, "2026-10-09 12:00 (in 2 h)"),
        (-86_399, "2026-10-08 10:00 (23 h ago)"),
        (86_400, "2026-10-10 10:00"),
    ],
)
def test_times_near_now_say_how_near(seconds: int, text: str) -> None:
    """A person reads the local time, and how far off it is within a day."""
    assert format_short_time(NOW + timedelta(seconds=seconds), NOW, UTC) == text


def test_hints_are_for_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hint goes to standard error, and only to a terminal."""
    hint("Try this.")
    assert capsys.readouterr() == ("", "")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    hint("Try\x1b[31m this.")
    assert terminal.getvalue() == "Try this.\n"
    monkeypatch.setattr(sys, "stderr", None)
    hint("No reader.")


# --- files ------------------------------------------------------------------------------------


def test_a_file_appears_whole_and_private(tmp_path: Path) -> None:
    """`--output` makes a file that only its owner reads; the pipe stays empty."""
    path = tmp_path / "out.csv"
    path.write_text("old")
    assert shown(Table(("id",), [REQUEST]), csv=True, output=path) == ""
    assert path.read_bytes() == b"id\nR-1\n"
    assert list(tmp_path.iterdir()) == [path]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    """Half an export is never seen."""

    def rows() -> Iterator[Row]:
        yield REQUEST
        raise ZeroDivisionError

    path = tmp_path / "out"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        shown(Table(("id",), rows()), output=path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_dash_is_standard_output() -> None:
    """`-o -` is where results go anyway."""
    assert shown(Detail(("id",), REQUEST), output=Path("-")) == "R-1\n"


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege elsewhere")
def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """A link and a folder are no files to be replaced; a device is written to, and stays one."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    for path in (link, tmp_path):
        with pytest.raises(OutputFailed, match="not a regular file"):
            shown(Detail(("id",), REQUEST), output=path)
    assert target.read_text() == "old"
    assert link.is_symlink()
    shown(Detail(("id",), REQUEST), output=Path(os.devnull))
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize("name", ["nowhere/out", "x" * 300])
def test_a_file_that_cannot_be_made(tmp_path: Path, name: str) -> None:
    """A missing folder and a name that is too long are both reported; neither is a bug."""
    with pytest.raises(OutputFailed):
        shown(Detail(("id",), REQUEST), output=tmp_path / name)


def test_what_is_in_use_is_not_written_over(tmp_path: Path) -> None:
    """A ledger is never replaced by what is read from it, under any path."""
    ledger = tmp_path / "ledger.db"
    ledger.write_text("books")
    (tmp_path / "sub").mkdir()
    out = OutputOptions(output=tmp_path / "sub" / ".." / "ledger.db")
    with pytest.raises(OutputFailed, match="used as input"):
        check_output_possible(FIELDS, out, spared=[tmp_path / "none", ledger])
    check_output_possible(FIELDS, OutputOptions(output=tmp_path / "new"), spared=[ledger])
    check_output_possible(FIELDS, OutputOptions(output=Path("-")), spared=[ledger])
    with pytest.raises(UnknownField):
        check_output_possible(FIELDS, OutputOptions(fields=["nothing"]))


class _Broken(io.StringIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, _text: str) -> int:
        raise self.error


def test_a_stream_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is reported in a sentence; a closed pipe is no failure."""
    with pytest.raises(OutputFailed, match="No space"):
        shown(Detail(("id",), REQUEST), _Broken(OSError(28, "No space left on device")))
    with pytest.raises(BrokenPipeError):
        shown(Detail(("id",), REQUEST), _Broken(BrokenPipeError(32, "Broken pipe")))
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputFailed, match="no standard output"):
        render(Detail(("id",), REQUEST), OutputOptions())


def test_a_failure_of_the_rows_is_not_the_outputs() -> None:
    """A missing input file is reported as such, not as a failure of the output."""

    def rows() -> Iterator[Row]:
        yield REQUEST
        raise FileNotFoundError(2, "No such file", "feed.jsonl")

    with pytest.raises(FileNotFoundError):
        shown(Table(("id",), rows()))
