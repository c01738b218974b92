"""A ledger of an older schema version is upgraded once, when it is opened."""

from __future__ import annotations

import hashlib
from contextlib import closing
from functools import partial
from importlib.resources import files
from pathlib import Path

import pytest

from liveportal.cli.main import main
from liveportal.domain.policy import Policy
from liveportal.ledger.opening import open_ledger, open_readonly
from liveportal.ledger.queries import ledger_info, sessions
from liveportal.ledger.storage import connection
from liveportal.ledger.storage.connection import SCHEMA_VERSION
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema import migrate
from liveportal.ledger.upgrade import upgrade
from liveportal.ledger.verify.projections import DERIVED
from liveportal.ledger.verify.verify import verify
from liveportal.portal import Portal
from tests.kit.books import plain
from tests.kit.children import start_child, wait_for
from tests.kit.ledger_files import dump
from tests.kit.old_ledgers import Schema, asked, beside, form, whole
from tests.kit.shell import OCTOBER, Shell

pytestmark = pytest.mark.slow


# Released files are never edited: an older ledger would not match them.
PINNED = {
    "0001_first.sql": "421bf8b4112b7b104889f70b45fdea581794eb6df749f916436c464cf8ebc078",
    "0002_messages.sql": "9922d69b3fdba67e3ba8512d9557dc67061f381f83efa8788cda70c72aadf08e",
    "0003_profile.sql": "5a55bbde1579d29d450a09802b4558e58f29676ea48672b2e669423a8a388bbd",
    "0004_counts.sql": "0598571a424d51dfb9f1d59126a4ad13254296f0bc860775a4cb6803d7254ea4",
    "0005_missing.sql": "4011e266d366c0e393299863a8cc91290a431650090fa9aef3e9267e9e3eaf16",
    "0006_parts_of_words.sql": "c977693f9bb20f1ae075d21d773efd19883c78d7ef3d89aa1721dcf997382a86",
    "0007_rules.sql": "9cda5962ad6db4411118f8b6030ef0d74e6367a8e0f7c49face7a7d9bd9fbb81",
    "0008_transfers.sql": "cad124b6f0bc8c7a70456d3e4e7dd0feb5d05221bdb8746cd465436059df38ee",
    "0009_sums.sql": "cf1d40631bc8c7e3a6d10d2f52198342187e4b1cc1581e7646a11a307625eaf7",
}


# --- the files ------------------------------------------------------------------------------------


def test_released_steps_are_never_edited() -> None:
    """The released migrations are unchanged, byte by byte."""
    folder = files("liveportal.ledger.storage.schema").joinpath("migrations")
    for name, digest in PINNED.items():
        assert hashlib.sha256(folder.joinpath(name).read_bytes()).hexdigest() == digest


def test_migrations_lead_to_the_current_version() -> None:
    """They are numbered from 1 on without a gap, up to the schema version."""
    numbers = [int(name[:4]) for name, _ in migrate._scripts("migrations")]  # noqa: SLF001
    assert numbers == list(range(1, SCHEMA_VERSION + 1))


def test_a_last_statement_needs_no_semicolon() -> None:
    """No statement is skipped silently; comments at the end are no statements."""
    script = "CREATE TABLE a (x);\n-- Of it:\nCREATE TABLE b (x)\n"
    with closing(connection.in_memory()) as db:
        migrate._run(db, script)  # noqa: SLF001
        migrate._run(db, "CREATE TABLE c (x);\n-- That is all.\n")  # noqa: SLF001
        assert len(db.execute("SELECT 1 FROM sqlite_schema").fetchall()) == 3


# --- upgraded -------------------------------------------------------------------------------------


@pytest.mark.parametrize("readonly", [True, False])
def test_an_old_ledger_is_upgraded(old: Path, readonly: bool) -> None:
    """For reading or writing, it is opened in the current schema; a copy is kept as it was."""
    before = whole(old)
    with closing(open_ledger(old, readonly=readonly)) as db:
        assert connection.schema_version_of(db) == SCHEMA_VERSION
    copy = old.with_name("ledger.db.form1")
    assert beside(old) == {copy.name}
    assert whole(copy) == before
    assert form(copy) == 1
    with closing(connection.open_file(copy, readonly=True)) as db:
        assert connection.schema_version_of(db) == 1
    assert {path.stat().st_mode & 0o777 for path in old.parent.iterdir()} == {0o600}


@pytest.mark.parametrize(
    "argv", ["earnings --month 2026-10", "sessions tip S-1002 5.00 --at 2026-10-13T00:00:00Z"]
)
def test_any_command_upgrades(old_shell: Shell, argv: str) -> None:
    """A read and a write both find the ledger upgraded, say nothing else, and it verifies."""
    old_shell.ok(*argv.split())
    assert form(old_shell.ledger) == SCHEMA_VERSION
    assert old_shell.ok("ledger", "info")["form"] == SCHEMA_VERSION
    assert old_shell.ok("ledger", "verify")["ok"] is True
    assert beside(old_shell.ledger) == {"ledger.db.form1"}


def test_a_dry_run_upgrades_and_records_nothing(old_shell: Shell) -> None:
    """The schema is only a storage format: a dry run upgrades it, but records nothing."""
    events = asked(old_shell.ledger, "SELECT * FROM event")
    assert old_shell.ok("sessions", "tip", "S-1002", "5.00", "--dry-run")["dry_run"] is True
    assert form(old_shell.ledger) == SCHEMA_VERSION
    assert asked(old_shell.ledger, "SELECT * FROM event") == events


def test_an_upgraded_ledger_gives_the_same_answers(old: Path, tmp_path: Path) -> None:
    """Its tables, views and queries equal those of a ledger made in the current schema."""
    fresh = tmp_path / "fresh.db"
    for argv in (["init"], ["sync", str(OCTOBER)]):
        assert main([*argv, "--ledger", str(fresh), "-o", str(tmp_path / "out")]) == 0
    head = asked(old, "SELECT hash FROM event ORDER BY seq DESC LIMIT 1")[0][0].hex()
    with open_readonly(old) as ours, open_readonly(fresh) as theirs:
        kept, made = dict(dump(ours)), dict(dump(theirs))
        assert kept.keys() == made.keys()
        # The adopted policy stays the same, whatever today's switches are.
        compared = set(DERIVED) - {"policy"}
        assert {name: kept[name] for name in compared} == {name: made[name] for name in compared}
        assert plain(sessions.sessions(ours)) == plain(sessions.sessions(theirs))
        assert verify(ours.db).head == head == ledger_info.info(ours).head
        assert _schema(ours.db) == _schema(theirs.db)


def _schema(db: Connection) -> Schema:
    return db.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").fetchall()


def test_the_views_are_recreated(old: Path, tmp_path: Path) -> None:
    """Views hold no data: afterwards they are the current ones, whatever they were."""
    asked(old, "DROP VIEW month_money")
    asked(old, "CREATE VIEW month_money AS SELECT 1 AS nonsense")
    asked(old, 'CREATE VIEW "of my ""own""" AS SELECT 2')
    upgrade(old)
    fresh = tmp_path / "fresh.db"
    Portal.create(fresh, Policy())
    views = "SELECT name, sql FROM sqlite_schema WHERE type = 'view' ORDER BY name"
    assert asked(old, views) == asked(fresh, views)


def test_a_ledger_is_upgraded_once(old: Path) -> None:
    """The second process finds nothing to do, and keeps no copy."""
    upgrade(old)
    names, after = beside(old), whole(old)
    upgrade(old)
    open_ledger(old, readonly=False).close()
    assert (beside(old), whole(old)) == (names, after)


def test_six_processes_upgrade_it_once(old_shell: Shell) -> None:
    """Readers and writers at once: all succeed, and there is one copy."""
    commands = 3 * ("ledger info", "earnings adjust 1.00 --reason bonus --key K")
    processes = [start_child(partial(old_shell.ok, *argv.split())) for argv in commands]
    assert [wait_for(process) for process in processes] == [0] * len(commands)
    assert beside(old_shell.ledger) == {"ledger.db.form1"}
    assert len(asked(old_shell.ledger, "SELECT 1 FROM adjustment")) == 1
    assert old_shell.ok("ledger", "verify")["ok"] is True


# --- the copy -------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", ["file", "folder", "link", "dangling link"])
def test_what_has_the_copy_s_name_stays(old: Path, there: str) -> None:
    """Nothing is replaced or written through: the copy has the next free name."""
    taken = [old.with_name(f"ledger.db.form1{suffix}") for suffix in ("", ".2")]
    target = old.with_name("target")
    for each in taken:
        if there == "file":
            each.write_text("mine")
        elif there == "folder":
            each.mkdir()
        else:
            each.symlink_to(target)
    if there == "link":
        target.write_text("mine")
    before = [(each.lstat().st_mode, each.is_file() and each.read_text()) for each in taken]
    names = beside(old)
    upgrade(old)
    assert beside(old) == names | {"ledger.db.form1.3"}
    assert form(old.with_name("ledger.db.form1.3")) == 1
    assert before == [(each.lstat().st_mode, each.is_file() and each.read_text()) for each in taken]
    assert target.exists() is (there == "link")


def test_the_copy_lies_beside_the_file_itself(old: Path, tmp_path: Path) -> None:
    """A link names the ledger: the copy is where the ledger is."""
    link = tmp_path / "link.db"
    link.symlink_to(old)
    with open_readonly(link) as reader:
        assert ledger_info.info(reader).form == SCHEMA_VERSION
    assert link.is_symlink()
    assert beside(old) == {"ledger.db.form1"}


def test_a_name_is_never_taken_for_an_address(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`file:...` in the folder where one is, is a name like any other."""
    monkeypatch.chdir(old.parent)
    path = old.rename(old.with_name("file:other.db?mode=memory"))
    upgrade(Path(path.name))
    assert form(path) == SCHEMA_VERSION
    assert beside(path) == {f"{path.name}.form1"}
