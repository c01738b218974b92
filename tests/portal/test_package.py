"""`import liveportal`: what it offers, and that it costs nothing."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
import typing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import liveportal
from liveportal import rows
from liveportal.domain.frozen import field_names
from liveportal.domain.row import Row
from liveportal.services import queries, view

GROUPS = [
    kind
    for kind in vars(queries).values()
    if isinstance(kind, type) and issubclass(kind, queries.Group) and kind is not queries.Group
]


def test_importing_it_imports_nothing() -> None:
    """Neither a module of ours nor `typing`; a name is imported when it is used."""
    code = (
        "import sys; before = set(sys.modules); import liveportal\n"
        "print(sorted(set(sys.modules) - before)); liveportal.Money\n"
        "print('liveportal.ledger' in sys.modules, 'liveportal.domain.money' in sys.modules)"
    )
    root = Path(liveportal.__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines() == ["['liveportal']", "False True"]


def test_every_public_name_is_there() -> None:
    """`__all__` is literal, for tools that only read the source; it lists what can be imported."""
    tree = ast.parse(Path(liveportal.__file__).read_text("utf-8"))
    (literal,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert literal == liveportal.__all__
    assert {name: getattr(liveportal, name) for name in literal}
    assert set(literal) <= set(dir(liveportal))
    with pytest.raises(AttributeError, match="no attribute 'portl'"):
        liveportal.portl  # type: ignore[attr-defined]  # noqa: B018


def _rows_in(annotation: Any) -> set[type[Row]]:  # noqa: ANN401 (a type)
    found = set[type[Row]]().union(*map(_rows_in, typing.get_args(annotation)))
    if isinstance(annotation, type) and issubclass(annotation, Row):
        found.add(annotation)
    return found


def _with_nested(kinds: set[type[Row]]) -> set[type[Row]]:
    """Return rows, and the rows that their fields hold."""
    all_kinds, rest = set(kinds), list(kinds)
    while rest:
        kind = rest.pop()
        hints = typing.get_type_hints(kind, localns={"Decimal": Decimal})
        for name in field_names(kind):
            new = _rows_in(hints[name]) - all_kinds
            all_kinds |= new
            rest += new
    return all_kinds


def test_every_row_of_a_query_can_be_imported() -> None:
    """`liveportal.rows` has the rows that queries return and what is in them, and no others."""
    returned = set[type[Row]]()
    for group in GROUPS:
        for name, query in inspect.getmembers(group, inspect.isfunction):
            if not name.startswith("_"):
                returned |= _rows_in(typing.get_type_hints(query, vars(queries))["return"])
    assert {row.__name__ for row in _with_nested(returned)} | {"Row"} == set(rows.__all__)
    assert all(getattr(rows, row.__name__) is row for row in _with_nested(returned))


def test_every_group_is_an_attribute() -> None:
    """Of the portal, and of what it was known."""
    named = {name for name in vars(view.View) if isinstance(getattr(view.View, name), property)}
    attributes = {
        name for name, value in vars(view.View).items() if type(value).__name__ == "cached_property"
    }
    assert {group.__name__.lower() for group in GROUPS} == attributes | named


def test_a_row_as_a_dict_is_what_the_command_prints(portal: liveportal.Portal) -> None:
    """The same names and values, which `json.dumps` takes; also nested ones."""
    month = portal.earnings.month("2026-10")
    document = json.loads(json.dumps(month.as_dict()))
    assert document["balance"]["owed"] == str(month.balance.owed) == "168.55"
    assert list(document) == list(month)
    claim = portal.claims.get("CL-1").as_dict()
    assert json.loads(json.dumps(claim)) == claim
    assert claim["claimed_at"].endswith("Z")
    assert all(json.dumps(row.as_dict()) for row in portal.agenda.due())
