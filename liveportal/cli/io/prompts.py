"""What a command asks for on the way: a yes, or ids and text on standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import BinaryIO, TextIO

from liveportal.cli.io.text import clean
from liveportal.domain.errors import ConfirmationNeeded, Malformed

STDIN = "-"
TEXT_LIMIT = 1_000_000
"""The longest text read from standard input, in bytes: a summary, not a film."""
LONGEST_ID_LINE = 10_000
"""The longest line of ids on standard input, in bytes."""


class Declined(ConfirmationNeeded):
    """The question was asked, and the answer was not yes."""

    code = "declined"


class InvalidInput(Malformed):
    """Standard input that is not UTF-8 text, is closed, or is too long."""

    code = "invalid_stdin"


def confirm(question: str, *, yes: bool, dry_run: bool = False) -> None:
    """Ask a yes-or-no question, such as "Concede claim CL-1?"; return if the answer is yes.

    Nothing is asked with `--yes` and in a dry run. Raises `Declined`, and `ConfirmationNeeded`
    where there is nobody to ask: standard input or the place for the question is no terminal.
    """
    if yes or dry_run:
        return
    if not can_ask():
        raise ConfirmationNeeded(
            f"this must be confirmed: {question}", hint="Add --yes to confirm it."
        )
    sys.stderr.write(f"{clean(question)} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise Declined("not confirmed", hint="Nothing was done.")


def choose(question: str, choices: Iterable[int], usual: int | None) -> int:
    """Ask for one of several numbers, again after a wrong one; an empty answer is the usual one.

    Raises `Declined` for `q` and at the end of the input. `can_ask` tells whether to ask at all.
    """
    numbers = {str(number): number for number in choices}
    if usual is not None:
        numbers[""] = usual
    prompt = clean(question) + (" " if usual is None else f" [{usual}] ")
    while True:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        try:
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            continue  # Whatever was typed, it was no number.
        answer = line.strip().casefold()
        if not line or answer in ("q", "quit"):
            raise Declined("nothing was chosen", hint="Nothing was done.")
        if answer in numbers:
            return numbers[answer]


def answer(question: str) -> str:
    """Ask for a line of text; raises `Declined` at the end of the input."""
    sys.stderr.write(clean(question) + " ")
    sys.stderr.flush()
    if not (line := sys.stdin.readline()):
        raise Declined("nothing was answered", hint="Nothing was done.")
    return line.strip()


def hidden(question: str) -> str:
    """Ask for a text that is not shown while it is typed.

    Raises `Declined` at the end of the input, `InvalidInput` where it would be shown all the same.
    """
    import getpass
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(clean(question) + " ").strip()
        except EOFError:
            raise Declined("nothing was answered", hint="Nothing was done.") from None
        except (getpass.GetPassWarning, UnicodeDecodeError):
            raise InvalidInput(
                "this cannot be asked for without showing it", hint="Give it in a file."
            ) from None


def can_ask() -> bool:
    """Tell whether there is somebody to ask, and a place for the question."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def read_ids(given: Sequence[str]) -> Iterator[str]:
    """Yield the ids given, `-` standing for those on standard input, one a line, as they come.

    Blank lines are skipped. Raises `InvalidInput`.
    """
    for each in given:
        if each != STDIN:
            yield each
            continue
        stream = stdin_bytes()
        for number in count(1):
            if not (line := stream.readline(LONGEST_ID_LINE + 1)):
                break
            where = f"line {number} of standard input"
            if len(line) > LONGEST_ID_LINE:
                raise InvalidInput(f"{where} is longer than any id", hint="Give one id a line.")
            if name := _decoded(line, where).strip():
                yield name


def read_text(given: str) -> str:
    """Return the text given, or all of standard input where it is `-`; raises `InvalidInput`."""
    if given != STDIN:
        return given
    content = stdin_bytes().read(TEXT_LIMIT + 1)
    if len(content) > TEXT_LIMIT:
        raise InvalidInput(f"standard input is longer than {TEXT_LIMIT} bytes", limit=TEXT_LIMIT)
    return _decoded(content, "standard input").strip()


def stdin_bytes() -> BinaryIO:
    """Return standard input; raises `InvalidInput` where it is closed."""
    if sys.stdin is None:
        raise InvalidInput("standard input is closed")
    return sys.stdin.buffer


def _decoded(content: bytes, what: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{what} is not UTF-8 text (byte {error.start + 1})",
            hint="Give it one id a line, or the text, in UTF-8.",
        ) from None


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()
