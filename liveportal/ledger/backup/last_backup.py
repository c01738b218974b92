"""Remember the last good backup of a ledger, in a small private file beside it.

`ledger.db.backups.json` is for `doctor`; nothing depends on it. If it is missing or damaged, no
backup is known.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from liveportal.domain.frozen import frozen
from liveportal.ledger.storage import atomic, ledger_paths

FORMAT = "liveportal.backups.v1"
_MAX_BYTES = 100_000


@frozen
class LastBackup:
    """A verified backup: when and where it was made, and how far the journal went."""

    made_at: datetime
    path: Path
    book: str
    events: int
    head: str


def file_of(ledger: Path) -> Path:
    """Return the path of the file beside a ledger that records its last backup."""
    return ledger_paths.beside(ledger, ledger_paths.BACKUPS)


def last_backup(ledger: Path) -> LastBackup | None:
    """Return the last good backup of a ledger; None if none is known.

    The file may have been removed since, or be a backup of another book that was once at the
    ledger's path: compare `book` with the hash of the first event.
    """
    content = atomic.small_content(file_of(ledger), _MAX_BYTES)
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
    """Record a verified backup as the last good one; raises `OSError`."""
    last = {
        "made_at": backup.made_at.isoformat(),
        "path": str(backup.path.absolute()),
        "book": backup.book,
        "events": backup.events,
        "head": backup.head,
    }
    text = json.dumps({"format": FORMAT, "last": last}, indent=1)
    with atomic.replacing(file_of(ledger)) as file:
        file.write(f"{text}\n".encode())
