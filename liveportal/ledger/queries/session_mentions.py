"""In which sessions something was said: of them, and in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from liveportal.domain.text import clean
from liveportal.domain.text_search import Finder, folded, term
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries import customers
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
_SAID = """
    SELECT claim.session, body FROM claim
    JOIN statement ON statement.thing = 'claim:' || claim.id
        AND statement.type = 'refund.claimed' AND statement.confirms IS NULL
    JOIN event_personal ON event_personal.seq = statement.seq
    UNION ALL SELECT session, body FROM review JOIN event_personal USING (seq)
"""


def mentioning(reader: Reader, words: Sequence[str]) -> list[str]:
    """Return the sessions in whose texts all the words stand, in one text or in several.

    The texts are title, description, the customer's name, the reasons of claims, reviews, and the
    messages of transcripts.
    """
    texts = _texts(reader)
    found = set(texts)
    for wanted in filter(None, map(term, words)):
        finder, said = Finder([wanted]), sessions_saying(reader, wanted)
        found = {each for each in found if each in said or finder.finds(texts[each])}
    return sorted(found)


def _texts(reader: Reader) -> dict[str, str]:
    """Return the texts of every session but its messages, folded, one a line."""
    about = reader.all(_ABOUT)
    told = customers.customers(reader, {each["customer"]: each["described_body"] for each in about})
    texts: dict[str, list[str | None]] = defaultdict(list)
    for each in about:
        opened = personal(each["opened_body"])
        texts[each["id"]] = [
            opened.get("title"),
            opened.get("description"),
            told[each["customer"]].get("name"),
        ]
    for session, body in reader.db.execute(_SAID).fetchall():
        said = personal(body)
        texts[session] += [said.get("reason"), said.get("text")]
    # As they are read: a colour's code is no part of the word behind it.
    return {name: folded(clean("\n".join(filter(None, said)))) for name, said in texts.items()}
