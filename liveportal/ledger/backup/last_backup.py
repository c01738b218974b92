"""Which backup of a ledger was the last good one: a small private file beside it says so.

`ledger.db.backups.json` is for `doctor`; nothing depends on it. Where it is not there, or is no
longer what was written, no backup is known of.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from liveportal.ledger.storage import private_files, temp_files

FORMAT = "liveportal.backups.v1"
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class LastBackup:
    """A backup that was verified: when and where it was made, and how far the journal was then."""

    made_at: datetime
    path: Path
    book: str
    events: int
    head: str


def file_of(ledger: Path) -> Path:
    """Return the file beside a ledger that remembers its backups."""
    return temp_files.beside(ledger, temp_files.BACKUPS)


def last_backup(ledger: Path) -> LastBackup | None:
    """Return the last good backup of a ledger; None where none is known of.

    It may be gone from its place since, or be the backup of another book that was kept at the
    ledger's path: compare `book` with the hash of the first event.
    """
    content = private_files.small_content(file_of(ledger), _LONGEST)
    if content is None:
        return None
    try:
        document = json.loads(content)
        return _read(document["last"]) if document["format"] == FORMAT else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _read(last: Any) -> LastBackup:  # noqa: ANN401 (JSON)
    made_at, events = datetime.fromisoformat(last["made_at"]), last["events"]
    texts = [last[name] for name in ("path", "book", "head")]
    if made_at.tzinfo is None or type(events) is not int or not all(map(_is_text, texts)):
        raise ValueError("not as it was written")
    return LastBackup(made_at, Path(texts[0]), texts[1], events, texts[2])


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


def remember(ledger: Path, backup: LastBackup) -> None:
    """Remember a backup that was verified, in place of the one before; raises `OSError`."""
    last = {
        "made_at": backup.made_at.isoformat(),
        "path": str(backup.path.absolute()),
        "book": backup.book,
        "events": backup.events,
        "head": backup.head,
    }
    text = json.dumps({"format": FORMAT, "last": last}, indent=1)
    private_files.replace_private(file_of(ledger), f"{text}\n".encode())
