"""The short forms of ids, as every command takes them: the shortest prefix of no other id."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # The reader itself shortens the ids of which one is meant.
    from liveportal.ledger.queries.reader import Reader

LONGEST_ID, SHORTEST_PREFIX = 20, 8
"""A longer id has a short form, which has at least so many characters."""

LASTING_PREFIX = 15
"""A prefix with the time of a generated id: later ids have another, so commands stay true."""

_KNOWN = (
    *(("request", "id"), ("session", "id"), ("session_alias", "alias"), ("claim", "id")),
    *(("payout", "id"), ("payout_alias", "alias"), ("customer", "id")),
)
# Of each id those before and after it, which an index finds.
_NEIGHBOURS = " UNION ALL ".join(
    f'SELECT value, EXISTS (SELECT 1 FROM "{table}" WHERE {name} = value),'  # noqa: S608 (ours)
    f' (SELECT max({name}) FROM "{table}" WHERE {name} < value),'
    f' (SELECT min({name}) FROM "{table}" WHERE {name} > value) FROM json_each(?1)'
    for table, name in _KNOWN
)


def short_ids(
    reader: Reader, ids: Iterable[str], *, at_least: int = SHORTEST_PREFIX
) -> dict[str, str]:
    """Return the short forms of the long ids among these, by id; of unknown ids there are none.

    No id of any kind has the same prefix, so `Reader.resolve_id` finds the one that is meant.
    """
    long_ids = sorted({name for name in ids if len(name) > LONGEST_ID})
    if not long_ids:
        return {}
    lengths = dict.fromkeys(long_ids, at_least)
    known: set[str] = set()
    for name, is_known, *neighbours in reader.db.execute(_NEIGHBOURS, (json.dumps(long_ids),)):
        known |= {name} if is_known else set()
        for other in filter(None, neighbours):
            lengths[name] = max(lengths[name], 1 + _common(name, other))
    return {name: name[: lengths[name]] for name in long_ids if name in known}


def _common(one: str, other: str) -> int:
    """Return how many characters two ids have in common at their start."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
