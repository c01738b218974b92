"""`liveportal preferences export` and `import`: the same bytes in another ledger, or an error."""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.cli.commands.preferences.toml_document import format_toml, parse_toml
from liveportal.domain.events.fields import decode
from liveportal.domain.schedule.working_hours import Availability
from tests.kit.events import amount, usd
from tests.kit.every_preference import DAYTIME, EVERYTHING, RECORDED, changes

if TYPE_CHECKING:
    from tests.kit.shell import Shell

pytestmark = pytest.mark.slow


@pytest.fixture
def full(empty: Shell) -> Shell:
    """Give a shell before a ledger in which every preference is set."""
    empty.ok("preferences", "set", *EVERYTHING)
    return empty


def other(shell: Shell, name: str = "other.db") -> Path:
    """Make another ledger."""
    path = shell.folder / name
    shell.ok("init", "--ledger", path)
    return path


def test_round_trip(full: Shell) -> None:
    """Exported, imported into another ledger and exported again: the same bytes, one event."""
    first, second = full.folder / "first.toml", full.folder / "second.toml"
    assert full.output_of("preferences", "export", "-o", first) == ""
    there = other(full)
    row = full.ok("preferences", "import", first, "--ledger", there)
    assert {name: row[name] for name in RECORDED} == RECORDED
    full.output_of("preferences", "export", "-o", second, "--ledger", there)
    assert first.read_bytes() == second.read_bytes()
    assert full.output_of("preferences", "export") == first.read_text()
    assert full.ok("ledger", "info", "--ledger", there)["events"] == 2


def test_the_file_is_natural(full: Shell) -> None:
    """Days and times are TOML's own, amounts are strings, and units are at the top."""
    text = full.output_of("preferences", "export")
    document = tomllib.loads(text)
    assert document["minimum_rate"] == document["auto_decline"][0]["below_rate"] == "2.50 USD"
    assert document["availability"]["weekly"]["mon"] == DAYTIME
    assert document["availability"]["rules"][0]["start"] == datetime(2026, 10, 3, 10)  # noqa: DTZ001
    assert document["availability"]["exceptions"][0] == {"date": date(2026, 12, 24), "hours": []}
    assert document["vacations"] == [{"start": date(2026, 12, 28), "end": date(2026, 12, 31)}]
    assert set(document) == set(RECORDED)
    assert "in bytes" in text.partition("\n\n")[0]


def test_what_does_not_differ_is_not_recorded(full: Shell) -> None:
    """Only differing fields are recorded; if there are none, the command says so."""
    path = full.folder / "mine.toml"
    full.output_of("preferences", "export", "-o", path)
    same = full.ok("preferences", "import", path)
    assert (same["state"], same["event"], same["role"]) == ("unchanged", None, "Shader artist")
    path.write_text(path.read_text().replace("Shader artist", "Artist"))
    tried = full.ok("preferences", "import", path, "--dry-run")
    assert (tried["state"], tried["role"], tried["dry_run"]) == ("changed", "Artist", True)
    assert changes(full) == 1
    done = full.ok("preferences", "import", path, "--key", "k")
    assert done["state"] == "changed"
    assert full.ok("preferences", "import", path, "--key", "k")["replayed"] is True
    assert changes(full) == 2
    assert dict(full.dump())["event"][-1]["facts"] == '{"role":"Artist"}'
    words = full.run("preferences", "import", path, terminal=True)
    assert words.out.startswith("Nothing changed in your preferences")


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff"])
def test_an_empty_file_changes_nothing(full: Shell, text: str) -> None:
    """What a file does not name stays."""
    row = full.ok("preferences", "import", "-", stdin=text.encode())
    assert {name: row[name] for name in RECORDED} == RECORDED
    assert row["state"] == "unchanged"


def test_what_a_file_names_is_taken_whole(full: Shell) -> None:
    """A file's hours are all the hours there are."""
    text = b'minimum_rate = "3"\n[availability.weekly]\nsun = ["09:00-10:00"]\n'
    row = full.ok("preferences", "import", "-", stdin=text)
    assert row["availability"] == {"weekly": {"sun": ["09:00-10:00"]}}
    assert (row["minimum_rate"], row["role"]) == ("3.00", "Shader artist")
    assert changes(full) == 2


FILES = [
    ("rol = 'x'", "rol", "is not a preference"),
    ("role = 5", "role", "must be a string"),
    ("role = 2026-10-05", "role", "must be a string"),
    ("skills = 'urp'", "skills", "must be a list"),
    ("skills = ['a', 1]", "skills[2]", "must be a string"),
    ("experience_years = 1.5", "experience_years", "whole number"),
    ("experience_years = 101", "experience_years", "0 to 100"),
    ("minimum_rate = 2.5", "minimum_rate", "must be a string"),
    ("minimum_rate = 'x'", "minimum_rate", "not an amount"),
    ("minimum_rate = '0'", "minimum_rate", "above zero"),
    (f"direct_rate = '{'9' * 19}'", "direct_rate", "larger than"),
    ("timezone = 'Mars/Base'", "timezone", "not a time zone"),
    ("availability = 'always'", "availability", "must be an object"),
    ("availability.weekly.mon = ['9-17']", "availability.weekly.mon[1]", "hours such as"),
    ("availability.weekly.mon = [09:00:00]", "availability.weekly.mon[1]", "must be a string"),
    ("availability.weekly.noday = []", "availability.weekly.noday", "not a field"),
    ("availability.rules = [1]", "availability.rules[1]", "must be an object"),
    (
        "[[availability.rules]]\nrrule = 'FREQ=HOURLY'\nstart = 2026-10-05 09:00:00\nminutes = 5",
        "availability.rules[1].rrule",
        "FREQ",
    ),
    (
        "[[availability.rules]]\nrrule = 'FREQ=DAILY'\nstart = 2026-10-05 09:00:00Z\nminutes = 5",
        "availability.rules[1].start",
        "without an offset",
    ),
    (
        "availability.exceptions = [{date = 2026-10-05 09:00:00, hours = []}]",
        "availability.exceptions[1].date",
        "must be a date",
    ),
    ("availability.exceptions = [{date = 5}]", "availability.exceptions[1].date", "must be a date"),
    ("buffers = {before = -1}", "buffers.before", "0 to 1440"),
    ("vacations = {}", "vacations", "must be a list"),
    ("vacations = [{start = 2026-12-24}]", "vacations[1].end", "is missing"),
    (
        "vacations = [{start = 2026-12-24, end = 2026-12-23}]",
        "vacations[1].end",
        "must not be before",
    ),
    ("auto_decline = [{reason = 'x'}]", "auto_decline[1].reason", "condition"),
    (
        "auto_decline = [{reason = 'x', below_rate = 2}]",
        "auto_decline[1].below_rate",
        "must be a string",
    ),
    ("notifications = {bell = 1}", "notifications.bell", "true or false"),
    ("notifications = {alarms = [99999]}", "notifications.alarms[1]", "0 to 40320"),
    ("attachment_limit = '5MB'", "attachment_limit", "whole number"),
    ("attachment_limit = 0", "attachment_limit", "must be from 1"),
]


@pytest.mark.parametrize(("text", "field", "reason"), FILES)
def test_an_error_names_file_key_and_reason(
    full: Shell, text: str, field: str, reason: str
) -> None:
    """A file with an error is refused whole: nothing is recorded."""
    full.file("mine.toml", f"{text}\n")
    error = full.refuses(1, "preferences", "import", "mine.toml")
    assert error["code"] == "invalid_event"
    assert error["message"].startswith(f"mine.toml: The field {field} ")
    assert reason in error["details"]["reason"]
    assert error["details"]["path"] == "mine.toml"


@pytest.mark.parametrize(
    "text",
    ["role = \n", "role = 'a'\nrole = 'b'\n", "a = [" * 5000, f"experience_years = {'9' * 5000}"],
    ids=["cut", "twice", "deep", "huge"],
)
def test_what_is_no_toml(full: Shell, text: str) -> None:
    """The parser's message names the line."""
    full.file("mine.toml", text)
    error = full.refuses(1, "preferences", "import", "mine.toml")
    assert error["message"].startswith("mine.toml is not a TOML file: ")
    if "role" in text:
        assert re.search("at line|at end of document", error["message"])
    assert (
        "Standard input is not a TOML file"
        in full.refuses(1, "preferences", "import", "-", stdin=text.encode())["message"]
    )


def test_files_that_cannot_be_read(full: Shell) -> None:
    """No file, a folder, other bytes than UTF-8, too much; and nothing is written over the file."""
    mine = full.file("mine.toml", b'role = "\xff"\n')
    big = full.file("big.toml", b"#" * 10_000_001)
    for name in ("none.toml", full.folder, mine, big, "a\x00b"):
        error = full.refuses(1, "preferences", "import", name)
        assert error["code"] == "unreadable_file"
    mine.write_text("role = 'x'\n")
    ran = full.run("preferences", "import", mine, "-o", mine)
    assert (ran.code, mine.read_text()) == (74, "role = 'x'\n")
    ran = full.run("preferences", "export", "-o", full.ledger)
    assert ran.code == 74
    assert changes(full) == 1


def test_another_currency_and_a_rate_out_of_bounds(full: Shell) -> None:
    """A file follows a command's rules: one currency, and cautions can be overridden."""
    text = b'minimum_rate = "2.50 EUR"\n'
    error = full.refuses(4, "preferences", "import", "-", stdin=text)
    assert error["code"] == "currency_mismatch"
    text = b'minimum_rate = "9.00"\n'
    error = full.refuses(4, "preferences", "import", "-", stdin=text)
    assert error["code"] == "rate_out_of_bounds"
    assert full.ok("preferences", "import", "-", "--anyway", stdin=text)["minimum_rate"] == "9.00"


texts = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("\"'\\\n\r\t\x00\x1b\x7f\x9b\u202e\u2028")
)


@given(texts, st.lists(texts, max_size=3), texts)
def test_any_text_survives(role: str, skills: list[str], reason: str) -> None:
    """Quotes, backslashes, controls and every character come back, and none is left raw."""
    data = {"role": role, "skills": skills, "auto_decline": [{"reason": reason, "kind": "instant"}]}
    text = format_toml(data)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028]", text)
    result = parse_toml(text, "test", usd)
    assert (result.role, result.skills, result.auto_decline) == (
        role,
        tuple(skills),
        data["auto_decline"],
    )


def test_the_order_in_a_document_does_not_matter() -> None:
    """What means the same is written the same."""
    document = {"notifications": {"alarms": [5], "bell": True}, "minimum_rate": amount("2.00")}
    turned = {"minimum_rate": amount("2.00"), "notifications": {"bell": True, "alarms": [5]}}
    assert format_toml(document) == format_toml(turned)
    assert decode(Availability, tomllib.loads(format_toml({"availability": {}}))["availability"])
