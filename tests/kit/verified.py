"""Ledgers that tests leave behind are verified, as by `ledger verify --deep`.

This finds false alarms: the suite makes thousands of undamaged ledgers. Those of every eighth test
are verified, the same ones each time; `pytest --faults=whole` verifies all. A test that damages a
ledger on purpose has the marker `damages`.
"""

from __future__ import annotations

import hashlib
import re
import stat
import zlib
from contextlib import closing, suppress
from pathlib import Path

import pytest

from liveportal.domain.errors import IntegrityFailed, LiveportalError
from liveportal.feeds import transcripts
from liveportal.ledger.storage import connection, ledger_paths
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.ledger_paths import BESIDE
from liveportal.ledger.verify.verify import Verified, verify

ONE_OF = 8
LARGEST_BYTES = 2_000_000
"""Larger ledgers are made to measure something: they would take longer than their tests."""

_COPY = re.compile(r"(.+)\.(?:form\d+|replaced-\w+)(?:\.\d+)?")

_known: set[str] = set()
"""What was verified before by this process: most tests only read a copy of a prepared ledger."""


def deeply(db: Connection, path: Path) -> Verified:
    """Verify a ledger as `ledger verify --deep` does, without the developer's keyring."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVEPORTAL_KEYRING", "off")
        return verify(db, vault=path, deep=True, read=transcripts.read)


def is_in_sample(test: str) -> bool:
    """Return whether the ledgers of a test are verified in a usual run."""
    return zlib.crc32(test.encode()) % ONE_OF == 0


def check_left_behind(folder: Path) -> None:
    """Verify the ledgers in a folder that this process has not verified yet."""
    for path in sorted(folder.rglob("*")):
        if _is_ledger(path):
            _check(path)


def _is_ledger(path: Path) -> bool:
    with suppress(OSError):
        seen = path.lstat()
        if path.name.endswith(BESIDE) or not stat.S_ISREG(seen.st_mode):
            return False
        if seen.st_size > LARGEST_BYTES or seen.st_nlink > 1:  # With two names it is refused.
            return False
        head = ledger_paths.read_header(path)
        return head is not None and (head.application_id, head.form) == (
            ledger_paths.APPLICATION_ID,
            connection.SCHEMA_VERSION,
        )
    return False


def _check(path: Path) -> None:
    mark = _mark(path)
    if mark in _known:
        return
    copy = _COPY.fullmatch(path.name)
    try:
        with closing(connection.open_file(path, readonly=True)) as db:
            # A copy that is kept beside a ledger shares its vault.
            deeply(db, path.with_name(copy[1]) if copy else path)
    except IntegrityFailed as error:
        pytest.fail(f"{path} does not verify: {error.message}", pytrace=False)
    except LiveportalError:  # A key or a vault that others may read is refused.
        return
    _known.add(mark)


def _mark(path: Path) -> str:
    """Return a hash of all files of a ledger: its database, its log, its vault and its key."""
    digest = hashlib.sha256()
    for each in (path, *(Path(f"{path}{suffix}") for suffix in (*BESIDE, ".key"))):
        with suppress(OSError):
            digest.update(each.read_bytes())
        digest.update(b"|")
    vault = Path(f"{path}.vault")
    for kept in sorted(vault.glob("??/*")):
        digest.update(kept.name.encode())
        digest.update(kept.read_bytes())
    return digest.hexdigest()
