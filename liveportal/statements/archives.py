"""ZIP archives of statements: their members are read like files, and never unpacked to a disk."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, cast

from liveportal.domain.errors import MalformedFile
from liveportal.domain.zip_members import oddity
from liveportal.statements.registry import refuse_workbook
from liveportal.tables.lines import LARGEST_FILE
from liveportal.tables.source import Place, Source, quoted

MOST_MEMBERS = 500
"""The most files in one archive; PayPal makes one for each 50,000 rows."""

_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
_WORKBOOK = "[Content_Types].xml"
_BY_MACS = ("__MACOSX/", ".DS_Store")
_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError),
    *(ValueError, OverflowError, OSError, struct.error),
)
"""What reading a damaged archive raises."""
_HINT = "Give the CSV files themselves instead."


@contextmanager
def unpacked(sources: list[Source]) -> Iterator[list[Source]]:
    """Yield the sources with the members of archives in place of these; `zip/member` names one.

    Raises `MalformedFile` for an archive that is damaged, encrypted or not safe, and for a file
    that is too large.
    """
    with ExitStack() as stack:
        files: list[Source] = []
        for source in sources:
            if source.head(4) in _SIGNATURES:
                files += _members(source, stack)
            else:
                files.append(source)
        for file in files:
            if file.size() > LARGEST_FILE:
                raise Place(file.name).error(
                    MalformedFile,
                    1,
                    f"the file is larger than {LARGEST_FILE // 1024**2} MB.",
                    hint="Download shorter periods. Several files can be read at once.",
                )
        yield files


def _members(source: Source, stack: ExitStack) -> Iterator[Source]:
    place = Place(source.name)
    source.stream.seek(0)
    try:
        archive = stack.enter_context(zipfile.ZipFile(source.stream))
    except _DAMAGES:
        raise _damaged(place, "the archive is damaged.") from None
    members = archive.infolist()
    if any(member.filename == _WORKBOOK for member in members):
        raise refuse_workbook(place)
    members = [
        member
        for member in members
        if not member.is_dir() and not any(part in member.filename for part in _BY_MACS)
    ]
    if not members or len(members) > MOST_MEMBERS:
        raise _damaged(place, f"the archive has {len(members)} files, not 1 to {MOST_MEMBERS}.")
    if sum(member.file_size for member in members) > LARGEST_FILE:
        raise _damaged(place, f"unpacked, its files have over {LARGEST_FILE // 1024**2} MB.")
    for member in members:
        _check(place, member)
    for member in members:
        yield Source(f"{source.name}/{member.filename}", _stream(place, archive, member, stack))


def _check(place: Place, member: zipfile.ZipInfo) -> None:
    name = member.filename
    is_path = name.startswith("/") or ".." in name.split("/") or set(name) & set("\\:")
    if is_path or not name.isprintable():
        raise _damaged(place, f"the archive has a file with an unsafe name: {quoted(name)}.")
    if problem := oddity(member):
        raise _damaged(place, f"the file {quoted(name)} in the archive {problem}.")


def _stream(
    place: Place, archive: zipfile.ZipFile, member: zipfile.ZipInfo, stack: ExitStack
) -> BinaryIO:
    try:
        opened = stack.enter_context(archive.open(member))
        return cast("BinaryIO", io.BufferedReader(_Member(opened, place, member.filename)))
    except _DAMAGES:
        raise _damaged_member(place, member.filename) from None


class _Member(io.RawIOBase):
    """A member of an archive as a stream whose damage is reported as the archive's."""

    def __init__(self, member: object, place: Place, name: str) -> None:
        self._member = cast("BinaryIO", member)
        self._place, self._name = place, name

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        with self._reporting():
            return self._member.seek(offset, whence)

    def tell(self) -> int:
        return self._member.tell()

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        with self._reporting():
            content = self._member.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGES:
            raise _damaged_member(self._place, self._name) from None


def _damaged_member(place: Place, name: str) -> MalformedFile:
    return _damaged(place, f"the file {quoted(name)} in the archive is damaged.")


def _damaged(place: Place, reason: str) -> MalformedFile:
    return place.error(MalformedFile, 1, reason, hint=_HINT)
