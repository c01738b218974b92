"""Run a program under strace, and parse what it did to the files of one folder.

Strings are traced whole, as hexadecimal bytes, so written content is known exactly. Calls that
failed changed nothing and are left out, as are calls on files elsewhere; writes to standard output
are kept, since they acknowledge what is recorded.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Calls that make, change, name or sync a file. A call that `disk` does not know fails the test.
CALLS = (
    *("open", "openat", "openat2", "creat", "close", "dup", "dup2", "dup3", "fcntl", "lseek"),
    *("write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile", "copy_file_range"),
    *("truncate", "ftruncate", "fallocate", "chmod", "fchmod", "fchmodat", "fchmodat2"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "mknod", "mknodat", "umask"),
    *("fsync", "fdatasync", "sync_file_range", "sync", "syncfs"),
)
UMASK = 0o022
"""What the traced program starts with, as most people's shells have it."""

_LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+)(?:<|\s|$)")
_UNFINISHED = re.compile(r"(\d+) +(.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)$")
_ARGUMENT = re.compile(r'"[^"]*"(?:\.\.\.)?|\[[^\]]*\]|\{[^}]*\}|[^,"\[{]+')
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_ANNOTATED = re.compile(r"(-?\d+|AT_FDCWD)(?:<([^>]*)>)?")


class Untraceable(Exception):
    """The trace holds something that cannot be read."""


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that succeeded, with its arguments as strace writes them."""

    name: str
    args: tuple[str, ...]
    result: int

    def descriptor(self, n: int = 0) -> int:
        """Return a file descriptor; -100 for the working folder."""
        number = _ANNOTATED.match(self.args[n])
        if not number:
            raise Untraceable(self)
        return -100 if number[1] == "AT_FDCWD" else int(number[1])

    def path_of(self, n: int = 0) -> str:
        """Return the path that strace adds to a descriptor."""
        match = _ANNOTATED.match(self.args[n])
        return os.fsdecode(_bytes(match[2])) if match and match[2] else ""

    def data(self, n: int) -> bytes:
        """Return the bytes of a string, or of several that are written together."""
        strings = _STRING.findall(self.args[n])
        if any(more for _, more in strings):
            raise Untraceable("a string was cut short")
        return b"".join(_bytes(text) for text, _ in strings)

    def path(self, n: int, *, folder: int | None = None) -> str:
        """Return a path; `folder` is the argument that it is relative to."""
        given = os.fsdecode(self.data(n))
        base = self.path_of(folder) if folder is not None else ""
        return os.path.normpath(os.path.join(base, given))  # noqa: PTH118 -- Not of this system.

    def number(self, n: int) -> int:
        """Return a number."""
        return int(self.args[n], 0)

    def has(self, n: int, flag: str) -> bool:
        """Return whether a flag is set."""
        return len(self.args) > n and flag in self.args[n].split("|")


@dataclass(frozen=True, slots=True)
class Traced:
    """What a run did, in order, and how it ended."""

    calls: tuple[Call, ...]
    code: int
    out: str
    err: str


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


@cache
def why_not() -> str | None:
    """Return why nothing can be traced here; None where it can."""
    if not sys.platform.startswith("linux"):
        return "power loss is simulated from system calls traced on Linux"
    if not shutil.which("strace"):
        return "power loss is simulated from system calls, and strace is not installed"
    probe = subprocess.run(
        [*_strace(Path("/dev/null")), sys.executable, "-c", ""],
        capture_output=True,
        check=False,
    )
    if probe.returncode:
        last = probe.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return f"power loss is simulated from system calls, and strace may not trace here: {last}"
    return None


def run(
    argv: Sequence[str],
    cwd: Path,
    folder: Path,
    log: Path,
    *,
    env: Mapping[str, str],
    stdin: bytes = b"",
) -> Traced:
    """Run a program under strace; return its calls on a folder and its output.

    It runs in another folder: else everything that it reads would seem to concern that folder.
    """
    done = subprocess.run(
        [*_strace(log), *argv],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=dict(env),
        umask=UMASK,
        timeout=120,
        check=False,
    )
    with log.open(encoding="ascii") as lines:
        calls = tuple(read(lines, folder))
    return Traced(calls, done.returncode, done.stdout.decode(), done.stderr.decode())


def _strace(log: Path) -> list[str]:
    calls = ",".join(f"?{name}" for name in CALLS)  # Those that this processor has.
    traced = ["-f", "-y", "-xx", "-s", "100000000", "-e", f"trace={calls}", "-e", "signal=none"]
    return ["strace", "--seccomp-bpf", "-qq", *traced, "-o", str(log)]


def read(lines: Iterable[str], folder: Path) -> Iterator[Call]:
    """Read a trace: the calls about a folder, and those that wrote to standard output."""
    marks = "".join(f"\\x{byte:02x}" for byte in os.fsencode(folder))
    pending: dict[str, str] = {}
    for line in map(str.rstrip, lines):
        if match := _UNFINISHED.match(line):
            pending[match[1]] = match[2]
            continue
        # A call takes the place where it ended: no one can rely on it before.
        match = _RESUMED.match(line)
        text = f"{match[1]} {pending.pop(match[1])}{match[2]}" if match else line
        call = _LINE.match(text)
        if not call or int(call[4], 0) < 0:
            continue
        name, args = call[2], call[3]
        is_said = name in {"write", "writev"} and re.match(r"1[<,]", args)
        if is_said or name in {"umask", "sync"} or marks in text:
            parts = (part.strip() for part in _ARGUMENT.findall(args))
            yield Call(name, tuple(part for part in parts if part), int(call[4], 0))
