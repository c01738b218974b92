"""A feed is parsed line by line: each gives an event, or an error with field and reason."""

from __future__ import annotations

import io
import json
from codecs import BOM_UTF8
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from liveportal.domain.errors import AmountTooLarge, InvalidEvent, LiveportalError
from liveportal.domain.events.envelope import Event
from liveportal.domain.events.types import RequestOpened
from liveportal.feeds import jsonl
from liveportal.feeds.jsonl import lines, parse, read
from tests.kit.event_contract import CONTRACT, full
from tests.kit.events import amount, at, short

OPENED: dict[str, Any] = {
    "specversion": "1.0",
    "id": "evt-1",
    "source": "https://help.example/expert/7",
    "type": "liveportal.request.opened",
    "time": "2026-10-05T00:00:00Z",
    "data": {
        "request": "R-1",
        "kind": "instant",
        "customer": {"id": "C-1"},
        "title": "help",
        "rate": amount("84.00"),
    },
}


def raw(**changes: object) -> bytes:
    """Return a valid line with some of its envelope changed; `None` removes an attribute."""
    document = {name: part for name, part in (OPENED | changes).items() if part is not None}
    return json.dumps(document).encode()


def data(**changes: object) -> bytes:
    """Return a good line with some of its data changed."""
    return raw(data=OPENED["data"] | changes)


def text(before: str, after: str) -> bytes:
    """Return a good line with a piece of its text replaced; the piece must be there."""
    line = json.dumps(OPENED)
    assert before in line
    return line.replace(before, after).encode("utf-8", "surrogatepass")


def refused(line: bytes) -> InvalidEvent:
    """Return the error that refuses a line; it is short and gives the reason."""
    with pytest.raises(InvalidEvent) as caught:
        parse(line)
    assert caught.value.code == "invalid_event"
    assert caught.value.reason
    assert len(caught.value.message) < 300
    return caught.value


def test_a_good_line() -> None:
    """A structured-mode CloudEvent becomes an event; unknown attributes are kept."""
    event = parse(raw(subject="S-1", datacontenttype="application/json", retries=3, test=True))
    assert (event.source, event.id) == ("https://help.example/expert/7", "evt-1")
    assert event.type == "liveportal.request.opened"
    assert event.time == at("2026-10-05T00:00:00Z")
    assert event.attributes == {
        "subject": "S-1",
        "datacontenttype": "application/json",
        "retries": 3,
        "test": True,
    }
    assert event == parse(raw())


@pytest.mark.parametrize("kind", CONTRACT)
def test_every_type_comes_in(kind: str) -> None:
    """Every type of the contract is read from a feed."""
    assert kind == parse(raw(type=f"liveportal.{kind}", data=full(kind))).data.TYPE


# --- not JSON, or not an event --------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        bytes(range(256)),
        b"\xff\xfe{\x00}\x00",
        b"\x00" * 64,
        b"{",
        b"}",
        b"{}{}",
        b"{'id': 1}",
        b'{"id": 1,}',
        b"// a comment",
        b"\xef\xbb\xbf" + raw(),
        raw() + b"\x00",
        raw() + b" trailing",
        raw()[:-1],
        b'"' + b"a" * 1_000_000,
        b"SQLite format 3\x00",
    ],
    ids=short,
)
def test_junk(line: bytes) -> None:
    """Binary junk, half a line, two values in one, a byte order mark: refused with a sentence."""
    assert refused(line).field == ""


@pytest.mark.parametrize(
    "line", [b"\xff", b"\xed\xa0\x80", raw().replace(b"help", b"\xc3\x28")], ids=short
)
def test_invalid_utf_8(line: bytes) -> None:
    """A feed is UTF-8; nothing is replaced or guessed."""
    assert "UTF-8" in refused(line).message


@pytest.mark.parametrize(
    "line", [b"[]", b"null", b"5", b'"x"', b"true", b"[" + raw() + b"]"], ids=short
)
def test_not_an_object(line: bytes) -> None:
    """An event is a JSON object."""
    assert "object" in refused(line).message


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have(number: str) -> None:
    """NaN and the infinities are not JSON."""
    refused(text('"84.00"', number))
    refused(text('"evt-1"', number))


def test_a_number_that_overflows_a_float() -> None:
    """1e999 cannot be written back: it is refused in any field."""
    line = raw(type="liveportal.preferences.changed", data={"availability": ["@"]})
    with pytest.raises(LiveportalError):
        parse(line.replace(b'"@"', b"1e999"))


@pytest.mark.parametrize("digits", [19, 400, 4_000, 100_000])
def test_huge_whole_numbers(digits: int) -> None:
    """A number of any length is refused in its field, or as too long; never computed with."""
    line = data(slots=[{"start": "2026-10-05T00:00:00Z", "minutes": "@"}])
    error = refused(line.replace(b'"@"', b"9" * digits))
    assert error.field in ("slots[1].minutes", "")


@pytest.mark.parametrize("depth", [100, 900, 2_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting(depth: int, opening: str, closing: str) -> None:
    """Nesting without end is refused, not crashed on."""
    inside = opening * depth + "1" + closing * depth
    refused(text('"R-1"', inside))
    refused(inside.encode())


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ('"id": "evt-1"', '"id": "evt-1", "id": "evt-1"', "id"),
        ('"request": "R-1"', '"request": "R-1", "request": "R-2"', "request"),
        ('"amount": "84.00"', '"amount": "84.00", "amount": "1.00"', "amount"),
    ],
)
def test_duplicate_keys(before: str, after: str, name: str) -> None:
    """A key that occurs twice in one object is refused by name: neither value is chosen."""
    assert refused(text(before, after)).field == name


# --- the envelope ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "time", "data"])
def test_a_missing_part(name: str) -> None:
    """Every part of the envelope is required."""
    error = refused(raw(**{name: None}))
    assert error.field == name


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "time"])
@pytest.mark.parametrize(
    "value", [5, 5.5, True, [], {}, "", "\x00", "a\nb", "\ud800", "x" * 1025], ids=short
)
def test_a_wrong_part(name: str, value: object) -> None:
    """Names are printable texts of a bearable length."""
    assert refused(raw(**{name: value})).field == name


@pytest.mark.parametrize("version", ["0.3", "1", "1.1", 1.0])
def test_another_version(version: object) -> None:
    """Only CloudEvents 1.0 is read."""
    assert refused(raw(specversion=version)).field == "specversion"


@pytest.mark.parametrize(
    "kind",
    [
        "liveportal.session.exploded",
        "session.ended",
        "liveportal.",
        "liveportal",
        "Liveportal.session.ended",
        "liveportal.liveportal.session.ended",
        "liveportal.session.ended ",
        "com.example.other",
    ],
)
def test_an_unknown_type(kind: str) -> None:
    """A type that the contract does not have is refused, never skipped."""
    error = refused(raw(type=kind))
    assert error.field == "type"
    assert kind in error.message


@pytest.mark.parametrize(
    "time",
    [
        "2026-10-05T00:00:00",
        "2026-10-05",
        "yesterday",
        "2026-13-05T00:00:00Z",
        "2026-10-05T00:00:00+25:00",
        "0001-01-01T00:00:00+10:00",
    ],
)
def test_a_time_that_is_none(time: str) -> None:
    """No offset, or no such time: refused in its field."""
    assert refused(raw(time=time)).field == "time"


def test_a_time_with_more_digits() -> None:
    """Seven and nine digits of a second are cut to six, in the envelope and in the data."""
    inner = OPENED["data"] | {"expires": "2026-10-05T00:30:00.9999999Z"}
    event = parse(raw(time="2026-10-05T00:00:00.999999999Z", data=inner))
    assert event.time == at("2026-10-05T00:00:00.999999Z")
    assert isinstance(event.data, RequestOpened)
    assert event.data.expires == at("2026-10-05T00:30:00.999999Z")


def test_a_byte_order_mark_is_skipped() -> None:
    """At the beginning of a feed only: elsewhere it is invalid JSON."""
    feed_lines = list(lines(io.BytesIO(BOM_UTF8 + raw() + b"\n" + BOM_UTF8 + raw() + b"\n")))
    assert parse(feed_lines[0].raw) == parse(raw())
    with pytest.raises(InvalidEvent):
        parse(feed_lines[1].raw)
    assert list(lines(io.BytesIO(BOM_UTF8))) == []
    again = list(lines(io.BytesIO(BOM_UTF8 + raw()), before=1))
    assert again[0].raw.startswith(BOM_UTF8)


@pytest.mark.parametrize(
    "name", ["Subject", "my_name", "my-name", "é", "", "data_base64", "a" * 65], ids=short
)
def test_an_attribute_that_there_cannot_be(name: str) -> None:
    """Attributes of CloudEvents are lower-case letters and digits; bytes are not taken."""
    assert refused(raw(**{name: "x"})).field == name[:64]


@pytest.mark.parametrize("value", [5.5, [], {}, [1]])
def test_an_attribute_of_another_sort(value: object) -> None:
    """An attribute is a text, a whole number or a truth value."""
    assert refused(raw(subject=value)).field == "subject"


# --- data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [84, 84.0, 0.1, -1, 1e30])
def test_amounts_are_never_numbers(number: float) -> None:
    """An amount that is a JSON number is refused, whole ones too."""
    error = refused(data(rate={"amount": number, "currency": "USD"}))
    assert error.field == "rate"


@pytest.mark.parametrize(("one", "other"), [("84.0", "84.00"), ("84", "84.00"), ("084.00", "84.0")])
def test_amounts_are_what_they_mean(one: str, other: str) -> None:
    """84.0 is 84.00."""
    assert parse(data(rate=amount(one))) == parse(data(rate=amount(other)))


def test_an_amount_too_large_is_named() -> None:
    """Larger than 2^63-1 is refused; the error names the field as that of a malformed line does."""
    with pytest.raises(AmountTooLarge) as caught:
        parse(data(rate=amount("1" + "0" * 30)))
    assert caught.value.details["field"] == "rate"


def test_an_unknown_field() -> None:
    """A field that the type does not have is refused by its path."""
    assert refused(data(colour="red")).field == "colour"
    assert refused(data(customer={"id": "C-1", "nick": "x"})).field == "customer.nick"
    assert len(refused(data(**{"x" * 10_000: 1})).field) == 64


@pytest.mark.parametrize(
    "title", ["x" * 10_000_000, "\x00", "\ud800", "\u202e\x1b[2J", "💥" * 9], ids=short
)
def test_free_text_is_kept(title: str) -> None:
    """Ten megabytes, NUL, a lone surrogate (escaped, as JSON may): free text is kept as it came."""
    event = parse(data(title=title))
    assert event.data.title == title  # type: ignore[attr-defined]


def test_key_order_and_space_do_not_count() -> None:
    """The same event in another order, with other spaces, is the same event."""
    swapped = json.dumps(dict(reversed(OPENED.items())), indent=1).replace("\n", " ")
    assert parse(swapped.encode()) == parse(raw())


# --- lines ----------------------------------------------------------------------------------------


def test_lines_are_numbered_as_an_editor_does() -> None:
    """From 1; blank lines count but are skipped; CRLF and a missing last line end are fine."""
    feed_lines = list(lines(io.BytesIO(b"a\r\n\n  \t\nb\n\r\nc")))
    assert [(line.number, line.raw) for line in feed_lines] == [(1, b"a"), (4, b"b"), (6, b"c")]
    assert list(lines(io.BytesIO(b""))) == []


def test_a_line_too_long_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line without an end is refused before it fills the memory; the feed goes on behind it."""
    monkeypatch.setattr(jsonl, "LONGEST_LINE", 100)
    stream = io.BytesIO(b"a" * 90 + b"\n" + b"b" * 5_000 + b"\nc")
    good, bad, after = list(lines(stream))
    assert (good.raw, good.whole, after.number) == (b"a" * 90, True, 3)
    assert len(bad.raw) <= 1_024
    with pytest.raises(InvalidEvent, match="longer than 100 bytes"):
        read(bad)


# --- any input ------------------------------------------------------------------------------------


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def parsed(line: bytes) -> Event | LiveportalError:
    """Parse a line; anything but an event or our own error is a bug."""
    try:
        return parse(line)
    except LiveportalError as error:
        return error


@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf{}")
@example(b'{"\\ud800":1}')
@example(b'{"a":1,"a":2}')
def test_any_bytes(line: bytes) -> None:
    """Any bytes give an event, or an error of the program."""
    assert isinstance(parsed(line), LiveportalError)


@given(st.integers(0, len(raw())), st.integers(0, len(raw())), st.binary(max_size=6))
def test_any_damage(start: int, stop: int, piece: bytes) -> None:
    """A good line with a piece cut out and another put in: an event, or an error of ours."""
    good = raw()
    parsed(good[:start] + piece + good[max(start, stop) :])


@settings(max_examples=200)
@given(st.sampled_from(sorted(CONTRACT)), st.data())
def test_any_value_in_any_field(kind: str, draw: st.DataObject) -> None:
    """Any JSON value in any field of any type: an event, or an error of ours."""
    fields = full(kind)
    name = draw.draw(st.sampled_from([*fields, "x"]), label="field")
    document = {**OPENED, "type": f"liveportal.{kind}"}
    document["data"] = fields | {name: draw.draw(json_values, label="value")}
    outcome = parsed(json.dumps(document).encode())
    assert name != "x" or isinstance(outcome, InvalidEvent)


@given(st.sampled_from([*OPENED, "subject", "X"]), json_values)
def test_any_value_in_the_envelope(name: str, value: object) -> None:
    """Any JSON value in any part of the envelope: an event, or an error of ours."""
    parsed(raw(**{name: value}))
