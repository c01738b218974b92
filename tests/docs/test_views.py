"""docs/VIEWS.md has every view and column of a ledger, and its queries run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from liveportal.ledger.storage.connection import open_file
from liveportal.ledger.storage.driver import Connection
from tests.kit.shell import OCTOBER, Shell

PAGE = (Path(__file__).parents[2] / "docs" / "VIEWS.md").read_text("utf-8")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    """Open a ledger of a month."""
    shell = Shell(tmp_path, tmp_path / "ledger.db")
    for command in (("init",), ("sync", OCTOBER)):
        assert shell.run("--ledger", shell.ledger, *command).code == 0
    with closing(open_file(shell.ledger, readonly=True)) as opened:
        yield opened


def _documented() -> dict[str, list[tuple[str, str]]]:
    """Return the columns with their types by view, as the page has them."""
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    tables = {
        section.partition("\n")[0]: re.findall(r"^\| `(\w+)` \| (\w+) \|", section, re.MULTILINE)
        for section in sections
    }
    return {name: columns for name, columns in tables.items() if columns}


def test_every_view_is_documented(db: Connection) -> None:
    """No more and no less, each with its columns in their order."""
    views = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
    columns = {
        view: [name for (name,) in db.execute("SELECT name FROM pragma_table_info(?)", (view,))]
        for view in views
    }
    assert columns == {view: [name for name, _ in named] for view, named in _documented().items()}


def test_values_have_the_documented_type(db: Connection) -> None:
    """A null has none."""
    for view, columns in _documented().items():
        for name, kind in columns:
            types = db.execute(f'SELECT DISTINCT typeof("{name}") FROM "{view}"').fetchall()  # noqa: S608
            assert {found for (found,) in types} <= {kind, "null"}, (view, name)


@pytest.mark.parametrize("query", re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL))
def test_queries_of_the_page_run(db: Connection, query: str) -> None:
    """Each gives rows for a month of sessions."""
    assert db.execute(query).fetchall()


def test_the_page_is_read() -> None:
    """Else the tests above would compare nothing."""
    assert len(_documented()) >= 4
    assert PAGE.count("```sql") >= 4
