"""Answers in sentences: what a terminal shows after a write, instead of its row of fields.

A `Sentence` says what happened in the words that fit each outcome: recorded, tried (`--dry-run`) or
recorded before. Everything here is pure, but for `write_answer`.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from liveportal.cli.io.errors import NOTHING_RECORDED
from liveportal.cli.io.text import clean, clock_time
from liveportal.domain.clock import zone
from liveportal.domain.errors import InvalidValue
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money

NARROWEST, WIDEST = 40, 100


@frozen
class Sentence:
    """What happened to `what`, with the details after a colon, and the sentences that follow.

    `done` and `would` are the verbs: "Accepted" and "accept". `next` are the next commands, each
    with what it is for; the program's name is left out. `nothing` ends the answer of a dry run.
    """

    done: str
    would: str
    what: str
    detail: str = ""
    more: tuple[str, ...] = ()
    next: tuple[tuple[str, str], ...] = ()
    nothing: str = NOTHING_RECORDED

    def first(self, *, dry_run: bool, replayed: bool = False) -> str:
        """Return the first sentence; a tried event, and one of before, say that they are."""
        verb, colon = f"Would {self.would}" if dry_run else self.done, ":"
        if replayed:
            verb = self._before()
            colon = ";" if verb.count(":") else ":"
        detail = f"{colon} {self.detail}" if self.detail else ""
        return ended(f"{verb} {self.what}{detail}")

    def _before(self) -> str:
        """Return the verb for what was recorded before."""
        if self.done != "Recorded":
            return f"Already recorded: {self.done[:1].lower()}{self.done[1:]}"
        return "Already recorded" if self.what.startswith("that ") else "Already recorded:"

    def paragraphs(
        self, flags: Iterable[str] = (), *, dry_run: bool, replayed: bool = False
    ) -> list[str]:
        """Return all sentences; each flag has a line of its own."""
        first = self.first(dry_run=dry_run, replayed=replayed)
        texts = [" ".join((first, *filter(None, self.more))), *flags]
        if dry_run and not replayed:
            texts[-1] += f" {self.nothing}"
        return texts


def ended(text: str) -> str:
    """Return a text with a full stop, unless it ends a sentence already."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: `no files`, `1 file`, `2 files`."""
    return f"{f'{count:,}' if count else 'no'} {one if count == 1 else many or f'{one}s'}"


def listed(words: Iterable[str], most: int = 3) -> str:
    """Return words as a list: `a, b and c`, or `a, b, c and 2 more`."""
    all_words = list(words)
    shown = all_words[:most]
    if rest := len(all_words) - len(shown):
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def quoted(text: str | None) -> str:
    """Return a text of a person in quotes, such as a title; empty without one."""
    return f'"{text}"' if text else ""


def with_reason(text: str, reason: str | None) -> str:
    """Return a text with the reason in brackets, if one was given."""
    return f"{text} ({reason})" if reason else text


def amount(money: Money | None) -> str:
    """Return an amount with its currency: `168.00 USD`."""
    return "an amount that is too large to book" if money is None else f"{money} {money.currency}"


def minutes_of(text: str | None) -> str:
    """Return billed minutes in words: `45 min`; they have two digits elsewhere."""
    return f"{(text or '0').removesuffix('.00')} min"


# --- times ----------------------------------------------------------------------------------------


def local(instant: datetime, zone_name: str) -> datetime:
    """Return an instant in a zone; off the ends of the calendar it stays in UTC."""
    try:
        return instant.astimezone(zone(zone_name))
    except OverflowError:
        return instant.astimezone(UTC)


def day(at: date, today: date) -> str:
    """Return a local day, such as `Thu 3 Dec`; of another year than `today`, with its year."""
    year = f" {at.year}" if at.year != today.year else ""
    return f"{at:%a} {at.day} {at:%b}{year}"


def moment(instant: datetime, zone_name: str, now: datetime) -> str:
    """Return an instant with its zone: `Thu 3 Dec 20:00, Europe/Paris`."""
    at = local(instant, zone_name)
    return f"{day(at, local(now, zone_name))} {clock_time(at)}, {zone_name}"


def span(start: datetime, end: datetime | None, zone_name: str, now: datetime) -> str:
    """Return a span with its zone: `Thu 3 Dec 20:00-21:00, Europe/Paris`."""
    if end is None:
        return moment(start, zone_name, now)
    first, last, today = (local(time, zone_name) for time in (start, end, now))
    is_one_day = first.date() == last.date()
    until = clock_time(last) if is_one_day else f"{day(last, today)} {clock_time(last)}"
    return f"{day(first, today)} {clock_time(first)}-{until}, {zone_name}"


def for_other(instant: datetime, zone_name: str, other: str | None, name: str) -> str:
    """Return ` (Fri 04:00 for Joe)`, the time in another zone; empty if it is the same there."""
    try:
        there = local(instant, other) if other else None
    except InvalidValue:  # A zone that only the platform knows.
        there = None
    here = local(instant, zone_name)
    if there is None or there.utcoffset() == here.utcoffset():
        return ""
    weekday = f"{there:%a} " if there.date() != here.date() else ""
    return f" ({weekday}{clock_time(there)} for {name})"


# --- writing --------------------------------------------------------------------------------------


def write_answer(
    texts: Iterable[str], commands: Iterable[tuple[str, str]] = (), *, ledger: Path | None = None
) -> None:
    """Write sentences to the terminal, each wrapped between words, and the next commands below.

    A command is never broken; `ledger` is the path that was typed, which it then needs, too.
    """
    columns = shutil.get_terminal_size((WIDEST, 24)).columns
    for text in texts:
        wrapped = textwrap.wrap(
            clean(text),
            max(NARROWEST, min(WIDEST, columns)),
            break_long_words=False,
            break_on_hyphens=False,
        )
        sys.stdout.write("\n".join(wrapped) + "\n")
    named = list(commands)
    width = max((len(label) for label, _ in named), default=0) + 1
    for label, command in named:
        sys.stdout.write(clean(f"  {f'{label}:':{width}} {spelt(command, ledger)}") + "\n")


def spelt(command: str, ledger: Path | None = None) -> str:
    """Return a command as it is typed, about the ledger whose path was typed."""
    where = f" --ledger {shlex.quote(str(ledger))}" if ledger else ""
    return f"liveportal{where} {command}"


def several(results: Iterable[Mapping[str, object]]) -> str:
    """Return the sentence that counts the results of several things."""
    rows = list(results)
    failed = sum(row["error"] is not None for row in rows)
    good = len(rows) - failed
    if any(row["dry_run"] for row in rows):
        text = f"Would record {good} of {len(rows)}. {NOTHING_RECORDED}"
    else:
        text = f"Recorded {good} of {len(rows)}."
    return text + (f" {failed} failed." if failed else "")
