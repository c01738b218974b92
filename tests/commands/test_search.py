"""Searching messages: any typed text finds words, and never fails."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.cli.commands.sessions.search import HITS
from liveportal.ledger.attachments import message_index
from liveportal.ledger.queries.session_search import Where, matching, search
from tests.commands.test_evidence import ATTACH
from tests.commands.test_hostile import BIDI, ESCAPES, FORBIDDEN
from tests.kit.books import Book, book

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

CHAT = """22:02 Mina: The Mali shader pipeline flickers
22:03 Ana: Try the render pipeline, not the shader
22:04 Mina: Malicious? Größe ändern hilft NOT
22:10 Zoë: the café AND "URP"
"""
EARLY = "16:02 Mina: shader errors\n"  # S-1003's, on 20 October.


@pytest.fixture
def searchable(october: Shell) -> Shell:
    """Give a shell whose sessions S-1002 and S-1003 have transcripts."""
    october.ok(*ATTACH, october.file("chat.txt", CHAT))
    october.ok("sessions", "attach", "S-1003", october.file("more.txt", EARLY))
    return october


def find(shell: Shell, *argv: object) -> list[str]:
    """Return the messages that are found."""
    hits = shell.ok("sessions", "search", *argv)
    return [hit["text"] for hit in hits if hit["where"] == "message"]


FLICKERS, TRY, MALICIOUS, CAFE = (line.partition(": ")[2] for line in CHAT.splitlines())
ERRORS = "shader errors"


@pytest.mark.parametrize(
    ("argv", "texts"),
    [
        (["mali"], {FLICKERS, MALICIOUS}),
        (['"mali"'], {FLICKERS}),
        (["flicker"], {FLICKERS}),
        (["licker"], {FLICKERS}),
        (["al"], set()),  # Fewer than three letters match only the beginning of a word.
        (["ma"], {FLICKERS, MALICIOUS}),
        (["mali*"], {FLICKERS, MALICIOUS}),
        (["shader", "pipeline"], {FLICKERS, TRY}),
        (["pipeline", "shader"], {FLICKERS, TRY}),
        (["shader pipeline"], {FLICKERS}),
        (['"shader pipeline"'], {FLICKERS}),
        (['"shader pip"*'], {FLICKERS}),
        (["shader pip*"], {FLICKERS}),
        (["shader", "-flickers"], {TRY, ERRORS}),
        (["shader", "-flickers", "-errors"], {TRY}),
        (["shader", "-flick*"], {TRY, ERRORS}),
        (["shader", "-render pipeline"], {FLICKERS, ERRORS}),
        (['shader -"render pipeline" -errors "the shader"'], set()),
        (['the -"render pipeline" -mali "cafe"'], {CAFE}),
        (["--", "shader", "-flickers"], {TRY, ERRORS}),
        (["SHADER", "Errors"], {ERRORS}),
        (["grosse"], {MALICIOUS}),
        (["größe"], {MALICIOUS}),
        (["GRÖSSE"], {MALICIOUS}),
        (["GROßE"], {MALICIOUS}),
        (["andern"], {MALICIOUS}),
        (["cafe"], {CAFE}),
        (["NOT"], {TRY, MALICIOUS}),
        (["AND"], {CAFE, MALICIOUS}),
        (['"AND"'], {CAFE}),
        (["NOT", "OR"], set()),
        (["NEAR(shader errors)"], set()),
        (["text:shader"], set()),
        (["shader", "++"], {FLICKERS, TRY, ERRORS}),
        (["(shader"], {FLICKERS, TRY, ERRORS}),
        (["shader^2"], set()),
        (["'shader'"], {FLICKERS, TRY, ERRORS}),
        (['"urp'], {CAFE}),
        (["mina"], set()),  # The speaker's name is not part of the message.
        (["zebra"], set()),
    ],
)
def test_words(searchable: Shell, argv: list[str], texts: set[str]) -> None:
    """Words, phrases, prefixes, exclusions; everything else is text."""
    assert set(find(searchable, *argv)) == texts


def test_filters(searchable: Shell) -> None:
    """By customer, session, speaker, time; limited in number."""
    assert set(find(searchable, "shader", "--customer", "C-12")) == {FLICKERS, TRY}
    assert find(searchable, "shader", "--customer", "C-99") == []
    assert find(searchable, "shader", "--session", "S-1003") == [ERRORS]
    assert set(find(searchable, "shader", "--speaker", "mina")) == {FLICKERS, ERRORS}
    assert find(searchable, "the", "--speaker", "ZOE") == [CAFE]
    for speaker in ("min", '"', "NOT", "", "a OR b"):
        assert find(searchable, "shader", "--speaker", speaker) == []
    assert set(find(searchable, "shader", "--since", "2026-10-12 22:03")) == {TRY, ERRORS}
    assert set(find(searchable, "shader", "--since", "2026-10-12 22:03:00.001")) == {ERRORS}
    assert find(searchable, "shader", "--since", "2026-10-13") == [ERRORS]
    every = searchable.ok("sessions", "search", "shader")
    assert searchable.ok("sessions", "search", "shader", "--limit", "2") == every[:2]
    assert len(every) > 3
    assert (
        searchable.refuses(3, "sessions", "search", "x", "--session", "S-9")["code"] == "not_found"
    )
    assert (
        searchable.refuses(1, "sessions", "search", "x", "--since", "x")["code"] == "invalid_time"
    )


def test_a_message_without_a_time_counts_from_its_session(searchable: Shell) -> None:
    """`--since` leaves out no message only because its minute is not known."""
    searchable.ok("sessions", "attach", "S-1003", searchable.file("bare.txt", "bare words\n"))
    (hit,) = searchable.ok("sessions", "search", "bare words")
    assert (hit["at_seconds"], hit["time"], hit["speaker"]) == (None, None, None)
    assert find(searchable, "bare", "--since", "2026-10-20") == ["bare words"]
    assert find(searchable, "bare", "--since", "2026-10-21") == []


def test_a_hit(searchable: Shell) -> None:
    """All fields, hits in brackets; the text is unchanged."""
    assert searchable.ok("sessions", "search", "flick*", "mali") == [
        {
            "session": "S-1002",
            "artifact": "chat.txt",
            "customer": "C-12",
            "customer_name": "Joe",
            "at_seconds": 120,
            "time": "2026-10-12T22:02:00Z",
            "speaker": "Mina",
            "snippet": "The [Mali] shader pipeline [flickers]",
            "text": FLICKERS,
            "where": "message",
            "thing": "session:S-1002",
            "customer_id": "C-12",
        }
    ]
    assert (
        searchable.output_of("sessions", "search", "errors", "--field", "snippet")
        == "shader [errors]\n"
    )
    assert searchable.output_of("sessions", "search", "zebra") == ""


def test_the_best_hit_comes_first(searchable: Shell) -> None:
    """A short message that is all about it, before a long one that mentions it."""
    long = "14:10 Joe: rebuild " + "and so on " * 30 + "\n14:11 Joe: rebuild\n"
    searchable.ok("sessions", "attach", "S-1001", searchable.file("long.txt", long))
    first, second = find(searchable, "rebuild")
    assert (first, second[:11]) == ("rebuild", "rebuild and")
    snippet = searchable.ok("sessions", "search", "rebuild")[1]["snippet"]
    assert snippet.startswith("[rebuild] and so on")
    assert snippet.endswith("…")


def test_on_a_terminal(searchable: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hits are in reverse video, or in brackets without colour; their number is shown."""
    monkeypatch.setenv("TERM", "xterm")
    ran = searchable.run("sessions", "search", "errors", terminal=True)
    assert "\x1b[1;7merrors\x1b[0m" in ran.out
    assert "--transcript" in ran.err
    monkeypatch.setenv("NO_COLOR", "1")
    assert "[errors]" in searchable.run("sessions", "search", "errors", terminal=True).out
    many = "".join(f"22:02 Joe: again {number}\n" for number in range(HITS + 1))
    searchable.ok(*ATTACH, searchable.file("many.txt", many))
    ran = searchable.run("sessions", "search", "again", terminal=True)
    assert ran.out.count("[again]") == HITS
    assert "--limit" in ran.err
    assert len(find(searchable, "again")) == HITS + 1
    ran = searchable.run("sessions", "search", "again", "--limit", HITS + 1, terminal=True)
    assert ran.out.count("[again]") == HITS + 1
    assert "--limit" not in ran.err


def test_an_empty_search_names_what_was_searched(
    searchable: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of messages and transcripts, and the other texts."""
    monkeypatch.setenv("TERM", "dumb")
    said = " ".join(searchable.run("sessions", "search", "zebra", terminal=True).out.split())
    assert re.fullmatch(
        "Nothing found in [0-9]+ messages in [0-9]+ transcripts? and all titles, descriptions,"
        " reasons, notes and reviews[.]",
        said,
    )


def test_an_empty_search_without_transcripts(empty: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only texts are searched; with --speaker there is nothing to search."""
    monkeypatch.setenv("TERM", "dumb")
    said = empty.run("sessions", "search", "zebra", terminal=True).out
    assert said.startswith("Nothing found in all titles")
    said = empty.run("sessions", "search", "zebra", "--speaker", "Joe", terminal=True).out
    assert said == "Nothing found. No transcripts are attached.\n"


@pytest.mark.parametrize(
    "words", [["++"], ["-mali"], [""], ["*"], ['"'], ["-", "!"], ["--", "-x"], []]
)
def test_nothing_to_look_for(searchable: Shell, words: list[str]) -> None:
    """A word is required, and the error says so."""
    ran = searchable.run("sessions", "search", *words)
    assert (ran.code, ran.out) == (2, "")
    assert "bug" not in ran.err


def test_options_are_options(searchable: Shell) -> None:
    """A minus before a word excludes it, whatever options follow."""
    assert find(searchable, "shader", "-output", "-h2", "-yes") == find(searchable, "shader")
    assert list(searchable.folder.glob("utput")) == []
    assert searchable.run("sessions", "search", "shader", "-o", "out.txt", "-errors").code == 0
    assert ERRORS not in (searchable.folder / "out.txt").read_text()
    assert searchable.run("sessions", "search", "shader", "-x").code == 2
    assert searchable.run("sessions", "search", "shader", "--nonsense").code == 2


def test_as_known(searchable: Shell) -> None:
    """Nothing was known before it was attached; now is like now."""
    assert find(searchable, "shader", "--as-known", "2026-10-30") == []
    assert find(searchable, "shader", "--as-known", "now") == find(searchable, "shader")
    words = ("sessions", "search", "mali*", "--since", "2026-10-12 22:03")
    assert searchable.ok(*words, "--as-known", "now") == searchable.ok(*words)


def test_hostile_messages(october: Shell) -> None:
    """Untrusted messages are clean in rows and on a terminal, with marks; whole in JSON."""
    text = f"{ESCAPES}hit{BIDI} \x1b[31mhit\x1b]0;x\x07 \x02hit\x03 [hit] = done"
    records = json.dumps({"speaker": ESCAPES + "Mina", "text": text, "at": 1})
    october.ok(*ATTACH, october.file("chat.jsonl", records))
    for option in ("--tsv", "--csv"):
        assert not FORBIDDEN.search(october.output_of("sessions", "search", "hit", option))
    out = october.run("sessions", "search", "hit", terminal=True).out
    assert not FORBIDDEN.search(re.sub(r"\x1b\[[0-9;]*m", "", out))
    assert out.count("\x1b[1;7m") in (0, 4)
    (hit,) = october.ok("sessions", "search", "hit")
    assert hit["text"] == text.replace("\x02", "").replace("\x03", "")
    assert hit["snippet"].count("[") - hit["text"].count("[") >= 3
    assert not FORBIDDEN.search(october.output_of("sessions", "show", "S-1002", "--transcript"))


def test_a_megabyte_of_words(searchable: Shell) -> None:
    """However much is typed, it is only text."""
    assert find(searchable, *(f"mali{number}" for number in range(5_000))) == []
    assert find(searchable, '"mali"', *(f"-mali{number}" for number in range(5_000))) == [FLICKERS]
    assert find(searchable, "x " * 500_000) == []
    assert find(searchable, "x" * 1_000_000) == []


# --- whatever people type -------------------------------------------------------------------------

PIECES = st.sampled_from(
    (
        *('"', "*", "-", "+", "(", ")", ":", "^", "{", "}", "'", ",", ".", " ", "\x00", "\ud800"),
        *(
            "AND",
            "OR",
            "NOT",
            "NEAR",
            "text",
            "speaker",
            "mali",
            "shader",
            "é",
            "²",
            "㍿",
            "\U0001e900",
        ),
    )
)
TYPED = st.lists(st.one_of(st.text(), st.lists(PIECES).map("".join)), max_size=6)


@pytest.fixture(scope="module")
def spoken() -> Iterator[Book]:
    """Give a ledger with one message."""
    with book() as made:
        made.log("S-1")
        artifact = made.record(
            "artifact.added",
            "10-05 11:00",
            session="S-1",
            kind="transcript",
            name="chat",
            sha256="0" * 64,
            bytes=1,
        )
        made.reader()
        row = (None, artifact.seq, 1, 0, "Mina", "the mali shader AND text")
        made.db.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)", row)
        message_index.fill(made.db)
        yield made


@given(TYPED, st.none() | st.text() | PIECES)
def test_nothing_typed_is_an_error(spoken: Book, words: list[str], speaker: str | None) -> None:
    """Never a syntax error of the index; without a letter or digit there is no word."""
    match = matching(words)
    wanted = [letter for word in words for letter in word if letter.isalnum()]
    assert match is None or wanted
    if match is not None:
        search(spoken.reader(), match, Where(speaker=speaker))


@given(st.lists(st.sampled_from(("mali", "shader", "SHADER", "and", "zebra")), min_size=1))
def test_all_the_words_must_be_there(spoken: Book, words: list[str]) -> None:
    """A message is found if and only if it has every word."""

    def matches(*typed: str) -> list[Any]:
        finder = matching(typed)
        return search(spoken.reader(), finder, Where()) if finder else []

    assert bool(matches(*words)) is ("zebra" not in words)
    if matches(*words):
        assert matches("the", *(f"-{word}" for word in words)) == []
