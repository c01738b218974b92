"""`ledger export events --with-attachments` and back: one archive with events and files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.test_transfer import EXPORT, IMPORT, book, files, ok, other
from tests.kit.shell import Shell

pytestmark = pytest.mark.slow
__all__ = ["book"]  # A fixture.


@pytest.fixture
def archive(book: Shell) -> Path:
    """Export the ledger with its files."""
    path = book.folder / "book.zip"
    row = book.ok(*EXPORT, "--with-attachments", "-o", path)
    assert row["files"] == 2
    return path


def rewrite(archive: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Write the archive again with other members."""
    with zipfile.ZipFile(archive) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    with zipfile.ZipFile(archive, "w") as new:
        for name, content in members.items():
            new.writestr(name, content)


def test_a_new_ledger_has_the_files_and_their_messages(book: Shell, archive: Path) -> None:
    """The vaults are equal, and what was said is found again."""
    rebuilt = other(book)
    row = ok(rebuilt, *IMPORT, archive, "--yes")
    assert (row["attached"], row["attach_again"]) == (2, 0)
    vaults = [files(Path(f"{shell.ledger}.vault")) for shell in (book, rebuilt)]
    assert vaults[0] == vaults[1]
    assert sum(len(name) > 64 for name in vaults[0]) == 2
    found = [ok(shell, "sessions", "search", "flickers") for shell in (book, rebuilt)]
    assert found[0] == found[1]
    assert ok(rebuilt, "ledger", "verify")["ok"]
    events = [ok(shell, "ledger", "info")["events"] for shell in (book, rebuilt)]
    assert events[0] == events[1]


def test_a_dry_run_says_what_would_be(book: Shell, archive: Path) -> None:
    """And makes nothing."""
    rebuilt = other(book)
    row = ok(rebuilt, *IMPORT, archive, "--dry-run")
    assert (row["attached"], row["attach_again"]) == (2, 0)
    assert not rebuilt.ledger.exists()


def test_a_second_import_brings_only_what_is_lacking(book: Shell, archive: Path) -> None:
    """First the events alone, then the same with the files."""
    rebuilt = other(book)
    with zipfile.ZipFile(archive) as members:
        events = book.file("events.jsonl", members.read("events.jsonl"))
    assert ok(rebuilt, *IMPORT, events, "--yes")["attach_again"] == 2
    row = ok(rebuilt, *IMPORT, archive, "--yes")
    assert (row["recorded"], row["attached"], row["attach_again"]) == (0, 2, 0)
    assert ok(rebuilt, *IMPORT, archive, "--yes")["attached"] == 0


def test_a_changed_file_is_refused(book: Shell, archive: Path) -> None:
    """Its hash is not the recorded one; the events are there, and the file is not."""

    def change(members: dict[str, bytes]) -> None:
        name = next(name for name in members if name.startswith("files/"))
        members[name] += b"!"

    rewrite(archive, change)
    rebuilt = other(book)
    ran = rebuilt.run("--ledger", rebuilt.ledger, *IMPORT, archive, "--yes")
    assert ran.code == 1
    assert "was changed" in ran.err
    assert ok(rebuilt, "ledger", "verify")["ok"]


@pytest.mark.parametrize("name", ["../evil", "files/short", "/etc/passwd", "files/", "x.jsonl"])
def test_other_files_are_refused(book: Shell, archive: Path, name: str) -> None:
    """Before anything is recorded."""
    rewrite(archive, lambda members: members.update({name: b""}))
    rebuilt = other(book)
    assert rebuilt.run("--ledger", rebuilt.ledger, *IMPORT, archive, "--yes").code == 1
    assert not rebuilt.ledger.exists()


@pytest.mark.parametrize("keep", [10, 1000])
def test_a_cut_archive_is_refused(book: Shell, archive: Path, keep: int) -> None:
    """Its directory is at its end."""
    archive.write_bytes(archive.read_bytes()[:keep])
    rebuilt = other(book)
    ran = rebuilt.run("--ledger", rebuilt.ledger, *IMPORT, archive, "--yes")
    assert ran.code == 1
    assert "is not an export with files" in ran.err
    assert not rebuilt.ledger.exists()


def test_an_archive_comes_from_standard_input(book: Shell, archive: Path) -> None:
    """As any export does."""
    rebuilt = other(book)
    assert ok(rebuilt, *IMPORT, "-", "--yes", stdin=archive.read_bytes())["attached"] == 2


def test_a_lost_file_is_named_and_left_out(book: Shell) -> None:
    """The export has the others."""
    lost = next(Path(f"{book.ledger}.vault").glob("??/*"))
    kept = lost.rename(book.folder / "kept")
    row = book.ok(*EXPORT, "--with-attachments", "-o", book.folder / "book.zip")
    assert row["files"] == 1
    kept.rename(lost)  # Every ledger of the tests is verified when they end.


@pytest.mark.parametrize(
    "options", [("--with-attachments",), ("--with-attachments", "--without-personal", "-o", "x")]
)
def test_what_an_archive_cannot_be_is_wrong_usage(book: Shell, options: tuple[str, ...]) -> None:
    """Neither on a pipe nor without what is personal."""
    assert book.run(*EXPORT, *options).code == 2
