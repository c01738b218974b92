"""The command line with sample commands, run as a program would run it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest

from liveportal.cli.app import COMMANDS, Lazy
from liveportal.cli.errors import main
from liveportal.cli.options import LEDGER_VARIABLE

if TYPE_CHECKING:
    from pathlib import Path


class Result(NamedTuple):
    """What a run ended with."""

    code: int
    out: str
    err: str


class Run(Protocol):
    """Runs the program on arguments."""

    def __call__(self, *argv: str) -> Result: ...


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_ledger_env: Path
) -> Run:
    """Run the program in this process, its output going into a pipe."""
    monkeypatch.delenv(LEDGER_VARIABLE, raising=False)
    monkeypatch.setitem(COMMANDS, "sample", Lazy("tests.cli.sample", "Samples."))
    monkeypatch.setitem(COMMANDS, "single", Lazy("tests.cli.sample_single", "One command."))

    def in_process(*argv: str) -> Result:
        code = main(argv)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return in_process
