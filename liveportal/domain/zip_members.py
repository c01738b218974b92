"""What all our ZIP archives have in common: how a member is written, and how one is looked at.

Pure: it works on streams that others opened, and knows no clock. Members are files of a Unix owner,
whatever the machine, and have the one date that is given.
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
"""The first date that a ZIP archive knows."""

_REGULAR = stat.S_IFREG
_KNOWN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# Deflate makes at most 1032 bytes of one; a file of any size has a few bytes more around it.
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
    """Open a new member for writing; it is stored as it is unless it is to be `compressed`."""
    info = zipfile.ZipInfo(name, date.timetuple()[:6] if date else EPOCH)
    info.create_system = 3  # Unix, wherever it is written.
    info.external_attr = (_REGULAR | mode) << 16
    info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    return archive.open(info, "w", force_zip64=True)


def add(archive: zipfile.ZipFile, name: str, chunks: Iterable[bytes]) -> None:
    """Write one member, stored as it is."""
    with new_member(archive, name) as member:
        for chunk in chunks:
            member.write(chunk)


def seal_line(content: bytes, name: str) -> bytes:
    """Return the SHA-256 of a member as `sha256sum --check` reads it."""
    return f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()


def oddity(member: zipfile.ZipInfo) -> str | None:
    """Return what no archive of ours has: a link, a way of packing; None where all is usual.

    Sizes that are impossible for what is packed are odd, too: nobody is made to unpack a bomb.
    """
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, _REGULAR) or member.filename.endswith("/"):
        return "is no regular file"
    if member.flag_bits & _ENCRYPTED:
        return "is locked by a password of its own"
    if member.compress_type not in _KNOWN:
        return "is packed in a way that is not ours"
    largest = member.compress_size
    if member.compress_type == zipfile.ZIP_DEFLATED:
        largest = largest * _LARGEST_RATIO + _SLACK_BYTES
    if member.file_size > largest:
        return "says that it is larger than it can be"
    return None
