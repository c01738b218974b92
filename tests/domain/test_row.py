"""Rows have typed attributes, the order of JSON, and the columns of their nested rows."""

from __future__ import annotations

import pytest

from liveportal.domain.row import Row, columns, extend, pick, row


@row
class Person(Row):
    """Somebody, by id."""

    id: str
    name: str | None = None


@row
class Visit(Row):
    """A visit, with a person and with others."""

    number: int
    person: Person | None
    others: list[Person]


@row
class LongVisit(Visit):
    """A visit with a field more, and columns in an order of their own."""

    minutes: int
    COLUMNS = ("number", "minutes", "person.id", "others")


VISIT = Visit(number=1, person=Person(id="a", name="Ann"), others=[Person(id="b")])


def test_a_row_is_typed_and_a_mapping() -> None:
    """Attributes for Python, items by the names of JSON."""
    assert VISIT.person is not None
    assert (VISIT.person.name, VISIT["person"]["name"], list(VISIT)) == (
        "Ann",
        "Ann",
        ["number", "person", "others"],
    )
    assert VISIT == {
        "number": 1,
        "person": {"id": "a", "name": "Ann"},
        "others": [{"id": "b", "name": None}],
    }
    with pytest.raises(KeyError, match="length"):
        VISIT["length"]
    with pytest.raises(TypeError, match="minutes"):
        LongVisit(number=1, person=None, others=[])  # type: ignore[call-arg]


def test_the_columns_of_a_nested_row_are_columns() -> None:
    """A row within a row is flat in columns, a list of rows is one; an order may be declared."""
    assert columns(Visit) == ("number", "person.id", "person.name", "others")
    assert columns(LongVisit) == ("number", "minutes", "person.id", "others")


@row
class _Tree(Row):
    """A row that is one column where a field has it."""

    IS_CELL = True

    what: str
    parts: list[_Tree]


@row
class _Explained(Row):
    month: str
    net: _Tree


def test_an_object_may_be_one_column() -> None:
    """Its class says so."""
    assert columns(_Explained) == ("month", "net")


def test_a_row_takes_the_values_that_it_names() -> None:
    """Of a mapping with more, or of another row; one that is missing is an error."""
    assert pick(_Tree, {"what": "a", "parts": [], "more": 1}) == _Tree(what="a", parts=[])
    with pytest.raises(KeyError):
        pick(_Explained, {"month": "2026-10"})


def test_a_row_is_extended_by_the_fields_that_it_lacks() -> None:
    """By exactly these, in order, so that the row is what its class would have made."""
    assert extend(LongVisit, VISIT, minutes=5) == LongVisit(**VISIT, minutes=5)
    for values in ({}, {"length": 5}, {"minutes": 5, "length": 5}):
        with pytest.raises(TypeError, match="minutes"):
            extend(LongVisit, VISIT, **values)
