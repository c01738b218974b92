"""What a terminal gets after each write: sentences, and next commands that work when typed."""

from __future__ import annotations

import re
import shlex
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from liveportal.domain.clock import from_text
from tests.kit.states import WRITES, Write

if TYPE_CHECKING:
    from tests.kit.shell import SetClock, Shell

STORED = Path(__file__).parent / "answers"
MADE_UP = re.compile(r"\b(REQ|S|CL|PO|AD)-01[0-9a-f]{3,}[0-9a-f-]*")
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
    assert {path.name for path in STORED.iterdir()} == {*map(file_name, WRITES)}


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
    assert "holds 42.00 USD" in day.follow("If it is claimed back", "--reason", "slow")
    assert "stays held" in day.follow("Dispute it")
    assert "42.00 USD that it held is yours again" in day.follow("If it is accepted")
    assert "session" in day.follow("When that is paid")
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
