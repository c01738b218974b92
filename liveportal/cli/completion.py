"""What a shell completes of the value of an option or an argument.

A completer is declared where the option is: `autocompletion=ids("session")`. It is called only when
a shell asks, so importing this module must cost next to nothing. What a completer yields need not
begin with what was typed: Typer leaves out what does not. `cli.io.shells` cleans the texts.

A ledger is read as it is: one that is missing, locked, damaged, left in the middle of a write or of
another version completes nothing, and no completer creates or changes anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from inspect import Parameter, Signature
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import typer

from liveportal.cli.ledger_path import default_ledger, ledgers_above

if TYPE_CHECKING:
    from liveportal.ledger.queries.reader import Reader

P = ParamSpec("P")
T = TypeVar("T")
Suggestion = str | tuple[str, str]
"""A value, or a value and what a shell shows beside it."""


class Completer:
    """A function that yields suggestions, given the context of the command and what was typed.

    Its signature is ready-made: Typer looks at that of every completer whenever a command runs, and
    to evaluate the annotations of a function takes a quarter of a millisecond.
    """

    __signature__ = Signature(
        [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("ctx", "incomplete")]
    )

    def __init__(self, function: Callable[[typer.Context, str], Iterable[Suggestion]]) -> None:
        self.function = function
        self.__annotations__ = {}

    def __call__(self, ctx: typer.Context, incomplete: str) -> Iterable[Suggestion]:
        """Return the suggestions; those that do not begin with what was typed are left out."""
        return self.function(ctx, incomplete)


# --- words ----------------------------------------------------------------------------------------


def choices(words: Iterable[str], *, listed: bool = False) -> Completer:
    """Complete one of these words; with `listed`, also further ones after a comma."""

    @Completer
    def complete(_context: typer.Context, incomplete: str) -> Iterable[Suggestion]:
        return _after_comma(words, incomplete) if listed else words

    return complete


def sorts(names: Iterable[str]) -> Completer:
    """Complete the names of what a list is sorted by, in both directions."""
    return choices([order for name in names for order in (name, f"-{name}")])


def _after_comma(words: Iterable[str], incomplete: str) -> Iterator[str]:
    """Yield the words that may follow the last comma, each with the text before that comma."""
    before, comma, _ = incomplete.rpartition(",")
    taken = before.split(",")
    return (f"{before}{comma}{word}" for word in words if word not in taken)


@Completer
def fields(context: typer.Context, incomplete: str) -> Iterable[Suggestion]:
    """Complete the fields of the rows that the command declares, also after a comma."""
    shown = getattr(context.command.callback, "shown", None)
    return _after_comma(shown.columns, incomplete) if shown else ()


@Completer
def zones(_context: typer.Context, incomplete: str) -> Iterable[Suggestion]:
    """Complete the time zones that this computer knows.

    `zoneinfo.available_timezones` opens each file, which takes longer than a read.
    """
    from importlib.util import find_spec
    from zoneinfo import TZPATH

    package = find_spec("tzdata")
    packaged = package.submodule_search_locations if package else None
    for folder in (*TZPATH, *(f"{path}/zoneinfo" for path in packaged or ())):
        if os.path.isdir(folder):  # noqa: PTH112 -- A name is enough.
            return sorted(_zones_in(folder, "", incomplete))
    return ()


def _zones_in(folder: str, above: str, incomplete: str) -> Iterator[str]:
    """Yield the zones in a folder, and in those of its folders that may hold what was typed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            # Beside the zones there are tables (`zone.tab`) and copies (`right/`, `posix/`).
            if not entry.name[0].isupper() or "." in entry.name:
                continue
            name, start = f"{above}{entry.name}", f"{above}{entry.name}/"
            if not entry.is_dir():
                yield name
            elif start.startswith(incomplete) or incomplete.startswith(start):
                yield from _zones_in(entry.path, start, incomplete)


@Completer
def policies(_context: typer.Context, incomplete: str) -> Iterator[Suggestion]:
    """Complete the shipped policies, and the TOML files of this folder; others are files."""
    if "/" in incomplete or os.sep in incomplete:
        return
    from liveportal.cli.parse.policy_files import shipped_files

    for file in shipped_files():
        yield file.name.removesuffix(".toml"), "shipped"
    for path in sorted(Path().glob("*.toml")):
        yield path.name, "file"


# --- what is in the ledger ------------------------------------------------------------------------


def ids(*kinds: str, states: Mapping[str, tuple[str, ...]] = MappingProxyType({})) -> Completer:
    """Complete the ids of these kinds of entity, the newest first.

    `states` names the states in which a command takes one, by the command's name: an argument is
    shared by commands of which one starts a session and another ends it. Any other takes all.
    """

    @Completer
    def complete(context: typer.Context, incomplete: str) -> Iterator[Suggestion]:
        from liveportal.ledger.queries.suggestions import entities

        typed = [value for value in context.params.values() if isinstance(value, (list, tuple))]
        allowed = states.get(context.command.name or "", ())
        for kind in kinds:
            for suggestion in _read(context, entities, kind, allowed, incomplete):
                if not any(suggestion[0] in values for values in typed):
                    yield suggestion

    return complete


@Completer
def months(context: typer.Context, _incomplete: str) -> Iterator[Suggestion]:
    """Complete `this`, `last` and the months in which something was booked, the newest first."""
    from liveportal.ledger.queries.suggestions import booked_months

    yield from _read(context, _relative_months)
    yield from _read(context, booked_months)


@Completer
def years(context: typer.Context, _incomplete: str) -> Iterable[Suggestion]:
    """Complete the years in which something was booked, the newest first."""
    from liveportal.ledger.queries.suggestions import booked_months

    return dict.fromkeys(month[:4] for month in _read(context, booked_months))


@Completer
def periods(context: typer.Context, incomplete: str) -> Iterator[Suggestion]:
    """Complete months and years."""
    yield from months(context, incomplete)
    yield from years(context, incomplete)


def _relative_months(reader: Reader) -> list[tuple[str, str]]:
    from liveportal.cli.clock import utc_now
    from liveportal.cli.parse.times import read_month
    from liveportal.domain.clock import local_date

    today = local_date(utc_now(), reader.timezone)
    return [(word, read_month(word, today)) for word in ("this", "last")]


def preferences(name: str) -> Completer:
    """Complete the values of a preference that is a list, such as `skills`."""

    @Completer
    def complete(context: typer.Context, _incomplete: str) -> Iterable[Suggestion]:
        return _read(context, lambda reader: reader.preferences.get(name) or ())

    return complete


def _read(
    context: typer.Context,
    query: Callable[Concatenate[Reader, P], Iterable[T]],
    *values: P.args,
    **named: P.kwargs,
) -> Iterable[T]:
    """Return the rows of a query on the command's ledger; none if it cannot be read as it is."""
    from liveportal.ledger.opening import open_untouched

    typed = context.params.get("ledger") or next(ledgers_above(context), None)
    # The shell has not expanded `~` yet: it completes what was typed.
    path = Path(typed).expanduser() if typed else default_ledger()
    with suppress(Exception), open_untouched(path) as reader:
        return list(query(reader, *values, **named))
    return ()
