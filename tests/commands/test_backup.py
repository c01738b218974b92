"""`ledger backup` and `restore` as typed: the files made and restored, and the questions asked."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pyrage
import pytest

from liveportal.domain.errors import BackupExists
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.backup import workplace
from liveportal.ledger.backup.age import Encryption
from liveportal.ledger.backup.backup import back_up
from liveportal.ledger.backup.last_backup import last_backup
from liveportal.ledger.storage.driver import Connection
from tests.commands.test_profile import IBAN
from tests.kit.backup_ledger import (
    CHAT,
    PASSPHRASE,
    fill,
    journal_mode,
    key_pair,
    make_archive,
    members,
    secret_file,
)
from tests.kit.old_ledgers import make_old

if TYPE_CHECKING:
    from tests.commands.conftest import Prepare
    from tests.kit.shell import Shell

BACKUP = ("ledger", "backup")
RESTORE = ("ledger", "restore")
SHA = hashlib.sha256(CHAT.encode()).hexdigest()


@pytest.fixture
def rich(october: Shell, prepared: Prepare) -> Shell:
    """Give a shell whose ledger has evidence, messages and a sealed profile."""
    return prepared("filled", october, fill)


def leftovers(folder: Path) -> list[str]:
    """Return the names of temporary files that must not be left in a folder."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def other(shell: Shell) -> tuple[str, Path]:
    """Return how to name a ledger that does not exist yet, and its path."""
    path = shell.folder / "new" / "place" / "ledger.db"
    return f"--ledger={path}", path


def everything(shell: Shell, ledger: Path | None = None) -> tuple[Any, Any, Any]:
    """Return a ledger's whole content: tables, queries, profile and evidence."""
    path = ledger or shell.ledger
    at = ("--ledger", path)
    with closing(Connection(f"file:{path}?mode=ro", uri=True)) as db:
        names = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        tables = [
            (name, db.execute(f'SELECT * FROM "{name}"').fetchall())  # noqa: S608 (its own)
            for (name,) in names.fetchall()
            if "message_index" not in name
        ]
    matches = shell.ok(*at, "sessions", "search", "mali")
    files = sorted(file.read_bytes() for file in Vault(path).folder.rglob("*") if file.is_file())
    return tables, matches, files


# --- there and back -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_backup_is_one_file_that_anybody_can_open(rich: Shell, mode: str) -> None:
    """A ZIP archive with the ledger, its evidence and a manifest; no secret of the profile."""
    journal_mode(rich.ledger, mode)
    row = rich.ok(*BACKUP, "-o", "copy.zip")
    file = rich.folder / "copy.zip"
    assert file.stat().st_mode & 0o777 == 0o600
    assert row["bytes"] == file.stat().st_size
    assert (row["file"], row["encrypted"], row["key"]) == ("copy.zip", None, "left_out")
    assert (row["files"], row["damaged"], row["dry_run"]) == (2, [], False)
    contents = members(file.read_bytes())
    manifest = json.loads(contents["manifest.json"])
    assert {entry["file"] for entry in manifest["files"]} == contents.keys() - {
        *("manifest.json", "manifest.sha256")
    }
    for entry in manifest["files"]:
        content = contents[entry["file"]]
        assert entry["bytes"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert contents[f"ledger.db.vault/{SHA[:2]}/{SHA}"] == CHAT.encode()
    seal = hashlib.sha256(contents["manifest.json"]).hexdigest()
    assert contents["manifest.sha256"] == f"{seal}  manifest.json\n".encode()
    key = Path(f"{rich.ledger}.key").read_text().split()[-1].encode()
    for content in contents.values():
        assert key not in content
        assert IBAN.encode() not in content
    info = rich.ok("ledger", "info")
    assert (manifest["events"], manifest["head"]) == (info["events"], info["head"])
    assert leftovers(rich.folder) == []
    # Unpacked by hand it is a ledger.
    with ZipFile(rich.folder / "copy.zip") as archive:
        archive.extractall(rich.folder / "unpacked")
    for folder, _, _ in os.walk(rich.folder / "unpacked"):
        Path(folder).chmod(0o700)
    unpacked = rich.folder / "unpacked" / "ledger.db"
    assert rich.ok("--ledger", unpacked, "ledger", "verify", "--deep")["head"] == info["head"]


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_new_ledger_is_the_one_that_was_backed_up(rich: Shell, mode: str) -> None:
    """Without an existing ledger, restore asks nothing and recreates the whole one."""
    journal_mode(rich.ledger, mode)
    before = everything(rich)
    rich.ok(*BACKUP, "-o", "copy.zip")
    option, path = other(rich)
    row = rich.ok(option, *RESTORE, "copy.zip")
    assert (row["state"], row["files"], row["kept"], row["lost"]) == ("created", 2, None, 0)
    assert rich.ok(option, "ledger", "verify")["head"] == row["head"]
    assert everything(rich, path) == before
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert Vault(path).path(SHA).stat().st_mode & 0o777 == 0o400
    assert rich.ok(option, "ledger", "info")["journal_mode"] == "wal"
    assert leftovers(path.parent) == []


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_what_was_recorded_since_stays_in_a_copy(rich: Shell, mode: str) -> None:
    """The ledger is the backed-up one; the replaced one is kept whole beside it."""
    journal_mode(rich.ledger, mode)
    before = everything(rich)
    made = rich.ok(*BACKUP, "-o", "copy.zip")
    rich.ok("sessions", "tip", "S-1001", "5")
    rich.ok("sessions", "attach", "S-1001", rich.file("late.txt", "01:00 Mina: thanks\n"))
    late = everything(rich)
    error = rich.refuses(7, *RESTORE, "copy.zip")
    assert error["code"] == "confirmation_needed"
    question = f"({made['events'] + 2} events) with the backup of {made['events']} events?"
    assert question in error["message"]
    assert "The backup does not have the last 2. A copy of the ledger is kept" in error["message"]
    row = rich.ok(*RESTORE, "copy.zip", "--yes")
    assert (row["state"], row["replaced"], row["lost"]) == ("replaced", made["events"] + 2, 2)
    assert everything(rich)[:2] == before[:2]  # The vault has one more.
    assert rich.ok("ledger", "info")["journal_mode"] == mode.lower()
    assert rich.ok("ledger", "verify")["head"] == made["head"]
    kept = Path(row["kept"])
    assert kept.stat().st_mode & 0o777 == 0o600
    shutil.copytree(Vault(rich.ledger).folder, Vault(kept).folder)
    assert everything(rich, kept) == late
    assert rich.ok("--ledger", kept, "ledger", "verify")["events"] == made["events"] + 2
    # And recording can go on.
    rich.ok("sessions", "tip", "S-1001", "6")
    assert rich.ok("ledger", "verify")["events"] == made["events"] + 1


def test_a_dry_run_shows_all_and_changes_nothing(rich: Shell) -> None:
    """It checks the whole backup, shows what would be lost, and asks nothing."""
    rich.ok(*BACKUP, "-o", "copy.zip")
    rich.ok("sessions", "tip", "S-1001", "5")
    before, names = everything(rich), sorted(rich.folder.rglob("*"))
    row = rich.ok(*RESTORE, "copy.zip", "--dry-run")
    assert (row["dry_run"], row["state"], row["lost"], row["kept"]) == (True, "replaced", 1, None)
    assert everything(rich) == before
    option, path = other(rich)
    assert rich.ok(option, *RESTORE, "copy.zip", "--dry-run")["state"] == "created"
    assert not path.parent.parent.exists()
    planned = rich.ok(*BACKUP, "--dry-run")
    assert planned["dry_run"]
    assert planned["events"] == row["events"] + 1
    assert [path for path in sorted(rich.folder.rglob("*")) if "-shm" not in path.name] == [
        name for name in names if "-shm" not in name.name
    ]


@pytest.mark.slow
def test_a_ledger_of_the_first_form_comes_back_upgraded(nothing: Shell, tmp_path: Path) -> None:
    """An older ledger is brought to the current form when it is opened: by backup, as by all."""
    old = tmp_path / "books" / "ledger.db"
    make_old(old, "DELETE")
    content = old.read_bytes()
    facts = {"ledger.db": content}
    nothing.ok("--ledger", old, *BACKUP, "-o", "copy.zip")
    assert json.loads(members((tmp_path / "copy.zip").read_bytes())["manifest.json"])["form"] > 1
    # A ledger that an older program would have backed up itself.
    manifest = json.loads(members((tmp_path / "copy.zip").read_bytes())["manifest.json"])
    sizes = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest |= {"form": 1, "files": [{"file": "ledger.db", **sizes}]}
    text = json.dumps(manifest).encode()
    seal = f"{hashlib.sha256(text).hexdigest()}  manifest.json\n".encode()
    file = nothing.file(
        "old.zip", make_archive(facts | {"manifest.json": text, "manifest.sha256": seal})
    )
    row = nothing.ok(*RESTORE, file)
    assert nothing.ok("ledger", "verify")["head"] == row["head"] == manifest["head"]
    assert nothing.ok("ledger", "info")["form"] > 1


# --- encrypted ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cheap_passphrases")
def test_a_passphrase_locks_it_and_opens_it(rich: Shell) -> None:
    """The profile's key is in it; the age tool opens it, too; no plain text is left behind."""
    secret = secret_file(rich, "pass.txt", PASSPHRASE + "\n")
    row = rich.ok(*BACKUP, "--passphrase-file", secret)
    assert (row["encrypted"], row["key"]) == ("passphrase", "included")
    file = rich.folder / row["file"]
    assert file.name.endswith(".age.zip")
    content = file.read_bytes()
    assert b"manifest" not in content
    assert b"Mina" not in content
    outer = members(content)
    key = pyrage.passphrase.decrypt(outer["key.age"], PASSPHRASE).decode().splitlines()[-1]
    plain = pyrage.decrypt(outer["backup.zip.age"], [pyrage.x25519.Identity.from_str(key)])
    contents = members(plain)
    assert contents["ledger.db.key"] == Path(f"{rich.ledger}.key").read_bytes()
    option, path = other(rich)
    error = rich.refuses(1, option, *RESTORE, file)
    assert (error["code"], "no terminal to ask" in error["message"]) == ("backup_locked", True)
    wrong = secret_file(rich, "wrong.txt", PASSPHRASE.upper())
    error = rich.refuses(1, option, *RESTORE, file, "--passphrase-file", wrong)
    assert error["code"] == "backup_locked"
    assert PASSPHRASE.upper() not in json.dumps(error)
    assert not path.exists()
    row = rich.ok(option, *RESTORE, file, "--passphrase-file", "-", stdin=PASSPHRASE.encode())
    assert (row["state"], row["key"]) == ("created", "restored")
    assert Path(f"{path}.key").stat().st_mode & 0o777 == 0o600
    checks = rich.ok(option, "payout", "profile", "check")
    assert {check["requirement"]: check["state"] for check in checks}["seal"] == "ok"


@pytest.mark.slow
def test_a_passphrase_is_hard_to_guess(october: Shell) -> None:
    """Each guess costs as much work as the age library finds right for the machine."""
    secret = secret_file(october, "pass.txt", PASSPHRASE)
    file = october.folder / october.ok(*BACKUP, "--passphrase-file", secret)["file"]
    _, kind, _salt, work_factor = members(file.read_bytes())["key.age"].split(b"\n")[1].split()
    assert (kind, int(work_factor) > 13) == (b"scrypt", True)


@pytest.mark.slow
def test_a_public_key_locks_it_and_its_secret_opens_it(rich: Shell) -> None:
    """Several recipients; making it needs no secret, so that cron can."""
    public, secret = key_pair(rich)
    second = pyrage.x25519.Identity.generate()
    row = rich.ok(*BACKUP, "--to", ".", "--recipient", public, "--recipient", second.to_public())
    assert (row["encrypted"], row["key"]) == ("recipient", "included")
    file = rich.folder / row["file"]
    assert file.name.endswith(".zip.age")
    for identity in (second, pyrage.x25519.Identity.from_str(secret.read_text().split()[-1])):
        assert "ledger.db.key" in members(pyrage.decrypt(file.read_bytes(), [identity]))
    option, path = other(rich)
    assert rich.refuses(1, option, *RESTORE, file)["code"] == "backup_locked"
    stranger = secret_file(rich, "stranger.txt", str(pyrage.x25519.Identity.generate()))
    for wrong in (stranger, secret_file(rich, "none.txt", "# nothing\n")):
        error = rich.refuses(1, option, *RESTORE, file, "--identity", wrong)
        assert error["code"] == "backup_locked"
        assert "AGE-SECRET" not in json.dumps(error)
    assert not path.exists()
    assert rich.ok(option, *RESTORE, file, "--identity", secret)["key"] == "restored"
    # The key that is there stays.
    assert rich.ok(option, *RESTORE, file, "--identity", secret, "--yes")["key"] == "kept"


@pytest.mark.slow
def test_nothing_plain_lies_outside_of_the_ledgers_folder(
    rich: Shell, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is made, no plain text is in the target or the temporary folder."""
    target, temporary = (tmp_path_factory.mktemp(name) for name in ("target", "tmp"))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    seen: list[bytes] = []

    def look(_size: int) -> None:
        seen.extend(path.read_bytes() for path in target.iterdir())
        assert list(temporary.iterdir()) == []

    public, _ = key_pair(rich)
    at = datetime(2026, 11, 28, 12, tzinfo=UTC)
    back_up(rich.ledger, target / "b.age", made_at=at, lock=Encryption([public]), progress=look)
    assert len(seen) > 3
    for content in seen:
        assert CHAT.encode() not in content
        assert b"PK" not in content[:2]
        assert b"SQLite" not in content
    back_up(rich.ledger, target / "plain.zip", made_at=at)
    assert CHAT.encode() in (target / "plain.zip").read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("cheap_passphrases")
def test_a_passphrase_is_typed_twice_and_then_once(
    october: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal it is asked for without showing it; two different ones make no backup."""
    monkeypatch.setattr("liveportal.cli.io.secrets.can_ask", lambda: True)
    typed = iter(["one", "two", "", "one", "one", "one"])
    monkeypatch.setattr("liveportal.cli.io.secrets.ask_hidden", lambda _: next(typed))
    for _ in range(2):
        ran = october.run(*BACKUP, "--encrypt")
        assert (ran.code, ran.out) == (1, "")
    assert [path.name for path in october.folder.glob("*.zip")] == []
    file = october.ok(*BACKUP, "--encrypt")["file"]
    option, _ = other(october)
    assert october.ok(option, *RESTORE, file)["state"] == "created"


@pytest.mark.slow
def test_secrets_come_from_private_files(october: Shell) -> None:
    """A file that others may read, a folder, an empty file and non-text are refused."""
    open_file = october.file("open.txt", PASSPHRASE)
    open_file.chmod(0o640)
    folder = october.folder / "folder"
    folder.mkdir()
    for given, code, why in (
        (open_file, 1, "unsafe_key"),
        (folder, 1, "unreadable_file"),
        (october.folder / "none", 1, "unreadable_file"),
        (secret_file(october, "empty.txt", "\n"), 1, "invalid_value"),
        (secret_file(october, "long.txt", "x" * 200_000), 1, "invalid_value"),
    ):
        error = october.refuses(code, *BACKUP, "--passphrase-file", given)
        assert error["code"] == why
        assert PASSPHRASE not in json.dumps(error)
    binary = october.file("binary", b"\xff\xfe")
    binary.chmod(0o600)
    assert october.refuses(1, *BACKUP, "--passphrase-file", binary)["code"] == "invalid_value"
    assert october.refuses(1, *BACKUP, "--encrypt")["code"] == "backup_locked"
    assert october.refuses(1, *BACKUP, "--recipient", "age1x")["code"] == "invalid_value"
    assert list(october.folder.glob("*.zip*")) == []


# --- what goes where ------------------------------------------------------------------------------


def test_a_backup_overwrites_nothing(october: Shell) -> None:
    """A file, a folder, a link or the ledger itself stays; the folder must exist."""
    taken = october.file("taken.zip", "mine")
    (october.folder / "folder").mkdir()
    (october.folder / "link").symlink_to("nowhere")
    assert october.refuses(4, *BACKUP, "-o", taken)["code"] == "backup_exists"
    assert taken.read_text() == "mine"
    for target in ("folder", "link", october.ledger, "none/copy.zip"):
        assert october.refuses(74, *BACKUP, "-o", target)["code"] == "output_failed"
    assert october.refuses(74, *BACKUP, "--to", "none")["code"] == "output_failed"
    assert not (october.folder / "nowhere").exists()
    assert leftovers(october.folder) == []


@pytest.mark.slow
def test_what_comes_to_its_place_meanwhile_stays(october: Shell) -> None:
    """Another process is quicker: its file stays, and no backup is made."""
    target = october.folder / "copy.zip"

    def quicker(_size: int) -> None:
        target.write_text("mine")

    at = datetime(2026, 11, 28, 12, tzinfo=UTC)
    with pytest.raises(BackupExists):
        back_up(october.ledger, target, made_at=at, progress=quicker)
    assert target.read_text() == "mine"
    assert leftovers(october.folder) == []
    assert last_backup(october.ledger) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "argv",
    [
        ("-o", "-"),
        ("-o", "a.zip", "--to", "."),
        ("--keep", "7d"),
        ("--recipient", "age1x", "--encrypt"),
        ("--recipient", "age1x", "--passphrase-file", "x"),
    ],
)
def test_options_that_do_not_belong_together(october: Shell, argv: tuple[str, ...]) -> None:
    """They are wrong usage, and nothing is made."""
    assert october.refuses(2, *BACKUP, *argv)["code"] == "usage"
    assert list(october.folder.glob("*.zip*")) == []


@pytest.mark.slow
def test_rotation_removes_exactly_what_is_not_kept(october: Shell) -> None:
    """Only this ledger's backups, by exact name, once the new one exists; --dry-run shows it."""
    folder = october.folder / "backups"
    folder.mkdir()
    first = Path(october.ok(*BACKUP, "--to", folder)["file"])
    series = first.name[: -len("20261128T120000Z.zip")]
    dated = [f"202601{day:02}T030000Z" for day in range(1, 21)]
    for stamp in dated:
        shutil.copy(first, folder / f"{series}{stamp}.zip")
    (folder / f"{series}20260102T040000Z.zip.age").write_bytes(b"locked")
    alien = folder / f"{series}20260103T050000Z.zip"  # It says that it is another book's.
    shutil.copy(first, alien)
    manifest = json.loads(members(alien.read_bytes())["manifest.json"]) | {"book": "0" * 64}
    content = members(alien.read_bytes()) | {"manifest.json": json.dumps(manifest).encode()}
    seal = hashlib.sha256(content["manifest.json"]).hexdigest()
    content["manifest.sha256"] = f"{seal}  manifest.json\n".encode()
    alien.write_bytes(make_archive(content))
    spared = [
        *("notes.txt", f"{series}20260101T030000Z.zip.bak", f"x{series}20260101T030000Z.zip"),
        f"{series}20260104T030001Z.zip",
    ]
    for name in spared[:-1]:
        (folder / name).write_bytes(b"mine")
    (folder / spared[-1]).symlink_to(first)
    argv = (*BACKUP, "--to", folder, "--keep", "2d,1w,1m")
    planned = october.ok(*argv, "--dry-run")["removed"]
    assert len(list(folder.iterdir())) == 1 + 20 + 2 + 4
    first.rename(folder / f"{series}20260120T060000Z.zip")
    row = october.ok(*argv)
    left = {path.name for path in folder.iterdir()}
    new = Path(row["file"]).name
    assert left == {new, f"{series}20260120T060000Z.zip", alien.name, *spared}
    assert {Path(removed).name for removed in row["removed"]} == {
        *(f"{series}{stamp}.zip" for stamp in dated),
        f"{series}20260102T040000Z.zip.age",
    }
    assert set(planned) >= {str(folder / f"{series}{stamp}.zip") for stamp in dated[:-1]}


@pytest.mark.slow
def test_the_last_good_backup_is_remembered(october: Shell) -> None:
    """For `doctor`: when, where, and how far the journal was."""
    row = october.ok(*BACKUP)
    last = last_backup(october.ledger)
    assert last is not None
    assert (last.path, last.events) == (october.folder / row["file"], row["events"])
    assert (last.head, last.book) == (row["head"], row["book"])
    assert last.made_at.isoformat() == row["made_at"].replace("Z", "+00:00")


@pytest.mark.slow
def test_one_at_a_time(october: Shell) -> None:
    """During a backup or restore another one must try again; recording goes on."""
    october.ok(*BACKUP, "-o", "copy.zip")
    with workplace.backup_lock(october.ledger):
        for argv in ((*BACKUP, "-o", "b.zip"), (*RESTORE, "copy.zip", "--yes")):
            error = october.refuses(5, *argv)
            assert (error["code"], "Another backup" in error["message"]) == ("ledger_busy", True)
        october.ok("sessions", "tip", "S-1001", "5")
    october.ok(*BACKUP, "-o", "b.zip")


@pytest.mark.slow
def test_from_cron_it_is_quiet_and_says_what_it_did(october: Shell) -> None:
    """As a process without a terminal: one line of result, nothing on standard error, exit 0."""
    (october.folder / "b").mkdir()
    ran = october.process(*BACKUP, "--to", "b", "--keep", "7d,4w,12m")
    assert (ran.code, ran.err, ran.out.count("\n")) == (0, "", 1)
    assert ran.out.startswith("b/ledger-")


# --- evidence that is not what it was -------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.damages
def test_damaged_or_lost_evidence_is_named(rich: Shell) -> None:
    """The backup is made with exit 6; no older one is removed, and none is noted as good."""
    folder = rich.folder / "b"
    folder.mkdir()
    old = Path(rich.ok(*BACKUP, "--to", folder)["file"])
    aged = old.rename(folder / old.name.replace(old.name[-20:-4], "20260101T000000Z"))
    remembered = last_backup(rich.ledger)
    vault = Vault(rich.ledger)
    vault.path(SHA).chmod(0o600)
    vault.path(SHA).write_bytes(b"changed")
    (lost,) = [path for path in vault.folder.rglob("*") if path.is_file() and path.name != SHA]
    lost.rename(rich.folder / "lost")
    ran = rich.run(*BACKUP, "--to", folder, "--keep", "1d", "--json")
    assert ran.code == 6
    row, error = json.loads(ran.out), json.loads(ran.err)["error"]
    assert set(row["damaged"]) == {SHA, lost.name} == set(error["details"]["damaged"])
    assert (error["code"], row["removed"]) == ("backup_incomplete", [])
    assert aged.exists()
    assert last_backup(rich.ledger) == remembered
    # A restore brings back sound files, and reports damaged ones.
    option, path = other(rich)
    restored = rich.ok(option, *RESTORE, row["file"])
    assert (restored["files"], set(restored["damaged"])) == (0, {SHA, lost.name})
    assert not Vault(path).holds(SHA)
    # Sound files stay, damaged ones are repaired.
    restored = rich.ok(*RESTORE, aged, "--yes")
    assert restored["files"] == 2
    vault.check(SHA)
    assert rich.ok(*RESTORE, aged, "--yes")["files"] == 0


@pytest.mark.slow
def test_evidence_that_was_only_reported_is_counted(october: Shell) -> None:
    """A feed reports files that were never attached: they are counted, not backed up."""
    result = october.ok(*BACKUP)
    assert (result["absent"], result["damaged"]) == (_reported_files(october), [])


def _reported_files(shell: Shell) -> int:
    with closing(Connection(str(shell.ledger))) as db:
        (count,) = db.execute("SELECT count(DISTINCT sha256) FROM artifact").fetchone()
    return int(count)


# --- people ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_who_was_forgotten_since_is_named(rich: Shell) -> None:
    """The backup still has them: the result names them, so that they can be forgotten again."""
    row: dict[str, Any] = rich.ok(*BACKUP, "-o", "copy.zip")
    customer = rich.ok("sessions", "show", "S-1002")["customer"]
    rich.says(_forgotten(customer))
    assert rich.ok(*RESTORE, "copy.zip", "--dry-run")["brought_back"] == [customer]
    again = rich.ok(*RESTORE, "copy.zip", "--yes")
    assert (again["brought_back"], again["lost"]) == ([customer], 1)
    assert again["head"] == row["head"]
    # A backup made after it has no one to bring back.
    rich.says(_forgotten(customer))
    rich.ok(*BACKUP, "-o", "later.zip")
    assert rich.ok(*RESTORE, "later.zip", "--yes")["brought_back"] == []


def _forgotten(customer: str) -> bytes:
    event = {
        "specversion": "1.0",
        "id": "forget-1",
        "source": "https://help.example/experts/7",
        "type": "liveportal.customer.forgotten",
        "time": "2026-11-07T08:00:00Z",
        "data": {"customer": customer},
    }
    return json.dumps(event).encode() + b"\n"


# --- what is there --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.damages
@pytest.mark.parametrize("damage", ["header", "middle", "cut", "text"])
def test_a_damaged_ledger_is_replaced_and_kept(rich: Shell, damage: str) -> None:
    """What no longer opens, or only half, stays as it is, beside the one that comes back."""
    before = everything(rich)
    rich.ok(*BACKUP, "-o", "copy.zip")
    content = bytearray(rich.ledger.read_bytes())
    if damage == "header":
        content[:100] = bytes(100)
    elif damage == "middle":
        content[4096 * 3 : 4096 * 20] = b"\xaa" * 4096 * 17
    elif damage == "cut":
        del content[5000:]
    else:
        content = bytearray(b"shopping list\n")
    rich.ledger.write_bytes(content)
    row = rich.ok(*RESTORE, "copy.zip", "--yes")
    assert row["state"] == "replaced"
    assert everything(rich) == before
    kept = Path(row["kept"])
    if kept.is_dir():
        assert (kept / "ledger.db").read_bytes() == bytes(content)
    else:
        assert kept.stat().st_size == len(content)


@pytest.mark.slow
def test_another_book_is_asked_about_and_kept(rich: Shell) -> None:
    """The prompt says that it is another ledger; --yes replaces it and keeps the old one."""
    rich.ok(*BACKUP, "-o", "copy.zip")
    option, path = other(rich)
    rich.ok(option, "init")
    head = rich.ok(option, "ledger", "info")["head"]
    assert "a different ledger" in rich.refuses(7, option, *RESTORE, "copy.zip")["message"]
    row = rich.ok(option, *RESTORE, "copy.zip", "--yes")
    assert (row["lost"], row["replaced"]) == (1, 1)
    assert rich.ok("--ledger", row["kept"], "ledger", "verify")["head"] == head
    assert path.exists()


@pytest.mark.slow
def test_a_restore_writes_through_no_link_and_into_no_folder(rich: Shell) -> None:
    """A link to a ledger is that ledger; a link to nothing, and a folder, are refused."""
    rich.ok(*BACKUP, "-o", "copy.zip")
    link = rich.folder / "link.db"
    link.symlink_to(rich.ledger)
    row = rich.ok("--ledger", link, *RESTORE, "copy.zip", "--yes")
    assert link.is_symlink()
    assert Path(row["kept"]).name.startswith("ledger.db.replaced-")
    dangling = rich.folder / "dangling.db"
    dangling.symlink_to("nowhere.db")
    error = rich.refuses(1, "--ledger", dangling, *RESTORE, "copy.zip", "--yes")
    assert error["code"] == "ledger_unwritable"
    (rich.folder / "folder").mkdir()
    error = rich.refuses(6, "--ledger", rich.folder / "folder", *RESTORE, "copy.zip", "--yes")
    assert error["code"] == "not_a_ledger"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_leftovers_of_a_lost_ledger_are_not_taken_for_the_new_ones(
    rich: Shell, suffix: str
) -> None:
    """SQLite would replay a log without its file into the next file of that name."""
    before = everything(rich)
    rich.ok(*BACKUP, "-o", "copy.zip")
    for beside in ("", "-wal", "-shm"):
        Path(f"{rich.ledger}{beside}").unlink(missing_ok=True)
    Path(f"{rich.ledger}{suffix}").write_bytes(b"\x37\x7f\x06\x82" + bytes(5000))
    row = rich.ok(*RESTORE, "copy.zip")
    assert (Path(row["kept"]) / f"ledger.db{suffix}").stat().st_size == 5004
    assert everything(rich) == before


def test_what_is_no_backup(october: Shell) -> None:
    """A file of another kind, another archive, a folder, an empty file."""
    files = [
        october.file("text", "hello"),
        october.file("empty", b""),
        october.file("other.zip", make_archive({"a": b"b"})),
    ]
    for file in files:
        assert october.refuses(1, *RESTORE, file, "--yes")["code"] == "invalid_backup"
    for name in ("none", "."):
        assert october.refuses(1, *RESTORE, name, "--yes")["code"] == "unreadable_file"
