"""The id of this machine and user, which the expert's events carry.

It is random and created once, with the first recorded event. It is stored in the user's state
folder and not in the ledger, so that copies of a book on several machines can be distinguished.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from liveportal.domain.patterns import pattern
from liveportal.ledger.storage import atomic

_ID = pattern(r"[0-9a-f]{32}", re.ASCII)
_MAX_BYTES = 100


def state_file() -> Path:
    """Return the file that holds the id, in the user's state folder."""
    from platformdirs import user_state_path  # Slow import: only to create the id.

    return user_state_path("liveportal", appauthor=False) / "machine"


def this_machine() -> str | None:
    """Return the id of this machine and user; it is created if it does not exist yet.

    None if it can be neither read nor written. A file that holds no valid id is left unchanged.
    """
    with suppress(OSError, RuntimeError):  # A user without a home has no state folder.
        if machine := _read(_xdg_file()):
            return machine
        path = state_file()
        if not os.path.lexists(path):
            _make(path)
        return _read(path)
    return None


def _xdg_file() -> Path:
    """Return the usual path of `state_file`, without the import that finds it on every system."""
    folder = os.environ.get("XDG_STATE_HOME", "").strip() or "~/.local/state"
    return Path(folder).expanduser() / "liveportal" / "machine"


def _read(path: Path) -> str | None:
    content = atomic.small_content(path, _MAX_BYTES)
    text = content.decode("ascii", "replace").strip() if content else ""
    return text if _ID.fullmatch(text) else None


def _make(path: Path) -> None:
    """Create the file; the first process to do so wins."""
    atomic.make_folders(path.parent)
    with suppress(FileExistsError), atomic.creating(path) as file:
        file.write(f"{os.urandom(16).hex()}\n".encode())
    atomic.fsync_dir(path.parent)  # Also if another process was first.
