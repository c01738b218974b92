"""What there is to see of a ledger from outside, for `doctor`: gathered, and never changed.

A ledger is opened so that nothing is left beside it; where that cannot be, what only the inside
would tell stays unknown. Nothing here raises for what a ledger may be like.
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
from liveportal.ledger import missing
from liveportal.ledger.attachments import index
from liveportal.ledger.attachments.index import Attached
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.backup.last_backup import LastBackup, last_backup
from liveportal.ledger.erasure import residue
from liveportal.ledger.format import attribution
from liveportal.ledger.format.attribution import Unauthorised
from liveportal.ledger.secrets import key_store
from liveportal.ledger.storage import connection, driver, hard_links, temp_files
from liveportal.ledger.storage.driver import Connection


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file or folder of a ledger: what it is, and who may do what with it."""

    what: str
    path: str
    mode: int
    owner: int
    is_link: bool

    @property
    def is_open_to_others(self) -> bool:
        """Whether group or others may do anything with it."""
        return bool(self.mode & (stat.S_IRWXG | stat.S_IRWXO))


@dataclass(frozen=True, slots=True)
class Inside:
    """What a ledger says of itself."""

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
    """Files that may never have been in the vault, whichever of them are there."""


@dataclass(slots=True)
class Health:
    """All that is to be seen of a ledger; `problem` says why its inside was not looked at.

    That may be `passing`, since somebody else is at work; else `mend` says what to do about it.
    """

    path: Path
    exists: bool = False
    is_file: bool = False
    head: connection.Head | None = None
    bytes: int = 0
    written_at: datetime | None = None
    inside: Inside | None = None
    problem: str | None = None
    mend: str = "Run this again."
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
    absent: tuple[Attached, ...] = ()


def gather(path: Path) -> Health:
    """Look at a ledger, and at all that belongs to it."""
    found = Health(path)
    with suppress(OSError):
        seen = path.stat()
        found.exists, found.is_file = True, stat.S_ISREG(seen.st_mode)
        found.bytes = seen.st_size
        found.written_at = datetime.fromtimestamp(seen.st_mtime, UTC)
    found.exists = found.exists or path.is_symlink()
    real = Path(os.path.realpath(path))
    _look_around(found, real)
    if not found.is_file:
        return found
    _look_at_names(found)
    _look_inside(found)
    if found.inside is not None:
        vault = Vault(found.path)
        doubtful = found.inside.doubtful
        found.absent = tuple(each for each in doubtful if not vault.holds(each.sha256))
    _look_for_key(found, real)
    found.backup = last_backup(path)
    with suppress(OSError):
        found.backup_is_there = found.backup is not None and found.backup.path.exists()
    return found


# --- around ---------------------------------------------------------------------------------------


def _look_around(found: Health, real: Path) -> None:
    found.parents = tuple(str(each) for each in real.parents)
    with suppress(OSError):
        found.file_system = file_system(real, Path("/proc/self/mountinfo").read_text("utf-8"))
    folder = next((each for each in real.parents if each.is_dir()), None)
    if folder is not None:
        with suppress(OSError):
            found.free_bytes = shutil.disk_usage(folder).free
    if not found.exists:
        return
    vault = Vault(found.path).folder
    copies = residue.copies_of(found.path)
    found.copies = [str(each) for each in copies if not each.name.startswith(".")]
    found.left_behind = [str(each) for each in _left_behind(found, real, vault)]
    found.mark = connection.erasure_marker(found.path).exists()
    named = (
        ("ledger", found.path),
        ("folder", real.parent),
        *(("ledger", Path(f"{real}{suffix}")) for suffix in temp_files.BESIDE),
        ("vault", vault),
        *(("vault", each) for each in sorted(vault.glob("??"))),
        ("key", temp_files.beside(real, temp_files.KEY)),
        *(("copy", each) for each in copies),
    )
    found.entries = [entry for what, each in named if (entry := _entry(what, each))]
    found.vault_bytes = sum(_size(each) for each in vault.glob("??/*"))


def _entry(what: str, path: Path) -> FileInfo | None:
    try:
        link = path.lstat()
        seen = path.stat()
    except OSError:
        return None
    is_link = stat.S_ISLNK(link.st_mode)
    return FileInfo(what, str(path), stat.S_IMODE(seen.st_mode), seen.st_uid, is_link)


def _left_behind(found: Health, real: Path, vault: Path) -> Iterator[Path]:
    yield from residue.parts_beside(found.path)
    with suppress(OSError):
        yield from Vault(found.path).parts() if vault.is_dir() else ()
    journal = real.with_name(f"{real.name}-journal")
    if _size(journal):
        yield journal


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def file_system(path: Path, mountinfo: str) -> str | None:
    """Return the type of the file system that a path lies on, by Linux's list of mounts."""
    best: tuple[int, str | None] = (-1, None)
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) < 5 or not kinds[0]:  # noqa: PLR2004 (the mount point is the fifth)
            continue
        point = fields[4].encode("ascii", "replace").decode("unicode_escape")
        # Of two mounts at one point the later lies on top.
        if path.is_relative_to(point) and len(point) >= best[0]:
            best = (len(point), kinds[0])
    return best[1]


def _look_at_names(found: Health) -> None:
    with suppress(OSError):
        found.names = hard_links.names_of(found.path)
        if found.names.links > 1 + len(found.names.temp):
            found.linked = hard_links.linked(found.path, found.names)


# --- inside ---------------------------------------------------------------------------------------


def _look_inside(found: Health) -> None:
    try:
        found.head = connection.head_of(found.path)
    except OSError as error:
        found.problem = f"it cannot be read: {error.strerror}"
        found.mend = "Look whose it is, and who may read it."
        return
    head = found.head
    if head is None or head.application_id != connection.APPLICATION_ID:
        found.problem = "it is not a liveportal ledger"
        found.mend = "Check the path, or restore a backup."
    elif not head.form:
        found.problem = "it was never finished: it holds nothing"
        found.mend = "Remove it, and run init again."
    elif head.form > connection.SCHEMA_VERSION:
        found.problem = f"it was written by a newer liveportal (form {head.form})"
        found.mend = "Upgrade liveportal."
    elif found.linked is not None and not hard_links.is_readable(found.path, found.names):
        found.problem = "what was recorded last may lie in the log of another name of it"
        found.mend = "See the check links."
    elif head.wal and not connection.wal_is_safe():
        found.problem = "this SQLite could damage its log"
        found.mend = "See the check sqlite."
    else:
        _open(found)


def _open(found: Health) -> None:
    before = _stamp(found.path)
    _look_at_rows(found)
    if found.inside is not None and _stamp(found.path) != before:
        # A log that came meanwhile was read past: what was seen may be half of one thing.
        found.inside, found.problem = None, "another program is busy with it"
        found.passing = True


def _stamp(path: Path) -> tuple[tuple[int, int], ...]:
    real = os.path.realpath(path)
    found = []
    for suffix in ("", "-wal"):
        with suppress(OSError):
            seen = Path(f"{real}{suffix}").stat()
            found.append((seen.st_size, seen.st_mtime_ns))
    return tuple(found)


def _look_at_rows(found: Health) -> None:
    try:
        db = connection.open_untouched(found.path)
        if db is None:
            found.problem = "a write was interrupted; the next command undoes or finishes it"
            found.mend, found.passing = "Run any other command, such as `ledger info`.", True
            return
        with closing(db):
            found.inside = _inside(db)
    except OSError as error:
        found.problem, found.passing = f"it cannot be read: {error.strerror}", True
    except (driver.DatabaseError, LiveportalError) as error:
        found.problem = str(error)
        found.passing = "locked" in found.problem or "busy" in found.problem
        if not found.passing:
            found.inside = Inside(quick_check=found.problem)
    except (
        ValueError,
        TypeError,
        LookupError,
    ) as error:  # Rows that hold what was never written there.
        found.inside = Inside(quick_check=f"what it holds cannot be read: {error}")


def _inside(db: Connection) -> Inside:
    (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        return Inside(quick_check=str(answer))
    one = _one(db)
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
        doubtful=tuple(e for e in files if not e.is_certain and e.artifact not in noted),
    )


def _one(db: Connection) -> Any:  # noqa: ANN401 (whatever a column holds)
    def one(query: str) -> Any:  # noqa: ANN401
        row = db.execute(query).fetchone()
        return row[0] if row else None

    return one


# --- the key -----------------------------------------------------------------------------------


def _look_for_key(found: Health, real: Path) -> None:
    """Read the key file, if there is one; the keyring is not asked, since it may ask its owner."""
    try:
        found.key_ids = key_store.in_file(temp_files.beside(real, temp_files.KEY))
    except LiveportalError as error:
        found.key_problem = error.message
