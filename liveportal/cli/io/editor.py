"""Let the user write a text in their own editor."""

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

CUT_LINE = "--- everything below this line is for you and is not sent ---"
_FALLBACK_EDITORS = ("sensible-editor", "editor", "nano", "vi", "notepad")


class EditorFailed(Malformed):
    """There is no editor, or it could not be started or exited with an error."""

    code = "editor_failed"


def edit_text(draft: str, notes: str) -> str:
    """Let the user edit a draft and return the text; the `notes` below it are not part of the text.

    `VISUAL` or `EDITOR` names the program. Raises `EditorFailed`, and `Declined` if the text is
    empty or unchanged.
    """
    original = draft.strip()
    with tempfile.TemporaryDirectory(prefix="liveportal-") as folder:  # With mode 0700.
        file = Path(folder) / "summary.txt"
        file.write_text(f"{original}\n\n{CUT_LINE}\n{notes}\n", "utf-8", errors="replace")
        _run_editor([*_editor_command(), str(file)])
        try:
            content = file.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise EditorFailed(
                f"The text that you wrote cannot be read: {error}.",
                hint="Nothing was done. Try again.",
            ) from None
    text = _text_above_cut(content)
    if not text or text == original:
        reason = "is empty" if not text else "is still the draft"
        raise Declined(
            f"The text {reason}.", hint="Nothing was done. Describe in the text what happened."
        )
    return text


def _text_above_cut(content: str) -> str:
    """Return the text above the cut line; quoted lines in the draft never equal it."""
    return "\n".join(
        takewhile(lambda line: line.rstrip() != CUT_LINE, content.splitlines())
    ).strip()


def _editor_command() -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(os.environ.get(variable, ""))
        except ValueError:  # An unclosed quotation mark.
            raise EditorFailed(
                f"The variable {variable} is not a command.",
                hint="Set it to your editor, such as nano.",
            ) from None
        if words:
            return words
    program = next((path for name in _FALLBACK_EDITORS if (path := shutil.which(name))), None)
    if program is None:
        raise EditorFailed(
            "No editor was found.", hint="Set EDITOR, or give the text with --summary."
        )
    return [program]


def _run_editor(command: list[str]) -> None:
    try:
        code = subprocess.run(command, check=False).returncode  # noqa: S603 -- The user's own choice.
    except OSError as error:
        raise EditorFailed(
            f"The editor {command[0]} cannot be started: {error.strerror}.",
            hint="Set EDITOR to an installed editor, such as nano.",
        ) from None
    if code:
        raise EditorFailed(
            f"The editor {command[0]} failed with code {code}.", hint="Nothing was done. Try again."
        )
