"""The options that commands share, so that they are spelt and explained the same everywhere.

A group of options is a frozen dataclass whose fields are Typer options. `with_options` flattens the
groups into a command's signature and hands the command the rebuilt objects, since Typer passes no
objects itself:

    @app.command("list")
    @with_options(LedgerOption, ReadOptions, OutputOptions)
    def list_(ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None: ...

A field that two groups of a command have (`timezone`) is one option, given to both.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar, get_type_hints

import typer

from liveportal.domain.values import dataclass

LEDGER_VARIABLE = "LIVEPORTAL_LEDGER"
LEDGER_HELP = "The ledger's file."

OUTPUT = "Output"
WRITING = "Writing"
BOOK = "Ledger and time"

_CONTEXT = "typer_context"
_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Options:
    """A group of options; its subclasses' fields are `Annotated[type, typer.Option(...)]`."""

    @classmethod
    def build(cls, _context: typer.Context, values: Mapping[str, Any]) -> Self:
        """Make the group from what was typed; ends with a usage error where options conflict."""
        return cls(**values)


@dataclass(frozen=True)
class LedgerOption(Options):
    """Which ledger: `--ledger`, here or before the subcommand; else the variable, else its home."""

    ledger: Annotated[
        Path | None,
        typer.Option(
            "--ledger",
            metavar="PATH",
            help=f"{LEDGER_HELP} May stand before the subcommand, too.",
            rich_help_panel=BOOK,
        ),
    ] = None

    typed: ClassVar[Path | None] = None
    """The path of `--ledger`; None where it was left out, whatever the variable says."""

    @classmethod
    def build(cls, context: typer.Context, values: Mapping[str, Any]) -> Self:
        """Take the path given nearest to the command; the root has read the variable."""
        typed = values["ledger"] or next(_given_above(context, typed=True), None)
        group = cls(typed or next(_given_above(context), None))
        object.__setattr__(group, "typed", typed)
        return group

    @property
    def path(self) -> Path:
        """The ledger's file, which need not exist."""
        return self.ledger or default_ledger()

    @property
    def files(self) -> tuple[Path, ...]:
        """The ledger's file, and all that lies beside it under a name of its own."""
        from liveportal.ledger.storage.temp_files import own_files

        return own_files(self.path)


def _given_above(context: typer.Context, *, typed: bool = False) -> Iterator[Path]:
    """Yield the ledgers given to the groups that a command stands in, the nearest first.

    Only those that were `typed`, or those of the variable, too.
    """
    above = context.parent
    while above is not None:
        source = above.get_parameter_source("ledger")
        is_variable = source is not None and source.name == "ENVIRONMENT"
        if (path := above.params.get("ledger")) and not (typed and is_variable):
            yield Path(path)  # Typer converts on the way to a function, not here.
        above = above.parent


def default_ledger() -> Path:
    """Return where a ledger lives if nobody said otherwise."""
    from platformdirs import user_data_path  # Costs as much as half a read; seldom needed.

    return user_data_path("liveportal", appauthor=False) / "ledger.db"


@dataclass(frozen=True)
class OutputOptions(Options):
    """How results are written; see `liveportal.cli.io.render`."""

    json: Annotated[
        bool,
        typer.Option(
            "--json", help="One JSON array or object, with every field.", rich_help_panel=OUTPUT
        ),
    ] = False
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One JSON object a line.", rich_help_panel=OUTPUT)
    ] = False
    csv: Annotated[
        bool,
        typer.Option(
            "--csv", help="CSV with a header, safe in a spreadsheet.", rich_help_panel=OUTPUT
        ),
    ] = False
    tsv: Annotated[
        bool,
        typer.Option("--tsv", help="Tab-separated rows, as in a pipe.", rich_help_panel=OUTPUT),
    ] = False
    header: Annotated[
        bool,
        typer.Option(
            "--header", help="Begin tab-separated rows with a header.", rich_help_panel=OUTPUT
        ),
    ] = False
    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--fields",
            "--field",
            metavar="A,B",
            help="Only these fields, in this order.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write to a file, whole or not at all; - is standard output.",
            rich_help_panel=OUTPUT,
        ),
    ] = None

    @classmethod
    def build(cls, context: typer.Context, values: Mapping[str, Any]) -> Self:
        """Refuse two formats at once, and a header where there can be none."""
        given = [name for name in ("json", "jsonl", "csv", "tsv") if values[name]]
        if len(given) > 1:
            context.fail(f"--{given[0]} and --{given[1]} are two formats: choose one.")
        if values["header"] and given and given[0] in ("json", "jsonl"):
            context.fail(f"--header belongs to rows; with --{given[0]} each value has its name.")
        return cls(**values)

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The fields asked for, in order; None if none were."""
        if self.fields is None:
            return None
        return tuple(name.strip() for text in self.fields for name in text.split(","))


_TIMEZONE = typer.Option(
    "--timezone",
    metavar="ZONE",
    help="The zone of times typed without an offset, such as Europe/Paris.",
    rich_help_panel=BOOK,
)


@dataclass(frozen=True)
class ReadOptions(Options):
    """What every command that reads takes."""

    as_known: Annotated[
        str | None,
        typer.Option(
            "--as-known",
            metavar="TIME",
            help="Answer as the ledger would have then; a bare date is the end of that day.",
            rich_help_panel=BOOK,
        ),
    ] = None
    timezone: Annotated[str | None, _TIMEZONE] = None

    def known_at(self, zone_name: str, now: datetime) -> datetime | None:
        """Return the instant of `--as-known`, read in `--timezone` or else the zone given.

        Raises `InvalidTime`, and `InvalidValue` for a zone that is none.
        """
        if self.as_known is None:
            return None
        from liveportal.cli.parse.times import as_known

        return as_known(self.as_known, self.timezone or zone_name, now)


@dataclass(frozen=True)
class WriteOptions(Options):
    """What every command that records something takes."""

    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Show what would happen; record nothing, ask nothing.",
            rich_help_panel=WRITING,
        ),
    ] = False
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="When it happened, such as 'yesterday 14:00'; default: now.",
            rich_help_panel=WRITING,
        ),
    ] = None
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="KEY",
            help="Repeat safely: the same key records once.",
            rich_help_panel=WRITING,
        ),
    ] = None
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway",
            help="Record it although something speaks against it, such as a time in the future.",
            rich_help_panel=WRITING,
        ),
    ] = False
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Do not ask for confirmation.", rich_help_panel=WRITING),
    ] = False
    timezone: Annotated[str | None, _TIMEZONE] = None

    def happened_at(self, zone_name: str, now: datetime) -> datetime | None:
        """Return the instant of `--at`, read in `--timezone` or else the zone given; None: now.

        Raises `InvalidTime`, and `InvalidValue` for a zone that is none.
        """
        if self.at is None:
            return None
        from liveportal.cli.parse.times import read_time

        return read_time(self.at, self.timezone or zone_name, now, past=True)


NewId = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="ID",
        help="The platform's id, so that a feed knows it again; default: made up.",
    ),
]
"""For commands that enter something new."""

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; nothing is asked here.")]
"""For commands that ask nothing."""


def with_options(*groups: type[Options]) -> Callable[[_Command], _Command]:
    """Let a command take groups of options as objects; goes below `@app.command(...)`.

    Each group must be the annotation of exactly one parameter.
    """

    def decorate(command: _Command) -> _Command:
        return OptionGroupsCommand(command, groups)  # type: ignore[return-value]

    return decorate


class OptionGroupsCommand:
    """A command with the options of its groups as parameters, as Typer wants them.

    The signature is worked out when Typer asks for it: of a module's commands only one is run.
    """

    def __init__(self, command: Callable[..., Any], groups: tuple[type[Options], ...]) -> None:
        functools.update_wrapper(self, command, updated=())
        self.__annotations__ = {}  # The signature has them; Typer would evaluate them once more.
        self.command = command
        self.groups = groups

    @functools.cached_property
    def names(self) -> dict[type[Options], str]:
        """The parameter that each group is given as."""
        return {
            parameter.annotation: name
            for name, parameter in self.inner.parameters.items()
            if parameter.annotation in self.groups
        }

    @functools.cached_property
    def inner(self) -> inspect.Signature:
        """The signature as it was written."""
        return inspect.signature(self.command, eval_str=True)

    @functools.cached_property
    def shared(self) -> dict[str, inspect.Parameter]:
        """The options of all groups by name; one that two groups have stands once."""
        return {name: option for group in self.groups for name, option in _parameters(group)}

    @functools.cached_property
    def __signature__(self) -> inspect.Signature:
        if len(self.names) != len(self.groups):
            raise TypeError(f"{self.command.__qualname__} does not take the options it was given")
        own = [p for p in self.inner.parameters.values() if p.annotation not in self.groups]
        if clash := self.shared.keys() & {parameter.name for parameter in own}:
            raise TypeError(f"{self.command.__qualname__} has {clash} as shared options, too")
        keyword = inspect.Parameter.KEYWORD_ONLY
        context = inspect.Parameter(_CONTEXT, keyword, annotation=typer.Context)
        return inspect.Signature(
            [
                *(parameter.replace(kind=keyword) for parameter in own),
                *self.shared.values(),
                context,
            ]
        )

    def __call__(self, **values: Any) -> Any:  # noqa: ANN401 -- As the command itself.
        """Build the option objects from their parts, and call the command."""
        context = values.pop(_CONTEXT)
        typed = {name: values.pop(name) for name in self.shared}
        for group, name in self.names.items():
            mine = {field.name: typed[field.name] for field in fields(group)}
            values[name] = group.build(context, mine)
        return self.command(**values)


def _parameters(group: type[Options]) -> Iterator[tuple[str, inspect.Parameter]]:
    """Yield the fields of a group as parameters that Typer understands."""
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        parameter = inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        yield field.name, parameter
