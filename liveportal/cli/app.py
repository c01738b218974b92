"""The command line: the table of commands, and groups whose modules are imported on use.

To add a command, write a module in `liveportal.cli.commands` with an `app`, and add it to
`COMMANDS`:

    app = Commands("Answer requests for your help.")         # a group: `liveportal requests ...`
    app = Commands("Show what you earned.", default="summary")  # bare `earnings` runs `summary`
    app = Commands()                                         # one command: `liveportal sync ...`

    @app.command("list")
    @with_options(LedgerOption, ReadOptions, OutputOptions)
    def list_(...): ...

    app.place("show", "liveportal.cli.commands.requests.list_show")   # a function of another module
    app.group("profile", "liveportal.cli.commands.payouts.profile", "Show or set how you are paid.")

A module is imported only when its command is run or its help is shown, so that a read does not
import what only the writes of its group need. The root's help, suggestions and completion use the
table alone. The help of a group or a command begins with a paragraph of one line, of at most 55
characters, which lists of commands show; `help_text` says how the rest is laid out.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command
from typer.models import CommandFunctionType

from liveportal.cli.io.errors import check_stdout
from liveportal.cli.ledger_path import LEDGER_VARIABLE
from liveportal.cli.options import LEDGER_HELP, LEDGER_PANEL

if TYPE_CHECKING:
    # Typer bundles its own copy of click and exports these types nowhere else.
    from typer._click import Command as ClickCommand
    from typer._click import Context
    from typer._click.parser import _OptionParser as OptionParser
    from typer._click.parser import _ParsingState as ParsingState
    from typer._click.shell_completion import CompletionItem


class LazyGroup(NamedTuple):
    """A module with a group or a single command: its import path and its line in the help."""

    module: str
    help: str
    attribute: str = "app"
    hidden: bool = False

    def load(self, name: str) -> ClickCommand:
        """Import the module, and build the group or command that it defines."""
        command = get_command(getattr(importlib.import_module(self.module), self.attribute))
        command.name = name
        return command


class LoadedCommand(NamedTuple):
    """A command whose function is imported; the function's docstring is its help."""

    call: Callable[..., Any]
    hidden: bool = False
    dash_words: bool = False

    @property
    def help(self) -> str:
        """The docstring."""
        return inspect.getdoc(self.call) or ""

    def load(self, name: str) -> ClickCommand:
        """Build the command; its options make this cost a millisecond or two."""
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name, cls=DashWordCommand if self.dash_words else Command)(self.call)
        return get_command(single)


class LazyCommand(NamedTuple):
    """A command whose module is imported only when the command is run or described."""

    module: str
    attribute: str
    dash_words: bool = False
    hidden: bool = False

    @property
    def command(self) -> LoadedCommand:
        """The command with its function; imports the module."""
        target = getattr(importlib.import_module(self.module), self.attribute)
        return LoadedCommand(target, dash_words=self.dash_words)

    @property
    def help(self) -> str:
        """The docstring of the function; imports the module."""
        return self.command.help

    def load(self, name: str) -> ClickCommand:
        """Import the module, and build the command."""
        return self.command.load(name)


COMMANDS: dict[str, LazyGroup] = {
    "init": LazyGroup("liveportal.cli.commands.init", "Create a ledger."),
    "demo": LazyGroup(
        "liveportal.cli.commands.demo", "Show a month in the work of a fictional expert."
    ),
    "sync": LazyGroup("liveportal.cli.commands.sync", "Record what the platform reports."),
    "requests": LazyGroup(
        "liveportal.cli.commands.requests", "List and answer requests for your help."
    ),
    "sessions": LazyGroup("liveportal.cli.commands.sessions", "Run, record and look up sessions."),
    "refunds": LazyGroup(
        "liveportal.cli.commands.refunds", "List and answer your customers' refund claims."
    ),
    "dispute": LazyGroup(
        "liveportal.cli.commands.disputes", "Dispute a refund claim, with evidence."
    ),
    "earnings": LazyGroup(
        "liveportal.cli.commands.earnings", "Show what you earned, by month or by transaction."
    ),
    "payout": LazyGroup("liveportal.cli.commands.payouts", "Preview, record and check payouts."),
    "due": LazyGroup("liveportal.cli.commands.due", "Show what needs an answer, and by when."),
    "preferences": LazyGroup(
        "liveportal.cli.commands.preferences", "Show or set your rates, skills and hours."
    ),
    "policy": LazyGroup("liveportal.cli.commands.policy", "Show or change the platform's rules."),
    "customers": LazyGroup(
        "liveportal.cli.commands.customers", "List your customers and what they paid."
    ),
    "ledger": LazyGroup(
        "liveportal.cli.commands.ledger", "Verify, back up, restore or export the ledger."
    ),
    "portal": LazyGroup("liveportal.tui.command", "Show your work on one screen, kept up to date."),
    "doctor": LazyGroup(
        "liveportal.cli.commands.doctor", "Find problems and show how to fix them."
    ),
    "schema": LazyGroup(
        "liveportal.cli.commands.schema", "Print the JSON Schema of a command's output."
    ),
}


FRONT_PAGE = LazyCommand("liveportal.cli.commands.front_page", "show")
"""What bare `liveportal` shows on a terminal; it has no word of its own."""

_NEGATIVE_NUMBER = re.compile(r"-[0-9]+([.][0-9]+)?", re.ASCII)
_DASH_WORD = re.compile(r"-[^-].+", re.DOTALL)
_BRACES = re.compile(r"^\{(.*)\}$")


class PlainHelp:
    """Help in one layout for commands and groups, on a terminal and in a pipe."""

    def get_help(self, ctx: Context) -> str:
        """Return the text of the help."""
        from liveportal.cli.io.help_text import help_page

        check_stdout()
        return help_page(self, ctx)


class Command(PlainHelp, TyperCommand):
    """One command."""

    arguments: ClassVar[re.Pattern[str]] = _NEGATIVE_NUMBER

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Return the parts of the usage line; Typer's braces around what is required are dropped.

        Hidden parameters are left out: such an argument exists to be refused.
        """
        hidden = [parameter for parameter in self.params if getattr(parameter, "hidden", False)]
        hidden_pieces = [piece for parameter in hidden for piece in parameter.get_usage_pieces(ctx)]
        shown = [piece for piece in super().collect_usage_pieces(ctx) if piece not in hidden_pieces]
        return [_BRACES.sub(r"\1", piece) for piece in shown]

    def make_parser(self, ctx: Context) -> OptionParser:
        """Parse `-3.50` as an argument: no option begins with a digit."""
        parser = super().make_parser(ctx)
        process_option = parser._process_opts  # noqa: SLF001 -- The parser has no public hook.

        def process(arg: str, state: ParsingState) -> None:
            if self.arguments.fullmatch(arg):
                state.largs.append(arg)
            else:
                process_option(arg, state)

        parser._process_opts = process  # type: ignore[method-assign]  # noqa: SLF001
        return parser


class Stub(Command):
    """A placeholder with a command's name; its help is looked up when it is listed."""

    def __init__(self, name: str, loader: LazyGroup | LoadedCommand | LazyCommand) -> None:
        self.loader = loader
        super().__init__(name, hidden=loader.hidden)

    @property
    def help(self) -> str:
        """The help of the command itself."""
        return self.loader.help

    @help.setter  # noqa: A003 -- Click's own name.
    def help(self, _: object) -> None:
        """Ignore the empty help that the base class sets."""


class DashWordCommand(Command):
    """A command that takes `-word` as an argument; single-letter options cannot be combined."""

    arguments = _DASH_WORD


class Group(PlainHelp, TyperGroup):
    """A group of commands, one of which may be the default.

    Until it is run, a command is a stub with a name and a line of help.
    """

    default: ClassVar[str | None] = None
    command_table: ClassVar[Mapping[str, LazyGroup | LoadedCommand | LazyCommand]] = {}

    def __init__(self, **attrs: Any) -> None:  # noqa: ANN401 -- Passed on unchanged.
        super().__init__(**attrs)
        stubs: dict[str, ClickCommand] = {
            name: Stub(name, loader) for name, loader in self.command_table.items()
        }
        self.commands = {**stubs, **self.commands}

    def load_command(self, name: str) -> ClickCommand:
        """Return the command with this name, ready to run."""
        return (
            self.command_table[name].load(name)
            if name in self.command_table
            else self.commands[name]
        )

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, ClickCommand | None, list[str]]:
        """Resolve the name to a command that is ready to run."""
        try:
            name, command, rest = super().resolve_command(ctx, args)
        except typer.TyperException as error:
            if places := list(_commands_named(args[0])):
                error.advice = f"Did you mean {' or '.join(places)}?"  # type: ignore[attr-defined]
            raise
        return name, command and self.load_command(name or ""), rest

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Insert the default command if none is named: no arguments, or an option first."""
        start = _index_after_ledger(args)
        rest = args[start:]
        if ctx.resilient_parsing and not rest:
            pass  # Completion: the user may be about to type the command.
        elif self.default is None:
            args = args if rest else ["--help"]
        elif not rest or (rest[0].startswith("-") and rest[0] not in self.own_options(ctx)):
            args = [*args[:start], self.default, *rest]
        return super().parse_args(ctx, args)

    def own_options(self, ctx: Context) -> Sequence[str]:
        """Return the options that are not those of the default command."""
        return ctx.help_option_names

    def invoke(self, ctx: Context) -> Any:  # noqa: ANN401 -- The command's own result.
        """Run the command; if its name came after an option, the error says that it comes first."""
        args = ctx.args
        try:
            return super().invoke(ctx)
        except typer.TyperException as error:
            name = next((arg for arg in args if arg in self.commands), None)
            if ctx.invoked_subcommand == self.default and name:
                error.advice = f"Give the command {name} before its options."  # type: ignore[attr-defined]
            raise

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of the commands and the options of the default command."""
        items = super().shell_complete(ctx, incomplete)
        if self.default is not None and incomplete.startswith("-"):
            command = self.load_command(self.default)
            inner = command.make_context(self.default, [], parent=ctx, resilient_parsing=True)
            items.extend(command.shell_complete(inner, incomplete))
        return items


def _commands_named(name: str) -> Iterator[str]:
    """Yield the commands of all groups that have this name, which another group does not have."""
    for group_name, loader in COMMANDS.items():
        group = loader.load(group_name)
        if isinstance(group, Group) and name in group.commands:
            yield f"`liveportal {group_name} {name}`"


def _index_after_ledger(args: Sequence[str]) -> int:
    """Return the index of the first argument after a leading `--ledger`."""
    if args and args[0].startswith("--ledger="):
        return 1
    return min(2, len(args)) if args and args[0] == "--ledger" else 0


class Root(Group):
    """The group of all commands; without a command it shows the front page, or help in a pipe."""

    command_table = COMMANDS
    default = ""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Insert what is shown without a command."""
        is_bare = len(args) == _index_after_ledger(args) and not ctx.resilient_parsing
        if is_bare and (sys.stdout is None or not sys.stdout.isatty()):
            args = [*args, "--help"]
        return super().parse_args(ctx, args)

    def own_options(self, ctx: Context) -> Sequence[str]:
        """Return the options of the root: all others without a command are the front page's."""
        return ["--", *(name for option in self.get_params(ctx) for name in option.opts)]

    def get_command(self, ctx: Context, cmd_name: str) -> ClickCommand | None:
        """Return a command; the front page has no name, and so is not listed."""
        return (
            Stub("", FRONT_PAGE) if cmd_name == self.default else super().get_command(ctx, cmd_name)
        )

    def load_command(self, name: str) -> ClickCommand:
        """Return the command with this name, ready to run."""
        return FRONT_PAGE.load(name) if name == self.default else super().load_command(name)


def _group_options(
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", metavar="PATH", help=LEDGER_HELP, rich_help_panel=LEDGER_PANEL),
    ] = None,
) -> None:
    """Accept `--ledger` between the group and the command; `LedgerOption` reads its value."""


class Commands(typer.Typer):
    """The commands of one module: a group if it has a help text, else a single command."""

    def __init__(self, help: str | None = None, *, default: str | None = None) -> None:  # noqa: A002
        self.table: dict[str, LoadedCommand | LazyGroup | LazyCommand] | None = {} if help else None
        attributes = {"default": default, "command_table": self.table}
        super().__init__(
            cls=type("Chosen", (Group,), attributes) if help else None,
            help=help,
            callback=_group_options if help else None,
            add_completion=False,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,  # `PlainHelp` lays the help out.
        )

    def command(  # type: ignore[override]
        self, name: str, *, hidden: bool = False, dash_words: bool = False
    ) -> Callable[[CommandFunctionType], CommandFunctionType]:
        """Add a command; its docstring is its help. `dash_words`: arguments may begin with `-`."""

        def add(function: CommandFunctionType) -> CommandFunctionType:
            if self.table is None:
                return super(Commands, self).command(name, cls=Command, hidden=hidden)(function)
            self.table[name] = LoadedCommand(function, hidden, dash_words)
            return function

        return add

    def place(
        self, name: str, module: str, attribute: str | None = None, *, dash_words: bool = False
    ) -> None:
        """Add a command of another module; `attribute` is its function, by default `name`."""
        if self.table is None:
            raise TypeError("a single command has no others")
        self.table[name] = LazyCommand(module, attribute or name, dash_words)

    def group(self, name: str, module: str, help: str) -> None:  # noqa: A002
        """Add a subgroup, whose module is imported when it is used."""
        if self.table is None:
            raise TypeError("a single command has no groups")
        self.table[name] = LazyGroup(module, help)


app = typer.Typer(
    cls=Root,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        from liveportal import __version__

        check_stdout()
        typer.echo(f"liveportal {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", metavar="PATH", help=LEDGER_HELP, envvar=LEDGER_VARIABLE),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_print_version,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Manage your side of a paid live-help platform, with books that are right to the cent.

    On a terminal, `liveportal` alone shows what needs your attention, with the command to type
    next. With --json it writes the same as one object; in a pipe it prints this help.

    Examples:
      liveportal demo
      liveportal init
      liveportal requests list
      liveportal earnings --month last

    Put -- before an id that begins with a hyphen:
      liveportal requests show -- -R1
    """
