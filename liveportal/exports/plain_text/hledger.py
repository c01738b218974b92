"""The dialects of hledger and of Ledger, which differ in their declarations and in their tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from liveportal.domain.frozen import frozen
from liveportal.domain.ledger_entries import BookSpan, LedgerEntry
from liveportal.domain.money import digits_of
from liveportal.exports.plain_text import recipe

_TYPES = {"assets": "A", "income": "R", "expenses": "X", "equity": "E"}


@frozen
class _Common:
    """What both programs read: dates, status and code first, then anything is safe."""

    after_tag: str
    """What follows the colon of a tag."""

    def opening(self, span: BookSpan) -> Iterator[str]:
        """Yield the entry that opens the asset accounts with their balances."""
        yield f"{span.first_day.isoformat()} * (0) opening balances"
        yield from _postings(recipe.opening_postings(span), span.currency)

    def entry(self, entry: LedgerEntry, currency: str) -> Iterator[str]:
        """Yield one transaction; its own day is the secondary date where it is another one."""
        other = "" if entry.own_day == entry.day else f"={entry.own_day.isoformat()}"
        text = recipe.description(entry)
        yield f"{entry.day.isoformat()}{other} * ({entry.number}) {text}"
        for name, value in recipe.tags(entry).items():
            yield f"    ; {name}:{self.after_tag}{recipe.encoded(value)}"
        yield from _postings(entry.postings, currency)

    def month_end(self, span: BookSpan, first_day: date) -> Iterator[str]:
        """Yield nothing: these programs check balances in postings only."""
        del span, first_day
        yield from ()


@frozen
class Hledger(_Common):
    """The dialect of hledger; `hledger check --strict` accepts it."""

    after_tag: str = ""

    def head(self, span: BookSpan) -> Iterator[str]:
        """Yield the declarations of the commodity and of all accounts, with their types."""
        yield "decimal-mark ."
        yield f"commodity {_sample(span.currency, mark='.')}"
        for name in recipe.account_names():
            yield f"account {name}  ; type:{_TYPES[name.partition(':')[0]]}"


@frozen
class Ledger(_Common):
    """The dialect of Ledger; `ledger --pedantic` accepts it."""

    after_tag: str = " "

    def head(self, span: BookSpan) -> Iterator[str]:
        """Yield the declarations of the commodity, of all accounts and of the tags."""
        yield f"commodity {span.currency}"
        yield f"    format {_sample(span.currency, mark='')}"
        for name in recipe.account_names():
            yield f"account {name}"
        for name in recipe.TAGS:
            yield f"tag {name}"


def _sample(currency: str, *, mark: str) -> str:
    """Return an amount that declares how amounts look; `mark` follows a whole number."""
    digits = digits_of(currency)
    return f"1000{'.' + '0' * digits if digits else mark} {currency}"


def _postings(postings: Iterable[tuple[str, int]], currency: str) -> Iterator[str]:
    for account, minor in postings:
        yield f"    {account}  {recipe.amount(minor, currency)}"
