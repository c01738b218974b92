"""A ledger with everything that a backup must contain, and keys to open the backup."""

from __future__ import annotations

import io
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pyrage

from liveportal.ledger.storage.driver import Connection
from tests.commands.test_profile import GERMAN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kit.shell import Shell

CHAT = "22:02 Mina: The Mali shader flickers\n22:05:30 Ana: Rebuild it\nthen try\n"
PASSPHRASE = "correct horse battery staple"  # noqa: S105 (of tests only)


def fill(october: Shell) -> Shell:
    """Add evidence with messages, and an encrypted payout profile, to October's ledger."""
    october.ok("policy", "use", "quarter-hour", "--yes")
    october.ok("payout", "profile", "set", "--from", "-", stdin=GERMAN.encode())
    october.ok("sessions", "attach", "S-1002", october.file("chat.txt", CHAT))
    october.ok("sessions", "attach", "S-1001", october.file("fix.shader", bytes(range(256)) * 99))
    return october


def journal_mode(ledger: Path, mode: str) -> None:
    """Put a ledger into a journal mode."""
    with closing(Connection(str(ledger), isolation_level=None)) as db:
        assert db.execute(f"PRAGMA journal_mode = {mode}").fetchone() == (mode.lower(),)


def secret_file(shell: Shell, name: str, text: str) -> Path:
    """Write a file that only its owner may read."""
    path = shell.file(name, text)
    path.chmod(0o600)
    return path


def key_pair(shell: Shell) -> tuple[str, Path]:
    """Make an age key: the recipient to encrypt to, and the file of the secret key."""
    identity = pyrage.x25519.Identity.generate()
    text = f"# created: now\n# public key: {identity.to_public()}\n{identity}\n"
    return str(identity.to_public()), secret_file(shell, "key.txt", text)


def members(content: bytes) -> dict[str, bytes]:
    """Return the files of a ZIP archive, unpacked with the standard library."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def make_archive(members: dict[str, bytes], **changed: Any) -> bytes:  # noqa: ANN401 (of a ZipInfo)
    """Return an archive of these files; `changed` are attributes of all its members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o100600 << 16
            for attribute, value in changed.items():
                setattr(info, attribute, value)
            archive.writestr(info, content)
    return target.getvalue()
