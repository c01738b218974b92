"""Short forms of ids: each is at least eight characters long and names one thing only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.errors import AmbiguousPrefix
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.short_ids import LONGEST_ID, SHORTEST_PREFIX, short_ids
from liveportal.ledger.storage.connection import in_memory

KINDS = ("request", "session", "claim", "payout", "customer")
IDS = st.text("ab-", min_size=1, max_size=26) | st.integers(0, 40).map(lambda n: f"S-{'0' * 20}{n}")


@contextmanager
def _reader(ids: dict[str, set[str]], aliases: set[str]) -> Iterator[Reader]:
    """Open a ledger that has nothing but ids."""
    with closing(in_memory()) as db:
        for kind in KINDS:
            db.execute(f"CREATE TABLE {kind} (id TEXT PRIMARY KEY)")
            values = [(name,) for name in ids.get(kind, ())]
            db.executemany(f"INSERT INTO {kind} VALUES (?)", values)  # noqa: S608 -- Our own.
        db.execute("CREATE TABLE session_alias (alias TEXT PRIMARY KEY, session TEXT)")
        db.execute("CREATE TABLE payout_alias (alias TEXT PRIMARY KEY, payout TEXT)")
        db.executemany("INSERT INTO session_alias VALUES (?, '?')", [(name,) for name in aliases])
        yield Reader(db, Path("ids.db"))


@given(st.dictionaries(st.sampled_from(KINDS), st.sets(IDS, max_size=12)), st.sets(IDS, max_size=4))
def test_a_short_form_names_what_it_stands_for(ids: dict[str, set[str]], aliases: set[str]) -> None:
    """Whatever else the ledger has; a shorter one would not, or would be too short."""
    aliases = aliases - ids.get("session", set())  # An alias is no session's id.
    with _reader(ids, aliases) as reader:
        for kind, names in ids.items():
            for name, form in short_ids(reader, names).items():
                assert name.startswith(form)
                assert len(name) > LONGEST_ID
                assert reader.resolve_id(kind, form) == name
                others = set.union(aliases, *ids.values()) - {name}
                shorter = form[:-1]
                assert len(form) == SHORTEST_PREFIX or any(o.startswith(shorter) for o in others)


def test_other_ids_have_no_short_form() -> None:
    """Short ones are shown whole, and so is what the ledger does not know."""
    with _reader({"session": {"S-1", "S-" + "1" * 30}}, set()) as reader:
        assert short_ids(reader, ["S-1", "S-" + "2" * 30]) == {}
        assert short_ids(reader, ["S-" + "1" * 30]) == {"S-" + "1" * 30: "S-111111"}


def test_a_prefix_of_two_is_refused_with_their_short_forms() -> None:
    """The forms can be typed as they are; the ids themselves are in the details."""
    ids = {f"REQ-0199f0a2-{end}5be-7ae9-afe8-7d348bbf9a61" for end in "ef"}
    with _reader({"request": ids}, set()) as reader:
        with pytest.raises(AmbiguousPrefix) as refused:
            reader.resolve_id("request", "REQ-0199")
        assert refused.value.message == (
            "REQ-0199 is ambiguous: it could be REQ-0199f0a2-e, REQ-0199f0a2-f."
        )
        assert refused.value.details["candidates"] == sorted(ids)
