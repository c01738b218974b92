"""The id of this machine and user, which the expert's events carry (2-events).

It is random, made once with the first event that is kept, and lies in the user's state folder, not
in the ledger: so copies of a book on several machines can be told apart.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from liveportal.domain.patterns import pattern
from liveportal.ledger.storage import private_files
from liveportal.ledger.storage.fsync import fsync_dir, make_folders

_FORM = pattern(r"[0-9a-f]{32}", re.ASCII)
_LONGEST = 100


def state_file() -> Path:
    """Return the file that holds the id, in the user's state folder."""
    from platformdirs import user_state_path  # A tenth of a write: only where the id is made.

    return user_state_path("liveportal", appauthor=False) / "machine"


def this_machine() -> str | None:
    """Return the id of this machine and user, which is made where there is none yet.

    None where it can be neither read nor written; what lies there and is no id stays as it is.
    """
    with suppress(OSError, RuntimeError):  # A user without a home has no state folder.
        if found := _read(_xdg_file()):
            return found
        path = state_file()
        if not os.path.lexists(path):
            _make(path)
        return _read(path)
    return None


def _xdg_file() -> Path:
    """Return where `state_file` is on most systems, without what finds it on all of them."""
    folder = os.environ.get("XDG_STATE_HOME", "").strip() or "~/.local/state"
    return Path(folder).expanduser() / "liveportal" / "machine"


def _read(path: Path) -> str | None:
    content = private_files.small_content(path, _LONGEST)
    text = content.decode("ascii", "replace").strip() if content else ""
    return text if _FORM.fullmatch(text) else None


def _make(path: Path) -> None:
    """Make the file whole and for its owner alone; of several processes the first one makes it."""
    make_folders(path.parent)
    part = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    try:
        with os.fdopen(private_files.make(part), "wb") as file:
            file.write(f"{os.urandom(16).hex()}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(part, path)
        fsync_dir(path.parent)
    finally:
        part.unlink(missing_ok=True)
