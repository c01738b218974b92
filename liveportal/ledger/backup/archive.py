"""The format of a backup: a ZIP archive with a manifest of its content.

    ledger.db                  the ledger, one SQLite file
    ledger.db.vault/ab/abcd…   its evidence, each file under its SHA-256
    ledger.db.key              the key to its sealed values; only if the backup is encrypted
    manifest.json              the book, and the size and SHA-256 of each file
    manifest.sha256            the manifest's own checksum, for `sha256sum --check`

Unpacked, it is the ledger. Content is not trusted until it agrees with the manifest, nor the
manifest until it agrees with the ledger: names, sizes and compression methods are checked before
anything is unpacked, and no more bytes are read than the manifest announces.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

from liveportal.domain.clock import utc_text
from liveportal.domain.errors import DamagedBackup, InvalidBackup, LiveportalError
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.zip_members import CHUNK_BYTES, new_member, oddity, seal_line

FORMAT = "liveportal.backup.v1"
LEDGER = "ledger.db"
KEY = "ledger.db.key"
MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
LARGEST_MANIFEST = 64 * 1024 * 1024
LARGEST_KEY = 10_000

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_VAULT_FILE = re.compile(r"ledger[.]db[.]vault/([0-9a-f]{2})/(\1[0-9a-f]{62})", re.ASCII)
_READ_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError),
    *(ValueError, OverflowError, EOFError, RuntimeError, IndexError, KeyError, OSError),
)

Progress = Callable[[int], None]
"""Called with the size of every chunk, in bytes."""


@frozen
class File:
    """A file of a backup: its name in the archive, its size and its SHA-256 (hex)."""

    name: str
    bytes: int
    sha256: str

    @property
    def kept(self) -> str | None:
        """The SHA-256 in the name of a vault file; None for other files."""
        match = _VAULT_FILE.fullmatch(self.name)
        return match[2] if match else None


@frozen
class Manifest:
    """The manifest of a backup: which book it is of, how far its journal goes, and its files.

    `book` is the hash of the first event, `head` that of the last; `form` is the schema version.
    `absent` counts the recorded files that were never attached; `damaged` holds the hashes of
    those that were attached, and are now changed or lost.
    """

    book: str
    head: str
    events: int
    form: int
    made_at: str
    files: Sequence[File]
    absent: int = 0
    damaged: Sequence[str] = ()

    @property
    def size(self) -> int:
        """The total size of all files, in bytes."""
        return sum(file.bytes for file in self.files)

    def content(self) -> bytes:
        """Return the manifest as the bytes of its file."""
        document = {
            "format": FORMAT,
            "book": self.book,
            "head": self.head,
            "events": self.events,
            "form": self.form,
            "made_at": self.made_at,
            "absent": self.absent,
            "damaged": list(self.damaged),
            "files": [
                {"file": file.name, "bytes": file.bytes, "sha256": file.sha256}
                for file in self.files
            ],
        }
        return (json.dumps(document, indent=1) + "\n").encode("ascii")


# --- writing --------------------------------------------------------------------------------------


def kept_name(sha256: str) -> str:
    """Return the name of a vault file in a backup."""
    return f"{LEDGER}.vault/{sha256[:2]}/{sha256}"


class Writer:
    """Writes the files of a backup, and collects their sizes and hashes."""

    def __init__(self, target: IO[bytes], made_at: datetime) -> None:
        self._archive = zipfile.ZipFile(target, "w")
        self._made_at = made_at
        self.files: list[File] = []

    def put(self, name: str, chunks: Iterable[bytes], *, compressed: bool = False) -> Iterator[int]:
        """Write a file, and yield the size of each chunk once it is written."""
        digest, size = hashlib.sha256(), 0

        def hashed_chunks() -> Iterator[bytes]:
            nonlocal size
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                yield chunk

        yield from self._write_member(name, hashed_chunks(), compressed=compressed)
        self.files.append(File(name, size, digest.hexdigest()))

    def finish(self, manifest: Manifest) -> Iterator[int]:
        """Write the manifest and its seal, and the archive's directory."""
        content = manifest.content()
        yield from self._write_member(MANIFEST, [content], compressed=True)
        yield from self._write_member(SEAL, [seal_line(content, MANIFEST)])
        self._archive.close()

    def abandon(self) -> None:
        """Write nothing more: without its directory, the file is not a ZIP archive."""
        self._archive.fp = None

    def _write_member(
        self, name: str, chunks: Iterable[bytes], *, compressed: bool = False
    ) -> Iterator[int]:
        date = self._made_at
        with new_member(
            self._archive, name, mode=0o600, date=date, compressed=compressed
        ) as member:
            for chunk in chunks:
                member.write(chunk)
                yield len(chunk)


# --- reading --------------------------------------------------------------------------------------


class Bundle:
    """A backup to read, not trusted until checked; `close` it after use."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        """Check the directory and the manifest; raises `InvalidBackup`, `DamagedBackup`."""
        self._path = path
        with self._translating_errors():
            self._size = stream.seek(0, 2)
            self._archive = zipfile.ZipFile(stream)
            infos = self._archive.infolist()
            self._infos = {info.filename: info for info in infos}
            self._check_members(infos)
            self.manifest = self._read_manifest()
            self._check_files()

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()

    def chunks(self, file: File) -> Iterator[bytes]:
        """Yield the content of a file; raises `DamagedBackup` if it differs from the manifest.

        A difference is known only at the end: until then, the content must not replace anything.
        """
        digest, size = hashlib.sha256(), 0
        with self._translating_errors(), self._archive.open(self._infos[file.name]) as member:
            while chunk := self._read_chunk(member, file, size):
                digest.update(chunk)
                size += len(chunk)
                yield chunk
        if (size, digest.hexdigest()) != (file.bytes, file.sha256):
            raise self._damaged_error(f"{file.name} was changed")

    def _read_chunk(self, member: IO[bytes], file: File, before: int) -> bytes:
        # One byte more than announced is enough to detect a wrong size.
        with self._translating_errors():
            return member.read(min(CHUNK_BYTES, file.bytes + 1 - before))

    def check(self, progress: Progress) -> None:
        """Read every file, and compare it with the manifest; raises `DamagedBackup`."""
        for file in self.manifest.files:
            for chunk in self.chunks(file):
                progress(len(chunk))

    def _check_members(self, infos: Sequence[zipfile.ZipInfo]) -> None:
        if LEDGER not in self._infos or MANIFEST not in self._infos:
            raise self._not_a_backup()
        if len(self._infos) != len(infos):
            raise self._damaged_error("a file is in it twice")
        # Members that do not overlap cannot be larger than the file together.
        if sum(info.compress_size for info in infos) > self._size:
            raise self._damaged_error("its files overlap")
        for info in infos:
            if what := oddity(info):
                raise self._damaged_error(f"{_printable(info.filename)} {what}")

    def _read_manifest(self) -> Manifest:
        content = self._read_small(MANIFEST, LARGEST_MANIFEST)
        if SEAL not in self._infos or self._read_small(SEAL, 1000) != seal_line(content, MANIFEST):
            raise self._damaged_error(f"{MANIFEST} was changed")
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            raise self._damaged_error(f"{MANIFEST} cannot be read") from None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise InvalidBackup(
                f"{self._path} has a format that this version of liveportal does not know.",
                hint="Upgrade liveportal. Nothing was changed.",
                path=str(self._path),
            )
        try:
            return _manifest_of(document)
        except (KeyError, TypeError, ValueError):
            raise self._damaged_error(f"{MANIFEST} is incomplete") from None

    def _read_small(self, name: str, largest: int) -> bytes:
        with self._archive.open(self._infos[name]) as member:
            content = member.read(largest + 1)
        if len(content) > largest:
            raise self._damaged_error(f"{name} is too long")
        return content

    def _check_files(self) -> None:
        files = {file.name: file for file in self.manifest.files}
        names = {*files, MANIFEST, SEAL}
        if len(files) != len(self.manifest.files) or names != self._infos.keys():
            odd = min(names ^ self._infos.keys(), default=MANIFEST)
            raise self._damaged_error(f"{_printable(odd)} was added or is missing")
        for name, file in files.items():
            if name not in (LEDGER, KEY) and file.kept is None:
                raise self._damaged_error(f"{_printable(name)} does not belong in a backup")
            if self._infos[name].file_size != file.bytes:
                raise self._damaged_error(f"{name} was changed")

    @contextmanager
    def _translating_errors(self) -> Iterator[None]:
        """Translate any error from reading the archive's bytes into `DamagedBackup`."""
        try:
            yield
        except LiveportalError:
            raise
        except _READ_ERRORS as error:
            if isinstance(error, zipfile.BadZipFile) and not hasattr(self, "_archive"):
                raise self._not_a_backup() from None
            raise self._damaged_error(
                f"the archive cannot be read: {_printable(str(error))}"
            ) from None

    def _damaged_error(self, what: str) -> DamagedBackup:
        return DamagedBackup(
            f"{self._path} was changed after it was made: {what}.",
            hint="Nothing was restored. Use another backup, or another copy of this one.",
            path=str(self._path),
        )

    def _not_a_backup(self) -> InvalidBackup:
        return InvalidBackup(
            f"{self._path} is not a backup of a ledger, or its end is missing.",
            hint=Hint("Name a file that {a_backup} wrote."),
            path=str(self._path),
        )


def _manifest_of(document: Mapping[str, Any]) -> Manifest:
    """Parse a manifest; raises `ValueError`, `TypeError` or `KeyError` for any other document."""
    number = partial(_require, lambda value: type(value) is int and 0 <= value < 2**63)
    sha256 = partial(_require, lambda value: isinstance(value, str) and _SHA256.fullmatch(value))
    text = partial(_require, lambda value: isinstance(value, str) and len(value) < 200)  # noqa: PLR2004
    files = [
        File(text(entry["file"]), number(entry["bytes"]), sha256(entry["sha256"]))
        for entry in document["files"]
    ]
    made_at = datetime.fromisoformat(text(document["made_at"]))
    return Manifest(
        sha256(document["book"]),
        sha256(document["head"]),
        number(document["events"]),
        number(document["form"]),
        utc_text(made_at),
        files,
        number(document["absent"]),
        [sha256(value) for value in document["damaged"]],
    )


def _require(is_right: Callable[[Any], object], value: Any) -> Any:  # noqa: ANN401 (JSON)
    if not is_right(value):
        raise ValueError(value)
    return value


def _printable(name: str) -> str:
    """Return untrusted text, such as a member's name, as short ASCII for a message."""
    return ascii(name)[1:-1][:130]
