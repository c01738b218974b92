"""Fast serialisation gives the same bytes as the plain one: they are hashed, so never change."""

from __future__ import annotations

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from liveportal.ledger.format import hash_chain
from liveportal.ledger.format.row_mapping import to_json

_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)
_NAMES = st.one_of(
    st.text(max_size=8),
    st.text("ab-", min_size=126, max_size=130),
    st.text(st.characters(min_codepoint=0x7E, max_codepoint=0xE000), max_size=140),
)


@given(_JSON)
def test_documents_are_written_as_json_writes_them(value: object) -> None:
    """ASCII, no spaces, keys in their order."""
    assert to_json(value) == json.dumps(value, separators=(",", ":"))


@given(st.tuples(*[_NAMES] * 6), st.text(max_size=9))
def test_the_hash_is_that_of_the_definition(fields: tuple[str, ...], facts: str) -> None:
    """Each field is preceded by its length in eight bytes, in UTF-8, whatever it contains."""
    facts = facts.encode("utf-8", "replace").decode()
    encoded = [field.encode("utf-8", "surrogatepass") for field in fields]
    whole = b"liveportal.journal.v1" + b"prev"
    whole += b"".join(len(each).to_bytes(8, "big") + each for each in encoded)
    whole += hashlib.sha256(facts.encode()).digest() + b"personal" + b"effects"
    actual = hash_chain.event_hash(b"prev", fields, facts, b"personal", b"effects")
    assert actual == hashlib.sha256(whole).digest()
    assert actual == hash_chain.event_hash(b"prev", iter(fields), facts, b"personal", b"effects")
