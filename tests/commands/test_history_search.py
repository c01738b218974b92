"""Session history searched: all words, in any text of the session, in any spelling."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from liveportal.ledger.attachments import message_index
from liveportal.ledger.storage import connection
from tests.commands.test_history import held_session, ids, reviewed
from tests.commands.test_hostile import ESCAPES, FORBIDDEN, HOSTILE
from tests.commands.test_sync import feed
from tests.kit.events import line
from tests.kit.ledger_files import query

if TYPE_CHECKING:
    from tests.kit.shell import Shell

pytestmark = pytest.mark.slow


@pytest.fixture
def spoken(empty: Shell) -> Shell:
    """Give a ledger in which each session has text somewhere."""
    lines = (
        *held_session(
            1, "10-01 09:00", title="Schatten flimmern", description="Nur unter Straße & Zoë's"
        ),
        *held_session(2, "10-02 09:00", customer={"id": "C-2", "name": "ZOË Åström"}),
        *held_session(3, "10-03 09:00", title="Netcode_review", customer={"id": "C-3"}),
        line(
            "refund.claimed", "10-03 10:00", id="c", claim="CL-3", session="S-3", reason="Zoe left"
        ),
        *held_session(4, "10-04 09:00", customer={"id": "C-3"}),
        reviewed("S-4", "10-04 10:00", "Größe: Ärger"),
        *held_session(5, "10-05 09:00", customer={"id": "C-3"}),
        line(
            "artifact.added",
            "10-05 10:00",
            id="t",
            session="S-5",
            kind="transcript",
            name="chat.txt",
            sha256="0" * 64,
            bytes=1,
        ),
    )
    empty.ok("sync", feed(empty, "spoken.jsonl", *lines))
    (artifact,) = query(empty.ledger, "SELECT seq FROM artifact")[0]
    for n, text in enumerate(("The Quïck brown fox", "said NOT a word"), 1):
        query(
            empty.ledger,
            "INSERT INTO message (artifact, n, speaker, text) VALUES (?, ?, 'Mina', ?)",
            *(artifact, n, text),
        )
    with closing(connection.open_file(empty.ledger, readonly=False)) as db:
        message_index.fill(db)
    return empty


@pytest.mark.damages
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("schatten", "S-1"),
        ("FLIMMERN strasse", "S-1"),
        ("zoe", "S-1 S-2 S-3"),
        ("ZOË", "S-1 S-2 S-3"),
        ("zoe astrom", "S-2"),
        ("zoe netcode", "S-3"),
        ("review", "S-3"),
        ("grosse arger", "S-4"),
        ("quick fox", "S-5"),
        ("brown help", "S-5"),
        ("not", "S-5"),
        ("qu", "S-5"),
        ("uick", "S-5"),
        ("mina", ""),
        ("help", "S-2 S-4 S-5"),
        ('"quick" OR', ""),
        ("quick*", "S-5"),
        ("fox)", "S-5"),
        ("text:fox", ""),
        ("said \udcff word", "S-5"),
        ("nothing", ""),
        ("zoe nothing", ""),
    ],
)
def test_all_words_wherever_they_were_said(spoken: Shell, text: str, wanted: str) -> None:
    """In title, description, name, claim, review or message; without case, accents and syntax."""
    assert ids(spoken, "--text", text) == wanted.split()


def test_words_and_other_filters(spoken: Shell) -> None:
    """Words narrow the filters further; erased text is no longer found."""
    assert ids(spoken, "--text", "zoe", "--claimed") == ["S-3"]
    assert ids(spoken, "--text", "zoe", "--sort", "-start", "--to", "2026-10-02") == ["S-2", "S-1"]
    forget = line("customer.forgotten", "10-09 09:00", id="f", customer="C-3")
    spoken.says(forget)
    assert ids(spoken, "--text", "zoe") == ["S-1", "S-2"]
    assert ids(spoken, "--text", "quick") == []


def test_hostile_text(empty: Shell) -> None:
    """Untrusted text is found by its visible characters, and shown cleaned."""
    text = " ".join(HOSTILE)
    empty.ok(
        "sync",
        feed(empty, "h.jsonl", *held_session(1, "10-05 09:00", title=text, description=text)),
    )
    for words in ("redbold", "one six", "gnp"):
        assert ids(empty, "--text", words) == ["S-1"]
    assert ids(empty, f"--text=x{ESCAPES}\x00".replace("\x00", "")) == []
    for option in ("--tsv", "--csv", "--header"):
        shown = empty.output_of("sessions", "list", "--text", "redbold", option)
        assert not FORBIDDEN.search(shown)
        assert shown.count("\n") == 1 + (option != "--tsv")
    for argv in (
        ("--sort", ESCAPES),
        ("--since", ESCAPES),
        ("--from", ESCAPES),
        ("--text", "\x1b["),
    ):
        ran = empty.run("sessions", "list", *argv)
        assert ran.code in (1, 2)
        assert not FORBIDDEN.search(ran.err)


def test_a_megabyte_of_words(empty: Shell) -> None:
    """Long texts take no long time, and their last word is found."""
    title = "ä\u0301x\u202e " * 250_000 + "ende"
    empty.ok("sync", feed(empty, "long.jsonl", *held_session(1, "10-05 09:00", title=title)))
    assert ids(empty, "--text", "ENDE") == ["S-1"]
