"""`liveportal schema`: the JSON Schema of a command's output, and of the events of a feed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer.main import get_command

from liveportal.cli import app as commands
from liveportal.cli.completion import Completer
from liveportal.cli.io.output_file import open_output
from liveportal.cli.io.usage import suggestion
from liveportal.cli.io.view_model import Shown
from liveportal.cli.json_schema import schema_of
from liveportal.cli.options import OutputFile
from liveportal.domain.events.envelope import PREFIX
from liveportal.domain.events.types import TYPES
from liveportal.feeds.json_schema import event_schema, feed_schema

app = commands.Commands()

EVENT, FEED = "event", "feed"


@Completer
def _complete(context: typer.Context, incomplete: str) -> Iterator[str]:
    """Yield the words that may come next."""
    words = context.params.get("command") or ()
    if list(words) == [EVENT]:
        names = list(TYPES)
    elif not words:
        names = [*commands.COMMANDS, EVENT, FEED]
    else:
        try:
            names = _names_in(_find(words))
        except typer.BadParameter:
            names = []
    return (name for name in names if name.startswith(incomplete))


@app.command("schema")
def schema(
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND...]",
            help="A command, or `feed`, or `event TYPE` (default: the front page).",
            autocompletion=_complete,
        ),
    ] = None,
    output: OutputFile = None,
) -> None:
    """Print the JSON Schema of a command's output.

    The schema describes the output of --json, and each line of --jsonl. `feed` is the schema of a
    feed's lines, and `event TYPE` that of one type of event. Without a command it is the schema of
    the front page, `liveportal --json`.

    Examples:
      liveportal schema earnings months
      liveportal schema requests accept -o accept.schema.json
      liveportal schema feed
      liveportal schema event session.ended
    """
    document = _document(command or ())
    with open_output(output) as stream:
        stream.write(json.dumps(document, indent=2) + "\n")


def _document(words: Sequence[str]) -> dict[str, Any]:
    """Return the schema that the words name; raises `typer.BadParameter` if they name none."""
    if list(words) == [FEED]:
        return feed_schema()
    if words[:1] == [EVENT]:
        return _event_document(words[1:])
    shown = declared(words)
    if shown is None:
        raise typer.BadParameter(
            f"The command {_spelt(words)!r} shows no rows, so it has no schema."
        )
    return schema_of(_spelt(("liveportal", *words)), shown)


def _event_document(words: Sequence[str]) -> dict[str, Any]:
    name = " ".join(words).removeprefix(PREFIX)
    if name not in TYPES:
        problem = f"{name!r} is not a type of event." if words else "Name a type of event."
        listing = "docs/EVENTS.md lists the types, such as session.ended."
        raise typer.BadParameter(f"{problem} {suggestion(name, TYPES, listing)}")
    return event_schema(TYPES[name])


def declared(words: Sequence[str]) -> Shown | None:
    """Return the rows that a command shows, or the default command of a group.

    None for a command without rows. Raises `typer.BadParameter` for an unknown command.
    """
    command = _find(words)
    if isinstance(command, commands.Group):
        if command.default is None:
            names = ", ".join(_names_in(command))
            raise typer.BadParameter(
                f"{_spelt(words)!r} is a group. Name one of its commands: {names}."
            )
        command = command.load_command(command.default)
    return getattr(command.callback, "shown", None)


def _find(words: Sequence[str]) -> Any:  # noqa: ANN401 -- Typer does not export click's types.
    """Return the command or group with this name; raises `typer.BadParameter`."""
    command: Any = get_command(commands.app)
    for number, word in enumerate(words):
        names = _names_in(command)
        if word not in names:
            close = get_close_matches(word, names)
            hint = f" Did you mean {' or '.join(close)}?" if close else ""
            raise typer.BadParameter(f"There is no command {_spelt(words[: number + 1])!r}.{hint}")
        command = command.load_command(word)
    return command


def _names_in(command: object) -> list[str]:
    return list(command.commands) if isinstance(command, commands.Group) else []


def _spelt(words: Sequence[str]) -> str:
    return " ".join(words)
