"""A statement: a month or a year of the books as one document that can be proved later.

The document is plain JSON: texts, whole numbers, lists and objects, nothing personal. Its digest,
the journal's head and the number of events then are printed on it; whoever has the ledger can make
the document again from these events, and see whether it is the same.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from liveportal.domain.clock import short_text
from liveportal.domain.money import Money
from liveportal.domain.values import dataclass

FORM = "liveportal.statement.v1"
WITH_CORRECTIONS = "liveportal.statement.v2"
"""The form of a statement in which corrections are rows of their own.

In the first form a session was one row as it was then, also where it had been corrected."""
_HASH = "([0-9a-f]{64})"
_SEAL = re.compile(
    rf"(liveportal\.statement\.v[12]) ([0-9]{{4}}(?:-[0-9]{{2}})?) ([0-9]{{1,12}}) {_HASH} {_HASH}"
)

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seal:
    """What a statement says of itself: form, month or year, and the journal it was made from."""

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
    """Return the seal that is written in a statement; None where there is none."""
    match = _SEAL.search(text)
    return Seal(match[1], match[2], int(match[3]), match[4], match[5]) if match else None


def plain(value: object) -> Any:  # noqa: ANN401 (a JSON value)
    """Return a value of a window as a document has it."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return short_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Money) else value
