"""A path that belongs to a ledger is no output and no input: its key most of all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from liveportal.ledger.storage import ledger_paths
from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

OWN = (
    *("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal", "ledger.db.key"),
    *("ledger.db.vault", "ledger.db.vault/ab/cd", "ledger.db.drafts/CL-1.txt"),
    *("ledger.db.forgetting", "ledger.db.backups.json", "ledger.db.form1", "ledger.db.form2.3"),
    *("ledger.db.form1-wal", "ledger.db.replaced-20261128T120000Z/ledger.db-wal"),
    *(".ledger.db.0123abcd.part", ".ledger.db.key.part", ".ledger.db.backup.lock"),
    *(".ledger.db.0123abcd.work/ledger.db", "LEDGER.DB.KEY", "Ledger.db-WAL"),
)
FREE = ("ledger.db.zip", "ledger.db.csv", "other.key", "ledger", ".ledger.db.part.csv", "x.vault/y")


@pytest.mark.parametrize("name", OWN)
def test_no_output_takes_its_place(october: Shell, name: str) -> None:
    """For any output and any spelling of the path; no file is made there either."""
    path = october.folder / name
    before = _seen(path)
    for command in (("earnings", "months"), ("requests", "decline", "REQ-1006", "--dry-run")):
        assert october.refuses(74, *command, "-o", path)["code"] == "output_failed"
    assert _seen(path) == before or name in ("ledger.db-wal", "ledger.db-shm")  # SQLite makes them.
    assert october.ok("ledger", "verify")["ok"]


def _seen(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


@pytest.mark.parametrize("name", FREE)
def test_what_belongs_to_none(october: Shell, name: str) -> None:
    """A name that only looks alike is free."""
    path = october.folder / name
    path.parent.mkdir(exist_ok=True)
    assert october.run("earnings", "months", "-o", path) == (0, "", "")
    assert path.stat().st_size


def test_every_command_that_writes_a_file(october: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option that names an output file: the key is unchanged."""
    key = october.file("ledger.db.key", "a key\n")
    key.chmod(0o600)
    feed = october.file("feed.jsonl", "")
    for argv in (
        ("sync", feed, "--rejects", key),
        ("requests", "watch", feed, "--once", "--rejects", key),
        ("due", "--calendar", key),
        ("sessions", "calendar", "-o", key),
        ("preferences", "export", "-o", key),
        ("earnings", "statement", "2026-10", "-o", key),
        ("dispute", "evidence", "CL-1", "-o", key),
        ("ledger", "backup", "-o", key),
        ("ledger", "export", "events", "-o", key),
        ("ledger", "backup", "--to", october.folder / "ledger.db.vault"),
        ("init", "--ledger", october.folder / "new.db", "-o", key),
        ("doctor", "-o", key),
    ):
        ran = october.run(*argv)
        assert ran.code in (2, 3, 74), (argv, ran)
        assert key.read_text() == "a key\n", argv
    # Also for another ledger than the one in use, and for one that does not exist yet.
    monkeypatch.setenv("LIVEPORTAL_LEDGER", str(october.folder / "new.db"))
    assert october.run("policy", "list", "-o", key).code == 74
    assert october.run("init", "-o", october.folder / "NEW.DB.key").code == 74
    assert not (october.folder / "new.db").exists()


def _symbolic(path: Path, name: Path) -> None:
    name.symlink_to(path)


def _hard(path: Path, name: Path) -> None:
    name.hardlink_to(path)


@pytest.mark.parametrize("link", [_symbolic, _hard])
def test_through_links(october: Shell, link: object) -> None:
    """Another name of the key, of either kind, is the key: nothing is written, nothing attached."""
    key = october.file("ledger.db.key", "a key\n")
    key.chmod(0o600)
    name = october.folder / "notes.txt"
    assert callable(link)
    link(key, name)
    assert october.run("earnings", "months", "-o", name).code == 74
    error = october.refuses(1, "sessions", "attach", "S-1002", name)
    assert error["code"] == "ledgers_own_file"
    assert key.read_text() == "a key\n"


@pytest.mark.parametrize("name", ["ledger.db", "ledger.db.key", "ledger.db.vault/ab/cd"])
def test_it_is_no_input(october: Shell, name: str) -> None:
    """Nothing of a ledger is read as a feed, a policy, a backup or evidence."""
    path = october.folder / name
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text("a key\n")
        path.chmod(0o600)
    for argv in (
        ("sync", path),
        ("sync", path, "--rejects", "bad.jsonl"),
        ("requests", "watch", path, "--once"),
        ("policy", "check", path),
        ("policy", "use", path, "--yes"),
        ("init", "--ledger", "new.db", "--policy", path),
        ("preferences", "import", path),
        ("payout", "profile", "set", "--from", path),
        ("sessions", "attach", "S-1002", path),
        ("dispute", "verify", path),
        ("ledger", "restore", path),
        ("ledger", "import", path, "--yes"),
        ("ledger", "verify", "--statement", path),
    ):
        assert october.refuses(1, *argv)["code"] == "ledgers_own_file", argv
    assert not (october.folder / "bad.jsonl").exists()


def test_attaching_to_a_dispute(states: Shell) -> None:
    """`dispute file --attach` takes a file in as `sessions attach` does."""
    key = states.file("ledger.db.key", "a key\n")
    key.chmod(0o600)
    error = states.refuses(1, "dispute", "file", "CL-2", "--summary", "x", "--attach", key)
    assert error["code"] == "ledgers_own_file"


def test_the_list_is_complete(tmp_path: Path) -> None:
    """Each file name that the program uses beside a ledger is on the list."""
    ledger = tmp_path / "ledger.db"
    for own in ledger_paths.own_files(ledger):
        assert ledger_paths.is_same(own, own.with_name(own.name.upper()))
    source = Path(ledger_paths.__file__).parent
    spelt = [
        (file.name, suffix)
        for file in source.rglob("*.py")
        for suffix in (
            ledger_paths.KEY,
            ledger_paths.VAULT,
            ledger_paths.DRAFTS,
            ledger_paths.MARK,
            ledger_paths.BACKUPS,
        )
        if f'}}{suffix}"' in file.read_text()
    ]
    assert spelt == [], "these are named in one place"
    assert os.path.realpath(ledger) == str(ledger_paths.own_files(ledger)[0])
