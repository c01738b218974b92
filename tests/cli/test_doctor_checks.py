"""Every check of `doctor` in each of its statuses, on values made for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from liveportal.cli.commands.doctor.check import (
    FAILED,
    OK,
    SKIPPED,
    WARNING,
    Surroundings,
)
from liveportal.cli.commands.doctor.checks import CHECKS, run_checks
from liveportal.ledger.attachments.index import Attached
from liveportal.ledger.backup.last_backup import LastBackup
from liveportal.ledger.format.attribution import Unauthorised
from liveportal.ledger.health import FileInfo, Health, Inside, file_system
from liveportal.ledger.storage.ledger_paths import APPLICATION_ID, Head

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(days=2)
PATH = Path("/home/anna/books/ledger.db")
AROUND = Surroundings(
    version="1.0",
    python="CPython 3.13.1",
    system="Linux x86_64",
    sqlite="3.53.4",
    sqlite_from="of pysqlite3",
    wal_is_safe=True,
    user=1000,
    named_ledger=False,
    keyring=True,
    keyring_installed=True,
    tzdata="2026.1",
    zone_source="/usr/share/zoneinfo",
    zones=(("book", "UTC", True), ("expert", "Europe/Berlin", True)),
    has_stfolder=False,
    is_terminal=True,
    encoding="utf-8",
    width=120,
    colour=True,
)
INSIDE = Inside("ok", "ab" * 32, 24, EARLIER, (("book", "UTC"),), None)
NONE: dict[str, Any] = {"exists": False, "is_file": False, "inside": None, "head": None}
NONE |= {"entries": [], "backup": None}


def entry(what: str = "ledger", **values: Any) -> FileInfo:  # noqa: ANN401
    """Return a private file of the user's own, unless given otherwise."""
    given: dict[str, Any] = {"path": f"/x/{what}", "mode": 0o600, "owner": 1000, "is_link": False}
    return FileInfo(what, **(given | values))


def healthy() -> Health:
    """Return a ledger with which all is well."""
    return Health(
        PATH,
        exists=True,
        is_file=True,
        head=Head(APPLICATION_ID, 3, wal=True),
        bytes=1_000_000,
        written_at=EARLIER,
        inside=INSIDE,
        entries=[entry(), entry("vault", mode=0o700), entry("key")],
        file_system="ext4",
        parents=tuple(str(parent) for parent in PATH.parents),
        free_bytes=10_000_000_000,
        backup=LastBackup(EARLIER, Path("/backups/b"), "ab" * 32, 24, "cd" * 32),
        backup_is_there=True,
    )


class Case(NamedTuple):
    """A check, what differs from a healthy system, and the message expected."""

    check: str
    status: str
    says: str
    health: Mapping[str, Any] = MappingProxyType({})
    around: Mapping[str, Any] = MappingProxyType({})
    now: datetime = NOW


def inside(**values: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a change of the facts recorded in a ledger."""
    return {"inside": replace(INSIDE, **values)}


def at(name: str) -> dict[str, Any]:
    """Return a change of the ledger's path."""
    return {"parents": (f"/home/anna/{name}/books", f"/home/anna/{name}", "/home/anna", "/home")}


DELETE = {"head": Head(APPLICATION_ID, 3, wal=False)}
HOT = {"inside": None, "problem": "A write was interrupted.", "passing": True}
LOCKED = {"inside": None, "problem": "The database is locked.", "passing": True}
NEWER = {
    "inside": None,
    "problem": "The ledger was written by a newer version of liveportal (form 9).",
}
LINKED = {"entries": [entry(is_link=True)]}

POLICY = Unauthorised(5, "https://help.example/7", "e-5", "policy.adopted", "type")
FORGOTTEN = POLICY._replace(seq=6, type="customer.forgotten")
TIP = POLICY._replace(seq=7, source="urn:liveportal:cli", type="tip.received", field="source")
FILE = Attached(9, "S-1", "code", "ab" * 32, 1, 9, "{}", "e-9", "", 0)

CASES = (
    Case("program", OK, "3.13.1"),
    Case("authority", OK, "No feed"),
    Case("authority", SKIPPED, "not examined", NONE),
    Case(
        *("authority", WARNING),
        "event 5, policy.adopted from https://help.example/7, event 6, customer.forgotten from",
        inside(unauthorised=(POLICY, FORGOTTEN)),
    ),
    Case("authority", WARNING, "tip.received from urn:", inside(unauthorised=(TIP,))),
    Case("evidence", OK, "No file"),
    Case("evidence", SKIPPED, "not examined", NONE),
    Case("evidence", WARNING, "event 9, in session S-1", {"absent": (FILE,)}),
    Case("sqlite", OK, "write-ahead log (WAL)"),
    Case("sqlite", OK, "A new ledger", NONE),
    Case("sqlite", OK, "rollback journal", DELETE),
    Case("sqlite", WARNING, "WAL-reset bug", DELETE, {"wal_is_safe": False}),
    Case("sqlite", FAILED, "This ledger has one", {}, {"wal_is_safe": False}),
    Case("ledger", OK, "24 events"),
    Case("ledger", OK, "0 events", inside(events=0, last_recorded=None)),
    Case("ledger", SKIPPED, "no ledger at", NONE),
    Case("ledger", FAILED, "no ledger at", NONE, {"named_ledger": True}),
    Case("ledger", FAILED, "not a file", {"is_file": False, "inside": None}),
    Case("ledger", FAILED, "damaged", inside(quick_check="row 3 missing from index")),
    Case("ledger", WARNING, "interrupted", HOT),
    Case("ledger", WARNING, "locked", LOCKED),
    Case("ledger", FAILED, "newer", NEWER),
    Case("integrity", OK, "no damage"),
    Case("integrity", FAILED, "row 3", inside(quick_check="row 3 missing from index")),
    Case("integrity", SKIPPED, "newer", NEWER),
    Case("integrity", SKIPPED, "no ledger", NONE),
    Case("place", OK, "ext4"),
    Case("place", OK, "unknown", {"file_system": None}),
    Case("place", OK, "fuse.ext4", {"file_system": "fuse.ext4"}),
    *(
        Case("place", FAILED, kind, {"file_system": kind})
        for kind in ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "fuse.rclone")
    ),
    Case("place", WARNING, "nfs4", {"file_system": "nfs4", **DELETE}),
    *(
        Case("place", WARNING, name, at(name))
        for name in ("Dropbox", "Dropbox (Old)", "OneDrive - Firm", "Google Drive", "Nextcloud")
    ),
    Case("place", WARNING, "Mobile Documents", at("Library/Mobile Documents")),
    Case("place", WARNING, "pCloudDrive", {"parents": ("C:\\Users\\anna\\pCloudDrive",)}),
    Case("place", WARNING, "Syncthing", {}, {"has_stfolder": True}),
    Case("modes", OK, "(3)"),
    Case("modes", SKIPPED, "no file modes", {}, {"user": None}),
    Case("modes", SKIPPED, "no ledger", NONE),
    Case("modes", WARNING, "(644)", {"entries": [entry(mode=0o644)]}),
    Case("modes", WARNING, "(640)", {"entries": [entry("copy", mode=0o640)]}),
    Case("modes", OK, "(0)", {"entries": [entry("folder", mode=0o755)]}),
    Case("modes", WARNING, "Another user owns", {"entries": [entry(owner=0)]}),
    Case("modes", FAILED, "(644)", {"entries": [entry("key", mode=0o644)]}),
    Case("modes", FAILED, "(750)", {"entries": [entry("vault", mode=0o750)]}),
    Case("modes", WARNING, "and 2 more", {"entries": [entry(mode=0o604)] * 5}),
    Case("links", OK, "No file"),
    Case("links", SKIPPED, "no ledger", NONE),
    Case("links", WARNING, "/x/ledger", LINKED),
    Case("links", FAILED, "/x/vault", {"entries": [entry("vault", is_link=True)]}),
    Case("links", FAILED, "/x/key", {"entries": [entry("key", is_link=True)]}),
    Case("clock", OK, "2026-11-28"),
    Case("clock", OK, "2026-11-28", NONE | {"written_at": None}),
    Case("clock", WARNING, "in the future", inside(last_recorded=NOW + timedelta(seconds=1))),
    Case("clock", WARNING, "was written", {"written_at": NOW + timedelta(hours=1)}),
    Case("clock", FAILED, "1970", {}, {}, datetime(1970, 1, 1, tzinfo=UTC)),
    Case("clock", FAILED, "2101", {}, {}, datetime(2101, 1, 1, tzinfo=UTC)),
    Case("space", OK, "free"),
    Case("space", SKIPPED, "is unknown", {"free_bytes": None}),
    Case("space", WARNING, "backup need", {"free_bytes": 12_000_000}),
    Case("space", FAILED, "upgrade", {"free_bytes": 10_500_000}),
    Case("backup", OK, "/backups/b"),
    Case("backup", SKIPPED, "no ledger", {"is_file": False, "backup": None}),
    Case("backup", WARNING, "no longer there", {"backup_is_there": False}),
    Case("backup", WARNING, "No backup", {"backup": None}),
    Case("backup", WARNING, "No backup", inside(first_hash="cd" * 32)),
    Case("backup", WARNING, "more than a week old", {}, {}, NOW + timedelta(days=6)),
    Case("backup", WARNING, "1 event was recorded", inside(events=25)),
    Case("replica", OK, "does not copy"),
    Case("replica", OK, "/x/.ledger.db-litestream", {"replica": "/x/.ledger.db-litestream"}),
    Case("left_behind", OK, "No files"),
    Case("left_behind", WARNING, "forgotten", {"mark": True}),
    Case("left_behind", WARNING, ".x.part", {"left_behind": ["/x/.x.part"]}),
    Case("left_behind", WARNING, "form1", {"copies": ["/x/ledger.db.form1"]}),
    Case("key", OK, "Nothing is encrypted"),
    Case("key", SKIPPED, "not examined", NONE),
    Case("key", OK, "has the key", inside(sealed_by="a") | {"key_ids": ("a", "b")}),
    Case("key", FAILED, "does not have the key", inside(sealed_by="a") | {"key_ids": ("b",)}),
    Case("key", WARNING, "not opened", inside(sealed_by="a")),
    Case("key", FAILED, "is missing", inside(sealed_by="a"), {"keyring": False}),
    Case("key", FAILED, "is a link", {"key_problem": "The key file is a link."}),
    Case("imported", OK, "Nothing needs to be"),
    Case("imported", SKIPPED, "not examined", NONE),
    Case(
        "imported", WARNING, "payout profile: name, email.", inside(enter_again=("name", "email"))
    ),
    Case("imported", WARNING, "Attach 1 file again.", inside(attach_again=1)),
    Case(
        "imported",
        WARNING,
        "Enter again in the payout profile: name. Attach 2 files again.",
        inside(enter_again=("name",), attach_again=2),
    ),
    Case("time_zones", OK, "/usr/share/zoneinfo"),
    Case("time_zones", OK, "from the package", {}, {"zone_source": "none"}),
    Case("time_zones", WARNING, "without the package", {}, {"tzdata": None}),
    Case("time_zones", FAILED, "no time-zone data", {}, {"tzdata": None, "zone_source": "none"}),
    Case("time_zones", FAILED, "Mars/X", {}, {"zones": (("expert", "Mars/X", False),)}),
    Case("terminal", OK, "in colour"),
    Case("terminal", OK, "without colour", {}, {"colour": False}),
    Case("terminal", SKIPPED, "not a terminal", {}, {"is_terminal": False}),
    Case("terminal", WARNING, "latin-1", {}, {"encoding": "latin-1"}),
    Case("terminal", WARNING, "40 columns", {}, {"width": 40}),
    Case("extras", OK, "installed"),
    Case("extras", OK, "not installed", {}, {"keyring_installed": False}),
)

# The statuses of each check, so that none is left untested.
STATUSES = {
    "program": {OK},
    "extras": {OK},
    "sqlite": {OK, WARNING, FAILED},
    "ledger": {OK, WARNING, FAILED, SKIPPED},
    "integrity": {OK, FAILED, SKIPPED},
    "place": {OK, WARNING, FAILED},
    "modes": {OK, WARNING, FAILED, SKIPPED},
    "links": {OK, WARNING, FAILED, SKIPPED},
    "clock": {OK, WARNING, FAILED},
    "space": {OK, WARNING, FAILED, SKIPPED},
    "backup": {OK, WARNING, SKIPPED},
    "replica": {OK},
    "left_behind": {OK, WARNING},
    "authority": {OK, WARNING, SKIPPED},
    "evidence": {OK, WARNING, SKIPPED},
    "key": {OK, WARNING, FAILED, SKIPPED},
    "imported": {OK, WARNING, SKIPPED},
    "time_zones": {OK, WARNING, FAILED},
    "terminal": {OK, WARNING, SKIPPED},
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}-{case.status}-{case.says}")
def test_a_check(case: Case) -> None:
    """It has the expected status, gives the reason and, if something is wrong, the remedy."""
    around = replace(AROUND, **case.around)
    statuses = {
        check.check: check
        for check in run_checks(replace(healthy(), **case.health), around, case.now)
    }[case.check]
    assert (statuses.status, case.says in statuses.message) == (case.status, True), statuses
    assert statuses.hint if statuses.status in (WARNING, FAILED) else True
    assert statuses.message[0].isupper() or statuses.message[0] in "/l"  # A path, or the program.
    assert statuses.message.endswith(".")


def test_each_status_has_a_case() -> None:
    """All checks, each in every status that it has."""
    tried = {(case.check, case.status) for case in CASES}
    assert tried == {(name, status) for name, them in STATUSES.items() for status in them}
    names = [check.check for check in run_checks(healthy(), AROUND, NOW)]
    assert names == [check.__name__ for check in CHECKS]
    assert set(names) == set(STATUSES)


def test_all_is_well() -> None:
    """With a healthy ledger nothing is amiss."""
    assert {check.status for check in run_checks(healthy(), AROUND, NOW)} == {OK}


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:5 / /proc rw - proc proc rw
40 22 0:40 / /mnt rw,relatime - nfs4 server:/export rw
41 40 0:41 / /mnt/with\\040space rw - fuse.sshfs host:/ rw
42 22 0:42 / /home rw - xfs /dev/sdb rw
43 42 0:43 / /home rw - btrfs /dev/sdc rw
nonsense
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/x.db", "ext4"),
        ("/mnt/x.db", "nfs4"),
        ("/mnttoo/x.db", "ext4"),
        ("/mnt/with space/a/x.db", "fuse.sshfs"),
        ("/home/anna/x.db", "btrfs"),
    ],
)
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    """The deepest mount above the path; of two equal ones the later."""
    assert file_system(Path(path), MOUNTS) == kind
    assert file_system(Path(path), "") is None
