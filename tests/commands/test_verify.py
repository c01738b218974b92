"""`ledger verify` as typed, and other evidence that a ledger was tampered with."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from liveportal.cli.commands.ledger import verify
from liveportal.ledger.format import hash_chain
from liveportal.ledger.format.journal_entries import iter_journal
from liveportal.ledger.storage.connection import open_file
from tests.kit.shell import Shell
from tests.ledger.test_verify import tampered

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.damages

VERIFY = ("ledger", "verify")
_REWRITE = "UPDATE event SET facts = ?, prev_hash = ?, hash = ? WHERE seq = ?"


def _head(shell: Shell) -> str:
    return str(shell.ok("ledger", "info")["head"])


def _rewrite_history(path: Path, seq: int, was: str, becomes: str, *, hashes: bool) -> None:
    """Change the facts of an event, and all hashes from there on if the forger knows how."""
    with closing(open_file(path, readonly=True)) as db:
        events = list(iter_journal(db))
    head = hash_chain.GENESIS
    changes = []
    for event in events:
        facts = event.facts.replace(was, becomes) if event.seq == seq else event.facts
        assert event.seq != seq or facts != event.facts
        fields = map(str, event[:6])
        prev = head
        head = hash_chain.event_hash(
            prev, fields, facts, event.personal_digest, event.effects_digest
        )
        values = (facts, *((prev, head) if hashes else (event.prev_hash, event.hash)), event.seq)
        changes.append(
            ("UPDATE event SET facts = ?, prev_hash = ?, hash = ? WHERE seq = ?", values)
        )
    tampered(path, *changes)


def test_its_json(states: Shell) -> None:
    """The fields in their order; what was not asked for is null or empty."""
    result = states.ok(*VERIFY)
    assert list(result) == [
        *("ok", "events", "transactions", "head", "statement", "rules_changed", "heads", "deep"),
        *("files", "messages", "profile_values", "attach_again", "profile_key", "enter_again"),
        "outdated_transcripts",
    ]
    assert (result["ok"], result["statement"], result["rules_changed"]) == (True, None, [])
    assert (result["heads"], result["deep"], result["files"], result["messages"]) == (
        [],
        False,
        0,
        None,
    )


def test_quick_says_what_it_does_not_look_at(states: Shell) -> None:
    """The same fields, with null for what was left out; and a hint for people."""
    whole, quick = states.ok(*VERIFY), states.ok(*VERIFY, "--quick")
    assert list(quick) == list(whole)
    assert quick == whole | {"rules_changed": None}
    assert "Not checked" in states.run(*VERIFY, "--quick", terminal=True).err
    assert "Not checked" not in states.run(*VERIFY, terminal=True).err


def test_quick_finds_a_changed_event(states: Shell) -> None:
    """Exit 6, as without it; and it cannot be deep."""
    tampered(states.ledger, "UPDATE event SET source = 'urn:other' WHERE seq = 3")
    assert "event 3 was changed" in states.refuses(6, *VERIFY, "--quick")["message"]
    assert states.run(*VERIFY, "--quick", "--deep").code == 2


def test_deep_reads_what_was_attached(states: Shell) -> None:
    """A transcript and its messages; and a damaged file is exit 6."""
    file = states.file("talk.txt", "Mina: It flickers.\nAnna: Not any more.\n")
    states.ok("sessions", "attach", "S-1002", file, "--kind", "transcript")
    result = states.ok(*VERIFY, "--deep")
    assert (result["deep"], result["files"], result["messages"]) == (True, 1, 2)
    (kept,) = states.folder.glob("ledger.db.vault/*/*")
    kept.chmod(0o600)
    kept.write_bytes(kept.read_bytes().upper())
    states.ok(*VERIFY)
    assert (
        "differs from the file that was attached" in states.refuses(6, *VERIFY, "--deep")["message"]
    )
    kept.unlink()
    error = states.refuses(6, *VERIFY)
    assert error["code"] == "verification_failed"
    assert "is not in the vault" in error["message"]


def test_a_head_that_was_noted(states: Shell) -> None:
    """The event that had it is reported; several may be given, and 16 digits are enough."""
    first = _head(states)
    events = states.ok("ledger", "info")["events"]
    states.ok("sessions", "tip", "S-1002", "5.00", "--at", "2026-10-13T09:00:00Z")
    result = states.ok(*VERIFY, "--head", first[:16].upper(), "--head", _head(states))
    assert [head["event"] for head in result["heads"]] == [events, events + 1]
    assert [head["head"] for head in result["heads"]] == [first, _head(states)]
    assert list(result["heads"][0]) == ["head", "event", "recorded_at"]


def test_a_head_that_never_was(states: Shell) -> None:
    """Exit 6, with a code of its own."""
    error = states.refuses(6, *VERIFY, "--head", "0" * 64)
    assert error["code"] == "head_not_found"
    assert error["details"]["head"] == "0" * 64
    assert "rewritten" in error["message"]


@pytest.mark.parametrize("head", ["", "0" * 15, "0" * 65, "g" * 16, "\uff10" * 16, "0" * 16 + "\n"])
def test_what_is_no_head(states: Shell, head: str) -> None:
    """Fewer digits would be ambiguous: a usage error."""
    ran = states.run(*VERIFY, "--head", head)
    assert (ran.code, ran.out) == (2, "")
    assert "hexadecimal" in ran.err


def test_progress_is_for_a_terminal(states: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar on a terminal; none in a pipe or for a short journal."""
    assert "Verifying" not in states.run(*VERIFY, terminal=True).err
    monkeypatch.setattr(verify, "SHOW_PROGRESS_FROM", 1)
    assert "Verifying" in states.run(*VERIFY, terminal=True).err
    assert states.run(*VERIFY).err == ""


# --- heads that were printed ----------------------------------------------------------------------


def test_a_statement_reveals_a_rewritten_history(states: Shell) -> None:
    """With every hash recalculated, the journal verifies and the statement does not."""
    path = states.folder / "october.html"
    states.ok("earnings", "statement", "2026-10", "-o", path)
    with closing(open_file(states.ledger, readonly=True)) as db:
        (seq,) = db.execute("SELECT seq FROM event WHERE id = 'x-5'").fetchone()
    _rewrite_history(states.ledger, seq, "}", ',"reason":"by hand"}', hashes=True)
    states.ok(*VERIFY)
    error = states.refuses(6, *VERIFY, "--statement", path)
    assert error["code"] == "statement_changed"


@pytest.mark.parametrize("hashes", [True, False])
def test_a_pack_reveals_a_rewritten_history(states: Shell, hashes: bool) -> None:
    """With or without new hashes: `dispute verify` with the ledger is exit 6."""
    states.ok("dispute", "evidence", "CL-1", "-o", "pack.zip")
    check = ("dispute", "verify", "pack.zip", "--ledger", "ledger.db")
    assert states.ok(*check)["in_ledger"] is True
    with closing(open_file(states.ledger, readonly=True)) as db:
        (seq,) = db.execute("SELECT seq FROM event WHERE id = 'x-5'").fetchone()
    _rewrite_history(states.ledger, seq, "}", ',"reason":"by hand"}', hashes=hashes)
    error = states.refuses(6, *check)
    assert error["code"] == ("pack_changed" if hashes else "verification_failed")


# --- commands that meet damage --------------------------------------------------------------------

DAMAGE = {
    "UPDATE session SET flags = '{' WHERE id = 'S-1002'": ("sessions", "show", "S-1002"),
    "UPDATE session SET last_time = 'no time' WHERE id = 'S-LIVE'": (
        *("sessions", "end", "S-LIVE", "--at", "2026-11-02T10:20:00Z"),
    ),
    "UPDATE claim SET claimed_at = '' WHERE id = 'CL-2'": ("refunds", "show", "CL-2"),
    "UPDATE event_personal SET body = '{'": ("earnings", "transactions"),
    "UPDATE transfer SET amount = 9223372036854775807": ("earnings", "transactions"),
    "UPDATE month_flow SET amount = 9223372036854775807": ("earnings", "months"),
    "UPDATE request SET slots = '7' WHERE id = 'REQ-2004'": ("requests", "show", "REQ-2004"),
    "DROP VIEW month_money": ("earnings", "months"),
    "UPDATE event SET facts = '{' WHERE seq = 4": (
        "sessions",
        "list",
        "--as-known",
        "2027-01-01",
    ),
}


@pytest.mark.parametrize("statement", DAMAGE)
def test_what_stumbles_over_damage_says_so(states: Shell, statement: str) -> None:
    """The message says what is wrong with the ledger, exit 6: no bug of the program."""
    tampered(states.ledger, statement)
    ran = states.run(*DAMAGE[statement], "--json")
    assert (ran.code, ran.out) == (6, ""), ran
    error = json.loads(ran.err)["error"]
    assert error["code"] in {"verification_failed", "unreadable_event", "not_a_ledger"}


def test_a_bug_is_a_bug_all_the_same(states: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the ledger is sound, an unexpected failure is our bug."""
    from liveportal.ledger.queries import earnings

    monkeypatch.setattr(earnings, "months_and_gaps", lambda _reader, *_: 1 // 0)
    ran = states.run("earnings", "months", "--json")
    assert ran.code == 1
    assert json.loads(ran.err)["error"]["code"] == "bug"
