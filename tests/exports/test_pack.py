"""Evidence packs: the same bytes each time, and any change to one is found and named."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.errors import InvalidPack
from liveportal.exports.pack import (
    DIRECTORY,
    FORMAT,
    MANIFEST,
    SEAL,
    PackEntry,
    Problem,
    verify_pack,
    write_pack,
)
from tests.kit.events import short

pytestmark = pytest.mark.slow


ABOUT = {"claim": "CL-1"}
PARTS = (
    PackEntry("index.html", b"<p>What happened.</p>", "What happened.", "text/html"),
    PackEntry("files/01-chat.txt", b"\x00\xff" * 20, "What was said.", original_sha256="ab" * 32),
    PackEntry("empty.txt", b"", "Nothing."),
)
MASKS = (0x01, 0x20, 0x80, 0xFF)


def written(*parts: PackEntry) -> bytes:
    """Return a pack's bytes."""
    stream = BytesIO()
    write_pack(stream, parts or PARTS, ABOUT)
    return stream.getvalue()


@pytest.fixture(scope="module")
def whole() -> bytes:
    """Return a small pack."""
    return written()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that examples may share."""
    return tmp_path_factory.mktemp("packs")


def problems(folder: Path, content: bytes) -> list[Problem]:
    """Return the problems of a pack with these bytes."""
    path = folder / "pack.zip"
    path.write_bytes(content)
    return list(verify_pack(path).problems)


def members(content: bytes) -> list[zipfile.ZipInfo]:
    """Return an archive's members as they lie in it."""
    return zipfile.ZipFile(BytesIO(content)).infolist()


def sealed(archived: list[tuple[str, bytes]], manifest: object) -> bytes:
    """Return an archive by a forger who knows the format: its seal is valid."""
    text = json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"
    seal = f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n".encode()
    return zipped([*archived, (MANIFEST, text), (SEAL, seal)])


def zipped(archived: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return an archive with these members in this order, as this program writes them."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in archived:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr, info.compress_type = (
                3,
                0o100644 << 16,
                compression,
            )
            with archive.open(info, "w", force_zip64=True) as member:
                member.write(content)
    return stream.getvalue()


def unzipped(content: bytes) -> list[tuple[str, bytes]]:
    """Return an archive's members with their contents."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return [(member.filename, archive.read(member)) for member in archive.infolist()]


def item(name: str, content: bytes = b"") -> dict[str, object]:
    """Return a manifest's entry for a file."""
    return {"file": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


# --- written --------------------------------------------------------------------------------------


def test_a_pack_is_as_it_always_was(whole: bytes) -> None:
    """The bytes are the same with every version of Python, or a pack of old is found changed."""
    assert hashlib.sha256(whole).hexdigest() == (
        "ccdbd4f425ad20e17b8cdb93607365a0d54d5f84062b7f5151e28720cfe939a3"
    )
    assert written(*reversed(PARTS)) == whole, "the order of the parts does not matter"


def test_a_pack_opens_everywhere_and_says_what_it_holds(whole: bytes, tmp_path: Path) -> None:
    """It is a ZIP archive like any other; `sha256sum --check` reads its seal."""
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*sorted(part.name for part in PARTS), MANIFEST, SEAL]
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        text = archive.read(MANIFEST)
        seal = archive.read(SEAL).decode()
        for part in PARTS:
            assert archive.read(part.name) == part.content
    assert seal == f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n"
    manifest = json.loads(text)
    assert (manifest["format"], manifest["claim"]) == (FORMAT, "CL-1")
    assert manifest["items"][1] == {
        "file": "files/01-chat.txt",
        "bytes": 40,
        "sha256": hashlib.sha256(b"\x00\xff" * 20).hexdigest(),
        "media_type": "application/octet-stream",
        "shows": "What was said.",
        "original_sha256": "ab" * 32,
    }
    path = tmp_path / "pack.zip"
    path.write_bytes(whole)
    checked = verify_pack(path)
    assert (checked.manifest, checked.problems) == (manifest, [])
    assert checked.seal == hashlib.sha256(text).hexdigest()


def test_a_file_and_bytes_are_packed_alike(tmp_path: Path, whole: bytes) -> None:
    """Content may lie in a file: it is read in pieces, and gives the same pack."""
    file = tmp_path / "chat"
    file.write_bytes(b"\x00\xff" * 20)
    chat = PackEntry("files/01-chat.txt", file, "What was said.", original_sha256="ab" * 32)
    assert written(PARTS[0], chat, PARTS[2]) == whole


def test_a_pack_is_written_into_a_pipe_as_into_a_file(whole: bytes) -> None:
    """A stream that cannot seek gets the same bytes."""

    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise OSError

        def tell(self) -> int:
            raise OSError

    stream = Pipe()
    write_pack(stream, PARTS, ABOUT)
    assert stream.getvalue() == whole


@pytest.mark.parametrize(
    "name", ["", "../x", "/x", "a/b/c", "a b", "a\\b", "x" * 200, "é", "a/", ".x", "a\n"]
)
def test_a_part_has_a_plain_name(name: str) -> None:
    """No name leads outside the folder of an unpacked pack, or is ambiguous."""
    with pytest.raises(ValueError, match="not a valid name"):
        PackEntry(name, b"", "x")


names = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?", fullmatch=True)


@given(
    st.dictionaries(names, st.binary(max_size=50), max_size=4),
    st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=20)),
)
def test_every_pack_verifies(
    scratch: Path, contents: dict[str, bytes], about: dict[str, str]
) -> None:
    """An unchanged pack has no problems, whatever its contents."""
    stream = BytesIO()
    write_pack(stream, [PackEntry(name, content, "x") for name, content in contents.items()], about)
    (scratch / "pack.zip").write_bytes(stream.getvalue())
    checked = verify_pack(scratch / "pack.zip")
    assert checked.problems == []
    assert {each["file"] for each in checked.manifest["items"]} == contents.keys()
    assert about.items() <= checked.manifest.items()


# --- one byte -------------------------------------------------------------------------------------


def owners(content: bytes) -> Iterator[tuple[int, str]]:
    """Yield each byte's position and the file that it belongs to, header included."""
    names_by_owner = members(content)
    starts = [each.header_offset for each in names_by_owner]
    for place in range(len(content)):
        before = [
            each for each, start in zip(names_by_owner, starts, strict=True) if start <= place
        ]
        last = names_by_owner[-1]
        end = last.header_offset + 30 + len(last.filename) + 20 + last.file_size
        yield place, DIRECTORY if place >= end else before[-1].filename


def flip(content: bytes, place: int, mask: int) -> bytes:
    """Change one byte."""
    return content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :]


def check_flip(folder: Path, content: bytes, place: int, owner: str, mask: int) -> None:
    """A changed byte is found, and the file that contains it is named."""
    found_problems = problems(folder, flip(content, place, mask))
    named = [problem.file for problem in found_problems]
    assert named, f"byte {place} ^ {mask:#x} was not found"
    if owner != DIRECTORY:
        assert named == [owner], (place, mask, found_problems)
    elif named != [DIRECTORY]:
        # A file's directory entry was changed: that file is named, under either name.
        names = {name.filename for name in members(content)}
        assert len(names - set(named)) >= len(names) - 2, (place, mask, found_problems)


def test_every_byte_that_was_changed_is_found(whole: bytes, tmp_path: Path) -> None:
    """For each byte, the file that contains it is named, or the archive's directory."""
    for place, owner in owners(whole):
        check_flip(tmp_path, whole, place, owner, MASKS[place // 4 % len(MASKS)])


def test_every_bit_of_the_archive_that_was_changed_is_found(whole: bytes, tmp_path: Path) -> None:
    """For each bit of each byte that is not a file's content, which has its checksums."""
    contents = {
        place
        for each in members(whole)
        for place in range(
            whole.index(each.filename.encode(), each.header_offset) + len(each.filename),
            whole.index(each.filename.encode(), each.header_offset)
            + len(each.filename)
            + each.file_size,
        )
    }
    for place, owner in owners(whole):
        for bit in range(8 if place not in contents else 0):
            check_flip(tmp_path, whole, place, owner, 1 << bit)


# --- more than a byte -----------------------------------------------------------------------------


@pytest.mark.parametrize("after", range(4, 60, 7))
def test_a_pack_that_was_cut_is_found(whole: bytes, tmp_path: Path, after: int) -> None:
    """If the end is missing, the directory is reported as damaged."""
    for length in (after, len(whole) - after, len(whole) - 1):
        (found_problems,) = problems(tmp_path, whole[:length])
        assert found_problems.file == DIRECTORY


@pytest.mark.parametrize("more", [b"\0", b"x" * 70_000, b"PK\x05\x06" + b"\0" * 18])
def test_what_was_put_before_or_behind_is_found(whole: bytes, tmp_path: Path, more: bytes) -> None:
    """An archive may have anything around it and still open: a pack may not."""
    for content in (more + whole, whole + more):
        assert problems(tmp_path, content)


def test_a_comment_is_found(whole: bytes, tmp_path: Path) -> None:
    """The archive's comment field must be empty."""
    commented = whole[:-2] + struct.pack("<H", 5) + b"hello"
    assert zipfile.ZipFile(BytesIO(commented)).comment == b"hello"
    (found_problems,) = problems(tmp_path, commented)
    assert found_problems.file == DIRECTORY


def test_two_packs_in_one_file_are_found(whole: bytes, tmp_path: Path) -> None:
    """A whole pack behind a whole pack is not one."""
    assert problems(tmp_path, whole + whole)


def test_a_file_that_was_added_removed_or_renamed_is_named(whole: bytes, tmp_path: Path) -> None:
    """The manifest lists the files."""
    held = unzipped(whole)
    assert zipped(held) == whole, "it is written here as it is written there"
    added = zipped([*held, ("files/02-new.txt", b"new")])
    assert problems(tmp_path, added) == [Problem("files/02-new.txt", "it was added")]
    removed = zipped([member for member in held if member[0] != "empty.txt"])
    assert problems(tmp_path, removed) == [Problem("empty.txt", "it is missing")]
    renamed = zipped([("full.txt" if name == "empty.txt" else name, of) for name, of in held])
    assert problems(tmp_path, renamed) == [
        Problem("full.txt", "it was added"),
        Problem("empty.txt", "it is missing"),
    ]
    for lost in (MANIFEST, SEAL):
        without = zipped([member for member in held if member[0] != lost])
        assert problems(tmp_path, without) == [Problem(lost, "it is missing")]


def test_a_file_that_is_there_twice_is_named(whole: bytes, tmp_path: Path) -> None:
    """Programs disagree on which of two files with the same name they show."""
    held = unzipped(whole)
    for again in (held[0], (held[0][0], b"something else")):
        with pytest.warns(UserWarning, match="Duplicate"):
            twice = zipped([*held, again])
        assert Problem(held[0][0], "it is in the archive twice") in problems(tmp_path, twice)


def test_files_in_another_order_are_found(whole: bytes, tmp_path: Path) -> None:
    """The same files in another order are other bytes."""
    assert problems(tmp_path, zipped(unzipped(whole)[::-1]))
    entries = whole.index(b"PK\x01\x02")
    second = whole.index(b"PK\x01\x02", entries + 1)
    third = whole.index(b"PK\x01\x02", second + 1)
    swapped = whole[:entries] + whole[second:third] + whole[entries:second] + whole[third:]
    assert [problem.file for problem in problems(tmp_path, swapped)] == [DIRECTORY]


def test_a_file_that_was_exchanged_is_named(whole: bytes, tmp_path: Path) -> None:
    """Also one of the same length, in an archive that is sound in itself."""
    held = dict(unzipped(whole))
    for name, content in held.items():
        other = held | {name: bytes(byte ^ 1 for byte in content) or b"x"}
        named = [problem.file for problem in problems(tmp_path, zipped(list(other.items())))]
        if name in (MANIFEST, SEAL):
            # The archive itself is valid, so it does not show which of the two was exchanged.
            assert named == [f"{MANIFEST} or {SEAL}"]
        else:
            assert named == [name]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_pack_that_was_packed_anew_is_found(whole: bytes, tmp_path: Path, method: int) -> None:
    """Compressors differ, so that a pack is never compressed."""
    (found_problems,) = problems(tmp_path, zipped(unzipped(whole), method))
    assert found_problems.file == DIRECTORY
    assert "compressed" in str(found_problems.what)


# --- unreadable packs -----------------------------------------------------------------------------


def test_what_is_no_archive_is_no_pack(tmp_path: Path) -> None:
    """A text, an empty file, a folder, a pipe, a missing file, an unreadable file."""
    path = tmp_path / "pack.zip"
    for content in (b"", b"PK", b"PK\x03", b"a text", b"\0" * 1000, b"%PDF-1.7"):
        path.write_bytes(content)
        with pytest.raises(InvalidPack, match="not an evidence pack"):
            verify_pack(path)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe", "missing", "x" * 300):
        with pytest.raises(InvalidPack, match="cannot be read"):
            verify_pack(tmp_path / name)
    with pytest.raises(InvalidPack, match="cannot be read"):
        verify_pack(Path("/dev/zero"))
    with pytest.raises(InvalidPack, match="cannot be read"):
        verify_pack(path / "below a file")


def test_an_archive_of_something_else_is_no_pack(tmp_path: Path) -> None:
    """Any other archive lacks a pack's files; an empty one, too."""
    for archived in ([], [("readme.txt", b"hello")]):
        found_problems = problems(tmp_path, zipped(archived))
        assert [problem.file for problem in found_problems] == [MANIFEST, SEAL]


def test_a_failing_disk_is_no_forgery(
    whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If there is no space to check a pack, the pack is not reported as changed."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(InvalidPack, match="cannot be checked: No space left"):
        problems(tmp_path, whole)


# --- forgeries by experts -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "manifest",
    [
        [],
        "x",
        {},
        {"format": "liveportal.evidence.v2", "items": []},
        {"format": FORMAT},
        {"format": FORMAT, "items": None},
        {"format": FORMAT, "items": 5},
        {"format": FORMAT, "items": {"a": "b"}},
        {"format": FORMAT, "items": [None]},
        {"format": FORMAT, "items": ["a.txt"]},
        {"format": FORMAT, "items": [{}]},
        {"format": FORMAT, "items": [{"file": 5}]},
        {"format": FORMAT, "items": [{"file": "../x"}]},
        {"format": FORMAT, "items": [{"file": "\x1b[2J x"}]},
        {"format": FORMAT, "items": [item("a"), item("a")]},
    ],
    ids=short,
)
def test_a_forged_manifest_is_refused(tmp_path: Path, manifest: object) -> None:
    """A seal is easily made: a sealed manifest is still parsed defensively."""
    assert problems(tmp_path, sealed([], manifest)) == [
        Problem(MANIFEST, f"it does not have the format {FORMAT}")
    ]


@pytest.mark.parametrize("text", [b"[" * 100_000, b"\xff", b"", b'{"a":', b"9" * 5000])
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path, text: bytes) -> None:
    """Neither its depth nor its numbers break the reader."""
    seal = f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n".encode()
    (found_problems,) = problems(tmp_path, zipped([(MANIFEST, text), (SEAL, seal)]))
    assert found_problems.file == MANIFEST


@pytest.mark.parametrize(
    "name",
    [
        *("../../etc/passwd", "/etc/passwd", "C:\\x", "\x1b[2J \x1b]0;x\x07", "a b", DIRECTORY),
        *("x" * 60_000, "\u202egnp.exe", "é" * 30_000, " ", "a\nb"),
    ],
    ids=short,
)
def test_a_hostile_name_is_named_without_harm(whole: bytes, tmp_path: Path, name: str) -> None:
    """A name from outside is shown in printable ASCII, at moderate length, and never written to."""
    (found_problems,) = problems(tmp_path, zipped([*unzipped(whole), (name, b"x")]))
    assert found_problems.what == "it was added"
    assert found_problems.file != DIRECTORY
    assert found_problems.file.isascii()
    assert found_problems.file.isprintable()
    assert len(found_problems.file) <= 130
    assert [path.name for path in tmp_path.iterdir()] == ["pack.zip"]


def test_files_that_lie_in_one_another_are_refused(tmp_path: Path) -> None:
    """A thousand entries of one large file would be read a thousand times, and fill a disk."""
    content = b"\0" * 1_000_000
    archived = [(f"f{number:03d}", content if number == 0 else b"") for number in range(200)]
    manifest = {"format": FORMAT, "items": [item(name, content) for name, _ in archived]}
    honest = sealed(archived, manifest)
    at, bomb = honest.index(b"PK\x01\x02"), bytearray(honest)
    first = bytes(bomb[at + 16 : at + 28])  # Checksum and sizes of the first entry.
    for _ in archived:
        bomb[at + 16 : at + 28] = first
        bomb[at + 42 : at + 46] = b"\0" * 4  # Where it begins.
        at = bomb.index(b"PK\x01\x02", at + 1)
    (found_problems,) = problems(tmp_path, bytes(bomb))
    assert found_problems == Problem(
        DIRECTORY, "it is damaged: its files are compressed, or they overlap"
    )


@pytest.mark.parametrize("size", [2**32 - 2, 2**31, 2**24])
def test_a_size_that_is_not_there_takes_no_memory(whole: bytes, tmp_path: Path, size: int) -> None:
    """An archive's declared sizes are not trusted."""
    huge = bytearray(whole)
    at = huge.index(b"PK\x01\x02")
    while at >= 0:
        huge[at + 20 : at + 28] = struct.pack("<II", size, size)
        at = huge.find(b"PK\x01\x02", at + 1)
    (found_problems,) = peak(tmp_path, bytes(huge))
    assert found_problems.file == DIRECTORY


@pytest.mark.parametrize("place", [2**63, 2**64 - 1, 2**63 - 1, 2**40])
def test_a_place_beyond_everything_is_found(whole: bytes, tmp_path: Path, place: int) -> None:
    """Large archives have places of 64 bits: also such that no file has."""
    at = whole.index(b"PK\x01\x02")
    name = unzipped(whole)[0][0].encode()
    extra = struct.pack("<HHQ", 1, 8, place)
    entry = bytearray(whole[at : at + 46])
    entry[30:32] = struct.pack("<H", len(extra))
    entry[42:46] = b"\xff" * 4
    after = at + 46 + len(name)
    end = bytearray(whole[-22:])
    end[12:16] = struct.pack("<I", struct.unpack("<I", end[12:16])[0] + len(extra))
    forged = whole[:at] + entry + name + extra + whole[after:-22] + end
    (found_problems,) = peak(tmp_path, bytes(forged))
    assert found_problems.file == DIRECTORY


def test_a_compressed_bomb_stays_packed(tmp_path: Path) -> None:
    """Nothing is ever unpacked."""
    (found_problems,) = peak(tmp_path, zipped([(MANIFEST, b"\0" * 50_000_000), (SEAL, b"")], 8))
    assert found_problems.file == DIRECTORY


def test_a_giant_manifest_is_not_read_whole(tmp_path: Path) -> None:
    """A manifest larger than any claim's is not read into memory."""
    giant = zipped([(MANIFEST, b" " * 40_000_000), (SEAL, b"")])
    found_problems = peak(tmp_path, giant, limit=60_000_000)
    assert [problem.file for problem in found_problems] == [MANIFEST]


def peak(folder: Path, content: bytes, limit: int = 20_000_000) -> list[Problem]:
    """Return the problems of a pack that is checked with little memory."""
    path = folder / "pack.zip"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        found_problems = verify_pack(path).problems
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()
    return list(found_problems)


def test_a_thousand_files_are_checked_in_one_go(tmp_path: Path) -> None:
    """The time is that of the files' number, not of its square."""
    parts = [PackEntry(f"f{number}", b"", "x") for number in range(1_000)]
    content = written(*parts)
    assert problems(tmp_path, content) == []


@given(st.data())
def test_no_mutation_breaks_the_reader(scratch: Path, whole: bytes, data: st.DataObject) -> None:
    """For any change of an archive the answer is its problems, or that it is no pack."""
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content)))
        cut = data.draw(st.sampled_from((0, 1, 2, 4, 20)))
        content[place : place + cut] = data.draw(
            st.one_of(
                st.binary(max_size=8), st.sampled_from((b"PK\x01\x02", b"PK\x05\x06", b"\xff" * 8))
            )
        )
    if bytes(content) == whole:
        return
    with suppress(InvalidPack):
        assert problems(scratch, bytes(content))


def test_a_manifest_that_names_something_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed and whole, but programs differ in which of two claims they take it to be of."""

    def twice(document: Mapping[str, object]) -> bytes:
        text = json.dumps(document, indent=1, sort_keys=True) + "\n"
        return text.replace("{\n", '{\n "claim": "CL-9",\n', 1).encode()

    with monkeypatch.context() as patch:
        patch.setattr("liveportal.exports.pack._json", twice)
        content = written()
    path = tmp_path / "pack.zip"
    path.write_bytes(content)
    problem = Problem(MANIFEST, "it is not written as this program writes it")
    assert verify_pack(path).problems == [problem]
