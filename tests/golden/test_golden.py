"""The golden run: every read of four books, in every format, compared with stored output.

A change that is meant to keep all output leaves `tests/golden/expected` as it is. Any other one
shows in its diff what it changes:

    pytest tests/golden --update-golden
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import liveportal
from tests.golden.books import BOOKS, fixed_clock, make
from tests.golden.reads import NAMES, NO_READS, READS
from tests.kit.shell import ROOT, Shell
from tests.kit.states import WRITES

EXPECTED = Path(__file__).parent / "expected"
FORMATS: dict[str, tuple[str, ...]] = {
    "in a pipe": (),
    "--tsv --header": ("--tsv", "--header"),
    "--csv": ("--csv",),
    "--json": ("--json",),
    "--jsonl": ("--jsonl",),
    "on a terminal": (),
}
DOCUMENTS = ("preferences export", "sessions calendar", "earnings statement", "ledger export")
"""They write a document of their own, and so take no format."""


def file_name(line: str) -> str:
    """Return the name under which a read's output is stored."""
    return f"{re.sub('[^a-z0-9]+', '-', line.lower())}.txt"


def reads(book: str) -> Iterator[str]:
    """Yield the reads whose names a book has."""
    names = {"month": BOOKS[book].month, "as_known": BOOKS[book].as_known, **NAMES[book]}
    for line in READS:
        if set(re.findall(r"\{(\w+)\}", line)) <= names.keys():
            yield line.format(**names)


RUNS = [(book, line) for book in BOOKS for line in reads(book)]


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that makes a book's folder, once a module."""
    made: dict[str, Path] = {}

    def folder(book: str) -> Path:
        if book not in made:
            made[book] = tmp_path_factory.mktemp(book)
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(made[book])
                patch.setenv("LIVEPORTAL_KEYRING", "off")
                patch.setenv("HOME", str(made[book]))
                patch.setenv("XDG_STATE_HOME", str(made[book] / "state"))
                make(book, made[book])
        return made[book]

    return folder


@pytest.mark.parametrize(
    ("book", "line"),
    [
        # One book is quick, but for what replays it under every reading of its rules.
        pytest.param(
            *(book, line),
            id=f"{book}: {line}",
            marks=() if book == "states" and "--bounds" not in line else pytest.mark.slow,
        )
        for book, line in RUNS
    ],
)
def test_what_a_read_writes_is_what_is_stored(
    book: str,
    line: str,
    ledgers: Callable[[str], Path],
    tmp_path: Path,
    tmp_ledger_env: Path,  # noqa: ARG001 -- The developer's own settings stay out.
    monkeypatch: pytest.MonkeyPatch,
    pytestconfig: pytest.Config,
) -> None:
    """In a pipe, on a terminal of 80 columns, and in each format."""
    folder = tmp_path / "book"
    shutil.copytree(ledgers(book), folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("LIVEPORTAL_LEDGER", str(folder / "ledger.db"))
    written = transcript(Shell(folder, folder / "ledger.db"), book, line)
    stored = EXPECTED / book / file_name(line)
    if pytestconfig.getoption("--update-golden"):
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_bytes(written.encode())
    assert written == stored.read_bytes().decode(), f"see {stored.relative_to(ROOT)}"


def transcript(shell: Shell, book: str, line: str) -> str:
    """Return the output of a read in each format, and its exit codes."""
    outputs = []
    for name, options in FORMATS.items():
        if options and line.startswith(DOCUMENTS):
            continue
        with fixed_clock(BOOKS[book].read_at):
            ran = shell.run(*line.split(), *options, terminal=name == "on a terminal")
        outputs.append(f"### {name}: exit {ran.code}\n{ran.out}")
        if ran.err:
            # The line that a progress bar leaves behind depends on the version of rich.
            messages = ran.err.lstrip("\n")
            outputs.append(f"### its messages\n{messages}")
        if "-o" in line.split():
            outputs.append(
                f"### its file\n{shell.folder.joinpath(line.rsplit(maxsplit=1)[-1]).read_text()}"
            )
    text = "\n".join(outputs).replace(str(shell.folder), "/book")
    return text.replace(f"liveportal {liveportal.__version__}", "liveportal X.Y.Z")


def test_every_command_is_read_or_is_said_to_be_no_read() -> None:
    """A new command that reads must be in the golden run."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "make_reference.py")
    assert spec
    assert spec.loader
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    commands = {" ".join(words) for words in reference.command_names()}
    read = {"earnings summary" if line.startswith("earnings -") else line for line in READS}
    writes = {write.name for write in WRITES}
    missing = {
        name
        for name in commands - NO_READS - writes
        if not any(f"{line} ".startswith(f"{name} ") for line in read)
    }
    assert missing == set()


def test_no_stored_output_is_without_its_read() -> None:
    """What is stored for a read that is gone would never be looked at."""
    stored = {str(path.relative_to(EXPECTED)) for path in EXPECTED.rglob("*.txt")}
    assert stored == {
        f"{book}/{re.sub('[^a-z0-9]+', '-', line.lower())}.txt" for book, line in RUNS
    }
