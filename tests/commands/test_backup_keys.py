"""A backup, a key that was rotated since, and the restore: reported, and not as damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.errors import DiskFull
from liveportal.ledger.ledger_file import LedgerFile
from tests.commands.test_profile import IBAN
from tests.kit.backup_ledger import fill, key_pair
from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

BACKUP = ("ledger", "backup", "-o")
RESTORE = ("ledger", "restore")
ROTATE = ("payout", "profile", "rotate-key")
SHOW = ("payout", "profile", "show")
DEEP = ("ledger", "verify", "--deep")


@pytest.fixture
def sealed(october: Shell) -> Shell:
    """Give a shell whose ledger has a sealed profile, and a backup without its key."""
    fill(october)
    assert october.ok(*BACKUP, "a.zip")["key"] == "left_out"
    return october


def _key(shell: Shell) -> Path:
    return shell.folder / "ledger.db.key"


def _is_readable(shell: Shell) -> bool:
    """Return whether the profile can be read; if not, nothing is reported as damaged."""
    proved = shell.ok(*DEEP)
    checked = {row["requirement"]: row["state"] for row in shell.ok("payout", "profile", "check")}
    if checked["seal"] == "ok":
        assert (proved["profile_key"], proved["profile_values"]) == (None, 10)
        assert IBAN[-4:] in shell.output_of(*SHOW)
        return True
    error = shell.refuses(3, *SHOW)
    assert error["code"] == checked["seal"] == proved["profile_key"]
    assert (proved["ok"], proved["profile_values"]) == (True, None)
    return False


def _rotated(shell: Shell, *more: object) -> dict[str, Any]:
    done: dict[str, Any] = shell.ok(*ROTATE, *more)
    return done


def test_a_backup_of_before(sealed: Shell) -> None:
    """Dry run and restore report that the key is another one; the kept key opens it."""
    file = sealed.folder / "old.key"
    done = _rotated(sealed, "--keep-old-key", file)
    assert done["old_key_in"] == str(file)
    assert done["last_backup"] == str(sealed.folder / "a.zip")
    assert file.stat().st_mode & 0o777 == 0o600
    assert _is_readable(sealed)
    assert sealed.ok(*RESTORE, "a.zip", "--dry-run")["key"] == "wrong_key"
    error = sealed.refuses(7, *RESTORE, "a.zip")
    assert "cannot be read then" in error["message"]
    assert done["key"] in error["message"]
    assert done["old_key"] in error["message"]
    assert sealed.ok(*RESTORE, "a.zip", "--yes")["key"] == "wrong_key"
    assert not _is_readable(sealed)
    hint = sealed.refuses(3, *SHOW)["hint"]
    command = hint[hint.index("cat FILE") :].split(". If")[0].replace("FILE", str(file))
    assert sealed.script(command).code == 0
    assert _is_readable(sealed)
    assert sealed.ok(*RESTORE, "a.zip", "--dry-run")["key"] == "kept"


def test_a_backup_whose_key_is_lost(sealed: Shell) -> None:
    """No key anywhere: the ledger is restored, the loss is reported, and it verifies."""
    _key(sealed).unlink()
    assert sealed.ok(*RESTORE, "a.zip", "--dry-run")["key"] == "key_not_found"
    assert sealed.ok(*RESTORE, "a.zip", "--yes")["key"] == "key_not_found"
    assert not _is_readable(sealed)
    assert sealed.ok(*BACKUP, "b.zip")["key"] == "key_not_found"


def test_an_encrypted_backup_has_its_own(sealed: Shell) -> None:
    """Its key is added to the existing one, which the replaced ledger still needs."""
    public, secret = key_pair(sealed)
    assert sealed.ok(*BACKUP, "a.age", "--recipient", public)["key"] == "included"
    done = _rotated(sealed)
    assert done["old_key_in"] is None
    argv = (*RESTORE, "a.age", "--identity", secret)
    assert sealed.ok(*argv, "--dry-run")["key"] == "restored"
    assert _key(sealed).read_text().count("\n") == 3, "a dry run adds nothing"
    kept = sealed.ok(*argv, "--yes")
    assert kept["key"] == "restored"
    assert _is_readable(sealed)
    for name in (done["key"], done["old_key"]):
        assert name in _key(sealed).read_text()


def test_what_needs_no_key(october: Shell) -> None:
    """Where nothing is sealed no key is spoken of."""
    assert october.ok(*BACKUP, "a.zip")["key"] is None
    assert october.ok(*RESTORE, "a.zip", "--dry-run")["key"] is None
    assert october.ok(*DEEP)["profile_key"] is None


def test_a_backup_made_with_another_key(sealed: Shell) -> None:
    """A kept key that the ledger does not use is reported when the backup is made."""
    good = _key(sealed).read_bytes()
    _rotated(sealed)
    _key(sealed).write_bytes(good)
    public, _ = key_pair(sealed)
    assert sealed.ok(*BACKUP, "b.age", "--recipient", public)["key"] == "wrong_key"
    assert sealed.ok(*BACKUP, "b.zip")["key"] == "wrong_key"
    assert not _is_readable(sealed)


def test_messages_for_a_person(sealed: Shell) -> None:
    """On a terminal: what becomes of older backups, and that the profile cannot be read."""
    ran = sealed.run(*ROTATE, terminal=True)
    assert "Older backups need the old key" in " ".join(ran.out.split())
    assert "Make a new backup: liveportal ledger backup" in ran.out
    ran = sealed.run(*RESTORE, "a.zip", "--yes", terminal=True)
    assert "The payout profile cannot be read" in ran.err
    ran = sealed.run(*DEEP, terminal=True)
    assert ran.code == 0
    assert "The payout profile was not checked" in ran.err


def test_where_the_old_key_goes(sealed: Shell) -> None:
    """A new file only, and none of the ledger's own; a dry run makes none."""
    there = sealed.file("there.txt", "mine")
    before = _key(sealed).read_bytes()
    error = sealed.refuses(4, *ROTATE, "--keep-old-key", there)
    assert error["code"] == "key_file_exists"
    for name in ("ledger.db.key", "ledger.db.key.x/y", "ledger.db.vault/old"):
        sealed.refuses(74, *ROTATE, "--keep-old-key", sealed.folder / name)
    assert sealed.run(*ROTATE, "--keep-old-key", "-").code == 2
    assert _rotated(sealed, "--keep-old-key", "new.key", "--dry-run")["old_key_in"] is None
    assert (there.read_text(), _key(sealed).read_bytes()) == ("mine", before)
    assert not (sealed.folder / "new.key").exists()
    assert _is_readable(sealed)


def test_a_rotation_that_fails(sealed: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger is unchanged, and no copy of the key is left behind."""

    def full(_store: LedgerFile) -> None:
        raise DiskFull("the disk is full")

    monkeypatch.setattr("liveportal.ledger.secrets.encrypted_fields.EncryptedFields.rotate", full)
    assert sealed.run(*ROTATE, "--keep-old-key", "old.key").code == 1
    assert not (sealed.folder / "old.key").exists()
    monkeypatch.undo()
    monkeypatch.setenv("LIVEPORTAL_LEDGER", str(sealed.ledger))
    monkeypatch.setenv("LIVEPORTAL_KEYRING", "off")
    assert _is_readable(sealed)
