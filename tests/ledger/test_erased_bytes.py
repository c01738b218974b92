"""Erased data is gone from the file, too, and a replay returns the first result."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from liveportal.domain.events.types import CustomerForgotten, RequestAccepted, SessionRescheduled
from liveportal.domain.policy import Policy
from liveportal.ledger.queries import sessions
from liveportal.portal import Portal
from tests.kit.events import at

if TYPE_CHECKING:
    from pathlib import Path

NAME = "Sesamstrasse"


def opened(number: int, **data: object) -> bytes:
    """Return a line of a feed: a request of the customer."""
    event = {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "https://help.example/7",
        "type": "liveportal.request.opened",
        "time": "2026-10-05T08:00:00Z",
        "data": {
            "request": f"R-{number}",
            "customer": {"id": "C-1", "name": NAME},
            "title": f"{NAME} {number}",
            "rate": {"amount": "3.00", "currency": "USD"},
            **data,
        },
    }
    return json.dumps(event).encode() + b"\n"


@pytest.mark.parametrize("by_record", [False, True])
def test_nothing_of_a_forgotten_customer_is_left_in_the_files(
    tmp_path: Path, by_record: bool
) -> None:
    """Neither a free page of the ledger nor its write-ahead log holds the name any more."""
    path = tmp_path / "ledger.db"
    Portal.create(path, Policy())
    with Portal(path) as portal:
        portal.sync(io.BytesIO(b"".join(opened(n, kind="instant") for n in range(200))))
        assert any(NAME.encode() in file.read_bytes() for file in tmp_path.iterdir())
        if by_record:
            event = portal.event(CustomerForgotten(customer="C-1"), at=at("10-07 08:00"))
            portal.record([event], allow=True)
        else:
            portal.execute(CustomerForgotten(customer="C-1"))
        for file in tmp_path.iterdir():
            assert NAME.encode() not in file.read_bytes(), file.name
    assert NAME.encode() not in path.read_bytes()


def test_a_replayed_acceptance_shows_the_time_that_was_accepted(tmp_path: Path) -> None:
    """Also where the session has the request's id, and was moved since."""
    path = tmp_path / "ledger.db"
    Portal.create(path, Policy())
    slot = {"start": "2026-10-12T09:00:00Z", "minutes": 45}
    with Portal(path) as portal:
        portal.sync(io.BytesIO(opened(1, kind="scheduled", slots=[slot])))

        def accepted() -> object:
            starts: list[object] = []
            portal.execute(
                RequestAccepted(request="R-1", slot=1),
                at=at("10-05 09:00"),
                key="k",
                read_back=lambda reader, _: starts.append(
                    sessions.planned_times(reader, "R-1").start
                ),
            )
            return starts

        first = accepted()
        moved = SessionRescheduled(session="R-1", start=at("10-13 09:00"))
        portal.execute(moved, at=at("10-06 09:00"))
        assert accepted() == first
