"""Ledgers of earlier versions, which accepted any event from a feed, still verify."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.domain.events.envelope import CLI_SOURCE, MACHINE
from liveportal.domain.events.sources import Origin
from liveportal.domain.events.types import TYPES
from liveportal.domain.policy import Policy
from liveportal.feeds import jsonl
from liveportal.ledger.format.attribution import NEVER_BY_COMMANDS
from liveportal.ledger.format.journal_entries import iter_journal
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.replay.replay import decoded, rewritten_copy
from liveportal.ledger.secrets import machine_id
from liveportal.services.defaults import new_id, utc_now
from tests.commands.test_sync import feed
from tests.kit.events import FEED, OTHER, amount, line
from tests.kit.ledger_files import query
from tests.kit.old_ledgers import make_released
from tests.kit.shell import ROOT, Shell

if TYPE_CHECKING:
    from pathlib import Path

    from liveportal.domain.errors import LiveportalError
    from liveportal.domain.events.envelope import Event

pytestmark = pytest.mark.slow

SHA256 = hashlib.sha256(b"never here").hexdigest()
OWN: dict[str, Any] = {"source": CLI_SOURCE}
ATTACHED: dict[str, Any] = {"session": "S-1003", "sha256": SHA256, "bytes": 10, "name": "lie.vtt"}
TIP: dict[str, Any] = {"session": "S-1003", "amount": amount("1.00")}
PROFILE = ["name", "email", "method", "country", "line", "city"]


def recorded_before(ledger: Path, *lines: bytes) -> None:
    """Record lines as a version did that let a feed report everything."""
    store = LedgerFile.open(ledger, utc_now)
    try:
        with store.writing() as door:
            for text in lines:
                door.record(jsonl.parse(text), origin=Origin.JOURNAL)
    finally:
        store.close()


def check_of(shell: Shell, name: str) -> dict[str, Any]:
    """Return one check of `doctor`."""
    finding: dict[str, Any] = next(row for row in shell.ok("doctor") if row["check"] == name)
    return finding


def verify_and_back_up(shell: Shell) -> dict[str, Any]:
    """Verify a ledger, make a backup of it, and return the result of `verify`."""
    for deep in ((), ("--deep",)):
        ran = shell.run("ledger", "verify", *deep, "--json")
        assert ran.code == 0, ran
        assert json.loads(ran.out)["rules_changed"] == []
    (shell.folder / "copy.zip").unlink(missing_ok=True)
    assert shell.run("ledger", "backup", "-o", "copy.zip").code == 0
    ran = shell.run("ledger", "restore", "copy.zip", "--dry-run", "--json")
    assert ran.code == 0, ran
    result: dict[str, Any] = shell.ok("ledger", "verify") if not ran.err else {}
    return result


@pytest.fixture
def spoken(states: Shell) -> Shell:
    """Give a ledger with something in every state, and a transcript."""
    call = states.file("call.txt", b"10:00 Ana: it flickers\n")
    states.ok("sessions", "attach", "S-1001", call, "--kind", "transcript")
    return states


@pytest.mark.parametrize("kind", ["transcript", "code"])
def test_a_file_that_was_never_here(spoken: Shell, kind: str) -> None:
    """A line under the commands' source names a file: it is listed, no permanent failure."""
    recorded_before(
        spoken.ledger, line("artifact.added", "11-02 09:00", id="x", kind=kind, **ATTACHED, **OWN)
    )
    for deep in ((), ("--deep",)):
        ran = spoken.run("ledger", "verify", *deep, terminal=True)
        assert ran.code == 0, ran
        assert "attach it again" in ran.err
        (absent,) = spoken.ok("ledger", "verify", *deep)["attach_again"]
        assert (absent["session"], absent["sha256"]) == ("S-1003", SHA256)
    assert spoken.run("ledger", "backup", "-o", "copy.zip").code == 0
    assert spoken.run("ledger", "restore", "copy.zip", "--dry-run").code == 0
    check = check_of(spoken, "evidence")
    assert check["status"] == "warning"
    assert "in session S-1003" in check["message"]
    assert "sessions attach" in check["hint"]
    # If the file is available after all, attaching it is enough.
    spoken.ok("sessions", "attach", "S-1003", spoken.file("lie.vtt", b"never here"), "--kind", kind)
    ran = spoken.run("ledger", "verify", "--deep", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert check_of(spoken, "evidence")["status"] == "ok"


def test_a_file_of_a_size_that_it_has_not(spoken: Shell) -> None:
    """A lie about a file that is in the vault by another event is no damage."""
    file = spoken.file("lie.vtt", b"never here")
    spoken.ok("sessions", "attach", "S-1002", file, "--kind", "code")
    lie = ATTACHED | {"bytes": 11}
    recorded_before(
        spoken.ledger,
        line("artifact.added", "11-02 09:00", id="x", kind="transcript", **lie, **OWN),
    )
    for deep in ((), ("--deep",)):
        assert spoken.run("ledger", "verify", *deep).code == 0


@pytest.mark.damages
@pytest.mark.parametrize("proof", ["machine", "id"])
def test_a_file_that_a_command_attached_and_that_is_lost(
    spoken: Shell, monkeypatch: pytest.MonkeyPatch, proof: str
) -> None:
    """Still a failure: the machine's id, or an id made at that moment, identifies a command."""
    key = ("--key", "k") if proof == "machine" else ()
    if proof == "id":
        monkeypatch.setattr(machine_id, "this_machine", lambda: None)
    spoken.ok("sessions", "attach", "S-1003", spoken.file("a.cs", b"x"), "--kind", "code", *key)
    for path in spoken.ledger.with_name("ledger.db.vault").glob("??/*"):
        path.unlink()
    assert spoken.refuses(6, "ledger", "verify")["code"] == "verification_failed"
    assert spoken.run("ledger", "backup", "-o", "copy.zip").code == 6


def test_an_id_that_was_made_at_another_time_proves_nothing(spoken: Shell) -> None:
    """A feed may use the same form of ids."""
    old = "0190" + new_id()[4:]
    output = line("artifact.added", "11-02 09:00", id=old, kind="code", **ATTACHED, **OWN)
    recorded_before(spoken.ledger, output)
    assert spoken.run("ledger", "verify").code == 0


def test_doctor_names_each_and_says_what_to_do(spoken: Shell) -> None:
    """With its source and type, and a command for each type."""
    customer = spoken.ok("sessions", "show", "S-1003")["customer"]
    assert check_of(spoken, "authority")["status"] == "ok"
    spoken.ok("sessions", "tip", "S-1003", "5.00", "--key", "tip", "--at", "2026-11-01 09:00")
    lines = {
        "policy use": line("policy.adopted", "11-02 09:00", id="1", policy=Policy().document),
        "preferences set": line("preferences.changed", "11-02 09:00", id="2", skills=["x"]),
        "set --start-over": line("payout_profile.changed", "11-02 09:00", id="3", fields=PROFILE),
        "cannot reveal": line("payout_profile.revealed", "11-02 09:00", id="4", fields=["iban"]),
        "ledger restore": line("customer.forgotten", "11-02 09:00", id="5", customer=customer),
        "record it again": line(
            *("entry.reversed", "11-02 09:00"),
            id="6",
            event={"source": CLI_SOURCE, "id": "tip"},
            reason="x",
        ),
    }
    check: dict[str, Any] = {}
    for n, (hint, output) in enumerate(lines.items(), 1):
        recorded_before(spoken.ledger, output)
        check = check_of(spoken, "authority")
        assert check["status"] == "warning"
        assert f" from {FEED}" in check["message"]
        assert hint in check["hint"]
        assert ("more" in check["message"]) is (n > 3)
    good = line("preferences.changed", "11-02 09:00", id="7", role="expert")
    recorded_before(spoken.ledger, good)
    assert check_of(spoken, "authority") == check
    verify_and_back_up(spoken)
    # The same feed again is a replay, as it always was.
    row = spoken.ok("sync", feed(spoken, "again.jsonl", *lines.values()))
    assert (row["recorded"], row["replayed"]) == (0, len(lines))


@pytest.mark.parametrize(
    "said",
    [
        line("request.taken", "11-02 09:00", id="x", request="REQ-2001", **OWN),
        line("payout_profile.changed", "11-02 09:00", id="x", fields=PROFILE, **OWN),
        line("tip.received", "11-02 09:00", id="x", session="S-1003", amount=amount("1.00"), **OWN)[
            :-2
        ]
        + b', "traceparent": "00-aa"}\n',
        line(
            *("tip.received", "11-02 09:00"),
            id="x",
            session="S-1003",
            amount=amount("1.00"),
            source="URN:liveportal:cli",
        ),
    ],
    ids=["type", "profile", "attribute", "source"],
)
def test_what_no_command_makes_is_not_yours(spoken: Shell, said: bytes) -> None:
    """A type that no command has, an attribute of a feed's, another spelling: `doctor` names it."""
    recorded_before(spoken.ledger, said)
    check = check_of(spoken, "authority")
    assert (check["status"], check["check"]) == ("warning", "authority")
    assert f"from {jsonl.parse(said).source}" in check["message"]
    verify_and_back_up(spoken)


def test_copies_of_a_book_in_which_a_feed_forgot(spoken: Shell) -> None:
    """A customer can be forgotten in an older copy, whatever the source of the erasure."""
    copy = spoken.file("ledger.db.form1", spoken.ledger.read_bytes())
    customer = spoken.ok("sessions", "show", "S-1003")["customer"]
    recorded_before(
        spoken.ledger, line("customer.forgotten", "11-02 09:00", id="5", customer=customer)
    )
    other = next(
        row["customer"] for row in spoken.ok("sessions", "list") if row["customer"] != customer
    )
    assert spoken.ok("ledger", "forget", other, "--yes")["copies"] == [str(copy)]


class _Retold:
    """Rewrites each event unchanged."""

    def __init__(self) -> None:
        self.errors: list[LiveportalError] = []

    def rewrite(self, event: Event) -> Event:
        """Return the event itself."""
        return event

    def refused(self, _seq: int, _event: Event, error: LiveportalError) -> None:
        """Collect the events that the rules refuse."""
        self.errors.append(error)


def test_rewritten_events_may_be_a_feeds(spoken: Shell) -> None:
    """`earnings --bounds` replays the journal under other policies without any refusal."""
    output = line("preferences.changed", "11-02 09:00", id="2", skills=["x"])
    recorded_before(
        spoken.ledger, output, line("tip.received", "11-02 09:00", id="t", **TIP, **OWN)
    )
    retold = _Retold()
    with open_readonly(spoken.ledger) as reader:
        rewritten_copy(reader.db, decoded(iter_journal(reader.db)), retold).close()
    assert retold.errors == []


def test_the_types_that_no_command_has() -> None:
    """They are contract types, and no command records one of them."""
    assert set(TYPES) >= NEVER_BY_COMMANDS
    source = "".join(path.read_text("utf-8") for path in (ROOT / "liveportal" / "cli").glob("*.py"))
    for kind in NEVER_BY_COMMANDS:
        assert f"{TYPES[kind].__name__}(" not in source


def test_whose_word_an_event_is(spoken: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shown for each event: yours, the platform's, or a feed's under your name."""
    monkeypatch.setenv("TERM", "dumb")
    lie = line("tip.received", "11-02 09:00", id="x", **TIP, **OWN)[:-2] + b', "a": "b"}\n'
    recorded_before(spoken.ledger, lie)
    spoken.ok("sessions", "tip", "S-1003", "2.00")
    speakers = [entry["speaker"] for entry in spoken.ok("sessions", "show", "S-1003")["history"]]
    assert set(speakers[:-2]) == {"platform"}
    assert speakers[-2:] == ["unknown", "expert"]
    text = " ".join(spoken.run("sessions", "show", "S-1003", terminal=True).out.split())
    assert "by a feed under your name" in text
    assert "recorded by you" in text


def test_a_feed_that_cleared_the_payout_profile(spoken: Shell) -> None:
    """The values lie there still: that is no damage, and entering them again mends it."""
    person = ("--name", "Anna Example", "--email", "anna@example.com", "--country", "IE")
    spoken.ok("payout", "profile", "set", *person)
    marks = {"name": None, "email": None}
    output = line(
        "payout_profile.changed", "11-02 09:00", id="x", fields=list(marks), fingerprints=marks
    )
    recorded_before(spoken.ledger, output, output.replace(FEED.encode(), OTHER.encode()))
    verify_and_back_up(spoken)
    spoken.ok("payout", "profile", "set", "--start-over", "--yes", *person)
    assert "name" in spoken.ok("payout", "profile", "show")["filled"]
    verify_and_back_up(spoken)


@pytest.mark.damages
def test_a_command_that_cleared_it_removed_the_values(spoken: Shell) -> None:
    """Where a command cleared a field, a value that is there was added later."""
    spoken.ok("payout", "profile", "set", "--name", "Anna Example")
    output = line(
        "payout_profile.changed",
        "11-02 09:00",
        id="x",
        fields=["name"],
        fingerprints={"name": None},
        **OWN,
    )
    signed = output[:-2] + f', "{MACHINE}": "{"0" * 32}"}}\n'.encode()
    recorded_before(spoken.ledger, signed)
    assert spoken.refuses(6, "ledger", "verify")["code"] == "verification_failed"


@pytest.mark.damages  # One of them has messages that belong to no transcript.
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_released_ledger(nothing: Shell, number: int) -> None:
    """A feed forgot a customer in each: it opens and verifies, and `doctor` reports it."""
    ledger = nothing.folder / "books" / "ledger.db"
    make_released(ledger, number)
    old = Shell(nothing.folder, ledger)
    options = ("--ledger", ledger)
    for _ in range(2):  # As it was, and upgraded.
        rows = old.ok("doctor", *options)
        (check,) = [row for row in rows if row["check"] == "authority"]
        assert (check["status"], "customer.forgotten from" in check["message"]) == ("warning", True)
        assert old.run("ledger", "verify", "--deep", *options).code in {0, 6}
        assert old.ok("ledger", "verify", *options)["attach_again"] == []
        old.ok("sessions", "list", *options)
        old.ok("earnings", "adjust", "1.00", "--reason", "x", *options)
    assert query(ledger, "SELECT count(*) FROM event WHERE type LIKE '%forgotten'") == [(1,)]
