"""Feeds as a user syncs them: samples, repeats, changes, bad lines, several, streams."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kit.events import FEED, OTHER, amount, line
from tests.kit.shell import OCTOBER, PROGRAM, Shell

SAMPLES = Path(__file__).parents[1] / "samples"
COUNTS = ("recorded", "replayed", "confirmed", "refused")
OCTOBER_EARNED = {
    "month": "2026-10",
    "timezone": "UTC",
    "currency": "USD",
    "sessions": 3,
    "free_sessions": 1,
    "minutes": "95.50",
    "gross": "286.50",
    "platform_fee": "85.95",
    "earned": "200.55",
    "refund_claims": 1,
    "disputes": 1,
    "refunds": 0,
    "refunded": "0.00",
    "deducted": "0.00",
    "tips": "10.00",
    "adjustments": "0.00",
    "net": "210.55",
    "balance": {"owed": "168.55", "held": "42.00", "in_transit": "0.00", "paid_out": "0.00"},
    "transfer_fees": "0.00",
}


def feed(shell: Shell, name: str, *lines: bytes) -> Path:
    """Write a feed."""
    return shell.file(name, b"".join(lines))


def opened(name: str, when: str, **data: Any) -> bytes:  # noqa: ANN401 -- As events have it.
    """Write the opening of an instant request at $3.00 a minute."""
    given = {"kind": "instant", "customer": {"id": "C-1"}, "title": "help"}
    return line(
        "request.opened",
        when,
        id=f"open-{name}",
        request=name,
        **(given | {"rate": amount("3.00")} | data),
    )


def counts(synced: dict[str, Any]) -> tuple[int, ...]:
    """Return the counts of recorded, replayed, confirmed and refused lines."""
    assert tuple(synced)[:5] == (*COUNTS, "head")
    assert len(bytes.fromhex(synced["head"])) == 32
    return tuple(synced[name] for name in COUNTS)


def october_with(number: int, old: str, new: str) -> bytes:
    """Return October's feed with something replaced in one line."""
    lines = OCTOBER.read_text("utf-8").splitlines(keepends=True)
    assert old in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new)
    return "".join(lines).encode()


# --- samples --------------------------------------------------------------------------------------


def test_october_earns_what_it_should(empty: Shell) -> None:
    """The sample's month, to the cent, field by field and in order."""
    assert counts(empty.ok("sync", OCTOBER)) == (22, 0, 0, 0)
    shown = _figures(empty, "2026-10")
    assert shown == OCTOBER_EARNED
    assert list(shown) == list(OCTOBER_EARNED)
    assert empty.ok("earnings", "months") == [OCTOBER_EARNED]
    assert empty.ok("ledger", "verify")["ok"] is True


def _figures(shell: Shell, month: str) -> dict[str, Any]:
    """Return a month's figures without how certain they are, which is as of now."""
    shown: dict[str, Any] = shell.ok("earnings", "--month", month)
    risk = shown.pop("risk")
    assert risk["held"] == shown["balance"]["held"]
    return shown


def test_winter_earns_what_it_should(empty: Shell) -> None:
    """A ledger under another policy, with returned payouts: every month as expected."""
    sample = json.loads((SAMPLES / "winter.expected.json").read_text("utf-8"))
    expected = [month | {"transfer_fees": "0.00"} for month in sample]
    empty.ok("policy", "use", SAMPLES / "winter.policy.toml")
    lines = (SAMPLES / "winter.jsonl").read_bytes().count(b"\n")
    assert counts(empty.ok("sync", SAMPLES / "winter.jsonl")) == (lines, 0, 0, 0)
    assert empty.ok("earnings", "months") == expected
    for month in expected:
        assert _figures(empty, month["month"]) == month
    assert empty.ok("ledger", "verify")["ok"] is True


# --- again ----------------------------------------------------------------------------------------


def test_syncing_again_records_nothing_and_succeeds(october: Shell) -> None:
    """What was seen before is counted as replayed; the head stays where it was."""
    before = october.dump()
    first = october.ok("ledger", "info")["head"]
    synced = october.ok("sync", OCTOBER)
    assert counts(synced) == (0, 22, 0, 0)
    assert synced["head"] == first
    assert october.dump() == before


def test_the_same_content_may_be_written_otherwise(october: Shell) -> None:
    """Order of keys, spelling of the offset and digits of an amount are no content."""
    documents = [json.loads(text) for text in OCTOBER.read_text("utf-8").splitlines()]
    for document in documents:
        document["time"] = document["time"].replace("Z", ".000+00:00")
        if "rate" in document["data"]:
            document["data"]["rate"]["amount"] = (
                document["data"]["rate"]["amount"].rstrip("0") + "0"
            )
    text = "".join(json.dumps(dict(sorted(document.items()))) + "\n\n" for document in documents)
    assert counts(october.ok("sync", october.file("other.jsonl", text))) == (0, 22, 0, 0)


@pytest.mark.parametrize(
    ("number", "old", "new", "field"),
    [
        (3, "14:21:00Z", "14:22:00Z", "time"),
        (1, '"3.00"', '"3.50"', "rate"),
        (1, "Shader flickers", "Shader blinks", "title"),
        (13, '"10.00"', '"11.00"', "amount"),
        (4, "customer", "expert", "by"),
    ],
)
def test_a_changed_line_under_an_old_id_is_a_conflict(
    october: Shell, number: int, old: str, new: str, field: str
) -> None:
    """History is never changed: exit 4, and the line and the field are named."""
    changed = october.file("changed.jsonl", october_with(number, old, new))
    error = october.refuses(4, "sync", changed)
    assert error["code"] == "conflict"
    assert error["details"]["line"] == number
    assert error["details"]["fields"] == [field]
    assert f"Line {number}" in error["message"]
    assert field in error["message"]


# --- bad lines ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"3.00"', "3.00", "rate"),
        ('"3.00"', '"3.001"', "rate"),
        ('"3.00"', '"-3.00"', "rate"),
        ('"REQ-1004"', '"REQ 1004"', "request"),
        ('"skills"', '"skilz"', "skilz"),
        ("2026-10-22T10:00:00Z", "2026-10-22T10:00:00", "time"),
        ("request.opened", "request.openend", "type"),
        ('"1.0"', '"0.3"', "specversion"),
        ('"instant"', '"sudden"', "kind"),
        ('"request": "REQ-1004", ', "", "request"),
        ('{"specversion"', '{"specversion', ""),
    ],
)
def test_line_17_is_bad(empty: Shell, old: str, new: str, field: str) -> None:
    """One bad line, and nothing of its feed is recorded: line, field and reason are given."""
    bad = empty.file("bad.jsonl", october_with(17, old, new))
    error = empty.refuses(1, "sync", bad)
    assert error["code"] == "invalid_event"
    assert error["details"]["line"] == 17
    assert error["details"]["field"] == field
    assert error["details"]["reason"] in error["message"]
    assert error["message"].startswith(f"Line 17: The field {field} " if field else "Line 17 is ")
    assert "recorded" in error["hint"]


def test_a_refused_line_has_its_own_exit_code(empty: Shell) -> None:
    """A refusal by a rule is not malformed: unknown entity 3, wrong state 4."""
    unknown = empty.file("unknown.jsonl", october_with(18, "REQ-1004", "REQ-9"))
    assert empty.refuses(3, "sync", unknown)["details"]["line"] == 18
    again = line("session.ended", "10-22 10:06", id="again", session="S-1004")
    wrong = empty.file("wrong.jsonl", OCTOBER.read_bytes() + again)
    error = empty.refuses(4, "sync", wrong)
    assert (error["code"], error["details"]["line"]) == ("wrong_state", 23)


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 20,
        b"\x00" * 4096,
        b"SQLite format 3\x00" + b"\xff" * 100,
        b"[1, 2]\n",
        b'"text"\n',
        b"{" * 100_000,
        b'{"specversion": "1.0"}\n',
        b"\x1f\x8b\x08\x00\x00\x00",
    ],
)
def test_junk_is_no_feed(empty: Shell, content: bytes) -> None:
    """Any other file is refused at its first line, quickly and with a sentence."""
    error = empty.refuses(1, "sync", empty.file("junk", content))
    assert error["code"] == "invalid_event"
    assert error["details"]["line"] == 1


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
def test_an_empty_feed_is_a_feed(october: Shell, content: bytes) -> None:
    """Nothing was reported: nothing is recorded, and that is a success."""
    head = october.ok("ledger", "info")["head"]
    synced = october.ok("sync", october.file("empty.jsonl", content))
    assert counts(synced) == (0, 0, 0, 0)
    assert synced["head"] == head


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_feed_that_cannot_be_read(october: Shell, name: str) -> None:
    """A missing file or a folder is malformed input, and is named."""
    error = october.refuses(1, "sync", name)
    assert error["code"] == "unreadable_file"
    assert error["details"]["path"] == name


# --- shell and feed -------------------------------------------------------------------------------


def test_a_feed_confirms_what_was_done_at_the_shell(empty: Shell) -> None:
    """What the expert did today and the feed reports tomorrow happened once."""
    start, *rest = OCTOBER.read_bytes().splitlines(keepends=True)
    empty.ok("sync", feed(empty, "start.jsonl", start))
    empty.ok("requests", "accept", "REQ-1001", "--at", "2026-10-05 14:01", "--session", "S-1001")
    empty.ok("sessions", "end", "S-1001", "--at", "2026-10-05 14:21:00.5")
    synced = empty.ok("sync", feed(empty, "rest.jsonl", *rest))
    assert counts(synced) == (19, 0, 2, 0)
    assert empty.ok("earnings", "--month", "2026-10")["net"] == "210.57"  # Half a second more.
    assert empty.ok("sync", OCTOBER)["replayed"] == 22
    assert empty.ok("ledger", "verify")["ok"] is True


def test_a_feed_that_contradicts_the_shell_is_a_conflict(empty: Shell) -> None:
    """The same fact with another field is refused, and the field is named."""
    lines = OCTOBER.read_bytes().splitlines(keepends=True)
    empty.ok("sync", feed(empty, "start.jsonl", lines[4]))
    empty.ok("requests", "accept", "REQ-1002", "--slot", "1", "--at", "2026-10-07 09:10")
    error = empty.refuses(4, "sync", feed(empty, "next.jsonl", lines[5]))
    assert (error["code"], error["details"]["fields"]) == ("conflict", ["slot"])


# --- several, streams, rejects --------------------------------------------------------------------


def test_several_feeds_are_units_in_order(empty: Shell) -> None:
    """Each feed is all or nothing; the first that fails stops the rest, and is named."""
    good = feed(empty, "good.jsonl", opened("A", "10-01 09:00"), opened("B", "10-01 09:01"))
    bad = feed(empty, "bad.jsonl", opened("C", "10-01 09:02"), b"junk\n")
    more = feed(empty, "more.jsonl", opened("D", "10-01 09:03"))
    ran = empty.run("sync", good, bad, more)
    assert ran.code == 1
    assert "bad.jsonl" in ran.err
    assert "Line 2 of" in ran.err
    assert [row["id"] for row in empty.ok("requests", "list", "--all")] == ["A", "B"]
    assert counts(empty.ok("sync", good, more)) == (1, 2, 0, 0)


def test_a_feed_comes_through_a_pipe(empty: Shell) -> None:
    """`-` is standard input."""
    ran = empty.script(f"cat '{OCTOBER}' | liveportal sync - --json")
    assert ran.code == 0
    assert counts(json.loads(ran.out)) == (22, 0, 0, 0)


def test_batches_keep_what_came_before_a_bad_line(empty: Shell) -> None:
    """--batch commits every N lines; the hint must not claim that nothing was recorded."""
    bad = empty.file("bad.jsonl", october_with(17, '"3.00"', "3"))
    ran = empty.run("sync", bad, "--batch", "5")
    assert ran.code == 1
    assert "Line 17: " in ran.err
    assert empty.ok("ledger", "info")["events"] == 16  # 15, after the policy's adoption.
    assert "nothing was recorded" not in ran.err
    assert counts(empty.ok("sync", OCTOBER, "--batch", "5")) == (7, 15, 0, 0)
    assert _figures(empty, "2026-10") == OCTOBER_EARNED


def test_rejects_go_into_a_file_of_their_own(empty: Shell) -> None:
    """--rejects goes on past bad lines, writes each with its reason, privately, and exits 1."""
    content = october_with(17, '"3.00"', "3").replace(b"S-1003", b"S 1003", 1) + b"\xff\n"
    bad = empty.file("bad.jsonl", content)
    ran = empty.run("sync", bad, "--rejects", "rejects.jsonl", "--json")
    assert ran.code == 1
    assert counts(json.loads(ran.out)) == (17, 0, 0, 6)
    assert json.loads(ran.err)["error"]["code"] == "rejected_lines"
    path = empty.folder / "rejects.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    assert [row["line"] for row in rows] == [15, 16, 17, 18, 19, 23]
    assert [row["error"]["code"] for row in rows] == [
        *("invalid_event", "not_found", "invalid_event", "not_found", "not_found"),
        "invalid_event",
    ]
    assert all(row["error"]["message"] for row in rows)
    assert rows[0]["raw"] == content.decode(errors="replace").splitlines()[14]
    assert rows[0]["error"]["field"] == "session"


def test_a_clean_feed_leaves_no_rejects(empty: Shell) -> None:
    """Without a bad line the exit code is 0, and the file is empty or missing."""
    assert counts(empty.ok("sync", OCTOBER, "--rejects", "r.jsonl")) == (22, 0, 0, 0)
    path = empty.folder / "r.jsonl"
    assert not path.exists() or path.read_bytes() == b""


@pytest.mark.parametrize("option", ["--rejects", "-o"])
def test_a_file_in_use_is_never_written_over(october: Shell, option: str) -> None:
    """Rejects and results must not replace the ledger or the feed: that would destroy data."""
    source = october.file("feed.jsonl", OCTOBER.read_bytes())
    ledger = october.dump()
    for target in (october.ledger, source):
        ran = october.run("sync", source, option, target)
        assert ran.code != 0
        assert source.read_bytes() == OCTOBER.read_bytes()
        assert october.dump() == ledger
    ran = october.run("earnings", "months", "-o", october.ledger)
    assert ran.code != 0
    assert october.dump() == ledger


def test_rejects_that_cannot_be_written_are_reported_first(empty: Shell) -> None:
    """A folder that does not exist is exit 74, before anything is recorded."""
    before = empty.dump()
    ran = empty.run("sync", OCTOBER, "--rejects", empty.folder / "missing" / "r.jsonl")
    assert ran.code == 74
    assert empty.dump() == before


# --- others at work -------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["stdin", "fifo"])
def test_a_silent_pipe_holds_no_lock(empty: Shell, how: str) -> None:
    """The ledger is locked when there are lines, not before: others write in the meantime."""
    fifo = empty.folder / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(
        [*PROGRAM, "sync", "-" if how == "stdin" else str(fifo), "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=empty.folder,
        env=empty.environment(),
    ) as running:
        assert running.stdin
        # Until the program opens it, after it has opened the ledger.
        pipe = fifo.open("wb") if how == "fifo" else running.stdin
        with pipe:
            if how == "stdin":
                _wait_for(lambda: empty.ledger.with_name("ledger.db-shm").exists())
            for n in range(3):
                argv = ("earnings", "adjust", "1.00", "--reason", "bonus", "--key", f"k-{n}")
                assert empty.ok(*argv)["state"] == "posted"
                time.sleep(0.1)
            pipe.write(OCTOBER.read_bytes())
        assert running.stdout
        assert running.stderr
        out, err = running.stdout.read(), running.stderr.read()
        assert (running.wait(30), err) == (0, b"")
    assert counts(json.loads(out)) == (22, 0, 0, 0)
    assert empty.ok("ledger", "info")["events"] == 1 + 3 + 22


def _wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


# --- dry runs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [(), ("--batch", "5")], ids=["whole", "batches"])
def test_a_dry_run_judges_the_whole_feed(empty: Shell, how: tuple[str, ...]) -> None:
    """The same counts as the real one, and nothing is kept."""
    before = empty.dump()
    synced = empty.ok("sync", OCTOBER, "--dry-run", *how)
    assert counts(synced) == (22, 0, 0, 0)
    assert synced["dry_run"] is True
    assert empty.dump() == before


def test_a_dry_run_of_several_feeds_judges_them_in_order(empty: Shell) -> None:
    """The second feed is judged after the events of the first."""
    lines = OCTOBER.read_bytes().splitlines(keepends=True)
    first = feed(empty, "first.jsonl", *lines[:10])
    second = feed(empty, "second.jsonl", *lines[10:])
    before = empty.dump()
    assert counts(empty.ok("sync", first, second, "--dry-run")) == (22, 0, 0, 0)
    assert empty.dump() == before


def test_a_dry_run_that_fails_says_that_nothing_was_recorded(empty: Shell) -> None:
    """A dry run keeps no batch, and the hint must not claim otherwise."""
    bad = empty.file("bad.jsonl", october_with(17, '"3.00"', "3"))
    error = empty.refuses(1, "sync", bad, "--dry-run", "--batch", "5")
    assert error["details"]["line"] == 17
    assert "are recorded" not in error["hint"]


def test_a_dry_run_touches_no_file(empty: Shell) -> None:
    """Not even the rejects' one."""
    bad = empty.file("bad.jsonl", october_with(17, '"3.00"', "3"))
    empty.run("sync", bad, "--dry-run", "--rejects", "r.jsonl")
    assert not (empty.folder / "r.jsonl").exists()


def test_another_source_confirms_what_is_known(october: Shell) -> None:
    """An id names an event within its source: a mirror's events are others, of the same facts."""
    mirror = october.file(
        "mirror.jsonl", OCTOBER.read_bytes().replace(FEED.encode(), OTHER.encode())
    )
    assert counts(october.ok("sync", mirror)) == (0, 0, 22, 0)
    assert counts(october.ok("sync", mirror)) == (0, 22, 0, 0)
    assert _figures(october, "2026-10") == OCTOBER_EARNED
