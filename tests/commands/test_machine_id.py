"""The machine's id: in every event of the expert's, and in nothing that is shown."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.domain.events.envelope import CLI_SOURCE, MACHINE
from liveportal.domain.events.types import TipReceived
from liveportal.domain.money import Money
from liveportal.ledger.secrets import machine_id
from liveportal.ledger.storage import atomic
from liveportal.portal import Portal
from tests.commands.test_sync import feed
from tests.kit.events import amount, line
from tests.kit.ledger_files import query
from tests.kit.shell import Shell
from tests.kit.states import WRITES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

TIP = ("sessions", "tip", "S-1003", "5.00")


@pytest.fixture
def book(states: Shell, tmp_ledger_env: Path) -> Shell:
    """Give a ledger, and a home in which no id was made yet."""
    assert not list(tmp_ledger_env.rglob("machine"))
    return states


def ids(shell: Shell, where: str = "true") -> list[str | None]:
    """Return the attribute of each event that was recorded last, oldest first."""
    rows = query(
        shell.ledger,
        f"SELECT body FROM event LEFT JOIN event_personal USING (seq) WHERE {where} ORDER BY seq",  # noqa: S608
    )
    return [
        json.loads(body).get("attributes", {}).get(MACHINE) if body else None for (body,) in rows
    ]


def expert_machine_ids(shell: Shell, since: int) -> list[str | None]:
    """Return the attribute of each of the expert's events after an event."""
    return ids(shell, f"source = '{CLI_SOURCE}' AND seq > {since}")


def last(shell: Shell) -> int:
    """Return how many events there are."""
    return int(query(shell.ledger, "SELECT max(seq) FROM event")[0][0])


def test_it_is_made_with_the_first_event_that_is_kept(book: Shell, tmp_ledger_env: Path) -> None:
    """Not by a read, a dry run, a feed or a refused command; afterwards it stays."""
    before = last(book)
    book.ok("due")
    book.ok(*TIP, "--dry-run")
    book.refuses(3, "sessions", "tip", "NONE", "5.00")
    tip = line("tip.received", "11-02 09:00", id="t", session="S-1003", amount=amount("1.00"))
    book.ok("sync", feed(book, "t.jsonl", tip))
    assert not list(tmp_ledger_env.rglob("machine"))
    book.ok(*TIP)
    (path,) = tmp_ledger_env.rglob("machine")
    assert path == machine_id.state_file()
    made = path.read_text()
    assert re.fullmatch(r"[0-9a-f]{32}\n", made)
    book.ok("sessions", "tip", "S-1002", "6.00")
    assert path.read_text() == made
    assert expert_machine_ids(book, before) == [made.strip()] * 2
    assert ids(book, "id = 't'") == [None]
    assert [file.name for file in path.parent.iterdir()] == ["machine"]
    if os.name == "posix":
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.lstat().st_mode) == 0o700


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_every_command_that_records_has_it(book: Shell, write: Any) -> None:  # noqa: ANN401
    """Every event that a command records as the expert has it."""
    before = last(book)
    ran = book.run(*write.argv, "--yes", "--at", write.at)
    assert ran.code == 0, ran
    forgets = "forget" in write.name  # It erases the attributes of its own event, too.
    machines = expert_machine_ids(book, before)
    assert machines
    assert all(each is None if forgets else each for each in machines)


def test_the_package_has_it_too(book: Shell) -> None:
    """Events of `execute` and `record`, whatever attributes they had."""
    before = last(book)
    with Portal(book.ledger) as portal:
        tip = TipReceived(session="S-1003", amount=Money(100, "USD"))
        portal.execute(tip)
        portal.record([portal.event(tip)], allow=True)
    first, second = expert_machine_ids(book, before)
    assert first
    assert first == second


@pytest.mark.parametrize("there", [b"", b"not an id\n", b"\xff" * 33, b"0" * 1_000, "folder"])
def test_what_is_no_id_stays(book: Shell, there: bytes | str) -> None:
    """Then events have none, and are recorded all the same."""
    path = machine_id.state_file()
    path.parent.mkdir(parents=True)
    if isinstance(there, str):
        path.mkdir()
    else:
        path.write_bytes(there)
    before = last(book)
    book.ok(*TIP)
    assert expert_machine_ids(book, before) == [None]
    assert path.is_dir() if isinstance(there, str) else path.read_bytes() == there


@pytest.mark.skipif(os.name != "posix", reason="a link")
def test_no_link_is_followed(book: Shell) -> None:
    """Nothing is read through one, and nothing written."""
    path = machine_id.state_file()
    path.parent.mkdir(parents=True)
    path.symlink_to(book.folder / "elsewhere")
    before = last(book)
    book.ok(*TIP)
    assert expert_machine_ids(book, before) == [None]
    assert not (book.folder / "elsewhere").exists()


def test_where_no_folder_can_be_made(book: Shell, tmp_ledger_env: Path) -> None:
    """A file where the folder should be; the event is recorded without an id."""
    folder = machine_id.state_file().parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    before = last(book)
    book.ok(*TIP)
    assert expert_machine_ids(book, before) == [None]
    assert tmp_ledger_env.is_dir()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is only a guess")
@pytest.mark.parametrize("state", ["{home}/of my own", " ", None])
def test_where_it_is_read_is_where_it_is_made(
    tmp_ledger_env: Path, monkeypatch: pytest.MonkeyPatch, state: str | None
) -> None:
    """The path found without platformdirs is the one that platformdirs gives."""
    if state is None:
        monkeypatch.delenv("XDG_STATE_HOME")
    else:
        monkeypatch.setenv("XDG_STATE_HOME", state.format(home=tmp_ledger_env))
    assert machine_id._xdg_file() == machine_id.state_file()  # noqa: SLF001


def test_of_two_that_make_it_the_first_one_counts(
    book: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process made it meanwhile: its id is the machine's."""
    path = machine_id.state_file()

    temp_path_for = atomic.temp_path_for

    def slow(wanted: Path) -> Path:
        path.write_text("ab" * 16)
        return temp_path_for(wanted)

    monkeypatch.setattr(atomic, "temp_path_for", slow)
    before = last(book)
    book.ok(*TIP)
    assert expert_machine_ids(book, before) == ["ab" * 16]


def test_a_replay_does_not_compare_it(book: Shell) -> None:
    """The same key from another machine is the same event."""
    book.ok(*TIP, "--key", "k", "--at", "2026-11-02 09:00")
    machine_id.state_file().write_text("cd" * 16)
    assert book.ok(*TIP, "--key", "k", "--at", "2026-11-02 09:00")["replayed"] is True


def test_it_is_erased_with_the_customer(book: Shell) -> None:
    """As all attributes are: with the events about them, and the erasure itself."""
    customer = book.ok("sessions", "show", "S-1003")["customer"]
    before = last(book)
    book.ok(*TIP)
    book.ok("ledger", "forget", customer, "--yes")
    assert expert_machine_ids(book, before) == [None, None]
    assert machine_id.state_file().read_bytes().strip() not in book.ledger.read_bytes()


def test_it_is_in_nothing_that_is_shown_or_handed_on(book: Shell) -> None:
    """Not in a read as text or JSON, a pack, a statement or a calendar."""
    book.ok(*TIP)
    book.ok("dispute", "file", "CL-2", "--summary", "no")
    secret = machine_id.state_file().read_text().strip()
    assert secret.encode() in book.ledger.read_bytes()
    reads = (
        *(("sessions", "show", "S-1003"), ("dispute", "show", "CL-2"), ("ledger", "info")),
        *(("earnings", "transactions"), ("due",), ("doctor",), ("preferences", "export")),
        *(("earnings", "statement", "2026-10"), ("ledger", "verify")),
    )
    for argv in reads:
        for more in ((), ("--json",)):
            ran = book.run(*argv, *more)
            assert secret not in ran.out + ran.err
            assert MACHINE not in ran.out + ran.err
    for written in (
        ("dispute", "evidence", "CL-2", "-o", "pack.zip"),
        ("earnings", "statement", "2026-10", "-o", "october.html"),
        ("sessions", "calendar", "-o", "all.ics"),
    ):
        assert book.run(*written).code == 0, written
    with zipfile.ZipFile(book.folder / "pack.zip") as archive:
        texts = [archive.read(name) for name in archive.namelist()]
    texts += [(book.folder / name).read_bytes() for name in ("october.html", "all.ics")]
    for text in texts:
        assert secret.encode() not in text
        assert MACHINE.encode() not in text
