"""Feeds for the front page: a busy day, with titles and ids of every kind, and a second zone."""

from __future__ import annotations

from typing import Any

from tests.kit.events import amount
from tests.kit.planned_sessions import book, event_line

LONG_ID = "01890a5d-ac9{}-774b-bcce-b302099a8000"
"""The ids of two requests, which differ in one character."""
HOSTILE = "\x1b]0;x\x07\x1b[31mfree\u202e money [@click=app.quit]x[/]\nnext line " + "w" * 300


def opened(name: str, when: str, **data: Any) -> bytes:  # noqa: ANN401 -- As events have it.
    """Return the line by which an instant request is opened, unless given otherwise."""
    given: dict[str, Any] = {
        "kind": "instant",
        "customer": {"id": "C-140", "name": "Bob"},
        "title": "Quick question about Cinemachine",
        "rate": amount("3.50"),
    }
    return event_line("request.opened", when, request=name, **(given | data))


def ended(name: str, start: str, end: str, **data: Any) -> bytes:  # noqa: ANN401
    """Return the lines by which a session was held."""
    return (
        opened(f"R-{name}", start, **data)
        + event_line("request.accepted", start, request=f"R-{name}", session=f"S-{name}")
        + event_line("session.ended", end, session=f"S-{name}")
    )


REQUESTS = (
    opened("REQ-2101", "11-04 11:50", expires="2026-11-04T12:19:30Z", title=HOSTILE)
    + opened("REQ-2102", "11-04 11:50", expires="2026-11-04T12:42:00Z", rate=amount("1.50"))
    + opened(LONG_ID.format("a"), "11-04 11:51", expires="2026-11-05T11:30:00Z")
    + opened(LONG_ID.format("b"), "11-04 11:52", expires="2026-11-07T11:30:00Z", direct=True)
    + opened(
        "REQ-2104",
        "11-04 11:53",
        kind="scheduled",
        slots=[{"start": "2026-11-06T10:00:00Z", "minutes": 60}],
        customer={"id": "C-9", "name": "李小龍"},
        title="渲染管線的檢查與改進還有一些關於著色器的問題",
    )
)
SESSIONS = (
    opened("R-LIVE", "11-04 11:20", customer={"id": "C-7", "name": "Ahmed El-Sayed"})
    + event_line("request.accepted", "11-04 11:29", request="R-LIVE", session="S-LIVE")
    + opened("R-PAUSED", "11-04 10:20", customer={"id": "C-8", "name": "Zoë 👩‍💻"})
    + event_line("request.accepted", "11-04 10:30", request="R-PAUSED", session="S-PAUSED")
    + event_line("session.paused", "11-04 11:00", session="S-PAUSED")
    + book("late", "11-04 11:45", called="Joe")
    + book("soon", "11-04 12:50", called="Priya Nair", title="Save system review")
    + book("later", "11-06 10:00", called="Mina")
)
CLAIMS = b"".join(
    ended(f"C{n}", f"11-03 {n + 8:02}:00", f"11-03 {n + 8:02}:{n}5", customer={"id": f"C-{n}"})
    + event_line("refund.claimed", f"11-04 0{n}:00", claim=f"CL-{n}", session=f"S-C{n}")
    for n in (1, 2, 3)
)
OCTOBER = b"".join(
    ended(f"O{n}", f"10-{n:02} 09:00", f"10-{n:02} 10:30", rate=amount("5.00")) for n in (5, 6, 7)
)
BUSY = OCTOBER + CLAIMS + SESSIONS + REQUESTS
CROWDED = BUSY + b"".join(opened(f"REQ-3{n:03}", "11-04 11:55") for n in range(8))

# The clock goes back in Paris on 25 October: 02:30 comes twice.
TWICE = book("first", "10-25 00:30", called="Ana") + book("second", "10-25 01:30", called="Ana")
