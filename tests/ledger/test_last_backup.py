"""The last good backup is recorded next to the ledger; that file may be damaged or missing."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from liveportal.ledger.backup.last_backup import LastBackup, file_of, last_backup, remember

if TYPE_CHECKING:
    from pathlib import Path

MADE_AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


def backup(folder: Path) -> LastBackup:
    """Return a backup's record."""
    return LastBackup(MADE_AT, folder / "a.zip", "ab" * 32, 7, "cd" * 32)


def test_what_is_remembered_is_read_again(tmp_path: Path) -> None:
    """The last one takes the place of the one before, in a file of the owner's alone."""
    ledger = tmp_path / "ledger.db"
    assert last_backup(ledger) is None
    for events in (6, 7):
        was = backup(tmp_path)
        remember(ledger, LastBackup(was.made_at, was.path, was.book, events, was.head))
    assert last_backup(ledger) == backup(tmp_path)
    assert file_of(ledger).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.db.backups.json"]


def test_a_ledger_opened_through_a_link_has_the_same_memory(tmp_path: Path) -> None:
    """It belongs to the file, not to the name that it is opened by."""
    (tmp_path / "ledger.db").touch()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "ledger.db")
    remember(link, backup(tmp_path))
    assert last_backup(tmp_path / "ledger.db") == last_backup(link) == backup(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00",
        b"[1]",
        b"null",
        b'{"format": "liveportal.backups.v1"}',
        b'{"format": "liveportal.backups.v9", "last": null}',
        b"[" * 90_000,
        b" " * 200_000 + b"{}",
    ],
)
def test_garbage_is_no_memory(tmp_path: Path, content: bytes) -> None:
    """A file with unexpected contents counts as missing."""
    file_of(tmp_path / "ledger.db").write_bytes(content)
    assert last_backup(tmp_path / "ledger.db") is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("made_at", "yesterday"),
        ("made_at", "2026-11-28T12:00:00"),
        ("made_at", 5),
        ("events", "7"),
        ("events", True),
        ("path", 7),
        ("path", "a\0b"),
        ("head", None),
        ("book", ["x"]),
    ],
)
def test_a_value_of_another_sort_is_no_memory(tmp_path: Path, field: str, value: object) -> None:
    """Every value is of the sort that it was written as, or nothing is remembered."""
    remember(tmp_path / "ledger.db", backup(tmp_path))
    file = file_of(tmp_path / "ledger.db")
    document = json.loads(file.read_bytes())
    document["last"][field] = value
    file.write_text(json.dumps(document))
    assert last_backup(tmp_path / "ledger.db") is None


@pytest.mark.skipif(os.name == "nt", reason="no links, no pipes")
def test_neither_a_link_nor_a_pipe_is_read(tmp_path: Path) -> None:
    """A link is not followed, and a pipe is not waited for."""
    remember(tmp_path / "other.db", backup(tmp_path))
    file = file_of(tmp_path / "ledger.db")
    file.symlink_to(file_of(tmp_path / "other.db"))
    assert last_backup(tmp_path / "ledger.db") is None
    file.unlink()
    os.mkfifo(file)
    assert last_backup(tmp_path / "ledger.db") is None
