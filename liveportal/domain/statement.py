"""Earnings statements: a month or year of the books as a document that can be verified later.

The document is plain JSON (texts, integers, lists and objects) without personal data of customers.
Its digest, the journal's head and the number of events at that time are printed on it. With the
ledger, the document can be produced again from these events and compared.
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

FIRST_FORM = "liveportal.statement.v1"
"""The first format: one row for each session in its state at the time, corrected or not."""
WITH_CORRECTIONS = "liveportal.statement.v2"
"""The format in which corrections are separate rows."""
FORM = "liveportal.statement.v3"
"""The current format: it names payee and platform, and has the balance at the start."""
_HASH = "([0-9a-f]{64})"
_ENCODED = "[A-Za-z0-9%+._~-]*"
_SEAL = re.compile(
    rf"(liveportal\.statement\.v[123]) ([0-9]{{4}}(?:-[0-9]{{2}})?) ([0-9]{{1,12}}) {_HASH} {_HASH}"
    rf"(?: (payee={_ENCODED};platform={_ENCODED}))?"
)

Document = Mapping[str, Any]


@frozen
class Names:
    """The names on a statement, as the expert gives them; the ledger cannot prove them."""

    payee: str | None = None
    platform: str | None = None

    def __str__(self) -> str:
        from urllib.parse import quote_plus

        return f"payee={quote_plus(self.payee or '')};platform={quote_plus(self.platform or '')}"

    @classmethod
    def parse(cls, text: str) -> Names:
        """Return the names in the text of a seal."""
        from urllib.parse import parse_qs

        names = {name: values[0] for name, values in parse_qs(text, separator=";").items()}
        return cls(names.get("payee"), names.get("platform"))


@frozen
class Seal:
    """The identity of a statement: format, month or year, and the journal it was made from."""

    form: str
    name: str
    events: int
    head: str
    digest: str
    names: Names | None = None

    def __str__(self) -> str:
        names = "" if self.names is None else f" {self.names}"
        return f"{self.form} {self.name} {self.events} {self.head} {self.digest}{names}"


def seal_of(document: Document) -> Seal:
    """Return the seal of a document."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    form, name = document["form"], document["name"]
    names = Names(document["payee"], document["platform"]) if form == FORM else None
    return Seal(form, name, document["events"], document["head"], digest, names)


def seal_in(text: str) -> Seal | None:
    """Return the seal printed in a statement's text, or None if it has no seal."""
    match = _SEAL.search(text)
    if match is None:
        return None
    names = Names.parse(match[6]) if match[6] else None
    return Seal(match[1], match[2], int(match[3]), match[4], match[5], names)


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
