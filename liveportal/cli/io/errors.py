"""Where failures become exit codes and messages; results never pass here.

The exit code of a failure is that of its nearest ancestor in `EXIT_CODES`. A message says on
standard error what failed, why, and what to do next; where JSON was asked for, it is one line of
JSON. Whatever is not a `LiveportalError` is a bug, and is said to be one, without a traceback.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import typer

from liveportal.cli.io.text import clean, no_colour
from liveportal.cli.io.view_model import plain
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

BUG = 1
USAGE = 2


def check_stdout() -> None:
    """Raise `OutputFailed` if there is no standard output: what would be printed is for nobody."""
    if sys.stdout is None:
        raise OutputFailed("there is no standard output", hint="Use --output FILE.")


class UnknownField(Malformed):
    """A name in `--fields` that the command does not have."""

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
    """Return the exit code of a failure: that of its nearest ancestor that has one."""
    return next((EXIT_CODES[each] for each in type(error).__mro__ if each in EXIT_CODES), BUG)


def hint_for(error: LiveportalError) -> str | None:
    """Return what to do next: what the failure says itself, or a caution's way out."""
    if error.hint is None and isinstance(error, Caution):
        return f"If you mean it, add {error.override}."
    return error.hint


def report(error: LiveportalError, argv: Sequence[str]) -> int:
    """Tell the user about a failure, in the form that `argv` asked for; return its exit code."""
    return tell(
        error.code,
        error.message,
        exit_code_for(error),
        argv,
        hint=hint_for(error),
        details=error.details,
    )


def report_usage(error: typer.TyperException, argv: Sequence[str]) -> int:
    """Tell the user about wrong usage; return its exit code."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else PROGRAM
    return tell(
        "usage",
        error.format_message(),
        USAGE,
        argv,
        hint=f"See '{path} --help'.{_after_dashes(error)}",
        details={"command": path},
    )


def _after_dashes(error: typer.TyperException) -> str:
    """Say of an unknown option that it may have been meant as an id, where there are arguments."""
    command = getattr(getattr(error, "ctx", None), "command", None)
    kinds = {each.param_type_name for each in getattr(command, "params", ())}
    if type(error).__name__ != "NoSuchOption" or "argument" not in kinds:
        return ""
    return " An id that begins with - comes after --, as in: show -- -R1."


def report_bug(error: Exception, argv: Sequence[str]) -> int:
    """Tell the user that it is our fault, and where; return its exit code."""
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    kind, place = type(error).__name__, _last_own_frame(error)
    return tell(
        "bug",
        f"this is a bug in liveportal: {kind} in {place}",
        BUG,
        argv,
        hint=f"Please report it. {DEBUG_VARIABLE}=1 shows the traceback.",
        details={"type": kind, "place": place},
    )


def _last_own_frame(error: Exception) -> str:
    """Return where in this package an exception came from: `liveportal/cli/app.py:12 (load)`."""
    root = Path(__file__).parents[3]
    package = root / "liveportal"
    own = [
        f"{Path(frame.filename).relative_to(root).as_posix()}:{frame.lineno} ({frame.name})"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(package)
    ]
    return own[-1]


def tell(
    code: str,
    message: str,
    exit_code: int,
    argv: Sequence[str],
    *,
    hint: str | None = None,
    details: Mapping[str, object] | None = None,
) -> int:
    """Write a failure to standard error, as JSON if that was asked for; return its exit code."""
    if _wants_json(argv):
        facts = {
            "code": code,
            "message": message,
            "hint": hint,
            "exit": exit_code,
            "details": details or {},
        }
        text = json.dumps({"error": facts}, default=_readable)
    else:
        red, plain = ("\x1b[1;31m", "\x1b[0m") if _colour_of_stderr() else ("", "")
        text = f"{red}error:{plain} {clean(message)}"
        if hint:
            text += f"\n{clean(hint)}"
    if sys.stderr is not None:
        try:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()
        except OSError:  # Nobody listens; the exit code still says it.
            forget(sys.stderr)
    return exit_code


def forget(stream: TextIO | None) -> None:
    """Send what is left in a stream's buffer nowhere, or Python would complain when it ends."""
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):  # A stream of a test has no descriptor.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _wants_json(argv: Sequence[str]) -> bool:
    """Say whether JSON was asked for; looked up here, since even a usage error has to know."""
    options = argv[: argv.index("--")] if "--" in argv else argv
    return "--json" in options or "--jsonl" in options


def _readable(value: object) -> object:
    """Turn any value of a failure's details into what JSON has."""
    try:
        return plain(value)
    except TypeError:
        return str(value)


def _colour_of_stderr() -> bool:
    return sys.stderr is not None and sys.stderr.isatty() and not no_colour()
