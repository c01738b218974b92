"""Words to search for, and whether a text has them: as people type, without case and accents.

A word is a run of letters and digits. A text has a word if one of its own begins with it: `flick`
is found in "Flickering", `zoe` in "Zoë". The ledger's index of messages splits texts alike.
"""

from __future__ import annotations

from unicodedata import category, normalize

from liveportal.domain.patterns import pattern

_WORD = pattern(r"[^\W_]+")


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text, each once, in their order, spelt as they were."""
    return tuple(dict.fromkeys(_WORD.findall(normalize("NFC", text))))


def folded(text: str) -> str:
    """Return the words of a text without case and accents, a blank before each, for `has_word`."""
    return "".join(f" {_folded(word)}" for word in _WORD.findall(normalize("NFC", text)))


def has_word(folded_text: str, word: str) -> bool:
    """Tell whether a folded text has a word that begins with this one."""
    return folded(word) in folded_text


def _folded(word: str) -> str:
    if word.isascii():
        return word.lower()
    # Twice, since what is decomposed may have a case again, and what lost it be decomposed further.
    plain = normalize("NFKD", normalize("NFKD", word).casefold()).casefold()
    bare = "".join(letter for letter in plain if category(letter) != "Mn")
    return bare or plain  # A mark that stands alone is all that there is.
