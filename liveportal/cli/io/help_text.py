"""How `--help` is laid out: one layout for terminals and pipes, with colour only on a terminal.

Prose is wrapped once, to the width of the terminal but at most `WIDEST` columns. Examples and other
indented lines are printed as they were written, since a broken command cannot be copied.
"""

from __future__ import annotations

import inspect
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from typer._click.formatting import HelpFormatter
from typer._click.termui import style
from typer.core import TyperGroup, TyperOption

from liveportal.cli.io.text import no_colour

if TYPE_CHECKING:
    from typer._click import Context

NARROWEST, WIDEST = 50, 100
"""In columns."""

_SPACE, _HYPHEN = "\xa0", "\u2011"
"""The space and the hyphen at which lines are not broken."""
_UNIT = re.compile(r"`[^`]*`|\[[^\]]*\]")
_RANGE = re.compile(r"([\d.]+)<=x<=([\d.]+)")
_AT_LEAST = re.compile(r"x>=([\d.]+)")


class HelpWriter(HelpFormatter):
    """Collects the text of a help page."""

    def __init__(self) -> None:
        columns = shutil.get_terminal_size().columns
        super().__init__(width=max(NARROWEST, min(WIDEST, columns)))
        self._is_styled = sys.stdout.isatty() and not no_colour()

    def write_heading(self, heading: str) -> None:
        """Write the heading of a section."""
        self.write(self._styled(f"{heading}:", bold=True) + "\n")

    def write_text(self, text: str) -> None:
        """Write the description of a command: its prose wrapped, its examples unchanged."""
        indent = " " * self.current_indent
        for line in wrapped(text, self.width - self.current_indent):
            self.write(f"{indent}{line}".rstrip() + "\n")

    def write_dl(
        self, rows: Sequence[tuple[str, str]], col_max: int = 24, col_spacing: int = 2
    ) -> None:
        """Write names with their descriptions beside them, or below those that are too long."""
        widths = [len(name) for name, _ in rows if len(name) <= col_max]
        super().write_dl(
            [(self._styled(name, fg="cyan"), _unbroken(in_words(text))) for name, text in rows],
            max(widths, default=col_max),
            col_spacing,
        )

    def write(self, string: str) -> None:
        """Write a text, with the spaces and hyphens at which it was not to be broken."""
        super().write(string.replace(_SPACE, " ").replace(_HYPHEN, "-"))

    def _styled(self, text: str, *, bold: bool | None = None, fg: str | None = None) -> str:
        return style(text, bold=bold, fg=fg) if self._is_styled else text


def help_page(command: Any, context: Context) -> str:  # noqa: ANN401 -- A command or a group.
    """Return the help: usage, description, arguments and options, commands, names of fields."""
    writer = HelpWriter()
    command.format_usage(context, writer)
    writer.write_paragraph()
    with writer.indentation():
        writer.write_text(_description(command))
    for name, rows in _sections(command, context):
        with writer.section(name):
            writer.write_dl(rows)
    return writer.getvalue().rstrip("\n")


def _description(command: Any) -> str:  # noqa: ANN401
    """Return what a command is for; of a group, its default command before the examples."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    if default := getattr(command, "default", None):
        is_example = [paragraph.startswith("Example") for paragraph in (*paragraphs, "Example")]
        paragraphs.insert(is_example.index(True), f"Default command: {default}.")
    return "\n\n".join(paragraphs)


def _sections(command: Any, context: Context) -> Iterator[tuple[str, list[tuple[str, str]]]]:  # noqa: ANN401
    """Yield the sections of the help that have names with descriptions."""
    if isinstance(command, TyperGroup):
        names = command.list_commands(context)
        listed = [(name, command.get_command(context, name)) for name in names]
        yield (
            "Commands",
            [(name, summary(c.help or "")) for name, c in listed if c and not c.hidden],
        )
    panels: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for parameter in command.get_params(context):
        default_panel = "Options" if isinstance(parameter, TyperOption) else "Arguments"
        panel = getattr(parameter, "rich_help_panel", None) or default_panel
        if row := parameter.get_help_record(context):
            panels.setdefault(panel, []).append(row)
    yield from ((name, rows) for name, rows in panels.items() if rows)
    if shown := getattr(command.callback, "shown", None):
        from liveportal.cli.io.field_meanings import field_lines

        yield "Fields for --fields", field_lines(shown)


def wrapped(text: str, width: int) -> Iterator[str]:
    """Yield the lines of a description, of at most `width` columns where it is prose."""

    def fill(lines: Sequence[str]) -> list[str]:
        text = _unbroken(" ".join(lines))
        return textwrap.wrap(text, width, break_long_words=False)

    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ""
        prose: list[str] = []
        for line in paragraph.splitlines():
            if not line.startswith((" ", "Example:")):
                prose.append(line)
                continue
            yield from fill(prose)
            prose.clear()
            yield line
        yield from fill(prose)


def _unbroken(text: str) -> str:
    """Return a text that is not broken at hyphens, nor within a `command` or a [note]."""
    return _UNIT.sub(lambda match: match[0].replace(" ", _SPACE), text.replace("-", _HYPHEN))


def summary(text: str) -> str:
    """Return the first paragraph of a description in one line, for a list of commands."""
    return " ".join(text.partition("\n\n")[0].split())


def in_words(text: str) -> str:
    """Return the description of an option with its range in words: `[1 to 10]`."""
    return _AT_LEAST.sub(r"\1 or more", _RANGE.sub(r"\1 to \2", text))
