"""Hints are in plain English below `cli`; only `cli` knows commands and options by their names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import liveportal
from liveportal.cli.io.errors import hint_for
from liveportal.cli.io.hints import SPELLINGS, spell
from liveportal.cli.io.view_model import to_json_value
from liveportal.domain import errors
from liveportal.domain.errors import Caution, DoubleBooking, LateClaim
from liveportal.domain.hint import Hint

PACKAGE = Path(liveportal.__file__).parent
PAGES = (
    *("exports/pages.py", "exports/review.py", "exports/statement.py", "exports/statement_1.py"),
    *("exports/statement_html.py", "services/accounting_programs.py"),
)
"""The texts of released file formats name the commands that verify them; others run programs."""
COMMANDS = "|".join(
    (
        *("init", "sync", "due", "explain", "doctor", "demo", "policy", "requests", "sessions"),
        *("refunds", "disputes?", "earnings", "payouts?", "preferences", "ledger [a-z]"),
    )
)
SPELT = re.compile(rf"(?<![\w-])--[a-z]|liveportal (?:{COMMANDS})\b|`(?:{COMMANDS})\b.*`")
KINDS = ("request", "session", "claim", "payout", "customer")
CAUTIONS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Caution)
]


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(("cli/", "tui/", "__main__")) and name not in PAGES:
            yield name, ast.parse(path.read_text("utf-8"))


def _texts(module: ast.Module) -> Iterator[str]:
    """Yield the strings of a module, without its docstrings."""
    docs = {
        id(node.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def _actions(module: ast.Module) -> set[str]:
    """Return the actions that a module's hints name."""
    calls = [
        node
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Hint", "_or_anyway")
    ]
    details = {keyword.arg for call in calls for keyword in call.keywords}
    named = {name for text in _texts(module) for name in re.findall(r"\{([A-Za-z]\w*)\}", text)}
    return {name.lower() for name in named - details} if calls else set()


def test_nothing_below_the_command_line_names_a_command_or_an_option() -> None:
    """A text names an action; a library's user has no options."""
    texts = {
        name: [text for text in _texts(module) if SPELT.search(text)] for name, module in _modules()
    }
    assert {name: spelt for name, spelt in texts.items() if spelt} == {}


def test_the_pattern_finds_what_it_looks_for() -> None:
    """Each way in which commands and options stood below `cli`."""
    for text in ("Give --at.", "`liveportal init` makes one", "`payout show` names", "--late: x"):
        assert SPELT.search(text)
    for text in ("it is not a liveportal ledger", "the liveportal that wrote it", "a -- b"):
        assert not SPELT.search(text)


def test_every_action_has_a_spelling_and_every_spelling_an_action() -> None:
    """Else a hint would fail when it is shown, or a spelling would be dead."""
    named = set[str]().union(*(_actions(module) for _, module in _modules()))
    lists = {f"the_list_of_{kind}s" for kind in KINDS}
    assert named | lists == SPELLINGS.keys() | {"overriding_this"}


def test_a_hint_is_plain_english_in_python() -> None:
    """`str` of it has the words of the actions, capitalised where a sentence begins."""
    hint = Hint("{The_request} shows them; give {a_slot}.", request="R-1", slots="N (1 to 3)")
    assert str(hint) == "The request shows them; give a slot."
    assert spell(hint) == "`liveportal requests show R-1` shows them; give --slot N (1 to 3)."
    assert eval(repr(hint)) == hint  # noqa: S307 -- It is what `repr` is for.
    assert hash(hint) == hash(Hint(hint.text))
    assert hint != Hint(hint.text, request="R-2", slots="N (1 to 3)")
    assert hint != str(hint)


def test_braces_of_a_detail_stay() -> None:
    """Ids are a platform's: they may look like an action."""
    odd = "{start_it}{0}%s"
    assert spell(Hint("{start_it}", session=odd)) == f"liveportal sessions start {odd}"
    assert spell(Hint("Give {the_method} {method} too.", method=odd)) == f"Give --method {odd} too."


@pytest.mark.parametrize("kind", CAUTIONS)
def test_a_caution_is_overridden_by_its_option(kind: type[Caution]) -> None:
    """Named by its hint, or by the command line if it has none."""
    option = {DoubleBooking: "--overlap", LateClaim: "--late"}.get(kind, "--anyway")
    assert hint_for(kind("no")) == f"To do it anyway, add {option}."
    hint = Hint("{Overriding_this} records it.")
    assert str(hint) == "Overriding this records it."
    assert hint_for(kind("no", hint=hint)) == f"{option} records it."


def test_what_is_no_hint_stays() -> None:
    """A sentence without an action, or none at all; and a hint in a result is spelt, too."""
    assert spell("Give {it}.") == "Give {it}."
    assert spell(None) is None
    assert to_json_value(Hint.listing("claim")) == "`liveportal refunds list` shows every claim."
    assert str(Hint.listing("claim")) == "The list of claims shows every claim."
