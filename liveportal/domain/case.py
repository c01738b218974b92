"""A case: all that a book knows of a claim, as one value, for whoever has to prove it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from liveportal.domain.entities import Session
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a transcript, as far into the session as is known."""

    offset: timedelta | None
    speaker: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An artifact of the session; `path` is where its file lies, None where it is not in the vault.

    `attached` is whether a command recorded that it put the file there.
    """

    name: str
    kind: str
    bytes: int
    sha256: str
    media_type: str | None
    time: datetime | None
    path: Path | None
    attached: bool = False


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the journal: its place and hash there, and what it said.

    `tells` is false for what was told before by another source, and for what was reversed: it
    stands in the journal, and in no account of what happened.
    """

    seq: int
    time: datetime
    kind: str
    data: Mapping[str, Any]
    source: str
    id: str
    hash: str
    tells: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """All that the ledger knows of a claim."""

    claim: str
    state: str
    amount: Money
    cost: Money
    reason: str | None
    late: bool
    summary: str | None
    title: str | None
    customer: str
    customer_name: str | None
    session: Session
    policy: Policy
    zone: str
    events: Sequence[Happened]
    messages: Sequence[Said]
    kept: Sequence[Kept]
    head: str
    journal_length: int
