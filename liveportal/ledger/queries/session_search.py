"""Searching what was said in sessions and written about them: messages, titles, reasons, reviews.

Messages are found by the index of every three letters in a row, and looked at again: the index
says what may be a hit. Words that are too short for it are looked for in every message, and all
words in the texts of every event, which are few beside what was said.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from liveportal.domain.clock import from_text
from liveportal.domain.patterns import pattern
from liveportal.domain.text_search import Finder, Term, folded, may_have, term
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import compact
from liveportal.ledger.queries import customers
from liveportal.ledger.queries.reader import Reader, Row
from liveportal.ledger.queries.transcripts import when

SEARCH_FIELDS = (
    *("session", "artifact", "customer", "customer_name", "at_seconds", "time", "speaker"),
    *("snippet", "text", "where", "thing"),
)
MESSAGE = "message"
"""Where a hit is that was said; any other is in the field of an event: a title, a reason."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TERM = pattern(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*+)"?|(?P<word>[^\s"*]++))(?P<star>\*?)')
_MOST_TRIGRAMS = 64
_MOST_COMPARED = 16
_LONGEST_COMPARED = 100
"""How much SQLite is asked to compare: enough to leave little to look at again."""

_CANDIDATES = """
    SELECT message.id, message.text, message.speaker, artifact.session,
           coalesce(session.start, session.planned_start), message.artifact, message.n
    FROM message
    JOIN artifact ON artifact.seq = message.artifact
    JOIN session ON session.id = artifact.session
    WHERE
"""
_MESSAGES = """
    SELECT message.id, artifact.session, session.customer, message.offset_ms, message.speaker,
           message.text, coalesce(session.start, session.planned_start) AS began,
           named.body AS named_body
    FROM message
    JOIN artifact ON artifact.seq = message.artifact
    JOIN session ON session.id = artifact.session
    LEFT JOIN event_personal AS named ON named.seq = artifact.seq
    WHERE message.id IN (SELECT value FROM json_each(?))
"""
# When a message was said, to the millisecond; where only its session is known, when that began.
_SAID_MS = """
    strftime('%s', coalesce(session.start, session.planned_start)) * 1000
    + substr(coalesce(session.start, session.planned_start), 21, 3) + coalesce(offset_ms, 0)
"""
_INDEXED = "message.id IN (SELECT rowid FROM message_index WHERE message_index MATCH ?)"
_SEARCHED = """
    SELECT count(*), count(DISTINCT message.artifact) FROM message
    JOIN artifact ON artifact.seq = message.artifact
    JOIN session ON session.id = artifact.session
    WHERE
"""
_EVENTS = "SELECT seq, time, facts FROM event WHERE seq IN (SELECT value FROM json_each(?))"
_REVERSED = """
    SELECT reversal.seq, reversed.facts FROM reversal
    JOIN event AS reversed ON reversed.seq = reversal.reversed_seq
    WHERE reversal.seq IN (SELECT value FROM json_each(?))
"""
# Whose session a thing belongs to, and of which customer it is.
_BELONGS = """
    SELECT 'claim', claim.id, session.id, session.customer
    FROM claim JOIN session ON session.id = claim.session
    WHERE claim.id IN (SELECT value FROM json_each(?1))
    UNION ALL SELECT 'session', id, id, customer
    FROM session WHERE id IN (SELECT value FROM json_each(?2))
    UNION ALL SELECT 'session', alias, session.id, customer
    FROM session_alias JOIN session ON session.id = session_alias.session
    WHERE alias IN (SELECT value FROM json_each(?2))
    UNION ALL SELECT 'request', id, session, customer
    FROM request WHERE id IN (SELECT value FROM json_each(?3))
"""
_KINDS = ("claim", "session", "request")
_DESCRIBED = """
    SELECT customer.id, body FROM customer
    LEFT JOIN event_personal ON event_personal.seq = customer.described_seq
    WHERE customer.id IN (SELECT value FROM json_each(?))
"""


class Where(NamedTuple):
    """What is searched: a customer's, a session's, what a speaker said, what is from then on."""

    customer: str | None = None
    session: str | None = None
    speaker: str | None = None
    since: datetime | None = None


class Searched(NamedTuple):
    """How much was searched: messages of so many transcripts, and whether texts of events, too."""

    messages: int
    transcripts: int
    texts: bool


class _Hit(NamedTuple):
    """A hit and its rank, the best being the least; it is a message, or a row already."""

    rank: tuple[float, str, int, int]
    message: int
    row: Row


def search(reader: Reader, finder: Finder, where: Where, limit: int | None = None) -> list[Row]:
    """Return where a finder of `matching` finds something, the best first.

    All that is wanted must stand in one message, or in one text of an event. `where` is `message`,
    or the field that the text is, and `thing` what that event is about.
    """
    hits = [*_messages(reader, finder, where), *_texts(reader, finder, where)]
    best = heapq.nsmallest(len(hits) if limit is None else limit, hits)
    said = _message_rows(reader, [hit.message for hit in best if hit.message])
    rows = [said[hit.message] if hit.message else hit.row for hit in best]
    told = _customers(reader, {str(row["customer"]) for row in rows if row["customer"]})
    return [
        {
            **row,
            "customer_name": told.get(str(row["customer"]), {}).get("name"),
            "snippet": finder.snippet(str(row["text"])),
        }
        for row in rows
    ]


def searched(reader: Reader, where: Where) -> Searched:
    """Return how much a search there looks at."""
    conditions, values = _conditions(where)
    statement = f"{_SEARCHED} {' AND '.join(conditions) or 'TRUE'}"
    messages, transcripts = reader.db.execute(statement, values).fetchone()
    return Searched(messages, transcripts, where.speaker is None)


def sessions_saying(reader: Reader, wanted: Term) -> set[str]:
    """Return the sessions of which a message has a term."""
    finder = Finder([wanted])
    return {
        session
        for _, text, _, session, *_ in _candidates(reader, [wanted], Where())
        if finder.finds(folded(text))
    }


# --- messages -------------------------------------------------------------------------------------


def _messages(reader: Reader, finder: Finder, where: Where) -> Iterator[_Hit]:
    spoke = _Speakers(where.speaker)
    for number, text, speaker, _, began, artifact, n in _candidates(reader, finder.wanted, where):
        plain = folded(text)
        if finder.finds(plain) and spoke.by(speaker):
            yield _Hit((-finder.score(plain), began or "", artifact, n), number, {})


def _candidates(
    reader: Reader, wanted: Sequence[Term], where: Where
) -> Iterator[tuple[int, str, str | None, str, str | None, int, int]]:
    """Yield the messages that may have all the terms."""
    conditions, values = _conditions(where)
    trigrams = list(dict.fromkeys(each for one in wanted for each in one.trigrams()))
    if trigrams:
        conditions.append(_INDEXED)
        values.append(" AND ".join(f'"{each}"' for each in trigrams[:_MOST_TRIGRAMS]))
    statement = f"{_CANDIDATES} {' AND '.join(conditions) or 'TRUE'}"
    rows = reader.db.execute(statement, values).fetchall()
    yield from rows if trigrams else (row for row in rows if may_have(row[1], wanted))


def _conditions(where: Where) -> tuple[list[str], list[object]]:
    given: dict[str, object] = {
        "session.customer = ?": where.customer,
        "session.id = ?": where.session,
        f"{_SAID_MS} >= ?": where.since and (where.since - _EPOCH) // timedelta(milliseconds=1),
    }
    asked = {condition: value for condition, value in given.items() if value is not None}
    return list(asked), list(asked.values())


def _compared(wanted: Sequence[Term]) -> tuple[str, list[object]]:
    """Return a condition that a body without escapes meets if it has the terms; its values."""
    runs = [run for one in wanted for run in one.runs]
    if not all(map(str.isascii, runs)):
        return "FALSE", []
    patterns = [f"%{run[:_LONGEST_COMPARED]}%" for run in runs[:_MOST_COMPARED]]
    return f"({' AND '.join(['body LIKE ?'] * len(patterns))})", list(patterns)


class _Speakers:
    """Whether a speaker is the one asked for; each name is looked at once."""

    def __init__(self, wanted: str | None) -> None:
        asked = None if wanted is None else term(wanted, phrase=True)
        self._finder = Finder([asked]) if asked else None
        self._known: dict[str | None, bool] = {None: wanted is None}
        self._any = wanted is None

    def by(self, speaker: str | None) -> bool:
        """Return whether the speaker has the name asked for."""
        if speaker not in self._known:
            has_name = bool(self._finder and speaker and self._finder.finds(folded(speaker)))
            self._known[speaker] = self._any or has_name
        return self._known[speaker]


def _message_rows(reader: Reader, numbers: Sequence[int]) -> dict[int, Row]:
    return {
        row["id"]: {
            "session": row["session"],
            "artifact": personal(row["named_body"]).get("name"),
            "customer": row["customer"],
            "customer_name": None,
            **when(row),
            "speaker": row["speaker"],
            "snippet": None,
            "text": row["text"],
            "where": MESSAGE,
            "thing": f"session:{row['session']}",
        }
        for row in reader.all(_MESSAGES, compact(list(numbers)))
    }


def _customers(reader: Reader, names: set[str]) -> dict[str, dict[str, Any]]:
    latest = dict(reader.db.execute(_DESCRIBED, (compact(sorted(names)),)).fetchall())
    return customers.customers(reader, latest)


# --- texts of events ------------------------------------------------------------------------------


def _texts(reader: Reader, finder: Finder, where: Where) -> Iterator[_Hit]:
    """Yield the hits in titles, descriptions, reasons, reviews and notes; nobody spoke them."""
    if where.speaker is not None:
        return
    found = list(_fields(reader, finder))
    about = _about(reader, {seq for seq, *_ in found})
    seen = set()
    for seq, field, text in found:
        time, thing, session, customer = about[seq]
        same = (session or thing, field, text)
        if same in seen or (where.since and from_text(time) < where.since):
            continue
        if (where.customer or customer) != customer or (where.session or session) != session:
            continue
        seen.add(same)
        row: Row = {
            "session": session,
            "artifact": None,
            "customer": customer,
            "customer_name": None,
            "at_seconds": None,
            "time": from_text(time),
            "speaker": None,
            "snippet": None,
            "text": text,
            "where": field,
            "thing": thing,
        }
        yield _Hit((-finder.score(folded(text)), time, seq, len(seen)), 0, row)


def _fields(reader: Reader, finder: Finder) -> Iterator[tuple[int, str, str]]:
    """Yield the texts of events that are hits: of which event, which field, the text."""
    compared, patterns = _compared(finder.wanted)
    # Bodies are ASCII, and have everything else in escapes.
    statement = f"SELECT seq, body FROM event_personal WHERE {compared} OR instr(body, '\\u')"  # noqa: S608
    for seq, body in reader.db.execute(f"{statement} ORDER BY seq", patterns).fetchall():
        for field, value in personal(body).items():
            text = value if isinstance(value, str) else _listed(value)
            if text and finder.finds(folded(text)):
                yield seq, field, text


def _listed(value: object) -> str:
    """Return a list of texts as one; what else is no text is not searched."""
    return ", ".join(filter(_is_text, value)) if isinstance(value, list) else ""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _about(
    reader: Reader, seqs: Iterable[int]
) -> dict[int, tuple[str, str | None, str | None, str | None]]:
    """Return of events: when, what about, in whose session, and of which customer."""
    wanted = compact(sorted(seqs))
    reversals = dict(reader.db.execute(_REVERSED, (wanted,)).fetchall())
    events = reader.db.execute(_EVENTS, (wanted,)).fetchall()
    named = {
        seq: (time, _thing(json.loads(reversals.get(seq, facts)))) for seq, time, facts in events
    }
    ids = {kind: [name for _, (of, name) in named.values() if of == kind] for kind in _KINDS}
    found = reader.db.execute(_BELONGS, [compact(ids[kind]) for kind in _KINDS]).fetchall()
    belongs = {(kind, name): (session, customer) for kind, name, session, customer in found}
    return {
        seq: (time, f"{kind}:{name}" if kind else None, *belongs.get((kind, name), (None, None)))
        for seq, (time, (kind, name)) in named.items()
    }


def _thing(facts: dict[str, Any]) -> tuple[str, str]:
    """Return the kind and the id of what an event is about, by its facts."""
    for kind in (*_KINDS, "payout", "customer"):
        if isinstance(facts.get(kind), str):
            return kind, facts[kind]
    return "", ""


# --- what people type -----------------------------------------------------------------------------


def matching(words: Sequence[str]) -> Finder | None:
    """Return what `search` looks for, from words as people type them; None if there are none.

    An argument with blanks in it is a phrase, as is what stands in quotes: of whole words. `-word`
    leaves out, `mali*` is a beginning. All else is a part of a word, whatever it looks like.
    """
    wanted: dict[Term, None] = {}
    unwanted: dict[Term, None] = {}
    for argument in words:
        for minus, text, is_phrase, star in _terms(argument):
            if found := term(text, phrase=is_phrase, begins=star):
                (unwanted if minus else wanted)[found] = None
    return Finder(list(wanted), list(unwanted)) if wanted else None


def _terms(argument: str) -> Iterator[tuple[bool, str, bool, bool]]:
    """Yield the terms of an argument: left out or not, the text, a phrase or not, a beginning."""
    argument = argument.strip()
    if '"' not in argument and len(argument.split()) > 1:  # The shell took the quotes.
        bare = argument.removeprefix("-")
        star = "*" if bare.endswith("*") else ""
        argument = f'{argument[: -len(bare)]}"{bare}"{star}'
    for match in _TERM.finditer(argument):
        is_phrase = match["phrase"] is not None
        text = match["phrase"] if is_phrase else match["word"]
        yield bool(match["minus"]), text or "", is_phrase, bool(match["star"])
