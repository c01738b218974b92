"""Writing a text in the user's own editor."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from itertools import takewhile
from pathlib import Path

from liveportal.cli.io.prompts import Declined
from liveportal.domain.errors import Malformed

CUT = "--- what follows is for you, and is not sent ---"
_USUAL = ("sensible-editor", "editor", "nano", "vi", "notepad")


class EditorFailed(Malformed):
    """There is no editor, or it ended with an error."""

    code = "editor_failed"


def edited(draft: str, notes: str) -> str:
    """Let the user turn a draft into a text; `notes` stand below it and are not part of it.

    `VISUAL` or `EDITOR` names the program. Raises `EditorFailed`, and `Declined` for a text that is
    empty or still the draft: nobody said anything then.
    """
    before = draft.strip()
    with tempfile.TemporaryDirectory(prefix="liveportal-") as folder:  # Only the owner enters it.
        file = Path(folder) / "summary.txt"
        file.write_text(f"{before}\n\n{CUT}\n{notes}\n", "utf-8", errors="replace")
        _run([*_editor(), str(file)])
        try:
            content = file.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise EditorFailed(f"what was written cannot be read: {error}") from None
    text = _above_cut(content)
    if not text or text == before:
        what = "is empty" if not text else "is still the draft"
        raise Declined(f"the text {what}", hint="Nothing was done. Say in it what happened.")
    return text


def _above_cut(content: str) -> str:
    """Return what stands above the line; a stranger's words in the draft never are that line."""
    return "\n".join(takewhile(lambda line: line.rstrip() != CUT, content.splitlines())).strip()


def _editor() -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(os.environ.get(variable, ""))
        except ValueError:  # A quotation mark without another.
            raise EditorFailed(
                f"{variable} cannot be read as a command", hint="Set it to a program that there is."
            ) from None
        if words:
            return words
    found = next((path for name in _USUAL if (path := shutil.which(name))), None)
    if found is None:
        raise EditorFailed(
            "there is no editor", hint="Set EDITOR, or give the text with --summary."
        )
    return [found]


def _run(command: list[str]) -> None:
    try:
        code = subprocess.run(command, check=False).returncode  # noqa: S603 -- The user's own choice.
    except OSError as error:
        raise EditorFailed(
            f"the editor {command[0]} cannot be started: {error.strerror}",
            hint="Set EDITOR to a program that there is.",
        ) from None
    if code:
        raise EditorFailed(
            f"the editor {command[0]} ended with {code}", hint="Nothing was done; try again."
        )
