"""Secrets: read from a file that only its owner may read, or typed without echo; never shown."""

from __future__ import annotations

import os
from pathlib import Path

from liveportal.cli.io.prompts import STDIN, ask_hidden, can_ask, stdin_bytes
from liveportal.domain.errors import BackupLocked, InvalidValue, UnreadableFile, UnsafeKey
from liveportal.ledger.storage.atomic import is_open_to_others, open_regular, unreadable
from liveportal.ledger.storage.ledger_paths import check_input

LONGEST_BYTES = 100_000


def read_secret(path: Path) -> str:
    """Return the text of a file that only its owner may read; `-` is standard input.

    Raises `UnsafeKey` if others may read it, `UnreadableFile`, and `InvalidValue` if it is binary.
    """
    content = (
        stdin_bytes().read(LONGEST_BYTES + 1) if path == Path(STDIN) else _read_private_file(path)
    )
    if len(content) > LONGEST_BYTES:
        raise InvalidValue(f"{path} is too long for a secret.", hint="Check the path.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValue(f"{path} is not a text file.", hint="Check the path.") from None


def read_passphrase(path: Path) -> str:
    """Return the passphrase in a file, without its newline; raises as `read_secret` does."""
    text = read_secret(path).removesuffix("\n").removesuffix("\r")
    if not text:
        raise InvalidValue(f"{path} is empty.", hint="Write the passphrase into the file.")
    return text


def ask_new_passphrase() -> str:
    """Ask for a new passphrase twice; raises `BackupLocked` without a terminal."""
    if not can_ask():
        raise BackupLocked(
            "A passphrase is needed, but there is no terminal to ask for it.",
            hint="Give it with --passphrase-file FILE, or use --recipient KEY instead.",
        )
    first = ask_hidden("Passphrase:")
    if not first:
        raise InvalidValue(
            "An empty passphrase does not protect anything.", hint="Nothing was done. Try again."
        )
    if ask_hidden("The same passphrase again:") != first:
        raise InvalidValue("The two passphrases differ.", hint="Nothing was done. Try again.")
    return first


def ask_passphrase() -> str:
    """Ask for an existing passphrase once; raises `BackupLocked` without a terminal."""
    if not can_ask():
        raise BackupLocked(
            "The backup is locked with a passphrase, but there is no terminal to ask for it.",
            hint="Give it with --passphrase-file FILE.",
        )
    return ask_hidden("Passphrase:")


def _read_private_file(path: Path) -> bytes:
    check_input(path)
    try:
        if (file := open_regular(path, follow_links=True)) is None:
            raise UnreadableFile(
                f"{path} is not a regular file.", hint="To read from a pipe, give - as the file."
            )
        with file:
            if is_open_to_others(os.fstat(file.fileno()).st_mode):
                raise UnsafeKey(
                    f"Other users can read {path}.",
                    hint="Make it a file that only you may read: chmod 600.",
                    path=str(path),
                )
            return file.read(LONGEST_BYTES + 1)
    except OSError as error:
        raise unreadable(path, error.strerror) from None
    except ValueError:  # The path has a NUL.
        raise UnreadableFile("No file can have that name.", hint="Check the path.") from None
