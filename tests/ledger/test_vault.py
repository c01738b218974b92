"""The vault: each file once, complete, and private; a vault in a wrong state is refused."""

from __future__ import annotations

import hashlib
import os
import resource
import stat
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from liveportal.domain.errors import (
    DamagedFile,
    DiskFull,
    FileChanged,
    FileTooLarge,
    LedgersOwnFile,
    LedgerUnwritable,
    LiveportalError,
    NotInVault,
    UnreadableFile,
    UnsafeVault,
)
from liveportal.ledger.attachments.vault import CHUNK_BYTES, StagedFile, Vault, no_progress
from liveportal.ledger.storage.atomic import STALE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


LIMIT = 10 * CHUNK_BYTES
WORDS = b"the quick brown fox"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Return the vault of a ledger that need not exist."""
    return Vault(tmp_path / "ledger.db")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Make a file to attach."""
    path = tmp_path / "source.txt"
    path.write_bytes(WORDS)
    return path


def sha(content: bytes) -> str:
    """Return the hash of a content."""
    return hashlib.sha256(content).hexdigest()


def add(
    vault: Vault, path: Path, limit: int = LIMIT, progress: Callable[[int], None] = no_progress
) -> StagedFile:
    """Stage a file and move it to its place."""
    with vault.taking(path, limit=limit, progress=progress) as taken:
        vault.place(taken)
        return taken


def files(vault: Vault) -> list[str]:
    """Return the files in a vault, temporary ones included."""
    return sorted(path.name for path in vault.folder.rglob("*") if not path.is_dir())


def mode(path: Path) -> int:
    """Return a path's mode."""
    return stat.S_IMODE(path.lstat().st_mode)


# --- taking ---------------------------------------------------------------------------------------


def test_a_file_is_stored_by_its_hash(vault: Vault, source: Path) -> None:
    """Beside the ledger, in folders and with modes that keep others out."""
    taken = add(vault, source)
    assert (taken.sha256, taken.bytes) == (sha(WORDS), len(WORDS))
    path = vault.path(taken.sha256)
    assert path == source.parent / "ledger.db.vault" / sha(WORDS)[:2] / sha(WORDS)
    assert path.read_bytes() == WORDS
    assert [mode(each) for each in (path, path.parent, vault.folder)] == [0o400, 0o700, 0o700]
    assert vault.holds(taken.sha256)
    vault.check(taken.sha256)
    assert source.read_bytes() == WORDS


def test_the_same_content_is_stored_once(vault: Vault, source: Path, tmp_path: Path) -> None:
    """Under any name; the existing file stays."""
    first = vault.path(add(vault, source).sha256).lstat()
    unread = ("st_ino", "st_mtime_ns", "st_size", "st_mode")  # All but when it was last read.
    other = tmp_path / "other"
    other.write_bytes(WORDS)
    assert add(vault, other).stored
    assert files(vault) == [sha(WORDS)]
    again = vault.path(sha(WORDS)).lstat()
    assert [getattr(again, name) for name in unread] == [getattr(first, name) for name in unread]


def test_large_files_are_copied_in_pieces(vault: Vault, tmp_path: Path) -> None:
    """Progress is reported for each piece; an empty file is one piece."""
    content = os.urandom(2 * CHUNK_BYTES + 7)
    (tmp_path / "large").write_bytes(content)
    (tmp_path / "empty").touch()
    sizes: list[int] = []
    assert add(vault, tmp_path / "large", progress=sizes.append).sha256 == sha(content)
    assert sizes == [CHUNK_BYTES, CHUNK_BYTES, 7]
    assert add(vault, tmp_path / "empty").sha256 == sha(b"")
    assert len(files(vault)) == 2


def test_what_is_taken_and_not_placed_is_gone(vault: Vault, source: Path) -> None:
    """And a dry run does not even make the folder."""
    with vault.taking(source, limit=LIMIT, keep=False) as taken:
        assert (taken.sha256, taken.stream.read()) == (sha(WORDS), WORDS)
    assert not vault.folder.exists()
    with vault.taking(source, limit=LIMIT) as taken:
        assert taken.stream.read() == WORDS
        assert len(files(vault)) == 1
    assert files(vault) == []


def test_a_link_to_a_file_is_read(vault: Vault, source: Path, tmp_path: Path) -> None:
    """A symbolic link to a file is followed."""
    link = tmp_path / "link"
    link.symlink_to(source)
    assert add(vault, link).sha256 == sha(WORDS)


def refused(
    vault: Vault, path: Path, error: type[LiveportalError], limit: int = LIMIT
) -> LiveportalError:
    """Return the error that refuses a file; none of its bytes may be left in the vault."""
    with pytest.raises(error) as caught:
        add(vault, path, limit)
    assert type(caught.value) is error
    assert not vault.folder.exists() or files(vault) == []
    return caught.value


def test_what_is_no_file_is_refused(vault: Vault, tmp_path: Path) -> None:
    """A pipe is not waited for, and a device not opened."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "broken").symlink_to("nowhere")
    names = ("pipe", "folder", "loop", "broken", "nothing", "x" * 300, "a\0b", "folder/x/y")
    for path in (*(tmp_path / name for name in names), Path("/dev/zero"), Path("/dev/null")):
        assert "cannot be read" in refused(vault, path, UnreadableFile).message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read_is_refused(vault: Vault, source: Path) -> None:
    """In words."""
    source.chmod(0)
    assert "Permission denied" in refused(vault, source, UnreadableFile).message


def test_the_ledger_is_no_evidence(vault: Vault, tmp_path: Path) -> None:
    """Nor are the files next to it, under any name."""
    for name in (
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
        "ledger.db-journal",
        "ledger.db.key",
    ):
        (tmp_path / name).write_bytes(b"x")
        other = tmp_path / f"other-{name}"
        other.hardlink_to(tmp_path / name)
        for path in (tmp_path / name, other):
            assert "belongs to the ledger" in refused(vault, path, LedgersOwnFile).message


def test_the_limit(vault: Vault, source: Path) -> None:
    """A file of exactly the limit is stored; a larger one, or one that grows beyond it, is not."""
    for limit, size in ((len(WORDS) - 1, len(WORDS)), (1, len(WORDS))):
        error = refused(vault, source, FileTooLarge, limit=limit)
        assert error.details["limit"] == limit < size
        assert str(error.hint) == "Raise the limit with a higher limit."

    def grow(_: int) -> None:
        with source.open("ab") as file:
            file.write(WORDS)

    with pytest.raises(FileChanged):
        add(vault, source, len(WORDS), grow)
    assert files(vault) == []
    source.write_bytes(WORDS)
    add(vault, source, len(WORDS))


@pytest.mark.parametrize("change", ["grows", "shrinks", "is touched"])
def test_a_file_that_changes_meanwhile_is_refused(
    vault: Vault, tmp_path: Path, change: str
) -> None:
    """A mixture of two contents proves nothing."""
    source = tmp_path / "large"
    source.write_bytes(bytes(3 * CHUNK_BYTES))

    def disturb(_: int) -> None:
        if change == "grows":
            with source.open("ab") as file:
                file.write(b"x")
        elif change == "shrinks":
            os.truncate(source, CHUNK_BYTES)
        else:
            os.utime(source, ns=(0, 0))

    with pytest.raises(FileChanged):
        add(vault, source, progress=disturb)
    assert files(vault) == []


def test_a_file_that_vanishes_meanwhile_was_read(vault: Vault, tmp_path: Path) -> None:
    """It was open, so its content is complete."""
    source = tmp_path / "large"
    source.write_bytes(bytes(3 * CHUNK_BYTES))
    taken = add(vault, source, progress=lambda _: source.unlink(missing_ok=True))
    vault.check(taken.sha256)


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a disk that is full."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_a_full_disk(vault: Vault, tmp_path: Path) -> None:
    """Nothing half written stays."""
    source = tmp_path / "large"
    source.write_bytes(bytes(3 * CHUNK_BYTES))
    with full_disk(CHUNK_BYTES + 5):
        error = refused(vault, source, DiskFull)
    assert "Nothing was recorded" in str(error.hint)
    assert add(vault, source).bytes == 3 * CHUNK_BYTES


# --- a vault that is not as it should be ----------------------------------------------------------


def test_a_vault_that_is_a_link_is_refused(vault: Vault, source: Path, tmp_path: Path) -> None:
    """Nothing is written, or read, through it."""
    add(vault, source)
    vault.folder.rename(tmp_path / "elsewhere")
    vault.folder.symlink_to(tmp_path / "elsewhere")
    before = sorted((tmp_path / "elsewhere").rglob("*"))
    with pytest.raises(UnsafeVault, match="is not a folder"):
        add(vault, source)
    with pytest.raises(UnsafeVault):
        vault.check(sha(WORDS))
    assert sorted((tmp_path / "elsewhere").rglob("*")) == before
    vault.folder.unlink()
    vault.folder.write_bytes(b"a file")
    with pytest.raises(UnsafeVault):
        add(vault, source)


def test_a_folder_in_the_vault_that_is_a_link_is_refused(
    vault: Vault, source: Path, tmp_path: Path
) -> None:
    """Those of the first two digits are looked at, too."""
    add(vault, source)
    inner = vault.path(sha(WORDS)).parent
    inner.rename(tmp_path / "elsewhere")
    inner.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeVault):
        vault.check(sha(WORDS))
    with pytest.raises(UnsafeVault):
        add(vault, source)


@pytest.mark.parametrize("bits", [0o750, 0o705, 0o777, 0o701])
def test_a_vault_that_others_may_enter_is_refused(vault: Vault, source: Path, bits: int) -> None:
    """Its owner should learn that others have access."""
    vault.folder.mkdir()
    vault.folder.chmod(bits)
    error = refused(vault, source, UnsafeVault)
    assert f"mode {bits:o}" in error.message
    assert "chmod 700" in str(error.hint)


def test_a_link_in_the_place_of_a_file_is_replaced(
    vault: Vault, source: Path, tmp_path: Path
) -> None:
    """Its target is neither written to nor taken for the file."""
    add(vault, source)
    path, victim = vault.path(sha(WORDS)), tmp_path / "victim"
    victim.write_bytes(WORDS)
    path.unlink()
    path.symlink_to(victim)
    assert not vault.holds(sha(WORDS))
    with pytest.raises(NotInVault):
        vault.check(sha(WORDS))
    add(vault, source)
    assert not path.is_symlink()
    assert mode(victim) != 0o400


def test_a_damaged_file_is_found_and_mended(vault: Vault, source: Path, tmp_path: Path) -> None:
    """Attaching the right content again puts it right."""
    add(vault, source)
    path = vault.path(sha(WORDS))
    path.chmod(0o600)
    path.write_bytes(b"something else")
    with pytest.raises(DamagedFile):
        vault.check(sha(WORDS))
    with pytest.raises(DamagedFile):
        vault.copy_to(sha(WORDS), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    assert not add(vault, source).stored
    vault.check(sha(WORDS))
    vault.copy_to(sha(WORDS), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == WORDS
    assert mode(tmp_path / "copy") == 0o600


def test_a_copy_replaces_nothing(vault: Vault, source: Path, tmp_path: Path) -> None:
    """Nor is it written through a link."""
    add(vault, source)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name in ("source.txt", "link"):
        with pytest.raises(LedgerUnwritable):
            vault.copy_to(sha(WORDS), tmp_path / name)
    assert not (tmp_path / "target").exists()


def test_a_file_that_is_not_there(vault: Vault, tmp_path: Path) -> None:
    """It cannot be checked or copied; erasing it again does no harm."""
    with pytest.raises(NotInVault):
        vault.check(sha(b"nothing"))
    with pytest.raises(NotInVault):
        vault.copy_to(sha(b"nothing"), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    vault.erase(sha(b"nothing"))
    with pytest.raises(ValueError, match="SHA-256"):
        vault.path("../../etc/passwd")


def test_what_a_crash_left_behind_is_swept(vault: Vault, source: Path) -> None:
    """Files that are still being written stay."""
    vault.folder.mkdir(mode=0o700)
    old, young = vault.folder / "a.part", vault.folder / "b.part"
    for part in (old, young):
        part.write_bytes(b"half")
    past = time.time() - STALE_SECONDS - 10
    os.utime(old, (past, past))
    add(vault, source)
    assert files(vault) == sorted([sha(WORDS), "b.part"])
    os.utime(young, (past, past))
    vault.erase(sha(WORDS))
    assert files(vault) == []
    assert list(vault.folder.iterdir()) == []


def test_a_ledger_through_a_link_has_the_same_vault(tmp_path: Path) -> None:
    """It is beside the ledger itself."""
    (tmp_path / "books").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "books" / "ledger.db")
    assert Vault(tmp_path / "link.db").folder == tmp_path / "books" / "ledger.db.vault"
