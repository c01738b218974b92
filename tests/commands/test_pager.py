"""What is taller than the screen is shown in the user's pager, on a terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.kit.shell import PROGRAM, Ran, Shell

if sys.platform == "win32":
    pytest.skip("needs a terminal of Unix", allow_module_level=True)

import fcntl
import pty
import struct
import termios

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

pytestmark = pytest.mark.slow


ROWS, COLUMNS = 6, 100
READY = b"ready"
TALL = ("earnings", "transactions")
SHORT = ("sessions", "show", "S-1001", "--fields", "id,state")
COLOUR = re.compile("\x1b\\[[0-9;]*m")

FAKE = """#!/bin/sh
# A pager that keeps what it is given, and the options of less.
echo "$LESS" > less.txt
cat > paged.txt
echo "(end of page)"
"""


class Screen:
    """A terminal of six rows before a ledger, with a pager that keeps what it is given."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.pager = shell.file("fake", FAKE)
        self.pager.chmod(0o700)

    def __call__(
        self,
        *argv: str,
        rows: int = ROWS,
        pager: str | None = None,
        **more: Any,  # noqa: ANN401 -- As `command` has them.
    ) -> Ran:
        """Run the program with a pager, by default the fake one; see `command`."""
        given = {"LIVEPORTAL_PAGER": str(self.pager) if pager is None else pager}
        return self.command(
            [*PROGRAM, *argv], rows=rows, **{**more, "env": given | more.get("env", {})}
        )

    def command(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        rows: int = ROWS,
        number: int | None = None,
    ) -> Ran:
        """Run a command on the terminal; a signal is sent when the pager says that it is ready."""
        terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", rows, COLUMNS, 0, 0))
        with subprocess.Popen(
            argv,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=self.shell.folder,
            env=self.shell.environment(**{"TERM": "xterm", **env}),
            start_new_session=True,
        ) as running:
            os.close(inner)
            shown = b""
            while chunk := _read(terminal):
                shown += chunk
                if number is not None and READY in shown:
                    os.killpg(running.pid, number)
                    number = None
        os.close(terminal)
        return Ran(running.returncode, shown.decode().replace("\r\n", "\n"), "")

    def paged(self) -> str | None:
        """Return what the pager was given, once; None if it was not run."""
        path = self.shell.folder / "paged.txt"
        text = path.read_text("utf-8") if path.exists() else None
        path.unlink(missing_ok=True)
        return text


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux reports a closed terminal like this.
        return b""


@pytest.fixture
def screen(states: Shell) -> Screen:
    """Give a terminal before a ledger with something in every state."""
    return Screen(states)


def test_a_tall_listing_is_paged_and_a_short_one_is_not(screen: Screen) -> None:
    """The pager gets all of it, once; what fits is written as it is."""
    whole = screen(*TALL, "--no-pager")
    assert screen.paged() is None
    ran = screen(*TALL)
    assert (ran.code, ran.out) == (0, "(end of page)\n")
    assert screen.paged() == COLOUR.sub("", whole.out)
    assert "S-1001" in screen(*SHORT).out
    assert screen.paged() is None
    assert "(end of page)" not in screen(*TALL, rows=200).out


@pytest.mark.parametrize("rows", [23, 24, 25])
def test_the_last_row_is_that_of_the_prompt(screen: Screen, rows: int) -> None:
    """A text as tall as the screen is paged; one that leaves a row is not."""
    lines = screen(*TALL, "--no-pager").out.count("\n")
    screen(*TALL, rows=lines - 24 + rows)
    assert (screen.paged() is None) == (rows > 24)


@pytest.mark.parametrize(
    ("argv", "env"),
    [
        ((*TALL, "--json"), {}),
        ((*TALL, "--tsv"), {}),
        (("sessions", "tip", "S-1001", "5.00", "--at", "2026-11-20 10:00", "--anyway"), {}),
        (("earnings", "transactions"), {"LIVEPORTAL_PAGER": ""}),
        (("earnings", "transactions"), {"TERM": "dumb"}),
        (("--help",), {}),
    ],
)
def test_what_is_not_paged(screen: Screen, argv: tuple[str, ...], env: dict[str, str]) -> None:
    """Formats for scripts, what a write did, an empty variable, a terminal that can do nothing."""
    ran = screen(*argv, rows=3, env=env)
    assert ran.code == 0
    assert len(ran.out.splitlines()) >= (1 if "tip" in argv else 4)
    assert screen.paged() is None


def test_a_pipe_is_never_paged(states: Shell) -> None:
    """Nor is it asked whether there is a pager."""
    fake = Screen(states)
    process = subprocess.run(
        [*PROGRAM, *TALL],
        capture_output=True,
        cwd=states.folder,
        env=states.environment(LIVEPORTAL_PAGER=str(fake.pager), LINES="3"),
        timeout=60,
        check=True,
    )
    assert process.stdout.decode() == states.output_of(*TALL)
    assert fake.paged() is None


def test_figures_and_their_chart_are_one_page(screen: Screen) -> None:
    """`earnings` draws its months below: they are not paged apart."""
    ran = screen("earnings", "--month", "2026-10")
    assert ran.out.count("(end of page)") == 1
    page = screen.paged() or ""
    assert page.startswith("Earnings for 2026-10")
    assert page.count("2026-10") > 2
    assert "\x1b" not in page


def test_the_second_variable_and_the_default(screen: Screen) -> None:
    """LIVEPORTAL_PAGER before PAGER before `less`, which gets colours and options."""
    environment = {"LIVEPORTAL_PAGER": "false", "PAGER": str(screen.pager)}
    assert "The pager 'false' failed" in screen(*TALL, env=environment).out
    less = screen.shell.file("less", FAKE)
    less.chmod(0o700)
    ran = screen(*TALL, pager=str(less))
    assert ran.out == "(end of page)\n"
    assert COLOUR.search(screen.paged() or "")
    assert (screen.shell.folder / "less.txt").read_text() == "FRX\n"
    screen(*TALL, pager=str(less), env={"LESS": "M"})
    assert not COLOUR.search(screen.paged() or "\x1b[m")
    screen(*TALL, pager=f"{less} -MR", env={"LESS": "M"})
    assert COLOUR.search(screen.paged() or "")
    screen(*TALL, pager=str(less), env={"NO_COLOR": "1"})
    assert not COLOUR.search(screen.paged() or "\x1b[m")


def test_a_pager_found_on_the_path(screen: Screen) -> None:
    """PAGER if the program's own variable is not set, and `less` if neither is."""
    bin_folder = screen.shell.folder / "bin"
    bin_folder.mkdir()
    (bin_folder / "less").write_text(FAKE)
    (bin_folder / "less").chmod(0o700)
    path = f"{bin_folder}:{os.environ['PATH']}"
    run = f'unset LIVEPORTAL_PAGER; "{sys.executable}" -m liveportal {" ".join(TALL)}'
    for pager in ("", f"export PAGER='{screen.pager}';"):
        ran = screen.command(["/bin/sh", "-c", f"{pager} {run}"], {"PATH": path})
        assert ran.out == "(end of page)\n"
        assert bool(COLOUR.search(screen.paged() or "")) == (not pager)


@pytest.mark.parametrize("command", ["sh -c 'exit 0'", "head -n 2", "sh -c 'kill -9 $$'"])
def test_a_pager_that_ends_early_ends_quietly(screen: Screen, command: str) -> None:
    """It is no failure, and nothing is written again."""
    ran = screen(*TALL, pager=command)
    assert ran.code == 0
    assert len(ran.out.splitlines()) <= 2


@pytest.mark.parametrize("command", ["no-such-pager", "sh -c 'exit 127'", "'", "."])
def test_a_broken_pager_is_done_without(screen: Screen, command: str) -> None:
    """A note says so, and the text is written as it is."""
    whole = screen(*TALL, "--no-pager").out
    ran = screen(*TALL, pager=command)
    assert ran.code == 0
    assert f"note: The pager {command!r} failed." in ran.out
    assert ran.out.endswith(whole)


def test_the_ledger_is_closed_while_it_is_read(screen: Screen) -> None:
    """A pager may stay open for hours: another program can write meanwhile."""
    line = f'"{sys.executable}" -m liveportal sessions tip S-1001 5.00 --anyway > tip.txt 2>&1'
    ran = screen(*TALL, pager=f"sh -c 'cat > /dev/null; {line}'")
    assert ran.code == 0, ran
    assert "S-1001" in (screen.shell.folder / "tip.txt").read_text()


def test_ctrl_c_is_the_pagers(screen: Screen) -> None:
    """It ends only the pager; SIGTERM ends both."""
    slow = "sh -c 'sleep 20 & trap \"kill $!; echo interrupted; exit 3\" INT; echo ready; wait'"
    ran = screen(*TALL, number=signal.SIGINT, pager=slow)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "interrupted")
    ended = screen(*TALL, number=signal.SIGTERM, pager="sh -c 'echo ready; exec sleep 20'")
    assert ended.code == 143
