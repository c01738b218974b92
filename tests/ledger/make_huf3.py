"""A ledger in forints with corrections in later months, made by whichever version runs this.

The last release of schema version 3, which kept forints without digits, made the fixture with it:

    PYTHONPATH=<that version> python make_huf3.py FOLDER
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FEED = "https://help.example/experts/7"
MIRROR = "https://other.example/mirror"

POLICY = """\
name = "forints"
currency = "HUF"
rate = { minimum = "300", maximum = "900" }
payout = { minimum = "20000" }
period = { timezone = "Europe/Budapest" }
"""
CHEAPER = POLICY.replace("forints", "cheaper") + "fee = { percent = 20 }\n"


def huf(text: str) -> dict[str, str]:
    """Return an amount as a feed writes it."""
    return {"amount": text, "currency": "HUF"}


def _events() -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """Yield type, time, data and source of each event of the feed."""
    joe = {"id": "C-12", "name": "Joe Fisher", "timezone": "America/New_York"}

    def event(kind: str, time: str, source: str = FEED, /, **data: Any) -> Any:  # noqa: ANN401
        return kind, f"2026-{time}:00Z", data, source

    def session(number: int, day: str, start: str, end: str) -> Iterator[Any]:
        request, name = f"REQ-{number}", f"S-{number}"
        opened = {"request": request, "kind": "instant", "customer": joe, "title": "Help"}
        yield event("request.opened", f"{day}T{start}", **opened, rate=huf("500"))
        yield event("request.accepted", f"{day}T{start}", request=request, session=name)
        yield event("session.ended", f"{day}T{end}", session=name)

    yield from session(1, "10-02", "09:00", "09:42")  # 21,000
    yield from session(2, "10-09", "09:00", "09:50")
    yield from session(3, "10-16", "09:00", "09:04")  # Free.
    yield from session(4, "10-23", "09:00", "09:30")
    yield from session(5, "10-31", "21:00", "21:45")
    yield from session(6, "11-02", "09:00", "10:00")
    yield from session(7, "11-03", "09:00", "09:03")  # Free, and it stays so.
    yield event("session.ended", "12-01T10:00", MIRROR, session="S-6", billed=huf("28001"))
    yield event("refund.claimed", "11-02T11:00", claim="CL-1", session="S-6", reason="no")
    yield event("dispute.filed", "11-02T12:00", claim="CL-1", summary="See the recording.")
    yield event("dispute.accepted", "11-30T12:00", claim="CL-1")
    yield event("tip.received", "10-02T10:00", session="S-1", amount=huf("777"))
    yield event("adjustment.posted", "11-04T12:00", adjustment="A-1", amount=huf("-3"), reason="x")
    # Errors are corrected in a later month than they were billed in.
    end = {"end": "2026-10-09T09:40:00Z"}
    yield event("session.corrected", "11-05T09:00", session="S-2", reason="shorter", **end)
    end = {"end": "2026-10-16T09:10:00Z"}
    yield event("session.corrected", "11-06T09:00", session="S-3", reason="longer", **end)
    end = {"end": "2026-10-23T09:05:00Z"}
    yield event("session.corrected", "12-02T09:00", session="S-4", reason="a trial", **end)
    end = {"end": "2026-10-31T23:30:00Z"}
    yield event("session.corrected", "12-03T09:00", session="S-5", reason="past midnight", **end)
    yield event("session.corrected", "12-04T09:00", session="S-2", reason="so", billed=huf("19001"))
    payout = {"payout": "PO-1", "amount": huf("24001"), "method": "paypal"}
    yield event("payout.sent", "12-05T09:00", **payout)
    yield event("payout.paid", "12-06T09:00", payout="PO-1")
    slots = [{"start": "2026-12-20T09:00:00Z", "minutes": 60}]
    later = {"request": "REQ-8", "kind": "scheduled", "customer": joe, "title": "Later"}
    yield event("request.opened", "12-07T09:00", **later, rate=huf("650"), slots=slots)


def feed() -> bytes:
    """Return the feed."""
    # The confirmation of another bill comes where its time is, once everything else is known.
    events = sorted(_events(), key=lambda each: each[1])
    lines = []
    for number, (kind, time, data, source) in enumerate(events, 1):
        head = {"specversion": "1.0", "id": f"huf-{number}", "source": source, "time": time}
        lines.append(json.dumps({**head, "type": f"liveportal.{kind}", "data": data}) + "\n")
    return "".join(lines).encode()


def make(folder: Path) -> Path:
    """Make the ledger in a folder, and return its path; raises `RuntimeError` if anything fails."""
    from liveportal.cli.main import main

    ledger = folder / "ledger.db"
    files = {name: folder / name for name in ("forints.toml", "cheaper.toml", "feed.jsonl")}
    files["forints.toml"].write_text(POLICY, encoding="utf-8")
    files["cheaper.toml"].write_text(CHEAPER, encoding="utf-8")
    files["feed.jsonl"].write_bytes(feed())
    for argv in (
        ("init", "--policy", str(files["forints.toml"])),
        ("preferences", "set", "--minimum-rate", "450"),
        ("sync", str(files["feed.jsonl"])),
        ("policy", "use", str(files["cheaper.toml"]), "--yes"),
        ("requests", "accept", "REQ-8", "--slot", "1", "--at", "2026-12-07T10:00:00Z"),
    ):
        code = main([*argv, "--ledger", str(ledger), "-o", str(folder / "out")])
        if code:
            raise RuntimeError(f"{' '.join(argv)} failed: {code}")
    return ledger


if __name__ == "__main__":
    os.environ["LIVEPORTAL_KEYRING"] = "off"
    make(Path(sys.argv[1]))
