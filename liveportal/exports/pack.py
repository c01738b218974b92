"""An evidence pack: a ZIP archive that proves that nothing in it was changed.

The same items give the same bytes: stored, not compressed (compressors differ), in the order of
their names, with one date. `manifest.json` has the SHA-256 of every item, and `manifest.sha256` its
own; an archive is only accepted if it is, byte for byte, what these items give. So whichever byte
was changed, it is found, and the file that it belongs to is named.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from operator import le
from pathlib import Path
from typing import IO, Any
from zlib import crc32

from liveportal.domain.errors import InvalidPack
from liveportal.domain.zip_members import CHUNK_BYTES as _CHUNK
from liveportal.domain.zip_members import add as _add
from liveportal.domain.zip_members import seal_line

FORMAT = "liveportal.evidence.v1"
MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
LARGEST_MANIFEST = 16 * 1024 * 1024
DIRECTORY = "the archive's directory"
_BEGINNING = b"PK\x03\x04"
_NAME = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}(/[A-Za-z0-9][A-Za-z0-9._-]{0,119})?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class PackEntry:
    """A file of the pack: its content or where that lies, and in one line what it shows."""

    name: str
    content: bytes | Path
    shows: str
    media_type: str = "application/octet-stream"
    original_sha256: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name for a part of a pack")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a pack that is not what was written: the file that it is in, and what."""

    file: str
    what: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A pack as it was found: its manifest, that one's SHA-256 (hex), and all that is wrong.

    Without problems the manifest's items are those of the archive; what else it says is as it was
    written, by whoever wrote it.
    """

    manifest: dict[str, Any]
    seal: str
    problems: Sequence[Problem]


def write_pack(target: IO[bytes], parts: Sequence[PackEntry], about: Mapping[str, Any]) -> str:
    """Write a pack to a stream, and return the SHA-256 of its manifest (hex).

    `about` are the manifest's own facts: what the pack is of, and where in the journal it stands.
    """
    if not target.seekable():  # An archive into a pipe would be another one.
        with tempfile.TemporaryFile() as whole:
            seal = write_pack(whole, parts, about)
            whole.seek(0)
            shutil.copyfileobj(whole, target)
        return seal
    ordered = sorted(parts, key=lambda part: part.name)
    manifest = _json(manifest_of([item_of(part) for part in ordered], about))
    sealed = [
        *((part.name, part.content) for part in ordered),
        (MANIFEST, manifest),
        (SEAL, seal_line(manifest, MANIFEST)),
    ]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sealed:
            _add(archive, name, _chunks(content))
    return hashlib.sha256(manifest).hexdigest()


def manifest_of(items: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of a pack with these items, in the order of their names."""
    ordered = sorted(items, key=lambda item: item["file"])
    return {"format": FORMAT, **about, "items": ordered}


def contents(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    """Return the small members of these names that a pack has; for one that was verified."""
    with path.open("rb") as stream, zipfile.ZipFile(stream) as directory:
        archive = _Archive(stream, directory.infolist())
        return {name: archive.content(name) for name in names if name in archive.names}


def verify_pack(path: Path) -> Checked:
    """Return a pack's manifest, and all that is not what was written.

    Raises `InvalidPack` for a file that cannot be read, or never was such a pack.
    """
    try:
        if path.exists() and not path.is_file():  # A pipe would be waited for.
            raise _invalid(path, "cannot be read: it is not a regular file")
        stream = path.open("rb")
    except OSError as error:
        raise _invalid(path, f"cannot be read: {error.strerror}") from None
    with stream:
        try:
            # One of the two is left, wherever a byte was changed.
            if stream.read(len(_BEGINNING)) != _BEGINNING and not zipfile.is_zipfile(stream):
                raise _invalid(path, "is no evidence pack: it is no archive")
            return _verified(stream)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
            return _damaged(str(error))
        except OSError as error:
            if error.errno == errno.EINVAL:  # A place before the beginning.
                return _damaged("it points to where nothing can be")
            raise _invalid(path, f"cannot be checked: {error.strerror}") from None


def _invalid(path: Path, what: str) -> InvalidPack:
    hint = "Give the file that `liveportal dispute evidence` wrote."
    return InvalidPack(f"{path} {what}", hint=hint, path=str(path))


def _damaged(what: str) -> Checked:
    return Checked({}, "", [Problem(DIRECTORY, f"it is damaged: {what}")])


def item_of(part: PackEntry) -> dict[str, Any]:
    """Return what a manifest says of a part."""
    digest, size = _digest(part.content)
    item: dict[str, Any] = {
        "file": part.name,
        "bytes": size,
        "sha256": digest,
        "media_type": part.media_type,
        "shows": part.shows,
    }
    if part.original_sha256:
        item["original_sha256"] = part.original_sha256
    return item


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode("ascii")


def _digest(content: bytes | Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(content):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _chunks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


# --- verifying ------------------------------------------------------------------------------------


class _Archive:
    """The members of an archive as they lie in the file, whatever its checksums say."""

    def __init__(self, stream: IO[bytes], members: Sequence[zipfile.ZipInfo]) -> None:
        self.stream = stream
        self.members = sorted(members, key=lambda member: member.header_offset)
        self.names = [member.filename for member in members]
        self._named = {member.filename: member for member in reversed(self.members)}

    def is_plain(self) -> bool:
        """Tell whether the members lie in the file one after the other, as they are.

        Then reading them all is reading the file once, whatever sizes it declares.
        """
        self.stream.seek(0, 2)
        ends = [self._end(member) for member in self.members]
        starts = [member.header_offset for member in self.members]
        stored = all(member.compress_type == zipfile.ZIP_STORED for member in self.members)
        return stored and all(map(le, ends, [*starts[1:], self.stream.tell()]))

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the content of a member, from where this program would have put it."""
        member = self._named[name]
        self.stream.seek(member.header_offset + _header_bytes(name))
        left = member.file_size
        while left > 0 and (chunk := self.stream.read(min(_CHUNK, left))):
            yield chunk
            left -= len(chunk)

    def content(self, name: str) -> bytes:
        """Return the content of a small member; cut off where it is too large to be one."""
        return b"".join(islice(self.chunks(name), LARGEST_MANIFEST // _CHUNK))

    def digest(self, name: str) -> tuple[str, int]:
        """Return the SHA-256 (hex) and the size of a member."""
        digest, size = hashlib.sha256(), 0
        for chunk in self.chunks(name):
            digest.update(chunk)
            size += len(chunk)
        return digest.hexdigest(), size

    def keeps_checksum(self, name: str) -> bool:
        """Tell whether a member has the checksum that the archive's directory gives."""
        return crc32(self.content(name)) == self._named[name].CRC

    def member_at(self, place: int) -> str:
        """Return the member that a byte of the file belongs to; behind them is the directory."""
        for member in reversed(self.members):
            if member.header_offset <= place < self._end(member):
                return member.filename
        return DIRECTORY

    def _end(self, member: zipfile.ZipInfo) -> int:
        return member.header_offset + _header_bytes(member.filename) + member.file_size


def _header_bytes(name: str) -> int:
    """Return how long the header before a member is, as this program writes it."""
    return 30 + len(name.encode()) + 20  # With sizes for large files.


def _verified(stream: IO[bytes]) -> Checked:
    with zipfile.ZipFile(stream) as directory:
        archive = _Archive(stream, directory.infolist())
        missing = [name for name in (MANIFEST, SEAL) if name not in archive.names]
        if missing:
            return Checked({}, "", [Problem(name, "it is missing") for name in missing])
        if not archive.is_plain():
            return _damaged("its files are compressed, or lie in one another")
        manifest = archive.content(MANIFEST)
        document = _manifest(manifest)
        problems = list(_changed(archive, document, manifest))
        if not problems and (place := _first_difference(archive)) is not None:
            where = archive.member_at(place)
            problems.append(Problem(where, f"byte {place + 1} of the archive was changed"))
    return Checked(document, hashlib.sha256(manifest).hexdigest(), problems)


def _manifest(content: bytes) -> dict[str, Any]:
    """Return the manifest as far as it can be read; that it was changed is found by its seal."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _changed(archive: _Archive, document: Mapping[str, Any], manifest: bytes) -> Iterator[Problem]:
    if archive.content(SEAL) != seal_line(manifest, MANIFEST):
        # Of the two it is the one whose checksum is wrong as well.
        changed = [name for name in (MANIFEST, SEAL) if not archive.keeps_checksum(name)]
        yield Problem(" or ".join(changed or (MANIFEST, SEAL)), "it was changed")
        return
    if document.get("format") != FORMAT or not _has_items(document):
        yield Problem(MANIFEST, f"it is not of the form {FORMAT}")
        return
    if _json(document) != manifest:
        # Two names in one object, say: programs differ in which of them they take.
        yield Problem(MANIFEST, "it is not written as this program writes")
        return
    items = {item["file"]: item for item in document["items"]}
    there = frozenset(archive.names)
    for name, times in Counter(archive.names).items():
        if times > 1:
            yield Problem(_shown(name), "it is there twice")
        if name not in items and name not in (MANIFEST, SEAL):
            yield Problem(_shown(name), "it was added")
    for name, item in items.items():
        if name not in there:
            yield Problem(name, "it is missing")
        elif archive.digest(name) != (item.get("sha256"), item.get("bytes")):
            yield Problem(name, "it was changed")


def _has_items(document: Mapping[str, Any]) -> bool:
    """Tell whether a manifest lists files, each once: one that was forged may hold anything."""
    items = document.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return False
    names = [item.get("file") for item in items]
    named = all(isinstance(name, str) and _NAME.fullmatch(name) for name in names)
    return named and len(set(names)) == len(names)


def _first_difference(archive: _Archive) -> int | None:
    """Return the first byte in which an archive is not what its members give; None if it is."""
    with tempfile.TemporaryFile() as again:
        with zipfile.ZipFile(again, "w", zipfile.ZIP_STORED) as written:
            for name in (*sorted({*archive.names} - {MANIFEST, SEAL}), MANIFEST, SEAL):
                _add(written, name, archive.chunks(name))
        again.seek(0)
        archive.stream.seek(0)
        place = 0
        while True:
            ours, theirs = again.read(_CHUNK), archive.stream.read(_CHUNK)
            if ours != theirs:
                pairs = zip_longest(ours, theirs)
                return place + next(n for n, (one, two) in enumerate(pairs) if one != two)
            if not ours:
                return None
            place += len(ours)


def _shown(name: str) -> str:
    """Return the name of a member as a sentence can hold it: it may be anybody's."""
    return name if _NAME.fullmatch(name) else ascii(name)[:130]
