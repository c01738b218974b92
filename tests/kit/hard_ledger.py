"""A ledger that is hard to show: long ids, wide and hostile texts, large amounts, a night of 25 h.

Amounts have three digits after the point, the platform's zone is UTC and the expert's is Paris.
"""

from __future__ import annotations

from typing import Any

from tests.kit.events import amount, line

WIDE = {
    "id": "C-4be1905d-4c5e-7d31-9a41-0000000000a1",
    "name": "李小龍",
    "timezone": "Asia/Hong_Kong",
}
HOSTILE = {
    "id": "C-0199f0a2-4c5e-7d31-9a41-0000000000b2",
    "name": "Ana\x1b[31m \u202eGarcía Fernández de la Vega",
    "timezone": "America/New_York",
    "language": "es",
}
PLAIN = {"id": "C-7", "name": "Joe"}
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
NOTE = (
    "The netcode desynchronises after 2026-10-25 02:30 for players in 3 regions; 12.500 KWD were"
    " lost, and the replay does not show why."
)


def request_id(number: int) -> str:
    """Return a long id; the last ones begin alike."""
    begin = f"0199f0{number * 37 % 256:02x}" if number < 30 else "0199f0a2"
    return f"REQ-{begin}-4c5e-7d31-9a{number:02x}-000000000000"


def session_id(number: int) -> str:
    """Return a long id."""
    return f"S-0199f0{number:02x}-4c5e-7d31-9a41-000000000000"


def kwd(text: str) -> dict[str, str]:
    """Return an amount as a feed writes it."""
    return amount(text, "KWD")


def _opened(number: int, when: str, customer: dict[str, str], **data: Any) -> bytes:  # noqa: ANN401
    given = {"kind": "instant", "title": NOTE, "skills": ["netcode"], "rate": kwd("3.000")}
    return line(
        "request.opened",
        when,
        id=f"open-{number}",
        request=request_id(number),
        customer=customer,
        **(given | data),
    )


def _session(
    number: int,
    customer: dict[str, str],
    start: str,
    end: str,
    **data: Any,  # noqa: ANN401
) -> bytes:
    """Return the events of a session that began at once."""
    ended = {"billed": data.pop("billed")} if "billed" in data else {}
    name = session_id(number)
    return b"".join(
        (
            _opened(number, start, customer, **data),
            line(
                "request.accepted",
                start,
                id=f"a-{number}",
                request=request_id(number),
                session=name,
            ),
            line("session.ended", end, id=f"e-{number}", session=name, **ended),
        )
    )


FEED = (
    _session(
        1, WIDE, "10-05 14:01", "10-05 14:21", title="着色器在安卓上閃爍 只在某些圖形處理器上"
    ),
    # In an hour that comes twice in Paris: 02:30 in summer time, then 02:30 in winter time.
    _session(2, HOSTILE, "10-25 00:30", "10-25 01:15", title=LONG_WORD),
    _session(3, PLAIN, "10-25 01:30", "10-25 02:30", title="Short"),
    _session(4, WIDE, "10-26 09:00", "10-26 10:00", billed=kwd("123456789.012")),
    _session(5, PLAIN, "10-27 09:00", "10-27 09:30", title=""),
    _session(6, HOSTILE, "11-03 20:00", "11-03 21:00"),
    line("tip.received", "10-26 10:05", id="t-1", session=session_id(4), amount=kwd("10.000")),
    line(
        "review.posted",
        "10-05 15:00",
        id="r-1",
        session=session_id(1),
        by="customer",
        rating=4,
        text=NOTE,
    ),
    line(
        "review.posted",
        "10-25 15:00",
        id="r-2",
        session=session_id(2),
        by="expert",
        rating=5,
        text="Friendly.",
    ),
    # Two are refunded; one is disputed, one open.
    line(
        "refund.claimed",
        "10-05 20:00",
        id="c-1",
        claim="CL-71e0c2b4-90aa-4d17-8d3e-aa0000000001",
        session=session_id(1),
        reason="It did not help.",
    ),
    line(
        "refund.granted", "10-06 09:00", id="g-1", claim="CL-71e0c2b4-90aa-4d17-8d3e-aa0000000001"
    ),
    line(
        "refund.claimed",
        "10-25 09:00",
        id="c-2",
        claim="CL-2",
        session=session_id(2),
        reason=NOTE,
    ),
    line("refund.granted", "10-25 10:00", id="g-2", claim="CL-2"),
    line("refund.claimed", "10-25 12:00", id="c-3", claim="CL-3", session=session_id(3)),
    line(
        "dispute.filed",
        "10-25 13:00",
        id="d-3",
        claim="CL-3",
        summary="The call ended at 02:30+01:00, see the recording.",
    ),
    line(
        "refund.claimed",
        "11-04 09:00",
        id="c-6",
        claim="CL-fe12a9d0-33b1-4a52-b7c6-aa0000000006",
        session=session_id(6),
        reason=NOTE,
    ),
    line(
        "payout.sent",
        "10-30 09:00",
        id="p-1",
        payout="PO-0199f0a2-4c5e-7d31-9a41-bb0000000001",
        amount=kwd("86419752.308"),
        method="paypal",
        reference="8XK41-22-LONG-REFERENCE",
    ),
    line("payout.paid", "11-02 09:00", id="p-2", payout="PO-0199f0a2-4c5e-7d31-9a41-bb0000000001"),
    line("payout.sent", "11-03 09:00", id="p-3", payout="PO-2", amount=kwd("9.000"), method="bank"),
    # Agreed and not over: one overdue, one live, one later, in slots that clash.
    _opened(
        20,
        "10-20 09:00",
        HOSTILE,
        kind="scheduled",
        slots=[{"start": "2026-11-04T09:00:00Z", "minutes": 45}],
    ),
    line(
        "request.accepted",
        "10-20 10:00",
        id="a-20",
        request=request_id(20),
        session=session_id(20),
        slot=1,
    ),
    _opened(21, "11-04 11:30", WIDE, title="Now"),
    line(
        "request.accepted", "11-04 11:31", id="a-21", request=request_id(21), session=session_id(21)
    ),
    _opened(
        22,
        "11-01 10:00",
        PLAIN,
        kind="scheduled",
        title="Later",
        slots=[{"start": "2026-11-05T19:00:00Z", "minutes": 60}],
    ),
    line(
        "request.accepted",
        "11-01 11:00",
        id="a-22",
        request=request_id(22),
        session=session_id(22),
        slot=1,
    ),
    # Open: an instant one, and one with three slots of two lengths.
    _opened(30, "11-04 11:50", HOSTILE, rate=kwd("2.500"), expires="2026-11-04T12:20:00Z"),
    _opened(
        31,
        "11-03 10:00",
        WIDE,
        kind="scheduled",
        title="下週的複習",
        rate=kwd("999999.999"),
        slots=[
            {"start": "2026-11-05T19:30:00Z", "minutes": 30},
            {"start": "2026-11-06T09:00:00Z", "minutes": 60},
            {"start": "2027-10-31T00:30:00Z", "minutes": 30},
        ],
    ),
    _opened(32, "11-02 10:00", PLAIN, title="Declined", expires="2026-11-02T11:00:00Z"),
    line("request.declined", "11-02 10:10", id="n-32", request=request_id(32), reason="No time"),
)
