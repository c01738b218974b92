"""Folders as a crash could leave them: one choice of what has reached the disk."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.faults.power.disk import ROOT, Disk, Mode, Name, Node, Resize, Write, grow, paths

SECTOR_BYTES = 512
PAGE_BYTES = 4096
NOISE = random.Random(0).randbytes(1 << 20)  # noqa: S311 -- No secret.
"""What lay on the disk before."""

Names = Literal["kept", "ordered", "any", "issued"]
Bytes = Literal["kept", "mixed", "issued"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a crash keeps of the names and bytes that were not synced.

    Nothing (`kept`: only what was synced is there), everything (`issued`), or a random choice: of
    the names the latest are lost (`ordered`, as a journal loses them) or `any` of them.
    """

    names: Names
    bytes: Bytes

    def __str__(self) -> str:
        return f"{self.names} names, {self.bytes} bytes"


FIXED = (
    Plan("kept", "kept"),
    Plan("issued", "issued"),
    Plan("issued", "kept"),
    Plan("kept", "issued"),
)
CHANCE = (
    Plan("issued", "mixed"),
    Plan("kept", "mixed"),
    Plan("ordered", "mixed"),
    Plan("any", "mixed"),
    Plan("any", "issued"),
    Plan("any", "kept"),
)


@dataclass(frozen=True, slots=True)
class Crashed:
    """What is found after a crash: each path's mode, and its bytes unless it is a folder."""

    files: dict[str, tuple[int, bytes | None]]

    def digest(self) -> bytes:
        """Return a digest that identifies it."""
        digest = hashlib.blake2b(digest_size=16)
        for path, (mode, content) in sorted(self.files.items()):
            digest.update(f"{path}\0{mode}\0{-1 if content is None else len(content)}\0".encode())
            digest.update(content or b"")
        return digest.digest()

    def write(self, folder: Path) -> None:
        """Write the folder out, replacing the existing one."""
        if folder.exists():
            shutil.rmtree(folder)
        for path, (mode, content) in self.files.items():  # Folders come before their content.
            target = folder / path
            if content is None:
                target.mkdir()
            else:
                target.write_bytes(content)
            target.chmod(mode)


def crash_folder(disk: Disk, plan: Plan, rng: random.Random) -> Crashed:
    """Return a folder that a crash could leave now."""
    files: dict[str, tuple[int, bytes | None]] = {"": (disk.nodes[ROOT].mode, None)}
    runs: dict[int, tuple[int, bytes | None]] = {}
    for path, number in paths(_names(disk, plan.names, rng)):
        node = disk.nodes[number]
        if number not in runs:
            if node.is_folder:
                runs[number] = node.mode, None
            else:
                content, mode = _content(node, plan.bytes, rng)
                if path.endswith("-shm"):
                    # Mapped and never synced: any earlier content.
                    content = rng.choice((bytes(len(content)), _noise(0, len(content))))
                runs[number] = mode, content
        files[path] = runs[number]
    return Crashed(files)


def _names(disk: Disk, plan: Names, rng: random.Random) -> dict[Name, int]:
    if plan == "kept":
        return disk.kept
    if plan == "issued":
        return disk.names
    chosen = disk.namings
    if plan == "ordered":
        chosen = chosen[: rng.randint(0, len(chosen))]
    else:
        bias = rng.choice((0.2, 0.5, 0.8))
        chosen = [write for write in chosen if rng.random() < bias]
    names = dict(disk.kept)
    for naming in chosen:
        for name, number in naming.names:
            if number is None:
                names.pop(name, None)
            else:
                names[name] = number
    return names


def _content(node: Node, plan: Bytes, rng: random.Random) -> tuple[bytes, int]:
    if plan == "kept" or not node.changes:
        return node.kept, node.mode
    if plan == "issued":
        return node.latest()
    return _mixed(node, rng)


def _mixed(node: Node, rng: random.Random) -> tuple[bytes, int]:
    """Return a file of which each sector has one of its versions, and the size of any moment."""
    count = len(node.changes)
    # The size, the mode and the cuts are as after this many of the changes.
    moment = rng.choice((0, count, rng.randint(0, count)))
    versions = _versions(node, rng)
    _bind_to_cuts(node, moment, versions)
    sizes = list(_sizes(node))
    content = bytearray(node.kept)
    noisy = _make_noise(content, max(sizes), node, rng)
    mode = node.mode
    for number, change in enumerate(node.changes, 1):
        match change:
            case Write(at, data):
                for sector in _sectors(at, len(data)):
                    if versions[sector] >= number:
                        if sector in noisy:
                            noisy.remove(sector)
                            begin = sector * SECTOR_BYTES
                            content[begin : begin + SECTOR_BYTES] = bytes(SECTOR_BYTES)
                        _put(content, sector, at, data)
            case Resize(size) if number <= moment:
                del content[size:]
                grow(content, size)
            case Mode() if number <= moment:
                mode = change.mode
    del content[sizes[moment] :]
    grow(content, sizes[moment])
    return bytes(content), mode


def _versions(node: Node, rng: random.Random) -> dict[int, int]:
    """Choose for each sector that was written how many of the changes it has seen."""
    count, bias = len(node.changes), rng.choice((0.1, 0.5, 0.9))
    grain = rng.choice((SECTOR_BYTES, PAGE_BYTES, 0))
    versions: dict[int, int] = {}
    blocks: dict[int, int] = {}
    for number, change in enumerate(node.changes, 1):
        if not isinstance(change, Write):
            continue
        whole = rng.random() < bias  # Whether this write arrives, if writes arrive whole.
        for sector in _sectors(change.at, len(change.data)):
            if not grain:
                versions[sector] = number if whole else versions.get(sector, 0)
            elif sector not in versions:
                block = sector * SECTOR_BYTES // grain
                if block not in blocks:
                    others = (0, rng.randint(0, count))
                    blocks[block] = count if rng.random() < bias else rng.choice(others)
                versions[sector] = blocks[block]
    return versions


def _bind_to_cuts(node: Node, moment: int, versions: dict[int, int]) -> None:
    """Let no sector be older than a cut that has happened, or newer than one that has not."""
    for number, change in enumerate(node.changes, 1):
        if isinstance(change, Resize):
            for sector, version in versions.items():
                if (sector + 1) * SECTOR_BYTES > change.size:
                    if number <= moment:
                        versions[sector] = max(version, number)
                    else:
                        versions[sector] = min(version, number - 1)


def _sizes(node: Node) -> Iterator[int]:
    """Return the size before and after each change."""
    yield (size := len(node.kept))
    for change in node.changes:
        match change:
            case Write(at, data):
                size = max(size, at + len(data))
            case Resize():
                size = change.size
        yield size


def _make_noise(content: bytearray, size: int, node: Node, rng: random.Random) -> set[int]:
    """Make a file of its greatest length; where writing extended it, perhaps not with zeros.

    Returns the sectors that hold earlier content of the disk.
    """
    end = -(-len(content) // PAGE_BYTES) * PAGE_BYTES  # The rest of the last page is zeros.
    is_noisy = rng.random() < 0.3 and not any(isinstance(change, Resize) for change in node.changes)
    if not is_noisy or size <= end:
        grow(content, size)
        return set()
    grow(content, end)
    content += _noise(end, -(-size // SECTOR_BYTES) * SECTOR_BYTES)
    return set(range(end // SECTOR_BYTES, len(content) // SECTOR_BYTES))


def _noise(begin: int, end: int) -> bytes:
    """Return the earlier content of the disk between two offsets of a file."""
    times = -(-end // len(NOISE))
    return (NOISE * times)[begin:end]


def _sectors(at: int, size: int) -> Sequence[int]:
    return range(at // SECTOR_BYTES, (at + size - 1) // SECTOR_BYTES + 1)


def _put(content: bytearray, sector: int, at: int, data: bytes) -> None:
    """Write the part of some data that is in a sector."""
    begin = max(at, sector * SECTOR_BYTES)
    end = min(at + len(data), (sector + 1) * SECTOR_BYTES)
    grow(content, end)
    content[begin:end] = data[begin - at : end - at]
