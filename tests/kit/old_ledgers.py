"""Ledgers of older schema versions, and queries that work for any schema version.

`fixtures/form1.db.gz` is the sample month as written by the first version of the program.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.storage.driver import Connection
from tests.kit import rich_ledger as rich

FIXTURES = Path(__file__).parent / "fixtures"
FORM_1 = FIXTURES / "form1.db.gz"
Schema = list[tuple[Any, ...]]


def make_old(path: Path, journal_mode: str) -> None:
    """Make a ledger of schema version 1."""
    path.parent.mkdir(mode=0o700)
    path.write_bytes(gzip.decompress(FORM_1.read_bytes()))
    path.chmod(0o600)
    asked(path, f"PRAGMA journal_mode = {journal_mode}")


def make_released(path: Path, number: int) -> None:
    """Make a rich ledger as the last release of a schema version did, with key and vault."""
    path.parent.mkdir(mode=0o700, parents=True)
    path.write_bytes(gzip.decompress((FIXTURES / f"rich{number}.db.gz").read_bytes()))
    path.chmod(0o600)
    key = FIXTURES / f"rich{number}.key"
    if not key.exists():
        return
    kept = path.with_name("ledger.db.key")
    kept.write_bytes(key.read_bytes())
    kept.chmod(0o600)
    vault = Vault(path)
    for text in (rich.TRANSCRIPT, rich.CODE):
        file = vault.path(hashlib.sha256(text.encode()).hexdigest())
        for folder in (vault.folder, file.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def asked(path: Path, statement: str, *values: object) -> Schema:
    """Run a statement on a file with plain SQLite, and return its rows."""
    with closing(Connection(str(path), isolation_level=None)) as db:
        return db.execute(statement, values).fetchall()


def form(path: Path) -> int:
    """Return the schema version of a ledger, even if the program cannot open it."""
    return int(asked(path, "PRAGMA user_version")[0][0])


def whole(path: Path) -> tuple[Schema, list[Schema]]:
    """Return the schema and the rows of each table, for any schema version."""
    schema = asked(path, "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")
    tables = [name for kind, name, _ in schema if kind == "table"]
    # The names are the ledger's own.
    return schema, [asked(path, f'SELECT * FROM "{name}"') for name in tables]  # noqa: S608


def beside(path: Path) -> set[str]:
    """Return the names in a ledger's folder, without SQLite's own files."""
    own = {f"{path.name}{suffix}" for suffix in ("", "-wal", "-shm")}
    return {file.name for file in path.parent.iterdir()} - own


@contextmanager
def untouched(path: Path, number: int = 1) -> Iterator[None]:
    """Check that the block changes neither the ledger nor the files in its folder."""
    before, names = whole(path), beside(path)
    yield
    assert whole(path) == before
    assert form(path) == number
    assert beside(path) == names
