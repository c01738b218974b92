"""Show on a terminal what is taller than its screen, in the user's pager.

The pager is the command of LIVEPORTAL_PAGER, else of PAGER, else `less` if there is one; an empty
variable turns it off. What a command shows within `paged` is kept until it is whole. So the ledger
is closed before the pager runs, which may stay open for hours.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from liveportal.cli.io.output_file import page_of_pager
from liveportal.domain.patterns import pattern

VARIABLES = ("LIVEPORTAL_PAGER", "PAGER")
LESS_OPTIONS = "FRX"
"""For `less` without options of its own: end if all fits, show colours, leave the text there."""

_COLOURS = pattern(r"\x1b\[[0-9;]*m")
_SHOWS_COLOURS = pattern(r"(?:^|\s)(?:-[A-Za-z]*|[A-Za-z]*)R|--RAW-CONTROL-CHARS")


class Page(io.StringIO):
    """What a command shows on a terminal, kept until it is whole."""

    def isatty(self) -> bool:
        """Return True: the text is for a terminal, with its colours."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the terminal, on which the drawing of boxes depends."""
        return sys.stdout.encoding


@contextmanager
def paged() -> Iterator[None]:
    """Keep what is written to the terminal, and show it at the end: in a pager if it is tall.

    Within another `paged`, everything is one page.
    """
    if page_of_pager.get() is not None or not _is_on_terminal():
        yield
        return
    page = Page()
    token = page_of_pager.set(page)
    try:
        yield
    finally:
        page_of_pager.reset(token)
        _show(page.getvalue())


def _is_on_terminal() -> bool:
    try:
        return os.environ.get("TERM") != "dumb" and os.isatty(sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):  # There is no such stream, or it is closed.
        return False


def _show(text: str) -> None:
    height = shutil.get_terminal_size((80, 0)).lines  # 0: unknown.
    if height and text.count("\n") >= height and (given := _pager()) is not None:
        if _run(given, text):
            return
        from liveportal.cli.io.render import note

        note(f"The pager {given!r} failed. --no-pager or LIVEPORTAL_PAGER= does without one.")
    sys.stdout.write(text)
    sys.stdout.flush()


def _pager() -> str | None:
    """Return the command line of the pager, as its variable has it; None for none."""
    given = next((os.environ[name] for name in VARIABLES if name in os.environ), None)
    if given is not None:
        return given.strip() or None
    return "less" if shutil.which("less") else None


def _run(given: str, text: str) -> bool:
    """Run the pager until the user ends it; return False if it failed."""
    import shlex
    import subprocess

    environment = {"LESS": LESS_OPTIONS, **os.environ}
    try:
        command = shlex.split(given)
        shown = text if _takes_colours(command, environment["LESS"]) else _COLOURS.sub("", text)
        sys.stdout.flush()
        with (
            _interrupts_left_to_pager() as interrupts,
            subprocess.Popen(  # noqa: S603 -- The user's own command.
                command, stdin=subprocess.PIPE, env=environment
            ) as pager,
        ):
            try:
                # A pager that ends before it has read everything is no failure.
                pager.communicate(shown.encode(sys.stdout.encoding, "replace"))
            except BaseException:
                pager.terminate()
                raise
    except (OSError, ValueError):  # There is no such program, or a quotation mark is missing.
        return False
    return pager.returncode <= 0 or bool(interrupts)


def _takes_colours(command: Sequence[str], less_options: str) -> bool:
    if Path(command[0]).stem != "less":
        return False
    return any(_SHOWS_COLOURS.search(options) for options in (less_options, *command[1:]))


@contextmanager
def _interrupts_left_to_pager() -> Iterator[list[int]]:
    """Let Ctrl-C reach the pager alone, which may stop reading for it; yield those that came."""
    interrupts: list[int] = []

    def note_interrupt(number: int, _frame: FrameType | None) -> None:
        interrupts.append(number)

    before = signal.signal(signal.SIGINT, note_interrupt)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)
