"""The model of a disk: what a power cut may lose of a few calls, and what it may not."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.faults.power.crash import CHANCE, FIXED, NOISE, crash_folder
from tests.faults.power.disk import Disk
from tests.faults.power.trace import Untraceable, read

STATES = 400
FolderState = dict[str, bytes | None]


def _hex(text: str | bytes) -> str:
    given = text.encode() if isinstance(text, str) else text
    return "".join(f"\\x{byte:02x}" for byte in given)


class Calls:
    """Calls as strace writes them, made on a model of a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.disk = Disk(root)

    def _path(self, name: str) -> str:
        return f'"{_hex(str(self.root / name))}"'

    def _fd(self, number: int) -> str:
        return f"{number}<{_hex(str(self.root))}>"

    def do(self, *lines: str) -> None:
        """Make calls."""
        for call in read((f"7  {line}" for line in lines), self.root):
            self.disk.do(call)

    def create(self, name: str, fd: int = 3) -> None:
        """Make a file."""
        flags = "O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC"
        self.do(f"openat(AT_FDCWD<{_hex('/')}>, {self._path(name)}, {flags}, 0600) = {fd}")

    def open(self, name: str, fd: int) -> None:
        """Open an existing file."""
        self.do(f"openat(AT_FDCWD<{_hex('/')}>, {self._path(name)}, O_RDONLY) = {fd}")

    def write(self, data: bytes, at: int | None = None, fd: int = 3) -> None:
        """Write, somewhere or where the last write ended."""
        text, size = _hex(data), len(data)
        if at is None:
            self.do(f'write({self._fd(fd)}, "{text}", {size}) = {size}')
        else:
            self.do(f'pwrite64({self._fd(fd)}, "{text}", {size}, {at}) = {size}')

    def cut(self, size: int, fd: int = 3) -> None:
        """Cut a file."""
        self.do(f"ftruncate({self._fd(fd)}, {size}) = 0")

    def sync(self, fd: int = 3) -> None:
        """Sync a file or a folder."""
        self.do(f"fsync({self._fd(fd)}) = 0")

    def two(self, call: str, old: str, new: str) -> None:
        """Rename or link."""
        self.do(f"{call}({self._path(old)}, {self._path(new)}) = 0")

    def one(self, call: str, name: str, more: str = "") -> None:
        """Remove a file or make a folder."""
        self.do(f"{call}({self._path(name)}{more}) = 0")

    def states(self) -> list[FolderState]:
        """Return all states that crashes leave, each once: the root's own files by path."""
        rng = random.Random(1)  # noqa: S311 -- The same crashes each time.
        distinct: list[FolderState] = []
        for plan in (*FIXED, *CHANCE * STATES):
            left = crash_folder(self.disk, plan, rng).files
            state = {path: content for path, (_, content) in left.items() if path}
            if state not in distinct:
                distinct.append(state)
        return distinct

    def only(self, *expected: FolderState) -> None:
        """Assert that exactly the expected states are possible."""
        states = self.states()
        assert all(state in states for state in expected), states
        assert all(state in expected for state in states), states


@pytest.fixture
def calls(tmp_path: Path) -> Calls:
    """Give a folder with a synced file `old` in it."""
    (tmp_path / "old").write_bytes(b"old")
    return Calls(tmp_path)


OLD: FolderState = {"old": b"old"}
ANYTHING: tuple[bytes | None, ...] = (b"", bytes(3), NOISE[:3], b"new")
"""What may be in a file to which three bytes were written, and never synced."""


def test_a_file_that_was_not_synced(calls: Calls) -> None:
    """It may be missing, empty, with zeros, with earlier content of the disk, or whole."""
    calls.create("new")
    calls.write(b"new")
    calls.only(OLD, *(OLD | {"new": content} for content in ANYTHING))


def test_a_synced_file_may_lose_its_name(calls: Calls) -> None:
    """Its bytes are safe under any name; a sync of its folder keeps the name."""
    calls.create("new")
    calls.write(b"new")
    calls.sync()
    calls.only(OLD, OLD | {"new": b"new"})
    calls.open("", 4)
    calls.sync(4)
    calls.only(OLD | {"new": b"new"})


def test_a_synced_folder_keeps_no_bytes(calls: Calls) -> None:
    """The name of a file whose bytes were not synced says nothing about them."""
    calls.create("new")
    calls.write(b"new")
    calls.open("", 4)
    calls.sync(4)
    calls.only(*(OLD | {"new": content} for content in ANYTHING))


def test_a_rename_is_whole(calls: Calls) -> None:
    """The file has the old name or the new one, and replaces the target whole or not at all."""
    calls.create("part")
    calls.write(b"new")
    calls.sync()
    calls.open("", 4)
    calls.sync(4)
    calls.two("rename", "part", "old")
    calls.only({"old": b"old", "part": b"new"}, {"old": b"new"})
    calls.sync(4)
    calls.only({"old": b"new"})


def test_a_rename_before_the_bytes_may_leave_neither(calls: Calls) -> None:
    """After renaming an unsynced file, the file may be empty."""
    calls.create("part")
    calls.write(b"new")
    calls.open("", 4)
    calls.two("rename", "part", "old")
    calls.sync(4)
    calls.only(*({"old": content} for content in ANYTHING))


def test_a_link_and_the_name_it_is_of(calls: Calls) -> None:
    """Both names are of one file; each may be lost, the later one alone."""
    calls.two("link", "old", "new")
    calls.one("unlink", "old")
    both: FolderState = {"old": b"old", "new": b"old"}
    calls.only(OLD, both, {"new": b"old"}, {})


def test_a_removed_file_may_come_back(calls: Calls) -> None:
    """Until its folder is synced."""
    calls.one("unlink", "old")
    calls.only(OLD, {})
    calls.open("", 4)
    calls.sync(4)
    calls.only({})


def test_a_folder_is_lost_with_all_that_is_in_it(calls: Calls) -> None:
    """A file and its folder may be synced: if the folder's own name was not, all is gone."""
    calls.one("mkdir", "folder", ", 0700")
    calls.create("folder/new")
    calls.write(b"new")
    calls.sync()
    calls.open("folder", 4)
    calls.sync(4)
    calls.only(OLD, OLD | {"folder": None, "folder/new": b"new"})


def test_a_rename_into_another_folder(calls: Calls) -> None:
    """It is kept by the folder that it leads to, and takes the old name away with it."""
    calls.one("mkdir", "folder", ", 0700")
    calls.open("", 4)
    calls.open("folder", 5)
    calls.sync(4)
    calls.two("rename", "old", "folder/new")
    before: FolderState = OLD | {"folder": None}
    after: FolderState = {"folder": None, "folder/new": b"old"}
    calls.sync(4)
    calls.only(before, after)
    calls.sync(5)
    calls.only(after)


def test_a_sector_is_whole_and_all_others_stay(calls: Calls) -> None:
    """Of a write over three sectors any may arrive; the neighbours are unchanged."""
    calls.create("new")
    calls.write(b"a" * 2048)
    calls.sync()
    calls.open("", 4)
    calls.sync(4)
    calls.write(b"b" * 1024, at=256)
    a, b = b"a" * 256, b"b" * 256
    sectors = ((a + a, a + b), (b + b, a + a), (b + a, a + a))
    wanted = [
        first + second + third + a + a
        for first in sectors[0]
        for second in sectors[1]
        for third in sectors[2]
    ]
    calls.only(*(OLD | {"new": content} for content in wanted))


def test_a_sector_has_one_of_its_versions(calls: Calls) -> None:
    """A later write is never there without the earlier one."""
    calls.create("new")
    calls.write(b"....", at=0)
    calls.sync()
    calls.open("", 4)
    calls.sync(4)
    calls.write(b"1", at=0)
    calls.write(b"2", at=1)
    calls.only(*(OLD | {"new": content} for content in (b"....", b"1...", b"12..")))


def test_what_was_cut_off_does_not_come_back(calls: Calls) -> None:
    """A file that was cut and has grown again never has its former bytes below the new size."""
    calls.create("new")
    calls.write(b"a" * 1024)
    calls.sync()
    calls.open("", 4)
    calls.sync(4)
    calls.cut(0)
    calls.write(b"b" * 512, at=512)
    wanted = (b"a" * 1024, b"", bytes(1024), bytes(512) + b"b" * 512)
    calls.only(*(OLD | {"new": content} for content in wanted))


def test_positions_and_descriptors(calls: Calls) -> None:
    """Writes follow each other, also through a copy of a descriptor and after a seek."""
    calls.create("new")
    calls.write(b"ab")
    calls.do("dup(3<>) = 9".replace("<>", f"<{_hex(str(calls.root))}>"))
    calls.write(b"cd", fd=9)
    calls.do(f"lseek({calls._fd(9)}, 1, SEEK_SET) = 1")  # noqa: SLF001 -- A call of its own.
    calls.write(b"X")
    calls.sync(9)
    calls.open("", 4)
    calls.sync(4)
    calls.only(OLD | {"new": b"aXcd"})


@pytest.mark.parametrize(
    "line",
    [
        "sendfile(3<{root}>, 4, NULL, 5) = 5",
        "symlink({root}, {root}) = 0",
        "openat(AT_FDCWD<{root}>, {strange}, O_RDONLY) = 3",
    ],
)
def test_what_the_model_does_not_know_is_no_silence(calls: Calls, line: str) -> None:
    """A call without a rule, an unknown file: the test fails instead of passing wrongly."""
    root = _hex(str(calls.root))
    strange = f'"{_hex(str(calls.root / "strange"))}"'
    with pytest.raises(Untraceable):
        calls.do(line.format(root=root, strange=strange))


def test_calls_of_two_threads_are_put_together(tmp_path: Path) -> None:
    """An interrupted call takes the place where it ended; a failed one is left out."""
    path, name = _hex(str(tmp_path)), _hex(str(tmp_path / "x"))
    lines: Iterable[str] = (
        f'7  openat(AT_FDCWD<{path}>, "{name}", O_RDWR|O_CREAT, 0600 <unfinished ...>',
        f"8  fsync(5<{path}>) = 0",
        f"7  <... openat resumed>) = 3<{name}>",
        f'8  unlink("{name}") = -1 ENOENT (No such file or directory)',
        '8  write(1<\\x70>, "\\x68\\x69", 2) = 2',
        '8  write(2<\\x70>, "\\x68\\x69", 2) = 2',
        "7  +++ exited with 0 +++",
    )
    calls = list(read(lines, tmp_path))
    assert [call.name for call in calls] == ["fsync", "openat", "write"]
    assert calls[1].path(1, folder=0) == str(tmp_path / "x")
    assert calls[2].data(1) == b"hi"
