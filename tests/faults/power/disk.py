"""A model of a folder on a disk: what has certainly reached it, and what may have.

The model assumes what POSIX promises and no more, except for three properties that every file
system in use has (ext4, XFS, btrfs, APFS, NTFS) and that SQLite also relies on:

- `fsync` and `fdatasync` of a file keep its bytes, its size and its mode. They keep no name of the
  file: ext4 would keep that of a new file as well, but POSIX does not promise it.
- `fsync` of a folder keeps the names that were made, changed and removed in it until then.
- No other call keeps anything: not close, not the end of a process, no rename (ext4 writes a file
  out before it replaces another; we do not rely on it), no `sync_file_range`.
- Any part of what was not synced may have been written, in any order: any sector in any version
  since the last sync, the size of any moment, any of the names. Where a file has grown and the
  bytes did not arrive, there are zeros, or the earlier content of the disk.
- Assumed atomic: (1) A sector of 512 bytes is written whole or not at all, and a write leaves all
  other sectors as they are ("power-safe overwrite"). (2) A name is made, removed or changed whole:
  a rename never leaves both names or neither. A rename across folders is kept by a sync of the
  target folder. (3) A sync that returned was true: no disk that lies about its cache.
- Bytes that were truncated do not come back below a longer size, and bytes written beyond the cut
  are not there without it: freed blocks are not reused before the file has given them up.

Mapped memory is not traced, and need not be: of the ledger's files only the index of the
write-ahead log (`-shm`) is mapped, and the first process to open the ledger rebuilds it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from tests.faults.power.trace import UMASK, Call, Untraceable

ROOT = 0
Name = tuple[int, str]
"""An entry: the number of the folder that it is in, and what it is called there."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes that go to a place in a file."""

    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resize:
    """A file is cut, or made longer by zeros."""

    size: int


@dataclass(frozen=True, slots=True)
class Mode:
    """The file's permissions."""

    mode: int


Change = Write | Resize | Mode


@dataclass(slots=True)
class Node:
    """A file or a folder: what is synced, and the changes since."""

    is_folder: bool
    mode: int
    kept: bytes = b""
    changes: list[Change] = field(default_factory=list)
    size: int = 0

    def settle(self) -> None:
        """Everything that was asked for is on the disk now."""
        self.kept, self.mode = self.latest()
        self.changes.clear()

    def latest(self) -> tuple[bytes, int]:
        """Return the bytes and the mode as every program sees them."""
        if not self.changes:
            return self.kept, self.mode
        content, mode = bytearray(self.kept), self.mode
        for change in self.changes:
            match change:
                case Write(at, data):
                    grow(content, at)
                    content[at : at + len(data)] = data
                case Resize(size):
                    del content[size:]
                    grow(content, size)
                case Mode():
                    mode = change.mode
        return bytes(content), mode


def grow(content: bytearray, size: int) -> None:
    """Make it at least that long, with zeros."""
    content.extend(bytes(max(0, size - len(content))))


@dataclass(frozen=True, slots=True)
class Naming:
    """Names that change together, and the folder whose sync keeps that."""

    folder: int
    names: tuple[tuple[Name, int | None], ...]


@dataclass(slots=True)
class _Opened:
    """An open file; two descriptors may share it and its position."""

    node: int
    position: int = 0
    is_appending: bool = False


class Disk:
    """A folder in which calls are made; all content of `root` is synced at first."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._umask = UMASK
        self._opened: dict[int, _Opened] = {}
        self.nodes: list[Node] = []
        self.kept: dict[Name, int] = {}
        self.namings: list[Naming] = []
        self._add(root)
        self.names = dict(self.kept)

    def _add(self, path: Path) -> int:
        number, status = len(self.nodes), path.lstat()
        if not (path.is_dir() or path.is_file()) or path.is_symlink():
            raise Untraceable(f"{path} is neither a file nor a folder")
        node = Node(path.is_dir(), stat.S_IMODE(status.st_mode))
        self.nodes.append(node)
        if node.is_folder:
            for file in sorted(path.iterdir()):
                self.kept[number, file.name] = self._add(file)
        else:
            node.kept = path.read_bytes()
            node.size = len(node.kept)
        return number

    # --- programs end ---------------------------------------------------------------------------

    def begin(self) -> None:
        """Another program begins: it has none of the open files of the one before."""
        self._umask = UMASK
        self._opened.clear()

    # --- looking --------------------------------------------------------------------------------

    def _find(self, path: str) -> tuple[Name | None, int | None]:
        """Return the name that a path ends in and its node; None if it is not in the folder."""
        if path == self._root:
            return None, ROOT
        if not path.startswith(f"{self._root}/"):
            return None, None
        *folders, last = path[len(self._root) + 1 :].split("/")
        number = ROOT
        for folder in folders:
            if (below := self.names.get((number, folder))) is None:
                raise Untraceable(f"{path} has come from nowhere")
            number = below
        return (number, last), self.names.get((number, last))

    def _node(self, call: Call, n: int = 0) -> tuple[int, Node] | None:
        """Return the node of a descriptor, which must be at the path that the system reports."""
        opened = self._opened.get(call.descriptor(n))
        if opened is None:
            return None
        return opened.node, self.nodes[opened.node]

    # --- calls ----------------------------------------------------------------------------------

    def do(self, call: Call) -> bool:
        """Make a call; return whether a crash after it can leave anything new."""
        known = self._CALLS.get(call.name)
        if known is None:
            raise Untraceable(f"no model of {call}"[:200])
        return known(self, call)

    def _open(self, call: Call) -> bool:
        relative = int(call.name == "openat")
        path = call.path(relative, folder=0 if relative else None)
        name, number = self._find(path)
        self._opened.pop(call.result, None)
        is_new = number is None and name is not None
        if is_new and name is not None:
            if not call.has(relative + 1, "O_CREAT"):
                raise Untraceable(f"{path} has come from nowhere")
            mode = int(call.args[relative + 2], 8) & ~self._umask
            number = self._made(name, Node(is_folder=False, mode=mode))
        if number is None:
            return False
        flags = relative + 1
        if call.has(flags, "O_TMPFILE"):
            raise Untraceable(f"no model of {call}"[:200])
        self._opened[call.result] = _Opened(number, is_appending=call.has(flags, "O_APPEND"))
        if call.has(flags, "O_TRUNC") and self.nodes[number].size:
            return self._change(self.nodes[number], Resize(0))
        return is_new

    def _made(self, name: Name, node: Node) -> int:
        self.nodes.append(node)
        number = len(self.nodes) - 1
        self._rename(name[0], (name, number))
        return number

    def _rename(self, folder: int, *names: tuple[Name, int | None]) -> bool:
        self.namings.append(Naming(folder, names))
        for name, number in names:
            if number is None:
                self.names.pop(name, None)
            else:
                self.names[name] = number
        return True

    def _close(self, call: Call) -> bool:
        self._opened.pop(call.descriptor(), None)
        return False

    def _copy_descriptor(self, call: Call) -> bool:
        if call.name == "fcntl" and not call.args[1].startswith("F_DUPFD"):
            return False
        self._opened.pop(call.result, None)
        if opened := self._opened.get(call.descriptor()):
            self._opened[call.result] = opened
        return False

    def _seek(self, call: Call) -> bool:
        if opened := self._opened.get(call.descriptor()):
            opened.position = call.result
        return False

    def _set_umask(self, call: Call) -> bool:
        self._umask = int(call.args[0], 8)
        return False

    def _change(self, node: Node, change: Change) -> bool:
        match change:
            case Write(at, data):
                node.size = max(node.size, at + len(data))
            case Resize(size):
                node.size = size
        node.changes.append(change)
        return True

    def _write(self, call: Call) -> bool:
        opened = self._opened.get(call.descriptor())
        if opened is None:
            return False
        node, data = self.nodes[opened.node], call.data(1)[: call.result]
        if call.name.startswith("p"):
            return self._change(node, Write(call.number(-1 if "v" not in call.name else 3), data))
        at = node.size if opened.is_appending else opened.position
        opened.position = at + len(data)
        return self._change(node, Write(at, data))

    def _truncate(self, call: Call) -> bool:
        if call.name == "truncate":
            _, number = self._find(call.path(0))
        else:
            number = located[0] if (located := self._node(call)) else None
        return number is not None and self._change(self.nodes[number], Resize(call.number(1)))

    def _allocate(self, call: Call) -> bool:
        node = self._node(call)
        if node is None:
            return False
        if call.args[1] != "0":
            raise Untraceable(f"no model of {call}"[:200])
        size = call.number(2) + call.number(3)
        return size > node[1].size and self._change(node[1], Resize(size))

    def _chmod(self, call: Call) -> bool:
        mode = int(call.args[2 if call.name.startswith("fchmodat") else 1], 8)
        if call.name == "fchmod":
            number = located[0] if (located := self._node(call)) else None
        else:
            relative = int(call.name.startswith("fchmodat"))
            _, number = self._find(call.path(relative, folder=0 if relative else None))
        if number is None:
            return False
        node = self.nodes[number]
        if node.is_folder:
            raise Untraceable(f"no model of {call}"[:200])
        return self._change(node, Mode(mode))

    def _move(self, call: Call) -> bool:
        if call.has(4, "RENAME_EXCHANGE"):
            raise Untraceable(f"no model of {call}"[:200])
        (old, number), (new, _) = self._two(call)
        if old is None or new is None or number is None:
            raise Untraceable(f"a file comes or goes by {call}"[:200])
        return self._rename(new[0], (new, number), (old, None))

    def _link(self, call: Call) -> bool:
        (_, number), (new, _) = self._two(call)
        if new is None or number is None:
            raise Untraceable(f"a file comes or goes by {call}"[:200])
        return self._rename(new[0], (new, number))

    def _two(self, call: Call) -> tuple[tuple[Name | None, int | None], ...]:
        if call.name.endswith(("at", "at2")):
            return tuple(self._find(call.path(n + 1, folder=n)) for n in (0, 2))
        return tuple(self._find(call.path(n)) for n in (0, 1))

    def _remove(self, call: Call) -> bool:
        relative = int(call.name == "unlinkat")
        name, _ = self._find(call.path(relative, folder=0 if relative else None))
        return name is not None and self._rename(name[0], (name, None))

    def _make_folder(self, call: Call) -> bool:
        relative = int(call.name == "mkdirat")
        name, _ = self._find(call.path(relative, folder=0 if relative else None))
        if name is None:
            return False
        mode = int(call.args[relative + 1], 8) & ~self._umask
        return bool(self._made(name, Node(is_folder=True, mode=mode)))

    # --- syncs ----------------------------------------------------------------------------------

    def _sync(self, call: Call) -> bool:
        if located := self._node(call):
            self._keep(*located)
        return located is not None

    def _sync_all(self, _call: Call) -> bool:
        for number, node in enumerate(self.nodes):
            self._keep(number, node)
        return True

    def _keep(self, number: int, node: Node) -> None:
        if not node.is_folder:
            node.settle()
            return
        left: list[Naming] = []
        for naming in self.namings:
            if naming.folder != number:
                left.append(naming)
                continue
            gone = {name for name, _ in naming.names}
            for name, target in naming.names:
                if target is None:
                    self.kept.pop(name, None)
                else:
                    self.kept[name] = target
            # Earlier changes of the same names are superseded.
            left = [narrow for residue in left if (narrow := _without(residue, gone)).names]
        self.namings = left

    _CALLS: ClassVar[dict[str, Callable[[Disk, Call], bool]]] = {
        **dict.fromkeys(("open", "openat"), _open),
        **dict.fromkeys(("dup", "dup2", "dup3", "fcntl"), _copy_descriptor),
        **dict.fromkeys(("write", "writev", "pwrite64", "pwritev", "pwritev2"), _write),
        **dict.fromkeys(("truncate", "ftruncate"), _truncate),
        **dict.fromkeys(("chmod", "fchmod", "fchmodat", "fchmodat2"), _chmod),
        **dict.fromkeys(("rename", "renameat", "renameat2"), _move),
        **dict.fromkeys(("link", "linkat"), _link),
        **dict.fromkeys(("unlink", "unlinkat", "rmdir"), _remove),
        **dict.fromkeys(("mkdir", "mkdirat"), _make_folder),
        **dict.fromkeys(("fsync", "fdatasync"), _sync),
        **dict.fromkeys(("sync", "syncfs"), _sync_all),
        "close": _close,
        "lseek": _seek,
        "umask": _set_umask,
        "fallocate": _allocate,
        "sync_file_range": lambda _disk, _call: False,
    }


def _without(naming: Naming, gone: set[Name]) -> Naming:
    names = tuple(name for name in naming.names if name[0] not in gone)
    return naming if len(names) == len(naming.names) else replace(naming, names=names)


def paths(names: dict[Name, int]) -> Iterator[tuple[str, int]]:
    """Return the paths reachable from the root, folders before their content."""
    below: dict[int, list[tuple[str, int]]] = {}
    for (folder, name), number in names.items():
        below.setdefault(folder, []).append((name, number))
    waiting = [("", ROOT)]
    while waiting:
        at, folder = waiting.pop()
        for name, number in sorted(below.get(folder, ())):
            path = os.path.join(at, name)  # noqa: PTH118 -- A part of a path, and many of them.
            yield path, number
            waiting.append((path, number))
