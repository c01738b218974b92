"""`liveportal ledger forget`, as a user types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.domain.events.envelope import MACHINE
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.storage import ledger_paths
from tests.kit.states import READS

if TYPE_CHECKING:
    from tests.kit.shell import Shell

FORGET = ("ledger", "forget")
CUSTOMERS = ("C-77", "C-31", "C-12")
NAMES = ("Mina", "Zo\u00eb", "Joe")
MORE = (
    *(
        "sessions show S-1001",
        "sessions show S-1003",
        "requests show REQ-1001",
        "dispute show CL-1",
    ),
    *("sessions reviews C-77", "sessions search anything", "sessions calendar", "due --all"),
    *("earnings explain S-1002", "earnings statement --month 2026-10", "payout overdue"),
    *("dispute evidence CL-1 --no-pack", "sessions list --search Mina", "ledger verify"),
    *("requests list --state accepted", "sessions history", "sessions explain S-1002"),
)
_AMOUNTS = "gross,platform_fee,earned,refunded,deducted,tips,adjustments,net"
MONEY = (
    f"earnings months --fields month,sessions,minutes,refunds,{_AMOUNTS},balance",
    f"earnings summary --year 2026 --fields {_AMOUNTS}",
    "earnings transactions --fields transaction,time,kind,session,claim,gross,fee,amount,owed",
    "payout list",
)


def _texts(shell: Shell) -> set[str]:
    """Return every personal text in the ledger; the machine's id is no customer's."""
    with open_readonly(shell.ledger) as reader:
        bodies = reader.db.execute("SELECT body FROM event_personal").fetchall()

    def inside(value: Any) -> list[str]:  # noqa: ANN401 (JSON)
        if isinstance(value, dict | list):
            below = value.items() if isinstance(value, dict) else enumerate(value)
            return [text for name, nested in below if name != MACHINE for text in inside(nested)]
        return [value]

    return {text for (body,) in bodies for text in inside(json.loads(body))}


def test_it_says_what_it_did(states: Shell) -> None:
    """Counts of events, messages and files, and what is left for the user to do."""
    states.file("chat.txt", "[14:01] Mina: my shader is pink\n[14:02] Anna: I see it\n")
    attached = (*("sessions", "attach", "S-1001", "chat.txt"), "--kind", "transcript")
    states.ok(*attached)
    copy = states.file("ledger.db.form1", states.ledger.read_bytes())
    done = states.ok(*FORGET, "C-77", "--yes")
    assert (done["id"], done["state"]) == ("C-77", "forgotten")
    assert done["events"] > 3
    assert (done["messages"], done["files"]) == (2, 1)
    assert (done["copies"], done["log_emptied"]) == ([str(copy)], True)
    assert [residue["what"] for residue in done["left"]] == ["elsewhere"]
    for file in states.folder.iterdir():
        if file.is_file() and file.name.startswith("ledger.db"):
            assert b"Mina" not in file.read_bytes(), file
    assert states.ok("sessions", "search", "shader") == []
    assert "evidence packs" in states.run(*FORGET, "C-77", "--yes", terminal=True).out


def test_no_question_without_a_terminal(states: Shell) -> None:
    """It cannot be undone: elsewhere it needs --yes. A prefix names a customer, too."""
    assert states.refuses(7, *FORGET, "C-77")["code"] == "confirmation_needed"
    assert states.ok(*FORGET, "C-7", "--dry-run")["id"] == "C-77"
    assert states.refuses(3, *FORGET, "C-9")["code"] == "not_found"
    assert states.refuses(3, *FORGET, "", "--yes")["code"] == "not_found"
    assert states.ok(*FORGET, "C-7", "--yes")["id"] == "C-77"


def test_a_second_time_is_a_replay(states: Shell) -> None:
    """Nothing is recorded; the result is the first one's."""
    first = states.ok(*FORGET, "C-77", "--yes", "--at", "2026-11-10 09:00")
    before = states.dump()
    again = states.ok(*FORGET, "C-77", "--yes")
    assert states.dump() == before
    assert again == first | {"replayed": True}


def test_a_dry_run_touches_no_file(states: Shell) -> None:
    """Not a byte is another, and no mark is left."""
    before = states.ledger.read_bytes()
    states.ok(*FORGET, "C-77", "--dry-run")
    assert states.ledger.read_bytes() == before
    assert not ledger_paths.erasure_marker(states.ledger).exists()


@pytest.mark.slow
def test_no_command_shows_them_any_more_and_none_fails(states: Shell) -> None:
    """Every read goes on: with the customer's id, and no text of theirs. Money is as it was."""
    # Short ones such as "help" are in headings, too.
    texts = {text for text in _texts(states) if len(text) > 8} | set(NAMES)
    assert len(texts) > 10
    known = (*READS, *MORE)
    worked = {command for command in known if states.run(*command.split()).code in (0, 10)}
    assert worked >= set(READS)
    money = [states.output_of(*command.split()) for command in MONEY]
    for customer in CUSTOMERS:
        states.ok(*FORGET, customer, "--yes")
    assert _texts(states) <= {"twice"}
    for command in known:
        for form in ((), ("--json",), ("--csv",), ("terminal",)):
            ran = (
                states.run(*command.split(), terminal=True)
                if form == ("terminal",)
                else states.run(*command.split(), *form)
            )
            assert ran.code in (0, 10) or command not in worked, (command, ran)
            assert "bug" not in ran.err, (command, ran)
            output = ran.out.replace("\\u00eb", "\u00eb")
            remaining = [text for text in texts if text in output and text not in command]
            assert not remaining, command
    assert [states.output_of(*command.split()) for command in MONEY] == money
