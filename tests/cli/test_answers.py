"""Answers in sentences: their forms, and how times and lists are said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from liveportal.cli.io.answers import (
    Sentence,
    day,
    for_other,
    listed,
    moment,
    plural,
    several,
    span,
    spelt,
    write_answer,
)
from liveportal.cli.io.flags import FLAGS, flag_text
from liveportal.cli.io.view_model import Row
from liveportal.domain import errors
from liveportal.domain.clock import LAST

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
PARIS = "Europe/Paris"


def at(text: str) -> datetime:
    """Return an instant in UTC."""
    return datetime.fromisoformat(f"{text}Z")


def test_each_outcome_has_its_words() -> None:
    """Recorded, tried and recorded before; what was `Recorded` says it once."""
    said = Sentence("Accepted", "accept", "REQ-1", "Thu 3 Dec 20:00, UTC", ("It would earn 9.",))
    assert said.paragraphs(dry_run=False) == [
        "Accepted REQ-1: Thu 3 Dec 20:00, UTC. It would earn 9."
    ]
    assert said.paragraphs(["Late."], dry_run=True) == [
        "Would accept REQ-1: Thu 3 Dec 20:00, UTC. It would earn 9.",
        "Late. Nothing was recorded.",
    ]
    before = said.first(dry_run=False, replayed=True)
    assert before == "Already recorded: accepted REQ-1; Thu 3 Dec 20:00, UTC."
    arrived = Sentence("Recorded", "record", "that payout PO-1 arrived", "20.00 USD")
    assert arrived.first(dry_run=False, replayed=True) == (
        "Already recorded that payout PO-1 arrived: 20.00 USD."
    )
    assert Sentence("Recorded", "record", "a tip").first(dry_run=True) == "Would record a tip."


@pytest.mark.parametrize(
    ("start", "end", "zone", "words"),
    [
        ("2026-12-03T19:00", "2026-12-03T20:00", PARIS, "Thu 3 Dec 20:00-21:00, Europe/Paris"),
        ("2026-12-03T23:30", "2026-12-04T00:30", "UTC", "Thu 3 Dec 23:30-Fri 4 Dec 00:30, UTC"),
        ("2027-01-01T00:00", None, "UTC", "Fri 1 Jan 2027 00:00, UTC"),
        (
            *("2026-10-25T00:30", "2026-10-25T02:00", PARIS),
            "Sun 25 Oct 02:30+02:00-03:00, Europe/Paris",
        ),
    ],
)
def test_a_span_names_its_zone(start: str, end: str | None, zone: str, words: str) -> None:
    """Of another day the end has its own; an hour that comes twice has its offset."""
    assert span(at(start), at(end) if end else None, zone, NOW) == words


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Asia/Tokyo", " (Fri 04:00 for Joe)"),
        ("America/New_York", " (14:00 for Joe)"),
        ("Europe/Berlin", ""),
        ("Mars/Olympus", ""),
        (None, ""),
    ],
)
def test_the_time_of_the_other_is_said_where_it_differs(zone: str | None, words: str) -> None:
    """Another zone with the same time, an unknown one and none say nothing."""
    assert for_other(at("2026-12-03T19:00"), PARIS, zone, "Joe") == words


def test_the_end_of_the_calendar_is_said_in_utc() -> None:
    """East of Greenwich it would be in the year 10000."""
    assert moment(LAST, "Asia/Tokyo", NOW).startswith("Fri 31 Dec 9999 23:59")
    assert day(LAST, NOW) == "Fri 31 Dec 9999"


def test_counts_and_lists_in_words() -> None:
    """One and many; a long list is cut, and says by how many."""
    assert [plural(n, "file") for n in (0, 1, 1200)] == ["no files", "1 file", "1,200 files"]
    assert plural(2, "line was", "lines were") == "2 lines were"
    assert [listed("abcde"[:n]) for n in (0, 1, 2, 3, 5)] == [
        *("", "a", "a and b", "a, b and c", "a, b, c and 2 more"),
    ]
    rows: list[Row] = [
        {"error": None, "dry_run": False},
        {"error": "wrong_state", "dry_run": False},
    ]
    assert several(rows) == "Recorded 1 of 2. 1 failed."
    tried: list[Row] = [{"error": None, "dry_run": True}]
    assert several(tried) == "Would record 1 of 1. Nothing was recorded."


def test_commands_are_never_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sentences are wrapped between words; a command stays on its line, with the ledger typed."""
    monkeypatch.setenv("COLUMNS", "40")
    write_answer(["word " * 20], [("End it", "sessions end S-1")], ledger=Path("my books.db"))
    *wrapped, command = capsys.readouterr().out.splitlines()
    assert len(wrapped) == 3
    assert max(map(len, wrapped)) <= 40
    assert command == "  End it: liveportal --ledger 'my books.db' sessions end S-1"
    assert spelt("due") == "liveportal due"


def test_each_caution_has_its_sentence() -> None:
    """A flag is the code of a caution that was overridden, or of what the rules notice."""
    cautions = {kind.code for kind in errors.Caution.__subclasses__()}
    assert cautions <= FLAGS.keys()
    assert flag_text("no_such_flag") == "Flagged: no_such_flag."
