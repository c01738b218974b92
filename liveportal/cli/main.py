"""Running the program: one command, its failures told, its output whole or said to be cut short."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence

import typer
from typer.main import get_command

from liveportal.cli.app import app
from liveportal.cli.io.errors import PROGRAM, forget, report, report_bug, report_usage, tell
from liveportal.cli.signals import exit_code_of, show_cursor, unwinding, word_for
from liveportal.domain.errors import LiveportalError, OutOfMemory, OutputFailed
from liveportal.ledger.storage.commits import begin, so_far

COMPLETION_VARIABLE = "_LIVEPORTAL_COMPLETE"


def main(argv: Sequence[str]) -> int:
    """Run the program and return its exit code; whatever happens, the user gets a sentence."""
    try:
        _prepare_streams()
        with unwinding():
            begin()
            code = run(argv)
        if sys.stdout is not None:
            sys.stdout.flush()  # What a full disk cut short must not pass for success.
    except BrokenPipeError:
        forget(sys.stdout)  # `| head` has seen enough: that is no failure.
        return 0
    except OSError as error:
        forget(sys.stdout)
        failed = OutputFailed(f"the output could not be written: {error.strerror}")
        return report(_with_done(failed), argv)
    return code


def run(argv: Sequence[str]) -> int:
    """Run the command that `argv` names and return its exit code, with failures reported.

    Lets pass only the `OSError` of a stream, such as a pipe that was closed.
    """
    command = get_command(app)
    try:
        if COMPLETION_VARIABLE in os.environ:
            command.main(list(argv), prog_name=PROGRAM)
        # Not by Typer's `main`: it makes an exit code of 1 out of a pipe that was closed.
        with command.make_context(PROGRAM, list(argv)) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, typer.Abort) as error:
        show_cursor()
        return tell(word_for(error), word_for(error), exit_code_of(error), argv)
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and error.errno != errno.ENOMEM:
            raise  # A stream: only what opens a file knows its name.
        return _reported(error, argv)
    return 0


def _reported(error: Exception, argv: Sequence[str]) -> int:
    """Tell the user about whatever ended a command; return its exit code."""
    if isinstance(error, typer.TyperException):
        return report_usage(error, argv)
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        error.__traceback__ = None  # Its frames keep what was too much.
        error = _out_of_memory()
    if isinstance(error, OutputFailed):
        forget(sys.stdout)  # Or the rest of the results would fail once more at the end.
        _with_done(error)
    if isinstance(error, LiveportalError):
        return report(error, argv)
    return report_bug(error, argv)  # The last resort: a traceback helps no user.


def _with_done(error: LiveportalError) -> LiveportalError:
    """Say in a failure what was done before it and stays done: it must not be done again."""
    if done := so_far():
        error.message += f", but {done}"
        error.details |= {"recorded": done.events, "event": done.own_id}
        hint = "That stays as it is."
        if done.events == 1 and done.own_id:
            hint += f" The same command with --key {done.own_id} shows it, and records no more."
        error.hint = f"{error.hint} {hint}" if error.hint else hint
    return error


def _out_of_memory() -> LiveportalError:
    return _with_done(
        OutOfMemory(
            "there is not enough memory for this",
            hint="Close other programs, or do less at once: `sync --batch N`, a shorter period.",
        )
    )


def _prepare_streams() -> None:
    """Write UTF-8 and bare newlines into pipes and files, and never fail on a character."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
