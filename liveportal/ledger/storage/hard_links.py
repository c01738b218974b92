"""Ledgers with a second name (a hard link): they are not written, and read only if that is safe.

SQLite names its write-ahead log and its rollback journal after the path. Two programs that open one
file under two names use two logs, do not see each other's locks, and destroy the file. A reader
under one name also cannot see what a crash left in the log of the other name.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from liveportal.domain.errors import LedgerLinked
from liveportal.ledger.storage import atomic

_LOGS = ("-wal", "-journal")
_TEMP_FILE = re.compile(r"\..+\.[0-9a-f]{8}\.part", re.DOTALL)
_TEMP_FOLDER = re.compile(r"\..+\.[0-9a-f]{8}\.work", re.DOTALL)


class Names(NamedTuple):
    """The names of a file other than the one by which it was opened.

    `links` counts all names of the file, including those in other folders, which cannot be found.
    `temp` holds the temporary names under which this program was writing it when it was killed.
    """

    links: int
    others: tuple[Path, ...] = ()
    temp: tuple[Path, ...] = ()


def names_of(path: Path) -> Names:
    """Return the other names that a file has in its folder; raises `OSError`."""
    real = Path(os.path.realpath(path))
    status = real.stat()
    if status.st_nlink <= 1:
        return Names(1)
    paths = [other for other in _candidates(real) if other != real and _is_same(other, status)]
    temp = tuple(other for other in paths if _is_temp(other))
    return Names(status.st_nlink, tuple(other for other in paths if other not in temp), temp)


def check_writable(path: Path) -> None:
    """Raise `LedgerLinked` if a file has another name, other than a temporary one of this program.

    A temporary name is removed: the file got its final name before the crash.
    """
    with suppress(OSError):
        for temp in names_of(path).temp:
            temp.unlink(missing_ok=True)
            atomic.fsync_dir(temp.parent)
        if (names := names_of(path)).links > 1:
            raise linked(path, names)


def check_readable(path: Path) -> None:
    """Raise `LedgerLinked` if recorded data may be in the log of another name."""
    with suppress(OSError):
        names = names_of(path)
        if names.links > 1 and not is_readable(path, names):
            raise linked(path, names)


def is_readable(path: Path, names: Names) -> bool:
    """Return True if a file with several names can be read completely under this name.

    It can if no other name has a log, or, should there be names in other folders, which cannot be
    checked, if this name has the log.
    """
    others = (*names.others, *names.temp)
    if any(_has_log(other) for other in others):
        return False
    return names.links == 1 + len(others) or _has_log(Path(os.path.realpath(path)))


def linked(path: Path, names: Names) -> LedgerLinked:
    """Return the error for a ledger with several names; its hint says how to give it one."""
    elsewhere = names.links - 1 - len(names.others)
    also = [str(other) for other in names.others] + ["a name in another folder"] * bool(elsewhere)
    real = os.path.realpath(path)
    single, own = shlex.quote(f"{real}.single"), shlex.quote(real)
    return LedgerLinked(
        f"{path} has {names.links} names (hard links), including {', '.join(also)}. Using a"
        " ledger under two names would destroy it.",
        hint="Close all programs that use it. Then turn the name that was used last into a separate"
        f" file: cp -p {own} {single} && mv {single} {own}",
        path=str(path),
        names=names.links,
        others=[str(other) for other in names.others],
    )


def _candidates(real: Path) -> Iterator[Path]:
    """Yield the paths that may be other names of a file: its siblings, and all in work folders."""
    with os.scandir(real.parent) as entries:
        for entry in entries:
            if _TEMP_FOLDER.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                yield from Path(entry.path).iterdir()
            yield real.with_name(entry.name)


def _is_same(path: Path, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.lstat(), status)
    except OSError:
        return False


def _is_temp(path: Path) -> bool:
    return bool(_TEMP_FILE.fullmatch(path.name) or _TEMP_FOLDER.fullmatch(path.parent.name))


def _has_log(path: Path) -> bool:
    for suffix in _LOGS:
        with suppress(OSError):
            if Path(f"{path}{suffix}").stat().st_size:
                return True
    return False
