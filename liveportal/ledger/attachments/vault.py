"""The vault: evidence files beside the ledger, each stored once under its SHA-256.

`ledger.db.vault/ab/abcd…` holds the file whose hash begins so. A file is copied into the vault
under a temporary name, hashed on the way, and takes its place only with the event that tells of it;
it goes only after the event that forgets its customer. So a crash leaves at worst a file that no
event names, and never an event whose file was half written. Nothing is written through a link, and
nobody but the owner may enter.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from liveportal.domain.errors import (
    DamagedFile,
    DiskFull,
    FileChanged,
    FileTooLarge,
    LedgerUnwritable,
    LiveportalError,
    NotInVault,
    UnreadableFile,
    UnsafeVault,
)
from liveportal.domain.values import dataclass
from liveportal.ledger.storage import driver
from liveportal.ledger.storage.fsync import fsync_dir
from liveportal.ledger.storage.temp_files import STALE_SECONDS, VAULT, beside, own_files

LIMIT_BYTES = 2_000_000_000
"""The largest file that is taken where no preference says otherwise: 2 GB."""

CHUNK_BYTES = 1024 * 1024
_PART = ".part"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# Windows has its own flag and lacks the others: a pipe without a writer is not waited for, and a
# link in the vault is not followed.
_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | _NO_LINK

Progress = Callable[[int], None]
"""Is told of every chunk's bytes."""


def ignored(_bytes: int) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file that was read whole: its hash, its size, and a stream of the very bytes.

    `stored` tells that the vault has it, and sound.
    """

    sha256: str
    bytes: int
    stream: BinaryIO
    stored: bool = False


class Vault:
    """The files that belong to a ledger."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self.folder = beside(ledger, VAULT)

    def path(self, sha256: str) -> Path:
        """Return where the file of that hash lies, or would lie."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is not a SHA-256")
        return self.folder / sha256[:2] / sha256

    def holds(self, sha256: str) -> bool:
        """Tell whether the file is there; whether it is sound, `check` tells."""
        try:
            return stat.S_ISREG(self.path(sha256).lstat().st_mode)
        except OSError:
            return False

    def check(self, sha256: str) -> None:
        """Hash a file again; raises `NotInVault`, `DamagedFile`, `UnsafeVault`."""
        digest = _sha256()
        for chunk in self._content(sha256):
            digest.update(chunk)
        self._agree(sha256, digest.hexdigest())

    def content(self, sha256: str) -> Iterator[bytes]:
        """Yield a file's content as it lies there, sound or not; raises as `check` does.

        What is not there is known when the first of it is asked for.
        """
        return self._content(sha256)

    def put(self, sha256: str, chunks: Iterable[bytes]) -> bool:
        """Put a file in its place, unless it is there and sound; tell whether it was put.

        Raises `DamagedFile` for content of another hash, `DiskFull`, `UnsafeVault`, and what
        `chunks` does; then nothing is put.
        """
        self._check_folder(self.folder)
        if self.holds(sha256) and self._is_sound(sha256):
            return False
        self._make_folder(self.folder)
        self.sweep()
        part = self.folder / f"{os.urandom(8).hex()}{_PART}"
        digest, size = _sha256(), 0
        try:
            with _new_file(part) as copy:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    copy.write(chunk)
                self._agree(sha256, digest.hexdigest())
                _settle(copy)
            with part.open("rb") as again:
                self.place(StagedFile(sha256, size, again))
        finally:
            part.unlink(missing_ok=True)
        return True

    def copy_to(self, sha256: str, target: Path) -> None:
        """Copy a file to a new one of the owner's alone; raises as `check`, and `DiskFull`."""
        digest = _sha256()
        with _new_file(target) as copy:
            for chunk in self._content(sha256):
                digest.update(chunk)
                copy.write(chunk)
            self._agree(sha256, digest.hexdigest())

    @contextmanager
    def taking(
        self, source: Path, *, limit: int, keep: bool = True, progress: Progress = ignored
    ) -> Iterator[StagedFile]:
        """Read a file whole, hashing it, and copy it into the vault if it is to be kept.

        Without `place` it is gone again when the block ends. Raises `UnreadableFile`,
        `FileTooLarge`, `FileChanged`, `DiskFull`, `UnsafeVault`.
        """
        with self._source(source) as stream:
            if not keep:
                sha256, size = _read_whole(source, stream, None, limit, progress)
                stream.seek(0)
                yield StagedFile(sha256, size, stream)
                return
            self._make_folder(self.folder)
            self.sweep()
            part = self.folder / f"{os.urandom(8).hex()}{_PART}"
            try:
                with _new_file(part) as copy:
                    sha256, size = _read_whole(source, stream, copy, limit, progress)
                    _settle(copy)
                with part.open("rb") as again:
                    yield StagedFile(sha256, size, again, stored=self._is_sound(sha256))
            finally:
                part.unlink(missing_ok=True)

    def place(self, taken: StagedFile) -> None:
        """Give a file that was taken its place; the same, if it is there and sound, stays.

        No power cut takes it back then: its event may be recorded.
        """
        taken.stream.close()  # Windows moves no open file.
        path = self.path(taken.sha256)
        if not (taken.stored and self.holds(taken.sha256)):
            self._make_folder(path.parent)
            with _explained(path):
                Path(taken.stream.name).replace(path)  # Of a damaged one too; of a link, the link.
        # All of them: a program that was killed may have made folders and synced none.
        with _explained(path):
            for folder in (path.parent, self.folder, self.folder.parent):
                fsync_dir(folder)

    def erase(self, sha256: str) -> None:
        """Remove a file if it is there, and what crashes left behind."""
        path = self.path(sha256)
        with _explained(path), suppress(FileNotFoundError):
            path.unlink()
            fsync_dir(path.parent)  # Else it might come back.
        with suppress(OSError):
            path.parent.rmdir()  # Only if it is empty.
        self.sweep()

    def sweep(self) -> None:
        """Remove copies that a crash left behind: what is half written belongs to no event."""
        oldest = time.time() - STALE_SECONDS
        with suppress(OSError):
            old = [part for part in self.parts() if part.lstat().st_mtime < oldest]
            for part in old:
                part.unlink()
            if old:
                fsync_dir(self.folder)  # Else they might come back, of who was forgotten since.

    def parts(self) -> list[Path]:
        """Return the copies that are being made, or that a crash left behind."""
        return sorted(self.folder.glob(f"*{_PART}"))

    def hashes(self) -> list[str]:
        """Return the hashes of all files that are there, by their names."""
        found = (each.name for each in self.folder.glob("??/*"))
        return sorted(name for name in found if _SHA256.fullmatch(name))

    # --- inside ---------------------------------------------------------------------------------

    def _content(self, sha256: str) -> Iterator[bytes]:
        path = self.path(sha256)
        self._check_folder(self.folder)
        self._check_folder(path.parent)
        if not self.holds(sha256):
            raise NotInVault(
                f"the file {sha256[:12]}… is not in the vault",
                hint="`liveportal sessions attach` puts it there.",
                sha256=sha256,
            )
        with _opened(path, _READING | _NO_LINK) as stream:
            yield from _chunks(path, stream)

    def _agree(self, sha256: str, found: str) -> None:
        if found != sha256:
            raise DamagedFile(
                f"the file {sha256[:12]}… in the vault is not what was attached",
                hint="Attach the right file again: it takes the damaged one's place.",
                sha256=sha256,
                found=found,
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

        Raises `LedgersOwnFile`: a key must not get into the vault, and from there into backups.
        """
        from liveportal.ledger.storage import ledger_paths

        ledger_paths.check_input(path)
        with _opened(path, _READING) as stream:
            found = os.fstat(stream.fileno())
            for own in own_files(self._ledger):  # It may have another name (a hard link).
                with suppress(OSError):
                    if os.path.samestat(found, own.stat()):
                        raise ledger_paths.own_file(path, self._ledger)
            yield stream

    def _make_folder(self, folder: Path) -> None:
        with _explained(folder), suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        self._check_folder(folder)

    def _check_folder(self, folder: Path) -> None:
        """Refuse a folder that is a link, or that others may enter."""
        try:
            mode = folder.lstat().st_mode
        except OSError:
            return  # What is not there holds nothing.
        if not stat.S_ISDIR(mode):
            raise UnsafeVault(
                f"{folder} is not a folder of its own",
                hint="Move away what is there; evidence is never written through a link.",
                path=str(folder),
            )
        if os.name == "posix" and mode & _OTHERS:
            raise UnsafeVault(
                f"others may enter {folder} (mode {stat.S_IMODE(mode):o})",
                hint="Look who could read it, then close it: chmod 700.",
                path=str(folder),
            )


def _read_whole(
    path: Path, stream: BinaryIO, copy: BinaryIO | None, limit: int, progress: Progress
) -> tuple[str, int]:
    """Return a file's hash and size, copying it; it must be one file and not two halves of two."""
    before = os.fstat(stream.fileno())
    if before.st_size > limit:
        raise _too_large(path, limit)
    digest, size = _sha256(), 0
    for chunk in _chunks(path, stream):
        size += len(chunk)
        if size > before.st_size:
            break  # It grows, who knows how far.
        digest.update(chunk)
        if copy is not None:
            copy.write(chunk)
        progress(len(chunk))
    after = os.fstat(stream.fileno())
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, size):
        raise FileChanged(
            f"{path} changed while it was read",
            hint="Nothing was attached. Try again when nobody writes to it any more.",
            path=str(path),
        )
    return digest.hexdigest(), size


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[BinaryIO]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # Asked first: opening a device does things.
            raise _unreadable(path, "it is not a regular file")
        stream = os.fdopen(os.open(path, flags), "rb")
    except OSError as error:
        raise _unreadable(path, error.strerror) from None
    except ValueError:  # A NUL in it.
        raise _unreadable(path, "no file can have that name") from None
    with stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise _unreadable(path, "it is not a regular file")
        yield stream


def _chunks(path: Path, stream: BinaryIO) -> Iterator[bytes]:
    while True:
        try:
            chunk = stream.read(CHUNK_BYTES)
        except OSError as error:
            raise _unreadable(path, error.strerror) from None
        if not chunk:
            return
        yield chunk


def _sha256() -> Any:  # noqa: ANN401 -- hashlib's own class.
    import hashlib  # OpenSSL comes with it, for 2 ms: whether a file is there takes no hash.

    return hashlib.sha256()


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Make a file that is not there yet, for its owner alone; it goes if anything fails."""
    with _explained(path):
        handle = os.open(path, _WRITING, 0o600)
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise


def _settle(copy: BinaryIO) -> None:
    """Make sure that a copy is on the disk, and that nobody changes it by mistake."""
    copy.flush()
    os.fsync(copy.fileno())
    if os.name == "posix":
        os.fchmod(copy.fileno(), 0o400)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the system says of writing into the ledger's own errors."""
    try:
        yield
    except OSError as error:
        if error.errno in driver.FULL:
            raise DiskFull(
                f"{path.parent} could not be written: the disk is full",
                hint="Nothing was recorded. Make room, then try again.",
                path=str(path),
            ) from None
        raise LedgerUnwritable(
            f"{path} cannot be written: {error.strerror}",
            hint="The ledger's folder must be writable.",
            path=str(path),
        ) from None


def _unreadable(path: Path, reason: str | None) -> LiveportalError:
    return UnreadableFile(
        f"{path} cannot be read: {reason}", hint="Check the path.", path=str(path)
    )


def _too_large(path: Path, limit: int) -> LiveportalError:
    return FileTooLarge(
        f"{path} is larger than the limit of {limit} bytes",
        hint="`liveportal preferences set --attachment-limit` raises it.",
        path=str(path),
        limit=limit,
    )
