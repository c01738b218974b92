"""The power fails during a backup, a restore or an erasure.

As `test_power`, which makes the disks: acknowledged events are there, nothing by halves; and here
also: a replaced ledger is kept, and erased data does not come back.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO

import pyrage
import pytest

from liveportal.ledger.attachments.vault import Vault, no_progress
from liveportal.ledger.backup import age
from liveportal.ledger.backup.age import Decryption
from liveportal.ledger.backup.archive import Bundle, Manifest
from liveportal.ledger.backup.last_backup import file_of, last_backup
from tests.faults.conftest import Amount
from tests.faults.power.judge import judge_crashes
from tests.faults.power.scenario import EVENTS, AfterCrash, Command, Scenario, Stage
from tests.faults.power.scenario import shell as on
from tests.faults.test_power import (
    DELETE,
    NAME,
    PROFILE,
    WAL,
    files_are_whole,
    known,
    made,
    nothing_is_left,
    october,
    profile_opens,
    with_files,
)
from tests.kit.old_ledgers import asked
from tests.kit.shell import OCTOBER, Shell

pytestmark = pytest.mark.slow


# --- backups --------------------------------------------------------------------------------------


KEY = pyrage.x25519.Identity.generate()
PASSPHRASE = "correct horse battery staple"  # noqa: S105 (of tests only)
OPENER = Decryption(identities=[str(KEY)], passphrase=PASSPHRASE)
_SOUND: dict[bytes, Manifest] = {}


def manifest_of(backup: Path) -> Manifest:
    """Return the manifest of a backup, which must be whole; raises its error otherwise."""
    digest = hashlib.sha256(backup.read_bytes()).digest()
    if digest not in _SOUND:
        with backup.open("rb") as file:
            stream: IO[bytes] = file
            if age.kind_of(file):
                stream = io.BytesIO()
                age.opened_with(file, OPENER, stream)
            bundle = Bundle(stream, backup)
            bundle.check(no_progress)
            _SOUND[digest] = bundle.manifest
            bundle.close()
    return _SOUND[digest]


def _remembered_is_true(result: AfterCrash) -> None:
    """The note of the last backup may be lost, but is whole, and names an existing one."""
    if file_of(result.ledger).exists():
        last = last_backup(result.ledger)
        assert last, "what is remembered is no longer what was written"
        there = list(result.root.rglob(last.path.name))  # It was made in another folder.
        assert there, "a backup is remembered, and gone"
        assert manifest_of(there[0]).head == last.head


def _backup_is_whole(result: AfterCrash) -> None:
    """The backup, if it is there, is whole; it is there once the command has ended."""
    backup = result.root / "copy.zip"
    assert backup.exists() or not result.is_over, "the backup is gone"
    if backup.exists():
        manifest_of(backup)
    _remembered_is_true(result)


def _attached(shell: Shell, mode: str) -> None:
    with_files(shell, mode)
    inputs = shell.folder.parent / "inputs"
    shell.ok("sessions", "attach", "S-1002", inputs / "proof.bin", inputs / "chat.txt")


def _backup(*argv: str) -> Command:
    return Command(("ledger", "backup", *argv), again=(0, 4))


def backup(mode: str) -> Scenario:
    """A ledger and its vault are backed up."""
    command = _backup("-o", "{root}/copy.zip")
    return Scenario(lambda shell: _attached(shell, mode), (command,), look=_backup_is_whole)


def backup_of_an_open_ledger(mode: str) -> Scenario:
    """A ledger is backed up while another process has it open."""
    return replace(backup(mode), is_read=True)


def _sealed(shell: Shell, mode: str) -> None:
    made(shell, mode, OCTOBER.read_bytes())
    shell.ok("payout", "profile", "set", "--from", "-", "--yes", stdin=PROFILE)


def backup_to_a_key(mode: str) -> Scenario:
    """A ledger with a sealed payout profile is backed up, encrypted."""
    command = _backup("-o", "{root}/copy.zip", "--recipient", str(KEY.to_public()))
    return Scenario(lambda shell: _sealed(shell, mode), (command,), look=_backup_is_whole)


def backup_with_a_passphrase(mode: str) -> Scenario:
    """The same, locked with a passphrase."""
    command = _backup("-o", "{root}/copy.zip", "--passphrase-file", "-")
    command = replace(command, stdin=PASSPHRASE.encode())
    return replace(backup_to_a_key(mode), commands=(command,))


OLD = "20260101T000000Z"


def _with_an_old_backup(shell: Shell, mode: str) -> None:
    """Make a ledger with a backup of months ago, and with later events."""
    october(mode)(shell)
    folder = shell.folder / "backups"
    folder.mkdir()
    recent = Path(shell.ok("ledger", "backup", "--to", folder)["file"])
    old = recent.with_name(f"{recent.stem.rsplit('-', 1)[0]}-{OLD}.zip")
    recent.rename(old)
    remembered = file_of(shell.ledger)
    remembered.write_text(remembered.read_text().replace(recent.name, old.name))
    shell.ok("sessions", "tip", "S-1001", "1")


def _one_is_kept(result: AfterCrash) -> None:
    """There is always a good backup; when the command has ended, the new one and no other."""
    there = sorted((result.root / "backups").glob("*.zip"))
    heads = {manifest_of(path).head for path in there}
    assert heads, "no backup is left"
    if result.is_over:
        assert not [path for path in there if OLD in path.name], "what was removed is back"
    _remembered_is_true(result)


def rotation(mode: str) -> Scenario:
    """A ledger is backed up, and the backup before that goes."""
    return Scenario(
        lambda shell: _with_an_old_backup(shell, mode),
        (_backup("--to", "{root}/backups", "--keep", "1d"),),
        look=_one_is_kept,
    )


# --- restoring ------------------------------------------------------------------------------------


RESTORE = Command(("ledger", "restore", "{inputs}/copy.zip", "--yes"))
UNLOCKED = Command((*RESTORE.argv, "--identity", "{inputs}/key.txt"))


def _without_litter(result: AfterCrash) -> None:
    """After the end no unpacked file is left, which may have been encrypted in the archive."""
    if result.is_over:
        left = [path.name for path in result.root.rglob("*") if path.name.endswith(".work")]
        assert not left, "what was unpacked lies about"


def _elsewhere(make: Callable[[Shell, str], None], *locked: str) -> Callable[[Shell], None]:
    """Prepare a backup of a ledger that was elsewhere; nothing is in the folder."""

    def prepare(shell: Shell) -> None:
        base = next(parent for parent in shell.folder.parents if (parent / "inputs").is_dir())
        key = base / "inputs" / "key.txt"
        key.write_text(str(KEY))
        key.chmod(0o600)
        whole = base / "whole"
        whole.mkdir()
        with on(whole / "ledger.db") as typed:
            make(typed, WAL)
            _backed_up(typed, base / "inputs", *locked)
        shutil.rmtree(whole)

    return prepare


def _backed_up(shell: Shell, inputs: Path, *argv: str) -> None:
    (inputs / "copy.zip").unlink(missing_ok=True)
    shell.ok("ledger", "backup", "-o", inputs / "copy.zip", *argv)


def restore_to_nothing(mode: str) -> Scenario:
    """A backup is restored where nothing is."""
    tricks = ("delete_mode",) if mode == DELETE else ()
    return Scenario(
        _elsewhere(_attached),
        (RESTORE,),
        look=_without_litter,
        check=files_are_whole,
        tricks=tricks,
    )


def restore_to_new_folders(mode: str) -> Scenario:
    """A backup is restored to a folder that does not exist yet."""
    return replace(restore_to_nothing(mode), place="some/where/ledger.db")


def _profile_is_back(result: AfterCrash) -> None:
    """The key is back once the command has ended."""
    if result.is_over:
        profile_opens(result)


def restore_of_an_encrypted_one(mode: str) -> Scenario:
    """An encrypted backup is restored, with the key to the payout profile."""
    prepare = _elsewhere(_sealed, "--recipient", str(KEY.to_public()))
    nothing = restore_to_nothing(mode)
    return replace(nothing, prepare=prepare, commands=(UNLOCKED,), check=_profile_is_back)


def restore_over_another(mode: str) -> Scenario:
    """A backup takes the place of the ledger as it was recorded to since, whose vault is lost."""
    old: list[object] = []

    def prepare(shell: Shell) -> None:
        _attached(shell, mode)
        _backed_up(shell, shell.folder.parent / "inputs")
        shell.ok("sessions", "tip", "S-1001", "1")
        shell.ok("sessions", "tip", "S-1001", "2")
        shutil.rmtree(Vault(shell.ledger).folder)
        old[:] = asked(shell.ledger, EVENTS)

    def check(result: AfterCrash) -> None:
        if result.events < len(old):
            copies = result.ledger.parent.glob(f"{result.ledger.name}.replaced-*")
            assert old in [asked(copy, EVENTS) for copy in copies], "what was replaced is gone"
            files_are_whole(result)

    return Scenario(prepare, (RESTORE,), look=_without_litter, check=check, is_replaced=True)


def restore_over_an_open_ledger(mode: str) -> Scenario:
    """The same, while another process has the ledger open."""
    return replace(restore_over_another(mode), is_read=True)


def restore_over_a_damaged_one(mode: str) -> Scenario:
    """A backup replaces a ledger that no longer opens, which is moved aside with its log."""
    old: list[bytes] = []

    def prepare(shell: Shell) -> None:
        _attached(shell, mode)
        _backed_up(shell, shell.folder.parent / "inputs")
        shell.ledger.write_bytes(b"damaged" * 100 + shell.ledger.read_bytes()[700:])
        log = Path(f"{shell.ledger}-wal")
        log.write_bytes(b"what was in the log" * 500)
        old[:] = [shell.ledger.read_bytes(), log.read_bytes()]

    def look(result: AfterCrash) -> None:
        _without_litter(result)
        there = [path for path in result.root.rglob("*") if path.is_file()]
        if result.is_over:
            there = [path for path in there if ".replaced-" in path.parent.name]
        contents = [path.read_bytes() for path in there]
        assert all(content in contents for content in old), "what was replaced is gone"

    return Scenario(prepare, (RESTORE,), look=look, check=files_are_whole, is_damaged=True)


# --- forgetting -----------------------------------------------------------------------------------


LONG_AGO = 1_750_000_000
FORGET = Command(("ledger", "forget", "C-9", "--yes", "--key", "K", "--at", "2026-10-06T09:00:00Z"))


def _copied_and_littered(shell: Shell, mode: str) -> None:
    """Record a customer; leave a replaced ledger, and what crashes leave behind."""
    known(shell, mode)
    vault = Vault(shell.ledger)
    inputs = shell.folder.parent / "inputs"
    _backed_up(shell, inputs)
    shell.ok("ledger", "restore", inputs / "copy.zip", "--yes")
    file_of(shell.ledger).unlink()
    (copy,) = shell.folder.glob("*.replaced-*")
    shutil.copy(copy, shell.folder / f".{shell.ledger.name}.abcd.part")
    (chat,) = map(vault.path, vault.hashes())
    shutil.copy(chat, vault.folder / "0123456789abcdef.part")
    _age(shell.folder)


def _age(folder: Path) -> None:
    """Make the remains of a crash old: recent ones may still be in use."""
    for part in folder.rglob("*.part"):
        os.utime(part, (LONG_AGO, LONG_AGO))


def _nothing_comes_back(result: AfterCrash) -> None:
    _age(result.root)
    nothing_is_left(result)


def _all_or_nothing(events: list[int]) -> Callable[[AfterCrash], None]:
    def check(result: AfterCrash) -> None:
        """Once it is recorded, to open the ledger is enough for nothing to be left."""
        if result.events > events[0]:
            nothing_is_left(replace(result, is_over=True))
        elif result.db:
            output = result.db.execute(
                "SELECT count(*) FROM event_personal WHERE body LIKE ?", (f"%{NAME}%",)
            )
            assert output.fetchone() != (0,), "it is erased, and not recorded"

    return check


def forget(mode: str) -> Scenario:
    """A customer is forgotten by a command: in the ledger, its vault, a copy, and in litter."""
    events = [0]

    def prepare(shell: Shell) -> None:
        _copied_and_littered(shell, mode)
        events[0] = len(asked(shell.ledger, EVENTS))

    return Scenario(prepare, (FORGET,), look=_nothing_comes_back, check=_all_or_nothing(events))


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        *(backup, backup_of_an_open_ledger, backup_to_a_key, backup_with_a_passphrase, rotation),
        *(restore_to_nothing, restore_to_new_folders, restore_of_an_encrypted_one),
        *(restore_over_another, restore_over_an_open_ledger, restore_over_a_damaged_one),
        forget,
    )
}
QUICK = (*(("rotation", WAL), ("restore_over_an_open_ledger", WAL), ("forget", WAL)),)
WHOLE = tuple((name, mode) for name in SCENARIOS for mode in (WAL, DELETE))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run as much as was asked for."""
    is_whole = metafunc.config.getoption("--faults") == "whole"
    if "what" in metafunc.fixturenames:
        broken = BROKEN if is_whole else BROKEN[:1]
        metafunc.parametrize(("name", "mode", "trick", "what"), broken)
    elif "name" in metafunc.fixturenames:
        metafunc.parametrize(("name", "mode"), WHOLE if is_whole else QUICK)


def test_what_is_kept_is_kept_and_what_is_erased_is_gone(
    stage: Stage, name: str, mode: str, amount: Amount
) -> None:
    """At any power cut: old or new, whole, with everything that was acknowledged."""
    # A passphrase takes a second each time, as it must.
    whole = 10 if name == "backup_with_a_passphrase" else 150
    verdict = judge_crashes(
        stage, stage.perform(SCENARIOS[name](mode)), amount(quick=6, whole=whole)
    )
    print(f"{name}, {mode}: {verdict}")  # noqa: T201 -- The figures of a run with -rP.
    assert not verdict.wrong, f"{verdict.first}\n{verdict.wrong}"


# The omitted sync, and the failure that it causes; the first in every run.
BROKEN = (
    ("rotation", WAL, "unsynced_names", "what was removed is back"),
    ("backup", WAL, "unsynced_names", "the backup is gone"),
    ("backup", WAL, "unsynced_files", "is no backup"),
    ("restore_over_an_open_ledger", WAL, "unsynced_names", "NotInVault"),
    ("restore_over_another", DELETE, "off", "the old ledger is back"),
    ("restore_to_nothing", WAL, "unsynced_vault", "DamagedFile"),
    ("restore_over_a_damaged_one", WAL, "unsynced_names", "what was replaced is gone"),
    ("forget", DELETE, "unsynced_names", "has it still"),
)


def test_a_missing_sync_is_detected(
    stage: Stage, name: str, mode: str, trick: str, what: str
) -> None:
    """With one sync left out the same crashes show the loss: the test can fail."""
    scenario = SCENARIOS[name](mode)
    broken = replace(scenario, tricks=(*scenario.tricks, trick))
    verdict = judge_crashes(stage, stage.perform(broken), 20)
    assert any(what in problem for problem in verdict.wrong), verdict.wrong
