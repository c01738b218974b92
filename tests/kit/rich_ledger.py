"""A small ledger with something in every table, made by whichever version runs this.

The released versions made the fixtures with it, so it needs nothing but the program's own `main`:

    PYTHONPATH=<that version> python rich.py FOLDER FORM
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LATEST = 4
"""The newest form that it makes; a released version made those before it."""

NOW = datetime(2027, 1, 1, tzinfo=UTC)

FEED = "https://help.example/experts/7"
MIRROR = "https://other.example/mirror"

TRANSCRIPT = """\
WEBVTT

00:00:01.000 --> 00:00:04.000
<v Mina>The shader flickers when I turn.

00:00:05.500 --> 00:00:09.000
<v Anna>Show me the second pass, please.

00:14:17.000 --> 00:14:20.000
<v Mina>Now it is fixed, thank you!
"""
CODE = 'Shader "Fix" { Pass { ZWrite Off } }\n'


def usd(text: str) -> dict[str, str]:
    """Return an amount as a feed writes it."""
    return {"amount": text, "currency": "USD"}


def _events() -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """Yield type, time, data and source of each event."""
    mina = {"id": "C-77", "name": "Mina Park", "timezone": "Asia/Seoul", "language": "ko"}
    joe = {"id": "C-12", "name": "Joe Fisher", "timezone": "America/New_York"}
    gone = {"id": "C-99", "name": "Nobody Now"}

    def instant(number: int, customer: dict[str, str], day: str, minutes: int) -> Iterator[Any]:
        request, session = f"REQ-{number}", f"S-{number}"
        yield (
            "request.opened",
            f"{day}T09:00:00Z",
            {
                "request": request,
                "kind": "instant",
                "customer": customer,
                "title": f"Help {number}",
                "description": "It flickers.",
                "skills": ["urp", "shaders"],
                "rate": usd("3.00"),
                "expires": f"{day}T09:30:00Z",
            },
            FEED,
        )
        accepted = {"request": request, "session": session}
        yield "request.accepted", f"{day}T09:05:00Z", accepted, FEED
        yield "session.paused", f"{day}T09:10:00Z", {"session": session}, FEED
        yield "session.resumed", f"{day}T09:12:00Z", {"session": session}, FEED
        yield "session.ended", f"{day}T09:{5 + minutes:02}:00Z", {"session": session}, FEED

    for number, customer, day, minutes in (
        (1, mina, "2026-10-02", 22),
        (2, joe, "2026-10-09", 47),
        (3, mina, "2026-10-16", 7),
        (4, gone, "2026-10-23", 30),
        (5, joe, "2026-11-02", 40),
        (6, joe, "2026-11-03", 50),
    ):
        yield from instant(number, customer, day, minutes)

    def event(kind: str, time: str, source: str = FEED, /, **data: Any) -> Any:  # noqa: ANN401
        return kind, f"2026-{time}:00Z", data, source

    def claim(number: int, session: int, time: str, **more: Any) -> Any:  # noqa: ANN401
        name = f"CL-{number}"
        return event(
            "refund.claimed", time, claim=name, session=f"S-{session}", reason="no", **more
        )

    # Another feed reports a session under another id, with another bill.
    yield event("request.accepted", "10-09T09:05", MIRROR, request="REQ-2", session="other:2")
    yield event("session.ended", "10-09T09:52", MIRROR, session="other:2", billed=usd("130.00"))
    yield event("review.posted", "10-02T10:00", session="S-1", by="customer", rating=4, text="good")
    yield event("review.posted", "10-02T10:01", session="S-1", by="expert", rating=5)
    yield event("tip.received", "10-02T10:02", session="S-1", amount=usd("5.00"))
    yield event("tip.received", "10-09T10:02", session="S-2", amount=usd("7.00"))
    yield claim(1, 1, "10-02T11:00")
    yield event("dispute.filed", "10-02T12:00", claim="CL-1", summary="It was fixed at 14:17.")
    yield event("dispute.accepted", "10-03T12:00", claim="CL-1", note="clear")
    yield claim(2, 2, "10-09T11:00")
    yield event("refund.granted", "10-09T12:00", claim="CL-2", reason="late")
    yield claim(3, 4, "10-23T11:00")
    yield event("refund.conceded", "10-23T12:00", claim="CL-3")
    yield claim(4, 5, "11-02T11:00")
    yield event("dispute.filed", "11-02T12:00", claim="CL-4", summary="See the recording.")
    yield event(
        "session.logged",
        "10-28T12:00",
        session="S-LOG",
        customer=joe,
        rate=usd("4.00"),
        start="2026-10-28T10:00:00Z",
        end="2026-10-28T11:00:00Z",
        pauses=[["2026-10-28T10:10:00Z", "2026-10-28T10:15:00Z"]],
        title="By phone",
    )
    yield event(
        "session.corrected", "10-29T12:00", session="S-LOG", billed=usd("200.00"), reason="x"
    )
    yield event(
        "artifact.added",
        "10-02T10:05",
        session="S-1",
        kind="recording",
        name="call.mp4",
        sha256="ab" * 32,
        bytes=123456,
    )
    yield event(
        "adjustment.posted", "10-30T12:00", adjustment="ADJ-1", amount=usd("25.00"), reason="bonus"
    )
    yield event(
        "adjustment.posted", "10-30T13:00", adjustment="ADJ-2", amount=usd("-3.00"), reason="fee"
    )
    for number, amount, day in ((1, "100.00", "12-01"), (2, "20.00", "12-02"), (3, "30", "12-03")):
        payout = {"payout": f"PO-{number}", "amount": usd(amount), "method": "paypal"}
        yield event("payout.sent", f"{day}T09:00", **payout)
    yield event("payout.paid", "12-04T09:00", payout="PO-1")
    yield event("payout.failed", "12-04T10:00", payout="PO-2", reason="closed")
    slots = [{"start": f"2026-12-{day}T09:00:00Z", "minutes": 60} for day in (10, 11)]
    for number in (7, 8):
        yield event(
            "request.opened",
            "12-05T09:00",
            request=f"REQ-{number}",
            kind="scheduled",
            customer=mina,
            title="Later",
            rate=usd("3.50"),
            slots=slots,
        )
    yield event("request.accepted", "12-05T10:00", request="REQ-7", session="S-7", slot=2)
    yield event(
        "entry.reversed", "12-05T11:00", event={"source": FEED, "id": "rich-36"}, reason="x"
    )


def feed() -> bytes:
    """Return the feed."""
    lines = []
    for number, (kind, time, data, source) in enumerate(_events(), 1):
        event = {
            "specversion": "1.0",
            "id": f"rich-{number}",
            "source": source,
            "type": f"liveportal.{kind}",
            "time": time,
            "data": data,
        }
        lines.append(json.dumps(event) + "\n")
    return "".join(lines).encode()


def commands(form: int) -> Iterator[tuple[str, ...]]:
    """Yield the commands that follow the feed, as far as the schema version supports them."""
    # The fixtures are of versions that let the feed say it.
    yield "ledger", "forget", "C-99", "--at", "2026-12-06T09:00:00Z", "--yes"
    yield "preferences", "set", "--skill", "urp", "--minimum-rate", "2.50"
    if form == 1:
        return
    yield "earnings", "adjust", "1.00", "--reason", "typed", "--at", "2026-12-07T09:00:00Z"
    if form == 2:
        return
    yield "preferences", "set", "--zone", "Europe/Paris", "--hours", "mon-fri 9:00-17:00"
    yield "preferences", "set", "--auto-decline", "below 2.50: pays less than I take"
    at = ("--at", "2026-12-08T09:00:00Z")
    yield "sessions", "attach", "S-1", "talk.vtt", *at
    yield "sessions", "attach", "S-1", "fix.shader", *at
    person = ("--name", "Anna Example", "--email", "anna@example.com", "--country", "IE")
    yield "payout", "profile", "set", *person, "--line", "1 Main St", "--city", "Cork", *at
    yield "payout", "profile", "set", "--method", "paypal", "--email", "anna@example.org", *at


def arrivals(ledger: Path) -> None:
    """Record a payout that a statement shows before the platform reports it."""
    from io import BytesIO

    from liveportal.domain.events import types as on
    from liveportal.domain.events.envelope import STATEMENT_PREFIX, Event
    from liveportal.domain.money import Money
    from liveportal.portal import Portal

    source, payout = f"{STATEMENT_PREFIX}paypal:5d41", "paypal-8XK41"
    arrived = datetime(2026, 12, 9, 9, tzinfo=UTC)
    amount, fee = Money.parse("1.00", "USD"), Money.parse("0.25", "USD")
    row = on.Evidence(file_sha256="cd" * 32, line=7, row="8XK41", time="2026-12-09")
    sent = on.PayoutSent(payout=payout, amount=amount, method="paypal")
    paid = on.PayoutPaid(payout=payout, fee=fee, received=amount - fee, evidence=row)
    report = {
        "specversion": "1.0",
        "id": "rich-late",
        "source": FEED,
        "type": "liveportal.payout.sent",
        "time": "2026-12-08T09:00:00Z",
        "data": {"payout": "PO-9", "amount": usd("1.00"), "method": "PayPal"},
    }
    with Portal(ledger) as portal:
        events = (
            Event(source, "8XK41:sent", arrived, sent),
            Event(source, "8XK41:paid", arrived, paid),
        )
        portal.record(list(events), allow=True)
        portal.sync(BytesIO(json.dumps(report).encode()))


def make(folder: Path, form: int) -> Path:
    """Make the ledger in a folder, and return its path; raises `RuntimeError` if anything fails."""
    from liveportal.cli.main import main
    from liveportal.cli.options import WriteOptions

    # Its times may be ahead of the clock; an older program, run by this module, has no caution.
    meant = ("--anyway",) if hasattr(WriteOptions, "anyway") else ()
    ledger = folder / "ledger.db"
    (folder / "feed.jsonl").write_bytes(feed())
    (folder / "talk.vtt").write_text(TRANSCRIPT, encoding="utf-8")
    (folder / "fix.shader").write_text(CODE, encoding="utf-8")
    typed = [("init",), ("sync", str(folder / "feed.jsonl"))]
    typed += [_placed(folder, command) for command in commands(form)]
    for argv in typed:
        more = meant if "--at" in argv else ()
        code = main([*argv, *more, "--ledger", str(ledger), "-o", str(folder / "out")])
        if code:
            raise RuntimeError(f"{' '.join(argv)} failed: {code}")
        if form == LATEST and argv[0] == "sync":
            arrivals(ledger)
    return ledger


def _placed(folder: Path, argv: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        str(folder / each) if each.endswith((".vtt", ".shader")) else each for each in argv
    )


if __name__ == "__main__":
    os.environ["LIVEPORTAL_KEYRING"] = "off"
    make(Path(sys.argv[1]), int(sys.argv[2]))
