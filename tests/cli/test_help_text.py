"""The layout of help: what is wrapped, what is kept, and where there is colour."""

from __future__ import annotations

import sys

import pytest

from liveportal.cli.io.help_text import HelpWriter, in_words, summary
from liveportal.cli.io.text import clean
from tests.cli.conftest import Terminal

TEXT = """Accept requests: an instant one starts at
once.

On a terminal it shows the slots,
best first; --best asks for none.

Examples:
  liveportal requests accept REQ-1002 --slot 2 --key a-very-long-key
  liveportal requests accept REQ-1002

Example: liveportal requests accept REQ-1002 --slot 2
"""


def _lines(text: str) -> list[str]:
    writer = HelpWriter()
    writer.width = 40
    writer.write_text(text)
    return writer.getvalue().splitlines()


def test_prose_is_wrapped_once_and_examples_are_kept() -> None:
    """Each paragraph of prose is one text; no command is broken, however narrow the terminal is."""
    assert _lines(TEXT) == [
        "Accept requests: an instant one starts",
        "at once.",
        "",
        "On a terminal it shows the slots, best",
        "first; --best asks for none.",
        "",
        "Examples:",
        "  liveportal requests accept REQ-1002 --slot 2 --key a-very-long-key",
        "  liveportal requests accept REQ-1002",
        "",
        "Example: liveportal requests accept REQ-1002 --slot 2",
    ]


def test_prose_before_an_example_ends_its_line() -> None:
    """The lines of an example follow the sentence that introduces them."""
    assert _lines("Put -- before\nan id:\n  show -- -R1\nand go on.") == [
        "Put -- before an id:",
        "  show -- -R1",
        "and go on.",
    ]


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("80", 80), ("100", 100), ("200", 100)])
def test_help_is_as_wide_as_the_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    """It takes the whole width, up to 100 columns."""
    monkeypatch.setenv("COLUMNS", columns)
    writer = HelpWriter()
    writer.write_text("word " * 60)
    longest = max(len(line) for line in writer.getvalue().splitlines())
    assert width - 8 < longest <= width


def test_a_list_of_commands_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A description that is too long goes on in the next line."""
    monkeypatch.setenv("COLUMNS", "60")
    writer = HelpWriter()
    text = "Accept requests: an instant one starts at once, a scheduled one needs a slot."
    writer.write_dl([("accept", summary(f"{text}\n\nMore."))])
    assert " ".join(writer.getvalue().split()) == f"accept {text}"


def test_commands_and_notes_are_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command in backticks and a note in brackets stay on one line."""
    monkeypatch.setenv("COLUMNS", "60")
    writer = HelpWriter()
    writer.write_text(
        "If an id begins with a hyphen, use `liveportal requests show -- -R1` for it."
    )
    writer.write_dl([("--every SECONDS", "How often to look for new lines.  [default: on-off]")])
    writer.write_dl([("--automatic-decline / --no-automatic-decline", "x"), ("--id ID", "y")])
    assert writer.getvalue().splitlines() == [
        "If an id begins with a hyphen, use",
        "`liveportal requests show -- -R1` for it.",
        "--every SECONDS  How often to look for new lines.",
        "                 [default: on-off]",
        "--automatic-decline / --no-automatic-decline",
        "         x",
        "--id ID  y",
    ]


def test_ranges_are_in_words() -> None:
    """Typer writes them as formulas."""
    assert in_words("The slot.  [1<=x<=10]") == "The slot.  [1 to 10]"
    assert in_words("How often.  [default: 1.0; 0.01<=x<=3600]") == (
        "How often.  [default: 1.0; 0.01 to 3600]"
    )
    assert in_words("At most N.  [x>=1]") == "At most N.  [1 or more]"


def test_colour_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and headings have colour where it is not turned off; the text is the same."""
    texts = []
    for stream, off in ((Terminal(), ""), (Terminal(), "1"), (sys.stdout, "")):
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", off)
        monkeypatch.setattr(sys, "stdout", stream)
        writer = HelpWriter()
        with writer.section("Options"):
            writer.write_dl([("--best", "Take the best slot.")])
        texts.append(writer.getvalue())
    assert "\x1b[" in texts[0]
    assert [clean(text) for text in texts] == [clean(texts[1])] * 3
    assert texts[1] == texts[2] == "Options:\n  --best  Take the best slot.\n"
