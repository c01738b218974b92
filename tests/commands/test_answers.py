"""What a terminal gets after each write: sentences, and next commands that work when typed."""

from __future__ import annotations

import re
import shlex
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from liveportal.cli.commands.requests import waiting
from liveportal.domain.clock import from_text
from tests.kit.events import amount, line
from tests.kit.shell import OCTOBER
from tests.kit.states import WRITES, Write

if TYPE_CHECKING:
    from tests.kit.shell import SetClock, Shell

STORED = Path(__file__).parent / "answers"
MADE_UP = re.compile(r"\b(REQ|CL|PO|AD|S)-01[0-9a-f]{6}-[0-9a-f-]*")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")


def at(text: str) -> datetime:
    """Return an instant in UTC, from the minute."""
    return from_text(f"{text.replace(' ', 'T')}:00Z")


def answer(shell: Shell, *argv: str) -> str:
    """Run a write on a terminal; return what it answers, with ids that it made up replaced."""
    ran = shell.run(*argv, "--yes", terminal=True)
    assert ran.code == 0, ran
    return MADE_UP.sub(r"\1-NEW", ran.out)


def file_name(write: Write) -> str:
    """Return the name under which a write's answers are stored."""
    return f"{write.name.replace(' ', '-')}.txt"


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_every_write_answers_in_sentences(
    states: Shell, clock: SetClock, write: Write, pytestconfig: pytest.Config
) -> None:
    """Tried, recorded and repeated: each in a sentence of its own, without a table."""
    clock.set(at(write.at))
    tried = answer(states, *write.argv, "--dry-run")
    done = answer(states, *write.argv, "--key", "K-1")
    again = answer(states, *write.argv, "--key", "K-1")
    assert tried.startswith("Would ")
    assert " ".join(tried.split()).endswith("Nothing was recorded.")
    assert again.startswith("Already recorded")
    assert "  liveportal" not in again
    for text in (tried, done, again):
        assert not UUID.search(text)
        assert re.match(r"[A-Z][a-z]+ [^\n]*", text)
    written = f"### tried\n{tried}\n### recorded\n{done}\n### repeated\n{again}"
    stored = STORED / file_name(write)
    if pytestconfig.getoption("--update-golden"):
        stored.parent.mkdir(exist_ok=True)
        stored.write_bytes(written.encode())
    assert written == stored.read_bytes().decode()


def test_no_stored_answer_is_without_its_write() -> None:
    """What is stored for a write that is gone would never be looked at."""
    assert {path.name for path in STORED.iterdir()} == {*map(file_name, WRITES), "files.txt"}


class Day:
    """A day at the terminal, of which each step follows from the answer before."""

    def __init__(self, shell: Shell, clock: SetClock) -> None:
        self._shell, self._clock = shell, clock
        self.now = at("2026-11-04 09:00")
        self.next: dict[str, str] = {}

    def type(self, command: str, *more: str) -> str:
        """Type a command a minute later, and keep the next commands that it names."""
        self.now += timedelta(minutes=10)
        self._clock.set(self.now)
        program, *words = shlex.split(command)
        assert program == "liveportal"
        ran = self._shell.run(*words, *more, terminal=True)
        assert ran.code == 0, (command, ran)
        found = re.findall(r"^  ([A-Z][^:\n]*): +(liveportal .*)$", ran.out, re.MULTILINE)
        self.next = dict(found) or self.next
        return " ".join(ran.out.split())

    def follow(self, label: str, *more: str) -> str:
        """Type a command that the last answer named."""
        return self.type(self.next[label], *more)


def test_a_day_is_followed_by_the_next_commands_alone(
    empty: Shell, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a request to the money, only the commands that the answers name are typed."""
    editor = empty.file("editor.sh", "#!/bin/sh\necho 'Fixed at 10:20.' > \"$1\"\n")
    editor.chmod(0o700)
    monkeypatch.setenv("EDITOR", str(editor))
    day = Day(empty, clock)
    slot = "2026-11-04 10:00, 60"
    day.type(
        "liveportal requests add --customer C-7 --name Joe --title Shader --rate 4.00",
        *("--slot", slot),
    )
    day.follow("Accept it")
    day.follow("Start it")
    day.follow("Pause it")
    day.follow("Resume it")
    assert "42.00 USD is yours" in day.follow("End it", "--billed", "60")
    assert "42.00 USD of your earnings is held" in day.follow(
        "Record a refund claim", "--reason", "slow"
    )
    assert "stays held" in day.follow("Dispute it")
    assert "the 42.00 USD that was held is yours again" in day.follow("If it is accepted")
    assert "session" in day.follow("When it is paid out")
    assert "arrived: 42.00 USD" in day.follow("When it arrives")
    assert empty.ok("payout", "list")[0]["state"] == "paid"
    day.follow("See the month")


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_each_next_command_works_when_typed(states: Shell, clock: SetClock, write: Write) -> None:
    """Each command below an answer runs as it is, on a copy of the ledger after the write."""
    clock.set(at(write.at))
    shown = states.run(*write.argv, "--yes", terminal=True)
    content = states.ledger.read_bytes()
    clock.set(at(write.at) + timedelta(minutes=5))
    for command in re.findall(r"^  [A-Z][^:\n]*: +liveportal (.*)$", shown.out, re.MULTILINE):
        more = ("--dry-run",) if command.endswith("--edit") else ()
        words = [word for word in shlex.split(command) if word != "--edit"]
        text = ("--summary", "It was fixed.") if more else ()
        reads = words[0] == "earnings" or words[-1] in ("show", "check", "preview", "reviews")
        yes = () if reads or words[1] in ("explain", "verify", "show") else ("--yes", "--anyway")
        ran = states.run(*words, *text, *more, *yes)
        assert ran.code == 0, (command, ran)
        states.ledger.write_bytes(content)


def test_several_ids_have_a_line_each_and_a_count(states: Shell, clock: SetClock) -> None:
    """What failed says why, in its place; the exit code is that of the first failure."""
    clock.set(at("2026-11-02 10:10"))
    ran = states.run("sessions", "pause", "S-LIVE", "S-UP", "S-9", terminal=True)
    assert ran.code == 4
    stopped = "the timer stops at 10 min (Mon 2 Nov 10:10, UTC)"
    assert ran.out.splitlines() == [
        f"Paused session S-LIVE with Zoë: {stopped}.",
        "S-UP: Session S-UP has not started yet, so it cannot be paused.",
        "S-9: There is no session S-9.",
        "Recorded 1 of 3. 2 failed.",
    ]


def test_a_format_and_fields_are_rows_on_a_terminal(states: Shell, clock: SetClock) -> None:
    """Who asks for fields gets fields; JSON stays JSON."""
    clock.set(at("2026-11-02 10:10"))
    pause = ("sessions", "pause", "S-LIVE", "--dry-run")
    assert states.run(*pause, "--json", terminal=True).out.startswith("{")
    fields = states.run(*pause, "--fields", "id,state", terminal=True).out
    assert fields.split() == ["id", "S-LIVE", "state", "paused"]


def test_what_another_source_reported_is_said_as_that(states: Shell) -> None:
    """A confirmation keeps its message, and names no next command."""
    ran = states.run(
        "sessions", "tip", "S-1002", "10.00", "--at", "2026-10-13 09:00", terminal=True
    )
    assert ran.code == 0
    assert " ".join(ran.out.split()).startswith("Nothing new was recorded:")
    assert "  liveportal" not in ran.out


def test_a_zone_of_the_customer_that_nobody_knows_is_left_out(empty: Shell) -> None:
    """Strangers write it; the answer is only without their time."""
    feed = _opened_in_zone("Mars/Olympus")
    empty.ok("sync", empty.file("feed.jsonl", feed))
    ran = empty.run("requests", "accept", "R-1", "--slot", "1", "--anyway", terminal=True)
    assert ran.code == 0, ran
    assert "Accepted R-1: Thu 3 Dec" in ran.out
    assert "for Joe" not in ran.out


def _opened_in_zone(zone: str) -> bytes:
    return line(
        "request.opened",
        "10-01 09:00",
        id="o-1",
        request="R-1",
        kind="scheduled",
        customer={"id": "C-9", "name": "Joe", "timezone": zone},
        title="help",
        rate=amount("3.00"),
        slots=[{"start": "2026-12-03T19:00:00Z", "minutes": 60}],
    )


def test_a_session_names_the_claim_on_it(states: Shell, clock: SetClock) -> None:
    """`show` and `list` name the command, and it takes the session."""
    clock.set(at("2026-10-21 09:00"))
    command = "liveportal dispute file S-1003 --edit"
    for argv in (("sessions", "show", "S-1003"), ("sessions", "list")):
        assert command in states.run(*argv, terminal=True).err
        assert "dispute file" not in states.run(*argv).err
    early = states.refuses(4, "dispute", "rule", "CL-2", "--accepted")
    assert "liveportal dispute file CL-2" in early["hint"]
    filed = ("dispute", "file", "S-1003", "--summary", "Fixed.", "--key", "D-1")
    assert states.ok(*filed)["id"] == "CL-2"
    assert states.ok(*filed)["replayed"] is True
    missing = states.refuses(3, "dispute", "file", "S-1002", "--summary", "Fixed.")
    assert missing["message"] == "Session S-1002 has no refund claim."
    assert (
        states.refuses(3, "dispute", "file", "nope", "--summary", "x")["details"]["kind"] == "claim"
    )


def test_an_interrupted_watch_says_what_came(empty: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is its end: exit 0, with a summary for a person."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting.Wait, "__call__", interrupt)
    feed = empty.file("feed.jsonl", _opened_in_zone("UTC"))
    ran = empty.run("requests", "watch", feed, terminal=True)
    assert (ran.code, ran.out.count("R-1: ")) == (0, 1)
    assert ran.err.endswith("Stopped watching: 1 new request.\n")
    assert empty.run("requests", "watch", feed).err == ""


FILES = (
    "init --timezone Europe/Paris --dry-run",
    "init --timezone Europe/Paris",
    "sync october.jsonl --dry-run",
    "sync october.jsonl",
    "sync october.jsonl",
    "ledger backup -o backup.zip --dry-run",
    "ledger backup -o backup.zip",
    "ledger restore backup.zip --yes --dry-run",
    "ledger restore backup.zip --yes",
    "ledger export events -o book.jsonl",
    "ledger import book.jsonl --yes --dry-run",
    "ledger import book.jsonl --yes",
    "payout profile set --name Anna",
    "payout profile rotate-key --dry-run",
    "payout profile rotate-key --keep-old-key old.key",
)
"""Writes that are not one event each, in an order in which they succeed."""
VARYING = (
    (re.compile(r"[0-9,]+ bytes"), "N bytes"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "K"),
    (re.compile(r"replaced-[0-9TZ]+"), "replaced-T"),
)


def test_files_and_the_ledger_answer_in_sentences(
    nothing: Shell, clock: SetClock, pytestconfig: pytest.Config
) -> None:
    """init, sync, backup, restore, export, import and rotate-key; and what they name works."""
    clock.set(at("2026-11-04 09:00"))
    (nothing.folder / "october.jsonl").write_bytes(OCTOBER.read_bytes())
    written = ""
    for command in FILES:
        ran = nothing.run(*command.split(), terminal=True)
        assert ran.code == 0, (command, ran)
        text = ran.out.replace(f"{nothing.folder}/", "")
        for varying, name in VARYING:
            text = varying.sub(name, text)
        # A path of this machine was wrapped by its own length.
        written += f"$ liveportal {command}\n{' '.join(text.split())}\n\n"
        for named in re.findall(r"^  [A-Z][^:\n]*: +liveportal (.*)$", ran.out, re.MULTILINE):
            assert nothing.run(*shlex.split(named)).code in (0, 10), named
    stored = STORED / "files.txt"
    if pytestconfig.getoption("--update-golden"):
        stored.write_bytes(written.encode())
    assert written == stored.read_bytes().decode()


def test_a_next_command_stays_true_when_more_is_made(empty: Shell) -> None:
    """Generated ids begin with the time: the short form of one is no beginning of later ones."""
    argv = ("requests", "add", "--customer", "C-1", "--title", "Help", "--rate", "3")
    first = empty.run(*argv, terminal=True).out
    time.sleep(0.3)
    empty.run(*argv, terminal=True)
    (command,) = re.findall(r"Accept it: +liveportal (.+)", first)
    assert empty.run(*command.split(), "--dry-run").code == 0
