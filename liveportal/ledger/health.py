"""Gather the facts about a ledger for `doctor`, without changing anything.

The ledger is opened so that no file is left beside it; if that is impossible, its content stays
unknown. Nothing here raises an error, whatever the state of the ledger.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from liveportal.domain.clock import from_text
from liveportal.domain.errors import LiveportalError
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.ledger import missing
from liveportal.ledger.attachments import index
from liveportal.ledger.attachments.index import Attached
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.backup.last_backup import LastBackup, last_backup
from liveportal.ledger.erasure import residue
from liveportal.ledger.format import attribution
from liveportal.ledger.format.attribution import Unauthorised
from liveportal.ledger.secrets import key_store
from liveportal.ledger.storage import connection, driver, hard_links, ledger_paths
from liveportal.ledger.storage.driver import Connection


@frozen
class FileInfo:
    """A file or folder of a ledger: its role, path, permissions and owner."""

    what: str
    path: str
    mode: int
    owner: int
    is_link: bool

    @property
    def is_open_to_others(self) -> bool:
        """True if its group or others have any permission."""
        return bool(self.mode & (stat.S_IRWXG | stat.S_IRWXO))


@frozen
class Inside:
    """The facts read from the content of a ledger."""

    quick_check: str
    first_hash: str | None = None
    events: int = 0
    last_recorded: datetime | None = None
    zones: tuple[tuple[str, str], ...] = ()
    sealed_by: str | None = None
    enter_again: tuple[str, ...] = ()
    attach_again: int = 0
    unauthorised: tuple[Unauthorised, ...] = ()
    doubtful: tuple[Attached, ...] = ()
    """Files that may never have been in the vault, whether or not they are there now."""


@dataclass(slots=True)
class Health:
    """All facts about a ledger; `problem` says why its content could not be read.

    The problem is `passing` if another program is busy; otherwise `mend` says what to do about it.
    """

    path: Path
    exists: bool = False
    is_file: bool = False
    head: ledger_paths.Head | None = None
    bytes: int = 0
    written_at: datetime | None = None
    inside: Inside | None = None
    problem: str | None = None
    mend: Hint | str = "Run this again."
    passing: bool = False
    entries: list[FileInfo] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    mark: bool = False
    file_system: str | None = None
    parents: tuple[str, ...] = ()
    free_bytes: int | None = None
    vault_bytes: int = 0
    key_ids: tuple[str, ...] | None = None
    key_problem: str | None = None
    names: hard_links.Names = field(default_factory=lambda: hard_links.Names(1))
    linked: LiveportalError | None = None
    backup: LastBackup | None = None
    backup_is_there: bool = False
    replica: str | None = None
    """The folder of Litestream beside the ledger, if it copies the ledger."""
    absent: tuple[Attached, ...] = ()


def gather(path: Path) -> Health:
    """Gather the facts about a ledger and all files that belong to it."""
    health = Health(path)
    with suppress(OSError):
        status = path.stat()
        health.exists, health.is_file = True, stat.S_ISREG(status.st_mode)
        health.bytes = status.st_size
        health.written_at = datetime.fromtimestamp(status.st_mtime, UTC)
    health.exists = health.exists or path.is_symlink()
    real = Path(os.path.realpath(path))
    _inspect_folder(health, real)
    if not health.is_file:
        return health
    _inspect_names(health)
    _inspect_file(health)
    if health.inside is not None:
        vault = Vault(health.path)
        doubtful = health.inside.doubtful
        health.absent = tuple(file for file in doubtful if not vault.holds(file.sha256))
    _inspect_key(health, real)
    health.backup = last_backup(path)
    replica = ledger_paths.replication_folder(path)
    health.replica = str(replica) if replica.is_dir() else None
    with suppress(OSError):
        health.backup_is_there = health.backup is not None and health.backup.path.exists()
    return health


# --- the files ------------------------------------------------------------------------------------


def _inspect_folder(health: Health, real: Path) -> None:
    health.parents = tuple(str(parent) for parent in real.parents)
    with suppress(OSError):
        health.file_system = file_system(real, Path("/proc/self/mountinfo").read_text("utf-8"))
    folder = next((parent for parent in real.parents if parent.is_dir()), None)
    if folder is not None:
        with suppress(OSError):
            health.free_bytes = shutil.disk_usage(folder).free
    if not health.exists:
        return
    vault = Vault(health.path).folder
    copies = residue.copies_of(health.path)
    health.copies = [str(copy) for copy in copies if not copy.name.startswith(".")]
    health.left_behind = [str(leftover) for leftover in _leftovers(health, real, vault)]
    health.mark = ledger_paths.erasure_marker(health.path).exists()
    candidates = (
        ("ledger", health.path),
        ("folder", real.parent),
        *(("ledger", Path(f"{real}{suffix}")) for suffix in ledger_paths.BESIDE),
        ("vault", vault),
        *(("vault", folder) for folder in sorted(vault.glob("??"))),
        ("key", ledger_paths.beside(real, ledger_paths.KEY)),
        *(("copy", copy) for copy in copies),
    )
    health.entries = [info for what, path in candidates if (info := _file_info(what, path))]
    health.vault_bytes = sum(_size(file) for file in vault.glob("??/*"))


def _file_info(what: str, path: Path) -> FileInfo | None:
    try:
        link = path.lstat()
        status = path.stat()
    except OSError:
        return None
    is_link = stat.S_ISLNK(link.st_mode)
    return FileInfo(what, str(path), stat.S_IMODE(status.st_mode), status.st_uid, is_link)


def _leftovers(health: Health, real: Path, vault: Path) -> Iterator[Path]:
    yield from residue.unfinished_files(health.path)
    with suppress(OSError):
        yield from Vault(health.path).parts() if vault.is_dir() else ()
    journal = real.with_name(f"{real.name}-journal")
    if _size(journal):
        yield journal


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def file_system(path: Path, mountinfo: str) -> str | None:
    """Return the type of the file system that a path is on, from Linux's list of mounts."""
    best: tuple[int, str | None] = (-1, None)
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) < 5 or not kinds[0]:  # noqa: PLR2004 (the mount point is the fifth)
            continue
        point = fields[4].encode("ascii", "replace").decode("unicode_escape")
        # Of two mounts at the same point, the later one is visible.
        if path.is_relative_to(point) and len(point) >= best[0]:
            best = (len(point), kinds[0])
    return best[1]


def _inspect_names(health: Health) -> None:
    with suppress(OSError):
        health.names = hard_links.names_of(health.path)
        if health.names.links > 1 + len(health.names.temp):
            health.linked = hard_links.linked(health.path, health.names)


# --- the content ----------------------------------------------------------------------------------


def _inspect_file(health: Health) -> None:
    try:
        health.head = ledger_paths.read_header(health.path)
    except OSError as error:
        health.problem = f"The file cannot be read: {error.strerror}."
        health.mend = "Check who owns the file and who may read it."
        return
    head = health.head
    if head is None or head.application_id != ledger_paths.APPLICATION_ID:
        health.problem = "The file is not a liveportal ledger."
        health.mend = "Check the path, or restore a backup."
    elif not head.form:
        health.problem = "The ledger was never completed and is empty."
        health.mend = "Remove the file and run init again."
    elif head.form > connection.SCHEMA_VERSION:
        health.problem = (
            f"The ledger was written by a newer version of liveportal (schema version {head.form})."
        )
        health.mend = "Upgrade liveportal."
    elif health.linked is not None and not hard_links.is_readable(health.path, health.names):
        health.problem = "The latest events may be in the log of another name of this file."
        health.mend = "See the check named links."
    elif head.wal and not connection.wal_is_safe():
        health.problem = "This version of SQLite could damage the ledger's log."
        health.mend = "See the check named sqlite."
    else:
        _inspect_content(health)


def _inspect_content(health: Health) -> None:
    before = _change_stamp(health.path)
    _read_content(health)
    if health.inside is not None and _change_stamp(health.path) != before:
        # A log that was created meanwhile was ignored: the rows may be inconsistent.
        health.inside, health.problem = None, "Another program is using the ledger."
        health.passing = True


def _change_stamp(path: Path) -> tuple[tuple[int, int], ...]:
    real = os.path.realpath(path)
    stamps = []
    for suffix in ("", "-wal"):
        with suppress(OSError):
            status = Path(f"{real}{suffix}").stat()
            stamps.append((status.st_size, status.st_mtime_ns))
    return tuple(stamps)


def _read_content(health: Health) -> None:
    try:
        db = connection.open_untouched(health.path)
        if db is None:
            health.problem = "A write was interrupted. The next command undoes or completes it."
            health.mend, health.passing = Hint("Run {any_other_command}."), True
            return
        with closing(db):
            health.inside = _read_rows(db)
    except OSError as error:
        health.problem, health.passing = f"The file cannot be read: {error.strerror}.", True
    except (driver.DatabaseError, LiveportalError) as error:
        health.problem = str(error)
        health.passing = "locked" in health.problem or "busy" in health.problem
        if not health.passing:
            health.inside = Inside(quick_check=health.problem)
    except (
        ValueError,
        TypeError,
        LookupError,
    ) as error:  # The rows hold values that were never written there.
        health.inside = Inside(quick_check=f"The content cannot be read: {error}.")


def _read_rows(db: Connection) -> Inside:
    (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        return Inside(quick_check=str(answer))
    one = _single_value(db)
    first = one("SELECT hash FROM event WHERE seq = 1")
    last = one("SELECT recorded_at FROM event ORDER BY seq DESC LIMIT 1")
    book = one("SELECT timezone FROM policy ORDER BY seq DESC LIMIT 1")
    own = one("SELECT document ->> 'timezone' FROM preferences ORDER BY seq DESC LIMIT 1")
    has_messages = one("SELECT 1 FROM sqlite_schema WHERE name = 'message'")
    files = index.attached(db) if has_messages else []
    has_seals = one("SELECT 1 FROM sqlite_schema WHERE name = 'fingerprint_key'")
    may_miss = bool(one("SELECT 1 FROM sqlite_schema WHERE name = 'missing_file'"))
    noted = missing.noted_files(db) if may_miss else frozenset()
    return Inside(
        quick_check="ok",
        first_hash=first.hex() if first else None,
        events=one("SELECT coalesce(max(seq), 0) FROM event"),
        last_recorded=from_text(last) if last else None,
        zones=tuple((what, zone) for what, zone in (("book", book), ("expert", own)) if zone),
        sealed_by=one("SELECT sealed_by FROM fingerprint_key LIMIT 1") if has_seals else None,
        enter_again=tuple(missing.noted_values(db)) if may_miss else (),
        attach_again=len(noted),
        unauthorised=tuple(attribution.unauthorised(db)),
        doubtful=tuple(f for f in files if not f.is_certain and f.artifact not in noted),
    )


def _single_value(db: Connection) -> Any:  # noqa: ANN401 (any column type)
    def one(query: str) -> Any:  # noqa: ANN401
        row = db.execute(query).fetchone()
        return row[0] if row else None

    return one


# --- the key -----------------------------------------------------------------------------------


def _inspect_key(health: Health, real: Path) -> None:
    """Read the key file, if it exists; the keyring is not asked, since it may prompt the user."""
    try:
        health.key_ids = key_store.in_file(ledger_paths.beside(real, ledger_paths.KEY))
    except LiveportalError as error:
        health.key_problem = error.message
