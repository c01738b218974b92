"""A forgotten customer leaves no trace: in pages, logs, journals, copies or the vault."""

from __future__ import annotations

import gzip
import io
import random
import shutil
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from liveportal.domain.policy import Policy
from liveportal.ledger.backup.last_backup import LastBackup
from liveportal.ledger.erasure import residue, service
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.storage import atomic, connection, ledger_paths
from liveportal.ledger.verify.projections import DERIVED
from liveportal.ledger.verify.verify import verify
from liveportal.portal import Portal
from tests.kit.canaries import NO_CUSTOMER, StoryWriter, all_paths, canaries_in, canary
from tests.kit.events import FEED, amount, at
from tests.kit.ledger_files import say
from tests.kit.old_ledgers import FIXTURES

pytestmark = pytest.mark.slow

CUSTOMERS = ("C-1", "C-2", "C-3")


class StoryLedger(NamedTuple):
    """A ledger with the whole story of three customers."""

    path: Path
    writer: StoryWriter

    def left(self, *customers: str) -> list[tuple[str, str]]:
        """Return the canaries of these customers that are left in any file of the folder."""
        words = [word for customer in customers for word in self.writer.canaries[customer]]
        return [
            (file.name, word)
            for file in sorted(self.path.parent.rglob("*"))
            if file.is_file()
            for word in canaries_in(words, file.read_bytes() + file.name.encode())
        ]

    def rows(self) -> dict[str, list[Any]]:
        """Return the rows that rules and money depend on: all derived tables, and the chain."""
        with open_readonly(self.path) as reader:
            tables = {
                name: reader.db.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall()  # noqa: S608
                for name in DERIVED
                if name != "statement"  # It grows with the journal.
            }
            hashes = "SELECT seq, hash, facts, effects_digest FROM event"
            return tables | {"event": reader.db.execute(hashes).fetchall()}

    def others(self, customer: str) -> list[Any]:
        """Return the personal data of all others: bodies and messages."""
        gone = set(self.writer.canaries[customer])
        with open_readonly(self.path) as reader:
            bodies = reader.db.execute("SELECT seq, salt, body FROM event_personal").fetchall()
            said = reader.db.execute("SELECT id, speaker, text FROM message").fetchall()
        return [row for row in (*bodies, *said) if not canaries_in(list(gone), str(row).encode())]

    def sync(self, *feeds: bytes) -> None:
        """Record feeds."""
        with Portal(self.path) as portal:
            portal.sync(io.BytesIO(b"".join(feeds)))


@pytest.fixture(params=["wal", "delete"])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the journal mode of the ledgers."""
    if request.param == "delete":
        monkeypatch.setattr(connection, "wal_is_safe", lambda *_: False)
    return str(request.param)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], StoryLedger]:
    """Make the ledger of a journal mode when it is first asked for."""
    return cache(lambda mode: _make_stories(tmp_path_factory.mktemp(mode)))


@pytest.fixture
def stories(prepared: Callable[[str], StoryLedger], tmp_path: Path, mode: str) -> StoryLedger:
    """Return a copy of a ledger with the whole story of three customers."""
    made = prepared(mode)
    folder = shutil.copytree(made.path.parent, tmp_path / "books")
    copied = StoryLedger(folder / made.path.name, deepcopy(made.writer))
    with open_readonly(copied.path) as reader:
        assert reader.db.execute("PRAGMA journal_mode").fetchone()[0] == mode
    return copied


def _make_stories(folder: Path) -> StoryLedger:
    """Record the story of three customers twice, and attach files and a transcript."""
    made = StoryLedger(folder / "books" / "ledger.db", StoryWriter())
    Portal.create(made.path, Policy())
    for customer in CUSTOMERS:
        made.sync(made.writer.story(customer), made.writer.mirrored(customer))
        attach(made, customer)
    data = {"adjustment": "A-1", "amount": amount("5.00")}
    made.sync(made.writer.line(FEED, "a-1", "adjustment.posted", "10-09 09:00", data, "nobody"))
    return made


def attach(stories: StoryLedger, customer: str) -> None:
    """Attach a transcript and a file of the customer's to a session, as a command does."""
    words = [canary(customer, "said", n) for n in range(40)]
    stories.writer.canaries[customer] += words
    said = "".join(f"[10:{n:02}] {words[39 - n]}: {word}\n" for n, word in enumerate(words))
    folder = stories.path.parent.parent  # The source folder is outside the ledger's folder.
    with Portal(stories.path) as portal:
        for name, kind, text in (("chat.txt", "transcript", said), ("a.cs", "code", words[0])):
            file = folder / f"{customer}-{name}"
            file.write_text(text)
            named = f"{words[1]}-{name}"
            portal.attach(f"S1{customer}", file, kind=kind, name=named, at=at("10-06 10:00"))


# --- everything -----------------------------------------------------------------------------------


def test_the_story_has_every_personal_field(stories: StoryLedger) -> None:
    """Every personal field of the event classes is in the story, and its canary in the file."""
    assert stories.writer.paths == all_paths()
    assert {kind for kind, _ in all_paths()} > NO_CUSTOMER
    for customer in CUSTOMERS:
        words = stories.writer.canaries[customer]
        assert len(words) > 200
        assert {word for _, word in stories.left(customer)} == set(words)


def test_nothing_is_left_of_who_is_forgotten(stories: StoryLedger) -> None:
    """One after the other: each one's data is gone, the others' data and the money stay.

    A dry run before it changes nothing.
    """
    for n, customer in enumerate(CUSTOMERS):
        before, others, left = stories.rows(), stories.others(customer), stories.left(*CUSTOMERS)
        with Portal(stories.path, dry_run=True) as portal:
            _, tried = portal.forget(customer)
        assert stories.left(*CUSTOMERS) == left
        with Portal(stories.path) as portal:
            outcome, done = portal.forget(customer)
            assert not stories.left(customer)
        assert outcome.status == "recorded"
        assert (tried.events, tried.messages, tried.files) == (
            *(done.events, done.messages, done.files),
        )
        assert done.events > 80
        assert (done.messages, done.files, done.rewritten, done.left) == (40, 2, True, [])
        assert not stories.left(*CUSTOMERS[: n + 1])
        after = stories.rows()
        assert after.pop("event")[:-1] == before.pop("event")
        assert after == before
        assert stories.others(customer) == others
        with open_readonly(stories.path) as reader:
            verify(reader.db)
    assert len(stories.left("nobody")) == len(stories.writer.canaries["nobody"])
    assert not [
        file for file in stories.path.parent.rglob("*") if file.name.endswith(".forgetting")
    ]


def test_nothing_is_left_of_the_attributes(stories: StoryLedger) -> None:
    """Also the attributes of the erasure event itself."""
    others = stories.others("C-2")
    say(stories.path, stories.writer.forgotten("C-2"))
    assert not stories.left("C-2")
    assert stories.others("C-2") == others


def test_repeating_the_feed_restores_nothing(stories: StoryLedger) -> None:
    """Neither the same feed, nor a late report by another source, nor the same file attached."""
    say(stories.path, stories.writer.forgotten("C-1"))
    writer = StoryWriter(canaries=stories.writer.canaries)
    again = writer.story("C-1"), writer.mirrored("C-1")
    late = writer.story("C-1", "https://third.example/late")
    before = stories.rows()
    with Portal(stories.path) as portal:
        synced = portal.sync(io.BytesIO(b"".join(again)))
        assert (synced.recorded, synced.confirmed) == (0, 0)
        assert portal.sync(io.BytesIO(late)).confirmed > 50
    attach(stories, "C-1")
    assert not stories.left("C-1")
    after = stories.rows()
    del before["event"], after["event"]
    assert after == before
    with open_readonly(stories.path) as reader:
        verify(reader.db)


def test_a_customer_who_returns_is_recorded_again(stories: StoryLedger) -> None:
    """A new request is new: it is kept, until the customer is forgotten once more."""
    say(stories.path, stories.writer.forgotten("C-1"))
    data = {"request": "R-new", "kind": "instant", "customer": {"id": "C-1"}}
    data |= {"rate": amount("3.00")}
    stories.sync(stories.writer.line(FEED, "new", "request.opened", "12-02 09:00", data, "C-1"))
    assert stories.left("C-1")
    with Portal(stories.path) as portal:
        outcome, done = portal.forget("C-1")
    assert (outcome.status, done.events) == ("recorded", 1)
    assert not stories.left("C-1")


def test_forgetting_twice_is_a_replay(stories: StoryLedger) -> None:
    """If no data is left, nothing is recorded; the first erasure is returned as a replay."""
    with Portal(stories.path) as portal:
        first, done = portal.forget("C-1", key="k")
        for key in (None, "k", "other"):
            again, repeated = portal.forget("C-1", key=key)
            assert (again.status, again.seq) == ("replayed", first.seq)
            assert repeated.events == done.events
            assert repeated.messages is repeated.files is None
        assert portal.reader().one("SELECT max(seq) AS n FROM event") == {"n": first.seq}


# --- pages ----------------------------------------------------------------------------------------


def _crowd(writer: StoryWriter, names: list[str]) -> bytes:
    """Return requests of many customers in turn, of many lengths, so that pages are shared."""
    lines = []
    chance = random.Random(1)  # noqa: S311 (no secret)
    for n in range(1_000):
        name = chance.choice(names)
        writer.words = chance.choice([1, 1, 2, 3, 5])
        data = {"request": f"R{n}", "kind": "instant", "customer": {"id": name}}
        data |= {"rate": amount("3.00")}
        lines.append(writer.line(FEED, f"{n}", "request.opened", "10-05 09:00", data, name))
    return b"".join(lines)


@pytest.mark.usefixtures("mode")
def test_nothing_is_left_in_the_free_part_of_a_page(tmp_path: Path) -> None:
    """When rows are deleted, SQLite moves others to other pages, and leaves the old bytes.

    So a customer forgotten later was in two places; `secure_delete` overwrites only one of them.
    """
    stories = StoryLedger(tmp_path / "books" / "ledger.db", StoryWriter())
    Portal.create(stories.path, Policy())
    names = [f"C-{n}" for n in range(8)]
    stories.sync(_crowd(stories.writer, names))
    for n, name in enumerate(names[:-1], 1):
        with Portal(stories.path) as portal:
            portal.forget(name)
        assert not stories.left(*names[:n])
    assert {word for _, word in stories.left(names[-1])} == set(stories.writer.canaries[names[-1]])


# --- readers --------------------------------------------------------------------------------------


def test_a_reader_that_holds_the_log(
    stories: StoryLedger, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log that could not be emptied is reported, and emptied at the next opening."""
    if mode == "delete":
        pytest.skip("a rollback journal knows no readers beside a writer")
    monkeypatch.setattr(connection, "BUSY_MS", 50)
    stories.sync(stories.writer.line(*_request("R-log")))
    with open_readonly(stories.path) as reader:
        reader.one("SELECT count(*) FROM event")
        with Portal(stories.path) as portal:
            outcome, done = portal.forget("C-1")
        assert (outcome.status, done.rewritten) == ("recorded", False)
        assert stories.left("C-1")
        assert ledger_paths.erasure_marker(stories.path).exists()
        size = stories.path.with_name("ledger.db-wal").stat().st_size
        with open_readonly(stories.path), Portal(stories.path):
            pass  # Opening it meanwhile does not let the log grow.
        assert stories.path.with_name("ledger.db-wal").stat().st_size == size
    with open_readonly(stories.path):
        pass
    assert not stories.left("C-1")
    assert not ledger_paths.erasure_marker(stories.path).exists()


def _request(name: str) -> tuple[Any, ...]:
    data = {"request": name, "kind": "instant", "customer": {"id": "C-1"}, "rate": amount("3.00")}
    return FEED, name, "request.opened", "12-02 09:00", data, "C-1"


def test_the_mark_of_who_came_later_stays(
    stories: StoryLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A concurrent erasure has its own marker, which is not removed."""
    real = residue._erase_files  # noqa: SLF001

    def meanwhile(*args: Any) -> None:  # noqa: ANN401
        real(*args)
        residue.write_marker(stories.path)

    monkeypatch.setattr(residue, "_erase_files", meanwhile)
    with Portal(stories.path) as portal:
        portal.forget("C-1")
    assert ledger_paths.erasure_marker(stories.path).exists()
    monkeypatch.setattr(residue, "_erase_files", real)
    with open_readonly(stories.path):
        assert not ledger_paths.erasure_marker(stories.path).exists()


# --- copies ---------------------------------------------------------------------------------------


def _copy(stories: StoryLedger, name: str) -> Path:
    copy = stories.path.with_name(name)
    db = connection.open_file(stories.path, readonly=True)
    db.execute("VACUUM INTO ?", (str(copy),))
    db.close()
    return copy


def test_copies_in_the_folder_are_forgotten_in(stories: StoryLedger) -> None:
    """Copies from upgrades and replaced ledgers contain the same customer.

    The other customers' data and all facts stay.
    """
    copies = [_copy(stories, name) for name in ("ledger.db.form1", "ledger.db.form1.2")]
    others = stories.others("C-1")
    with Portal(stories.path) as portal:
        _, done = portal.forget("C-1")
    assert done.copies == [str(copy) for copy in copies]
    assert not stories.left("C-1")
    for copy in copies:
        assert StoryLedger(copy, stories.writer).others("C-1") == others
        with open_readonly(copy) as reader:
            verify(reader.db)


def test_a_copy_of_the_first_form(stories: StoryLedger) -> None:
    """It has no messages, and is not upgraded for it."""
    copy = _copy(stories, "ledger.db.form1")
    db = connection.open_file(copy, readonly=False)
    for name in ("message_index", "message"):
        db.execute(f"DROP TABLE {name}")
    db.execute("PRAGMA user_version = 1")
    db.close()
    with Portal(stories.path) as portal:
        _, done = portal.forget("C-1")
    assert done.copies == [str(copy)]
    assert not stories.left("C-1")
    head = ledger_paths.read_header(copy)
    assert head is not None
    assert head.form == 1


@pytest.mark.parametrize("form", [1, 2])
def test_a_copy_that_an_upgrade_made(tmp_path: Path, form: int) -> None:
    """It keeps its schema version, has no data of the customers, and can be upgraded."""
    path = tmp_path / "ledger.db"
    path.write_bytes(gzip.decompress((FIXTURES / f"rich{form}.db.gz").read_bytes()))
    with Portal(path) as portal:
        found = portal.reader().all("SELECT id FROM customer ORDER BY id")
        done = [portal.forget(each["id"])[1] for each in found]
    copy = tmp_path / f"ledger.db.form{form}"
    assert len(done) > 1
    assert {name for each in done for name in each.copies} == {str(copy)}
    head = ledger_paths.read_header(copy)
    assert head is not None
    assert head.form == form
    for each in (copy, path):
        with open_readonly(each) as reader:
            verify(reader.db)
            (customers,) = reader.db.execute("SELECT count(*) FROM customer").fetchone()
            assert customers == len(done)
            bodies = reader.db.execute("SELECT type FROM event_personal JOIN event USING (seq)")
            kinds = {kind.removeprefix("liveportal.") for (kind,) in bodies.fetchall()}
            assert kinds <= {*NO_CUSTOMER, "entry.reversed"}


def test_files_not_reached_are_reported(stories: StoryLedger) -> None:
    """A ledger of another book, a damaged one, and a temporary file: each with its path.

    They are no reason to rewrite the file at each opening: the marker goes.
    """
    other = stories.path.with_name("ledger.db.other")
    Portal.create(other, Policy())
    damaged = _copy(stories, "ledger.db.form2")
    damaged.write_bytes(damaged.read_bytes()[:4096] + b"\xff" * 8192)
    part = stories.path.with_name(".ledger.db.form1.abcd.part")
    _copy(stories, part.name)
    for name in (".ledger.db.abcd.work", "ledger.db.replaced-20261128T120000Z", "ledger.db.gz"):
        stories.path.with_name(name).mkdir()
    vault = stories.path.with_name("ledger.db.vault")
    being_copied = vault / "0123.part"
    being_copied.write_bytes(b"x")
    stray = vault / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x")
    with Portal(stories.path, dry_run=True) as portal:
        _, tried = portal.forget("C-1")
    with Portal(stories.path) as portal:
        _, done = portal.forget("C-1")
    assert {(each.what, each.path) for each in done.left} == {
        ("copy", str(other)),
        ("copy", str(damaged)),
        ("part", str(part)),
        ("part", str(being_copied)),
        ("stray", str(stray)),
        ("part", str(stories.path.with_name(".ledger.db.abcd.work"))),
        ("copy", str(stories.path.with_name("ledger.db.replaced-20261128T120000Z"))),
        ("copy", str(stories.path.with_name("ledger.db.gz"))),
    }
    assert tried.left == done.left[: len(tried.left)]
    assert all(each.hint for each in done.left)
    assert not ledger_paths.erasure_marker(stories.path).exists()
    for each in (damaged, part):
        each.unlink()
    assert not stories.left("C-1")


def test_a_copy_may_have_a_vault(stories: StoryLedger) -> None:
    """A replaced ledger may have had its own files."""
    copy = _copy(stories, "ledger.db.replaced-1")
    shutil.copytree(stories.path.with_name("ledger.db.vault"), f"{copy}.vault")
    files = len(list(copy.with_name(f"{copy.name}.vault").glob("??/*")))
    with Portal(stories.path) as portal:
        _, done = portal.forget("C-1")
    assert (done.copies, done.left) == ([str(copy)], [])
    assert not stories.left("C-1")
    assert len(list(copy.with_name(f"{copy.name}.vault").glob("??/*"))) == files - 2


def test_the_last_backup_is_named(stories: StoryLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup that is remembered, and is still there, still has the customer."""
    kept = stories.path.with_name("backup")
    last = LastBackup(at("10-06 10:00"), kept, "", 9, "")
    monkeypatch.setattr(service, "last_backup", lambda _: last)
    with Portal(stories.path) as portal:
        assert portal.forget("C-1")[1].left == []
        kept.write_bytes(b"x")
        (left,) = portal.forget("C-2")[1].left
    assert (left.what, left.path) == ("backup", str(kept))


def test_a_copy_that_a_crash_left_goes(
    stories: StoryLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A temporary file that was not written for an hour is abandoned."""
    part = _copy(stories, ".ledger.db.form1.abcd.part")
    monkeypatch.setattr(atomic, "STALE_SECONDS", -60)
    with Portal(stories.path) as portal:
        _, done = portal.forget("C-1")
    assert not part.exists()
    assert not stories.left("C-1")
    assert done.left == []


@pytest.mark.damages
def test_no_link_is_followed(stories: StoryLedger, tmp_path: Path) -> None:
    """A link with the name of a copy points to someone else's file."""
    elsewhere = tmp_path / "elsewhere.db"
    elsewhere.write_bytes(_copy(stories, "ledger.db.form1").read_bytes())
    stories.path.with_name("ledger.db.form1").unlink()
    stories.path.with_name("ledger.db.form1").symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    with Portal(stories.path) as portal:
        _, done = portal.forget("C-1")
    assert elsewhere.read_bytes() == before
    assert done.copies == []
