"""A backup is an untrusted file: everything in it is checked, and nothing hostile passes."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.errors import (
    DamagedBackup,
    DiskFull,
    InvalidBackup,
    LiveportalError,
    NewerLedger,
    VerificationFailed,
)
from liveportal.ledger.backup.backup import back_up
from liveportal.ledger.backup.restore import restoring
from liveportal.ledger.storage.driver import Connection
from tests.commands.conftest import Prepare
from tests.kit.backup_ledger import fill, make_archive, members
from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
Members = dict[str, bytes]
ENDLESS = (
    "CREATE VIEW event AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n)"
    " SELECT i AS seq, i AS hash FROM n"
)


@pytest.fixture
def shell(october: Shell, prepared: Prepare) -> Shell:
    """Give a shell whose ledger has evidence and a sealed profile."""
    return prepared("filled and backed up", october, _back_up)


def _back_up(october: Shell) -> None:
    back_up(fill(october).ledger, october.folder / "good.zip", made_at=AT)


@pytest.fixture
def good(shell: Shell) -> Members:
    """Give the files of a good backup."""
    return members((shell.folder / "good.zip").read_bytes())


def seal_manifest(files: Members, **changed: object) -> Members:
    """Return the files with a manifest that agrees with them, as a forger would write it."""
    manifest: dict[str, Any] = json.loads(files["manifest.json"])
    manifest["files"] = [
        {"file": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
        if not name.startswith("manifest.")
    ]
    return replace_manifest(files, json.dumps(manifest | changed).encode())


def replace_manifest(files: Members, manifest: bytes) -> Members:
    """Return files with another manifest, sealed as ours is."""
    seal = f"{hashlib.sha256(manifest).hexdigest()}  manifest.json\n".encode()
    return files | {"manifest.json": manifest, "manifest.sha256": seal}


def restore_file(shell: Shell, content: bytes) -> None:
    """Restore a file to a new place, and return what it made."""
    place = shell.folder / "new" / "ledger.db"
    file = shell.file("hostile.zip", content)
    with restoring(place, file) as backup:
        backup.carry_out(AT)


def refusal_of(shell: Shell, content: bytes) -> LiveportalError:
    """Return the error with which a file is refused; nothing of it may be left."""
    before = sorted(shell.folder.rglob("*"))
    file = shell.file("hostile.zip", content)
    place = shell.folder / "new" / "ledger.db"
    with pytest.raises(LiveportalError) as caught, restoring(place, file) as backup:
        backup.carry_out(AT)
    file.unlink()
    assert sorted(shell.folder.rglob("*")) == before, "something was left behind"
    return caught.value


def test_the_files_as_they_are_can_be_restored(shell: Shell, good: Members) -> None:
    """What the tests below change is restored when it is not changed."""
    restore_file(shell, make_archive(seal_manifest(good)))


# --- names and kinds ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/evil",
        "..\\evil",
        "ledger.db.vault/../../evil",
        "ledger.db.vault/ab/" + "cd" * 32,
        "ledger.db.vault/" + "ab" * 32,
        "ledger.db.vault/AB/" + "AB" * 32,
        "ledger.db-wal",
        "ledger.db/",
        "notes.txt",
        "\x1b[31mred",
        "ledger.db.vault/ab/" + "ab" * 32 + "\n",
    ],
)
def test_no_other_name_than_those_of_a_backup(shell: Shell, good: Members, name: str) -> None:
    """Not in the archive, not in its manifest; and an error shows no control characters."""
    error = refusal_of(shell, make_archive(seal_manifest({name: b"evil"} | good)))
    assert isinstance(error, DamagedBackup)
    assert error.message.isprintable()


@pytest.mark.parametrize("mode", [0o120777, 0o040755, 0o010644, 0o020666])
def test_only_regular_files(shell: Shell, good: Members, mode: int) -> None:
    """A member that is marked as a link, a folder, a pipe or a device is refused."""
    error = refusal_of(shell, make_archive(seal_manifest(good), external_attr=mode << 16))
    assert "regular" in error.message


@pytest.mark.damages
def test_a_file_of_the_vault_has_the_hash_that_names_it(shell: Shell, good: Members) -> None:
    """Unless the manifest marks it as damaged; then it is not restored."""
    name = next(member for member in good if "vault" in member)
    changed = good | {name: b"something else"}
    assert (
        "has the wrong content" in refusal_of(shell, make_archive(seal_manifest(changed))).message
    )
    sha256 = name.rpartition("/")[2]
    restore_file(shell, make_archive(seal_manifest(changed, damaged=[sha256])))
    vault = shell.folder / "new" / "ledger.db.vault"
    assert not (vault / sha256[:2] / sha256).exists()
    assert len([path for path in vault.rglob("*") if path.is_file()]) == 1


def test_nothing_is_there_twice_added_or_missing(shell: Shell, good: Members) -> None:
    """Each file of the manifest is in the archive once, and no other is."""
    whole = seal_manifest(good)
    target = io.BytesIO(make_archive(whole))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(target, "a") as archive:
        archive.writestr("ledger.db", b"another")
    assert "twice" in refusal_of(shell, target.getvalue()).message
    assert "added" in refusal_of(shell, make_archive(whole | {"more": b""})).message
    for name in whole:
        rest = {key: value for key, value in whole.items() if key != name}
        assert isinstance(refusal_of(shell, make_archive(rest)), DamagedBackup | InvalidBackup)


# --- sizes ----------------------------------------------------------------------------------------


def test_a_bomb_is_not_unpacked(
    shell: Shell, good: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unpacking stops at the announced size, and at the free space of the disk."""
    bomb = bytes(50_000_000)
    changed = seal_manifest(good)
    manifest = json.loads(changed["manifest.json"])
    content = make_archive(changed | {"ledger.db": bomb}, compress_type=zipfile.ZIP_DEFLATED)
    assert len(content) < 1_000_000
    assert "was changed" in refusal_of(shell, content).message
    # The same, where the directory lies about the size as the manifest does.
    lying = bytearray(content)
    place = lying.rindex(struct.pack("<L", len(bomb)))
    (size,) = [entry["bytes"] for entry in manifest["files"] if entry["file"] == "ledger.db"]
    lying[place : place + 4] = struct.pack("<L", size)
    read = 0

    def counted(chunk: int) -> None:
        nonlocal read
        read += chunk

    file = shell.file("lying.zip", bytes(lying))
    with pytest.raises(DamagedBackup), restoring(shell.folder / "n.db", file, progress=counted):
        pass
    assert read <= 2 * size
    # One that is honest, and larger than the disk.
    honest = make_archive(
        seal_manifest(good | {"ledger.db": bomb}), compress_type=zipfile.ZIP_DEFLATED
    )
    usage = shutil.disk_usage(shell.folder)._replace(free=40_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert isinstance(refusal_of(shell, honest), DiskFull)


def test_files_that_lie_in_one_another_are_refused(shell: Shell, good: Members) -> None:
    """Many entries for the same bytes: more to unpack than the archive is long."""
    content = make_archive(seal_manifest(good))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.start_dir
        (info,) = [member for member in archive.infolist() if member.filename == "ledger.db"]
    directory, end = content[start:-22], content[-22:]
    # An entry of the directory has its name 46 bytes after it begins.
    place = directory.index(b"ledger.db", directory.index(b"PK\x01\x02")) - 46
    entry = directory[place : place + 46]
    clones = b"".join(entry + f"ledger.d{n}".encode() for n in range(9))
    fields = list(struct.unpack("<4s4H2LH", end))
    fields[3] += 9
    fields[4] += 9
    fields[5] += len(clones)
    hostile = content[:start] + directory + clones + struct.pack("<4s4H2LH", *fields)
    assert info.file_size * 10 > len(hostile)
    assert "its files overlap" in refusal_of(shell, hostile).message


# --- the manifest ---------------------------------------------------------------------------------


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.pop(name)


def _with(**values: object) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.update(values)


@pytest.mark.parametrize(
    "change",
    [
        *map(_without, ("book", "head", "events", "form", "made_at", "files", "absent", "damaged")),
        _with(events=-1),
        _with(events="7"),
        _with(events=True),
        _with(events=10**30),
        _with(head="x"),
        _with(book=None),
        _with(made_at="yesterday"),
        _with(made_at="9999-12-31T23:59:59-14:00"),
        _with(files="all"),
        _with(files=[7]),
        _with(files=[{"file": "ledger.db"}]),
        _with(damaged=["../x"]),
        _with(damaged=7),
        _with(events=3),
        _with(head="ab" * 32),
        _with(book="ab" * 32),
        _with(form=1),
    ],
)
def test_a_manifest_that_says_what_cannot_be(
    shell: Shell, good: Members, change: Callable[[dict[str, Any]], object]
) -> None:
    """Every value has its format and matches the ledger."""
    document = json.loads(good["manifest.json"])
    change(document)
    error = refusal_of(shell, make_archive(replace_manifest(good, json.dumps(document).encode())))
    assert isinstance(error, DamagedBackup)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"NaN", b"7"]
)
def test_a_manifest_that_is_none(shell: Shell, good: Members, content: bytes) -> None:
    """Any content is refused with a sentence."""
    error = refusal_of(shell, make_archive(replace_manifest(good, content)))
    assert isinstance(error, DamagedBackup | InvalidBackup)


def test_a_form_that_is_not_known(shell: Shell, good: Members) -> None:
    """A later program's backup is refused with the advice to upgrade; a later ledger is, too."""
    document = json.loads(good["manifest.json"]) | {"format": "liveportal.backup.v2"}
    error = refusal_of(shell, make_archive(replace_manifest(good, json.dumps(document).encode())))
    assert isinstance(error, InvalidBackup)
    assert "Upgrade" in str(error.hint)
    newer = changed_ledger(shell, good, "PRAGMA user_version = 99")
    assert isinstance(refusal_of(shell, make_archive(seal_manifest(newer, form=99))), NewerLedger)


def test_what_was_changed_without_the_manifest(shell: Shell, good: Members) -> None:
    """The file is named; a seal that is not the manifest's is one, too."""
    for name in good:
        content = bytearray(good[name])
        content[len(content) // 2] ^= 1
        error = refusal_of(shell, make_archive(good | {name: bytes(content)}))
        assert isinstance(error, DamagedBackup)
        assert name.removesuffix(".sha256") in error.message or "manifest.json" in error.message


# --- the ledger in it -----------------------------------------------------------------------------


def changed_ledger(shell: Shell, files: Members, *statements: str) -> Members:
    """Return the files with a ledger that was tampered with."""
    path = shell.file("changed.db", files["ledger.db"])
    with closing(Connection(str(path), isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)
    content = path.read_bytes()
    path.unlink()
    return files | {"ledger.db": content}


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TRIGGER mine AFTER INSERT ON event BEGIN SELECT 1; END"],
        ["DROP TRIGGER event_never_changes"],
        [
            "DROP TRIGGER event_never_goes",
            "CREATE TRIGGER event_never_goes AFTER INSERT ON event BEGIN SELECT 1; END",
        ],
        ["DROP VIEW posting", "CREATE VIEW posting AS SELECT 1 AS amount"],
        [
            "ALTER TABLE event RENAME TO was",
            ENDLESS,
        ],
        ["DROP INDEX request_open"],
        ["PRAGMA application_id = 7"],
        ["PRAGMA user_version = 0"],
    ],
)
def test_a_ledger_that_is_not_as_ours_are(
    shell: Shell, good: Members, statements: list[str]
) -> None:
    """Triggers that would do something later, views in the place of ours, another application."""
    hostile = changed_ledger(shell, good, *statements)
    error = refusal_of(shell, make_archive(seal_manifest(hostile)))
    assert isinstance(error, DamagedBackup | VerificationFailed)
    assert "/" not in error.message.replace(str(shell.folder), "")


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE VIEW mine AS SELECT 1"],
        [
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_schema SET sql = sql || ' ' WHERE name = 'message_index_docsize'",
        ],
    ],
)
def test_what_is_otherwise_and_harmless_comes_back(
    shell: Shell, good: Members, statements: list[str]
) -> None:
    """Views of one's own, and how another SQLite lays out an index of words."""
    restore_file(shell, make_archive(seal_manifest(changed_ledger(shell, good, *statements))))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE session SET gross_minor = gross_minor + 1 WHERE gross_minor > 0",
        "UPDATE month_flow SET amount = amount + 1",
        "DELETE FROM item",
    ],
)
def test_a_ledger_whose_figures_were_changed(shell: Shell, good: Members, statement: str) -> None:
    """A matching manifest does not help: the ledger itself is verified."""
    hostile = changed_ledger(shell, good, statement)
    error = refusal_of(shell, make_archive(seal_manifest(hostile)))
    assert isinstance(error, VerificationFailed)


def test_a_key_that_is_none(shell: Shell, good: Members) -> None:
    """The ledger is restored; an invalid key is not, and the result says so."""
    file = shell.file("a.zip", make_archive(seal_manifest(good | {"ledger.db.key": b"no key"})))
    place = shell.folder / "new" / "ledger.db"
    with restoring(place, file) as backup:
        assert backup.carry_out(AT).key.state == "wrong_key"
    assert not Path(f"{place}.key").exists()
    assert "not a key" in refused_key(shell, good)


def refused_key(shell: Shell, good: Members) -> str:
    """Return why a key that is far too long is refused."""
    content = make_archive(seal_manifest(good | {"ledger.db.key": b"x" * 20_000}))
    file = shell.file("b.zip", content)
    with pytest.raises(DamagedBackup) as caught, restoring(shell.folder / "b.db", file):
        pass
    return caught.value.message
