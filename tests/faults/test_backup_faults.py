"""Backups on full disks, with flipped bytes, cut short: an error, or the backed-up ledger."""

from __future__ import annotations

import io
import os
import resource
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from liveportal.domain.errors import DamagedBackup, InvalidBackup
from liveportal.domain.policy import Policy
from liveportal.ledger.backup.backup import back_up
from liveportal.ledger.backup.restore import restoring
from liveportal.portal import Portal
from tests.faults.backups import content, environment, good_backups, litter, run_to_end
from tests.faults.conftest import Amount
from tests.kit.shell import OCTOBER

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Make a small ledger."""
    path = tmp_path / "ledger.db"
    Portal.create(path, Policy())
    return path


# --- bytes ----------------------------------------------------------------------------------------


def test_a_byte_flipped_anywhere(ledger: Path, amount: Amount) -> None:
    """In every region of an archive: it is refused, or the restored ledger is right."""
    file = ledger.with_name("good.zip")
    back_up(ledger, file, made_at=AT)
    whole = file.read_bytes()
    before = content(ledger)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        tail = archive.infolist()[1].header_offset
    # Headers, manifest, directory and end byte by byte in the whole set; a sample of the ledger.
    count = amount(quick=120, whole=3_000)
    region = [*range(120), *range(tail, len(whole))]
    step = max(1, len(region) // count)
    places = [*region[::step], *range(120, tail, max(1, (tail - 120) // count))]
    refusals = 0
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << (place % 8)
        file.write_bytes(changed)
        target = ledger.parent / f"{place}" / "ledger.db"
        try:
            with restoring(target, file) as backup:
                backup.carry_out(AT)
        except (DamagedBackup, InvalidBackup):
            refusals += 1
            assert not target.parent.exists()
        else:
            assert content(target) == before, place
            shutil.rmtree(target.parent)
    print(f"{len(places)} bytes flipped, {refusals} refused")  # noqa: T201 -- With -s, the figure.
    assert refusals > len(places) // 2


def test_a_backup_cut_short_anywhere(ledger: Path, amount: Amount) -> None:
    """However much of its end is missing, it is no backup any more."""
    file = ledger.with_name("good.zip")
    back_up(ledger, file, made_at=AT)
    whole = file.read_bytes()
    target = ledger.parent / "x" / "ledger.db"
    step = max(1, len(whole) // amount(quick=60, whole=1_500))
    for length in range(0, len(whole) - 1, step):
        file.write_bytes(whole[:length])
        with pytest.raises((DamagedBackup, InvalidBackup)), restoring(target, file):
            pass
        assert not target.parent.exists()


# --- full disks -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a ledger with evidence, and a backup of it."""
    folder = tmp_path_factory.mktemp("made")
    run_to_end(folder, "--ledger", "ledger.db", "init")
    run_to_end(folder, "--ledger", "ledger.db", "sync", OCTOBER)
    (folder / "film").write_bytes(os.urandom(200_000))
    run_to_end(folder, "--ledger", "ledger.db", "sessions", "attach", "S-1002", "film")
    run_to_end(folder, "--ledger", "ledger.db", "ledger", "backup", "-o", "copy.zip")
    return folder


@pytest.fixture
def rich(made: Path, tmp_path: Path) -> Path:
    """Give a copy of the ledger."""
    return shutil.copytree(made, tmp_path / "rich")


def limited(folder: Path, limit: int, *argv: object) -> subprocess.CompletedProcess[bytes]:
    """Run the program as if the disk were full when a file has this many bytes."""

    def limit_files() -> None:
        # Python ignores the signal; the write then fails like on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "liveportal", *map(str, argv)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=folder,
        env=environment(folder),
        preexec_fn=limit_files,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_disk_that_is_full_somewhere(rich: Path, amount: Amount, command: str) -> None:
    """Wherever writing fails: an error in words, the ledger unchanged, nothing left behind."""
    argv = {
        "backup": ("ledger", "backup", "-o", "b.zip"),
        "restore": ("ledger", "restore", "copy.zip", "--yes"),
    }[command]
    before = content(rich / "ledger.db")
    size = max(path.stat().st_size for path in rich.iterdir() if path.is_file())
    count = amount(quick=4, whole=60)
    failures = 0
    for number in range(count):
        limit = (number + 1) * (size + 50_000) // count
        done = limited(rich, limit, "--ledger", "ledger.db", *argv)
        if done.returncode:
            failures += 1
            assert done.returncode in (1, 74), (limit, done)
            assert done.stderr.startswith(b"error: ")
            assert b"bug" not in done.stderr
            assert b"full" in done.stderr or b"large" in done.stderr, done.stderr
            assert not (rich / "b.zip").exists()
            assert not list(rich.glob("ledger.db.replaced-*"))
        assert content(rich / "ledger.db") == before
        assert litter(rich) == []
        (rich / "b.zip").unlink(missing_ok=True)
        for kept in rich.glob("ledger.db.replaced-*"):
            kept.unlink()
    assert 0 < failures < count


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder that is a disk of 700 kB; only its owner, root, can make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=700k", "none", str(folder)]
    if not shutil.which("mount") or subprocess.run(mounting, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root mounts")
def test_a_real_disk_that_is_full(rich: Path, small_disk: Path, amount: Amount) -> None:
    """To a small disk that is ever fuller: a backup that is whole, or none and exit 74."""
    ends = set()
    count = amount(quick=4, whole=40)
    for number in range(count):
        filler = small_disk / "filler"
        filler.write_bytes(bytes(690_000 - number * 690_000 // count))
        done = limited(rich, 2**40, "--ledger", "ledger.db", "ledger", "backup", "--to", small_disk)
        ends.add(done.returncode)
        assert done.returncode in (0, 74), done
        assert len(good_backups(small_disk)) == (done.returncode == 0)
        assert litter(small_disk) == litter(rich) == []
        for path in small_disk.iterdir():
            path.unlink()
    assert ends == {0, 74}


def test_a_new_place_on_a_full_disk(rich: Path, small_disk: Path) -> None:
    """There is no room for the ledger that comes back: an error before anything is unpacked."""
    (small_disk / "filler").write_bytes(bytes(600_000))
    done = limited(
        rich, 2**40, "--ledger", small_disk / "l" / "ledger.db", "ledger", "restore", "copy.zip"
    )
    assert done.returncode == 1
    assert b"there is room for" in done.stderr
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
