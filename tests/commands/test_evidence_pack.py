"""Evidence packs as typed: made, made again, verified, refused."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import zipfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.exports.pack import write_pack
from tests.commands.test_sync import feed
from tests.kit.events import line
from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

PICTURE = sha256(b"\x89PNG\r\n\x1a\n").hexdigest()
PACK = ("dispute", "evidence", "CL-2", "-o", "pack.zip")
CHECK = ("dispute", "verify", "pack.zip")


def unpack(shell: Shell, name: str = "pack.zip") -> dict[str, bytes]:
    """Return a pack's files."""
    with zipfile.ZipFile(shell.folder / name) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def manifest(shell: Shell, name: str = "pack.zip") -> dict[str, Any]:
    """Return a pack's manifest."""
    document: dict[str, Any] = json.loads(unpack(shell, name)["manifest.json"])
    return document


# --- made -----------------------------------------------------------------------------------------


def test_a_pack_is_made_and_verifies(proved: Shell) -> None:
    """It has the page, the same as text, the transcript and each file; the seal is printed."""
    made = proved.ok(*PACK)
    assert made["file"] == "pack.zip"
    assert (made["files"], made["withheld"], made["redacted"]) == (6, 0, False)
    assert sorted(unpack(proved)) == [
        *("files/01-chat.txt", "files/02-Fix.shader", "files/03-shot.png"),
        *("index.html", "index.md", "manifest.json", "manifest.sha256", "transcript.txt"),
    ]
    assert (proved.folder / "pack.zip").stat().st_mode & 0o777 == 0o600
    checked = proved.ok(*CHECK)
    assert checked == {
        "file": "pack.zip",
        "claim": "CL-2",
        "session": "S-1003",
        "files": 6,
        "redacted": False,
        "events": made["events"],
        "head": made["head"],
        "in_ledger": True,
        "seal": made["seal"],
        "proved": f"Every event, figure, text and file of the pack agrees with {proved.ledger}.",
        "not_compared": [],
    }
    info = proved.ok("ledger", "info")
    assert (made["events"], made["head"]) == (info["events"], info["head"])
    places = {event["seq"]: event for event in manifest(proved)["events"]}
    shown = proved.ok("refunds", "show", "CL-2")["history"]
    assert all(places[row["seq"]]["id"] == row["event"] for row in shown)


def test_the_same_ledger_gives_the_same_bytes(proved: Shell) -> None:
    """Twice in one process, and in another; also as it was known then, when more has happened."""
    proved.ok(*PACK)
    first = (proved.folder / "pack.zip").read_bytes()
    proved.ok(*PACK)
    assert (proved.folder / "pack.zip").read_bytes() == first
    assert proved.process("dispute", "evidence", "CL-2").code == 0
    assert (proved.folder / "CL-2.zip").read_bytes() == first, "its own name, where none is given"


def test_a_pack_as_known_then_is_the_pack_of_then(empty: Shell) -> None:
    """Its hashes are those of the journal, so that it is found there."""
    day = ("sessions", "log", "--customer", "C-1", "--rate", "3.00", "--id", "S-1")
    empty.ok(*day, "2026-10-05 10:00-10:20")
    empty.ok("refunds", "claim", "S-1", "--id", "CL-2", "--at", "2026-10-05 12:00")
    made = empty.ok(*PACK)
    before = (empty.folder / "pack.zip").read_bytes()
    with sqlite3.connect(empty.ledger) as db:
        (then,) = db.execute("SELECT max(recorded_at) FROM event").fetchone()
    empty.ok("dispute", "file", "CL-2", "--summary", "x")
    again = empty.ok(*PACK, "--as-known", then)
    assert again == made
    assert (empty.folder / "pack.zip").read_bytes() == before
    assert empty.ok(*CHECK, "--ledger", empty.ledger)["in_ledger"] is True


def test_large_files_are_named_and_left_out(proved: Shell) -> None:
    """Of files larger than --largest the pack has only the hash."""
    made = proved.ok(*PACK, "--largest", "0")
    assert (made["files"], made["withheld"]) == (3, 3)
    page = unpack(proved)["index.html"].decode()
    assert page.count("larger than 0 bytes") == 3


def test_what_only_the_platform_has_is_named(states: Shell) -> None:
    """A recording that the feed reported and that was never attached is listed by its hash."""
    event = line(
        *("artifact.added", "10-20 19:00"),
        id="r-1",
        session="S-1003",
        kind="recording",
        name="call.mp4",
        bytes=10**10,
        sha256="ab" * 32,
    )
    states.ok("sync", feed(states, "recording.jsonl", event))
    assert states.ok(*PACK)["withheld"] == 1
    assert "ab" * 32 in unpack(states)["index.html"].decode()


@pytest.mark.damages
def test_a_damaged_file_is_never_sealed(proved: Shell) -> None:
    """The vault's file must be what was attached, or the pack would prove a falsehood."""
    proved.ok(*PACK)
    for file in proved.folder.glob("ledger.db.vault/*/*"):
        file.chmod(0o600)
        file.write_bytes(b"something else")
    error = proved.refuses(6, *PACK[:3], "-o", "other.zip")
    assert error["code"] == "damaged_file"
    assert not (proved.folder / "other.zip").exists()
    assert proved.ok(*CHECK)["in_ledger"] is True, "the pack of before is still whole"


def test_a_forgotten_customer_leaves_no_words(proved: Shell) -> None:
    """What was erased is in no later pack; the money and its events are."""
    proved.ok(*PACK)
    assert b"Zo\xc3\xab" in unpack(proved)["index.html"]
    customer = proved.ok("refunds", "show", "CL-2")["customer"]
    forgotten = line("customer.forgotten", "11-20 10:00", id="f-1", customer=customer)
    proved.says(forgotten)
    made = proved.ok(*PACK)
    assert not any(b"Zo\xc3\xab" in content for content in unpack(proved).values())
    assert made["files"] == 2
    assert proved.ok(*CHECK, "--ledger", proved.ledger)["in_ledger"] is True


def test_what_was_reported_twice_is_shown_once(states: Shell) -> None:
    """A feed repeats a typed event in other words: the typed ones stay, no fact doubles."""
    states.ok("dispute", "file", "CL-2", "--summary", "my own words")
    again = line("dispute.filed", "10-21 10:00", id="d-1", claim="CL-2", summary="their words")
    assert states.ok("sync", feed(states, "again.jsonl", again))["confirmed"] == 1
    states.ok("sessions", "tip", "S-1003", "5.00", "--key", "tip")
    states.ok("ledger", "reverse", "tip", "--source", CLI_SOURCE, "--reason", "twice", "--yes")
    assert states.ok("dispute", "show", "CL-2")["summary"] == "my own words"
    states.ok(*PACK)
    page = unpack(states)["index.md"].decode()
    assert page.count("The expert disputed the claim") == 1
    (row,) = (text for text in page.splitlines() if "The expert disputed the claim" in text)
    assert row.endswith("| The expert and the platform |")
    assert "their words" not in page
    assert "tip" not in page
    assert {"d-1", "tip"} <= {event["id"] for event in manifest(states)["events"]}


def test_messages_and_files_are_traced_to_their_exhibit(proved: Shell) -> None:
    """Each message has the number of its transcript, and the event of a file that of the file."""
    proved.ok(*PACK)
    page = unpack(proved)["index.md"].decode()
    (said,) = (row for row in page.splitlines() if "It is fixed now" in row)
    assert said.endswith("| Exhibit 1 |")
    assert "(Exhibit 1) | The expert |" in page
    assert "(Exhibit 3) | The expert |" in page
    assert "of the end of the session (platform rule R8)" in page


# --- redacted -------------------------------------------------------------------------------------


def test_a_redacted_pack_has_no_names_and_proves_the_whole(proved: Shell) -> None:
    """Other people are black; with the same names given the ledger proves every byte."""
    proved.ok(*PACK)
    made = proved.ok(*PACK[:3], "-o", "black.zip", "--redact", "--keep", "ana", "--name", "float4")
    assert (made["redacted"], made["withheld"]) == (True, 1)
    hashes = {item["sha256"] for item in manifest(proved)["items"]} - {PICTURE}
    for content in unpack(proved, "black.zip").values():
        assert not any(digest.encode() in content for digest in hashes)
    for content in unpack(proved, "black.zip").values():
        text = content.decode().casefold()
        for gone in ("zoë", "06 12", "float4"):
            assert gone not in text
    assert "Ana: It is fixed now" in unpack(proved, "black.zip")["transcript.txt"].decode()
    check = ("dispute", "verify", "black.zip", "--ledger", proved.ledger)
    assert proved.ok(*check, "--keep", "ANA", "--name", "float4")["in_ledger"] is True
    for names in (("--keep", "Ana"), ("--name", "float4")):
        assert proved.refuses(6, *check, *names)["code"] == "pack_changed"
    partly = proved.ok(*check)
    assert partly["in_ledger"] == "partly"
    assert "some files could not be" in partly["proved"]
    reasons = {row["file"]: row["why"] for row in partly["not_compared"]}
    assert sorted(reasons) == [
        *("files/01-chat.txt", "files/02-Fix.shader", "index.html", "index.md"),
        "transcript.txt",
    ]
    assert "repeat --keep and --name" in reasons["index.html"]
    assert proved.refuses(2, *CHECK, "--keep", "Ana")
    proved.ok(*PACK[:3], "-o", "all.zip", "--redact")
    assert "Ana" not in unpack(proved, "all.zip")["transcript.txt"].decode()


@pytest.mark.parametrize(
    "argv", [("--keep", "Ana"), ("--name", "Zoe"), ("-o", "-"), ("--largest", "-1")]
)
def test_what_makes_no_sense_is_refused(proved: Shell, argv: tuple[str, ...]) -> None:
    """Names without --redact would be left in; a pack is a file."""
    proved.refuses(2, "dispute", "evidence", "CL-2", *argv)
    assert not list(proved.folder.glob("*.zip"))


# --- where it goes --------------------------------------------------------------------------------


def test_a_pack_takes_no_others_place(proved: Shell) -> None:
    """It overwrites no ledger, follows no link, and needs an existing folder."""
    before = proved.ledger.read_bytes()
    (proved.folder / "link.zip").symlink_to(proved.folder / "elsewhere.zip")
    (proved.folder / "to-ledger.zip").hardlink_to(proved.ledger)
    (proved.folder / "folder").mkdir()
    for target in (
        *(proved.ledger, f"{proved.ledger}-wal", "link.zip", "to-ledger.zip"),
        *("missing/pack.zip", "folder", "x" * 300),
    ):
        error = proved.refuses(74, *PACK[:3], "-o", target)
        assert error["code"] == "output_failed"
    assert proved.ledger.read_bytes() == before
    assert not (proved.folder / "elsewhere.zip").exists()
    assert proved.refuses(3, "dispute", "evidence", "CL-99", "-o", "x.zip")["code"] == "not_found"
    assert not list(proved.folder.glob(".*.part"))


def test_a_full_disk_is_reported(proved: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a pack never appears, and the one of before stays."""
    proved.ok(*PACK)
    before = (proved.folder / "pack.zip").read_bytes()
    assert proved.refuses(74, *PACK[:3], "-o", "/dev/full")["code"] == "output_failed"

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert proved.refuses(74, *PACK)["code"] == "output_failed"
    monkeypatch.undo()
    assert (proved.folder / "pack.zip").read_bytes() == before
    assert not list(proved.folder.glob(".*.part"))


def test_a_pack_can_go_into_a_pipe(proved: Shell) -> None:
    """The reader of the pipe gets the same bytes."""
    proved.ok(*PACK)
    ran = proved.script(
        "mkfifo pipe; cat pipe > piped.zip & liveportal dispute evidence CL-2 -o pipe --json; wait"
    )
    assert (ran.code, ran.err) == (0, "")
    assert (proved.folder / "piped.zip").read_bytes() == (proved.folder / "pack.zip").read_bytes()


# --- verified -------------------------------------------------------------------------------------


def test_a_pack_needs_no_ledger(proved: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one, only the comparison with a journal is missing."""
    proved.ok(*PACK)
    monkeypatch.setenv("LIVEPORTAL_LEDGER", str(proved.folder / "nowhere.db"))
    checked = proved.ok(*CHECK)
    assert (checked["in_ledger"], checked["not_compared"]) == (None, None)
    assert checked["proved"] == (
        f"The pack agrees with the seal {checked['seal']}."
        " Compare it with the seal from the expert."
    )
    monkeypatch.delenv("LIVEPORTAL_LEDGER")
    assert proved.ok(*CHECK)["in_ledger"] is None
    monkeypatch.setenv("LIVEPORTAL_LEDGER", str(proved.file("broken.db", "no ledger")))
    assert proved.ok(*CHECK)["in_ledger"] is None
    monkeypatch.delenv("LIVEPORTAL_LEDGER")
    assert proved.refuses(6, *CHECK, "--ledger", "broken.db")
    assert proved.refuses(3, *CHECK, "--ledger", "nowhere.db")["code"] == "ledger_not_found"
    assert not (proved.folder / "nowhere.db").exists()


def test_a_strangers_ledger_does_not_have_it(proved: Shell, made: Path) -> None:
    """Nor one with the same feed: its journal has other salts and times."""
    proved.ok(*PACK)
    for name in ("october", "empty"):
        shutil.copyfile(made / name, proved.folder / "other.db")
        error = proved.refuses(6, *CHECK, "--ledger", "other.db")
        assert error["code"] == "pack_changed"
        assert error["details"]["problems"][0]["file"] == "manifest.json"
    stranger = Shell(proved.folder, proved.folder / "other.db")
    ran = stranger.process(*CHECK, "--json")
    assert ran.code == 0
    # The ledger that merely happens to be there is only reported.
    ran = proved.script("LIVEPORTAL_LEDGER=other.db liveportal dispute verify pack.zip --json")
    assert json.loads(ran.out)["in_ledger"] is False


def test_later_events_change_nothing_about_a_pack(proved: Shell) -> None:
    """The journal is append-only: the pack's events stay in it."""
    proved.ok(*PACK)
    proved.ok("dispute", "file", "CL-2", "--summary", "x")
    proved.ok("dispute", "rule", "CL-2", "--accepted")
    assert proved.ok(*CHECK, "--ledger", proved.ledger)["in_ledger"] is True


def test_a_changed_pack_names_the_file(proved: Shell) -> None:
    """Exit 6, with every file that was changed."""
    proved.ok(*PACK)
    path = proved.folder / "pack.zip"
    whole = path.read_bytes()
    for name in ("files/01-chat.txt", "files/03-shot.png", "index.html", "manifest.json"):
        with zipfile.ZipFile(path) as archive:
            place = archive.getinfo(name).header_offset + 30 + len(name) + 20
        path.write_bytes(whole[:place] + b"~" + whole[place + 1 :])
        error = proved.refuses(6, *CHECK)
        assert error["code"] == "pack_changed"
        assert [problem["file"] for problem in error["details"]["problems"]] == [name]
        assert name in error["message"]
        path.write_bytes(whole)
    path.write_bytes(whole[:-1])
    assert "directory" in proved.refuses(6, *CHECK)["message"]


def test_what_is_no_pack_is_said(proved: Shell) -> None:
    """A text, a pipe, a folder, nothing."""
    proved.file("text", "hello")
    os.mkfifo(proved.folder / "pipe")
    for name in ("text", "pipe", ".", "missing", "-"):
        assert proved.refuses(1, "dispute", "verify", name)["code"] == "invalid_pack"
    proved.ok(*PACK)
    assert proved.refuses(74, *CHECK, "-o", "pack.zip")["code"] == "output_failed"


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"claim": "\x1b[2J", "session": 5},
        {"claim": "CL", "session": "S", "redacted": False, "ledger": {}, "events": []},
        {
            "claim": "CL",
            "session": "S",
            "redacted": False,
            "ledger": {"events": 1, "head": "x"},
            "events": [{"seq": 2**70, "hash": "x"}],
        },
    ],
)
def test_a_forged_pack_breaks_nothing(states: Shell, about: dict[str, Any]) -> None:
    """Anyone who knows the format can write a pack: it is parsed with care."""
    stream = BytesIO()
    write_pack(stream, [], about)
    states.file("pack.zip", stream.getvalue())
    assert states.refuses(1, *CHECK)["code"] == "invalid_pack"


def test_a_forged_pack_does_not_stand_in_the_journal(
    proved: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resealed with another hash or position it is consistent, but not of this ledger."""
    proved.ok(*PACK)
    document = manifest(proved)
    del document["items"], document["format"]
    monkeypatch.delenv("LIVEPORTAL_LEDGER")
    hostile = "\x1b[2J\u202e"
    for forged in (
        document | {"ledger": document["ledger"] | {"head": "ab" * 32}},
        document | {"ledger": document["ledger"] | {"events": 10**9}},
        document | {"events": [document["events"][0] | {"seq": 1}]},
        document | {"events": [document["events"][0] | {"hash": hostile}], "claim": hostile},
    ):
        stream = BytesIO()
        write_pack(stream, [], forged)
        proved.file("pack.zip", stream.getvalue())
        assert proved.ok(*CHECK)["in_ledger"] is None
        assert proved.refuses(6, *CHECK, "--ledger", proved.ledger)["code"] == "pack_changed"
        for terminal in (False, True):
            ran = proved.run(*CHECK, terminal=terminal)
            assert hostile not in ran.out
            assert "\x1b[2J" not in ran.out
