"""Files are made or replaced in one step, and reach the disk with their names.

Folders are synced where possible, failures are reported. What crashes left behind is removed, and
nothing else.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import pytest

from liveportal.domain.errors import LedgerUnwritable
from liveportal.domain.policy import Policy
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.storage import atomic
from liveportal.ledger.storage.atomic import (
    STALE_SECONDS,
    fsync_dir,
    fsync_file,
    make_folders,
    remove,
    sweep,
    temp_path_for,
)
from liveportal.portal import Portal

Writer = Callable[[Path], AbstractContextManager[BinaryIO]]

posix = pytest.mark.skipif(os.name != "posix", reason="folders are synced on POSIX")


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list of the folders that are synced from now on."""
    folders: list[Path] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        folders.append(Path(f"/proc/self/fd/{handle}").readlink())
        fsync(handle)

    if not Path("/proc/self/fd").exists():
        pytest.skip("which file a descriptor is of is asked of /proc")
    monkeypatch.setattr(os, "fsync", noted)
    return folders


def test_every_new_folder_is_in_one_that_was_synced(tmp_path: Path, synced: list[Path]) -> None:
    """For three new nested folders each parent is synced, and nothing else."""
    make_folders(tmp_path / "a" / "b" / "c")
    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]
    make_folders(tmp_path / "a" / "b" / "c")
    assert len(synced) == 3


def test_a_new_ledger_keeps_its_name(tmp_path: Path, synced: list[Path]) -> None:
    """The last step of creating it is to sync its folder."""
    Portal.create(tmp_path / "ledger.db", Policy())
    assert synced[-1] == tmp_path


def test_a_file_in_the_vault_keeps_its_name(tmp_path: Path, synced: list[Path]) -> None:
    """Its bytes are synced, then every folder on the way to it, also when it is there already."""
    source, vault = tmp_path / "source.txt", Vault(tmp_path / "ledger.db")
    source.write_bytes(b"words")
    place = vault.path(hashlib.sha256(b"words").hexdigest())
    for _ in range(2):
        synced.clear()
        with vault.taking(source, limit=10) as taken:
            vault.place(taken)
        assert synced[0].suffix == ".part"
        assert synced[1:] == [place.parent, vault.folder, tmp_path]
    synced.clear()
    for _ in range(2):
        vault.erase(place.name)
        assert synced == [place.parent]


@posix
def test_a_file_system_that_syncs_no_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger is made if syncing is unsupported; a failing disk is reported."""

    def fails(code: int) -> None:
        def failing(_handle: int) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, "fsync", failing)

    fails(errno.EINVAL)
    fsync_dir(tmp_path)
    Portal.create(tmp_path / "ledger.db", Policy())
    fails(errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        fsync_dir(tmp_path)
    with pytest.raises(LedgerUnwritable):
        Portal.create(tmp_path / "other.db", Policy())


@posix
def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files can be made in it, but it cannot be opened: that is not an error."""

    def denied(*_args: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", denied)
    fsync_dir(tmp_path)


def test_a_file_that_is_not_there_needs_no_sync(tmp_path: Path, synced: list[Path]) -> None:
    """The log of a ledger, say; through a link nothing is opened."""
    fsync_file(tmp_path / "no")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        fsync_file(tmp_path / "link")
    fsync_file(tmp_path / "file")
    assert synced == [tmp_path / "file"]


def _aged(path: Path) -> Path:
    path.write_text("half")
    then = time.time() - STALE_SECONDS - 60
    os.utime(path, (then, then))
    return path


def test_what_a_crash_left_is_swept(tmp_path: Path) -> None:
    """Temporary files of the same name, an hour old, go with SQLite's files beside them."""
    path = tmp_path / "books [1].csv"
    part = _aged(temp_path_for(path))
    _aged(Path(f"{part}-wal"))
    sweep(path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_is_swept(tmp_path: Path) -> None:
    """Recently written files, other names, and links stay."""
    path = tmp_path / "books.csv"
    kept = {
        _aged(tmp_path / name)
        for name in ("books.csv", ".books.csv.part", ".books.csv.0123.part", "books.csv.part")
    }
    kept |= {
        _aged(temp_path_for(tmp_path / "other.csv")),
        _aged(temp_path_for(tmp_path / "booksXcsv")),
    }
    fresh, link, target = temp_path_for(path), temp_path_for(path), _aged(tmp_path / "target")
    fresh.write_text("half")
    link.symlink_to(target)
    sweep(path)
    assert set(tmp_path.iterdir()) == kept | {fresh, link, target}
    sweep(path, locked=True)
    kept.remove(tmp_path / ".books.csv.part")  # An earlier version may have left it.
    assert set(tmp_path.iterdir()) == kept | {link, target}


def test_a_part_goes_with_what_belongs_to_it(tmp_path: Path) -> None:
    """All files of it are removed; missing files or a missing folder are no error."""
    part = temp_path_for(tmp_path / "ledger.db")
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{part}{suffix}").write_text("half")
    remove(part)
    remove(part)
    assert list(tmp_path.iterdir()) == []
    remove(tmp_path / "nowhere" / "part")
    sweep(tmp_path / "nowhere" / "part")


# --- writing and reading --------------------------------------------------------------------------


def names(folder: Path) -> set[str]:
    """Return the names in a folder."""
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("write", [atomic.replacing, atomic.creating])
def test_a_file_is_private_and_complete(tmp_path: Path, write: Writer, synced: list[Path]) -> None:
    """It appears when the block ends, for its owner only; its content is synced before its name."""
    path = tmp_path / "file"
    with write(path) as stream:
        stream.write(b"words")
        assert not path.exists()
    assert path.read_bytes() == b"words"
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == {"file"}
    assert synced[0].suffix == ".part"
    assert synced[1:] == [tmp_path]


def _fail_halfway(stream: BinaryIO) -> None:
    stream.write(b"half")
    raise ZeroDivisionError


@pytest.mark.parametrize("write", [atomic.replacing, atomic.creating])
def test_after_an_error_there_is_no_file(tmp_path: Path, write: Writer) -> None:
    """Neither a half-written one nor a temporary one."""
    with pytest.raises(ZeroDivisionError), write(tmp_path / "file") as stream:
        _fail_halfway(stream)
    assert names(tmp_path) == set()


def test_a_replaced_file_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    """After an error it is the old one; a link is replaced, not what it leads to."""
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), atomic.replacing(path):
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    path.rename(other)
    path.symlink_to(other)
    with atomic.replacing(path) as stream:
        stream.write(b"new")
    assert (path.read_bytes(), path.is_symlink(), other.read_bytes()) == (b"new", False, b"old")


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Whether something was there before the block or came meanwhile, and without hard links."""

    def unsupported(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if not links:
        monkeypatch.setattr(os, "link", unsupported)
    path = tmp_path / "file"
    with atomic.creating(path) as stream:
        stream.write(b"first")
    with pytest.raises(FileExistsError), atomic.creating(path):
        pytest.fail("the block is not run")
    path.unlink()
    with pytest.raises(FileExistsError), atomic.creating(path):
        path.symlink_to("nowhere")
    assert names(tmp_path) == {"file"}
    assert path.is_symlink()


def test_no_link_is_followed(tmp_path: Path) -> None:
    """To create, append or read."""
    path, other = tmp_path / "link", tmp_path / "other"
    other.write_bytes(b"words")
    path.symlink_to(other)
    for call in (atomic.create, atomic.append_to, atomic.open_regular):
        with pytest.raises(OSError, match=r"link|exists"):
            call(path)
    assert atomic.small_content(path, 10) is None
    assert other.read_bytes() == b"words"
    stream = atomic.open_regular(path, follow_links=True)
    assert stream is not None
    stream.close()


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """A pipe that nothing writes to does not block; a folder is an error."""
    os.mkfifo(tmp_path / "pipe")
    assert atomic.open_regular(tmp_path / "pipe") is None
    with pytest.raises(IsADirectoryError):
        atomic.open_regular(tmp_path)
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "none"):
        assert atomic.small_content(path, 10) is None
    (tmp_path / "file").write_bytes(b"12345")
    assert atomic.small_content(tmp_path / "file", 5) == b"12345"
    assert atomic.small_content(tmp_path / "file", 4) is None
