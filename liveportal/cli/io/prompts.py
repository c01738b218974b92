"""Input that a command asks for: a confirmation, a choice, or ids and text from stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import BinaryIO, TextIO

from liveportal.cli.io.errors import NOTHING_RECORDED
from liveportal.cli.io.text import clean
from liveportal.domain.errors import ConfirmationNeeded, Malformed

STDIN = "-"
TEXT_LIMIT = 1_000_000
"""The longest text read from standard input, in bytes."""
LONGEST_ID_LINE = 10_000
"""The longest line of ids on standard input, in bytes."""


class Declined(ConfirmationNeeded):
    """The answer to a question was not yes, or there was no answer."""

    code = "declined"


class InvalidInput(Malformed):
    """Standard input is not UTF-8 text, is closed, or is too long."""

    code = "invalid_stdin"


def confirm(question: str, *, yes: bool, dry_run: bool = False) -> None:
    """Ask a yes-or-no question such as "Concede claim CL-1?"; return only if the answer is yes.

    It does not ask with `--yes` or in a dry run. Raises `Declined`, and `ConfirmationNeeded` if
    standard input or standard error is not a terminal.
    """
    if yes or dry_run:
        return
    if not can_ask():
        raise ConfirmationNeeded(
            f"This must be confirmed: {question}", hint="Add --yes to confirm it."
        )
    sys.stderr.write(f"{clean(question)} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise Declined(NOTHING_RECORDED)


def choose(question: str, choices: Iterable[int], default: int | None) -> int:
    """Ask for one of several numbers until one is valid; an empty answer means `default`.

    Raises `Declined` for `q` and at the end of the input. Callers check `can_ask` first.
    """
    numbers = {str(number): number for number in choices}
    if default is not None:
        numbers[""] = default
    prompt = clean(question) + (" " if default is None else f" [{default}] ")
    while True:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        try:
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            line = "?"  # It was not a number.
        answer = line.strip().casefold()
        if not line or answer in ("q", "quit"):
            raise Declined(NOTHING_RECORDED)
        if answer in numbers:
            return numbers[answer]
        sys.stderr.write(f"Type one of these numbers: {', '.join(filter(None, numbers))}.\n")


def ask_line(question: str) -> str:
    """Ask for a line of text; raises `Declined` at the end of the input."""
    sys.stderr.write(clean(question) + " ")
    sys.stderr.flush()
    if not (line := sys.stdin.readline()):
        raise Declined(NOTHING_RECORDED)
    return line.strip()


def ask_hidden(question: str) -> str:
    """Ask for a text without echo.

    Raises `Declined` at the end of the input, and `InvalidInput` if echo cannot be turned off.
    """
    import getpass
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(clean(question) + " ").strip()
        except EOFError:
            raise Declined(NOTHING_RECORDED) from None
        except (getpass.GetPassWarning, UnicodeDecodeError):
            raise InvalidInput(
                "This terminal cannot hide what you type.", hint="Give the secret in a file."
            ) from None


def can_ask() -> bool:
    """Return True if questions can be asked: stdin and stderr are terminals."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def read_ids(given: Sequence[str]) -> Iterator[str]:
    """Yield the given ids; `-` means those on standard input, read one per line as they come.

    Blank lines are skipped. Raises `InvalidInput`.
    """
    for text in given:
        if text != STDIN:
            yield text
            continue
        stream = stdin_bytes()
        for number in count(1):
            if not (line := stream.readline(LONGEST_ID_LINE + 1)):
                break
            where = f"Line {number} of standard input"
            if len(line) > LONGEST_ID_LINE:
                raise InvalidInput(
                    f"{where} is longer than any id.", hint="Give one id on each line."
                )
            if name := _decode(line, where).strip():
                yield name


def read_text(given: str) -> str:
    """Return the given text, or all of standard input for `-`; raises `InvalidInput`."""
    if given != STDIN:
        return given
    content = stdin_bytes().read(TEXT_LIMIT + 1)
    if len(content) > TEXT_LIMIT:
        raise InvalidInput(
            f"Standard input is longer than {TEXT_LIMIT} bytes.",
            hint="Give a shorter text.",
            limit=TEXT_LIMIT,
        )
    return _decode(content, "Standard input").strip()


def stdin_bytes() -> BinaryIO:
    """Return standard input as a binary stream; raises `InvalidInput` if it is closed."""
    if sys.stdin is None:
        raise InvalidInput(
            "Standard input is closed.", hint="Give the values as arguments, or open it."
        )
    return sys.stdin.buffer


def _decode(content: bytes, what: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{what} is not UTF-8 text (byte {error.start + 1}).",
            hint="Give the ids, one on each line, or the text in UTF-8.",
        ) from None


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()
