"""Page formats: by which functions the texts of a pack are written, under the number of each.

A pack names the number of its format, and is verified by writing its texts again with the functions
of that number. So a released format never changes: to change a page, a sentence, a step of the bill
or what is blacked out, copy what changes, add a number that uses it, and make it `CURRENT`; the old
functions stay for the packs that were made with them. `tests/exports/test_pages.py` has the hashes
of a pack of each number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from liveportal.domain.calculations.billing_steps import BillingStep, bill_steps
from liveportal.domain.case import Case
from liveportal.domain.entities import Session
from liveportal.domain.events.describe import Data, sentence
from liveportal.domain.policy import Policy
from liveportal.exports.dossier import Dossier, html, markdown
from liveportal.exports.redaction import redactor
from liveportal.exports.redaction_1 import redactor as redactor_1
from liveportal.exports.spellings import key


class Redact(Protocol):
    """Blacks other people out of texts; `document` out of files, None where that is impossible."""

    def __call__(self, text: str) -> str:
        """Return a text with other people blacked out."""
        ...

    def document(self, text: str) -> str | None:
        """Return the text of a file with other people blacked out, or None."""
        ...

    def finds_name(self, text: str) -> bool:
        """Tell whether somebody's name can be read in a text."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """A page format: the functions that write it.

    `names` returns whose names a redacted pack blacks out before --keep and --name. `guessable` is
    true of the format whose redacted packs had the hashes of what they blacked out.
    """

    number: int
    html: Callable[[Dossier], str]
    markdown: Callable[[Dossier], str]
    sentence: Callable[[str, Data], str]
    bill: Callable[[Session, Policy], list[BillingStep]]
    proof: str
    redactor: Callable[[Iterable[str]], Redact]
    names: Callable[[Case], set[str]]
    same_name: Callable[[str], str]
    guessable: bool = False


FIRST = 1
"""The format of a pack that names none."""


def _customer_and_speakers(case: Case) -> set[str]:
    names = {each.speaker for each in case.messages if each.speaker}
    return names | {case.customer_name} if case.customer_name else names


def _everybody(case: Case) -> set[str]:
    """Return the customer's name, those that they had before, and all speakers."""
    earlier = (each.data.get("customer") for each in case.events)
    return _customer_and_speakers(case) | {
        each["name"] for each in earlier if isinstance(each, Mapping) and each.get("name")
    }


class _First:
    """The redaction of the first format: it looked at texts and files alike, as they are."""

    def __init__(self, names: Iterable[str]) -> None:
        self._redact = redactor_1(names)

    def __call__(self, text: str) -> str:
        """Return a text with other people blacked out."""
        return self._redact(text)

    def document(self, text: str) -> str:
        """Return the text of a file with other people blacked out."""
        return self._redact(text)

    def finds_name(self, _text: str) -> bool:
        """Find nothing: the format had no second look."""
        return False


PAGES: Mapping[int, Page] = {
    1: Page(
        number=1,
        html=html,
        markdown=markdown,
        sentence=sentence,
        bill=bill_steps,
        proof="`liveportal dispute verify FILE` proves that nothing was changed.",
        redactor=_First,
        names=_customer_and_speakers,
        same_name=str.casefold,
        guessable=True,
    ),
    2: Page(
        number=2,
        html=html,
        markdown=markdown,
        sentence=sentence,
        bill=bill_steps,
        proof=(
            "`liveportal dispute verify FILE` shows the seal of this pack. Compare it with the one"
            " that the expert gave you: only that proves that nothing was changed."
        ),
        redactor=redactor,
        names=_everybody,
        same_name=key,
    ),
}
CURRENT = PAGES[2]


def people(page: Page, case: Case, keep: Sequence[str], more: Sequence[str]) -> Redact:
    """Return what blacks out the people of a case, but for those to keep, and some more names."""
    kept = {page.same_name(each) for each in keep}
    names = page.names(case) | set(more)
    return page.redactor(each for each in names if page.same_name(each) not in kept)
