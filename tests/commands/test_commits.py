"""A committed write stays although its result cannot be shown; ids that look like options."""

from __future__ import annotations

import errno
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from liveportal.portal import Portal
from tests.commands.test_sync import feed, opened
from tests.kit.shell import PROGRAM, Shell, error_of

pytestmark = pytest.mark.slow

FULL = Path("/dev/full")
ADJUST = ("earnings", "adjust", "5.00", "--reason", "bonus")

needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")


def _failed(shell: Shell, *argv: object) -> dict[str, Any]:
    """Run a command whose output fails, and return the error that it ends with."""
    with FULL.open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, *map(str, argv), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=shell.folder,
            env=shell.environment(),
            check=False,
        )
    assert done.returncode == 74, (argv, done)
    return error_of(done.stderr.decode())


@needs_full
def test_a_write_whose_result_cannot_be_shown(october: Shell) -> None:
    """It says that it was recorded; the key in the hint shows the result and records nothing."""
    before = october.ok("ledger", "info")["events"]
    error = _failed(october, *ADJUST)
    assert error["message"].endswith(" However, 1 event was recorded.")
    assert error["details"]["recorded"] == 1
    words = shlex.split(error["hint"])
    key = words[words.index("--key") + 1]
    assert key == error["details"]["event"]
    again = october.ok(*ADJUST, "--key", key)
    assert (again["event"], again["replayed"]) == (key, True)
    assert october.ok("ledger", "info")["events"] == before + 1


@needs_full
def test_whatever_else_was_done(october: Shell) -> None:
    """A feed of many events, a backup, a new ledger: the message names exactly what was done."""
    more = [opened(f"N-{n}", "11-01 10:00") for n in range(3)]
    assert (
        "However, 3 events were"
        in _failed(october, "sync", feed(october, "m.jsonl", *more))["message"]
    )
    again = _failed(october, "sync", "m.jsonl")
    assert "However" not in again["message"]
    assert "recorded" not in again["details"]
    for argv, what in (
        (("ledger", "backup", "-o", "a.zip"), "the backup a.zip was made"),
        (("ledger", "restore", "a.zip", "--yes"), "was restored"),
        (("init", "--ledger", "new.db"), "the ledger new.db was created"),
        (("payout", "profile", "set", "--country", "FR"), "1 event was recorded"),
        (("payout", "profile", "rotate-key"), "the key was changed"),
    ):
        assert what in _failed(october, *argv)["message"], argv
    for nothing in (("earnings", "months"), (*ADJUST, "--dry-run"), ("ledger", "verify")):
        assert "However" not in _failed(october, *nothing)["message"], nothing


@needs_full
def test_many_ids(empty: Shell) -> None:
    """Many events have many keys: none is named."""
    ids = [f"N-{n}" for n in range(2)]
    empty.ok("sync", feed(empty, "m.jsonl", *(opened(request, "11-01 10:00") for request in ids)))
    error = _failed(empty, "requests", "decline", *ids)
    assert error["message"].endswith("2 events were recorded.")
    assert "--key" not in error["hint"]


def test_a_file_that_cannot_be_written(october: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --output it is the same."""

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    real = Portal.execute

    def execute(*argv: Any, **more: Any) -> Any:  # noqa: ANN401
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("os.fsync", lambda _: None)
            return real(*argv, **more)

    monkeypatch.setattr(Portal, "execute", execute)
    ran = october.run(*ADJUST, "-o", "out.txt", "--json")
    assert ran.code == 74
    assert error_of(ran.err)["message"].endswith(" However, 1 event was recorded.")
    assert not (october.folder / "out.txt").exists()


# --- memory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory")])
def test_too_little_memory_is_no_bug(october: Shell, error: Exception) -> None:
    """It has its own code, exit 1; nothing is recorded, and no bug report is asked for."""

    def fail(*_: object, **__: object) -> None:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("liveportal.ledger.journal.journal.Journal.flush", fail)
        ran = october.run(*ADJUST, "--json")
    failure = error_of(ran.err)
    assert (ran.code, failure["code"], ran.out) == (1, "out_of_memory", "")
    assert "--batch" in failure["hint"]
    assert [row["kind"] for row in october.ok("earnings", "transactions")].count("adjustment") == 0


def test_a_system_that_has_no_more(empty: Shell) -> None:
    """In a process that may have little, where a whole feed does not fit."""
    program = (
        "import resource, sys\n"
        "from liveportal.cli.main import main\n"
        "import liveportal.cli.commands.requests.list_show, liveportal.ledger.opening\n"
        "def much(*_): return bytearray(1 << 40)\n"
        "import liveportal.cli.read_command as read_command\n"
        "read_command.reference_time = much\n"
        "liveportal.cli.commands.requests.list_show.reference_time = much\n"
        "sys.exit(main(['requests', 'list', '--json']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env=empty.environment(), check=False
    )
    assert done.returncode == 1
    assert error_of(done.stderr.decode())["code"] == "out_of_memory"


# --- ids that look like options -------------------------------------------------------------------


def test_an_id_that_begins_like_an_option(empty: Shell) -> None:
    """It comes after `--`; the help says so, and so does the error without it."""
    empty.ok(
        "sync", feed(empty, "a.jsonl", opened("-R1", "11-01 10:00"), opened("--yes", "11-01 10:01"))
    )
    for name in ("-R1", "--yes"):
        assert empty.ok("requests", "show", "--", name)["id"] == name
        assert empty.ok("requests", "decline", "-", stdin=name.encode())[0]["state"] == "declined"
    ran = empty.run("requests", "show", "-R1")
    assert ran.code == 2
    assert "after --" in ran.err
    assert "Put -- before an id" in empty.run("--help").out
    watch_help = " ".join(empty.run("requests", "watch", "--help").out.split())
    assert (
        'put -- before it, as in `liveportal requests show -- "$LIVEPORTAL_REQUEST"`' in watch_help
    )


def test_what_exec_is_handed(empty: Shell) -> None:
    """As the help says: the id after `--` is an id, whatever it looks like."""
    path = feed(empty, "a.jsonl", opened("--all", "11-01 10:00"))
    program = shlex.join(
        [
            *("sh", "-c"),
            f'{shlex.join(PROGRAM)} requests show --json -- "$LIVEPORTAL_REQUEST" > shown.json',
        ]
    )
    ran = empty.process("requests", "watch", path, "--once", "--exec", program)
    assert ran.code == 0, ran
    assert json.loads((empty.folder / "shown.json").read_text())["id"] == "--all"
