"""The dialect of Beancount, which fava shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import MAXYEAR, date, timedelta

from liveportal.domain.accounts import Account
from liveportal.domain.frozen import frozen
from liveportal.domain.ledger_entries import BookSpan, LedgerEntry
from liveportal.domain.money import digits_of
from liveportal.domain.text import clean
from liveportal.exports.plain_text import recipe

_SPELLED: dict[str, str] = {Account.PLATFORM: "assets:platform:owed"}
"""A balance of a parent account would count its children, so what is owed has its own account."""


@frozen
class Beancount:
    """The dialect of Beancount; `bean-check` accepts it."""

    def head(self, span: BookSpan) -> Iterator[str]:
        """Yield the options, the commodity and the opening of all accounts."""
        day, currency = span.first_day.isoformat(), span.currency
        yield 'option "title" "liveportal"'
        yield f'option "operating_currency" "{currency}"'
        yield f"{day} commodity {currency}"
        yield f"  precision: {digits_of(currency)}"
        for name in recipe.account_names():
            yield f"{day} open {account(name)} {currency}"

    def opening(self, span: BookSpan) -> Iterator[str]:
        """Yield the entry that opens the asset accounts with their balances."""
        yield f'{span.first_day.isoformat()} * "opening balances"'
        yield from _postings(recipe.opening_postings(span), span.currency)

    def entry(self, entry: LedgerEntry, currency: str) -> Iterator[str]:
        """Yield one transaction; a link joins the entries of one session, claim or payout."""
        links = " ".join(f"^{link(value)}" for value in entry.ids.values())
        yield f"{entry.day.isoformat()} * {quoted(entry.description)} {links}".rstrip()
        for name, value in recipe.tags(entry).items():
            yield f"  {name}: {quoted(value)}"
        if entry.own_day != entry.day:
            yield f"  day: {entry.own_day.isoformat()}"
        yield from _postings(entry.postings, currency)

    def month_end(self, span: BookSpan, first_day: date) -> Iterator[str]:
        """Yield the balances of the asset accounts; Beancount checks them as a day begins."""
        if first_day.year == MAXYEAR and first_day.month == 12:  # noqa: PLR2004 -- December.
            return  # No day follows.
        following = (first_day + timedelta(days=31)).replace(day=1)
        yield ""
        for asset, minor in span.balances[first_day.isoformat()[:7]].items():
            total = recipe.amount(minor, span.currency)
            yield f"{following.isoformat()} balance {account(asset)} {total}"


def account(name: str) -> str:
    """Return the name of an account as Beancount requires it, such as `Expenses:Platform-Fee`."""
    parts = _SPELLED.get(name, name).split(":")
    return ":".join("-".join(map(str.capitalize, part.split("-"))) for part in parts)


def link(value: str) -> str:
    """Return an id as a link. No id has a `/`, so that links of two ids never are the same."""
    return value.replace(":", "/")


def quoted(text: str) -> str:
    """Return a text as a string of one line."""
    flat = " ".join(clean(text).split())
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _postings(postings: Iterable[tuple[str, int]], currency: str) -> Iterator[str]:
    for name, minor in postings:
        yield f"  {account(name)}  {recipe.amount(minor, currency)}"
