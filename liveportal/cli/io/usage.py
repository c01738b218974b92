"""Wrong usage in plain English: what Typer reports, as sentences with what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import typer

_MOST_SUGGESTIONS = 3
_LONGEST_LIST = 120
"""In characters; a longer list of choices is left to a command."""
_REWORDED = (
    (r"No such command '(.*?)'\.?", r"There is no command '\1'."),
    (r"Missing command\.?", "A command is missing."),
    (r"Got unexpected extra argument\(s\) \((.*)\)\.?", r"There are too many arguments: \1."),
    (r"'(.*)' is not a valid int(?:eger)?(?: range)?\.?", r"'\1' is not a whole number."),
    (r"'(.*)' is not a valid float(?: range)?\.?", r"'\1' is not a number."),
    (r"(\S+) is not in the range x>=(\S+?)\.?", r"\1 is less than \2."),
    (r"(\S+) is not in the range x<=(\S+?)\.?", r"\1 is more than \2."),
    (r"(\S+) is not in the range (\S+)<=x<=(\S+?)\.?", r"\1 is not from \2 to \3."),
)
"""What Typer says, as a pattern from the first character on, and what this program says."""


def usage_message(error: typer.TyperException) -> str:
    """Return the sentence about a wrong usage."""
    shown: Any = error
    kind = type(error).__name__
    if kind == "NoSuchOption":
        return f"There is no option {shown.option_name}."
    where = _parameter(error).replace("'", "")
    if kind == "MissingParameter":
        return f"The {shown.param_type or shown.param.param_type_name} {where} is missing."
    message = _reworded(shown.message)
    if not where:
        return message
    is_clear = message.startswith(where)
    return message if is_clear else f"The value of {where} is not valid: {message}"


def usage_hints(error: typer.TyperException, path: str) -> Iterator[str]:
    """Yield what to do about a wrong usage of the command at `path`."""
    names = sorted(getattr(error, "possibilities", None) or ())[:_MOST_SUGGESTIONS]
    if names:
        yield f"Did you mean {' or '.join(names)}?"
    if advice := getattr(error, "advice", None):
        yield str(advice)
    yield f"See '{path} --help'."
    command = getattr(getattr(error, "ctx", None), "command", None)
    kinds = {parameter.param_type_name for parameter in getattr(command, "params", ())}
    if type(error).__name__ == "NoSuchOption" and "argument" in kinds:
        yield "An id that begins with - must come after --, as in: show -- -R1."


def suggestion(given: str, known: Iterable[str], listing: str) -> str:
    """Return a hint for a word that is not known: similar ones, else all; or how to list them."""
    from difflib import get_close_matches

    words = list(known)
    every = f"The choices are: {', '.join(words)}."
    listed = every if len(every) <= _LONGEST_LIST else listing
    similar = get_close_matches(given, words, _MOST_SUGGESTIONS)
    return f"Did you mean {' or '.join(similar)}? {listed}" if similar else listed


def _parameter(error: typer.TyperException) -> str:
    """Return how the command line names the parameter that an error is about; empty for none."""
    shown: Any = error
    hint = getattr(error, "param_hint", None)
    if hint is None and getattr(error, "param", None) is not None:
        hint = shown.param.get_error_hint(shown.ctx)
    return hint if isinstance(hint, str) else " / ".join(hint or ())


def _reworded(text: str) -> str:
    """Return a message of Typer's, or of a command, as a sentence."""
    for pattern, replacement in _REWORDED:
        match = re.match(pattern, text, re.DOTALL)
        if match:
            text = match.expand(replacement) + text[match.end() :]
            break
    text = f"{text[:1].upper()}{text[1:]}"
    return text if text.endswith((".", "?", "!")) else f"{text}."
