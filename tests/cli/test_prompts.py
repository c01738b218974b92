"""A prompt appears only where there is a terminal; stdin is read only if a command asks for it."""

from __future__ import annotations

import io
import sys

import pytest

from liveportal.cli.io.prompts import (
    TEXT_LIMIT,
    Declined,
    InvalidInput,
    choose,
    confirm,
    read_ids,
    read_text,
)
from liveportal.domain.errors import ConfirmationNeeded
from tests.cli.conftest import Terminal


class Stdin(io.TextIOWrapper):
    """Standard input with these bytes, a pipe or a terminal."""

    def __init__(self, content: bytes, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8")
        self.terminal = terminal

    def isatty(self) -> bool:
        """Say which it is."""
        return self.terminal


def answered(monkeypatch: pytest.MonkeyPatch, answer: str) -> Terminal:
    """Type an answer beforehand; return the terminal that the question is shown on."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdin", Stdin(answer.encode(), terminal=True))
    monkeypatch.setattr(sys, "stderr", terminal)
    return terminal


@pytest.mark.parametrize("answer", ["y\n", "YES\n", " yes \n"])
def test_yes(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """The question is cleaned and put on standard error."""
    terminal = answered(monkeypatch, answer)
    confirm("Concede \x1b[31mCL-1?", yes=False)
    assert terminal.getvalue() == "Concede CL-1? [y/N] "


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "yep\n", "sure\n"])
def test_anything_else_is_no(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """The end of the input, too."""
    answered(monkeypatch, answer)
    with pytest.raises(Declined):
        confirm("Concede?", yes=False)


def test_a_script_must_say_yes_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal nothing is read: what is in the pipe may be ids."""
    answered(monkeypatch, "")
    stdin = Stdin(b"y\n")
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(ConfirmationNeeded) as caught:
        confirm("Concede CL-1?", yes=False)
    assert caught.value.hint == "Add --yes to confirm it."
    assert stdin.read() == "y\n"
    for closed in ("stdin", "stderr"):
        answered(monkeypatch, "y\n")
        monkeypatch.setattr(sys, closed, None)
        with pytest.raises(ConfirmationNeeded):
            confirm("Concede CL-1?", yes=False)


def test_yes_and_a_dry_run_ask_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--yes` is the answer; a dry run does nothing that could be regretted."""
    monkeypatch.setattr(sys, "stdin", None)
    confirm("Concede?", yes=True)
    confirm("Concede?", yes=False, dry_run=True)


def test_ids_from_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` is replaced, in its place, by the non-blank lines of standard input."""
    monkeypatch.setattr(sys, "stdin", Stdin(b"\xef\xbb\xbfR-2\r\n\n  R-3 \nR-4"))
    assert list(read_ids(["R-1", "-", "R-5"])) == ["R-1", "R-2", "R-3", "R-4", "R-5"]


def test_nothing_is_read_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command without `-` never waits for input."""
    stdin = Stdin(b"R-2\n")
    monkeypatch.setattr(sys, "stdin", stdin)
    assert list(read_ids(["R-1"])) == ["R-1"]
    assert read_text("as given ") == "as given "
    assert stdin.read() == "R-2\n"


def test_input_that_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is named, and the ids before it were given."""
    monkeypatch.setattr(sys, "stdin", Stdin(b"R-1\nR-\xff\n"))
    ids = read_ids(["-"])
    assert next(ids) == "R-1"
    with pytest.raises(InvalidInput, match="Line 2 of standard input is not UTF-8 text"):
        next(ids)
    monkeypatch.setattr(sys, "stdin", Stdin(b"a\xffb"))
    with pytest.raises(InvalidInput, match="byte 2"):
        read_text("-")


def test_a_text_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole text without its final line break, up to a limit."""
    monkeypatch.setattr(sys, "stdin", Stdin("Fixed at 14:17.\nSee the recording…\n".encode()))
    assert read_text("-") == "Fixed at 14:17.\nSee the recording…"
    monkeypatch.setattr(sys, "stdin", Stdin(b"x" * (TEXT_LIMIT + 1)))
    with pytest.raises(InvalidInput, match="longer"):
        read_text("-")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InvalidInput, match="closed"):
        read_text("-")


def test_a_wrong_choice_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers are named before the question is repeated."""
    terminal = answered(monkeypatch, "7\nx\n2\n")
    assert choose("Which?", range(1, 3), 1) == 2
    question, advice = "Which? [1] ", "Type one of these numbers: 1, 2.\n"
    assert terminal.getvalue() == (question + advice) * 2 + question
