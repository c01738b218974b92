"""Temporary files: leftovers of crashes are removed, and nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

from liveportal.ledger.storage.temp_files import STALE_SECONDS, remove, sweep, temp_path_for


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
    sweep(path, stale_seconds=None)
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
