"""Backups on full disks, with flipped bytes, cut short: an error, or the backed-up ledger."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
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
from tests.faults.backups import content, good_backups, litter, place_in
from tests.faults.books import Place
from tests.faults.conftest import Amount
from tests.kit.fork_server import ForkServer
from tests.kit.shell import OCTOBER

pytestmark = pytest.mark.slow

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
    count = amount(quick=40, whole=3_000)
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
    step = max(1, len(whole) // amount(quick=30, whole=1_500))
    for length in range(0, len(whole) - 1, step):
        file.write_bytes(whole[:length])
        with pytest.raises((DamagedBackup, InvalidBackup)), restoring(target, file):
            pass
        assert not target.parent.exists()


# --- full disks -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prepared(fork_server: ForkServer, memory: Path) -> Path:
    """Make a ledger with evidence, and a backup of it."""
    place = place_in(fork_server, memory / "to-fill-disks")
    place.done("init")
    place.done("sync", str(OCTOBER))
    (place.folder / "film").write_bytes(os.urandom(200_000))
    place.done("sessions", "attach", "S-1002", "film")
    place.done("ledger", "backup", "-o", "copy.zip")
    return place.folder


@pytest.fixture
def rich(fork_server: ForkServer, prepared: Path, folder: Path) -> Place:
    """Give a copy of the ledger."""
    return place_in(fork_server, shutil.copytree(prepared, folder / "rich"))


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_disk_that_is_full_somewhere(rich: Place, amount: Amount, command: str) -> None:
    """Wherever writing fails: an error in words, the ledger unchanged, nothing left behind."""
    argv = {
        "backup": ("ledger", "backup", "-o", "b.zip"),
        "restore": ("ledger", "restore", "copy.zip", "--yes"),
    }[command]
    before = content(rich.ledger)
    size = max(path.stat().st_size for path in rich.folder.iterdir() if path.is_file())
    count = amount(quick=4, whole=60)
    failures = 0
    for number in range(count):
        limit = (number + 1) * (size + 50_000) // count
        ended = rich.run(*argv, limit=limit)
        if ended.code:
            failures += 1
            assert ended.code in (1, 74), (limit, ended)
            _check_said(ended.err)
            assert not (rich.folder / "b.zip").exists()
            assert not list(rich.folder.glob("ledger.db.replaced-*"))
        assert content(rich.ledger) == before
        assert litter(rich.folder) == []
        (rich.folder / "b.zip").unlink(missing_ok=True)
        for kept in rich.folder.glob("ledger.db.replaced-*"):
            kept.unlink()
    assert 0 < failures < count


def _check_said(err: str) -> None:
    assert err.startswith("error: "), err
    assert "bug" not in err
    assert "full" in err or "large" in err, err


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """Give a folder that is a disk of 700 kB; only its owner, root, can make one."""
    disk = folder / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=700k", "none", str(disk)]
    if not shutil.which("mount") or subprocess.run(mounting, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)  # noqa: S607


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root mounts")
def test_a_real_disk_that_is_full(rich: Place, small_disk: Path, amount: Amount) -> None:
    """To a small disk that is ever fuller: a backup that is whole, or none and exit 74."""
    ends = set()
    count = amount(quick=4, whole=40)
    for number in range(count):
        filler = small_disk / "filler"
        filler.write_bytes(bytes(690_000 - number * 690_000 // count))
        ended = rich.run("ledger", "backup", "--to", str(small_disk))
        ends.add(ended.code)
        assert ended.code in (0, 74), ended
        assert len(good_backups(small_disk)) == (ended.code == 0)
        assert litter(small_disk) == litter(rich.folder) == []
        for path in small_disk.iterdir():
            path.unlink()
    assert ends == {0, 74}


def test_a_new_place_on_a_full_disk(rich: Place, small_disk: Path) -> None:
    """There is no room for the ledger that comes back: an error before anything is unpacked."""
    (small_disk / "filler").write_bytes(bytes(600_000))
    ledger = str(small_disk / "l" / "ledger.db")
    ended = rich.run("--ledger", ledger, "ledger", "restore", "copy.zip")
    assert ended.code == 1
    assert "bytes are free" in ended.err
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
