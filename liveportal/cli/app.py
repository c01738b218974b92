"""The command line: the table of commands, and groups whose modules are imported on use.

To add a command, write a module in `liveportal.cli.commands` with an `app`, and add it to
`COMMANDS`:

    app = Commands("Requests for your help.")                # a group: `liveportal requests ...`
    app = Commands("Earnings by month.", default="summary")  # bare `earnings` is `earnings summary`
    app = Commands()                                         # one command: `liveportal sync ...`

    @app.command("list")
    @with_options(LedgerOption, ReadOptions, OutputOptions)
    def list_(...): ...

    app.place("show", "liveportal.cli.commands.requests.list_show")   # a function of another module
    app.group("profile", "liveportal.cli.commands.payouts.profile", "What is needed to pay you.")

A module is imported only when its command is run or its help is shown, so that a read does not
import what only the writes of its group need. The root's help, suggestions and completion use the
table alone. The first paragraph of a docstring is reflowed; the others keep their line breaks, so
that examples are printed as written.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

import typer
from typer.core import MarkupMode, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command
from typer.models import CommandFunctionType

from liveportal.cli.io.errors import check_stdout
from liveportal.cli.io.text import no_colour
from liveportal.cli.ledger_path import LEDGER_VARIABLE
from liveportal.cli.options import LEDGER_HELP, LEDGER_PANEL

if TYPE_CHECKING:
    # Typer bundles its own copy of click and exports these types nowhere else.
    from typer._click import Command as ClickCommand
    from typer._click import Context, HelpFormatter
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
    "init": LazyGroup("liveportal.cli.commands.init", "Make a ledger."),
    "demo": LazyGroup(
        "liveportal.cli.commands.demo", "See a month of a fictional expert, and what to try next."
    ),
    "sync": LazyGroup("liveportal.cli.commands.sync", "Record what the platform reports."),
    "requests": LazyGroup(
        "liveportal.cli.commands.requests", "Requests for your help: accept, decline, add."
    ),
    "sessions": LazyGroup("liveportal.cli.commands.sessions", "Sessions: upcoming, live and past."),
    "refunds": LazyGroup(
        "liveportal.cli.commands.refunds", "Refund claims, and what became of them."
    ),
    "dispute": LazyGroup("liveportal.cli.commands.disputes", "Dispute a refund claim."),
    "earnings": LazyGroup(
        "liveportal.cli.commands.earnings", "What you earned: by month, by transaction."
    ),
    "payout": LazyGroup("liveportal.cli.commands.payouts", "What is to be paid out, and what was."),
    "due": LazyGroup("liveportal.cli.commands.due", "What needs an answer, by when."),
    "preferences": LazyGroup(
        "liveportal.cli.commands.preferences", "Your rates, skills, languages and hours."
    ),
    "policy": LazyGroup(
        "liveportal.cli.commands.policy", "The platform's rules, as this ledger reads them."
    ),
    "customers": LazyGroup(
        "liveportal.cli.commands.customers", "Who asked for help, how often, what they paid."
    ),
    "ledger": LazyGroup(
        "liveportal.cli.commands.ledger", "The ledger itself: where it is, whether it is sound."
    ),
    "doctor": LazyGroup(
        "liveportal.cli.commands.doctor", "What is wrong here, and how to mend it."
    ),
    "schema": LazyGroup(
        "liveportal.cli.commands.schema", "The JSON Schema of what a command shows."
    ),
}


FRONT_PAGE = LazyCommand("liveportal.cli.commands.front_page", "show")
"""What bare `liveportal` shows on a terminal; it has no word of its own."""

_NEGATIVE_NUMBER = re.compile(r"-[0-9]+([.][0-9]+)?", re.ASCII)
_DASH_WORD = re.compile(r"-[^-].+", re.DOTALL)


class _PlainHelp:
    """Help as plain text in a pipe, with the same sections as rich's on a terminal."""

    rich_markup_mode: MarkupMode

    def format_help(self: Any, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help: with rich on a terminal with colour, else as plain text."""
        check_stdout()
        if sys.stdout.isatty() and not no_colour():
            self.rich_markup_mode = "rich"
            # The help is plain text: `[--json]` is not markup.
            for item in (self, *self.params):
                item.help = _without_markup(item.help)
        super().format_help(ctx, formatter)  # type: ignore[misc]
        if shown := getattr(getattr(self, "callback", None), "shown", None):
            from liveportal.cli.io.field_meanings import field_lines

            with formatter.section("Fields, for --fields"):
                formatter.write_dl(field_lines(shown))

    def format_help_text(self: Any, _ctx: Context, formatter: HelpFormatter) -> None:
        """Reflow the first paragraph and keep the line breaks of the others, as rich does."""
        first, _, others = (self.help or "").partition("\n\n")
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(first)
            if others:
                formatter.write_paragraph()
            for line in others.splitlines():
                formatter.write(f"{' ' * formatter.current_indent}{line}".rstrip() + "\n")

    def format_options(self: Any, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the arguments and options, one section per panel."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            default_panel = "Options" if isinstance(parameter, TyperOption) else "Arguments"
            panel = getattr(parameter, "rich_help_panel", None) or default_panel
            if row := parameter.get_help_record(ctx):
                sections.setdefault(panel, []).append(row)
        for panel, rows in sections.items():
            with formatter.section(panel):
                formatter.write_dl(rows)
        if isinstance(self, TyperGroup):
            self.format_commands(ctx, formatter)


def _without_markup(text: str | None) -> str | None:
    """Escape what rich would take for markup."""
    return re.sub(r"\[(?=[a-zA-Z#/@-])", r"\\[", text) if text else text


class Command(_PlainHelp, TyperCommand):
    """One command."""

    arguments: ClassVar[re.Pattern[str]] = _NEGATIVE_NUMBER

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Leave hidden parameters out of the usage line: such an argument exists to be refused."""
        hidden = [parameter for parameter in self.params if getattr(parameter, "hidden", False)]
        hidden_pieces = [piece for parameter in hidden for piece in parameter.get_usage_pieces(ctx)]
        return [piece for piece in super().collect_usage_pieces(ctx) if piece not in hidden_pieces]

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


class Group(_PlainHelp, TyperGroup):
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
        name, command, rest = super().resolve_command(ctx, args)
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
        if help and default:
            help = f"{help}\n\nWithout a command: {default}."  # noqa: A001 -- Typer's own name.
        attributes = {"default": default, "command_table": self.table}
        super().__init__(
            cls=type("Chosen", (Group,), attributes) if help else None,
            help=help,
            callback=_group_options if help else None,
            add_completion=False,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,  # `_PlainHelp` turns it on for terminals.
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
        typer.Option("--version", is_eager=True, callback=_print_version, help="Say which it is."),
    ] = False,
) -> None:
    """Your side of a paid live-help platform, and books that are right to the cent.

    Without a command, on a terminal: what waits for you, with the command to type next. With --json
    all of it as one object; in a pipe this help.

    Try it:
      liveportal demo
      liveportal init
      liveportal sync feed.jsonl
      liveportal earnings --month last

    An id that begins with - comes after --, or it would be an option:
      liveportal requests show -- -R1
    """
