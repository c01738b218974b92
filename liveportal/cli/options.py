"""The options that commands share, so that they have the same names and help everywhere.

A group of options is a frozen dataclass whose fields are Typer options. Typer passes no objects, so
`with_options` flattens the groups into a command's signature and passes the rebuilt objects to the
command:

    @app.command("list")
    @with_options(LedgerOption, ReadOptions, OutputOptions)
    def list_(ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None: ...

A field that two groups of a command share (`timezone`) is one option, passed to both.
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

from liveportal.cli.completion import Completer, ids, zones
from liveportal.cli.completion import fields as field_names
from liveportal.cli.ledger_path import default_ledger, ledgers_above
from liveportal.domain.frozen import frozen

LEDGER_HELP = "Use this ledger file."

LEDGER_PANEL = "Ledger and time"


def options_in(panel: str) -> Callable[..., Any]:
    """Return `typer.Option` for the options of one panel of the help."""
    return functools.partial(typer.Option, rich_help_panel=panel)


_output_option = options_in("Output")
writing_option = options_in("Writing")
_ledger_option = options_in(LEDGER_PANEL)

_CONTEXT = "typer_context"
_Command = TypeVar("_Command", bound=Callable[..., Any])


@frozen
class Options:
    """A group of options; the fields of a subclass are `Annotated[type, typer.Option(...)]`."""

    comes_first: ClassVar[bool] = False
    """True if the help lists the group before the command's own optional parameters."""

    @classmethod
    def build(cls, _context: typer.Context, values: Mapping[str, Any]) -> Self:
        """Build the group from parsed values; a conflict of options is a usage error."""
        return cls(**values)


@frozen
class LedgerOption(Options):
    """The ledger: `--ledger` here or before the subcommand, else the variable, else the default."""

    ledger: Annotated[
        Path | None,
        _ledger_option(
            "--ledger", metavar="PATH", help="Use this ledger file; also before the subcommand."
        ),
    ] = None

    typed: ClassVar[Path | None] = None
    """The path of `--ledger`; None if it was not given, even if the variable is set."""

    @classmethod
    def build(cls, context: typer.Context, values: Mapping[str, Any]) -> Self:
        """Use the path given nearest to the command; the root group has read the variable."""
        typed = values["ledger"] or next(ledgers_above(context, typed=True), None)
        option = cls(typed or next(ledgers_above(context), None))
        object.__setattr__(option, "typed", typed)
        return option

    @property
    def path(self) -> Path:
        """The path of the ledger, which need not exist."""
        return self.ledger or default_ledger()

    @property
    def files(self) -> tuple[Path, ...]:
        """The ledger's file and the files beside it that belong to it."""
        from liveportal.ledger.storage.ledger_paths import own_files

        return own_files(self.path)


@frozen
class OutputOptions(Options):
    """The format and destination of results; see `liveportal.cli.io.render`."""

    json: Annotated[
        bool, _output_option("--json", help="Write one JSON array or object with every field.")
    ] = False
    jsonl: Annotated[bool, _output_option("--jsonl", help="Write one JSON object per line.")] = (
        False
    )
    csv: Annotated[
        bool, _output_option("--csv", help="Write CSV with a header, safe in spreadsheets.")
    ] = False
    tsv: Annotated[
        bool, _output_option("--tsv", help="Write tab-separated rows, as in a pipe.")
    ] = False
    header: Annotated[
        bool, _output_option("--header", help="Start tab-separated rows with a header.")
    ] = False
    fields: Annotated[
        list[str] | None,
        _output_option(
            "--fields",
            "--field",
            metavar="A,B",
            help="Show only these fields, in this order; or all.",
            autocompletion=field_names,
        ),
    ] = None
    output: Annotated[
        Path | None,
        _output_option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write to FILE, or to standard output if it is -.",
        ),
    ] = None
    no_pager: Annotated[
        bool,
        _output_option("--no-pager", help="Show everything at once, without a pager."),
    ] = False

    @classmethod
    def build(cls, context: typer.Context, values: Mapping[str, Any]) -> Self:
        """Refuse two formats at once, and a header for JSON; results of writes are never paged."""
        given = [name for name in ("json", "jsonl", "csv", "tsv") if values[name]]
        if len(given) > 1:
            context.fail(f"Choose one format: --{given[0]} or --{given[1]}.")
        if values["header"] and given and given[0] in ("json", "jsonl"):
            context.fail(f"--header is for rows. With --{given[0]}, each value is named.")
        is_write = any(option.name == "dry_run" for option in context.command.params)
        return cls(**{**values, "no_pager": values["no_pager"] or is_write})

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The requested fields, in order; None if `--fields` was not given."""
        if self.fields is None:
            return None
        return tuple(name.strip() for text in self.fields for name in text.split(","))


Timezone = Annotated[
    str | None,
    _ledger_option(
        "--timezone",
        metavar="ZONE",
        help="Read and show times in this zone, such as Europe/Paris.",
        autocompletion=zones,
    ),
]


@frozen
class ReadOptions(Options):
    """The options of every command that reads."""

    as_known: Annotated[
        str | None,
        _ledger_option(
            "--as-known",
            metavar="TIME",
            help="Show what was known then; a date means the end of that day.",
        ),
    ] = None
    timezone: Timezone = None

    def known_at(self, zone_name: str, now: datetime) -> datetime | None:
        """Return the instant of `--as-known` (UTC), read in `--timezone` or else in `zone_name`."""
        if self.as_known is None:
            return None
        from liveportal.cli.parse.times import read_as_known

        return read_as_known(self.as_known, self.timezone or zone_name, now)


@frozen
class WriteOptions(Options):
    """The options of every command that records something."""

    dry_run: Annotated[
        bool,
        writing_option("--dry-run", help="Show what would happen; record nothing, ask nothing."),
    ] = False
    at: Annotated[
        str | None,
        writing_option(
            "--at",
            metavar="TIME",
            help="When it happened, such as 'yesterday 14:00' (default: now).",
        ),
    ] = None
    key: Annotated[
        str | None,
        writing_option(
            "--key", metavar="KEY", help="Make repeating safe: the same key records only once."
        ),
    ] = None
    anyway: Annotated[
        bool,
        writing_option(
            "--anyway",
            help="Record it despite warnings (rate limits, expiry, vacation).",
        ),
    ] = False
    yes: Annotated[bool, writing_option("--yes", "-y", help="Do not ask for confirmation.")] = False
    timezone: Timezone = None

    def happened_at(self, zone_name: str, now: datetime) -> datetime | None:
        """Return the instant of `--at` (UTC), read in `--timezone` or else in `zone_name`.

        None without `--at`. Raises `InvalidTime`, and `InvalidValue` for an unknown zone.
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
        help="The platform's id, by which feeds refer to it.",
    ),
]
"""The option of commands that create an entity."""

Yes = Annotated[
    bool,
    typer.Option("--yes", "-y", help="Accepted for consistency; this command never asks."),
]
"""The option of commands that never ask."""

Confirmed = Annotated[bool, writing_option("--yes", "-y", help="Do not ask for confirmation.")]
DryRun = Annotated[
    bool, writing_option("--dry-run", help="Show what would happen; change nothing.")
]
"""The options of commands that write files rather than record events."""

OutputFile = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to FILE, not to standard output."),
]
"""The option of commands that write a document rather than rows."""

Overlap = Annotated[
    bool, typer.Option("--overlap", help="Book it even if that time is already taken.")
]
OfCustomer = Annotated[
    str | None,
    typer.Option(
        "--customer",
        metavar="ID",
        help="Show only this customer's.",
        autocompletion=ids("customer"),
    ),
]


def one_id(thing: str, completer: Completer, metavar: str = "ID") -> Any:  # noqa: ANN401 -- As typer.Argument does.
    """Return the argument that names one thing, such as "A claim"."""
    return typer.Argument(
        metavar=metavar,
        help=f"{thing}, by its id or a unique prefix.",
        autocompletion=completer,
    )


def many_ids(things: str, completer: Completer) -> Any:  # noqa: ANN401 -- As typer.Argument does.
    """Return the argument that names one or more things, such as "Claims"."""
    return typer.Argument(
        metavar="ID...",
        help=f"{things}, by id or unique prefix; - reads ids from a pipe.",
        autocompletion=completer,
    )


def with_options(*groups: type[Options]) -> Callable[[_Command], _Command]:
    """Let a command take groups of options as objects; put it below `@app.command(...)`.

    Each group must annotate exactly one parameter.
    """

    def decorate(command: _Command) -> _Command:
        return OptionGroupsCommand(command, groups)  # type: ignore[return-value]

    return decorate


class OptionGroupsCommand:
    """A command whose signature has the options of its groups as single parameters, for Typer.

    The signature is computed when Typer asks for it: only one command of a module is run.
    """

    def __init__(self, command: Callable[..., Any], groups: tuple[type[Options], ...]) -> None:
        functools.update_wrapper(self, command, updated=())
        self.__annotations__ = {}  # Typer would evaluate these again; the signature has them.
        self.command = command
        self.groups = groups

    @functools.cached_property
    def parameter_names(self) -> dict[type[Options], str]:
        """The parameter of the command for each group."""
        return {
            parameter.annotation: name
            for name, parameter in self.inner_signature.parameters.items()
            if parameter.annotation in self.groups
        }

    @functools.cached_property
    def inner_signature(self) -> inspect.Signature:
        """The signature of the command function."""
        return inspect.signature(self.command, eval_str=True)

    @functools.cached_property
    def shared_options(self) -> dict[str, inspect.Parameter]:
        """The options of all groups by name, each once."""
        return {name: option for group in self.groups for name, option in _parameters(group)}

    @functools.cached_property
    def __signature__(self) -> inspect.Signature:
        if len(self.parameter_names) != len(self.groups):
            raise TypeError(f"{self.command.__qualname__} does not take the options it was given")
        own = [
            p for p in self.inner_signature.parameters.values() if p.annotation not in self.groups
        ]
        if clash := self.shared_options.keys() & {parameter.name for parameter in own}:
            raise TypeError(f"{self.command.__qualname__} has {clash} as shared options, too")
        keyword = inspect.Parameter.KEYWORD_ONLY
        context = inspect.Parameter(_CONTEXT, keyword, annotation=typer.Context)
        first = {name for g in self.groups if g.comes_first for name, _ in _parameters(g)}

        def place(parameter: inspect.Parameter) -> int:
            if parameter.name in self.shared_options:
                return 1 if parameter.name in first else 3
            return 0 if parameter.default is inspect.Parameter.empty else 2

        parameters = [p.replace(kind=keyword) for p in (*own, *self.shared_options.values())]
        return inspect.Signature([*sorted(parameters, key=place), context])

    def __call__(self, **values: Any) -> Any:  # noqa: ANN401 -- The command's own result.
        """Build the option groups from the parsed values, and call the command."""
        context = values.pop(_CONTEXT)
        typed = {name: values.pop(name) for name in self.shared_options}
        for group, name in self.parameter_names.items():
            group_values = {field.name: typed[field.name] for field in fields(group)}
            values[name] = group.build(context, group_values)
        return self.command(**values)


class DerivedCommand(OptionGroupsCommand):
    """A command made of a function that has only parameters of its own.

    `run` is called with these, the leading `arguments` and the `groups`, all by name.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        run: Callable[..., None],
        arguments: Mapping[str, Any],
        **groups: type[Options],
    ) -> None:
        super().__init__(function, tuple(groups.values()))
        self.command = run
        self._function = function
        self._arguments = arguments
        self._named_groups = groups

    @functools.cached_property
    def inner_signature(self) -> inspect.Signature:
        """The leading arguments, the parameters of the function, and the groups."""
        keyword = inspect.Parameter.KEYWORD_ONLY
        own = inspect.signature(self._function, eval_str=True).parameters.values()
        first, last = (
            [inspect.Parameter(name, keyword, annotation=kind) for name, kind in added.items()]
            for added in (self._arguments, self._named_groups)
        )
        return inspect.Signature([*first, *(p.replace(kind=keyword) for p in own), *last])


def _parameters(group: type[Options]) -> Iterator[tuple[str, inspect.Parameter]]:
    """Yield the fields of a group as keyword parameters with Typer annotations."""
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        parameter = inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        yield field.name, parameter
