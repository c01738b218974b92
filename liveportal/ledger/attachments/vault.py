"""The vault: evidence files beside the ledger, each stored once under its SHA-256.

`ledger.db.vault/ab/abcd…` holds the file whose hash begins with `abcd`. A file is copied into the
vault under a temporary name and hashed at the same time; it is moved to its final place together
with the event that records it, and removed only after the event that erases its customer. So a
crash can leave a file that no event names, but never an event with a partly written file. Nothing
is written through a link, and only the owner has access.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from liveportal.domain.errors import (
    DamagedFile,
    FileChanged,
    FileTooLarge,
    LiveportalError,
    NotInVault,
    UnsafeVault,
)
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.ledger.storage import atomic, ledger_paths

LIMIT_BYTES = 2_000_000_000
"""The size limit of a file if no preference sets another one: 2 GB."""

CHUNK_BYTES = 1024 * 1024
_TEMP_SUFFIX = ".part"
_SHA256 = re.compile(r"[0-9a-f]{64}")

Progress = Callable[[int], None]
"""Called with the number of bytes of each chunk."""


def no_progress(_bytes: int) -> None:
    """Report no progress."""


@frozen
class StagedFile:
    """A file that was read completely: its hash, its size, and a stream of the same bytes.

    `stored` is True if the vault already holds an intact copy.
    """

    sha256: str
    bytes: int
    stream: BinaryIO
    stored: bool = False


class Vault:
    """The files that belong to a ledger."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self.folder = ledger_paths.beside(ledger, ledger_paths.VAULT)

    def path(self, sha256: str) -> Path:
        """Return the path of the file with that hash, whether or not it exists."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is not a SHA-256")
        return self.folder / sha256[:2] / sha256

    def holds(self, sha256: str) -> bool:
        """Return True if the file exists; its content is verified by `check`."""
        try:
            return stat.S_ISREG(self.path(sha256).lstat().st_mode)
        except OSError:
            return False

    def check(self, sha256: str) -> None:
        """Hash a file again; raises `NotInVault`, `DamagedFile`, `UnsafeVault`."""
        digest = _sha256()
        for chunk in self._content(sha256):
            digest.update(chunk)
        self._check_hash(sha256, digest.hexdigest())

    def content(self, sha256: str) -> Iterator[bytes]:
        """Yield a file's content without verifying it; raises as `check` does.

        A missing file is reported when the first chunk is requested.
        """
        return self._content(sha256)

    def put(self, sha256: str, chunks: Iterable[bytes]) -> bool:
        """Store a file unless an intact copy exists; return True if it was stored.

        Raises `DamagedFile` if the content has another hash, `DiskFull`, `UnsafeVault`, and
        whatever `chunks` raises; nothing is stored then.
        """
        self._check_folder(self.folder)
        if self.holds(sha256) and self._is_sound(sha256):
            return False
        digest, size = _sha256(), 0
        with self._temporary() as temp:
            with _new_file(temp) as copy:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    copy.write(chunk)
                self._check_hash(sha256, digest.hexdigest())
                _fsync_read_only(copy)
            with temp.open("rb") as copied:
                self.place(StagedFile(sha256, size, copied))
        return True

    def copy_to(self, sha256: str, target: Path) -> None:
        """Copy a file to a new, owner-only file; raises as `check`, and `DiskFull`."""
        digest = _sha256()
        with _new_file(target) as copy:
            for chunk in self._content(sha256):
                digest.update(chunk)
                copy.write(chunk)
            self._check_hash(sha256, digest.hexdigest())

    @contextmanager
    def taking(
        self, source: Path, *, limit: int, keep: bool = True, progress: Progress = no_progress
    ) -> Iterator[StagedFile]:
        """Read and hash a complete file; with `keep`, also copy it into the vault.

        The copy is removed when the block ends unless `place` was called. `limit` is in bytes.
        Raises `UnreadableFile`, `FileTooLarge`, `FileChanged`, `DiskFull`, `UnsafeVault`.
        """
        with self._source(source) as stream:
            if not keep:
                sha256, size = _read_whole(source, stream, None, limit, progress)
                stream.seek(0)
                yield StagedFile(sha256, size, stream)
                return
            with self._temporary() as temp:
                with _new_file(temp) as copy:
                    sha256, size = _read_whole(source, stream, copy, limit, progress)
                    _fsync_read_only(copy)
                with temp.open("rb") as copied:
                    yield StagedFile(sha256, size, copied, stored=self._is_sound(sha256))

    def place(self, staged: StagedFile) -> None:
        """Move a staged file to its final place; an intact copy that exists already is kept.

        Afterwards the file is durable, even after a power failure: its event may be recorded.
        """
        staged.stream.close()  # Windows cannot move an open file.
        path = self.path(staged.sha256)
        if not (staged.stored and self.holds(staged.sha256)):
            self._make_folder(path.parent)
            with _translating_errors(path):
                Path(staged.stream.name).replace(path)  # Also replaces a damaged file, or a link.
        # Sync all of them: a killed process may have made folders without syncing them.
        with _translating_errors(path):
            for folder in (path.parent, self.folder, self.folder.parent):
                atomic.fsync_dir(folder)

    def erase(self, sha256: str) -> None:
        """Remove a file if it exists, and the leftovers of crashes."""
        path = self.path(sha256)
        with _translating_errors(path), suppress(FileNotFoundError):
            path.unlink()
            atomic.fsync_dir(path.parent)  # Otherwise a power failure might restore it.
        with suppress(OSError):
            path.parent.rmdir()  # Only if it is empty.
        self.sweep()

    def sweep(self) -> None:
        """Remove copies that a crash left behind: a partly written file belongs to no event."""
        oldest = time.time() - atomic.STALE_SECONDS
        with suppress(OSError):
            old = [temp for temp in self.parts() if temp.lstat().st_mtime < oldest]
            for temp in old:
                temp.unlink()
            if old:
                # They may be of erased customers and must not return.
                atomic.fsync_dir(self.folder)

    def parts(self) -> list[Path]:
        """Return the temporary files: copies in progress, or leftovers of a crash."""
        return sorted(self.folder.glob(f"*{_TEMP_SUFFIX}"))

    def hashes(self) -> list[str]:
        """Return the hashes of all stored files, taken from their names."""
        names = (path.name for path in self.folder.glob("??/*"))
        return sorted(name for name in names if _SHA256.fullmatch(name))

    # --- internal -------------------------------------------------------------------------------

    def _content(self, sha256: str) -> Iterator[bytes]:
        path = self.path(sha256)
        self._check_folder(self.folder)
        self._check_folder(path.parent)
        if not self.holds(sha256):
            raise NotInVault(
                f"The file {sha256[:12]}… is not in the vault.",
                hint=Hint("Add it with {attaching_it}."),
                sha256=sha256,
            )
        with atomic.open_input(path, follow_links=False) as stream:
            yield from _chunks(path, stream)

    def _check_hash(self, sha256: str, actual: str) -> None:
        if actual != sha256:
            raise DamagedFile(
                f"The file {sha256[:12]}… in the vault is damaged: it differs from the"
                " file that was attached.",
                hint="Attach the right file again. It replaces the damaged one.",
                sha256=sha256,
                found=actual,
            )

    def _is_sound(self, sha256: str) -> bool:
        try:
            self.check(sha256)
        except LiveportalError:
            return False
        return True

    @contextmanager
    def _source(self, path: Path) -> Iterator[BinaryIO]:
        """Open a regular file that belongs to no ledger; a link is followed, as `cat` does.

        Raises `LedgersOwnFile`: a key must not get into the vault, and so into backups.
        """
        ledger_paths.check_input(path)
        with atomic.open_input(path) as stream:
            status = os.fstat(stream.fileno())
            # The path may be a hard link to one of them.
            for own in ledger_paths.own_files(self._ledger):
                with suppress(OSError):
                    if os.path.samestat(status, own.stat()):
                        raise ledger_paths.own_file(path, self._ledger)
            yield stream

    @contextmanager
    def _temporary(self) -> Iterator[Path]:
        """Yield a new temporary name in the vault: the final one is known once the file is read."""
        self._make_folder(self.folder)
        self.sweep()
        temp = self.folder / f"{os.urandom(8).hex()}{_TEMP_SUFFIX}"
        try:
            yield temp
        finally:
            temp.unlink(missing_ok=True)

    def _make_folder(self, folder: Path) -> None:
        with _translating_errors(folder), suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        self._check_folder(folder)

    def _check_folder(self, folder: Path) -> None:
        """Refuse a folder that is a link, or that others may enter."""
        try:
            mode = folder.lstat().st_mode
        except OSError:
            return  # A missing folder holds nothing.
        if not stat.S_ISDIR(mode):
            raise UnsafeVault(
                f"The vault {folder} is not a folder.",
                hint="Move away the file or link at that path. Evidence is never written"
                " through a link.",
                path=str(folder),
            )
        if atomic.is_open_to_others(mode):
            raise UnsafeVault(
                f"Other users can open the vault {folder} (mode {stat.S_IMODE(mode):o}).",
                hint="Check who could read it, then close it: chmod 700.",
                path=str(folder),
            )


def _read_whole(
    path: Path, stream: BinaryIO, copy: BinaryIO | None, limit: int, progress: Progress
) -> tuple[str, int]:
    """Return a file's hash and size, and copy it; raises `FileChanged` if it changes meanwhile."""
    before = os.fstat(stream.fileno())
    if before.st_size > limit:
        raise _too_large(path, limit)
    digest, size = _sha256(), 0
    for chunk in _chunks(path, stream):
        size += len(chunk)
        if size > before.st_size:
            break  # It is still growing.
        digest.update(chunk)
        if copy is not None:
            copy.write(chunk)
        progress(len(chunk))
    after = os.fstat(stream.fileno())
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, size):
        raise FileChanged(
            f"{path} changed while it was read.",
            hint="Nothing was attached. Try again when no other program is writing to it.",
            path=str(path),
        )
    return digest.hexdigest(), size


def _chunks(path: Path, stream: BinaryIO) -> Iterator[bytes]:
    while True:
        try:
            chunk = stream.read(CHUNK_BYTES)
        except OSError as error:
            raise atomic.unreadable(path, error.strerror) from None
        if not chunk:
            return
        yield chunk


def _sha256() -> Any:  # noqa: ANN401 -- hashlib's own class.
    import hashlib  # Loads OpenSSL (2 ms), which `holds` does not need.

    return hashlib.sha256()


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Create a new file with access for the owner only; it is removed if the block fails."""
    with _translating_errors(path):
        stream = atomic.create(path)
        try:
            with stream:
                yield stream
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise


def _translating_errors(path: Path) -> AbstractContextManager[None]:
    return atomic.translating_os_errors(path, beside_ledger=True)


def _fsync_read_only(copy: BinaryIO) -> None:
    """Sync a copy to the disk, and make it read-only against accidental changes."""
    atomic.fsync_stream(copy)
    if os.name == "posix":
        os.fchmod(copy.fileno(), 0o400)


def _too_large(path: Path, limit: int) -> LiveportalError:
    return FileTooLarge(
        f"{path} is larger than the limit of {limit} bytes.",
        hint=Hint("Raise the limit with {a_higher_limit}."),
        path=str(path),
        limit=limit,
    )
