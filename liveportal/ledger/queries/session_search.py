"""Full-text search in the messages of sessions and in the texts of events (titles, reviews, ...).

The trigram index yields the messages that may match; each of them is then checked. Words that are
too short for the index are searched in all messages. The texts of events are always searched in
full: they are few compared with the messages.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from liveportal.domain.clock import from_text
from liveportal.domain.frozen import replace
from liveportal.domain.patterns import pattern
from liveportal.domain.row import Row, row
from liveportal.domain.text_search import Finder, Term, folded, may_have, term
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.queries.customers import customers_by_id
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.transcripts import message_offset, message_time


@row
class SearchRow(Row):
    """A hit in a message, or in the text of an event.

    `where` is `message` or the event's field, and `thing` the entity that the event concerns. The
    `snippet` is the text around the words that were found, which are in [brackets].
    """

    session: str | None
    artifact: str | None
    customer: str | None
    customer_name: str | None
    at_seconds: timedelta | None
    time: datetime | None
    speaker: str | None
    snippet: str
    text: str
    where: str
    thing: str | None
    customer_id: str | None


MESSAGE = "message"
"""The `where` of a hit in a message; other hits name the field of an event, such as `title`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TERM = pattern(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*+)"?|(?P<word>[^\s"*]++))(?P<star>\*?)')
_MOST_TRIGRAMS = 64
_MOST_COMPARED = 16
_LONGEST_COMPARED = 100
"""Limits for the conditions given to SQLite: enough to leave few candidates to check."""

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
# The time of a message in milliseconds; the start of the session if it has no offset.
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
# The session and the customer of an entity.
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


class Where(NamedTuple):
    """Limits a search to a customer, a session, a speaker, or to texts since an instant."""

    customer: str | None = None
    session: str | None = None
    speaker: str | None = None
    since: datetime | None = None


class Searched(NamedTuple):
    """The extent of a search: messages, their transcripts, and whether texts of events count."""

    messages: int
    transcripts: int
    texts: bool


class _Hit(NamedTuple):
    """A hit with its rank; the lowest rank is the best. It has a message id, or 0 and a row."""

    rank: tuple[float, str, int, int]
    message: int
    row: SearchRow | None


def search(
    reader: Reader, finder: Finder, where: Where, limit: int | None = None
) -> list[SearchRow]:
    """Return the hits of a finder (see `matching`), the best first.

    All wanted terms must be in one message, or in one text of an event.
    """
    hits = [*_messages(reader, finder, where), *_texts(reader, finder, where)]
    best = heapq.nsmallest(len(hits) if limit is None else limit, hits)
    messages = _message_rows(reader, [hit.message for hit in best if hit.message])
    rows = [hit.row or messages[hit.message] for hit in best]
    details = customers_by_id(reader, {row.customer for row in rows if row.customer})
    return [
        replace(
            row,
            customer_name=details[row.customer].name if row.customer else None,
            snippet=_bracketed(finder.snippet(row.text)),
        )
        for row in rows
    ]


def _bracketed(snippet: Iterable[tuple[str, bool]]) -> str:
    return "".join(f"[{text}]" if found else text for text, found in snippet)


def searched(reader: Reader, where: Where) -> Searched:
    """Return how much a search with these limits covers."""
    conditions, values = _conditions(where)
    statement = f"{_SEARCHED} {' AND '.join(conditions) or 'TRUE'}"
    messages, transcripts = reader.db.execute(statement, values).fetchone()
    return Searched(messages, transcripts, where.speaker is None)


def sessions_saying(reader: Reader, wanted: Term) -> set[str]:
    """Return the ids of the sessions with a message that contains the term."""
    finder = Finder([wanted])
    return {
        session
        for _, text, _, session, *_ in _candidates(reader, [wanted], Where())
        if finder.finds(folded(text))
    }


# --- messages -------------------------------------------------------------------------------------


def _messages(reader: Reader, finder: Finder, where: Where) -> Iterator[_Hit]:
    speakers = _Speakers(where.speaker)
    for number, text, speaker, _, began, artifact, n in _candidates(reader, finder.wanted, where):
        plain = folded(text)
        if finder.finds(plain) and speakers.matches(speaker):
            yield _Hit((-finder.score(plain), began or "", artifact, n), number, None)


def _candidates(
    reader: Reader, wanted: Sequence[Term], where: Where
) -> Iterator[tuple[int, str, str | None, str, str | None, int, int]]:
    """Yield the messages that may contain all the terms."""
    conditions, values = _conditions(where)
    trigrams = list(
        dict.fromkeys(trigram for wanted_term in wanted for trigram in wanted_term.trigrams())
    )
    if trigrams:
        conditions.append(_INDEXED)
        values.append(" AND ".join(f'"{trigram}"' for trigram in trigrams[:_MOST_TRIGRAMS]))
    statement = f"{_CANDIDATES} {' AND '.join(conditions) or 'TRUE'}"
    rows = reader.db.execute(statement, values).fetchall()
    yield from rows if trigrams else (row for row in rows if may_have(row[1], wanted))


def _conditions(where: Where) -> tuple[list[str], list[object]]:
    given: dict[str, object] = {
        "session.customer = ?": where.customer,
        "session.id = ?": where.session,
        f"{_SAID_MS} >= ?": where.since and (where.since - _EPOCH) // timedelta(milliseconds=1),
    }
    active = {condition: value for condition, value in given.items() if value is not None}
    return list(active), list(active.values())


def _body_condition(wanted: Sequence[Term]) -> tuple[str, list[object]]:
    """Return a condition that every unescaped body with the terms meets, and its values."""
    runs = [run for wanted_term in wanted for run in wanted_term.runs]
    if not all(map(str.isascii, runs)):
        return "FALSE", []
    patterns = [f"%{run[:_LONGEST_COMPARED]}%" for run in runs[:_MOST_COMPARED]]
    return f"({' AND '.join(['body LIKE ?'] * len(patterns))})", list(patterns)


class _Speakers:
    """Decides whether a speaker is the wanted one; results are cached by name."""

    def __init__(self, wanted: str | None) -> None:
        wanted_term = None if wanted is None else term(wanted, phrase=True)
        self._finder = Finder([wanted_term]) if wanted_term else None
        self._known: dict[str | None, bool] = {None: wanted is None}
        self._any = wanted is None

    def matches(self, speaker: str | None) -> bool:
        """Return True if the speaker has the wanted name, or if any speaker is wanted."""
        if speaker not in self._known:
            has_name = bool(self._finder and speaker and self._finder.finds(folded(speaker)))
            self._known[speaker] = self._any or has_name
        return self._known[speaker]


def _message_rows(reader: Reader, numbers: Sequence[int]) -> dict[int, SearchRow]:
    return {
        row["id"]: SearchRow(
            session=row["session"],
            artifact=personal(row["named_body"]).get("name"),
            customer=row["customer"],
            customer_name=None,
            at_seconds=(offset := message_offset(row["offset_ms"])),
            time=message_time(row["began"], offset),
            speaker=row["speaker"],
            snippet="",
            text=row["text"],
            where=MESSAGE,
            thing=f"session:{row['session']}",
            customer_id=row["customer"],
        )
        for row in reader.all(_MESSAGES, to_json(list(numbers)))
    }


# --- texts of events ------------------------------------------------------------------------------


def _texts(reader: Reader, finder: Finder, where: Where) -> Iterator[_Hit]:
    """Yield the hits in titles, descriptions, reasons, reviews and notes, which have no speaker."""
    if where.speaker is not None:
        return
    texts = list(_fields(reader, finder))
    about = _about(reader, {seq for seq, *_ in texts})
    seen = set()
    for seq, field, text in texts:
        time, entity, session, customer = about[seq]
        identity = (session or entity, field, text)
        if identity in seen or (where.since and from_text(time) < where.since):
            continue
        if (where.customer or customer) != customer or (where.session or session) != session:
            continue
        seen.add(identity)
        hit = SearchRow(
            session=session,
            artifact=None,
            customer=customer,
            customer_name=None,
            at_seconds=None,
            time=from_text(time),
            speaker=None,
            snippet="",
            text=text,
            where=field,
            thing=entity,
            customer_id=customer,
        )
        yield _Hit((-finder.score(folded(text)), time, seq, len(seen)), 0, hit)


def _fields(reader: Reader, finder: Finder) -> Iterator[tuple[int, str, str]]:
    """Yield the matching texts of events as (seq, field, text)."""
    condition, patterns = _body_condition(finder.wanted)
    # Bodies are ASCII; all other characters are escaped.
    statement = f"SELECT seq, body FROM event_personal WHERE {condition} OR instr(body, '\\u')"  # noqa: S608
    for seq, body in reader.db.execute(f"{statement} ORDER BY seq", patterns).fetchall():
        for field, value in personal(body).items():
            text = value if isinstance(value, str) else _join_list(value)
            if text and finder.finds(folded(text)):
                yield seq, field, text


def _join_list(value: object) -> str:
    """Join a list of strings; values of other types are not searched."""
    return ", ".join(filter(_is_text, value)) if isinstance(value, list) else ""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _about(
    reader: Reader, seqs: Iterable[int]
) -> dict[int, tuple[str, str | None, str | None, str | None]]:
    """Return each event's time, entity, session and customer, by seq."""
    wanted = to_json(sorted(seqs))
    reversals = dict(reader.db.execute(_REVERSED, (wanted,)).fetchall())
    events = reader.db.execute(_EVENTS, (wanted,)).fetchall()
    subjects = {
        seq: (time, _subject(json.loads(reversals.get(seq, facts)))) for seq, time, facts in events
    }
    ids = {
        kind: [name for _, (subject_kind, name) in subjects.values() if subject_kind == kind]
        for kind in _KINDS
    }
    rows = reader.db.execute(_BELONGS, [to_json(ids[kind]) for kind in _KINDS]).fetchall()
    belongs = {(kind, name): (session, customer) for kind, name, session, customer in rows}
    return {
        seq: (time, f"{kind}:{name}" if kind else None, *belongs.get((kind, name), (None, None)))
        for seq, (time, (kind, name)) in subjects.items()
    }


def _subject(facts: dict[str, Any]) -> tuple[str, str]:
    """Return the kind and the id of the entity that an event's facts name."""
    for kind in (*_KINDS, "payout", "customer"):
        if isinstance(facts.get(kind), str):
            return kind, facts[kind]
    return "", ""


# --- search words ---------------------------------------------------------------------------------


def matching(words: Sequence[str]) -> Finder | None:
    """Return the finder for typed search words; None if there are no wanted terms.

    An argument with blanks is a phrase, as is text in quotes; a phrase matches whole words. `-word`
    excludes a word, `mali*` matches the beginning of a word. Any other text matches parts of words.
    """
    wanted: dict[Term, None] = {}
    unwanted: dict[Term, None] = {}
    for argument in words:
        for minus, text, is_phrase, star in _terms(argument):
            if parsed := term(text, phrase=is_phrase, begins=star):
                (unwanted if minus else wanted)[parsed] = None
    return Finder(list(wanted), list(unwanted)) if wanted else None


def _terms(argument: str) -> Iterator[tuple[bool, str, bool, bool]]:
    """Yield the terms of an argument as (is excluded, text, is a phrase, is a beginning)."""
    argument = argument.strip()
    if '"' not in argument and len(argument.split()) > 1:  # The shell removed the quotes.
        bare = argument.removeprefix("-")
        star = "*" if bare.endswith("*") else ""
        argument = f'{argument[: -len(bare)]}"{bare}"{star}'
    for match in _TERM.finditer(argument):
        is_phrase = match["phrase"] is not None
        text = match["phrase"] if is_phrase else match["word"]
        yield bool(match["minus"]), text or "", is_phrase, bool(match["star"])
