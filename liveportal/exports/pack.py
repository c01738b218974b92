"""An evidence pack: a ZIP archive in which any changed byte is detected.

The same items give the same bytes: they are stored, not compressed (compressors differ), sorted by
name, with a fixed date. `manifest.json` has the SHA-256 of every item, and `manifest.sha256` the
SHA-256 of the manifest. An archive is valid only if it is, byte for byte, the archive that these
items give; otherwise the file that the changed byte belongs to is named.
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
from itertools import islice, zip_longest
from operator import le
from pathlib import Path
from typing import IO, Any
from zlib import crc32

from liveportal.domain.errors import InvalidPack
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.zip_members import CHUNK_BYTES as _CHUNK
from liveportal.domain.zip_members import add as _add
from liveportal.domain.zip_members import seal_line

FORMAT = "liveportal.evidence.v1"
MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
LARGEST_MANIFEST = 16 * 1024 * 1024
DIRECTORY = "the archive's directory"
_SIGNATURE = b"PK\x03\x04"
_NAME = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}(/[A-Za-z0-9][A-Za-z0-9._-]{0,119})?", re.ASCII
)


@frozen
class PackEntry:
    """A file of the pack: its content or its path, and one line on what it shows."""

    name: str
    content: bytes | Path
    shows: str
    media_type: str = "application/octet-stream"
    original_sha256: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not a valid name for a file of a pack")


@frozen
class Problem:
    """Something wrong in a pack: the file that it is in, and a description."""

    file: str
    what: Hint | str


@frozen
class PackCheck:
    """The result of checking a pack: its manifest, the manifest's SHA-256 (hex), and all problems.

    If there are no problems, the manifest's items are those of the archive. Its other fields are
    unchanged since the seal was made, but anyone can make a pack with a valid seal.
    """

    manifest: dict[str, Any]
    seal: str
    problems: Sequence[Problem]


def write_pack(target: IO[bytes], entries: Sequence[PackEntry], about: Mapping[str, Any]) -> str:
    """Write a pack to a stream, and return the SHA-256 of its manifest (hex).

    `about` are the manifest's own fields (see `evidence.about`).
    """
    if not target.seekable():  # zipfile writes other bytes to a pipe.
        with tempfile.TemporaryFile() as spool:
            seal = write_pack(spool, entries, about)
            spool.seek(0)
            shutil.copyfileobj(spool, target)
        return seal
    ordered = sorted(entries, key=lambda entry: entry.name)
    manifest = _json(manifest_of([item_of(entry) for entry in ordered], about))
    members = [
        *((entry.name, entry.content) for entry in ordered),
        (MANIFEST, manifest),
        (SEAL, seal_line(manifest, MANIFEST)),
    ]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members:
            _add(archive, name, _iter_chunks(content))
    return hashlib.sha256(manifest).hexdigest()


def manifest_of(items: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of a pack with these items, sorted by name."""
    ordered = sorted(items, key=lambda item: item["file"])
    return {"format": FORMAT, **about, "items": ordered}


def read_members(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    """Return the members with these names of a verified pack; skip names that it does not have."""
    with path.open("rb") as stream, zipfile.ZipFile(stream) as directory:
        archive = _Archive(stream, directory.infolist())
        return {name: archive.content(name) for name in names if name in archive.names}


def verify_pack(path: Path) -> PackCheck:
    """Check every byte of a pack, and return its manifest and all problems.

    Raises `InvalidPack` for a file that cannot be read or is not an evidence pack.
    """
    try:
        if path.exists() and not path.is_file():  # Opening a pipe would block.
            raise _invalid_pack(path, "cannot be read: it is not a regular file")
        stream = path.open("rb")
    except OSError as error:
        raise _invalid_pack(path, f"cannot be read: {error.strerror}") from None
    with stream:
        try:
            # One changed byte cannot break both the signature and the directory.
            if stream.read(len(_SIGNATURE)) != _SIGNATURE and not zipfile.is_zipfile(stream):
                raise _invalid_pack(path, "is not an evidence pack: it is not a ZIP archive.")
            return _verify(stream)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
            return _damaged_archive(str(error))
        except OSError as error:
            if error.errno == errno.EINVAL:  # Seeking before the start of the file.
                return _damaged_archive("it points to a place outside the file")
            raise _invalid_pack(path, f"cannot be checked: {error.strerror}") from None


def _invalid_pack(path: Path, what: str) -> InvalidPack:
    hint = Hint("Give a file that {an_evidence_pack} wrote.")
    return InvalidPack(f"{path} {what}", hint=hint, path=str(path))


def _damaged_archive(reason: str) -> PackCheck:
    return PackCheck({}, "", [Problem(DIRECTORY, f"it is damaged: {reason}")])


def item_of(entry: PackEntry) -> dict[str, Any]:
    """Return the manifest's item for an entry."""
    digest, size = _digest(entry.content)
    item: dict[str, Any] = {
        "file": entry.name,
        "bytes": size,
        "sha256": digest,
        "media_type": entry.media_type,
        "shows": entry.shows,
    }
    if entry.original_sha256:
        item["original_sha256"] = entry.original_sha256
    return item


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode("ascii")


def _digest(content: bytes | Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in _iter_chunks(content):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _iter_chunks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


# --- verifying ------------------------------------------------------------------------------------


class _Archive:
    """The members of an archive, read from the file without checking its checksums."""

    def __init__(self, stream: IO[bytes], members: Sequence[zipfile.ZipInfo]) -> None:
        self.stream = stream
        self.members = sorted(members, key=lambda member: member.header_offset)
        self.names = [member.filename for member in members]
        self._by_name = {member.filename: member for member in reversed(self.members)}

    def is_stored_in_order(self) -> bool:
        """Return True if the members are stored uncompressed and do not overlap.

        Reading all of them then reads each byte of the file at most once, whatever it declares.
        """
        self.stream.seek(0, 2)
        ends = [self._end(member) for member in self.members]
        starts = [member.header_offset for member in self.members]
        all_stored = all(member.compress_type == zipfile.ZIP_STORED for member in self.members)
        return all_stored and all(map(le, ends, [*starts[1:], self.stream.tell()]))

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the content of a member, from the offset where this program writes it."""
        member = self._by_name[name]
        self.stream.seek(member.header_offset + _header_size(name))
        bytes_left = member.file_size
        while bytes_left > 0 and (chunk := self.stream.read(min(_CHUNK, bytes_left))):
            yield chunk
            bytes_left -= len(chunk)

    def content(self, name: str) -> bytes:
        """Return the content of a small member, truncated to `LARGEST_MANIFEST` bytes."""
        return b"".join(islice(self.chunks(name), LARGEST_MANIFEST // _CHUNK))

    def digest(self, name: str) -> tuple[str, int]:
        """Return the SHA-256 (hex) and the size of a member."""
        digest, size = hashlib.sha256(), 0
        for chunk in self.chunks(name):
            digest.update(chunk)
            size += len(chunk)
        return digest.hexdigest(), size

    def matches_checksum(self, name: str) -> bool:
        """Return True if a member has the CRC-32 of the archive's directory."""
        return crc32(self.content(name)) == self._by_name[name].CRC

    def member_at(self, offset: int) -> str:
        """Return the name of the member at an offset, or `DIRECTORY` after the last member."""
        for member in reversed(self.members):
            if member.header_offset <= offset < self._end(member):
                return member.filename
        return DIRECTORY

    def _end(self, member: zipfile.ZipInfo) -> int:
        return member.header_offset + _header_size(member.filename) + member.file_size


def _header_size(name: str) -> int:
    """Return the size in bytes of the local header of a member, as this program writes it."""
    return 30 + len(name.encode()) + 20  # With the ZIP64 extra field.


def _verify(stream: IO[bytes]) -> PackCheck:
    with zipfile.ZipFile(stream) as directory:
        archive = _Archive(stream, directory.infolist())
        missing = [name for name in (MANIFEST, SEAL) if name not in archive.names]
        if missing:
            return PackCheck({}, "", [Problem(name, "it is missing") for name in missing])
        if not archive.is_stored_in_order():
            return _damaged_archive("its files are compressed, or they overlap")
        manifest = archive.content(MANIFEST)
        document = _parse_manifest(manifest)
        problems = list(_content_problems(archive, document, manifest))
        if not problems and (offset := _first_difference(archive)) is not None:
            name = archive.member_at(offset)
            problems.append(Problem(name, f"byte {offset + 1} of the archive was changed"))
    return PackCheck(document, hashlib.sha256(manifest).hexdigest(), problems)


def _parse_manifest(content: bytes) -> dict[str, Any]:
    """Return the manifest, or an empty one if it is invalid: the seal reports the change."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _content_problems(
    archive: _Archive, document: Mapping[str, Any], manifest: bytes
) -> Iterator[Problem]:
    if archive.content(SEAL) != seal_line(manifest, MANIFEST):
        # Name the one whose CRC-32 is wrong as well.
        changed = [name for name in (MANIFEST, SEAL) if not archive.matches_checksum(name)]
        yield Problem(" or ".join(changed or (MANIFEST, SEAL)), "it was changed")
        return
    if document.get("format") != FORMAT or not _has_items(document):
        yield Problem(MANIFEST, f"it does not have the format {FORMAT}")
        return
    if _json(document) != manifest:
        # For example duplicate keys in an object: programs differ in which one they use.
        yield Problem(MANIFEST, "it is not written as this program writes it")
        return
    items = {item["file"]: item for item in document["items"]}
    names = frozenset(archive.names)
    for name, times in Counter(archive.names).items():
        if times > 1:
            yield Problem(_printable(name), "it is in the archive twice")
        if name not in items and name not in (MANIFEST, SEAL):
            yield Problem(_printable(name), "it was added")
    for name, item in items.items():
        if name not in names:
            yield Problem(name, "it is missing")
        elif archive.digest(name) != (item.get("sha256"), item.get("bytes")):
            yield Problem(name, "it was changed")


def _has_items(document: Mapping[str, Any]) -> bool:
    """Return True if a manifest lists files, each once: a forged one may hold anything."""
    items = document.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return False
    names = [item.get("file") for item in items]
    all_valid = all(isinstance(name, str) and _NAME.fullmatch(name) for name in names)
    return all_valid and len(set(names)) == len(names)


def _first_difference(archive: _Archive) -> int | None:
    """Return the offset of the first byte that differs from a rewritten archive, or None."""
    with tempfile.TemporaryFile() as rewritten:
        with zipfile.ZipFile(rewritten, "w", zipfile.ZIP_STORED) as target:
            for name in (*sorted({*archive.names} - {MANIFEST, SEAL}), MANIFEST, SEAL):
                _add(target, name, archive.chunks(name))
        rewritten.seek(0)
        archive.stream.seek(0)
        offset = 0
        while True:
            ours, theirs = rewritten.read(_CHUNK), archive.stream.read(_CHUNK)
            if ours != theirs:
                pairs = zip_longest(ours, theirs)
                return offset + next(n for n, (one, two) in enumerate(pairs) if one != two)
            if not ours:
                return None
            offset += len(ours)


def _printable(name: str) -> str:
    """Return the name of a member in printable ASCII: in a forged pack it may be any text."""
    return name if _NAME.fullmatch(name) else ascii(name)[:130]
