"""Write docs/REFERENCE.md, the `--help` text of every command, and the table of docs/RULES.md.

They are never edited by hand: `make docs` generates them. With `--check` nothing is written, and
the exit code is 1 if a file is out of date.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from liveportal.cli.app import app
from liveportal.domain.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCE = Path(__file__).with_name("REFERENCE.md")
RULES_PAGE = Path(__file__).with_name("RULES.md")
PLAIN = {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "TERM": "dumb", "NO_COLOR": "1"}
HEAD = """# Reference

What `--help` says, of every command. Made by `make docs`; never edited by hand.
"""


def command_names() -> Iterator[tuple[str, ...]]:
    """Yield the words of every command, each group before its commands, in the order of --help."""
    root = get_command(app)
    stack: list[tuple[tuple[str, ...], object]] = [((), root)]
    while stack:
        names, command = stack.pop()
        yield names
        if isinstance(command, TyperGroup):
            context = command.make_context("liveportal", [], resilient_parsing=True)
            listed = command.list_commands(context)
            # A lazy group loads a command only when it resolves its name.
            subcommands = [
                ((*names, name), command.resolve_command(context, [name])[1]) for name in listed
            ]
            stack.extend(
                (path, subcommand)
                for path, subcommand in reversed(subcommands)
                if subcommand is not None
            )


def help_text(names: tuple[str, ...]) -> str:
    """Return the `--help` output of a command, without trailing spaces."""
    result = CliRunner().invoke(app, [*names, "--help"], prog_name="liveportal", env=PLAIN)
    if result.exit_code:
        raise SystemExit(f"liveportal {' '.join(names)} --help failed:\n{result.output}")
    return "\n".join(line.rstrip() for line in result.output.splitlines()).strip("\n")


def reference() -> str:
    """Return the whole reference as Markdown."""
    parts = [HEAD]
    for names in command_names():
        title = " ".join(("liveportal", *names))
        parts.append(f"\n## {title}\n\n```text\n{help_text(names)}\n```\n")
    return "".join(parts)


def rules() -> str:
    """Return docs/RULES.md with its table made from the rules' declarations."""
    text = RULES_PAGE.read_text(encoding="utf-8")
    table = "".join(f"| {rule.rule} | {rule.text} |\n" for rule in RULES)
    return re.sub(r"(?<=\|---\|---\|\n)(\| R[0-9]+ \|.*\n)+", lambda _: table, text)


def main() -> int:
    """Write the pages or, with `--check`, check that they are current."""
    code = 0
    for path, text in ((REFERENCE, reference()), (RULES_PAGE, rules())):
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"docs/{path.name} is not what the program says: run `make docs`.\n")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
