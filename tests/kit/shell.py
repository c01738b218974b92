"""Runs the program for the command tests, in this process or in one of its own.

What a command writes as JSON is validated against its schema (`schemas.check_output`).

Running in this process is quicker, and otherwise the same: the streams are real ones over bytes.
Tests that need pipes, closed streams or the list of imports run a process of its own.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import typer.main

import liveportal
from liveportal.cli.clock import system_clock
from liveportal.cli.main import main
from liveportal.ledger.opening import open_readonly
from tests.kit.ledger_files import dump, say
from tests.kit.schemas import check_output

ROOT = Path(liveportal.__file__).parents[1]
OCTOBER = ROOT / "liveportal" / "samples" / "october.jsonl"
PROGRAM = (sys.executable, "-m", "liveportal")

_parameters = cache(typer.main.get_params_from_function)  # type: ignore[attr-defined]
"""Reads a signature once a session: a user's process runs one command, a test's runs thousands."""


class Ran(NamedTuple):
    """What a run ended with."""

    code: int
    out: str
    err: str


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


class SetClock:
    """The clock of a shell's runs: the system's until it is set, then it stands still."""

    time: datetime | None = None

    def set(self, time: datetime) -> None:
        """Let all later runs happen at this time."""
        self.time = time

    def __call__(self) -> datetime:
        """Return the time of a run."""
        return self.time or system_clock()


@dataclass(frozen=True)
class Shell:
    """A shell in a folder, whose commands are about one ledger, at the time of one clock."""

    folder: Path
    ledger: Path
    clock: SetClock = field(default_factory=SetClock)

    # --- running --------------------------------------------------------------------------------

    def run(self, *argv: object, stdin: bytes = b"", terminal: bool = False) -> Ran:
        """Run the program in this process; `terminal` applies to its output."""
        stream = Terminal if terminal else io.TextIOWrapper
        out, err = stream(io.BytesIO(), "utf-8"), stream(io.BytesIO(), "utf-8")
        source = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            patch.object(sys, "stdin", source),
            patch.object(typer.main, "get_params_from_function", _parameters),
        ):
            code = main([str(argument) for argument in argv], self.clock)
        ran = Ran(code, _text(out), _text(err))
        check_output([str(argument) for argument in argv], ran.out)
        return ran

    def process(self, *argv: object, stdin: bytes = b"") -> Ran:
        """Run the program as a process of its own, without a terminal."""
        done = subprocess.run(
            [*PROGRAM, *map(str, argv)],
            input=stdin,
            capture_output=True,
            cwd=self.folder,
            env=self.environment(),
            timeout=60,
            check=False,
        )
        check_output([str(argument) for argument in argv], done.stdout.decode())
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def script(self, line: str) -> Ran:
        """Run a line of the system's shell, in which `liveportal` is the program."""
        program = f'liveportal() {{ "{PROGRAM[0]}" -m liveportal "$@"; }}; set -o pipefail'
        done = subprocess.run(
            ["bash", "-c", f"{program}\n{line}"],  # noqa: S607 -- Wherever a system has it.
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=self.folder,
            env=self.environment(),
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a subprocess: the test's home, the ledger, the path."""
        names = (
            *("PATH", "HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "LOCALAPPDATA", "SYSTEMROOT"),
            *("LIVEPORTAL_LEDGER", "LIVEPORTAL_KEYRING", "TZ"),
        )
        kept = {name: os.environ[name] for name in names if name in os.environ}
        return {**kept, "PYTHONPATH": str(ROOT), **more}

    def says(self, *lines: bytes) -> None:
        """Record an event as the expert that a feed may not report."""
        say(self.ledger, *lines)

    # --- asking ---------------------------------------------------------------------------------

    def ok(self, *argv: object, stdin: bytes = b"") -> Any:  # noqa: ANN401 -- Whatever JSON holds.
        """Run a command that succeeds without messages, and return its parsed JSON."""
        # After `--` it would be an argument.
        end = argv.index("--") if "--" in argv else len(argv)
        ran = self.run(*argv[:end], "--json", *argv[end:], stdin=stdin)
        assert ran.code in _done(argv), (argv, ran)
        assert ran.err == "", (argv, ran)
        return json.loads(ran.out)

    def output_of(self, *argv: object) -> str:
        """Run a command that succeeds without messages, and return its output into a pipe."""
        ran = self.run(*argv)
        assert ran.code in _done(argv), (argv, ran)
        assert ran.err == "", (argv, ran)
        return ran.out

    def refuses(self, code: int, *argv: object, stdin: bytes = b"") -> dict[str, Any]:
        """Run a command that fails, in text and as JSON, and return the JSON error.

        Neither run may write to standard output or to the ledger, and the message must be a
        sentence without a traceback.
        """
        before = self.dump() if self.ledger.is_file() else []
        words = self.run(*argv, stdin=stdin)
        assert words.code == code, (argv, words)
        assert words.out == ""
        assert words.err.startswith("error: ")
        assert_no_traceback(words.err)
        ran = self.run(*argv, "--json", stdin=stdin)
        assert (ran.code, ran.out) == (code, ""), (argv, ran)
        error = error_of(ran.err)
        assert error["exit"] == code
        assert self.ledger.is_file() is bool(before)
        assert before == (self.dump() if before else []), "a refused command left something behind"
        return error

    def dump(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """Return the whole content of the ledger, table by table."""
        with open_readonly(self.ledger) as reader:
            return dump(reader)

    # --- making ---------------------------------------------------------------------------------

    def file(self, name: str, content: bytes | str) -> Path:
        """Write a file in the shell's folder."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def _done(argv: Sequence[object]) -> tuple[int, ...]:
    """Return the exit codes of success; `due` has another where something is due."""
    return (0, 10) if argv[:1] == ("due",) else (0,)


def error_of(text: str) -> dict[str, Any]:
    """Return the error that one line of standard error holds, which has the contract's form."""
    assert text.count("\n") == 1
    assert text.endswith("\n")
    document = json.loads(text)
    assert list(document) == ["error"]
    error: dict[str, Any] = document["error"]
    assert list(error) == ["code", "message", "hint", "exit", "details"]
    assert error["message"]
    assert error["code"].isidentifier()
    assert error["code"] != "bug"
    assert isinstance(error["details"], dict)
    return error


def assert_no_traceback(text: str) -> None:
    """Assert that there is no traceback, and nothing that the program reports as a bug."""
    assert "Traceback" not in text
    assert "this is a bug" not in text


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    written = stream.buffer
    assert isinstance(written, io.BytesIO)
    return written.getvalue().decode()
