"""Writing and checking members of ZIP archives, for all our archive formats.

Pure: it works on streams that the caller opened, and uses no clock. Members are recorded as Unix
files on every platform, with the one date that is given.
"""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Iterable
from datetime import datetime
from typing import IO

CHUNK_BYTES = 1024 * 1024
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a ZIP archive can hold."""

_REGULAR = stat.S_IFREG
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# Deflate expands one byte to at most 1032; every file has a few bytes of overhead.
_LARGEST_RATIO = 1032
_SLACK_BYTES = 4096


def new_member(
    archive: zipfile.ZipFile,
    name: str,
    *,
    mode: int = 0o644,
    date: datetime | None = None,
    compressed: bool = False,
) -> IO[bytes]:
    """Open a new member for writing; it is stored uncompressed unless `compressed` is set."""
    info = zipfile.ZipInfo(name, date.timetuple()[:6] if date else EPOCH)
    info.create_system = 3  # Unix, on every platform.
    info.external_attr = (_REGULAR | mode) << 16
    info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    return archive.open(info, "w", force_zip64=True)


def add(archive: zipfile.ZipFile, name: str, chunks: Iterable[bytes]) -> None:
    """Write one member, uncompressed."""
    with new_member(archive, name) as member:
        for chunk in chunks:
            member.write(chunk)


def seal_line(content: bytes, name: str) -> bytes:
    """Return a member's SHA-256 as a line for `sha256sum --check`."""
    return f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()


def oddity(member: zipfile.ZipInfo) -> str | None:
    """Return how a member differs from those that we write, or None if it does not.

    Also reports impossible sizes, so that no ZIP bomb is unpacked.
    """
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, _REGULAR) or member.filename.endswith("/"):
        return "is not a regular file"
    if member.flag_bits & _ENCRYPTED:
        return "is protected by a password of its own"
    if member.compress_type not in _COMPRESSIONS:
        return "is compressed in an unsupported way"
    largest = member.compress_size
    if member.compress_type == zipfile.ZIP_DEFLATED:
        largest = largest * _LARGEST_RATIO + _SLACK_BYTES
    if member.file_size > largest:
        return "states a size that it cannot have"
    return None
