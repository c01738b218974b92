"""Map failures to exit codes and messages on standard error.

The exit code of a failure is that of its nearest ancestor in `EXIT_CODES`. A message says what
failed, why, and what to do next; with `--json` or `--jsonl` it is one line of JSON. Any exception
that is not a `LiveportalError` is reported as a bug, without a traceback.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import textwrap
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import typer

from liveportal.cli.io.text import clean, no_colour
from liveportal.cli.io.view_model import to_json_value
from liveportal.domain.errors import (
    Busy,
    Caution,
    ConfirmationNeeded,
    IntegrityFailed,
    LiveportalError,
    Malformed,
    NotFound,
    OutputFailed,
    Refused,
)

PROGRAM = "liveportal"
DEBUG_VARIABLE = "LIVEPORTAL_DEBUG"

NOTHING_RECORDED = "Nothing was recorded."
"""The answer to a "no", which is not an error."""

BUG = 1
USAGE = 2
_NARROWEST = 20
_COMMAND = re.compile(r"`[^`\n]+`")
_JOINED = "\x1f"
"""In place of the spaces of a command, which is copied as one piece."""


def check_stdout() -> None:
    """Raise `OutputFailed` if there is no standard output to print to."""
    if sys.stdout is None:
        raise OutputFailed("There is no standard output.", hint="Use --output FILE.")


class UnknownField(Malformed):
    """A name in `--fields` that is not a field of the result."""

    code = "unknown_field"


EXIT_CODES: dict[type[LiveportalError], int] = {
    Malformed: 1,
    NotFound: 3,
    Refused: 4,
    Busy: 5,
    IntegrityFailed: 6,
    ConfirmationNeeded: 7,
    OutputFailed: 74,
}


def exit_code_for(error: LiveportalError) -> int:
    """Return the exit code of a failure: that of its nearest ancestor in `EXIT_CODES`."""
    return next((EXIT_CODES[cls] for cls in type(error).__mro__ if cls in EXIT_CODES), BUG)


def hint_for(error: LiveportalError) -> str | None:
    """Return the hint of a failure; for a caution without one, the option that overrides it."""
    from liveportal.cli.io.hints import override_of, spell

    caution = error if isinstance(error, Caution) else None
    if caution and error.hint is None:
        return f"To do it anyway, add {override_of(caution)}."
    return spell(error.hint, caution)


def report(error: LiveportalError, argv: Sequence[str]) -> int:
    """Report a failure, as JSON if `argv` asks for it; return its exit code."""
    return write_failure(
        error.code,
        error.message,
        exit_code_for(error),
        argv,
        hint=hint_for(error),
        details=error.details,
    )


def report_usage(error: typer.TyperException, argv: Sequence[str]) -> int:
    """Report wrong usage; return its exit code."""
    context = getattr(error, "ctx", None)
    path = context.command_path.rstrip() if context else PROGRAM  # The front page has no name.
    from liveportal.cli.io.usage import usage_hints, usage_message  # Only errors need it.

    return write_failure(
        "usage",
        usage_message(error),
        USAGE,
        argv,
        hint=" ".join(usage_hints(error, path)),
        details={"command": path},
    )


def report_bug(error: Exception, argv: Sequence[str]) -> int:
    """Report an unexpected exception as a bug, with its place; return its exit code."""
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    kind, place = type(error).__name__, _last_own_frame(error)
    return write_failure(
        "bug",
        f"This is a bug in liveportal: {kind} in {place}.",
        BUG,
        argv,
        hint=f"Please report it. {DEBUG_VARIABLE}=1 shows the traceback.",
        details={"type": kind, "place": place},
    )


def _last_own_frame(error: Exception) -> str:
    """Return the innermost frame of this package, such as `liveportal/cli/app.py:12 (load)`."""
    root = Path(__file__).parents[3]
    package = root / "liveportal"
    own = [
        f"{Path(frame.filename).relative_to(root).as_posix()}:{frame.lineno} ({frame.name})"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(package)
    ]
    return own[-1]


def write_failure(
    code: str,
    message: str,
    exit_code: int,
    argv: Sequence[str],
    *,
    hint: str | None = None,
    details: Mapping[str, object] | None = None,
) -> int:
    """Write a failure to standard error, as JSON if `argv` asks for it; return its exit code."""
    if _wants_json(argv):
        body = {
            "code": code,
            "message": message,
            "hint": hint,
            "exit": exit_code,
            "details": details or {},
        }
        text = json.dumps({"error": body}, default=_to_json)
    else:
        text = _for_person(message, hint, details or {})
    if sys.stderr is not None:
        try:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()
        except OSError:  # Standard error was closed; the exit code still reports the failure.
            discard_buffer(sys.stderr)
    return exit_code


def _for_person(message: str, hint: str | None, details: Mapping[str, object]) -> str:
    """Return a failure as text; on a terminal, wrapped once, with the short forms of long ids."""
    lines = [message if message == NOTHING_RECORDED else f"error: {clean(message)}"]
    lines += [clean(hint)] if hint else []
    if sys.stderr is None or not sys.stderr.isatty():
        return "\n".join(lines)
    from liveportal.cli.io.render import with_local_times, with_short_ids  # Only on a terminal.

    text = wrapped(with_local_times(with_short_ids("\n".join(lines), details.values())))
    red, plain = ("", "") if no_colour() else ("\x1b[1;31m", "\x1b[0m")
    return text.replace("error:", f"{red}error:{plain}", 1) if text.startswith("error:") else text


def wrapped(text: str) -> str:
    """Return a text for a terminal with lines that fit; no command or path is broken."""
    width = max(shutil.get_terminal_size().columns, _NARROWEST)
    whole = _COMMAND.sub(lambda command: command[0].replace(" ", _JOINED), text)
    lines = [
        part
        for line in whole.split("\n")
        for part in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
    ]
    return "\n".join(lines).replace(_JOINED, " ")


def discard_buffer(stream: TextIO | None) -> None:
    """Redirect a stream to the null device, so that Python can flush its buffer at exit."""
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):  # A test's stream has no descriptor.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def _wants_json(argv: Sequence[str]) -> bool:
    """Return True if JSON was asked for; read from `argv`, as usage errors need it, too."""
    options = argv[: argv.index("--")] if "--" in argv else argv
    return "--json" in options or "--jsonl" in options


def _to_json(value: object) -> object:
    """Convert a value of a failure's details for JSON."""
    try:
        return to_json_value(value)
    except TypeError:
        return str(value)
