"""A ledger with a second name (a hard link): why nothing is written, and when it may be read.

SQLite names its write-ahead log and its rollback journal after the path. Two programs that open one
file under two names use two logs, do not see each other's locks, and destroy the file. What a
crash left in the log of one name is also invisible to a reader under the other name.
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
from liveportal.ledger.storage.fsync import fsync_dir

_LOGS = ("-wal", "-journal")
_TEMP_FILE = re.compile(r"\..+\.[0-9a-f]{8}\.part", re.DOTALL)
_TEMP_FOLDER = re.compile(r"\..+\.[0-9a-f]{8}\.work", re.DOTALL)


class Names(NamedTuple):
    """The names of a file besides the one by which it was opened.

    `links` counts all names of the file, also those in other folders, which cannot be found.
    `temp` are those under which this program was writing it when it was killed.
    """

    links: int
    others: tuple[Path, ...] = ()
    temp: tuple[Path, ...] = ()


def names_of(path: Path) -> Names:
    """Return the other names of a file that lie in its folder; raises `OSError`."""
    real = Path(os.path.realpath(path))
    seen = real.stat()
    if seen.st_nlink <= 1:
        return Names(1)
    found = [each for each in _candidates(real) if each != real and _is_same(each, seen)]
    temp = tuple(each for each in found if _is_temp(each))
    return Names(seen.st_nlink, tuple(each for each in found if each not in temp), temp)


def check_writable(path: Path) -> None:
    """Raise `LedgerLinked` if a file has another name, unless this program made and left it.

    Such a name of an unfinished file is removed: the file got its own name before the crash.
    """
    with suppress(OSError):
        for each in names_of(path).temp:
            each.unlink(missing_ok=True)
            fsync_dir(each.parent)
        if (found := names_of(path)).links > 1:
            raise linked(path, found)


def check_readable(path: Path) -> None:
    """Raise `LedgerLinked` if what was recorded may lie in the log of another name."""
    with suppress(OSError):
        found = names_of(path)
        if found.links > 1 and not is_readable(path, found):
            raise linked(path, found)


def is_readable(path: Path, found: Names) -> bool:
    """Return whether a file with several names is all that there is to read.

    That is so if no other name has a log, or if this one has the log. Of names in other folders
    nothing is known.
    """
    others = (*found.others, *found.temp)
    if any(_has_log(each) for each in others):
        return False
    return found.links == 1 + len(others) or _has_log(Path(os.path.realpath(path)))


def linked(path: Path, found: Names) -> LedgerLinked:
    """Return the error that says that a ledger has several names, and how to give it one."""
    elsewhere = found.links - 1 - len(found.others)
    also = [str(each) for each in found.others] + ["a name in another folder"] * bool(elsewhere)
    real = os.path.realpath(path)
    single, own = shlex.quote(f"{real}.single"), shlex.quote(real)
    return LedgerLinked(
        f"{path} has {found.links} names (hard links; also {', '.join(also)}), and a ledger that"
        " is used under two names is destroyed",
        hint="Close all programs that use it, then make a file of its own out of the name that was"
        f" used last: cp -p {own} {single} && mv {single} {own}",
        path=str(path),
        names=found.links,
        others=[str(each) for each in found.others],
    )


def _candidates(real: Path) -> Iterator[Path]:
    """Yield what may be another name of a file: its neighbours, and what lies in work folders."""
    with os.scandir(real.parent) as entries:
        for entry in entries:
            if _TEMP_FOLDER.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                yield from Path(entry.path).iterdir()
            yield real.with_name(entry.name)


def _is_same(path: Path, seen: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.lstat(), seen)
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
