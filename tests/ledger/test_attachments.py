"""Attachments in the ledger: stored once, with their messages, and erased with their customer."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.domain.errors import (
    DiskFull,
    LiveportalError,
)
from liveportal.domain.events.types import ArtifactAdded, CustomerForgotten
from liveportal.domain.text_search import Finder
from liveportal.feeds import transcripts
from liveportal.ledger.attachments import index, message_index
from liveportal.ledger.attachments.vault import StagedFile, Vault
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries import transcripts as transcript_queries
from liveportal.ledger.queries.session_search import Where, matching, search
from liveportal.ledger.queries.transcripts import ArtifactRow
from liveportal.ledger.storage import connection
from liveportal.ledger.storage.driver import DatabaseError
from liveportal.ledger.verify.verify import verify
from liveportal.portal import Portal
from tests.kit.events import amount, at, event
from tests.kit.ledger_files import contents, query
from tests.ledger.test_vault import files, sha

if TYPE_CHECKING:
    from liveportal.domain.events.envelope import Event
    from tests.kit.books import Clock

pytestmark = pytest.mark.slow


CHAT = b"Mina: Rumpelstilzchen flickers\nJoe: no\n"


@pytest.fixture
def book(ledger: Path, clock: Clock) -> Path:
    """Make a ledger with one session for each of two customers."""
    with Portal(ledger, now=clock) as portal:
        for number in (1, 2):
            data: dict[str, Any] = {
                "session": f"S-{number}",
                "customer": {"id": f"C-{number}", "name": f"Customer {number}"},
                "rate": amount("3.00"),
                "start": "2026-10-05T09:00:00Z",
                "end": "2026-10-05T10:00:00Z",
            }
            portal.record([event("session.logged", "10-05 10:00", **data)], allow=True)
    return ledger


def attach(
    ledger: Path,
    content: bytes = CHAT,
    session: str = "S-1",
    name: str = "chat.txt",
    *,
    kind: str | None = None,
    called: str | None = None,
    key: str | None = None,
) -> str:
    """Attach a file of this name, perhaps as another kind or name, and return the status."""
    path = ledger.parent / name
    path.write_bytes(content)
    try:
        with Portal(ledger) as portal:
            return portal.attach(session, path, kind=kind, name=called, key=key).status
    finally:
        path.unlink()


def attached_row(portal: Portal, source: Path) -> ArtifactRow:
    """Attach a file to the first session, and return its row as it is before the commit."""
    rows: list[ArtifactRow] = []
    portal.attach(
        "S-1",
        source,
        read_back=lambda reader, outcome: rows.append(
            transcript_queries.artifact(reader, index.artifact_of(reader.db, outcome.seq))
        ),
    )
    return rows[0]


def artifact_event(kind: str = "transcript") -> Event:
    """Make the event with which a feed reports the transcript."""
    data: dict[str, Any] = {"session": "S-1", "kind": kind, "name": "call", "media_type": "a/b"}
    return event("artifact.added", "10-05 10:00", sha256=sha(CHAT), bytes=len(CHAT), **data)


def messages(ledger: Path) -> list[tuple[int, str]]:
    """Return the searchable messages: artifacts and texts."""
    return query(ledger, "SELECT artifact, text FROM message ORDER BY id")


def verified(ledger: Path) -> None:
    """Check that the ledger verifies, its message index included."""
    with open_readonly(ledger) as reader:
        verify(reader.db, vault=ledger, deep=True, read=transcripts.read)


def finder(*words: str) -> Finder:
    """Return a finder for these words."""
    matches = matching(words)
    assert matches
    return matches


def test_attached_twice_is_attached_once(book: Path) -> None:
    """Identified by content and session, whatever the name or key."""
    assert attach(book, key="k") == "recorded"
    before = contents(book)
    assert attach(book, key="k") == "replayed"
    assert attach(book, key="other") == "replayed"
    assert attach(book, name="again.txt") == "replayed"
    assert contents(book) == before
    assert attach(book, session="S-2") == "recorded"
    assert len(files(Vault(book))) == 1
    assert len(messages(book)) == 4
    verified(book)


def test_an_artifact_reported_by_a_feed_is_confirmed(book: Path) -> None:
    """The file is stored, and its messages hang on the event that came first."""
    with Portal(book) as portal:
        first = portal.record([artifact_event()], allow=True)[0]
    assert not Vault(book).holds(sha(CHAT))
    # Guessed values do not contradict reported ones.
    assert attach(book, name="chat.bin") == "confirmed"
    assert Vault(book).holds(sha(CHAT))
    assert messages(book) == [(first.seq, "Rumpelstilzchen flickers"), (first.seq, "no")]
    assert attach(book) == "replayed"
    assert len(messages(book)) == 2
    assert query(book, "SELECT count(*) FROM artifact") == [(1,)]
    verified(book)


@pytest.mark.parametrize("by_feed", [False, True])
def test_another_kind_is_a_contradiction(book: Path, by_feed: bool) -> None:
    """If it was given, and not guessed; nothing is stored then."""
    if by_feed:
        with Portal(book) as portal:
            portal.record([artifact_event("code")], allow=True)
    else:
        attach(book, kind="code")
    before = contents(book), Vault(book).holds(sha(CHAT))
    with pytest.raises(LiveportalError) as caught:
        attach(book, kind="transcript", called="chat.txt")
    assert caught.value.details["fields"] == ["kind"]
    assert (contents(book), Vault(book).holds(sha(CHAT))) == before


def test_a_key_with_another_content_is_refused(book: Path) -> None:
    """And leaves no file behind."""
    attach(book, key="k")
    with pytest.raises(LiveportalError) as caught:
        attach(book, b"Mina: other", key="k")
    assert "sha256" in caught.value.details["fields"]  # type: ignore[operator]
    assert files(Vault(book)) == [sha(CHAT)]


def test_a_key_with_another_name_is_refused(book: Path) -> None:
    """The given fields are compared, also if the content is already stored."""
    attach(book, kind="transcript", called="a", key="k")
    with pytest.raises(LiveportalError) as caught:
        attach(book, kind="transcript", called="b", key="k")
    assert caught.value.details["fields"] == ["name"]


def test_a_dry_run_touches_nothing(book: Path, tmp_path: Path) -> None:
    """It reads, judges, and shows the messages that it would keep."""
    before = sorted(book.parent.rglob("*")), contents(book)
    source = tmp_path / "chat.txt"
    source.write_bytes(CHAT)
    with Portal(book, dry_run=True) as portal:
        row = attached_row(portal, source)
    assert (row["messages"], row["stored"]) == (2, False)
    assert (sorted(book.parent.rglob("*")), contents(book)) == before


def test_the_messages_are_written_with_the_event(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the transaction fails at its end, neither is there, nor half a file."""
    before = contents(book)

    def fail(_vault: Vault, _taken: StagedFile) -> None:
        raise DiskFull("full")

    monkeypatch.setattr(Vault, "place", fail)
    with pytest.raises(DiskFull):
        attach(book)
    assert contents(book) == before
    assert files(Vault(book)) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from liveportal.ledger.attachments.vault import Vault
from liveportal.portal import Portal

placed = Vault.place

def place(vault, taken):
    if sys.argv[3] == "after":
        placed(vault, taken)
    os.kill(os.getpid(), signal.SIGKILL)

Vault.place = place
with Portal(Path(sys.argv[1])) as portal:
    portal.attach("S-1", sys.argv[2])
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_the_file_and_the_event(book: Path, tmp_path: Path, moment: str) -> None:
    """At worst a file is there that no event names; the next time all is well."""
    source = tmp_path / "chat.txt"
    source.write_bytes(CHAT)
    before = contents(book)
    argv = [sys.executable, "-c", KILLED, str(book), str(source), moment]
    ran = subprocess.run(argv, capture_output=True, timeout=60, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    assert contents(book) == before
    assert Vault(book).holds(sha(CHAT)) is (moment == "after")
    assert attach(book) == "recorded"
    Vault(book).check(sha(CHAT))
    assert len(messages(book)) == 2


def test_messages_are_known_since_the_file_was_attached(book: Path, clock: Clock) -> None:
    """Not since the platform reported it, and in every as-known query."""
    source = book.parent / "chat.txt"
    source.write_bytes(CHAT)
    days = [at(f"11-0{day} 12:00") for day in (1, 2, 3)]
    with Portal(book, now=clock) as portal:
        clock.now = days[0]
        portal.record([artifact_event()], allow=True)
        clock.now = days[1]
        portal.attach("S-1", source)
        clock.now = days[2]
        portal.attach("S-2", source)
    counts = []
    for day in days:
        with open_readonly(book, as_known=day) as reader:
            hits = search(reader, finder("rumpelstilzchen"), Where())
            counts.append([hit["session"] for hit in hits])
            assert len(transcript_queries.messages(reader, "S-1")) == (0 if day == days[0] else 2)
            assert [
                artifact["messages"] for artifact in transcript_queries.artifacts(reader, "S-1")
            ] == [0 if day == days[0] else 2]
    assert counts == [[], ["S-1"], ["S-1", "S-2"]]
    with open_readonly(book, as_known=days[2]) as copy, open_readonly(book) as now:
        match = finder("flick*")
        assert search(copy, match, Where()) == search(now, match, Where())


def test_a_replay_sees_what_the_first_time_saw(book: Path, tmp_path: Path) -> None:
    """Also the messages, although the journal is played back for it."""
    source = tmp_path / "chat.txt"
    source.write_bytes(CHAT)
    with Portal(book) as portal:
        first = attached_row(portal, source)
        attach(book, b"Mina: later", name="later.txt")
        assert portal.attach("S-1", source).status == "replayed"
        again = attached_row(portal, source)
    assert again == first
    assert first.messages == 2


def test_a_message_is_never_changed(book: Path) -> None:
    """The database sees to it."""
    attach(book)
    with pytest.raises(DatabaseError, match="written once"):
        query(book, "UPDATE message SET text = 'other'")


# --- read by an earlier version ------------------------------------------------------------------

MEET = b"00:00:00\nMina: Rumpelstilzchen flickers\nJoe: no\n"


def older(ledger: Path) -> None:
    """Rewrite a transcript's messages as the first version of the readers stored them."""
    with closing(connection.open_file(ledger, readonly=False)) as db:
        db.execute("DELETE FROM message")
        db.execute("DELETE FROM transcript")
        text = "Mina: Rumpelstilzchen flickers\nJoe: no"
        db.execute(
            "INSERT INTO message (artifact, n, offset_ms, text) SELECT seq, 1, 0, ? FROM artifact",
            (text,),
        )
        message_index.rebuild(db)


def outdated(ledger: Path) -> int:
    """Return how many transcripts another reader version read, in a ledger that verifies."""
    with open_readonly(ledger) as reader:
        verified_ledger = verify(reader.db, vault=ledger, deep=True, read=transcripts.read).deposit
    assert verified_ledger
    return verified_ledger.outdated


def test_what_an_earlier_version_read_verifies(book: Path) -> None:
    """It is reported as outdated until the file is attached and read again."""
    attach(book, MEET)
    assert outdated(book) == 0
    before = query(book, "SELECT n, offset_ms, speaker, text FROM message")
    older(book)
    assert outdated(book) == 1
    assert attach(book, MEET) == "replayed"
    assert query(book, "SELECT n, offset_ms, speaker, text FROM message") == before
    assert outdated(book) == 0
    with open_readonly(book) as reader:
        where = Where(speaker="Mina")
        assert len(search(reader, finder("stilzchen"), where)) == 1
        assert search(reader, finder("no"), where) == []


@pytest.mark.damages
def test_what_this_version_read_must_be_what_the_file_says(book: Path) -> None:
    """Messages may differ only if another reader is recorded; none may be missing."""
    attach(book, MEET)
    older(book)
    query(book, "INSERT INTO transcript SELECT seq, ? FROM artifact", transcripts.READER)
    with pytest.raises(LiveportalError, match="message 1 of the file"):
        outdated(book)
    query(book, "DELETE FROM transcript")
    query(book, "DELETE FROM message")
    with pytest.raises(LiveportalError, match="0 are stored"):
        outdated(book)


# --- forgotten ------------------------------------------------------------------------------------


def forget(ledger: Path, customer: str = "C-1", *, by_feed: bool = False) -> None:
    """Forget a customer."""
    with Portal(ledger) as portal:
        if by_feed:
            portal.record(
                [event("customer.forgotten", "10-07 08:00", customer=customer)], allow=True
            )
        else:
            portal.execute(CustomerForgotten(customer=customer))


def indexed(ledger: Path) -> set[str]:
    """Return the whole contents of the message index."""
    with closing(connection.open_file(ledger, readonly=True)) as db:
        db.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, message_index, row)")
        return {term for (term,) in db.execute("SELECT term FROM temp.terms")}


def on_disk(ledger: Path, word: bytes) -> bool:
    """Return True if a word is in any file of the ledger's folder, ignoring case."""
    paths = (path for path in ledger.parent.rglob("*") if path.is_file())
    return any(word.lower() in path.read_bytes().lower() for path in paths)


@pytest.mark.parametrize("by_feed", [False, True])
def test_nothing_of_a_forgotten_customer_is_left(book: Path, by_feed: bool) -> None:
    """Neither the files nor a word of them in the ledger, its index or its log."""
    talk = b"".join(b"Mina: Rumpelstilzchen%d flickers\n" % number for number in range(3_000))
    attach(book, talk)
    attach(book, b"\x00Rumpelstilzchen", name="Rumpelstilzchen.bin")
    attach(book, b"Joe: Dornroeschen\n", session="S-2")
    assert on_disk(book, b"rumpelstilzchen")
    forget(book, by_feed=by_feed)
    assert not on_disk(book, b"rumpelstil")
    assert not on_disk(book, b"flickers")
    assert files(Vault(book)) == [sha(b"Joe: Dornroeschen\n")]
    assert [text for _, text in messages(book)] == ["Dornroeschen"]
    assert indexed(book) == {"dornroeschen"[at : at + 3] for at in range(10)}
    verified(book)


def test_files_left_by_a_crash_go_on_the_next_erasure(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program may end between the commit and the erasing: a replay erases them."""
    attach(book)
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "erase", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            forget(book, by_feed=True)
    assert files(Vault(book)) == [sha(CHAT)]
    forget(book, by_feed=True)
    assert files(Vault(book)) == []


def _interrupted(*_args: object) -> None:
    raise KeyboardInterrupt


def test_what_others_have_too_stays(book: Path) -> None:
    """A shared file goes with the last whom it belongs to."""
    attach(book)
    attach(book, session="S-2")
    forget(book)
    assert Vault(book).holds(sha(CHAT))
    assert len(messages(book)) == 2
    forget(book, "C-2")
    assert files(Vault(book)) == []
    assert messages(book) == []


def test_erasure_covers_artifacts_of_feeds_and_commands(book: Path) -> None:
    """All reports of a file are checked, confirmations included."""
    with Portal(book) as portal:
        portal.record([artifact_event()], allow=True)
    attach(book)
    forget(book, "C-2")
    assert Vault(book).holds(sha(CHAT))
    forget(book)
    assert files(Vault(book)) == []


def test_a_file_attached_after_the_erasure_stays(book: Path) -> None:
    """The feed's report is erased, the command's later one is not."""
    with Portal(book) as portal:
        portal.record([artifact_event()], allow=True)
    forget(book)
    assert attach(book) == "confirmed"
    forget(book, "C-2")
    assert Vault(book).holds(sha(CHAT))
    forget(book)
    assert files(Vault(book)) == []


def test_what_is_forgotten_is_not_attached_by_a_replay(book: Path) -> None:
    """Neither file nor messages come back."""
    attach(book, key="k")
    forget(book)
    assert attach(book, key="k") == "replayed"
    assert attach(book) == "replayed"
    assert files(Vault(book)) == []
    assert messages(book) == []


@pytest.mark.parametrize("by_feed", [False, True])
def test_files_go_after_the_commit_only(
    book: Path, monkeypatch: pytest.MonkeyPatch, by_feed: bool
) -> None:
    """A dry run and a failing transaction leave them; a commit is seen by others before."""
    attach(book)
    with Portal(book, dry_run=True) as portal:
        portal.execute(CustomerForgotten(customer="C-1"))
    assert Vault(book).holds(sha(CHAT))
    with Portal(book) as portal, pytest.raises(LiveportalError):
        portal.record(
            [
                event("customer.forgotten", "10-07 08:00", customer="C-1"),
                event("session.paused", "10-07 09:00", session="S-9"),
            ],
            allow=True,
        )
    assert Vault(book).holds(sha(CHAT))
    erased = []

    def erase(_vault: Vault, sha256: str) -> None:
        erased.append((sha256, query(book, "SELECT count(*) FROM message")))

    monkeypatch.setattr(Vault, "erase", erase)
    forget(book, by_feed=by_feed)
    assert erased == [(sha(CHAT), [(0,)])]


def test_a_file_being_erased_cannot_be_attached(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger is locked meanwhile."""
    attach(book)
    monkeypatch.setattr(connection, "BUSY_MS", 50)

    def erase(_vault: Vault, _sha256: str) -> None:
        with pytest.raises(LiveportalError) as caught:
            attach(book, session="S-2")
        assert caught.value.code == "ledger_busy"

    monkeypatch.setattr(Vault, "erase", erase)
    forget(book)


def test_without_a_vault_nothing_is_looked_for(book: Path) -> None:
    """Most ledgers have no vault."""
    with Portal(book) as portal:
        portal.execute(
            ArtifactAdded(session="S-1", kind="code", name="x", sha256=sha(CHAT), bytes=1)
        )
    forget(book)
    assert not Vault(book).folder.exists()
