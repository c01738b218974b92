"""A case: everything the ledger knows about a claim, as one value, for an evidence pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from liveportal.domain.entities import Session
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy


@frozen
class CaseMessage:
    """A message of a transcript; `offset` and `speaker` are None if unknown.

    `file_seq` is the `seq` of the file that it was read from.
    """

    offset: timedelta | None
    speaker: str | None
    text: str
    file_seq: int | None = None


@frozen
class CaseFile:
    """An artifact of the session; `path` is its file, None if it is not in the vault.

    `attached` is True if a command recorded that it put the file there. `seq` is the position of
    the event that added it.
    """

    name: str
    kind: str
    bytes: int
    sha256: str
    media_type: str | None
    time: datetime | None
    path: Path | None
    attached: bool = False
    seq: int | None = None


@frozen
class CaseEvent:
    """An event of the journal: its position, hash and content.

    The account of what happened leaves out an event that only repeats what another source reported,
    and one that was reversed. `reported_by` has all who reported it: `expert`, `platform` or
    `unknown`, each once.
    """

    seq: int
    time: datetime
    kind: str
    data: Mapping[str, Any]
    source: str
    id: str
    hash: str
    tells: bool = True  # False: it is left out of the account.
    reported_by: tuple[str, ...] = ()


@frozen
class Case:
    """Everything the ledger knows about a claim."""

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
    events: Sequence[CaseEvent]
    messages: Sequence[CaseMessage]
    kept: Sequence[CaseFile]
    head: str
    journal_length: int
