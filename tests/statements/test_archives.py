"""ZIP archives and files on the disk: their members are read like files, or refused by name."""

from __future__ import annotations

import io
import os
import threading
import zipfile
from pathlib import Path

import pytest

from liveportal.domain.errors import (
    BadEncoding,
    FileChanged,
    LiveportalError,
    MalformedFile,
    NotFound,
    UnknownFormat,
    UnreadableFile,
)
from liveportal.statements import archives
from liveportal.statements.reading import read_statements
from liveportal.tables import lines
from liveportal.tables.files import opened
from liveportal.tables.source import Source
from tests.kit.paypal_files import DEFAULT, STATEMENT, PayPalAccount, found, read
from tests.kit.paypal_locales import DE
from tests.kit.work import stopped_if_endless
from tests.statements.test_round_trips import some_account


def zipped(
    members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED, date: int = 2026
) -> bytes:
    """Return an archive of members."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name, (date, 1, 1, 0, 0, 0)), member, compression)
    return content.getvalue()


def refused(kind: type[LiveportalError], content: bytes, *words: str) -> LiveportalError:
    """Read an archive that must be refused with these words."""
    with pytest.raises(kind) as caught, stopped_if_endless():
        read(content)
    for word in words:
        assert word in caught.value.message
    assert caught.value.message.isprintable()
    assert str(caught.value.details["file"]).startswith("1.csv")
    assert caught.value.details["line"] >= 1  # type: ignore[operator]
    return caught.value


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read_like_files(compression: int) -> None:
    """Two of them, in a folder and beside what a Mac adds; lines are those of the member."""
    account = some_account()
    content = zipped(
        {
            "PayPal/": b"",
            "PayPal/a.csv": account.file(),
            "__MACOSX/PayPal/._a.csv": b"\0",
            "PayPal/.DS_Store": b"\0",
            "b.csv": account.file(STATEMENT, DE),
        },
        compression,
    )
    one, two, three = read(content, account.file())
    assert [file.name for file in (one, two, three)] == [
        "1.csv/PayPal/a.csv",
        "1.csv/b.csv",
        "2.csv",
    ]
    assert found(one) == account.expected()
    assert found(two) == account.expected(STATEMENT)
    assert one.sha256 == three.sha256
    assert sum(not row.duplicate for file in (one, two, three) for row in file.rows) == 13


def test_an_error_in_a_member_names_it() -> None:
    """The archive, the member and the line."""
    broken = some_account().file().replace(b"PO-1", b"\xff")
    content = zipped({"a.csv": some_account().file(DEFAULT, DE), "b.csv": broken})
    error = refused(BadEncoding, content, "1.csv/b.csv, line 2")
    assert error.details["file"] == "1.csv/b.csv"
    refused(UnknownFormat, zipped({"readme.txt": b"Hello\n"}), "1.csv/readme.txt")
    refused(UnknownFormat, zipped({"a.zip": zipped({"a.csv": b"x"})}), "1.csv/a.zip")


@pytest.mark.parametrize(
    "name", ["../a.csv", "/etc/a.csv", "a/../../b.csv", "C:\\a.csv", "a\\b.csv", "a\x1b[2J.csv"]
)
def test_unsafe_names_are_refused(name: str) -> None:
    """Nothing is written to a disk; such an archive is still not a provider's."""
    refused(MalformedFile, zipped({name: b"x"}), "unsafe name")


def test_encrypted_members_are_refused() -> None:
    """The bit that marks a member as encrypted is set in the directory."""
    content = bytearray(zipped({"a.csv": b"Date\n"}))
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1
    content[6] |= 1
    refused(MalformedFile, bytes(content), "a.csv", "password")


def test_bombs_are_refused_before_they_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the sum of the sizes, by an impossible size, and by the number of members."""
    monkeypatch.setattr(archives, "LARGEST_FILE", 1024**2)
    refused(MalformedFile, zipped({"a.csv": b"\0" * 600_000, "b.csv": b"\0" * 600_000}), "1 MB")
    content = bytearray(zipped({"a.csv": b"x"}))
    directory = content.index(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = (900_000).to_bytes(4, "little")
    refused(MalformedFile, bytes(content), "a.csv", "size")
    many = zipped({f"{n}.csv": b"" for n in range(archives.MOST_MEMBERS + 1)})
    refused(MalformedFile, many, "501 files")
    refused(MalformedFile, zipped({}), "0 files")


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do instead."""
    monkeypatch.setattr(archives, "LARGEST_FILE", 1024)
    refused(MalformedFile, some_account().file(), "larger than 0 MB")


def test_damaged_archives_are_refused() -> None:
    """A cut one, one with a changed byte, and one that is only a signature."""
    content = zipped({"a.csv": some_account().file()})
    refused(MalformedFile, content[:-30], "damaged")
    refused(MalformedFile, b"PK\x03\x04", "damaged")
    for at in range(45, len(content) - 120, 97):
        changed = bytearray(content)
        changed[at] ^= 0x55
        with pytest.raises(LiveportalError):
            read(bytes(changed))


# --- the disk -------------------------------------------------------------------------------------


def test_files_are_opened_by_name(tmp_path: Path) -> None:
    """An absent file is not found (exit 3), and a folder cannot be read."""
    account = some_account()
    path = tmp_path / "paypal.csv"
    path.write_bytes(account.file())
    with opened([path, path]) as sources:
        one, two = read_statements(sources)
    assert one.name == str(path)
    assert found(one) == found(two) == account.expected()
    with pytest.raises(NotFound, match=r"absent\.csv"), opened([tmp_path / "absent.csv"]):
        pass
    with pytest.raises(UnreadableFile), opened([tmp_path]):
        pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_read_whole(tmp_path: Path) -> None:
    """`liveportal payout reconcile <(unzip -p ...)` gives one."""
    account = some_account()
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(account.file(),))
    writer.start()
    with opened([path]) as sources:
        (file,) = read_statements(sources)
    writer.join()
    assert found(file) == account.expected()


def test_a_file_that_changes_between_the_passes_is_noticed() -> None:
    """The digest of the second pass is compared with that of the first."""
    account = PayPalAccount()
    account.payout("1.00", "2026-10-15T09:00:00Z")
    content, other = account.file(), account.file().replace(b"Live Help", b"Live Fake")

    class Changing(io.BytesIO):
        starts = 0

        def seek(self, offset: int, whence: int = 0) -> int:
            if (offset, whence) == (0, 0):
                self.starts += 1
                if self.starts > 6:  # Two samples, three headers, and the first pass.
                    self.getbuffer()[:] = other
            return super().seek(offset, whence)

    stream = Changing(content)
    with pytest.raises(FileChanged) as caught:
        read_statements([Source("a.csv", stream)])
    assert caught.value.details["file"] == "a.csv"
    assert stream.starts > 6
    assert len(content) < lines.LARGEST_FILE
