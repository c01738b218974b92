"""A UTF-8 byte order mark at the beginning of any input is skipped (2-events, *Judgement*)."""

from __future__ import annotations

from codecs import BOM_UTF8
from pathlib import Path

import pytest

from tests.commands.test_profile import GERMAN
from tests.kit.shell import OCTOBER, Shell
from tests.kit.states import OWN_POLICY, OWN_PREFERENCES

pytestmark = pytest.mark.slow

GERMAN_MARKED = BOM_UTF8 + GERMAN.encode()
MARKED = BOM_UTF8 + OCTOBER.read_bytes()


def test_feeds(empty: Shell) -> None:
    """A feed from a file and from standard input, recorded and watched."""
    path = empty.file("october.jsonl", MARKED)
    recorded = empty.ok("sync", path)["recorded"]
    assert recorded == len(OCTOBER.read_bytes().splitlines())
    assert empty.ok("sync", "-", stdin=MARKED)["replayed"] == recorded
    assert empty.process("requests", "watch", "-", "--jsonl", stdin=MARKED).code == 0


def test_a_watched_feed(empty: Shell) -> None:
    """The first line of a watched feed is an event like any other."""
    path = empty.file("october.jsonl", MARKED)
    assert empty.ok("requests", "watch", path, "--once")
    assert empty.ok("sync", OCTOBER)["recorded"] == 0


def test_ids_and_texts(states: Shell) -> None:
    """Ids and a text on standard input."""
    first = states.ok("requests", "list", "--state", "open")[0]
    rows = states.ok(
        "requests", "decline", "-", "--dry-run", stdin=BOM_UTF8 + first["id"].encode() + b"\n"
    )
    assert [row["id"] for row in rows] == [first["id"]]
    claim = next(row for row in states.ok("refunds", "list") if row["state"] == "open")
    summary = "Fixed at 14:17, see the recording."
    states.ok("dispute", "file", claim["id"], "--summary", "-", stdin=BOM_UTF8 + summary.encode())
    assert states.ok("dispute", "show", claim["id"])["summary"] == summary


def test_documents(empty: Shell) -> None:
    """A policy, preferences and a payout profile in TOML."""
    policy = empty.file("own.toml", BOM_UTF8 + OWN_POLICY.encode())
    assert empty.ok("policy", "check", policy)["valid"] is True
    wishes = empty.file("preferences.toml", BOM_UTF8 + OWN_PREFERENCES.encode())
    empty.ok("preferences", "import", wishes)
    empty.ok("payout", "profile", "set", "--from", "-", "--anyway", stdin=GERMAN_MARKED)


def test_a_transcript(october: Shell) -> None:
    """The mark is not part of the first message."""
    text = "00:01 Mina: The shader flickers.\n00:05 Anna: Show me, please.\n"
    plain = october.file("plain.txt", text)
    marked = october.file("marked.txt", BOM_UTF8 + text.encode())
    session = october.ok("sessions", "list", "--state", "ended")[0]["id"]
    for path in (plain, marked):
        october.ok("sessions", "attach", session, path)
    hits = october.ok("sessions", "search", "flickers")
    output = [hit["text"] for hit in hits if hit["where"] == "message"]
    assert len(output) == 2
    assert output[0] == output[1]


def secret(folder: Path, name: str, content: bytes) -> Path:
    """Write a file that only its owner may read."""
    path = folder / name
    path.write_bytes(content)
    path.chmod(0o600)
    return path


@pytest.mark.usefixtures("cheap_passphrases")
def test_a_passphrase(october: Shell) -> None:
    """What locks a backup with a mark in its file opens it without, and the other way round."""
    marked = secret(october.folder, "marked", BOM_UTF8 + b"correct horse\n")
    plain = secret(october.folder, "plain", b"correct horse\n")
    row = october.ok("ledger", "backup", "--to", october.folder, "--passphrase-file", marked)
    for number, path in enumerate((plain, marked)):
        target = october.folder / f"restored{number}.db"
        argv = ("ledger", "restore", row["file"], "--yes", "--passphrase-file", path)
        october.ok(*argv, "--ledger", target)
