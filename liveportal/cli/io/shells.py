"""Answer a shell that asks what completes the word being typed.

Typer's shell scripts ask with environment variables, and zsh evaluates the answer. Some texts come
from strangers (titles, names), so this module writes the answers: a text shown beside a value is
cleaned and cut, zsh gets every text quoted, and a value with characters that are special to a shell
is left out. Typer's own classes do not escape a backslash, so that zsh would run a command that a
title holds; and they import rich for the texts, which takes longer than a read.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

from typer import _completion_classes as typers
from typer._click.shell_completion import CompletionItem, add_completion_class, split_arg_string
from typer.completion import shell_complete

from liveportal.cli.io.errors import PROGRAM
from liveportal.cli.io.text import clean

if TYPE_CHECKING:
    from typer._click import Command

LONGEST_TEXT = 60
_PLAIN = re.compile(r"[\w+@%=:,./# -]+")


def answer(command: Command, variable: str, instruction: str) -> int:
    """Write what completes the word, as the variable's instruction says; return the exit code.

    A failure writes nothing: a message would appear in the middle of the line being typed.
    """
    for name, kind in _SHELLS.items():
        add_completion_class(kind, name)
    try:
        return shell_complete(command, {}, PROGRAM, variable, instruction)
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001 -- Nobody reads a report here.
        return 0


class _Safe:
    """What all shells have in common: only plain values, and clean texts beside them."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what completes the word."""
        items = super().get_completions(args, incomplete)  # type: ignore[misc]
        return [
            CompletionItem(item.value, help=_short(item.help or ""))
            for item in items
            if _PLAIN.fullmatch(item.value)
        ]


def _short(text: str) -> str:
    text = " ".join(clean(text).split())
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


class Bash(_Safe, typers.BashComplete):
    """bash: a value a line; it shows no texts beside them."""

    colon = 0
    """The length of the word up to its last colon: bash takes a colon for the end of a word."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one being typed, and that one, joined where bash split."""
        position = int(os.environ["COMP_CWORD"])
        words = split_arg_string(os.environ["COMP_WORDS"])[1:]
        if len(words) < position:
            words.append("")  # It is empty, and the words come joined by spaces.
        joined: list[str] = []
        for word in words[:position]:
            if joined and (word == ":" or joined[-1].endswith(":")):
                joined[-1] += word
            elif joined and joined[-1] == "=":  # `--state=open` comes as three words.
                joined[-1] = word
            else:
                joined.append(word)
        *args, incomplete = joined
        self.colon = incomplete.rfind(":") + 1
        return args, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Return the value, quoted if it has spaces, from its last colon that is typed already."""
        return shlex.quote(item.value) if " " in item.value else item.value[self.colon :]


class Zsh(_Safe, typers.ZshComplete):
    """zsh: it evaluates a call of `_describe` with an array of values and texts, each quoted."""

    def format_completion(self, item: CompletionItem) -> str:
        """Return `value:text`, quoted; a colon of the value is marked as its own."""
        value = item.value.replace(":", r"\:")
        return shlex.quote(f"{value}:{item.help}" if item.help else value)

    def complete(self) -> str:
        """Return what zsh evaluates; where nothing completes the word, files do."""
        items = self.get_completions(*self.get_completion_args())
        if not items:
            return "_files"
        array = " ".join(self.format_completion(item) for item in items)
        return f"local -a completions; completions=({array}); _describe -V value completions"


class Fish(_Safe, typers.FishComplete):
    """fish: a value a line, and the text after a tab."""

    def format_completion(self, item: CompletionItem) -> str:
        """Return the value and its text."""
        return f"{item.value}\t{item.help}" if item.help else f"{item.value}"


class PowerShell(_Safe, typers.PowerShellComplete):
    """PowerShell: a value a line, and the text after three colons; it takes no empty text."""

    def format_completion(self, item: CompletionItem) -> str:
        """Return the value and its text."""
        return f"{item.value}:::{(item.help or '').replace('::', ': :') or ' '}"


_SHELLS = {
    "bash": Bash,
    "zsh": Zsh,
    "fish": Fish,
    "powershell": PowerShell,
    "pwsh": PowerShell,
}
