"""Every message of the program is a sentence: what is wrong, then, as the hint, what to do.

The source is searched for each place that makes an error, whether or not a test reaches it.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import liveportal
from liveportal.domain import errors
from liveportal.domain.errors import LiveportalError, about

ROOT = Path(__file__).parents[2]
PREDICATES = dict.fromkeys(
    ("InvalidEvent", "InvalidArgument", "invalid", "field_error", "NotForFeeds"), 1
)
"""Errors that are about a field, an argument or a switch, with the place of their reason."""
SENTENCE = re.compile(r"""(?:[A-Z…'"/0-9-]|\{).*(?:[.?]|\}\.?)""", re.DOTALL)
PREDICATE = re.compile(
    r"(?:does|must|may|\{\}|is|are|has|have|needs|could|cannot|appears|never) .*[^.]", re.DOTALL
)
HINT = re.compile(r"(?:[A-Z`'\"-]|\{).*(?:[.?`}]|[a-z] FILE)", re.DOTALL)


class Made(NamedTuple):
    """A place that makes an error: its file and line, the error, its text and its hint."""

    place: str
    name: str
    text: str
    hint: str | None


def _families() -> set[str]:
    """Return the names of all classes of errors."""
    for module in pkgutil.walk_packages(liveportal.__path__, "liveportal."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    names, todo = set[str](), [LiveportalError]
    while todo:
        for subclass in todo.pop().__subclasses__():
            todo.append(subclass)
            names.add(subclass.__name__)
    return names


def _text(node: ast.expr | None) -> str | None:
    """Return the text of a literal, with `{}` for what is filled in; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Hint", "_or_anyway"):
        return _text(node.args[0]) if node.args else None
    return None


def made() -> Iterator[Made]:
    """Yield each place in the source that makes an error from a literal text."""
    families = _families()
    for path in sorted(ROOT.glob("liveportal/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = (
                getattr(node.func, "id", getattr(node.func, "attr", ""))
                if isinstance(node, ast.Call)
                else ""
            )
            if not isinstance(node, ast.Call) or name not in families | PREDICATES.keys():
                continue
            place = PREDICATES.get(name, 0)
            text = _text(node.args[place]) if len(node.args) > place else None
            hint = next((word.value for word in node.keywords if word.arg == "hint"), None)
            if text is not None:
                where = f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"
                yield Made(where, name, text, _text(hint))


MADE = list(made())


@pytest.mark.parametrize("error", MADE, ids=lambda error: error.place)
def test_a_message_is_a_sentence(error: Made) -> None:
    """It has a capital letter and a full stop; a reason is a predicate, or a sentence."""
    pattern = PREDICATE if error.name in PREDICATES and not error.text.endswith(".") else SENTENCE
    assert pattern.fullmatch(error.text), error
    assert error.hint is None or HINT.fullmatch(error.hint), error


def test_many_errors_are_found() -> None:
    """The search sees the whole program."""
    assert len(MADE) > 300
    assert {"WrongState", "InvalidEvent", "NotALedger"} <= {error.name for error in MADE}


def test_an_error_about_a_field() -> None:
    """A predicate and a sentence both give a sentence that names the field."""
    assert about("The field rate", "must be a string") == "The field rate must be a string."
    assert (
        about("The field rate", "It is no number.")
        == "The field rate is not valid: It is no number."
    )
    error = errors.InvalidEvent("rate", "must be a string")
    assert error.located("Line 3").message == "Line 3: The field rate must be a string."
    assert error.located("a.jsonl").message == "Line 3 of a.jsonl: The field rate must be a string."
    assert error.details == {"field": "rate", "reason": "must be a string"}


def test_an_error_about_a_line() -> None:
    """The number of the line becomes the subject of the sentence."""
    error = errors.InvalidEvent("", "is not JSON: Expecting value at column 1")
    assert error.message == "This line is not JSON: Expecting value at column 1."
    assert error.located("Line 3").message == "Line 3 is not JSON: Expecting value at column 1."
    assert error.located("a.jsonl").message.startswith("Line 3 of a.jsonl is not JSON: ")
