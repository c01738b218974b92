"""All that derives from the declarations of tables agrees with the numbered SQL."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files

import pytest
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, StaticPool, Table, UniqueConstraint
from sqlalchemy.dialects.sqlite import dialect
from sqlmodel import Session, SQLModel, create_engine, select

from liveportal.ledger.format import row_mapping
from liveportal.ledger.storage.connection import in_memory
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.models import ROWS, LedgerRow
from liveportal.ledger.storage.schema.tables import add_flow, insert, upsert

TABLES = LedgerRow.metadata.tables
UPSERTED = [mapping.table for mapping in row_mapping.MAPPINGS.values()]
STATEMENTS = [
    *(pytest.param(insert(table), table, id=f"insert-{table}") for table in TABLES),
    *(pytest.param(upsert(table), table, id=f"upsert-{table}") for table in UPSERTED),
    pytest.param(add_flow(), "month_flow", id="add_flow"),
]

Row = tuple[object, ...]

each_table = pytest.mark.parametrize("table", TABLES.values(), ids=str)
each_mapping = pytest.mark.parametrize(
    "mapping", row_mapping.MAPPINGS.values(), ids=lambda mapping: mapping.table
)


@pytest.fixture
def db() -> Iterator[Connection]:
    """Return an empty ledger that the numbered SQL made."""
    connection = in_memory()
    for script in sorted(
        files("liveportal.ledger.storage.schema").joinpath("migrations").iterdir(), key=str
    ):
        connection.executescript(script.read_text("utf-8"))
    yield connection
    connection.close()


@pytest.fixture
def lax_db(db: Connection) -> Connection:
    """Return one without constraints: only columns, types, nulls and keys are tested."""
    db.executescript("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
    return db


def example(table: Table, *, of: int) -> Row:
    """Return a row with distinct values in all columns, and a distinct key for each number."""
    return tuple(
        {str: f"{column.name} {of}", int: 100 * of + n, bytes: bytes([n, of])}[
            column.type.python_type
        ]
        for n, column in enumerate(table.columns)
    )


def all_rows(db: Connection, table: Table) -> list[Row]:
    """Return all rows of a table in the order of its key."""
    return db.execute(f'SELECT * FROM "{table.name}"').fetchall()  # noqa: S608 (a name of our own)


def ddl(db: Connection, table: Table) -> str:
    """Return the text that made the table, on one line and with no name in quotes."""
    row = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table.name,)).fetchone()
    return " ".join(row[0].replace('"', "").split())


def test_every_table_has_a_class(db: Connection) -> None:
    """One class for each table, and none in the metadata that programs share."""
    made = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    own = {name for (name,) in made if not name.startswith("message_index")}  # SQLite's own.
    assert own == set(TABLES) == set(ROWS)
    assert not set(TABLES) & set(SQLModel.metadata.tables)


@each_table
def test_columns(db: Connection, table: Table) -> None:
    """Columns have the same order, names, types, nullability and places in the primary key."""
    key = [column.name for column in table.primary_key]
    mirrored = [
        (
            column.name,
            column.type.compile(dialect()),
            int(not column.nullable),
            key.index(column.name) + 1 if column.name in key else 0,
        )
        for column in table.columns
    ]
    made = db.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', (table.name,))
    assert mirrored == made.fetchall()


@each_table
def test_foreign_keys(db: Connection, table: Table) -> None:
    """The same columns refer to the same columns."""
    mirrored = {
        (key.parent.name, key.column.table.name, key.column.name) for key in table.foreign_keys
    }
    made = db.execute(
        'SELECT "from", "table", "to" FROM pragma_foreign_key_list(?)', (table.name,)
    ).fetchall()
    assert mirrored == set(made)
    assert len(table.foreign_keys) == len(made)


@each_table
def test_constraints(db: Connection, table: Table) -> None:
    """Constraints have the same names, and say the same under them."""
    text = ddl(db, table)
    # SQLAlchemy leaves a column's own check with the column.
    mirrored = table.constraints.union(*(column.constraints for column in table.columns))
    assert sorted(str(mapping.name) for mapping in mirrored) == sorted(
        re.findall(r"CONSTRAINT (\w+)", text)
    )
    for mapping in mirrored:
        match mapping:
            case CheckConstraint():
                assert f"CONSTRAINT {mapping.name} CHECK ({mapping.sqltext})" in text
            case ForeignKeyConstraint(elements=[key]):
                target = f"{key.column.table.name} ({key.column.name})"
                # Within one column: no comma lies between the column and what it refers to.
                wanted = rf"\b{key.parent.name} [^,]*CONSTRAINT {mapping.name} REFERENCES "
                assert re.search(wanted + re.escape(target), text)
            case UniqueConstraint(columns=columns):
                # The table's or the column's own.
                names = ", ".join(column.name for column in columns)
                of_table = rf"CONSTRAINT {mapping.name} UNIQUE \({names}\)"
                of_column = rf"\b{names} [^,]*CONSTRAINT {mapping.name} UNIQUE\b(?! \()"
                assert re.search(f"{of_table}|{of_column}", text)


def test_the_statements_need_no_models() -> None:
    """A write takes its statements without waiting for SQLModel."""
    script = (
        "import sys; import liveportal.ledger.storage.schema.tables;"
        " print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert not {"sqlmodel", "sqlalchemy", "pydantic", "sqlite3"} & set(loaded.stdout.split())


@each_mapping
def test_mappings(mapping: row_mapping.Mapping[object]) -> None:
    """A mapping binds the columns in the table's order, as the statements expect."""
    table = TABLES[mapping.table]
    assert mapping.columns == tuple(column.name for column in table.columns)
    assert mapping.key == tuple(column.name for column in table.primary_key)


@pytest.mark.parametrize(("sql", "table"), STATEMENTS)
def test_statements_prepare(db: Connection, sql: str, table: str) -> None:
    """SQLite accepts each statement, with one parameter for each column."""
    columns = len(TABLES[table].columns)
    assert db.execute(f"EXPLAIN {sql}", (None,) * columns).fetchall()


@each_table
def test_insert(lax_db: Connection, table: Table) -> None:
    """Each parameter goes to its column; a row cannot be inserted twice."""
    row = example(table, of=1)
    lax_db.execute(insert(table.name), row)
    assert all_rows(lax_db, table) == [row]
    with pytest.raises(lax_db.IntegrityError):
        lax_db.execute(insert(table.name), row)


@pytest.mark.parametrize("name", UPSERTED)
def test_upsert(lax_db: Connection, name: str) -> None:
    """A new key is added; a known key keeps its row, and all else in it is replaced."""
    table = TABLES[name]
    first, other, changed = (example(table, of=n) for n in (1, 2, 3))
    changed = tuple(
        old if column.primary_key else new
        for column, old, new in zip(table.columns, first, changed, strict=True)
    )
    lax_db.executemany(upsert(name), [first, other, changed])
    assert all_rows(lax_db, table) == [changed, other]


def test_add_flow(db: Connection) -> None:
    """Flows of one month between the same two accounts add up; others stay apart."""
    flows = [
        ("2024-05", "platform", "earnings", 700, 1),
        ("2024-05", "earnings", "platform", 30, 2),
        ("2024-05", "platform", "earnings", 55, 4),
    ]
    db.executemany(add_flow(), flows)
    assert set(all_rows(db, TABLES["month_flow"])) == {
        ("2024-05", "platform", "earnings", 755, 5),
        ("2024-05", "earnings", "platform", 30, 2),
    }


@pytest.mark.parametrize("row_class", ROWS.values(), ids=ROWS)
def test_reading(lax_db: Connection, row_class: type[LedgerRow]) -> None:
    """A ledger can be read with SQLModel's `select`, which returns the written values."""
    table = TABLES[str(row_class.__tablename__)]
    names = [column.name for column in table.columns]
    # Nulls where there may be some, in the second row.
    written = [
        example(table, of=1),
        tuple(
            None if column.nullable else value
            for column, value in zip(table.columns, example(table, of=2), strict=True)
        ),
    ]
    lax_db.executemany(insert(table.name), written)
    driver = import_module(Connection.__base__.__module__)  # Ours is a kind of the driver's.
    engine = create_engine("sqlite://", creator=lambda: lax_db, module=driver, poolclass=StaticPool)
    with Session(engine) as session:
        read = session.exec(select(row_class)).all()
        assert [tuple(getattr(row, name) for name in names) for row in read] == written
