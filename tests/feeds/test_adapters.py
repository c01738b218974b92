"""Adapters without a ledger: the documented example, choices by state, and shapes of files."""

from __future__ import annotations

import importlib.util
import io
import json
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.errors import LiveportalError
from liveportal.domain.events.envelope import Event
from liveportal.domain.money import Money
from liveportal.feeds.adapters import ADAPTERS, load
from liveportal.feeds.adapters.documents import documents
from liveportal.feeds.adapters.steps import ANY, UNKNOWN, ByState, Ignored, Settings
from tests.commands.test_adapters import CALENDLY_MONTH, MONTH
from tests.kit.webhooks import booking

SETTINGS = Settings(
    customer_id=lambda text: f"C-{len(text)}",
    rate=Money(300, "USD"),
    trust_schedule=True,
    hop="payout",
)
EXAMPLE = Path(__file__).parents[2] / "docs" / "events" / "adapter.py"


def unsigned(_headers: object, _body: bytes, _secret: bytes) -> bool:
    """Take any body."""
    return True


def read(content: bytes) -> list[dict[str, Any] | LiveportalError]:
    """Return the documents of a file."""
    return [found.content for found in documents(io.BytesIO(content), 0, unsigned, None)]


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """Load the adapter of docs/FEED.md."""
    spec = importlib.util.spec_from_file_location("adapter", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_of_the_documents_works(example: ModuleType) -> None:
    """A payout is an event, anything else is ignored."""
    payout = {"id": "P-1", "total": "84.00", "currency": "USD", "sent_at": "2026-10-30T10:00:00Z"}
    body = {"kind": "payout", "desk": "D-7", "payout": payout}
    (event,) = example.HelpDesk().steps(body, SETTINGS)
    assert (event.source, event.id, event.data.amount) == (
        "urn:helpdesk:D-7",
        "P-1:sent",
        Money(8400, "USD"),
    )
    assert list(example.HelpDesk().steps({"kind": "hello"}, SETTINGS)) == [Ignored("hello")]


def test_a_choice_takes_the_first_entity_that_is_known() -> None:
    """Its own state first, then any state, then what to do with an unknown one."""
    by_state = ByState(
        entities=(("session", "S"), ("request", "R")),
        steps={
            "session.live": Ignored("live"),
            f"session.{ANY}": Ignored("session"),
            f"request.{ANY}": Ignored("request"),
            UNKNOWN: Ignored("unknown"),
        },
    )
    known = {("session", "S"): "live", ("request", "R"): "open"}
    assert by_state.of(lambda *entity: known.get(entity)) == Ignored("live")
    known["session", "S"] = "ended"
    assert by_state.of(lambda *entity: known.get(entity)) == Ignored("session")
    del known["session", "S"]
    assert by_state.of(lambda *entity: known.get(entity)) == Ignored("request")
    assert by_state.of(lambda *_: None) == Ignored("unknown")


@pytest.mark.parametrize("name", ADAPTERS)
@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, dict))
)
def test_any_document_gives_steps_or_an_error(name: str, document: dict[str, Any]) -> None:
    """Never another exception."""
    try:
        steps = list(load(name).steps(document, SETTINGS))
    except LiveportalError:
        return
    assert all(isinstance(step, Event | ByState | Ignored) for step in steps)


@given(data=st.data())
@pytest.mark.parametrize(("name", "bodies"), [("calcom", MONTH), ("calendly", CALENDLY_MONTH)])
def test_a_changed_value_gives_steps_or_an_error(
    name: str, bodies: tuple[dict[str, Any], ...], data: st.DataObject
) -> None:
    """A body in which one value is another one."""
    body = json.loads(json.dumps(data.draw(st.sampled_from(bodies))))
    place = body
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(
        st.none() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})
    )
    with suppress(LiveportalError):
        list(load(name).steps(body, SETTINGS))


@given(bodies=st.lists(st.sampled_from(MONTH), max_size=5), indent=st.sampled_from([None, 0, 2]))
def test_an_array_has_the_documents_of_its_lines(
    bodies: list[dict[str, Any]], indent: int | None
) -> None:
    """Whatever its layout."""
    text = json.dumps(bodies, indent=indent).encode()
    as_lines = b"".join(json.dumps(body).encode() + b"\n" for body in bodies)
    assert read(text) == read(as_lines) == bodies


@pytest.mark.parametrize(
    "content",
    [b"[{}", b"[{},]x", b"[1]", b"{\n", b"[[]]", b'{"a":1,"a":2}', b"\xff\n", b"[" * 9999],
)
def test_what_is_no_document_is_an_error(content: bytes) -> None:
    """With a line, and never in silence."""
    found = list(documents(io.BytesIO(content), 0, unsigned, None))
    assert any(isinstance(each.content, LiveportalError) for each in found)
    assert all(each.line.number >= 1 for each in found)


def test_a_part_of_a_minute_is_a_minute() -> None:
    """A planned length is whole minutes."""
    body = booking(
        "BOOKING_CREATED", "A", "05T09:00", created="01T10:00", endTime="2026-10-05T09:30:30Z"
    )
    opened, _ = load("calcom").steps(body, SETTINGS)
    assert isinstance(opened, Event)
    assert opened.data.slots[0].minutes == 31  # type: ignore[attr-defined]
