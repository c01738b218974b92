"""`liveportal preferences`: each of them set by options, and shown."""

from __future__ import annotations

import re
import subprocess
import tomllib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.cli.commands.preferences.show import PreferencesDetail
from liveportal.domain.events.fields import field_specs
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.row import columns
from liveportal.ledger.queries import ledger_info
from liveportal.ledger.queries.ledger_info import PreferencesRow
from tests.commands.test_hostile import FORBIDDEN, HOSTILE
from tests.kit.events import line
from tests.kit.every_preference import EVERYTHING, RECORDED, SATURDAYS, WORDS, changes
from tests.kit.shell import PROGRAM, error_of

if TYPE_CHECKING:
    from liveportal.ledger.queries.reader import Reader
    from tests.kit.shell import Shell


@pytest.fixture
def full(empty: Shell) -> Shell:
    """Give a shell before a ledger in which every preference is set."""
    empty.ok("preferences", "set", *EVERYTHING)
    return empty


def test_what_is_shown_are_the_fields_of_the_event() -> None:
    """Each preference that can be recorded is shown, in the same order, before what it says."""
    recorded = tuple(name for name, *_ in field_specs(PreferencesChanged))
    assert columns(PreferencesRow) == recorded
    assert columns(PreferencesDetail)[: len(recorded)] == recorded == tuple(RECORDED)


# --- set and show ---------------------------------------------------------------------------------


def test_every_preference_in_one_event(full: Shell) -> None:
    """All preferences are recorded by one event, as documented JSON."""
    shown = full.ok("preferences")
    assert {name: shown[name] for name in RECORDED} == RECORDED
    assert {name: shown[name] for name in WORDS} == WORDS
    assert list(shown) == list(columns(PreferencesDetail))
    assert changes(full) == 1


def test_what_is_shown_can_be_typed(full: Shell) -> None:
    """The words of `show` are those of the options, and set the same again: an event more."""
    shown = full.ok("preferences")
    options = {
        "hours": "--hours",
        "exceptions": "--except",
        "declines": "--auto-decline",
    }
    typed = [
        word
        for name, option in options.items()
        for given in shown[name]
        for word in (option, given)
    ]
    typed += [word for row in shown["recurring"] for word in ("--recurring", row["rule"])]
    row = full.ok("preferences", "set", *typed)
    assert {name: row[name] for name in RECORDED} == RECORDED
    assert row["event"]
    assert changes(full) == 2


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        (["--hours", "sun 22:00-02:00"], {"weekly": {"sun": ["22:00-02:00"]}}),
        (["--hours", ""], {"weekly": None}),
        (["--recurring", ""], {"rules": None}),
        (["--except", "2026-11-11"], {"exceptions": [{"date": "2026-11-11", "hours": []}]}),
        (["--except", "", "--hours", ""], {"exceptions": None, "weekly": None}),
    ],
)
def test_a_part_of_the_hours(full: Shell, options: list[str], changed: dict[str, Any]) -> None:
    """An option changes its own part; the whole document is recorded by one event."""
    row = full.ok("preferences", "set", *options)
    wanted = {**RECORDED["availability"], **changed}
    assert row["availability"] == {name: part for name, part in wanted.items() if part is not None}
    assert changes(full) == 2


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        (["--no-bell"], "notifications", {"bell": False, "alarms": [15, 60]}),
        (["--alarm", "0"], "notifications", {"bell": True, "alarms": [0]}),
        (["--alarm", ""], "notifications", {"bell": True}),
        (["--buffer-before", "0"], "buffers", {"before": 0, "after": 5}),
        (["--auto-decline", ""], "auto_decline", []),
        (["--vacation", ""], "vacations", []),
        (["--vacation", "2026-12-24"], "vacations", [{"start": "2026-12-24", "end": "2026-12-24"}]),
        (["--skill", ""], "skills", []),
        (["--add-skill", "HLSL", "--add-skill", "URP"], "skills", ["urp", "shaders", "HLSL"]),
        (["--remove-skill", "URP"], "skills", ["shaders"]),
        (["--skill", "a", "--add-skill", "b", "--remove-skill", "A"], "skills", ["b"]),
        (["--add-language", "de", "--remove-language", "en"], "languages", ["fr", "de"]),
        (["--attachment-limit", "1.5 GiB"], "attachment_limit", 1_610_612_736),
        (["--role", ""], "role", ""),
        (["--experience-years", "0"], "experience_years", 0),
    ],
)
def test_one_preference_more(full: Shell, options: list[str], name: str, value: object) -> None:
    """What is not named stays as it is."""
    row = full.ok("preferences", "set", *options)
    assert {field: row[field] for field in RECORDED} == {**RECORDED, name: value}


def test_a_change_that_changes_nothing_is_recorded(full: Shell) -> None:
    """A command is one event, whatever it changes; a dry run is none."""
    row = full.ok("preferences", "set", "--bell")
    assert (row["state"], row["notifications"]) == ("changed", RECORDED["notifications"])
    assert changes(full) == 2
    row = full.ok("preferences", "set", "--no-bell", "--dry-run")
    assert (row["dry_run"], row["notifications"]["bell"]) == (True, False)
    assert changes(full) == 2


def test_a_repeated_command_means_what_it_meant(full: Shell) -> None:
    """With its key a change of a part is a replay, though the other parts have moved on."""
    holiday = ("preferences", "set", "--except", "2026-11-11", "--add-skill", "HLSL", "--key", "k")
    first = full.ok(*holiday)
    full.ok("preferences", "set", "--hours", "", "--remove-skill", "urp")
    again = full.ok(*holiday)
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert (again["availability"], again["skills"]) == (first["availability"], first["skills"])
    assert changes(full) == 3
    other = ("preferences", "set", "--except", "2026-11-12", "--key", "k")
    assert full.refuses(4, *other)["details"]["fields"] == ["skills", "availability"]


@pytest.mark.slow
def test_no_concurrent_change_is_overwritten(full: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """If preferences change between the read and the write, the command tries again."""
    look = ledger_info.preferences_before

    def somebody_else_first(reader: Reader, *name: Any) -> tuple[int, Any]:  # noqa: ANN401
        row = look(reader, *name)
        monkeypatch.setattr(ledger_info, "preferences_before", look)
        subprocess.run(
            [*PROGRAM, "preferences", "set", "--hours", "sun 9-10"],
            env=full.environment(),
            capture_output=True,
            check=True,
        )
        return row

    monkeypatch.setattr(ledger_info, "preferences_before", somebody_else_first)
    ran = full.run("preferences", "set", "--except", "2026-11-11", "--json")
    assert (ran.code, error_of(ran.err)["code"]) == (5, "ledger_busy")
    assert full.ok("preferences")["hours"] == ["sun 09:00-10:00"]
    assert changes(full) == 2
    full.ok("preferences", "set", "--except", "2026-11-11")
    shown = full.ok("preferences")
    assert (shown["hours"], shown["exceptions"]) == (["sun 09:00-10:00"], ["2026-11-11"])


def test_show_as_it_was_known(empty: Shell) -> None:
    """Over two changes: before any, after the first, and now."""
    made = empty.ok("ledger", "info")["last_recorded"]
    empty.ok("preferences", "set", "--hours", "mon 9-17", "--attachment-limit", "1MB")
    then = empty.ok("ledger", "info")["last_recorded"]
    empty.ok("preferences", "set", "--hours", "tue 9-17", "--zone", "Asia/Tokyo")
    for known, hours, limit, zone in (
        (("--as-known", made), None, None, None),
        (("--as-known", then), ["mon 09:00-17:00"], 1_000_000, None),
        ((), ["tue 09:00-17:00"], 1_000_000, "Asia/Tokyo"),
    ):
        shown = empty.ok("preferences", "show", *known)
        assert (shown["hours"], shown["attachment_limit"], shown["timezone"]) == (
            *(hours, limit, zone),
        )
        exported = tomllib.loads(empty.output_of("preferences", "export", *known))
        assert exported.get("attachment_limit") == limit


def test_this_week_is_that_of_the_moment(empty: Shell) -> None:
    """Open hours are those of the current week, and the next ones of a rule are to come."""
    empty.ok("preferences", "set", "--zone", "Europe/Paris", "--hours", "mon-sun 7:30-9")
    empty.ok("preferences", "set", "--recurring", "FREQ=DAILY from 2026-01-01 12:00 for 30m")
    shown = empty.ok("preferences")
    assert len(shown["open_this_week"]) == 14
    (rule,) = shown["recurring"]
    assert rule["rule"] == "FREQ=DAILY from 2026-01-01 12:00 for 30m"
    assert len(rule["next"]) == 3
    assert rule["next"] == sorted(rule["next"])
    assert datetime.fromisoformat(rule["next"][0]) > datetime.now(UTC) - timedelta(minutes=1)


def test_without_hours_there_is_nothing_to_show(empty: Shell) -> None:
    """What is not set is null, and JSON has every field all the same."""
    shown = empty.ok("preferences")
    assert {name: value for name, value in shown.items() if value is not None} == {"unreadable": []}
    assert list(shown) == list(columns(PreferencesDetail))


# --- on a terminal --------------------------------------------------------------------------------


def test_a_person_reads_words(full: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of hours per day, rules with their next dates, sizes in megabytes; 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    ran = full.run("preferences", terminal=True)
    assert ran.code == 0
    for output in (
        *("mon-fri 09:00-12:30 13:30-18:00", "sat 10:00-14:00", "2026-12-24..2026-12-25 none"),
        *(
            SATURDAYS,
            "next: 20",
            "10 min before, 5 min after",
            "bell for new requests",
            "reminders 15, 60",
        ),
        *("below 2.50 USD and instant: pays less than I take", "500 MB", "4.00", "open this week"),
    ):
        assert output in ran.out
    assert re.search(r"mon 20\d\d-\d\d-\d\d 09:00-12:30 13:30-18:00", ran.out)
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "{" not in ran.out
    changed = full.run("preferences", "set", "--alarm", "5", terminal=True)
    assert changed.out.startswith("Changed your preferences: notifications.\n")
    shown = full.run("preferences", terminal=True).out
    assert "calendar reminders 5 min before a session" in shown
    assert "mon-fri 09:00-12:30 13:30-18:00" in shown


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--hours", "mon-sun 0-24"], r"00:00 to 20\d\d-\d\d-\d\d 00:00"),
        (["--hours", "mon 22-2"], r"mon 20\d\d-\d\d-\d\d 22:00-02:00"),
        (["--hours", "mon 18-24"], r"mon 20\d\d-\d\d-\d\d 18:00-24:00"),
        (["--except", "2020-01-01"], r"always\n +2020-01-01 none"),
        (["--except", "2020-01-01", "--recurring", ""], r"always"),
        (["--recurring", "FREQ=DAILY;COUNT=1 from 2020-01-01 10:00 for 1h"], "next: never again"),
        (
            ["--recurring", "FREQ=DAILY;COUNT=1 from 2020-01-01 10:00 for 1h"],
            "open this week +none",
        ),
        (["--auto-decline", ""], "auto decline +none"),
        (["--no-bell"], "notifications +no bell"),
        (["--buffer-after", "5"], "buffers +5 min after"),
    ],
)
def test_messages_for_a_person(
    empty: Shell, monkeypatch: pytest.MonkeyPatch, options: list[str], says: str
) -> None:
    """Spans over midnight, days that are always open, rules that are over, and nothing at all."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")
    empty.ok("preferences", "set", *options)
    assert re.search(says, re.sub(" +\n", "\n", empty.run("preferences", terminal=True).out))


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_preferences(empty: Shell, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Roles, reasons and forms of another program never reach a terminal as they are."""
    data: dict[str, Any] = {
        "role": text,
        "skills": [text],
        "availability": {text: text},
        "auto_decline": [{"reason": text, "kind": "instant"}],
        "notifications": [text],
    }
    empty.says(line("preferences.changed", "10-05 09:00", id="p", **data))
    shown = empty.ok("preferences")
    assert shown["unreadable"] == ["availability", "notifications"]
    assert (shown["role"], shown["hours"]) == (text, None)
    monkeypatch.setenv("TERM", "dumb")
    ran = empty.run("preferences", terminal=True)
    assert "counts as not set" in ran.out
    assert not FORBIDDEN.search(ran.out)
    assert not FORBIDDEN.search(empty.output_of("preferences", "--tsv"))
    exported = empty.run("preferences", "export")
    assert not FORBIDDEN.search(exported.out + exported.err)
    if exported.code:  # A lone surrogate has no place in TOML.
        assert "role has a character that TOML cannot express: U+D800" in exported.err
        assert exported.out == ""
    else:
        assert tomllib.loads(exported.out)["role"] == text
        assert "# availability has a form that only the platform uses" in exported.out


def test_a_change_replaces_what_cannot_be_read(empty: Shell) -> None:
    """Another program's format counts as not set: only the typed value is in force."""
    data = line("preferences.changed", "10-05 09:00", id="p", availability={"from": 9})
    empty.says(data)
    row = empty.ok("preferences", "set", "--hours", "mon 9-10")
    assert row["availability"] == {"weekly": {"mon": ["09:00-10:00"]}}
    assert row["flags"] == []


# --- what is refused ------------------------------------------------------------------------------

WRONG = [
    ("--hours", "mon", "has no hours", "mon-fri"),
    ("--hours", "monn 9-10", "'monn'", "mon, tue"),
    ("--hours", "mo 9-10", "'mo'", "mon, tue"),
    ("--hours", "mon-xyz 9-10", "'xyz'", "mon, tue"),
    ("--hours", "mon 9-25", "'9-25'", "24:00"),
    ("--hours", "mon 24-25", "'24-25'", "24:00"),
    ("--hours", "mon 9:60-10", "'9:60-10'", "24:00"),
    ("--hours", "mon 9-24:30", "'9-24:30'", "24:00"),
    ("--hours", "mon 9", "'9'", "9-17"),
    ("--hours", "mon 9-10 lunch", "'lunch'", "9-17"),
    ("--recurring", "FREQ=WEEKLY", "'FREQ=WEEKLY'", "from 2026-10-03"),
    ("--recurring", "FREQ=HOURLY from 2026-10-03 10:00 for 3h", "'FREQ=HOURLY'", "FREQ=WEEKLY"),
    ("--recurring", "FREQ=DAILY from 2026-13-03 10:00 for 3h", "'2026-13-03 10:00'", "from"),
    ("--recurring", "FREQ=DAILY from 2026-10-03 10:00 for 3d", "'3d'", "for 3h"),
    ("--recurring", "FREQ=DAILY from 2026-10-03 10:00 for 0m", "'0m'", "for 3h"),
    ("--except", "tomorrow", "'tomorrow'", "2026-12-24"),
    ("--except", "2026-12-24 noon", "'noon'", "9-17"),
    ("--except", "2026-12-26..2026-12-24", "before it begins", ""),
    ("--except", "0001-01-01..9999-12-31", "10000", ""),
    ("--vacation", "soon", "'soon'", "2026-12-24"),
    ("--auto-decline", "below 2.50", "'below 2.50' does not give a reason", "a colon"),
    ("--auto-decline", "below 2.50:  ", "does not give a reason", "a colon"),
    ("--auto-decline", "blue: no", "'blue'", "lists the conditions"),
    ("--auto-decline", "instant and blue: no", "'blue'", "lists the conditions"),
    ("--auto-decline", "below: no", "'below'", "lists the conditions"),
    ("--auto-decline", "instant and scheduled: no", "'scheduled'", "two rules"),
    ("--auto-decline", "shorter than 0: no", "shorter_than", "lists the conditions"),
    ("--auto-decline", "customer C/1: no", "customers[1]", "lists the conditions"),
    ("--auto-decline", "below -1: no", "above zero", "lists the conditions"),
    ("--auto-decline", ": no", "''", "instant"),
    ("--alarm", "soon", "'soon'", "--alarm 15"),
    ("--attachment-limit", "5XB", "'5XB'", "MiB"),
    ("--attachment-limit", "", "''", "MiB"),
    ("--attachment-limit", "1.0005KB", "whole number of bytes", ""),
]


@pytest.mark.parametrize(("option", "text", "says", "hint"), WRONG)
def test_a_word_that_is_not_understood(
    full: Shell, option: str, text: str, says: str, hint: str
) -> None:
    """The error quotes it and lists the words; nothing is recorded."""
    error = full.refuses(1, "preferences", "set", option, text)
    assert error["code"] == "invalid_value"
    assert says in error["message"]
    assert hint in (error["hint"] or "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "exit_code", "code"),
    [
        (["--auto-decline", "below x: no"], 1, "invalid_amount"),
        (["--auto-decline", "below 2 EUR: no"], 4, "currency_mismatch"),
        (["--recurring", "FREQ=DAILY from 2026-10-03 10:00 for lunch"], 1, "invalid_time"),
        (["--alarm", "40321"], 1, "invalid_event"),
        ([word for n in range(11) for word in ("--alarm", str(n))], 1, "invalid_event"),
        (["--attachment-limit", "0"], 1, "invalid_event"),
        (["--attachment-limit", "9999999999GB"], 1, "invalid_event"),
        (["--remove-skill", "cooking"], 3, "not_found"),
        (["--remove-language", "tlh"], 3, "not_found"),
        (["--direct-rate", "9"], 4, "rate_out_of_bounds"),
        (["--minimum-rate", "0.50"], 4, "rate_out_of_bounds"),
        (["--zone", "Mars/Base"], 1, "invalid_event"),
    ],
)
def test_what_cannot_be_set(full: Shell, options: list[str], exit_code: int, code: str) -> None:
    """Amounts, lengths, sizes, and removals of what is not set."""
    assert full.refuses(exit_code, "preferences", "set", *options)["code"] == code
