"""`earnings explain`, `sessions explain`, `payout explain`: nested, as rows, and as a tree."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from tests.kit.events import amount, line
from tests.kit.shell import Shell, assert_no_traceback

EXPLAINED = [
    ("earnings explain 2026-10", ("month", "net", "owed")),
    ("sessions explain S-1002", ("session", "net", "where")),
    ("payout explain PO-2", ("payout", "lines")),
]
explained = pytest.mark.parametrize(("command", "names"), EXPLAINED)


def leaves(tree: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the leaves of a tree."""
    return [leaf for part in tree["parts"] for leaf in leaves(part)] if tree["parts"] else [tree]


@explained
def test_a_tree_adds_up(states: Shell, command: str, names: tuple[str, ...]) -> None:
    """Its leaves are events of the journal, and their sum is its root."""
    row = states.ok(*command.split())
    assert tuple(row) == names
    events = states.ok("ledger", "info")["events"]
    for name in names[1:]:
        figures = leaves(row[name])
        assert sum(Decimal(leaf["amount"]) for leaf in figures) == Decimal(row[name]["amount"])
        assert all(1 <= leaf["seq"] <= events for leaf in figures)


def test_a_tree_is_of_the_figures(states: Shell) -> None:
    """The roots equal the figures of the other commands."""
    month = states.ok("earnings", "--month", "2026-10")
    tree = states.ok("earnings", "explain", "2026-10")
    assert (tree["net"]["amount"], tree["owed"]["amount"]) == (
        month["net"],
        month["balance"]["owed"],
    )
    payout = states.ok("payout", "show", "PO-2")
    assert states.ok("payout", "explain", "PO-2")["lines"]["amount"] == payout["amount"]


@explained
def test_rows_are_the_same_tree(states: Shell, command: str, names: tuple[str, ...]) -> None:
    """One row per node; `path` names its parents, and a step has no amount."""
    tree = states.ok(*command.split())
    lines = states.output_of(*command.split(), "--fields", "path,amount,comes_to,seq").splitlines()
    rows = [text.split("\t") for text in lines]
    nodes = {path: amount for path, amount, _, _ in rows if amount}
    for name in names[1:]:
        assert nodes[name] == tree[name]["amount"]
        for number, part in enumerate(tree[name]["parts"], 1):
            assert nodes[f"{name}.{number}"] == part["amount"]
    assert all(comes_to and ".s" in path for path, amount, comes_to, _ in rows if not amount)


@explained
@pytest.mark.usefixtures("states")
def test_a_terminal_draws_the_tree(
    states: Shell, command: str, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In 80 columns, amounts first, rule and event behind; no code of a rule is alone."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")
    ran = states.run(*command.split(), terminal=True)
    assert (ran.code, ran.err) == (0, "")
    tree = states.ok(*command.split())
    for name in names[1:]:
        assert f"{tree[name]['amount']}  {tree[name]['what']}\n" in ran.out
    assert "event 13]" in ran.out
    assert not re.search(r"[\[;]\s*R[0-9]", ran.out)
    assert all(len(text) <= 80 for text in ran.out.splitlines())


def test_a_terminal_names_rules_in_words(states: Shell) -> None:
    """The code is behind the words; a script gets the code alone."""
    tree = states.run("sessions", "explain", "S-1002", terminal=True).out
    assert "[your share (R11); event 13]" in tree
    assert "[paused time is not charged (R6)]" in tree
    rules = [
        part["rule"]
        for part in states.ok("sessions", "explain", "S-1002")["net"]["parts"][0]["parts"]
    ]
    assert rules == ["R11"]


def test_untrusted_text_is_cut_and_cleaned(empty: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A title of a megabyte with escape sequences; a script gets all of it, cleaned."""
    monkeypatch.setenv("TERM", "dumb")
    evil = "\x1b[2J\u202e[bold]evil\x00\ud800" + "x" * 1_000_000
    feed = line(
        "session.logged",
        "10-05 10:00",
        id="1",
        session="S-1",
        customer={"id": "C-1"},
        rate=amount("3.00"),
        start="2026-10-05T09:00:00Z",
        end="2026-10-05T10:00:00Z",
        title=evil,
    )
    empty.ok("sync", empty.file("feed.jsonl", feed))
    for command in ("earnings explain 2026-10", "sessions explain S-1"):
        ran = empty.run(*command.split(), terminal=True)
        assert ran.code == 0
        assert_no_traceback(ran.err)
        assert "[bold]evil" in ran.out
        assert len(ran.out) < 10_000
        text = ran.out + empty.output_of(*command.split())
        assert not {"\x1b", "\u202e", "\x00"} & set(text)
        assert "x" * 1_000_000 in text
        nested = empty.ok(*command.split())
        assert evil[:20] in str(nested["net"]["parts"][0]["parts"][0]["what"])


def test_an_empty_month_is_nothing(empty: Shell) -> None:
    """Zero without parts, also for a month that the ledger does not have."""
    tree = empty.ok("earnings", "explain", "2001-01")
    assert (tree["net"]["amount"], tree["net"]["parts"]) == ("0.00", [])
    assert (tree["owed"]["amount"], tree["owed"]["parts"]) == ("0.00", [])


def test_what_there_is_not_cannot_be_explained(states: Shell) -> None:
    """Unknown, ambiguous or no month at all."""
    assert states.refuses(3, "sessions", "explain", "S-9999")["code"] == "not_found"
    assert states.refuses(3, "payout", "explain", "PO-")["code"] == "ambiguous_id"
    assert states.refuses(1, "earnings", "explain", "someday")["code"] == "invalid_month"


def test_an_explanation_as_it_was_known(states: Shell) -> None:
    """With --as-known it is the tree of then."""
    tree = states.ok("earnings", "explain", "2026-10", "--as-known", "2001-01-01")
    assert tree["net"]["parts"] == []


def test_a_sessions_prefix_and_what_was_not_billed(states: Shell) -> None:
    """An id may be cut short; a session without money has an empty tree."""
    assert states.ok("sessions", "explain", "S-UP")["net"]["amount"] == "0.00"
    assert states.ok("sessions", "explain", "S-LI")["session"] == "S-LIVE"
