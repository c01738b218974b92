"""`Reader`: lightweight read access to a ledger with the standard driver, plain SQL and plain rows.

Nothing here imports SQLModel, and nothing writes. The queries (`liveportal.ledger.queries`) are
functions that take a `Reader`; their rows hold `Money`, `datetime` and plain values. All rows are
fetched before they are returned: an open cursor would block the writer for as long as a pager is
open.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from liveportal.domain.clock import from_text
from liveportal.domain.errors import AmbiguousPrefix, InvalidArgument, UnknownEntity
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money, currency_of
from liveportal.domain.policy import Policy
from liveportal.ledger.storage.driver import Connection

NOT_OVER = "session.state IN ('upcoming', 'live', 'paused')"
"""Sessions that are upcoming or running. The text must match the WHERE clause of the partial index
word for word, or SQLite would scan all sessions."""

BOOKED_MONTHS = """
    WITH RECURSIVE booked (period) AS (
        SELECT min(period) FROM "transaction"
        UNION ALL
        SELECT (SELECT min(period) FROM "transaction" WHERE period > booked.period)
        FROM booked WHERE booked.period IS NOT NULL
    )
"""
"""The months that have transactions, found with one index step per month. A join on them looks up a
rare kind of transaction month by month, where SQLite would otherwise scan the whole index."""


LAST_POSSIBLE_SEQ = 2**63 - 1


class Reader:
    """Gives queries access to a ledger through a read-only connection.

    `as_of` limits what they show to what was recorded by that instant; None shows everything.
    `last_seq` is the last event that they may show, where the connection itself has later ones.
    """

    def __init__(
        self,
        db: Connection,
        path: Path,
        as_of: datetime | None = None,
        last_seq: int = LAST_POSSIBLE_SEQ,
    ) -> None:
        self.db = db
        self.path = path
        self.as_of = as_of
        self.last_seq = last_seq
        self._policies: dict[int, Policy] = {}

    @cached_property
    def policy(self) -> Policy:
        """The policy in force."""
        row = self.one("SELECT document FROM policy ORDER BY seq DESC LIMIT 1")
        return Policy.from_recorded(json.loads(row["document"])) if row else Policy()

    def policy_at(self, seq: int) -> Policy:
        """Return the policy that the event `seq` adopted. Cached: many entities share it."""
        if seq not in self._policies:
            (row,) = self.all("SELECT document FROM policy WHERE seq = ?", seq)
            self._policies[seq] = Policy.from_recorded(json.loads(row["document"]))
        return self._policies[seq]

    @cached_property
    def currency(self) -> str:
        """The book's currency, with the number of digits that the book keeps."""
        row = self.one(
            "SELECT currency, document ->> 'digits' AS digits FROM policy ORDER BY seq DESC LIMIT 1"
        )
        return currency_of(row["currency"], row["digits"]) if row else Policy().currency

    def parse_amount(self, text: str) -> Money:
        """Parse an amount such as `84`, `84.00` or `84.00 USD`; raises `InvalidAmount`.

        Without a currency it is in that of the ledger.
        """
        number, _, currency = text.strip().partition(" ")
        code = currency.strip().upper() or self.currency
        return Money.parse(number, self.currency_called(code))

    def currency_called(self, code: str) -> str:
        """Return the book's currency if the code is its own, else the code unchanged."""
        return self.currency if code == self.currency else code

    @cached_property
    def timezone(self) -> str:
        """The time zone in which the book's months begin and end."""
        row = self.one("SELECT timezone FROM policy ORDER BY seq DESC LIMIT 1")
        return row["timezone"] if row else Policy().period.timezone

    @cached_property
    def preferences(self) -> Mapping[str, Any]:
        """The document of the preferences in force; empty if none were ever set."""
        row = self.one("SELECT document FROM preferences ORDER BY seq DESC LIMIT 1")
        return json.loads(row["document"]) if row else {}

    @property
    def own_timezone(self) -> str:
        """The expert's time zone, used for typed times; the book's if the expert set none."""
        return str(self.preferences.get("timezone") or self.timezone)

    def all(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Return all rows of a query as dicts by column name."""
        self.db.check_owner()
        cursor = self.db.execute(statement, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def one(self, statement: str, *values: object) -> dict[str, Any] | None:
        """Return the first row of a query, or None."""
        rows = self.all(statement, *values)
        return rows[0] if rows else None

    @overload
    def money(self, minor: int) -> Money: ...
    @overload
    def money(self, minor: None) -> None: ...
    def money(self, minor: int | None) -> Money | None:
        """Return an amount in minor units of the book's currency as `Money`; None stays None."""
        return None if minor is None else Money(minor, self.currency)

    def resolve_id(self, kind: str, text: str, *, whole: bool = False) -> str:
        """Return the id that `text` names: a full id, or a prefix of exactly one id.

        With `whole` a prefix names nothing. Sessions and payouts may have aliases, too. Raises
        `InvalidArgument` for a kind that has no ids, `UnknownEntity` or `AmbiguousPrefix`.
        """
        if kind not in KINDS:  # The kind is the name of the table.
            raise InvalidArgument("kind", f"must be one of {', '.join(KINDS)}")
        if not isinstance(text, str):
            raise InvalidArgument("id", "must be a string")
        if not text or not text.isascii():
            raise _unknown(kind, text)
        if kind in ("session", "payout"):
            alias = self.one(
                f"SELECT {kind} AS id FROM {kind}_alias WHERE alias = ?",  # noqa: S608 (ours)
                text,
            )
            if alias:
                return str(alias["id"])
        # Ids are ASCII without "~", so every id with this prefix sorts below the prefix and "~".
        rows = self.all(
            f"SELECT id FROM \"{kind}\" WHERE id >= ?1 AND id < ?1 || '~' ORDER BY id LIMIT 4",  # noqa: S608
            text,
        )
        ids = [str(row["id"]) for row in rows]
        if text in ids:
            return text
        if not ids or whole:
            raise _unknown(kind, text)
        if len(ids) > 1:
            from liveportal.ledger.queries.short_ids import short_ids  # An error needs it.

            short = short_ids(self, ids)
            names = ", ".join(short.get(name, name) for name in ids[:3])
            raise AmbiguousPrefix(
                f"{text} is ambiguous: it could be {names}{' or others' if len(ids) > 3 else ''}.",  # noqa: PLR2004
                hint="Give more characters of the id.",
                kind=kind,
                id=text,
                candidates=ids[:3],
            )
        return ids[0]


def _unknown(kind: str, text: str) -> UnknownEntity:
    hint = Hint.listing(kind) if kind in _LISTED else None
    return UnknownEntity(f"There is no {kind} {text}.", hint=hint, kind=kind, id=text)


KINDS = ("request", "session", "claim", "payout", "adjustment", "customer")
"""The kinds of entities with an id, which are the names of their tables."""
_LISTED = ("request", "session", "claim", "payout", "customer")


def instant(value: str | None) -> datetime | None:
    """Return a stored time as an instant (UTC); None stays None."""
    return None if value is None else from_text(value)
