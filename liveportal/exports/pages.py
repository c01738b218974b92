"""Page formats: the functions that write the texts of a pack, by format number.

A pack has the number of its format and is verified by writing its texts again with the functions of
that format, so a released format never changes. To change a page, a sentence, a step of the bill or
the redaction, copy the functions that change, add a new number that uses them, and make it
`CURRENT`; the old functions stay for existing packs. `tests/exports/test_pages.py` has the hashes
of a pack of each format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol

from liveportal.domain.case import Case
from liveportal.domain.frozen import frozen
from liveportal.exports.dossier import Exhibit, Reasons
from liveportal.exports.pages_1 import REASONS_1, dossier_pages
from liveportal.exports.redaction import redactor
from liveportal.exports.redaction_1 import redactor as redactor_1
from liveportal.exports.review import REASONS, review_pages
from liveportal.exports.spellings import comparison_key


class Redact(Protocol):
    """Blacks other people out of texts and files."""

    def __call__(self, text: str) -> str:
        """Return a text with other people blacked out."""
        ...

    def document(self, text: str) -> str | None:
        """Return the text of a file with other people blacked out; None if that is impossible."""
        ...

    def finds_name(self, text: str) -> bool:
        """Return True if a name can be read in a text."""
        ...


@frozen
class Page:
    """A page format: the functions that write it.

    `write` returns the pages by their file names. `names` returns the names that a redacted pack
    blacks out, apart from --keep and --name. `guessable` is True for the format whose redacted
    packs have the hashes of the original texts.
    """

    number: int
    write: Callable[[Case, Sequence[Exhibit]], Mapping[str, str]]
    reasons: Reasons
    redactor: Callable[[Iterable[str]], Redact]
    names: Callable[[Case], set[str]]
    same_name: Callable[[str], str]
    guessable: bool = False


FIRST = 1
"""The format of a pack whose manifest has no format number."""


def _customer_and_speakers(case: Case) -> set[str]:
    names = {message.speaker for message in case.messages if message.speaker}
    return names | {case.customer_name} if case.customer_name else names


def _all_people(case: Case) -> set[str]:
    """Return the customer's name, their earlier names, and the names of all speakers."""
    customers = (event.data.get("customer") for event in case.events)
    return _customer_and_speakers(case) | {
        customer["name"]
        for customer in customers
        if isinstance(customer, Mapping) and customer.get("name")
    }


class _RedactorOfFormat1:
    """The redaction of format 1, which handles texts and files alike."""

    def __init__(self, names: Iterable[str]) -> None:
        self._redact = redactor_1(names)

    def __call__(self, text: str) -> str:
        """Return a text with other people blacked out."""
        return self._redact(text)

    def document(self, text: str) -> str:
        """Return the text of a file with other people blacked out."""
        return self._redact(text)

    def finds_name(self, _text: str) -> bool:
        """Return False: format 1 does not check the redacted text again."""
        return False


_PROOF_1 = "`liveportal dispute verify FILE` proves that nothing was changed."
_PROOF_2 = (
    "`liveportal dispute verify FILE` shows the seal of this pack. Compare it with the one"
    " that the expert gave you: only that proves that nothing was changed."
)

PAGES: Mapping[int, Page] = {
    1: Page(
        number=1,
        write=partial(dossier_pages, proof=_PROOF_1),
        reasons=REASONS_1,
        redactor=_RedactorOfFormat1,
        names=_customer_and_speakers,
        same_name=str.casefold,
        guessable=True,
    ),
    2: Page(
        number=2,
        write=partial(dossier_pages, proof=_PROOF_2),
        reasons=REASONS_1,
        redactor=redactor,
        names=_all_people,
        same_name=comparison_key,
    ),
    3: Page(
        number=3,
        write=review_pages,
        reasons=REASONS,
        redactor=redactor,
        names=_all_people,
        same_name=comparison_key,
    ),
}
CURRENT = PAGES[3]


def case_redactor(page: Page, case: Case, keep: Sequence[str], more: Sequence[str]) -> Redact:
    """Return the redaction of a case's people, except those in `keep`, and the names in `more`."""
    kept = {page.same_name(name) for name in keep}
    names = page.names(case) | set(more)
    return page.redactor(name for name in names if page.same_name(name) not in kept)
