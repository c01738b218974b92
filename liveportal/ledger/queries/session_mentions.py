"""Finds the sessions whose texts and messages contain given words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from liveportal.domain.text import clean
from liveportal.domain.text_search import Finder, folded, term
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries.customers import customers
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.session_search import sessions_saying

_ABOUT = """
    SELECT session.id, session.customer, opened.body AS opened_body,
           described.body AS described_body
    FROM session
    JOIN customer ON customer.id = session.customer
    LEFT JOIN request ON request.id = session.request
    LEFT JOIN event_personal AS opened
        ON opened.seq = coalesce(request.opened_seq, session.agreed_seq)
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
"""
_BODIES = """
    SELECT claim.session, body FROM claim
    JOIN statement ON statement.thing = 'claim:' || claim.id
        AND statement.type = 'refund.claimed' AND statement.confirms IS NULL
    JOIN event_personal ON event_personal.seq = statement.seq
    UNION ALL SELECT session, body FROM review JOIN event_personal USING (seq)
"""


def sessions_mentioning(reader: Reader, words: Sequence[str]) -> list[str]:
    """Return the ids of the sessions whose texts together contain all the words.

    The texts are the title, the description, the customer's name, the reasons of claims, reviews,
    and the messages of transcripts.
    """
    texts = _texts(reader)
    matches = set(texts)
    for wanted in filter(None, map(term, words)):
        finder, saying = Finder([wanted]), sessions_saying(reader, wanted)
        matches = {name for name in matches if name in saying or finder.finds(texts[name])}
    return sorted(matches)


def _texts(reader: Reader) -> dict[str, str]:
    """Return the folded texts of every session except its messages, one text per line."""
    rows = reader.all(_ABOUT)
    details = customers(reader, {row["customer"]: row["described_body"] for row in rows})
    texts: dict[str, list[str | None]] = defaultdict(list)
    for row in rows:
        opened = personal(row["opened_body"])
        texts[row["id"]] = [
            opened.get("title"),
            opened.get("description"),
            details[row["customer"]].name,
        ]
    for session, body in reader.db.execute(_BODIES).fetchall():
        values = personal(body)
        texts[session] += [values.get("reason"), values.get("text")]
    # Cleaned as for display: an escape code is not part of the word after it.
    return {name: folded(clean("\n".join(filter(None, lines)))) for name, lines in texts.items()}
