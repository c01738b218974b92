"""Directory entries reach the disk: folders are synced where possible, failures are reported."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from liveportal.domain.errors import LedgerUnwritable
from liveportal.domain.policy import Policy
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.storage.fsync import fsync_dir, fsync_file, make_folders
from liveportal.portal import Portal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="folders are synced on POSIX")


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
