"""Output for a person: tables, colours, hints and questions, on a pseudo-terminal."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.kit.planned_sessions import SetNow, now
from tests.kit.shell import OCTOBER, PROGRAM, Ran, Shell, assert_no_traceback
from tests.kit.states import READS

if sys.platform == "win32":
    pytest.skip("needs a terminal of Unix", allow_module_level=True)

import pty

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["now"]

COLOUR = re.compile("\x1b\\[[0-9;]*m")
SECONDS = 30
INTERRUPT = b"\x03"


class Screen:
    """A terminal: everything that it was sent, results and messages together."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    def __call__(
        self,
        *argv: object,
        answer: bytes = b"",
        columns: int = 100,
        env: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run the program on a terminal; `answer` is typed once it asks, ETX interrupts it."""
        given = {"TERM": "xterm-256color", "COLUMNS": str(columns), **(env or {})}
        terminal, inner = pty.openpty()
        try:
            with subprocess.Popen(
                [*PROGRAM, *map(str, argv)],
                stdin=inner,
                stdout=inner,
                stderr=inner,
                cwd=self.shell.folder,
                env=self.shell.environment(**given),
                start_new_session=True,  # The tests' own terminal, if any, is left alone.
            ) as running:
                os.close(inner)
                shown = _read(terminal, answer, running)
        finally:
            os.close(terminal)
        return Ran(running.returncode, shown.decode().replace("\r\n", "\n"), "")


def _read(terminal: int, answer: bytes, running: subprocess.Popen[bytes]) -> bytes:
    """Read until the program has gone, answering its question on the way."""
    shown = b""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        ready, _, _ = select.select([terminal], [], [], 1)
        if not ready:
            continue
        try:
            chunk = os.read(terminal, 65_536)
        except OSError:  # Linux reports a closed writer like this.
            return shown
        if not chunk:
            return shown
        shown += chunk
        if answer and b"[y/N]" in shown:
            if answer == INTERRUPT:
                running.send_signal(signal.SIGINT)
            else:
                os.write(terminal, answer)
            answer = b""
    running.kill()
    pytest.fail(f"it waits for ever: {shown!r}")


@pytest.fixture
def screen(states: Shell) -> Screen:
    """Give a terminal before a ledger that holds something in every state."""
    return Screen(states)


@pytest.mark.parametrize("command", READS)
def test_every_listing_is_shown(
    states: Shell, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal each read shows its own columns, whole, and never fails for being shown."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    ran = states.run(*command.split(), terminal=True)
    assert ran.code == (10 if command == "due" else 0), ran
    assert "error" not in ran.err
    assert ran.out.strip()
    assert "\x1b" not in ran.out + ran.err
    for name in ("REQ-1006", "S-1002", "CL-1"):
        if name in command:
            assert name in ran.out


@pytest.mark.slow
def test_a_table_with_colours_and_a_hint(screen: Screen) -> None:
    """Headings, rows and the next step; no colours with NO_COLOR and TERM=dumb."""
    shown = screen("requests", "list", "--state", "open", columns=160)
    assert shown.code == 0
    assert COLOUR.search(shown.out)
    for output in ("would earn", "REQ-1006", "Profiler session", "requests accept"):
        assert output in shown.out
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = screen("requests", "list", "--state", "open", columns=160, env=env)
        assert "\x1b" not in plain.out
        assert "REQ-1006" in plain.out
    error = screen("requests", "show", "nope")
    assert (error.code, COLOUR.sub("", error.out)[:7]) == (3, "error: ")
    assert "\x1b" not in screen("requests", "show", "nope", env={"NO_COLOR": "1"}).out


def test_json_on_a_terminal_is_json(screen: Screen) -> None:
    """Asked for JSON, a terminal gets JSON and no colours, tables or hints."""
    shown = screen("requests", "list", "--json")
    assert shown.out.startswith("[")
    assert "\x1b" not in shown.out


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [(b"yes\n", 0), (b"\n", 7), (b"sure\n", 7)])
def test_a_question_says_what_it_will_cost(screen: Screen, answer: bytes, code: int) -> None:
    """On a terminal it asks, names the amount, and only a yes is a yes."""
    shown = screen("refunds", "concede", "CL-2", answer=answer)
    assert shown.code == code
    assert "CL-2" in shown.out
    assert "63.00 USD" in shown.out
    state = screen.shell.ok("refunds", "show", "CL-2")["state"]
    assert state == ("open" if code else "conceded")
    said = (
        "Nothing was recorded.\n" if code else "Conceded Zoë's claim CL-2 for session S-1003: 63.00"
    )
    assert said in shown.out
    assert "error" not in shown.out


@pytest.mark.slow
def test_an_interrupted_question_is_130(screen: Screen) -> None:
    """Ctrl-C at the question does nothing, quietly."""
    shown = screen("refunds", "concede", "CL-2", answer=INTERRUPT)
    assert shown.code == 130
    assert_no_traceback(shown.out)
    assert screen.shell.ok("payout", "show", "PO-1")["state"] == "sent"


@pytest.mark.slow
def test_a_sync_shows_progress_and_a_summary(screen: Screen) -> None:
    """The bar is for the terminal only; the summary has the counts."""
    shown = screen("sync", OCTOBER)
    assert shown.code == 0
    plain = COLOUR.sub("", shown.out)
    assert "Recorded no new events. 22 events were recorded before." in plain
    assert "22" in screen.shell.output_of("sync", OCTOBER)


def test_nothing_is_broken_on_a_narrow_terminal(screen: Screen) -> None:
    """Ids and states stay in one piece at 80 columns, failures of many ids included."""
    shown = screen("requests", "accept", "REQ-2001", "REQ-1005", "nope", columns=80)
    assert shown.code == 4
    plain = COLOUR.sub("", shown.out)
    for word in ("REQ-2001", "REQ-1005", "accepted", "taken", "nope"):
        assert word in plain
    assert max(map(len, plain.splitlines())) <= 80


def test_a_refusal_shows_short_ids_to_a_person(empty: Shell) -> None:
    """As tables do; a pipe and JSON have whole ids, which scripts compare."""
    name = "REQ-0199f0a2-4c5e-7d31-9a1f-aaaaaaaaaaaa"
    empty.ok("requests", "add", "--customer", "C-1", "--title", "x", "--rate", "3", "--id", name)
    empty.ok("requests", "decline", name)
    shown = empty.run("requests", "accept", name, terminal=True)
    assert shown.code == 4
    assert "Request REQ-0199 has been declined" in shown.err
    assert name not in shown.err
    assert f"Request {name} has been declined" in empty.run("requests", "accept", name).err
    assert name in empty.refuses(4, "requests", "accept", name)["message"]


def test_a_refusal_shows_times_of_the_expert_to_a_person(empty: Shell, now: SetNow) -> None:
    """In the expert's zone and to the second; scripts get UTC and every digit."""
    now("2019-10-05T14:00:00.123456Z")
    empty.ok("preferences", "set", "--zone", "Europe/Paris")
    empty.ok("requests", "add", "--customer", "C-1", "--title", "x", "--rate", "3", "--id", "R-1")
    empty.ok("requests", "accept", "R-1")
    shown = empty.run("requests", "accept", "R-1", terminal=True)
    assert "(2019-10-05 16:00 Europe/Paris)" in shown.err
    exact = "2019-10-05 14:00:00.123456 UTC"
    assert exact in empty.run("requests", "accept", "R-1").err
    assert exact in empty.refuses(4, "requests", "accept", "R-1")["message"]


def test_what_is_refused_is_not_asked_about(screen: Screen) -> None:
    """A decided claim cannot be conceded: the refusal comes before any question."""
    screen.shell.ok("dispute", "rule", "CL-1", "--accepted")
    shown = screen("refunds", "concede", "CL-1")
    assert shown.code == 4
    assert "[y/N]" not in shown.out
