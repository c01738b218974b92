"""The events of a ledger for another machine, with the attached files where they are wanted.

With files it is one ZIP archive:

    events.jsonl       the events, as an export without files has them
    files/abcd…        each file that a command attached, under its SHA-256

A file is attached again after its event was imported, by the same door as any other: its hash must
be the recorded one, and the messages of a transcript are read from it.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from liveportal.domain.errors import InvalidExport, LiveportalError
from liveportal.domain.events.envelope import CLI_SOURCE, Event
from liveportal.domain.events.types import ArtifactAdded
from liveportal.domain.hint import Hint
from liveportal.domain.zip_members import CHUNK_BYTES, new_member, oddity
from liveportal.exports.events import line
from liveportal.ledger import missing
from liveportal.ledger.attachments.index import Attached
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.format.serialisation import StoredEvent
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.services.attachments import attach
from liveportal.services.defaults import ignore, new_id

EVENTS = "events.jsonl"
_FILE = re.compile(r"files/([0-9a-f]{64})", re.ASCII)
_MAGIC = b"PK\x03\x04"
_READ_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, EOFError),
    *(ValueError, RuntimeError, OSError),
)


class EventLines:
    """The lines of an export; what was written so far is counted."""

    def __init__(
        self,
        events: Iterable[StoredEvent],
        *,
        without_personal: bool,
        identity: bytes | None = None,
    ) -> None:
        self._events = events
        self._without_personal = without_personal
        self._identity = identity
        self.count = 0
        self.erased = 0
        """How many have no personal part: it was erased, or is left out."""
        self.hashes: dict[str, None] = {}
        """The files that commands attached, in the order of their events."""

    def __iter__(self) -> Iterator[str]:
        for stored in self._events:
            data = stored.event.data
            if isinstance(data, ArtifactAdded) and stored.event.source == CLI_SOURCE:
                self.hashes.update({} if stored.erased else {data.sha256: None})
            yield line(
                stored.event,
                stored.recorded_at,
                erased=stored.erased,
                without_personal=self._without_personal,
                identity=None if self.count else self._identity,
            )
            self.count += 1
            self.erased += stored.erased


def write_archive(target: BinaryIO, lines: EventLines, vault: Vault) -> list[str]:
    """Write an archive, and return the hashes of the files that the vault does not have whole."""
    lost = []
    with zipfile.ZipFile(target, "w") as archive:
        with new_member(archive, EVENTS, mode=0o600, compressed=True) as member:
            for text in lines:
                member.write(f"{text}\n".encode("ascii"))
        for sha256 in lines.hashes:
            try:
                vault.check(sha256)  # Before its name is in the archive.
            except LiveportalError:
                lost.append(sha256)
                continue
            with new_member(archive, f"files/{sha256}", mode=0o600) as member:
                for chunk in vault.content(sha256):
                    member.write(chunk)
    return lost


class Archive:
    """An archive to read; nothing in it is trusted until its hash is the recorded one."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        """Check the directory of an archive; raises `InvalidExport`."""
        self._name = name
        with self._translating_errors():
            self._archive = zipfile.ZipFile(stream)
            infos = self._archive.infolist()
        self._infos = {info.filename: info for info in infos}
        if EVENTS not in self._infos or len(self._infos) != len(infos):
            raise self._invalid(f"it does not have one {EVENTS}")
        for info in infos:
            if info.filename != EVENTS and not _FILE.fullmatch(info.filename):
                raise self._invalid(f"it has a file called {ascii(info.filename)[1:-1][:80]}")
            if what := oddity(info):
                raise self._invalid(f"{info.filename} {what}")

    def events(self) -> Iterator[bytes]:
        """Yield the content of the events in chunks."""
        return self._chunks(EVENTS)

    def has(self, sha256: str) -> bool:
        """Return True if the archive has the file with that hash."""
        return f"files/{sha256}" in self._infos

    def size(self, sha256: str) -> int:
        """Return the size of the file with that hash, in bytes."""
        return self._infos[f"files/{sha256}"].file_size

    def extract(self, sha256: str, target: Path) -> None:
        """Write a file of the archive to a new path."""
        with target.open("xb") as copy:
            for chunk in self._chunks(f"files/{sha256}"):
                copy.write(chunk)

    def _chunks(self, name: str) -> Iterator[bytes]:
        left = self._infos[name].file_size
        with self._translating_errors(), self._archive.open(name) as member:
            while chunk := member.read(min(CHUNK_BYTES, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise self._invalid(f"{name} is larger than it says")
                yield chunk

    @contextmanager
    def _translating_errors(self) -> Iterator[None]:
        try:
            yield
        except LiveportalError:
            raise
        except _READ_ERRORS as error:
            raise self._invalid(f"it cannot be read ({ascii(str(error))[1:-1][:80]})") from None

    def _invalid(self, what: str) -> InvalidExport:
        return InvalidExport(
            f"{self._name} is not an export with files: {what}.",
            hint=Hint("Nothing was recorded. Export it again, and copy it whole."),
            path=self._name,
        )


def is_archive(stream: BinaryIO) -> bool:
    """Return True if a stream begins as an archive does; it is left at its beginning."""
    stream.seek(0)
    begins = stream.read(len(_MAGIC))
    stream.seek(0)
    return begins == _MAGIC


def attach_again(file: LedgerFile, archive: Archive, progress: Callable[[int], None]) -> int:
    """Attach the files that the ledger lacks and the archive has; return their number.

    A file that is not the recorded one is refused with `InvalidExport`. Those before it stay
    attached, and the same import goes on after them.
    """
    count = 0
    for attached in missing.lacking(file.db):
        if not archive.has(attached.sha256):
            continue
        with TemporaryDirectory(prefix="liveportal-") as folder:  # Its mode is 0700.
            copy = Path(folder, "file")
            archive.extract(attached.sha256, copy)
            _attach(file, attached, copy, progress)
        count += 1
    return count


def _attach(
    file: LedgerFile, attached: Attached, copy: Path, progress: Callable[[int], None]
) -> None:
    def make_event(data: ArtifactAdded, assumed: set[str]) -> Event:
        if data.sha256 != attached.sha256:
            raise InvalidExport(
                f"The file files/{attached.sha256} in the export was changed.",
                hint=Hint("It was not attached. Export the ledger again, and copy it whole."),
                sha256=attached.sha256,
            )
        return Event(CLI_SOURCE, new_id(), file.now(), data, assumed=frozenset({*assumed, "time"}))

    attach(
        file,
        attached.session,
        copy,
        make_event,
        kind=attached.kind,
        name=attached.name,
        allow=frozenset(),
        progress=progress,
        read_back=ignore,
    )
