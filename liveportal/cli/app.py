"""The command line as a whole: the table of commands, and groups that are imported when used.

To add a command, write the module `liveportal.cli.<name>` with an `app`, and a line in `COMMANDS`:

    app = Commands("Requests for your help.")                # a group: `liveportal requests ...`
    app = Commands("Earnings by month.", default="summary")  # bare `earnings` is `earnings summary`
    app = Commands()                                         # one command: `liveportal sync ...`

    @app.command("list")
    @with_options(LedgerOption, ReadOptions, OutputOptions)
    def list_(...): ...

    app.place("show", "liveportal.cli.commands.requests.list_show")   # a function of another module
    app.group("profile", "liveportal.cli.commands.payouts.profile", "What is needed to pay you.")

A module is imported only when its command is run or its own help asked for, so that a read does not
pay for the writes of its group; the root's help, suggestions and completion read the table. A
docstring's first paragraph is reflowed; all others keep their line breaks, so that examples stand
as they were written.
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
from liveportal.cli.options import BOOK, LEDGER_HELP, LEDGER_VARIABLE

if TYPE_CHECKING:
    # Typer carries its own click and names these types nowhere else.
    from typer._click import Command as ClickCommand
    from typer._click import Context, HelpFormatter
    from typer._click.parser import _OptionParser as OptionParser
    from typer._click.parser import _ParsingState as ParsingState
    from typer._click.shell_completion import CompletionItem


class LazyGroup(NamedTuple):
    """A module's commands: where they live, and what the root's help says of them."""

    module: str
    help: str
    attribute: str = "app"
    hidden: bool = False

    def load(self, name: str) -> ClickCommand:
        """Import the module, and build the group or command that it holds."""
        command = get_command(getattr(importlib.import_module(self.module), self.attribute))
        command.name = name
        return command


class LoadedCommand(NamedTuple):
    """One command of a group: a function whose docstring is its help."""

    call: Callable[..., Any]
    hidden: bool = False
    words: bool = False

    @property
    def help(self) -> str:
        """The docstring."""
        return inspect.getdoc(self.call) or ""

    def load(self, name: str) -> ClickCommand:
        """Build the command; with its options that costs a millisecond or two."""
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name, cls=DashWordCommand if self.words else Command)(self.call)
        return get_command(single)


class LazyCommand(NamedTuple):
    """One command of a group, in a module that only that command imports."""

    module: str
    attribute: str
    words: bool = False
    hidden: bool = False

    @property
    def function(self) -> LoadedCommand:
        """The function there; imports its module."""
        found = getattr(importlib.import_module(self.module), self.attribute)
        return LoadedCommand(found, words=self.words)

    @property
    def help(self) -> str:
        """Its docstring."""
        return self.function.help

    def load(self, name: str) -> ClickCommand:
        """Import the module, and build the command."""
        return self.function.load(name)


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
    "ledger": LazyGroup(
        "liveportal.cli.commands.ledger", "The ledger itself: where it is, whether it is sound."
    ),
    "doctor": LazyGroup(
        "liveportal.cli.commands.doctor", "What is wrong here, and how to mend it."
    ),
}


_NEGATIVE = re.compile(r"-[0-9]+([.][0-9]+)?", re.ASCII)
_LEFT_OUT = re.compile(r"-[^-].+", re.DOTALL)


class _PlainHelp:
    """Help as plain text in a pipe, with the same sections as rich's on a terminal."""

    rich_markup_mode: MarkupMode

    def format_help(self: Any, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help: by rich where there is a terminal with colour, else as plain text."""
        check_stdout()
        if sys.stdout.isatty() and not no_colour():
            self.rich_markup_mode = "rich"
            # Help is plain text: `[--json]` is no markup.
            for each in (self, *self.params):
                each.help = _without_markup(each.help)
        super().format_help(ctx, formatter)  # type: ignore[misc]

    def format_help_text(self: Any, _ctx: Context, formatter: HelpFormatter) -> None:
        """Reflow the first paragraph and keep the line breaks of all others, as rich does."""
        first, _, others = (self.help or "").partition("\n\n")
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(first)
            if others:
                formatter.write_paragraph()
            for line in others.splitlines():
                formatter.write(f"{' ' * formatter.current_indent}{line}".rstrip() + "\n")

    def format_options(self: Any, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the arguments and options, each panel a section."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            usual = "Options" if isinstance(parameter, TyperOption) else "Arguments"
            panel = getattr(parameter, "rich_help_panel", None) or usual
            if record := parameter.get_help_record(ctx):
                sections.setdefault(panel, []).append(record)
        for panel, records in sections.items():
            with formatter.section(panel):
                formatter.write_dl(records)
        if isinstance(self, TyperGroup):
            self.format_commands(ctx, formatter)


def _without_markup(text: str | None) -> str | None:
    """Escape what rich would take for markup."""
    return re.sub(r"\[(?=[a-zA-Z#/@-])", r"\\[", text) if text else text


class Command(_PlainHelp, TyperCommand):
    """One command."""

    arguments: ClassVar[re.Pattern[str]] = _NEGATIVE

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Leave out what is hidden: an argument that is there to be refused is no usage."""
        hidden = [each for each in self.params if getattr(each, "hidden", False)]
        gone = [piece for each in hidden for piece in each.get_usage_pieces(ctx)]
        return [piece for piece in super().collect_usage_pieces(ctx) if piece not in gone]

    def make_parser(self, ctx: Context) -> OptionParser:
        """Take `-3.50` for the argument that it is; no option begins with a digit."""
        parser = super().make_parser(ctx)
        process_option = parser._process_opts  # noqa: SLF001 -- There is no other way to tell it.

        def process(arg: str, state: ParsingState) -> None:
            if self.arguments.fullmatch(arg):
                state.largs.append(arg)
            else:
                process_option(arg, state)

        parser._process_opts = process  # type: ignore[method-assign]  # noqa: SLF001
        return parser


class Stub(Command):
    """A command by its name alone; its help is looked up when it is listed."""

    def __init__(self, name: str, entry: LazyGroup | LoadedCommand | LazyCommand) -> None:
        self.entry = entry
        super().__init__(name, hidden=entry.hidden)

    @property
    def help(self) -> str:
        """What the command itself says."""
        return self.entry.help

    @help.setter  # noqa: A003 -- Click's own name.
    def help(self, _: object) -> None:
        """Take no notice of the empty one that every command begins with."""


class DashWordCommand(Command):
    """A command to which `-word` is a word to leave out; options of one letter stand alone."""

    arguments = _LEFT_OUT


class Group(_PlainHelp, TyperGroup):
    """A group of commands, of which one may be the default.

    Each command is a stub with a name and a line of help until it is run.
    """

    default: ClassVar[str | None] = None
    entries: ClassVar[Mapping[str, LazyGroup | LoadedCommand | LazyCommand]] = {}

    def __init__(self, **attrs: Any) -> None:  # noqa: ANN401 -- Handed on as they come.
        super().__init__(**attrs)
        stubs: dict[str, ClickCommand] = {
            name: Stub(name, entry) for name, entry in self.entries.items()
        }
        self.commands = {**stubs, **self.commands}

    def built(self, name: str) -> ClickCommand:
        """Return the command of that name, ready to run."""
        return self.entries[name].load(name) if name in self.entries else self.commands[name]

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, ClickCommand | None, list[str]]:
        """Build the command that is named."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and self.built(name or ""), rest

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Put in the default command where none is named: bare, or with an option first."""
        if ctx.resilient_parsing:  # Completion: what is missing may be about to be typed.
            return super().parse_args(ctx, args)
        named = _after_ledger(args)
        rest = args[named:]
        if self.default is None:
            args = args if rest else ["--help"]
        elif not rest or (rest[0].startswith("-") and rest[0] not in ctx.help_option_names):
            args = [*args[:named], self.default, *rest]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Context) -> Any:  # noqa: ANN401 -- Whatever the command returns.
        """Run the command; where it was named after an option, say that it comes first."""
        args = ctx.args
        try:
            return super().invoke(ctx)
        except typer.TyperException as error:
            late = next((each for each in args if each in self.commands), None)
            if ctx.invoked_subcommand == self.default and late:
                error.message += f". The command comes before its options: {late} ..."
            raise

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of the commands, and the options of the default one."""
        found = super().shell_complete(ctx, incomplete)
        if self.default and incomplete.startswith("-"):
            command = self.built(self.default)
            inner = command.make_context(self.default, [], parent=ctx, resilient_parsing=True)
            found.extend(command.shell_complete(inner, incomplete))
        return found


def _after_ledger(args: Sequence[str]) -> int:
    """Return where the arguments go on after a leading `--ledger`."""
    if args and args[0].startswith("--ledger="):
        return 1
    return min(2, len(args)) if args and args[0] == "--ledger" else 0


class Root(Group):
    """The group of all commands."""

    entries = COMMANDS


def _group_options(
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", metavar="PATH", help=LEDGER_HELP, rich_help_panel=BOOK),
    ] = None,
) -> None:
    """Take what may stand between a group's name and its command's; `LedgerOption` reads it."""


class Commands(typer.Typer):
    """The commands of one module: a group if it has a help of its own, else a single command."""

    def __init__(self, help: str | None = None, *, default: str | None = None) -> None:  # noqa: A002
        self.functions: dict[str, LoadedCommand | LazyGroup | LazyCommand] | None = (
            {} if help else None
        )
        if help and default:
            help = f"{help}\n\nWithout a command: {default}."  # noqa: A001 -- Typer's own name.
        chosen = {"default": default, "entries": self.functions}
        super().__init__(
            cls=type("Chosen", (Group,), chosen) if help else None,
            help=help,
            callback=_group_options if help else None,
            add_completion=False,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,  # `_PlainHelp` turns it on where there is a terminal.
        )

    def command(  # type: ignore[override]
        self, name: str, *, hidden: bool = False, words: bool = False
    ) -> Callable[[CommandFunctionType], CommandFunctionType]:
        """Add a command; its docstring is its help. `words`: its arguments may begin with `-`."""

        def add(function: CommandFunctionType) -> CommandFunctionType:
            if self.functions is None:
                return super(Commands, self).command(name, cls=Command, hidden=hidden)(function)
            self.functions[name] = LoadedCommand(function, hidden, words)
            return function

        return add

    def place(
        self, name: str, module: str, attribute: str | None = None, *, words: bool = False
    ) -> None:
        """Add a command of another module, called as it is there unless another name is given."""
        if self.functions is None:
            raise TypeError("a single command has no others")
        self.functions[name] = LazyCommand(module, attribute or name, words)

    def group(self, name: str, module: str, help: str) -> None:  # noqa: A002
        """Add a group within this group, whose module is imported when it is used."""
        if self.functions is None:
            raise TypeError("a single command has no groups")
        self.functions[name] = LazyGroup(module, help)


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

    Try it:
      liveportal demo
      liveportal init
      liveportal sync feed.jsonl
      liveportal earnings --month last

    An id that begins with - comes after --, or it would be an option:
      liveportal requests show -- -R1
    """
