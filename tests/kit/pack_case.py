"""A case to make packs of, with something of everything in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from liveportal.domain.case import Case, CaseEvent, CaseFile, CaseMessage
from liveportal.domain.entities import Session, SessionState
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from tests.kit.events import amount, at, usd

SESSION = Session(
    id="S-1",
    customer="C-7",
    state=SessionState.ENDED,
    rate=usd("3.00"),
    policy=1,
    agreed_seq=3,
    last_time=at("10-05 14:21"),
    request="R-1",
    start=at("10-05 14:00"),
    end=at("10-05 14:21"),
    pauses=((at("10-05 14:05"), at("10-05 14:06")),),
    active_us=20 * 60_000_000,
    billed_us=20 * 60_000_000,
    gross_minor=6000,
    fee_minor=1800,
    expected_minor=6000,
    claim="CL-1",
    claim_undecided=True,
    period="2026-10",
)


def happened(seq: int, when: str, kind: str, /, **data: Any) -> CaseEvent:  # noqa: ANN401 (JSON)
    """Return an event of the case."""
    return CaseEvent(
        *(seq, at(when), kind, data, "https://help.example", f"e-{seq}", f"{seq:064x}"),
        reported_by=("platform",),
    )


EVENTS = (
    happened(
        *(2, "10-05 13:50", "request.opened"),
        title="Shader flickers",
        rate=amount("3.00"),
        customer={"name": "Mina Harker"},
    ),
    happened(3, "10-05 14:00", "request.accepted"),
    happened(4, "10-05 14:05", "session.paused"),
    happened(5, "10-05 14:06", "session.resumed"),
    happened(6, "10-05 14:21", "session.ended"),
    happened(7, "10-05 14:30", "review.posted", by="customer", rating=2, text="Mina is not happy"),
    happened(8, "10-05 15:00", "refund.claimed", reason="Not solved, says Mina"),
)
MESSAGES = (
    CaseMessage(timedelta(minutes=1), "Mina Harker", "Call me: +33 6 12 34 56 78"),
    CaseMessage(timedelta(minutes=12, seconds=31), "Ana", "It is fixed now, mina."),
    CaseMessage(None, None, "mail mina@example.com"),
)


def file(folder: Path, name: str, content: bytes, kind: str, media_type: str | None) -> CaseFile:
    """Return an artifact with a stored file."""
    path = folder / sha256(content).hexdigest()
    path.write_bytes(content)
    return CaseFile(name, kind, len(content), path.name, media_type, at("10-05 14:40"), path)


def case(**changes: Any) -> Case:  # noqa: ANN401 (whatever a case has)
    """Return the case, but for the changes."""
    whole = Case(
        claim="CL-1",
        state="open",
        amount=Money(6000, "USD"),
        cost=Money(4200, "USD"),
        reason="Not solved, says Mina",
        late=False,
        summary="Mina saw it fixed at 14:17:03.",
        title="Shader flickers",
        customer="C-7",
        customer_name="Mina Harker",
        session=SESSION,
        policy=Policy(),
        zone="Europe/Paris",
        events=EVENTS,
        messages=MESSAGES,
        kept=(),
        head="ab" * 32,
        journal_length=9,
    )
    return replace(whole, **changes)
