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

    Raises `UnsafeKey` if others may read it, `UnreadableFile`, and `InvalidValue` if it is no text.
    """
    content = (
        stdin_bytes().read(LONGEST_BYTES + 1) if path == Path(STDIN) else _read_private_file(path)
    )
    if len(content) > LONGEST_BYTES:
        raise InvalidValue(f"{path} is too long to hold a secret", hint="Check the path.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValue(f"{path} holds no text", hint="Check the path.") from None


def read_passphrase(path: Path) -> str:
    """Return the passphrase in a file, without its newline; raises as `read_secret` does."""
    text = read_secret(path).removesuffix("\n").removesuffix("\r")
    if not text:
        raise InvalidValue(f"{path} holds no passphrase", hint="Write it into the file.")
    return text


def ask_new_passphrase() -> str:
    """Ask for a new passphrase twice; raises `BackupLocked` without a terminal."""
    if not can_ask():
        raise BackupLocked(
            "a passphrase is needed, and there is nobody to ask",
            hint="--passphrase-file FILE has it; --recipient KEY needs none.",
        )
    first = ask_hidden("Passphrase:")
    if not first:
        raise InvalidValue("an empty passphrase locks nothing", hint="Nothing was done.")
    if ask_hidden("The same again:") != first:
        raise InvalidValue("the two are not the same", hint="Nothing was done. Try again.")
    return first


def ask_passphrase() -> str:
    """Ask for an existing passphrase once; raises `BackupLocked` without a terminal."""
    if not can_ask():
        raise BackupLocked(
            "it is locked with a passphrase, and there is nobody to ask",
            hint="--passphrase-file FILE has it.",
        )
    return ask_hidden("Passphrase:")


def _read_private_file(path: Path) -> bytes:
    check_input(path)
    try:
        if (file := open_regular(path, follow_links=True)) is None:
            raise UnreadableFile(
                f"{path} is not a regular file", hint="- reads standard input, such as a pipe."
            )
        with file:
            if is_open_to_others(os.fstat(file.fileno()).st_mode):
                raise UnsafeKey(
                    f"{path} may be read by others",
                    hint="Make it a file that nobody else may read: chmod 600.",
                    path=str(path),
                )
            return file.read(LONGEST_BYTES + 1)
    except OSError as error:
        raise unreadable(path, error.strerror) from None
    except ValueError:  # The path has a NUL.
        raise UnreadableFile("no file can have that name", hint="Check the path.") from None
