"""The identity key: made once, never changed, and carried by backups and exports."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from liveportal.domain.errors import KeyNotFound, UnsafeKey
from liveportal.ledger.opening import open_ledger
from liveportal.ledger.secrets.identity import IdentityKey
from liveportal.ledger.storage import connection
from tests.commands.test_transfer import at, ok, other
from tests.kit.backup_ledger import key_pair
from tests.kit.shell import OCTOBER, Shell

ACCOUNT = "paypal:ana@example.com"
PERSON = ("--name", "Anna Example", "--email", "anna@example.com", "--country", "IE")


def fingerprint(path: Path, text: str = ACCOUNT, *, keep: bool = True) -> str:
    """Return a fingerprint, as a write or a dry run makes it."""
    with closing(open_ledger(path, readonly=not keep)) as db:
        if not keep:
            return IdentityKey(db, path, keep=False).fingerprint(text)
        with connection.immediate_transaction(db, path):
            return IdentityKey(db, path).fingerprint(text)


def key_file(shell: Shell) -> Path:
    """Return the file that the keys are in."""
    return shell.ledger.with_name(f"{shell.ledger.name}.key")


def test_it_is_made_once(october: Shell) -> None:
    """With the first fingerprint, in a file of the owner's alone; a dry run stores nothing."""
    tried = fingerprint(october.ledger, keep=False)
    assert not key_file(october).exists()
    first = fingerprint(october.ledger)
    assert len(first) == 32
    assert int(first, 16) >= 0
    assert first != tried
    assert fingerprint(october.ledger) == fingerprint(october.ledger, keep=False) == first
    assert fingerprint(october.ledger, "paypal:joe@example.com") != first
    assert key_file(october).stat().st_mode & 0o777 == 0o600
    assert key_file(october).read_text("ascii").count("identity-") == 1
    assert ACCOUNT.encode() not in october.ledger.read_bytes() + key_file(october).read_bytes()


def test_no_command_changes_it(october: Shell) -> None:
    """Neither the first value of the profile, nor rotate-key, nor entering the profile again."""
    first = fingerprint(october.ledger)
    october.ok("payout", "profile", "set", *PERSON)
    assert fingerprint(october.ledger) == first
    october.ok("payout", "profile", "rotate-key", "--yes")
    assert fingerprint(october.ledger) == first
    october.ok("payout", "profile", "set", "--start-over", *PERSON, "--yes")
    assert fingerprint(october.ledger) == first
    assert october.ok("payout", "profile", "show")["name"] is not None
    assert october.ok("ledger", "verify")["ok"] is True


def test_a_key_that_is_lost_is_not_replaced(october: Shell) -> None:
    """It is an error that names where it was, and an import of an export puts it back."""
    first = fingerprint(october.ledger)
    export = october.folder / "book.jsonl"
    october.ok("ledger", "export", "events", "-o", export)
    key_file(october).unlink()
    with pytest.raises(KeyNotFound) as caught:
        fingerprint(october.ledger)
    assert str(key_file(october)) in caught.value.message
    october.ok("ledger", "import", export, "--yes")
    assert fingerprint(october.ledger) == first


def test_a_key_file_that_others_may_read_is_refused(october: Shell) -> None:
    """As for the book's own key."""
    fingerprint(october.ledger)
    key_file(october).chmod(0o644)
    with pytest.raises(UnsafeKey):
        fingerprint(october.ledger)


def test_an_export_carries_it(october: Shell) -> None:
    """In its first line, but not without personal data; the imported ledger has the same one."""
    without = october.folder / "without.jsonl"
    export = october.folder / "book.jsonl"
    october.ok("ledger", "export", "events", "-o", export)
    assert "liveportalidentity" not in export.read_text("ascii"), "no key was made yet"
    first = fingerprint(october.ledger)
    october.ok("ledger", "export", "events", "-o", export)
    october.ok("ledger", "export", "events", "--without-personal", "-o", without)
    lines = export.read_text("ascii").splitlines()
    assert ["liveportalidentity" in line for line in lines] == [True, *[False] * (len(lines) - 1)]
    assert "liveportalidentity" not in without.read_text("ascii")

    copy = other(october, "copy/ledger.db")
    assert ok(copy, "ledger", "import", export, "--dry-run")["identity_key"] == "brought"
    assert not key_file(copy).exists()
    assert ok(copy, "ledger", "import", export, "--yes")["identity_key"] == "brought"
    assert fingerprint(copy.ledger) == first
    again = json.loads(copy.run(*at(copy, "ledger", "export", "events")).out.splitlines()[0])
    assert again["liveportalidentity"] == json.loads(lines[0])["liveportalidentity"]


def test_a_ledger_keeps_its_own(october: Shell) -> None:
    """An import into a ledger with another identity key changes nothing of it, and says so."""
    fingerprint(october.ledger)
    export = october.folder / "book.jsonl"
    october.ok("ledger", "export", "events", "-o", export)
    second = other(october, "second/ledger.db")
    ok(second, "init")
    own = fingerprint(second.ledger)
    ok(second, "sync", OCTOBER)
    assert ok(second, "ledger", "import", export, "--yes")["identity_key"] == "another"
    assert fingerprint(second.ledger) == own


@pytest.mark.parametrize("value", ["x", "", 7, "AAAA", None])
def test_a_line_with_a_wrong_key_is_refused(october: Shell, value: object) -> None:
    """And so is a key in another line than the first; a feed's attribute is never exported."""
    lines = october.output_of("ledger", "export", "events").splitlines()
    document = json.loads(lines[0]) | {"liveportalidentity": value}
    wrong = october.file("wrong.jsonl", "\n".join([json.dumps(document), *lines[1:]]) + "\n")
    if value is not None:
        assert october.refuses(1, "ledger", "import", wrong, "--yes")["code"] == "invalid_event"
    fingerprint(october.ledger)
    first = october.output_of("ledger", "export", "events").splitlines()[0]
    late = october.file("late.jsonl", "\n".join([*lines, first]) + "\n")
    assert october.refuses(1, "ledger", "import", late, "--yes")["code"] == "invalid_event"


def restored(shell: Shell, backup: str, *options: object) -> Shell:
    """Restore a backup as another ledger."""
    copy = other(shell, "restored/ledger.db")
    ok(copy, "ledger", "restore", backup, *options, "--yes")
    return copy


@pytest.mark.parametrize("sealed", [False, True])
def test_only_an_encrypted_backup_has_it(october: Shell, sealed: bool) -> None:
    """With or without a sealed profile; a copy from a plain one names what is missing."""
    if sealed:
        october.ok("payout", "profile", "set", *PERSON)
    first = fingerprint(october.ledger)
    public, secret = key_pair(october)
    october.ok("ledger", "backup", "-o", "plain.zip")
    october.ok("ledger", "backup", "-o", "locked.age", "--recipient", public)
    assert b"identity-" not in (october.folder / "plain.zip").read_bytes()
    copy = restored(october, "plain.zip")
    with pytest.raises(KeyNotFound):
        fingerprint(copy.ledger)
    ok(copy, "ledger", "restore", "locked.age", "--identity", secret, "--yes")
    assert fingerprint(copy.ledger) == first
    assert key_file(copy).stat().st_mode & 0o777 == 0o600


def test_a_restore_keeps_the_identity_that_is_there(october: Shell) -> None:
    """A plain backup of the same book brings none, and takes none away."""
    first = fingerprint(october.ledger)
    october.ok("ledger", "backup", "-o", "plain.zip")
    october.ok("payout", "profile", "set", *PERSON)
    october.ok("ledger", "restore", "plain.zip", "--yes")
    assert fingerprint(october.ledger) == first
