"""Ledgers that tests leave behind are verified, as by `ledger verify --deep`.

This finds false alarms: the suite makes thousands of undamaged ledgers. Of those that have events
of the same kinds with the same fields, and the same numbers of rows and files, one is verified:
another amount or another name in them is not worth the time. A test that damages a ledger on
purpose has the marker `damages`.
"""

from __future__ import annotations

import re
import stat
from contextlib import closing, suppress
from pathlib import Path

import pytest

from liveportal.domain.errors import IntegrityFailed, LiveportalError
from liveportal.feeds import transcripts
from liveportal.ledger.storage import connection, ledger_paths
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.ledger_paths import BESIDE
from liveportal.ledger.verify.projections import DERIVED
from liveportal.ledger.verify.verify import Verified, verify

LARGEST_BYTES = 2_000_000
"""Larger ledgers are made to measure something: they would take longer than their tests."""

_COPY = re.compile(r"(.+)\.(?:form\d+|replaced-\w+)(?:\.\d+)?")

_known: set[object] = set()
"""The shapes of the ledgers that this process has verified."""


def deeply(db: Connection, path: Path) -> Verified:
    """Verify a ledger as `ledger verify --deep` does, without the developer's keyring."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVEPORTAL_KEYRING", "off")
        return verify(db, vault=path, deep=True, read=transcripts.read)


def check_left_behind(folder: Path) -> None:
    """Verify the ledgers in a folder whose shape this process has not met yet."""
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
    copy = _COPY.fullmatch(path.name)
    try:
        with closing(connection.open_file(path, readonly=True)) as db:
            shape = _shape(db, path)
            if shape in _known:
                return
            # A copy that is kept beside a ledger shares its vault.
            deeply(db, path.with_name(copy[1]) if copy else path)
    except IntegrityFailed as error:
        pytest.fail(f"{path} does not verify: {error.message}", pytrace=False)
    except LiveportalError:  # A key or a vault that others may read is refused.
        return
    _known.add(shape)


def _shape(db: Connection, path: Path) -> object:
    """Return the kinds of events with the names of their fields, and the numbers of all rows."""
    events = db.execute(
        "SELECT type, source LIKE 'urn:%', (SELECT group_concat(fullkey) FROM json_tree(facts)),"
        " (SELECT group_concat(fullkey) FROM json_tree(body))"
        " FROM event LEFT JOIN event_personal USING (seq) ORDER BY seq"
    ).fetchall()
    counts = [db.execute(f'SELECT count(*) FROM "{table}"').fetchone() for table in DERIVED]  # noqa: S608
    files = len(list(Path(f"{path}.vault").glob("??/*")))
    return tuple(events), tuple(counts), files, Path(f"{path}.key").exists()
