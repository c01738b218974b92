"""Evidence at the shell: files attached, shown and opened."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from liveportal.domain.artifacts import KINDS, safe_name
from liveportal.ledger.attachments.vault import Vault
from tests.commands.test_hostile import BIDI, BREAKS, ESCAPES, FORBIDDEN

if TYPE_CHECKING:
    from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

CHAT = "22:02 Mina: The Mali shader flickers\n22:05:30 Ana: Rebuild it\nthen try\n"
ATTACH = ("sessions", "attach", "S-1002")


def sha(content: bytes | str) -> str:
    """Return the hash of a content."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def vault(shell: Shell) -> Vault:
    """Return the shell's vault."""
    return Vault(shell.ledger)


def artifacts(shell: Shell, session: str = "S-1002") -> list[dict[str, Any]]:
    """Return a session's evidence as `show` lists it."""
    artifacts_shown: list[dict[str, Any]] = shell.ok("sessions", "show", session)["artifacts"]
    return artifacts_shown


# --- attach ---------------------------------------------------------------------------------------


def test_attach_a_transcript(october: Shell) -> None:
    """The file is in the vault, its messages are counted, and `show` lists both."""
    row = october.ok(*ATTACH, october.file("chat.txt", CHAT))
    assert list(row) == [
        *("id", "state", "error", "message", "file", "kind", "name", "sha256", "bytes"),
        *("media_type", "stored", "messages", "time", "event", "flags", "replayed", "confirmed"),
        "dry_run",
    ]
    assert row["id"], row["state"] == ("S-1002", "added")
    assert artifacts(october) == [
        {
            "kind": "transcript",
            "name": "chat.txt",
            "sha256": sha(CHAT),
            "bytes": len(CHAT),
            "media_type": "text/plain",
            "stored": True,
            "messages": 2,
        }
    ]
    assert vault(october).path(sha(CHAT)).read_text() == CHAT
    assert october.ok("ledger", "verify")["ok"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("a.vtt", "transcript"), ("A.SRT", "transcript"), ("meeting chat.txt", "transcript")),
        *(("a.mp4", "recording"), ("a.b.M4A", "recording"), ("Fix.shader", "code")),
        *(("a.cs", "code"), ("a.png", "attachment"), ("README", "attachment")),
        (".txt", "attachment"),
    ],
)
def test_the_kind_goes_by_the_name(october: Shell, name: str, kind: str) -> None:
    """Unless it is given."""
    file = october.file(name, "x")
    assert october.ok(*ATTACH, file, "--dry-run")["kind"] == kind
    for given_kind in KINDS:
        assert october.ok(*ATTACH, file, "--dry-run", "--kind", given_kind)["kind"] == given_kind


def test_many_files_give_a_line_each(october: Shell) -> None:
    """Failures included, and the work goes on; the exit code is the first failure's."""
    os.mkfifo(october.folder / "pipe")
    (october.folder / "folder").mkdir()
    october.file("chat.txt", CHAT)
    october.file("picture.png", b"\x89PNG")
    october.file("empty.bin", b"")
    names = ("chat.txt", "pipe", "nothing.txt", "folder", "ledger.db", "picture.png", "empty.bin")
    ran = october.run(*ATTACH, *names, "--json")
    rows = json.loads(ran.out)
    assert (ran.code, ran.err) == (1, "")
    assert [(row["file"], row["error"]) for row in rows] == [
        ("chat.txt", None),
        ("pipe", "unreadable_file"),
        ("nothing.txt", "unreadable_file"),
        ("folder", "unreadable_file"),
        ("ledger.db", "ledgers_own_file"),
        ("picture.png", None),
        ("empty.bin", None),
    ]
    assert "belongs to the ledger" in rows[4]["message"]
    assert [artifact["name"] for artifact in artifacts(october)] == [
        "chat.txt",
        "picture.png",
        "empty.bin",
    ]
    again = october.ok(*ATTACH, "chat.txt", "picture.png")
    assert [row["replayed"] for row in again] == [True, True]
    assert len(artifacts(october)) == 3


def test_what_is_refused(october: Shell) -> None:
    """Each with its code, its exit and a way out; nothing is recorded and nothing stored."""
    file = october.file("chat.txt", CHAT)
    for code, exit_code, argv in (
        ("unreadable_file", 1, (*ATTACH, october.folder)),
        ("unreadable_file", 1, (*ATTACH, "nothing")),
        ("unreadable_file", 1, (*ATTACH, "x" * 300)),
        ("ledgers_own_file", 1, (*ATTACH, october.ledger)),
        ("not_found", 3, ("sessions", "attach", "S-9", file)),
        ("ambiguous_id", 3, ("sessions", "attach", "S-", file)),
        ("usage", 2, (*ATTACH, file, "--kind", "film")),
        ("usage", 2, (*ATTACH, file, file, "--name", "x")),
        ("invalid_event", 1, (*ATTACH, file, "--key", "\n")),
    ):
        assert october.refuses(exit_code, *argv)["code"] == code
        assert not vault(october).holds(sha(CHAT))


def test_the_limit_is_a_preference(october: Shell) -> None:
    """Two gigabytes where none is set; the refusal names the option."""
    file = october.file("chat.txt", CHAT)
    os.truncate(october.file("film.mp4", b""), 2_000_000_001)  # Has holes: it takes no room.
    error = october.refuses(4, *ATTACH, "film.mp4")
    assert (error["code"], error["details"]["limit"]) == ("file_too_large", 2_000_000_000)
    assert "preferences set --attachment-limit" in error["hint"]
    october.ok("preferences", "set", "--attachment-limit", str(len(CHAT) - 1))
    assert october.refuses(4, *ATTACH, file)["details"]["limit"] == len(CHAT) - 1
    october.ok("preferences", "set", "--attachment-limit", str(len(CHAT)))
    assert october.ok(*ATTACH, file)["bytes"] == len(CHAT)


def test_an_unsafe_vault(october: Shell) -> None:
    """A vault that others may enter, or that is a link, is reported."""
    file = october.file("chat.txt", CHAT)
    folder = vault(october).folder
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    assert october.refuses(1, *ATTACH, file)["code"] == "unsafe_vault"
    folder.rmdir()
    (october.folder / "elsewhere").mkdir()
    folder.symlink_to(october.folder / "elsewhere")
    assert october.refuses(1, *ATTACH, file)["code"] == "unsafe_vault"
    assert list((october.folder / "elsewhere").iterdir()) == []


def test_a_dry_run_touches_no_file(october: Shell) -> None:
    """It shows the result for one file and for many."""
    file = october.file("chat.txt", CHAT)
    before = sorted(october.folder.rglob("*")), october.dump()
    row = october.ok(*ATTACH, file, "--dry-run")
    assert (row["dry_run"], row["stored"], row["messages"]) == (True, True, 2)
    rows = october.ok(*ATTACH, file, file, "--dry-run")
    assert [row["replayed"] for row in rows] == [False, True]
    assert (sorted(october.folder.rglob("*")), october.dump()) == before


def test_keys(october: Shell) -> None:
    """The same key records once; of many files each has its own."""
    for name in ("a.txt", "b.txt"):
        october.file(name, name)
    first = october.ok(*ATTACH, "a.txt", "b.txt", "--key", "k", "--at", "2026-10-13 09:00")
    assert [row["event"] for row in first] == ["k:a.txt", "k:b.txt"]
    again = october.ok(*ATTACH, "a.txt", "b.txt", "--key", "k", "--at", "2026-10-13 09:00")
    assert [row | {"replayed": False} for row in again] == first
    october.file("a.txt", "other")
    error = october.refuses(4, *ATTACH, "a.txt", "--key", "k:a.txt")
    assert error["code"] == "conflict"
    assert not vault(october).holds(sha("other"))


def test_what_cannot_be_read_as_a_transcript_is_attached(october: Shell) -> None:
    """It is reported as no transcript: in the result, and to a person in words."""
    file = october.file("call.vtt", bytes(range(256)) * 10)
    row = october.ok(*ATTACH, file)
    assert (row["flags"], row["messages"], row["stored"]) == (["unreadable_transcript"], 0, True)
    assert october.ok(*ATTACH, file)["flags"] == ["unreadable_transcript"]
    ran = october.run(*ATTACH, file, terminal=True)
    assert "It cannot be read as a transcript" in ran.out


def test_a_file_that_a_feed_reported_is_confirmed(october: Shell) -> None:
    """`stored` turns true; there is still one artifact."""
    data = {"session": "S-1002", "kind": "attachment", "name": "as told", "bytes": len(CHAT)}
    event = {
        "specversion": "1.0",
        "id": "a-1",
        "source": "https://help.example/experts/7",
        "type": "liveportal.artifact.added",
        "time": "2026-10-13T00:00:00Z",
        "data": {**data, "sha256": sha(CHAT)},
    }
    october.ok("sync", october.file("feed.jsonl", json.dumps(event)))
    assert [artifact["stored"] for artifact in artifacts(october)] == [False]
    row = october.ok(*ATTACH, october.file("chat.txt", CHAT))
    assert (row["confirmed"], row["name"], row["kind"]) == (True, "as told", "attachment")
    assert [artifact["stored"] for artifact in artifacts(october)] == [True]


def test_hostile_names(october: Shell) -> None:
    """File names are untrusted: stored, cleaned when shown, and never used as a path."""
    file = october.file("chat.txt", CHAT)
    for number, name in enumerate(
        ("../../x", "/etc/passwd", "x" * 300, ESCAPES + BIDI, BREAKS, "\ud800", "-rf", "", "a\0b")
    ):
        session = ("S-1001", "S-1002", "S-1003")[number % 3]
        content = october.file("chat.txt", f"{CHAT}{number}")
        assert october.ok("sessions", "attach", session, content, "--name", name)["name"] == name
        shown = october.output_of("sessions", "show", session)
        assert not FORBIDDEN.search(shown)
        path = opened(october, session, str(len(artifacts(october, session))))
        assert path.parent.parent == october.folder
        assert path.name == safe_name(name or "transcript")
        assert path.read_text() == f"{CHAT}{number}"
    assert file.exists()
    folder = october.folder / f"a{BIDI}\x1b[31m"
    folder.mkdir()
    (folder / "f.txt").write_text("x")
    ran = october.run(*ATTACH, folder / "f.txt", folder, terminal=True)
    assert not FORBIDDEN.search(re.sub(r"\x1b\[[0-9;]*m", "", ran.out + ran.err))


# --- show -----------------------------------------------------------------------------------------


@pytest.fixture
def with_evidence(october: Shell) -> Shell:
    """Give a shell whose session S-1002 has a transcript and a recording."""
    october.file("call.mp4", b"moving pictures")
    october.ok(*ATTACH, october.file("chat.txt", CHAT), "call.mp4")
    return october


def test_show_transcript(with_evidence: Shell) -> None:
    """Rows in a pipe, an array as JSON, lines on a terminal."""
    show = ("sessions", "show", "S-1002", "--transcript")
    assert with_evidence.ok(*show) == [
        {
            "at_seconds": 120,
            "speaker": "Mina",
            "text": "The Mali shader flickers",
            "time": "2026-10-12T22:02:00Z",
            "artifact": "chat.txt",
        },
        {
            "at_seconds": 330,
            "speaker": "Ana",
            "text": "Rebuild it\nthen try",
            "time": "2026-10-12T22:05:30Z",
            "artifact": "chat.txt",
        },
    ]
    assert with_evidence.output_of(*show, "--fields", "at_seconds,speaker,text") == (
        "120\tMina\tThe Mali shader flickers\n330\tAna\tRebuild it then try\n"
    )
    assert with_evidence.run(*show, terminal=True).out == (
        "[2:00] Mina: The Mali shader flickers\n[5:30] Ana: Rebuild it then try\n"
    )
    assert with_evidence.ok("sessions", "show", "S-1001", "--transcript") == []
    ran = with_evidence.run("sessions", "show", "S-1001", "--transcript", terminal=True)
    assert "No transcript" in ran.out
    assert "sessions attach S-1001" in ran.err


def test_transcripts_stand_under_their_names(with_evidence: Shell) -> None:
    """If there are several; hours and messages before the start are shown, too."""
    late = "[01:02:03] Joe: late\n"
    early = "21:59:30 Zoë: early\n"
    with_evidence.ok(
        *ATTACH, with_evidence.file("late.txt", late), with_evidence.file("early.txt", early)
    )
    ran = with_evidence.run("sessions", "show", "S-1002", "--transcript", terminal=True)
    assert ran.out.splitlines()[2:] == [
        "[5:30] Ana: Rebuild it then try",
        "--- late.txt",
        "[1:02:03] Joe: late",
        "--- early.txt",
        "[-0:30] Zoë: early",
    ]


def test_a_long_transcript_goes_through_the_pager(with_evidence: Shell) -> None:
    """$PAGER, on a terminal; untrusted text is cleaned before it gets there."""
    words = "".join(f"22:02 Mina: line {n} {ESCAPES}\n" for n in range(200))
    with_evidence.ok(*ATTACH, with_evidence.file("long.txt", words))
    line = f'"{sys.executable}" -m liveportal sessions show S-1002 --transcript'
    env = with_evidence.environment(PAGER="sed s/line/LINE/", TERM="xterm")
    ran = subprocess.run(
        ["script", "-qec", line, "/dev/null"],  # noqa: S607 -- Wherever a system has it.
        capture_output=True,
        cwd=with_evidence.folder,
        env=env,
        timeout=60,
        check=False,
    )
    out = ran.stdout.decode().replace("\r\n", "\n")
    assert out.count("LINE") == 200
    assert not FORBIDDEN.search(out)


@pytest.mark.parametrize(
    "argv", ["--transcript --open 1", "--follow --transcript", "--follow --open 1"]
)
def test_show_one_view_at_a_time(with_evidence: Shell, argv: str) -> None:
    """These exclude one another."""
    error = with_evidence.refuses(2, "sessions", "show", "S-1002", *argv.split())
    assert "Give only one of" in error["message"]


# --- open -----------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def launched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what would be opened, and open nothing; copies go to the test's own folder."""
    paths: list[str] = []

    def launch(path: str) -> int:
        paths.append(path)
        return 0

    monkeypatch.setattr(typer, "launch", launch)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return paths


def opened(shell: Shell, session: str, name: str) -> Path:
    """Open a file of a session's evidence, and return the copy."""
    return Path(shell.ok("sessions", "show", session, "--open", name)["path"])


def test_open_gives_a_copy(with_evidence: Shell, launched: list[str]) -> None:
    """By name or number, private, with its suffix; the vault's file is unchanged."""
    for name in ("call.mp4", "2"):
        path = opened(with_evidence, "S-1002", name)
        assert launched.pop() == str(path)
        assert (path.name, path.read_bytes()) == ("call.mp4", b"moving pictures")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        path.write_bytes(b"edited")
    vault(with_evidence).check(sha(b"moving pictures"))


def test_a_name_goes_before_a_number(with_evidence: Shell) -> None:
    """A file may be called 1."""
    with_evidence.ok(*ATTACH, with_evidence.file("1", "one"))
    assert opened(with_evidence, "S-1002", "1").read_text() == "one"


def test_what_a_system_would_run_is_opened_as_text(with_evidence: Shell) -> None:
    """A stranger's script is read, not run."""
    with_evidence.ok(*ATTACH, with_evidence.file("fix.sh", "rm -rf /"))
    assert opened(with_evidence, "S-1002", "fix.sh").name == "fix.sh.txt"


@pytest.mark.damages
def test_what_cannot_be_opened(with_evidence: Shell, launched: list[str]) -> None:
    """Never attached, damaged, or no such evidence; no copy is left."""
    show = ("sessions", "show", "S-1002", "--open")
    before = sorted(with_evidence.folder.glob("liveportal-*"))
    for name in ("nothing", "0", "3", "-1", "9" * 5_000, "²", ""):
        error = with_evidence.refuses(3, *show[:3], f"--open={name}")
        assert error["code"] == "not_found"
    path = vault(with_evidence).path(sha(b"moving pictures"))
    path.chmod(0o600)
    path.write_bytes(b"other pictures!")
    assert with_evidence.refuses(6, *show, "call.mp4")["code"] == "damaged_file"
    path.unlink()
    error = with_evidence.refuses(3, *show, "call.mp4")
    assert error["code"] == "not_in_vault"
    assert "sessions attach" in error["hint"]
    assert [artifact["stored"] for artifact in artifacts(with_evidence)] == [True, False]
    assert (
        with_evidence.refuses(3, "sessions", "show", "S-1001", "--open", "1")["code"] == "not_found"
    )
    assert launched == []
    assert sorted(with_evidence.folder.glob("liveportal-*")) == before


def test_no_program_opens_it(with_evidence: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the path of the copy is printed."""
    monkeypatch.setattr(typer, "launch", lambda _: 1)
    error = with_evidence.refuses(1, "sessions", "show", "S-1002", "--open", "call.mp4")
    assert error["code"] == "not_opened"
    assert Path(error["details"]["path"]).read_bytes() == b"moving pictures"
