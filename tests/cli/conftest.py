"""The command line with sample commands, run as a program would run it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest

from liveportal.cli.app import COMMANDS, LazyGroup
from liveportal.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


class Result(NamedTuple):
    """What a run ended with."""

    code: int
    out: str
    err: str


class Run(Protocol):
    """Runs the program on arguments."""

    def __call__(self, *argv: str) -> Result:
        """Run the command line; return its output and exit code."""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def run(
    tmp_ledger_env: Path,  # noqa: ARG001 -- The developer's own settings stay out.
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Run the program in this process, its output going into a pipe."""
    monkeypatch.setitem(COMMANDS, "sample", LazyGroup("tests.cli.sample", "Samples."))
    monkeypatch.setitem(COMMANDS, "single", LazyGroup("tests.cli.sample_single", "One command."))

    def in_process(*argv: str) -> Result:
        code = main(argv)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return in_process
