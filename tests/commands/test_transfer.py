"""`ledger export events` and `ledger import`: to another machine and back."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from liveportal.ledger.storage.connection import open_file
from tests.commands.conftest import Prepare
from tests.kit.events import amount, line
from tests.kit.shell import OCTOBER, Shell

pytestmark = pytest.mark.slow

EXPORT = ("ledger", "export", "events")
IMPORT = ("ledger", "import")
VERIFY = ("ledger", "verify")
PROFILE = ("payout", "profile")
PERSON = ("--name", "Anna Example", "--email", "anna@example.com", "--country", "IE")
ADDRESS = ("--line", "1 Main St", "--city", "Cork", "--region", "Co. Cork")
W8BEN = ("--tax-form", "w8ben", "--tax-signed", "2026-11-02", "--tax-number", "-", "--anyway")
FIELDS = (
    *("ledger", "state", "events", "recorded", "replayed", "confirmed", "erased", "sources"),
    *("types", "policies", "forgotten", "enter_again", "attach_again", "kept", "head", "dry_run"),
    "identity_key",
    "attached",
)


@pytest.fixture
def book(nothing: Shell, prepared: Prepare) -> Shell:
    """Give a ledger with evidence, a payout profile, and a forgotten customer."""
    return prepared("book", nothing, _make_book)


def _make_book(shell: Shell) -> None:
    shell.ok("init", "--timezone", "Europe/Paris")
    shell.ok("sync", OCTOBER)
    talk = shell.file("talk.txt", "Mina: It flickers.\nAnna: Not any more.\n")
    code = shell.file("fix.shader", "pass Second {}\n")
    shell.ok("sessions", "attach", "S-1002", talk, "--kind", "transcript")
    shell.ok("sessions", "attach", "S-1002", code)
    shell.ok(*PROFILE, "set", *PERSON, *ADDRESS, "--method", "paypal")
    shell.ok(*PROFILE, "set", *W8BEN, stdin=b"1234567A")
    shell.ok("ledger", "forget", "C-31", "--yes")


def exported(shell: Shell, *options: object) -> Path:
    """Export a ledger to a file, and return that."""
    path = shell.folder / "book.jsonl"
    shell.ok(*EXPORT, *options, "-o", path)
    return path


def other(shell: Shell, name: str = "other/ledger.db") -> Shell:
    """Return a shell for another ledger, which does not exist yet."""
    return Shell(shell.folder, shell.folder / name)


def at(shell: Shell, *argv: object) -> tuple[object, ...]:
    """Return a command for the shell's ledger, whatever the environment names."""
    return "--ledger", shell.ledger, *argv


def ok(shell: Shell, *argv: object, stdin: bytes = b"") -> Any:  # noqa: ANN401 (any JSON)
    """Run a command that succeeds on another ledger, and return its parsed JSON."""
    ran = shell.run(*at(shell, *argv), "--json", stdin=stdin)
    assert ran.code == 0, ran
    return json.loads(ran.out)


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of an export."""
    return [json.loads(text) for text in path.read_bytes().splitlines()]


def files(folder: Path) -> set[str]:
    """Return the names of all files below a folder, except SQLite's own."""
    paths = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    return {name for name in paths if not name.endswith(("-wal", "-shm"))}


# --- exporting ------------------------------------------------------------------------------------


def test_every_event_is_a_line(book: Shell) -> None:
    """In journal order, with the recording time; an erased one is marked and has no text."""
    path = exported(book)
    events = lines(path)
    with closing(open_file(book.ledger, readonly=True)) as db:
        rows = db.execute("SELECT source, id, type, recorded_at FROM event ORDER BY seq").fetchall()
    assert [(e["source"], e["id"], e["type"], e["recordedat"]) for e in events] == rows
    assert path.stat().st_mode & 0o777 == 0o600
    erased = [event for event in events if event.get("erased")]
    assert [row["id"] for row in erased[:-1]] == ["oct-014", "oct-022"]
    assert erased[0]["data"]["customer"] == {"id": "C-31"}
    assert [row["type"] for row in erased[2:]] == ["liveportal.customer.forgotten"]
    assert "Profiler session" not in path.read_text()
    assert events[0]["liveportalmachine"] == events[-2]["liveportalmachine"]
    assert path.read_bytes() == book.run(*EXPORT).out.encode()


def test_what_is_personal_is_left_out(book: Shell) -> None:
    """Names, texts and the machine; ids, hashes and money stay."""
    path = exported(book, "--without-personal")
    text = path.read_text()
    assert not [word for word in ("Mina", "talk.txt", "liveportalmachine") if word in text]
    assert all(event.get("erased", True) is True for event in lines(path))
    ended = [event for event in lines(path) if event["type"].endswith("session.ended")]
    assert ended
    assert not any("erased" in run for run in ended)


def test_a_part_of_the_journal(book: Shell) -> None:
    """By the month of the events in the ledger's zone, or by recording time."""
    october = lines(exported(book, "--from", "2026-10", "--to", "2026-10"))
    assert {row["time"][:7] for row in october} == {"2026-10"}
    assert [row["id"] for row in october] == [f"oct-{number:03}" for number in range(1, 23)]
    assert lines(exported(book, "--as-known", "2020-01-01")) == []


def test_only_a_summary_has_a_format(book: Shell) -> None:
    """The events are lines of JSON in every case."""
    for option in ("--json", "--csv", "--header", "--fields=path"):
        assert book.run(*EXPORT, option).code == 2
    assert book.run(*EXPORT, "-o", book.ledger).code == 74
    result = book.ok(*EXPORT, "-o", book.folder / "x.jsonl")
    assert (result["events"], result["erased"]) == (len(lines(book.folder / "x.jsonl")), 3)


# --- importing ------------------------------------------------------------------------------------


def test_it_makes_an_equal_ledger(book: Shell) -> None:
    """Another export is the same, byte by byte, and as of any time it answers the same."""
    path, copy = exported(book), other(book)
    done = ok(copy, *IMPORT, path, "--yes")
    assert tuple(done) == FIELDS
    assert (done["state"], done["recorded"]) == ("created", done["events"])
    assert (done["policies"], done["forgotten"]) == (["unity-live-help"], ["C-31"])
    assert sum(source["events"] for source in done["sources"]) == done["events"]
    assert sum(row["events"] for row in done["types"]) == done["events"]
    assert (done["erased"], done["dry_run"]) == (3, False)
    assert copy.run(*at(copy, *EXPORT)).out.encode() == path.read_bytes()
    for argv in (
        ("earnings", "months"),
        ("sessions", "list"),
        ("ledger", "info", "--fields", "events,transactions"),
        ("earnings", "months", "--as-known", lines(path)[5]["recordedat"]),
    ):
        assert ok(copy, *argv) == book.ok(*argv)
    assert copy.ledger.stat().st_mode & 0o777 == 0o600
    assert files(copy.ledger.parent) == {"ledger.db"}


def test_from_standard_input(book: Shell) -> None:
    """A pipe is read once, a file of the shell's, too."""
    copy = other(book)
    content = exported(book).read_bytes()
    assert ok(copy, *IMPORT, "-", "--yes", stdin=content)["state"] == "created"
    third = other(book, "third.db")
    piped = f'liveportal ledger export events | liveportal --ledger "{third.ledger}"'
    assert book.script(f"{piped} ledger import - --yes").code == 0
    fourth = other(book, "fourth.db")
    given = f"<(cat '{book.folder / 'book.jsonl'}')"
    ran = book.script(f'liveportal --ledger "{fourth.ledger}" ledger import {given} --yes')
    assert ran.code == 0, ran
    assert fourth.run(*at(fourth, *EXPORT)).out.encode() == content


def test_it_asks_first(book: Shell) -> None:
    """It lists the expert-only events; without consent, nothing is made."""
    path, copy = exported(book), other(book)
    ran = copy.run(*at(copy, *IMPORT, path))
    assert ran.code == 7
    assert "adopts 1 policy (unity-live-help)" in ran.err
    assert "forgets 1 customer (C-31)" in ran.err
    assert not copy.ledger.parent.exists()


def test_a_dry_run_makes_nothing(book: Shell) -> None:
    """It shows the whole result."""
    path, copy = exported(book), other(book)
    would = ok(copy, *IMPORT, path, "--dry-run")
    assert not copy.ledger.parent.exists()
    done = ok(copy, *IMPORT, path, "--yes")
    own = ("head", "dry_run")
    assert {k: v for k, v in would.items() if k not in own} == {
        k: v for k, v in done.items() if k not in own
    }
    before = book.dump()
    again = book.ok(*IMPORT, path, "--dry-run")
    assert (again["state"], again["recorded"], again["replayed"]) == ("added_to", 0, done["events"])
    assert book.dump() == before


def test_in_the_place_of_an_empty_ledger(book: Shell) -> None:
    """What `init` made is no more than a place for it; a copy is kept."""
    path, copy = exported(book), other(book)
    for init in (("init",), ("init", "--timezone", "Asia/Tokyo")):
        copy = other(book, f"{len(init)}/ledger.db")
        ok(copy, *init)
        assert ok(copy, *IMPORT, path, "--dry-run")["state"] == "replaced"
        done = ok(copy, *IMPORT, path, "--yes")
        assert done["state"] == "replaced"
        assert files(copy.ledger.parent) >= {"ledger.db", Path(done["kept"]).name}
        assert copy.run(*at(copy, *EXPORT)).out.encode() == path.read_bytes()
        assert ok(copy, *VERIFY)["ok"]


def test_into_a_ledger_that_exists(book: Shell) -> None:
    """Known events are skipped, new ones recorded now; in both directions."""
    copy = other(book)
    ok(copy, *IMPORT, exported(book), "--yes")
    book.ok("sessions", "tip", "S-1002", "5.00", "--at", "2026-10-20T10:00:00Z")
    path = exported(book)
    done = ok(copy, *IMPORT, path, "--yes")
    assert (done["state"], done["recorded"]) == ("added_to", 1)
    assert done["replayed"] == done["events"] - 1
    assert ok(copy, "earnings", "months") == book.ok("earnings", "months")
    ours, theirs = copy.run(*at(copy, *EXPORT)).out.splitlines(), lines(path)
    assert json.loads(ours[-1])["recordedat"] > theirs[-1]["recordedat"]
    used = other(book, "used.db")
    ok(used, "init")
    ok(used, "preferences", "set", "--skill", "urp")
    assert ok(used, *IMPORT, path, "--yes")["state"] == "added_to"


def change_line(path: Path, number: int, **values: object) -> Path:
    """Change a line of an export, dropping fields that are None; return the new file."""
    events = lines(path)
    events[number - 1] = {k: v for k, v in (events[number - 1] | values).items() if v is not None}
    bad = path.with_name("bad.jsonl")
    bad.write_text("".join(json.dumps(event) + "\n" for event in events))
    return bad


BAD: dict[str, tuple[int, dict[str, object], str]] = {
    "type": (3, {"type": "liveportal.nothing"}, "type"),
    "time": (3, {"time": "yesterday"}, "time"),
    "recordedat": (4, {"recordedat": "2020-01-01T00:00:00Z"}, "recordedat"),
    "recordedat-form": (4, {"recordedat": "noon"}, "recordedat"),
    "recordedat-kind": (4, {"recordedat": 7}, "recordedat"),
    "erased-kind": (3, {"erased": "yes"}, "erased"),
    "erased-and-there": (3, {"erased": True}, "customer.name"),
    "data": (3, {"data": {}}, "request"),
    "attribute": (3, {"Bad": "x"}, "Bad"),
}


@pytest.mark.parametrize(
    ("case", "place"),
    [
        *((case, "new") for case in BAD),
        *(("data", place) for place in ("empty", "existing")),
        *(("recordedat", "empty"), ("erased-kind", "existing")),
    ],
)
def test_all_or_nothing(book: Shell, case: str, place: str) -> None:
    """A bad line is named, with its field and reason; nothing is left behind."""
    number, values, field = BAD[case]
    copy = other(book)
    copy.ledger.parent.mkdir()
    if place != "new":
        ok(copy, "init")
    if place == "existing":
        ok(copy, "preferences", "set", "--skill", "urp")
    before = files(copy.ledger.parent)
    bad = change_line(exported(book), number, **values)
    ran = copy.run(*at(copy, *IMPORT, bad, "--yes", "--json"))
    error = json.loads(ran.err)["error"]
    assert (ran.code, error["details"]["line"]) == (1, number)
    assert error["details"]["field"] == field
    assert files(copy.ledger.parent) == before


def test_the_rules_judge(book: Shell) -> None:
    """A line that they refuse is named with its own code, and nothing is left behind."""
    copy = other(book)
    path = exported(book)
    file_lines = path.read_bytes().splitlines(keepends=True)
    ended = line("session.ended", "10-20 10:00", id="x", session="S-NONE")
    path.write_bytes(b"".join((*file_lines, ended)))
    ran = copy.run(*at(copy, *IMPORT, path, "--yes", "--json"))
    assert (ran.code, json.loads(ran.err)["error"]["details"]["line"]) == (3, len(file_lines) + 1)
    assert not copy.ledger.parent.exists()


def test_what_is_no_export(book: Shell) -> None:
    """No events, a part without its beginning, a ledger, a missing file."""
    copy = other(book, "copy.db")
    nothing = book.file("nothing.jsonl", b"\n\n")
    for code, file, name in (
        (1, nothing, "no_events"),
        (1, OCTOBER, "partial_export"),
        (1, book.ledger, "ledgers_own_file"),
        (1, book.folder / "none.jsonl", "unreadable_file"),
    ):
        ran = copy.run(*at(copy, *IMPORT, file, "--yes", "--json"))
        assert (ran.code, json.loads(ran.err)["error"]["code"]) == (code, name)
        assert not copy.ledger.exists()
    ok(copy, "init")
    assert ok(copy, *IMPORT, OCTOBER, "--yes")["recorded"] == 22


def test_without_times_of_recording(book: Shell) -> None:
    """Events without a recording time are recorded now."""
    path, copy = exported(book), other(book)
    events = [{k: v for k, v in event.items() if k != "recordedat"} for event in lines(path)]
    path.write_text("".join(json.dumps(each) + "\n" for each in events))
    ok(copy, *IMPORT, path, "--yes")
    assert ok(copy, *VERIFY)["ok"]
    assert lines(path) != [json.loads(e) for e in copy.run(*at(copy, *EXPORT)).out.splitlines()]


def test_what_is_forgotten_leaves_no_trace(book: Shell) -> None:
    """A file that still has a forgotten customer's words imports none of them."""
    secret = "Schrödinger-7781"  # noqa: S105 (a text to look for)
    opened = line(
        "request.opened",
        "10-30 10:00",
        id="last-1",
        request="REQ-X",
        kind="instant",
        customer={"id": "C-X", "name": secret},
        title=secret,
        rate=amount("3.00"),
    )
    forgotten = line(
        "customer.forgotten",
        "10-30 11:00",
        id="last-2",
        source="urn:liveportal:cli",
        customer="C-X",
    )
    path, copy = exported(book), other(book)
    path.write_bytes(path.read_bytes() + opened + forgotten)
    ok(copy, *IMPORT, path, "--yes")
    for file in copy.ledger.parent.iterdir():
        assert secret.encode() not in file.read_bytes()
    assert ok(copy, *VERIFY)["ok"]
    done = book.ok(*IMPORT, path, "--yes")
    assert (done["recorded"], done["forgotten"]) == (2, ["C-31", "C-X"])
    for suffix in ("", "-wal"):
        if (beside := Path(f"{book.ledger}{suffix}")).exists():
            assert secret.encode() not in beside.read_bytes()


# --- what no event holds --------------------------------------------------------------------------

LOST = [
    *("name", "email", "method", "country", "address", "tax_form", "tax_number", "tax_signed"),
]


@pytest.fixture
def moved(book: Shell, prepared: Prepare) -> Shell:
    """Give the ledger on another machine: imported, without the vault and the key."""
    return other(prepared("moved", book, _move))


def _move(book: Shell) -> None:
    ok(other(book), *IMPORT, exported(book), "--yes")


def test_what_an_import_cannot_bring_is_named(book: Shell, moved: Shell) -> None:
    """The check, doctor and verify name it; nothing is paid out, and nothing is damaged."""
    result = ok(moved, *VERIFY)
    assert (result["ok"], sorted(result["enter_again"])) == (True, sorted(LOST))
    assert [(e["session"], e["name"]) for e in result["attach_again"]] == [
        ("S-1002", "talk.txt"),
        ("S-1002", "fix.shader"),
    ]
    shown = ok(moved, *PROFILE, "show")
    assert (shown["complete"], sorted(shown["enter_again"])) == (False, sorted(LOST))
    assert shown["filled"] == []
    checks = {row["requirement"]: row for row in ok(moved, *PROFILE, "check")}
    assert all(checks[name]["state"] == "enter_again" and checks[name]["blocks"] for name in LOST)
    codes = [row["code"] for row in ok(moved, "payout", "preview")["blocked"]]
    assert "profile_incomplete" in codes
    ran = moved.run(*at(moved, "doctor", "--json"))
    (check,) = [finding for finding in json.loads(ran.out) if finding["check"] == "imported"]
    assert check["status"] == "warning"
    assert "Attach 2 files again." in check["message"]
    # As known at an earlier time, it answers as the ledger that it came from.
    then = ("payout", "preview", "--as-known", "2999-01-01")
    assert ok(moved, *then)["blocked"] == book.ok(*then)["blocked"]


def test_values_are_entered_again(moved: Shell) -> None:
    """Each entry goes with its value; then the profile is complete and verifies, also deep."""
    ok(moved, *PROFILE, "set", *PERSON, *ADDRESS)
    assert ok(moved, *VERIFY)["enter_again"] == ["method", "tax_form", "tax_number", "tax_signed"]
    ok(moved, *PROFILE, "set", "--method", "paypal")
    ok(moved, *PROFILE, "set", *W8BEN, stdin=b"1234567A")
    shown = ok(moved, *PROFILE, "show")
    assert (shown["complete"], shown["enter_again"]) == (True, [])
    assert ok(moved, *VERIFY)["enter_again"] == []
    assert all(not row["blocks"] for row in ok(moved, *PROFILE, "check"))


def test_starting_over_enters_all(moved: Shell) -> None:
    """After a fresh start nothing has to be entered again."""
    ok(moved, *PROFILE, "set", "--start-over", *PERSON, *ADDRESS, "--yes")
    result = ok(moved, *VERIFY)
    assert (result["ok"], result["enter_again"]) == (True, [])


def test_files_are_attached_again(moved: Shell) -> None:
    """The same file brings itself and its messages back, and records nothing."""
    before = ok(moved, "ledger", "info")["head"]
    talk = moved.folder / "talk.txt"
    done = ok(moved, "sessions", "attach", "S-1002", talk, "--kind", "transcript")
    assert done["replayed"]
    result = ok(moved, *VERIFY)
    assert [row["name"] for row in result["attach_again"]] == ["fix.shader"]
    assert result["files"] == 1
    assert [row["snippet"] for row in ok(moved, "sessions", "search", "flickers")]
    ok(moved, "sessions", "attach", "S-1002", moved.folder / "fix.shader")
    result = ok(moved, *VERIFY, "--deep")
    assert (result["attach_again"], result["files"], result["messages"]) == ([], 2, 2)
    assert ok(moved, "ledger", "info")["head"] == before


def test_a_file_that_was_carried_along(book: Shell) -> None:
    """If the vault was copied first, only the transcripts must be attached again."""
    copy = other(book, "there/ledger.db")
    vault = book.ledger.with_name("ledger.db.vault")
    copy.ledger.parent.mkdir()
    shutil.copytree(vault, copy.ledger.with_name("ledger.db.vault"))
    done = ok(copy, *IMPORT, exported(book), "--yes")
    assert done["attach_again"] == 1
    assert [row["name"] for row in ok(copy, *VERIFY)["attach_again"]] == ["talk.txt"]


def test_a_backup_of_it(moved: Shell) -> None:
    """It is a good one; restored, it lacks the same and says so."""
    made = ok(moved, "ledger", "backup", "-o", moved.folder / "moved.zip")
    assert (made["damaged"], made["absent"]) == ([], 3 - 1)
    third = other(moved, "third/ledger.db")
    ok(third, "ledger", "restore", moved.folder / "moved.zip", "--yes")
    result, before = ok(third, *VERIFY), ok(moved, *VERIFY)
    assert (result["enter_again"], result["attach_again"]) == (
        before["enter_again"],
        before["attach_again"],
    )
    ok(third, "sessions", "attach", "S-1002", moved.folder / "fix.shader")
    assert len(ok(third, *VERIFY)["attach_again"]) == 1


def test_forgetting_the_customer_of_a_file(moved: Shell) -> None:
    """What is forgotten need not be attached again."""
    customer = ok(moved, "sessions", "show", "S-1002")["customer"]
    ok(moved, "ledger", "forget", customer, "--yes")
    result = ok(moved, *VERIFY)
    assert (result["ok"], result["attach_again"]) == (True, [])


@pytest.mark.damages
def test_a_lost_row_is_no_import(moved: Shell) -> None:
    """In an imported ledger, too, a value that was entered since must be there."""
    ok(moved, *PROFILE, "set", *PERSON, *ADDRESS)
    with closing(open_file(moved.ledger, readonly=False)) as db:
        db.execute("DELETE FROM sealed_value WHERE field = 'name'")
    ran = moved.run(*at(moved, *VERIFY))
    assert ran.code == 6
    assert "the value of name in the payout profile is missing" in ran.err


def test_a_profile_that_was_changed_elsewhere(book: Shell, moved: Shell) -> None:
    """A change that is imported makes the value of before outdated: it is to be entered again."""
    ok(moved, *PROFILE, "set", "--name", "Anna Other", *ADDRESS, "--country", "IE")
    theirs = moved.folder / "theirs.jsonl"
    ok(moved, *EXPORT, "-o", theirs)
    done = book.ok(*IMPORT, theirs, "--yes")
    assert (done["state"], done["recorded"]) == ("added_to", 1)
    assert done["enter_again"] == ["name", "country", "address"]
    result = book.ok(*VERIFY)
    assert (result["ok"], result["enter_again"]) == (True, ["name", "country", "address"])
    assert book.ok(*PROFILE, "show")["name"] is None
    assert book.ok(*PROFILE, "show")["email"] == "a***@example.com"
