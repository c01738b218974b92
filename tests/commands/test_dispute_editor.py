"""A dispute's summary in the user's own editor: the draft, and everything that can fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from liveportal.cli.io.editor import CUT_LINE
from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

Use = Callable[[str], None]


@pytest.fixture
def editor(states: Shell, monkeypatch: pytest.MonkeyPatch) -> Use:
    """Give a function that makes a script the user's editor."""
    monkeypatch.delenv("VISUAL", raising=False)

    def use(script: str) -> None:
        path = states.file("my editor", f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        monkeypatch.setenv("EDITOR", f"'{path}' --wait")

    return use


FILE = ("dispute", "file", "CL-2", "--edit")


def test_a_text_is_written_in_the_editor(states: Shell, editor: Use) -> None:
    """The editor gets a draft of the session's facts; text below a line is not sent."""
    seen, mode = states.folder / "seen", states.folder / "mode"
    editor(
        f'[ "$1" = --wait ]; cat "$2" > "{seen}"; ls -ld "$(dirname "$2")" > "{mode}"; '
        'printf "It was fixed.\\n\\n" | cat - "$2" > "$2.new"; mv "$2.new" "$2"'
    )
    assert states.ok(*FILE)["state"] == "disputed"
    draft, _, notes = seen.read_text().partition(f"\n{CUT_LINE}\n")
    for output in (
        "Session S-1003",
        "The session ended",
        "minutes were billed",
        "were paused and not billed",
    ):
        assert output in draft
    for output in (
        "The claim: CL-2",
        "The customer's reason: slow",
        "A refund would cost you",
        "1 filed",
    ):
        assert output in notes
    assert mode.read_text().startswith("drwx------")
    text = states.ok("dispute", "show", "CL-2")["summary"]
    assert text == f"It was fixed.\n\n{draft.strip()}"


@pytest.mark.parametrize(
    "script", [":", 'touch "$2"', 'printf "" > "$2"', 'printf " \\n\\n" > "$2"']
)
def test_an_empty_or_unchanged_text_is_not_sent(states: Shell, editor: Use, script: str) -> None:
    """An empty text, or the unchanged draft, is no summary."""
    editor(script)
    assert states.refuses(7, *FILE)["code"] == "declined"


def test_what_stands_below_the_line_is_never_sent(states: Shell, editor: Use) -> None:
    """Nor is a text empty that is written below it."""
    editor('echo "secret" >> "$2"')
    assert states.refuses(7, *FILE)["code"] == "declined"
    editor(f'printf "mine\\r\\n{CUT_LINE}\\r\\nsecret" > "$2"')
    states.ok(*FILE)
    assert states.ok("dispute", "show", "CL-2")["summary"] == "mine"


def test_a_strangers_words_cannot_cut_the_draft(states: Shell, editor: Use) -> None:
    """A transcript may contain the very line that ends the summary: the draft stays whole."""
    chat = states.file("chat.txt", f"{CUT_LINE}\nAna: {CUT_LINE}\n")
    states.ok("sessions", "attach", "S-1003", chat)
    editor(":")
    assert states.refuses(7, *FILE)["code"] == "declined"
    seen = states.folder / "seen"
    editor(f'cp "$2" "{seen}"; printf "Mine.\\n" | cat - "{seen}" > "$2"')
    states.ok(*FILE)
    assert CUT_LINE in seen.read_text()
    text = states.ok("dispute", "show", "CL-2")["summary"]
    assert text.startswith("Mine.")
    assert f"Ana: {CUT_LINE}" in text
    assert "A refund would cost" not in text


@pytest.mark.parametrize(
    "script",
    ["exit 3", "kill -9 $$", 'printf "\\377\\376x" > "$2"', 'rm "$2"', 'rm "$2"; mkdir "$2"'],
)
def test_an_editor_that_fails_ends_it(states: Shell, editor: Use, script: str) -> None:
    """With an error, without UTF-8, without the file: nothing is recorded, nothing is left."""
    editor(script)
    assert states.refuses(1, *FILE)["code"] == "editor_failed"


@pytest.mark.parametrize("command", ["/no/such/editor", ".", "'unbalanced", "/etc/hostname"])
def test_a_missing_editor_is_reported(
    states: Shell, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A wrong name, a folder, an open quotation mark, a file that cannot run."""
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", command)
    assert states.refuses(1, *FILE)["code"] == "editor_failed"
    monkeypatch.setenv("VISUAL", "true")  # It comes first.
    assert states.refuses(7, *FILE)["code"] == "declined"


def test_without_an_editor_the_summary_is_asked_for(
    states: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no variable set and none of the usual editors installed."""
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(states.folder))
    error = states.refuses(1, *FILE)
    assert (error["code"], "--summary" in error["hint"]) == ("editor_failed", True)


def test_the_editor_opens_only_for_a_valid_dispute(states: Shell, editor: Use) -> None:
    """The editor is not even opened for a claim that cannot be disputed."""
    opened = states.folder / "opened"
    editor(f'touch "{opened}"')
    assert states.refuses(4, "dispute", "file", "CL-1", "--edit")["code"] == "claim_not_open"
    assert states.refuses(3, "dispute", "file", "CL-99", "--edit")["code"] == "not_found"
    assert not opened.exists()


def test_a_dry_run_with_an_editor_records_nothing(states: Shell, editor: Use) -> None:
    """What was written is shown, and that is all."""
    editor('echo "It was fixed." > "$2"')
    before = states.dump()
    assert states.ok(*FILE, "--dry-run")["state"] == "disputed"
    assert states.dump() == before


def test_nothing_is_left_in_the_temporary_folder(
    states: Shell,
    editor: Use,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A summary is private: the draft is deleted with the editor, in any case."""
    folder = states.folder / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    for script in ('echo x > "$2"', "exit 1", ":"):
        editor(script)
        states.run(*FILE, "--dry-run")
        assert list(folder.iterdir()) == []
