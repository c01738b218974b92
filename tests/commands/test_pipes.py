"""Commands in real pipes, and streams that are closed, full or binary."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.commands.test_sync import feed, opened
from tests.kit.shell import PROGRAM, Shell, assert_no_traceback, error_of

pytestmark = pytest.mark.slow

ACCEPT = "liveportal requests list --state open --field id | liveportal requests accept -"
FULL = Path("/dev/full")


@pytest.fixture
def waiting(empty: Shell) -> Shell:
    """Give a ledger with three open requests, one of which a feed will report as taken."""
    three = [opened(f"REQ-{n}", f"11-01 10:0{n}") for n in (1, 2, 3)]
    assert empty.ok("sync", feed(empty, "three.jsonl", *three))["recorded"] == 3
    return empty


def test_what_one_command_lists_another_accepts(waiting: Shell) -> None:
    """One result a line: id and state come first, and all were accepted."""
    ran = waiting.script(f"{ACCEPT} --at '2026-11-01 11:00'")
    assert (ran.code, ran.err) == (0, "")
    lines = [line.split("\t") for line in ran.out.splitlines()]
    assert [line[:3] for line in lines] == [[f"REQ-{n}", "accepted", ""] for n in (1, 2, 3)]
    assert [row["state"] for row in waiting.ok("sessions", "list")] == ["live"] * 3


def test_one_that_was_taken_does_not_stop_the_others(waiting: Shell) -> None:
    """A failure is a line, too; the work goes on, and the exit code is the first failure's."""
    taken = waiting.file("ids", "REQ-1\nREQ-2\nnope\nREQ-3\n")
    assert waiting.run("requests", "decline", "REQ-2").code == 0
    ran = waiting.script(f"liveportal requests accept - --header < {taken.name}")
    assert ran.code == 4  # REQ-2's; the unknown id would be 3 and came later.
    assert ran.err == ""
    header, *lines = [line.split("\t") for line in ran.out.splitlines()]
    assert header[:3] == ["id", "state", "error"]
    assert [line[:3] for line in lines] == [
        ["REQ-1", "accepted", ""],
        ["REQ-2", "declined", "wrong_state"],
        ["nope", "", "not_found"],
        ["REQ-3", "accepted", ""],
    ]


def test_the_exit_code_is_the_first_failures(waiting: Shell) -> None:
    """The first failure decides, whatever the later ones are."""
    waiting.run("requests", "decline", "REQ-2")
    assert waiting.run("requests", "accept", "nope", "REQ-2", "REQ-1").code == 3
    assert waiting.run("requests", "accept", "REQ-2", "nope", "REQ-3").code == 4


def test_many_results_are_an_array(waiting: Shell) -> None:
    """With --json, many ids are one array, with the failures' codes and sentences in it."""
    ids = b"REQ-1\n\n  REQ-2  \r\nnope\n"
    ran = waiting.run("requests", "accept", "-", "--json", stdin=ids)
    rows = json.loads(ran.out)
    assert (ran.code, ran.err) == (3, "")
    assert [(row["id"], row["state"], row["error"]) for row in rows] == [
        ("REQ-1", "accepted", None),
        ("REQ-2", "accepted", None),
        ("nope", None, "not_found"),
    ]
    assert all(list(row)[:3] == ["id", "state", "error"] for row in rows)
    assert "There is no request nope." in rows[2]["message"]


def test_one_id_from_a_pipe_is_an_array_too(waiting: Shell) -> None:
    """The form of the output depends on how ids were given, not on how many there were."""
    for ids, count in ((b"", 0), (b"REQ-1\n", 1), (b"REQ-2\nREQ-3", 2)):
        rows = waiting.ok("requests", "accept", "-", stdin=ids)
        assert isinstance(rows, list)
        assert len(rows) == count


def test_a_key_with_many_is_a_key_for_each(waiting: Shell) -> None:
    """With `-`, --key is KEY:ID: a repeat replays the recorded ones and tries the others."""
    argv = ("requests", "accept", "-", "--key", "batch")
    first = waiting.ok(*argv, stdin=b"REQ-1\nREQ-2\n")
    assert [row["event"] for row in first] == ["batch:REQ-1", "batch:REQ-2"]
    again = waiting.ok(*argv, stdin=b"REQ-1\nREQ-2\nREQ-3\n")
    assert [row["replayed"] for row in again] == [True, True, False]
    assert [row["state"] for row in again] == ["accepted"] * 3


def test_a_key_names_the_id_itself_and_not_what_was_typed(waiting: Shell) -> None:
    """KEY:ID holds the whole id, so that a prefix and the id are the same work."""
    assert waiting.ok("sync", feed(waiting, "more.jsonl", opened("ABC-1", "11-01 10:00")))
    argv = ("requests", "accept", "-", "--key", "k")
    assert waiting.ok(*argv, stdin=b"ABC\n")[0]["event"] == "k:ABC-1"
    assert waiting.ok(*argv, stdin=b"ABC-1\n")[0]["replayed"] is True


def test_a_dry_run_of_many_keeps_nothing(waiting: Shell) -> None:
    """Every line is marked as a dry run, including failures."""
    before = waiting.dump()
    ran = waiting.run("requests", "accept", "REQ-1", "nope", "--json", "--dry-run")
    assert ran.code == 3
    assert [row["dry_run"] for row in json.loads(ran.out)] == [True, True]
    assert waiting.dump() == before


def test_nothing_is_read_unless_asked_for(waiting: Shell) -> None:
    """Standard input is left for the next program where `-` was not given."""
    ran = waiting.script(
        "printf 'REQ-2\\n' | { liveportal requests decline REQ-1 >/dev/null; cat; }"
    )
    assert ran.out == "REQ-2\n"


def test_what_asks_is_refused_a_line_at_a_time(states: Shell) -> None:
    """Ids in a pipe leave no way to ask: each line says so, and --yes is needed."""
    ran = states.run("refunds", "concede", "-", "--json", stdin=b"CL-2\n")
    assert (ran.code, json.loads(ran.out)[0]["error"]) == (7, "confirmation_needed")
    done = states.ok("refunds", "concede", "-", "--yes", stdin=b"CL-2\n")
    assert done[0]["state"] == "conceded"


def test_a_summary_is_read_from_a_pipe(states: Shell) -> None:
    """`--summary -` reads the text, line breaks and all."""
    text = b"It was fixed at 16:20.\nThe recording shows it.\n"
    states.ok("dispute", "file", "CL-2", "--summary", "-", stdin=text)
    assert states.ok("dispute", "show", "CL-2")["summary"] == text.decode().strip()


@pytest.mark.parametrize(
    "line",
    [
        "liveportal requests list | head -1",
        "liveportal policy show --json | head -c 1",
        "liveportal earnings transactions --csv | true",
        "liveportal --help | head -1",
    ],
)
def test_who_has_seen_enough_is_no_failure(states: Shell, line: str) -> None:
    """A closed pipe ends the program quietly, also under `pipefail`."""
    ran = states.script(line)
    assert (ran.code, ran.err) == (0, "")


def test_a_committed_write_stays_although_its_reader_leaves(waiting: Shell) -> None:
    """A write whose reader left is done, and quiet."""
    ran = waiting.script("liveportal requests accept REQ-1 REQ-2 | true")
    assert (ran.code, ran.err) == (0, "")
    assert len(waiting.ok("sessions", "list")) == 2


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "command", ["requests list", "earnings --json", "requests decline REQ-2001", "--help"]
)
def test_a_full_disk_is_reported(states: Shell, command: str) -> None:
    """Output that could not be written is exit 74 with a sentence, never a success."""
    ran = states.script(f"liveportal {command} > /dev/full")
    assert ran.code == 74
    assert "could not be written" in ran.err
    assert_no_traceback(ran.err)


@pytest.mark.parametrize("command", ["requests list --json", "requests decline REQ-2001 --json"])
def test_a_closed_output_is_reported(states: Shell, command: str) -> None:
    """A closed standard output is exit 74, in the form that was asked for."""
    ran = states.script(f"liveportal {command} >&-")
    assert ran.code == 74
    assert error_of(ran.err)["code"] == "output_failed"


@pytest.mark.parametrize(
    "command", ["requests accept -", "dispute file CL-2 --summary -", "sync -"]
)
def test_a_closed_input_is_reported(states: Shell, command: str) -> None:
    """A closed standard input is malformed input: exit 1 with a sentence."""
    before = states.dump()
    ran = states.script(f"liveportal {command} <&-")
    assert ran.code == 1
    assert "Standard input" in ran.err
    assert_no_traceback(ran.err)
    assert states.dump() == before


def test_an_error_without_standard_error(states: Shell) -> None:
    """With standard error closed, the exit code is still right."""
    assert states.script("liveportal requests show nope 2>&-").code == 3


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"REQ-2001\n\xff\n"])
def test_ids_that_are_not_text_are_malformed(states: Shell, content: bytes) -> None:
    """Bytes that are no UTF-8 are refused as a whole, before anything is recorded."""
    error = states.refuses(1, "requests", "accept", "-", stdin=content)
    assert error["code"] == "invalid_stdin"


def test_a_document_of_another_system_is_read(waiting: Shell) -> None:
    """A byte order mark and carriage returns, as some editors write them, are no part of an id."""
    rows = waiting.ok("requests", "accept", "-", stdin=b"\xef\xbb\xbfREQ-1\r\nREQ-2\r\n")
    assert [row["id"] for row in rows] == ["REQ-1", "REQ-2"]


def test_an_interrupted_command_is_130(waiting: Shell) -> None:
    """Ctrl-C while it waits for ids: exit 130, and nothing was recorded."""
    before = waiting.dump()
    with subprocess.Popen(
        [*PROGRAM, "requests", "accept", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=waiting.folder,
        env=waiting.environment(),
    ) as running:
        _wait_until_it_reads(running)
        running.send_signal(2)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (130, b"")
    assert_no_traceback(err.decode())
    assert waiting.dump() == before


def _wait_until_it_reads(running: subprocess.Popen[bytes]) -> None:
    """Wait until the program has begun to read its standard input, which cannot be seen."""
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(timeout=1.0)


def test_a_pipe_is_in_utf8_wherever_it_runs(october: Shell) -> None:
    """Names are written as UTF-8 with bare newlines in any locale."""
    ran = subprocess.run(
        [*PROGRAM, "requests", "list", "--all", "--field", "customer.name"],
        capture_output=True,
        cwd=october.folder,
        env=october.environment(LC_ALL="C", PYTHONIOENCODING="ascii"),
        timeout=60,
        check=True,
    )
    assert "Zoë\n".encode() in ran.stdout
    assert b"\r" not in ran.stdout
