"""Our commands once more, as the usual Typer program that makes all of them when it starts.

With the same names, options and helps, and nothing that they do: what lazy groups are measured by.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperArgument, TyperGroup
from typer.main import get_command

from liveportal.cli.app import app


def eager_program() -> str:
    """Return the text of the program."""
    lines = [
        "import typer",
        "app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)",
    ]
    lines += _group(get_command(app), "app", ())
    return "\n".join([*lines, "app()", ""])


def _group(group: Any, name: str, above: tuple[str, ...]) -> Iterator[str]:  # noqa: ANN401
    context = group.make_context("liveportal", [], resilient_parsing=True)
    for word in group.list_commands(context):
        command = group.resolve_command(context, [word])[1]
        own = "_".join((*above, word.replace("-", "_")))
        if isinstance(command, TyperGroup):
            yield f"{own}_app = typer.Typer(rich_markup_mode=None)"
            yield f"{name}.add_typer({own}_app, name={word!r}, help={command.help!r})"
            yield from _group(command, f"{own}_app", (*above, word))
        else:
            yield f"@{name}.command({word!r}, help={command.help!r})"
            yield f"def {own}({', '.join(_parameters(command))}): ..."


def _parameters(command: Any) -> Iterator[str]:  # noqa: ANN401
    for number, each in enumerate(command.params):
        if isinstance(each, TyperArgument):
            yield f"p{number}: str = typer.Argument('', help={each.help!r})"
            continue
        kind = "bool" if each.is_flag else "str"
        default = "False" if each.is_flag else "''"
        names = ", ".join(repr(option) for option in each.opts)
        if each.name != "help":
            yield f"p{number}: {kind} = typer.Option({default}, {names}, help={each.help!r})"
