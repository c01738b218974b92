"""The same commands as a usual Typer program, which builds all of them at start-up.

It has the same names, options and help texts, but no function: the baseline for the lazy groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperArgument, TyperGroup
from typer.main import get_command

from liveportal.cli.app import app


def eager_program() -> str:
    """Return the source of the program."""
    lines = [
        "import typer",
        "app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)",
    ]
    lines += _group_lines(get_command(app), "app", ())
    return "\n".join([*lines, "app()", ""])


def _group_lines(group: Any, parent: str, parents: tuple[str, ...]) -> Iterator[str]:  # noqa: ANN401
    context = group.make_context("liveportal", [], resilient_parsing=True)
    for word in group.list_commands(context):
        command = group.resolve_command(context, [word])[1]
        function = "_".join((*parents, word.replace("-", "_")))
        if isinstance(command, TyperGroup):
            yield f"{function}_app = typer.Typer(rich_markup_mode=None)"
            yield f"{parent}.add_typer({function}_app, name={word!r}, help={command.help!r})"
            yield from _group_lines(command, f"{function}_app", (*parents, word))
        else:
            yield f"@{parent}.command({word!r}, help={command.help!r})"
            yield f"def {function}({', '.join(_parameter_lines(command))}): ..."


def _parameter_lines(command: Any) -> Iterator[str]:  # noqa: ANN401
    for number, parameter in enumerate(command.params):
        if isinstance(parameter, TyperArgument):
            yield f"p{number}: str = typer.Argument('', help={parameter.help!r})"
            continue
        kind = "bool" if parameter.is_flag else "str"
        default = "False" if parameter.is_flag else "''"
        names = ", ".join(repr(option) for option in parameter.opts)
        if parameter.name != "help":
            yield f"p{number}: {kind} = typer.Option({default}, {names}, help={parameter.help!r})"
