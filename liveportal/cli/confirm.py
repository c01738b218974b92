"""What a command asks for on the way: a yes, or ids and text on standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import BinaryIO, TextIO

from liveportal.cli.text import clean
from liveportal.domain.errors import ConfirmationNeeded, Malformed

STDIN = "-"
TEXT_LIMIT = 1_000_000
"""The longest text read from standard input, in bytes: a summary, not a film."""


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
    if not (_is_terminal(sys.stdin) and _is_terminal(sys.stderr)):
        raise ConfirmationNeeded(
            f"this must be confirmed: {question}", hint="Add --yes to confirm it."
        )
    sys.stderr.write(f"{clean(question)} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise Declined("not confirmed", hint="Nothing was done.")


def read_ids(given: Sequence[str]) -> Iterator[str]:
    """Yield the ids given, `-` standing for those on standard input, one a line, as they come.

    Blank lines are skipped. Raises `InvalidInput`.
    """
    for each in given:
        if each != STDIN:
            yield each
            continue
        for number, line in enumerate(stdin_bytes(), 1):
            if name := _decoded(line, f"line {number} of standard input").strip():
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
