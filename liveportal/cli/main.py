"""Run one command: report how it failed, and never pass off truncated output as complete."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence

import typer
from typer.main import get_command

from liveportal.cli.app import app
from liveportal.cli.clock import Clock, system_clock, use_clock
from liveportal.cli.io.errors import (
    PROGRAM,
    discard_buffer,
    hint_for,
    report,
    report_bug,
    report_usage,
    write_failure,
)
from liveportal.cli.signals import (
    exit_code_of,
    handle_signals,
    interruption_message,
    interruption_name,
    show_cursor,
)
from liveportal.domain.errors import LiveportalError, OutOfMemory, OutputFailed
from liveportal.ledger.storage.commits import begin, so_far

COMPLETION_VARIABLE = "_LIVEPORTAL_COMPLETE"


def main(argv: Sequence[str], clock: Clock = system_clock) -> int:
    """Run the program and return its exit code; every failure is reported in a sentence.

    Whatever the run does happens at the time of `clock`.
    """
    try:
        _prepare_streams()
        with use_clock(clock), handle_signals():
            begin()
            code = run(argv)
        if sys.stdout is not None:
            sys.stdout.flush()  # Output that a full disk cut short must not pass for success.
    except BrokenPipeError:
        discard_buffer(sys.stdout)  # A reader such as `head` closed the pipe: that is no failure.
        return 0
    except OSError as error:
        from liveportal.ledger.storage.atomic import output_failed

        discard_buffer(sys.stdout)
        return report(_add_committed(output_failed("The output", error)), argv)
    return code


def run(argv: Sequence[str]) -> int:
    """Run the command that `argv` names, report its failure if any, and return its exit code.

    Raises only the `OSError` of a stream, such as that of a closed pipe.
    """
    command = get_command(app)
    try:
        if instruction := os.environ.get(COMPLETION_VARIABLE):
            from liveportal.cli.io.shells import answer

            return answer(command, COMPLETION_VARIABLE, instruction)
        # Typer's own `main` would turn a closed pipe into exit code 1.
        with command.make_context(PROGRAM, list(argv)) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, typer.Abort) as error:
        show_cursor()
        return write_failure(
            interruption_name(error), interruption_message(error), exit_code_of(error), argv
        )
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and error.errno != errno.ENOMEM:
            raise  # It came from a stream: errors of opening a file carry its name.
        return _report_failure(error, argv)
    return 0


def _report_failure(error: Exception, argv: Sequence[str]) -> int:
    """Report the failure that ended a command; return its exit code."""
    if isinstance(error, typer.TyperException):
        return report_usage(error, argv)
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        error.__traceback__ = None  # Its frames keep the large objects alive.
        error = _out_of_memory()
    if isinstance(error, OutputFailed):
        discard_buffer(sys.stdout)  # Otherwise the buffered results would fail again at the end.
        _add_committed(error)
    if isinstance(error, LiveportalError):
        return report(error, argv)
    return report_bug(error, argv)


def _add_committed(error: LiveportalError) -> LiveportalError:
    """Add to a failure what was committed before it, so that the user does not repeat it."""
    if commits := so_far():
        error.message += f" However, {commits}."
        error.details |= {"recorded": commits.events, "event": commits.own_id}
        hint = "This remains recorded." if commits.events else "This remains done."
        if commits.events == 1 and commits.own_id:
            hint += f" The same command with --key {commits.own_id} shows it and records no more."
        error.hint = f"{hint_for(error)} {hint}" if error.hint else hint
    return error


def _out_of_memory() -> LiveportalError:
    return _add_committed(
        OutOfMemory(
            "There is not enough memory for this command.",
            hint="Close other programs, or do less at a time: `sync --batch N`, or a shorter"
            " period.",
        )
    )


def _prepare_streams() -> None:
    """Make stdout write UTF-8 and bare newlines to pipes and files, whatever the character."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
