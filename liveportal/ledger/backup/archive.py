"""The form of a backup: a ZIP archive that anybody can open, and that says what it must hold.

    ledger.db                  the ledger, one SQLite file
    ledger.db.vault/ab/abcd…   its evidence, each file under its SHA-256
    ledger.db.key              the key to its sealed values; only where the backup is encrypted
    manifest.json              what it is a backup of, and the size and SHA-256 of each file
    manifest.sha256            the manifest's own, for `sha256sum --check`

Unpacked, it is the ledger. What is read from one is doubted until it agrees with the manifest, and
the manifest until it agrees with the ledger: names, sizes and ways of packing are looked at before
anything is unpacked, and no more is read than was announced.
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
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

from liveportal.domain.clock import utc_text
from liveportal.domain.errors import DamagedBackup, InvalidBackup, LiveportalError
from liveportal.domain.zip_members import CHUNK_BYTES, new_member, oddity, seal_line

FORMAT = "liveportal.backup.v1"
LEDGER = "ledger.db"
KEY = "ledger.db.key"
MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
LARGEST_MANIFEST = 64 * 1024 * 1024
LARGEST_KEY = 10_000

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_KEPT = re.compile(r"ledger[.]db[.]vault/([0-9a-f]{2})/(\1[0-9a-f]{62})", re.ASCII)
_NOT_AN_ARCHIVE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError),
    *(ValueError, OverflowError, EOFError, RuntimeError, IndexError, KeyError, OSError),
)

Progress = Callable[[int], None]
"""Is told of every chunk's bytes."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a backup: its name within it, its size and SHA-256 (hex)."""

    name: str
    bytes: int
    sha256: str

    @property
    def kept(self) -> str | None:
        """The hash by which the vault knows it; None for what is not in the vault."""
        found = _KEPT.fullmatch(self.name)
        return found[2] if found else None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says that it is: of which book, and how far its journal was.

    `book` is the hash of the first event, `head` that of the last; `absent` counts files that the
    ledger tells of and whose content nobody ever attached, `damaged` are the hashes of those that
    were attached and are no longer what they were, or no longer there.
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
        """The bytes of all files together."""
        return sum(each.bytes for each in self.files)

    def content(self) -> bytes:
        """Return it as it is written."""
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
                {"file": each.name, "bytes": each.bytes, "sha256": each.sha256}
                for each in self.files
            ],
        }
        return (json.dumps(document, indent=1) + "\n").encode("ascii")


# --- writing --------------------------------------------------------------------------------------


def kept_name(sha256: str) -> str:
    """Return what a file of the vault is called in a backup."""
    return f"{LEDGER}.vault/{sha256[:2]}/{sha256}"


class Writer:
    """Writes the members of a backup, and notes their sizes and hashes as they go by."""

    def __init__(self, target: IO[bytes], made_at: datetime) -> None:
        self._archive = zipfile.ZipFile(target, "w")
        self._made_at = made_at
        self.files: list[File] = []

    def put(self, name: str, chunks: Iterable[bytes], *, compressed: bool = False) -> Iterator[int]:
        """Write a file, and yield the bytes of each chunk when it is written."""
        digest, size = hashlib.sha256(), 0

        def noted() -> Iterator[bytes]:
            nonlocal size
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                yield chunk

        yield from self._members(name, noted(), compressed=compressed)
        self.files.append(File(name, size, digest.hexdigest()))

    def finish(self, manifest: Manifest) -> Iterator[int]:
        """Write the manifest and its seal, and the archive's directory."""
        content = manifest.content()
        yield from self._members(MANIFEST, [content], compressed=True)
        yield from self._members(SEAL, [seal_line(content, MANIFEST)])
        self._archive.close()

    def abandon(self) -> None:
        """Write nothing more; what was not finished is no archive."""
        self._archive.fp = None

    def _members(
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
    """A backup as it was found; `close` it when it is no longer read."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        """Look at the directory and the manifest; raises `InvalidBackup`, `DamagedBackup`."""
        self._path = path
        with self._judged():
            self._size = stream.seek(0, 2)
            self._archive = zipfile.ZipFile(stream)
            infos = self._archive.infolist()
            self._infos = {info.filename: info for info in infos}
            self._check_members(infos)
            self.manifest = self._manifest()
            self._check_files()

    def close(self) -> None:
        """Let go of the archive."""
        self._archive.close()

    def chunks(self, file: File) -> Iterator[bytes]:
        """Yield the content of a file; raises `DamagedBackup` where it is not what was written.

        That is known at the end only: until then nothing of it may take anybody's place.
        """
        digest, size = hashlib.sha256(), 0
        with self._judged(), self._archive.open(self._infos[file.name]) as member:
            while chunk := self._read(member, file, size):
                digest.update(chunk)
                size += len(chunk)
                yield chunk
        if (size, digest.hexdigest()) != (file.bytes, file.sha256):
            raise self._damaged(f"{file.name} was changed")

    def _read(self, member: IO[bytes], file: File, before: int) -> bytes:
        # One byte more than announced is enough to know that it lies.
        with self._judged():
            return member.read(min(CHUNK_BYTES, file.bytes + 1 - before))

    def check(self, progress: Progress) -> None:
        """Read every file, and compare it with the manifest; raises `DamagedBackup`."""
        for file in self.manifest.files:
            for chunk in self.chunks(file):
                progress(len(chunk))

    def _check_members(self, infos: Sequence[zipfile.ZipInfo]) -> None:
        if LEDGER not in self._infos or MANIFEST not in self._infos:
            raise self._none_of_ours()
        if len(self._infos) != len(infos):
            raise self._damaged("a file is there twice")
        # What lies in the file once cannot be more than the file: nothing overlaps.
        if sum(info.compress_size for info in infos) > self._size:
            raise self._damaged("its files lie in one another")
        for info in infos:
            if what := oddity(info):
                raise self._damaged(f"{_shown(info.filename)} {what}")

    def _manifest(self) -> Manifest:
        content = self._small(MANIFEST, LARGEST_MANIFEST)
        if SEAL not in self._infos or self._small(SEAL, 1000) != seal_line(content, MANIFEST):
            raise self._damaged(f"{MANIFEST} was changed")
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            raise self._damaged(f"{MANIFEST} cannot be read") from None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise InvalidBackup(
                f"{self._path} is of a form that this liveportal does not know",
                hint="Upgrade liveportal; nothing was changed.",
                path=str(self._path),
            )
        try:
            return _manifest_of(document)
        except (KeyError, TypeError, ValueError):
            raise self._damaged(f"{MANIFEST} does not say what it must") from None

    def _small(self, name: str, largest: int) -> bytes:
        with self._archive.open(self._infos[name]) as member:
            content = member.read(largest + 1)
        if len(content) > largest:
            raise self._damaged(f"{name} is too long")
        return content

    def _check_files(self) -> None:
        told = {file.name: file for file in self.manifest.files}
        names = {*told, MANIFEST, SEAL}
        if len(told) != len(self.manifest.files) or names != self._infos.keys():
            odd = min(names ^ self._infos.keys(), default=MANIFEST)
            raise self._damaged(f"{_shown(odd)} was added, or is missing")
        for name, file in told.items():
            if name not in (LEDGER, KEY) and file.kept is None:
                raise self._damaged(f"{_shown(name)} has no place in a backup")
            if self._infos[name].file_size != file.bytes:
                raise self._damaged(f"{name} was changed")

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """Take whatever an archive's bytes make the reader stumble over for the damage it is."""
        try:
            yield
        except LiveportalError:
            raise
        except _NOT_AN_ARCHIVE as error:
            if isinstance(error, zipfile.BadZipFile) and not hasattr(self, "_archive"):
                raise self._none_of_ours() from None
            raise self._damaged(f"the archive cannot be read: {_shown(str(error))}") from None

    def _damaged(self, what: str) -> DamagedBackup:
        return DamagedBackup(
            f"{self._path} is not what was written: {what}",
            hint="Nothing was changed. Take another backup, or another copy of this one.",
            path=str(self._path),
        )

    def _none_of_ours(self) -> InvalidBackup:
        return InvalidBackup(
            f"{self._path} is no backup of a ledger, or the end of it is missing",
            hint="Give the file that `liveportal ledger backup` wrote.",
            path=str(self._path),
        )


def _manifest_of(document: Mapping[str, Any]) -> Manifest:
    """Read a manifest; raises `ValueError`, `TypeError` or `KeyError` for any other document."""
    number = partial(_checked, lambda value: type(value) is int and 0 <= value < 2**63)
    sha256 = partial(_checked, lambda value: isinstance(value, str) and _HASH.fullmatch(value))
    text = partial(_checked, lambda value: isinstance(value, str) and len(value) < 200)  # noqa: PLR2004
    files = [
        File(text(each["file"]), number(each["bytes"]), sha256(each["sha256"]))
        for each in document["files"]
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
        [sha256(each) for each in document["damaged"]],
    )


def _checked(is_right: Callable[[Any], object], value: Any) -> Any:  # noqa: ANN401 (JSON)
    if not is_right(value):
        raise ValueError(value)
    return value


def _shown(name: str) -> str:
    """Return a member's name as a sentence can hold it: it may be anybody's."""
    return ascii(name)[1:-1][:130]
