"""Earnings statements: a month or year of the books as a document that can be verified later.

The document is plain JSON (texts, integers, lists and objects) without personal data. Its digest,
the journal's head and the number of events at that time are printed on it. With the ledger, the
document can be produced again from these events and compared.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from liveportal.domain.clock import short_text
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money

FORM = "liveportal.statement.v1"
WITH_CORRECTIONS = "liveportal.statement.v2"
"""The statement format in which corrections are separate rows.

The first format had one row for each session in its state at the time, corrected or not."""
_HASH = "([0-9a-f]{64})"
_SEAL = re.compile(
    rf"(liveportal\.statement\.v[12]) ([0-9]{{4}}(?:-[0-9]{{2}})?) ([0-9]{{1,12}}) {_HASH} {_HASH}"
)

Document = Mapping[str, Any]


@frozen
class Seal:
    """The identity of a statement: format, month or year, and the journal it was made from."""

    form: str
    name: str
    events: int
    head: str
    digest: str

    def __str__(self) -> str:
        return f"{self.form} {self.name} {self.events} {self.head} {self.digest}"


def seal_of(document: Document) -> Seal:
    """Return the seal of a document."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    form, name = document["form"], document["name"]
    return Seal(form, name, document["events"], document["head"], digest)


def seal_in(text: str) -> Seal | None:
    """Return the seal printed in a statement's text; None without one."""
    match = _SEAL.search(text)
    return Seal(match[1], match[2], int(match[3]), match[4], match[5]) if match else None


def plain(value: object) -> Any:  # noqa: ANN401 (a JSON value)
    """Return a query's value as plain JSON."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return short_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Money) else value
