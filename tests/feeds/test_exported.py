"""Reading an export: its contents, and that reading it again gives the same."""

from __future__ import annotations

from io import BytesIO

import pytest

from liveportal.domain.errors import FileChanged, InvalidEvent, NoEvents
from liveportal.exports.events import line as exported_line
from liveportal.feeds import exported, jsonl
from tests.kit.events import amount, event

RECORDED = "2026-10-05T09:00:00.000000Z"


def content(title: str = "help", customer: str = "C-1") -> bytes:
    """Return an export of two events."""
    opened = event(
        "request.opened",
        "10-05 08:00",
        request="R-1",
        kind="instant",
        customer={"id": customer},
        title=title,
        rate=amount("3.00"),
    )
    gone = event("customer.forgotten", "10-05 09:00", customer=customer)
    lines = [exported_line(each, RECORDED, erased=False) for each in (opened, gone)]
    return "".join(f"{line}\n" for line in lines).encode()


def test_what_is_in_it() -> None:
    """Counts, and the events that only the expert may report."""
    export = exported.summarise(BytesIO(content()))
    assert (export.events, export.forgotten, export.policies) == (2, ["C-1"], [])
    assert export.types["liveportal.request.opened"] == 1
    assert not export.begins_ledger
    with pytest.raises(NoEvents):
        exported.summarise(BytesIO(b"\n"))


def test_a_file_that_is_written_to_meanwhile() -> None:
    """The confirmed contents are imported, or nothing."""
    before = content()
    digest = exported.summarise(BytesIO(before)).digest
    assert sum(map(len, exported.events(BytesIO(before), digest))) == 2
    with pytest.raises(FileChanged):
        list(exported.events(BytesIO(content(customer="C-2")), digest))


def test_a_line_may_be_longer_than_that_of_a_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed's longest text comes back, though ASCII takes three times the bytes."""
    monkeypatch.setattr(jsonl, "LONGEST_LINE", 2_000)
    monkeypatch.setattr(exported, "LONGEST_LINE", 4 * 2_000)
    long = content("é" * 900)
    assert len(long) > 2 * 2_000
    assert exported.summarise(BytesIO(long)).events == 2
    with pytest.raises(InvalidEvent, match=r"Line 1 is longer than 8000 bytes\."):
        exported.summarise(BytesIO(content("é" * 9_000)))
