"""`payout reconcile` answers: did each payout arrive, whole, and with which fee."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from liveportal.ledger.storage import driver
from tests.kit.events import amount, line
from tests.kit.paypal_files import PLATFORM, SMALL, STATEMENT, PayPalAccount
from tests.kit.shell import SetClock, Shell

REPORTS = Path(__file__).parent / "reports"
OURS = ("--payer", PLATFORM)
NOW = "2026-12-10T12:00Z"


def account() -> PayPalAccount:
    """Return November at PayPal: PO-1 less a fee, PO-2 by its reference, and other rows."""
    made = PayPalAccount(opening={"USD": 100_00})
    made.add("purchase", "-5.00", "2026-11-01T12:00:00Z", id="SHOP1", email="shop@x.example")
    made.payout("42.00", "2026-11-11T09:00:00Z", fee="1.00", id="IN1")
    made.payout("60.00", "2026-11-21T09:00:00Z", id="IN2", note="PO-2", email="bank@y.example")
    made.add("withdrawal", "-150.00", "2026-11-22T09:00:00Z", id="OUT1")
    made.add("purchase", "-1.00", "2026-11-30T09:00:00Z", id="SHOP2")
    return made


@pytest.fixture
def books(empty: Shell, clock: SetClock) -> Shell:
    """Give a shell whose books have three payouts that were sent, and November's file."""
    clock.set(datetime.fromisoformat(NOW))
    empty.ok("earnings", "adjust", "500.00", "--reason", "start", "--id", "AD-1")
    for name, sent, day in (("PO-1", 42, 10), ("PO-2", 60, 20), ("PO-3", 75, 24)):
        sent_at = f"2026-11-{day} 09:00"
        empty.ok("payout", "record", f"{sent}.00", "--id", name, "--at", sent_at)
    empty.file("paypal.csv", account().file())
    return empty


def reconcile(shell: Shell, *argv: object) -> dict[str, Any]:
    """Run the command on November's file; return its JSON."""
    result: dict[str, Any] = shell.ok("payout", "reconcile", "paypal.csv", *argv)
    return result


def short(result: dict[str, Any]) -> list[tuple[str, str | None, str | None, str | None]]:
    """Return the findings: what, of which payout, by which row, with which fee."""
    return [
        (each["finding"], each["payout"], each["row"], each["fee"]) for each in result["findings"]
    ]


MISSING = "It is not in the files, which end on 2026-11-30, 6 days after it was sent."
FOUND = [
    ("arrived", "PO-1", "IN1", "1.00"),
    ("arrived", "PO-2", "IN2", "0.00"),
    ("missing", "PO-3", None, None),
]


# --- what is shown ----------------------------------------------------------------------------


def test_json_has_the_files_their_proofs_and_each_finding(books: Shell) -> None:
    """And nothing is recorded."""
    before = books.dump()
    result = reconcile(books, *OURS)
    assert result["files"] == [
        {
            "file": "paypal.csv",
            "format": "paypal-activity",
            "rows": 5,
            "account": None,
            "proofs": [
                {"proof": "sums", "rows": 5, "proved": 5},
                {"proof": "balance", "rows": 4, "proved": 4},
            ],
            "rows_by_kind": {"arrived": 2, "own_transfer": 1, "unrelated": 2},
            "unrecognised_types": [],
            "unproved": [],
            "ignored_columns": 21,
            "first": "2026-11-01",
            "last": "2026-11-30",
        }
    ]
    assert result["findings"][0] == {
        "finding": "arrived",
        "payout": "PO-1",
        "file": "paypal.csv",
        "line": 3,
        "row": "IN1",
        "time": "2026-11-11T09:00:00Z",
        "amount": "42.00",
        "fee": "1.00",
        "received": "41.00",
        "received_currency": "USD",
        "currency": "USD",
        "payer": PLATFORM,
        "candidates": [],
        "note": None,
        "date": "2026-11-11",
        "days": None,
        "debited": None,
        "recordable": True,
    }
    assert short(result) == FOUND
    assert (result["findings"][2]["days"], result["findings"][2]["recordable"]) == (6, False)
    assert [result[name] for name in ("applied", "recorded", "replayed", "currency")] == [
        *(False, 0, 0, "USD")
    ]
    assert books.dump() == before


def test_a_pipe_has_a_row_a_finding(books: Shell) -> None:
    """Tab-separated, with the columns of the contract; other formats and fields as everywhere."""
    argv = ("payout", "reconcile", "paypal.csv", *OURS)
    assert books.output_of(*argv, "--header").splitlines() == [
        "finding\tpayout\tdate\tamount\tfee\tcurrency\tpayer\tfile\tline\tnote",
        f"arrived\tPO-1\t2026-11-11\t42.00\t1.00\tUSD\t{PLATFORM}\tpaypal.csv\t3\t",
        "arrived\tPO-2\t2026-11-21\t60.00\t0.00\tUSD\tbank@y.example\tpaypal.csv\t4\t",
        f"missing\tPO-3\t2026-11-24\t75.00\t\tUSD\t\t\t\t{MISSING}",
    ]
    assert books.output_of(*argv, "--fields", "payout,row").splitlines() == [
        *("PO-1\tIN1", "PO-2\tIN2", "PO-3\t")
    ]
    assert books.ok(*argv, "--fields", "finding,days")[2] == {"finding": "missing", "days": 6}
    assert books.ok(*argv, "--fields", "recorded") == {"recorded": 0}
    lines = books.output_of(*argv, "--jsonl").splitlines()
    assert [json.loads(each)["finding"] for each in lines] == ["arrived", "arrived", "missing"]
    assert books.output_of(*argv, "--csv").count("\n") == 4


def test_all_lists_every_row_and_what_may_still_come(books: Shell) -> None:
    """The counts add up to the rows."""
    books.ok("payout", "record", "20.00", "--id", "PO-4", "--at", "2026-11-29 09:00")
    result = reconcile(books, *OURS, "--all")
    assert len([each for each in result["findings"] if each["row"]]) == 5
    assert sum(result["files"][0]["rows_by_kind"].values()) == 5
    assert ("pending", "PO-4", None, None) in short(result)
    assert ("own_transfer", None, "OUT1", None) in short(result)
    assert "PO-4" not in str(reconcile(books, *OURS))


def test_exit_code_is_1_if_a_question_is_left(books: Shell) -> None:
    """Only with --exit-code."""
    argv = ("payout", "reconcile", "paypal.csv", *OURS, "--exit-code")
    assert books.run(*argv).code == 1
    books.ok("payout", "fail", "PO-3", "--yes")
    assert books.run(*argv).code == 0


REPORTED: dict[str, tuple[str, ...]] = {
    "arrived": ("paypal.csv", *OURS),
    "no-payer": ("paypal.csv",),
    "everything": ("paypal.csv", *OURS, "--all"),
    "applied": ("paypal.csv", *OURS, "--apply", "--yes"),
    "dry-run": ("paypal.csv", *OURS, "--apply", "--dry-run"),
    "again": ("paypal.csv", *OURS),
    "questions": ("questions.csv", *OURS),
    "several": ("paypal.csv", "questions.csv", *OURS, "--unproved"),
}


def questions() -> bytes:
    """Return a file with one of everything that leaves a question."""
    made = PayPalAccount()
    made.payout("41.50", "2026-11-11T10:00:00Z", id="PART", subject="PO-1")
    made.payout("75.00", "2026-11-25T10:00:00Z", id="EQ1")
    made.payout("75.00", "2026-11-26T10:00:00Z", id="EQ2")
    made.payout("61.00", "2026-11-26T11:00:00Z", id="MORE", subject="PO-2")
    made.payout("33.00", "2026-11-27T10:00:00Z", id="NEW", name="\x1b[31mEvil\u202e", email="")
    made.payout("34.00", "2026-11-28T10:00:00Z", id="NEW2")
    return made.file()


@pytest.mark.parametrize("name", REPORTED)
def test_a_person_reads_a_report(
    books: Shell, name: str, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """As stored, on 60 and 80 columns; wider terminals get no wider lines."""
    books.file("questions.csv", questions())
    if name == "again":
        reconcile(books, *OURS, "--apply", "--yes")
    shown = []
    for width in (60, 80, 140):
        monkeypatch.setenv("COLUMNS", str(width))
        copy = books.ledger.read_bytes()
        ran = books.run("payout", "reconcile", *REPORTED[name], terminal=True)
        books.ledger.write_bytes(copy)
        assert ran.code == 0, ran
        report = [each for each in ran.out.splitlines() if not each.startswith("    liveportal ")]
        assert max(map(cell_len, report)) <= min(width, 80), ran.out
        shown.append(f"### {width} columns\n{ran.out}")
    text = "\n".join(shown[:2])
    assert shown[2].partition("\n")[2].split() == shown[1].partition("\n")[2].split()
    stored = REPORTS / f"{name}.txt"
    if pytestconfig.getoption("--update-golden"):
        stored.parent.mkdir(exist_ok=True)
        stored.write_text(text)
    assert text == stored.read_text()


def test_a_payers_name_cannot_do_anything(books: Shell) -> None:
    """No escape sequence on a terminal, no formula in CSV; and the journal has no payer at all."""
    made = PayPalAccount()
    for at in ("2026-11-01", "2026-11-30"):
        made.add("purchase", "-1.00", f"{at}T08:00:00Z")
    made.payout(
        "42.00", "2026-11-11T09:00:00Z", id="IN1", subject="PO-1", name="x",
        email="=cmd|'/c calc'!A1@x\x1b[31m\u202e",
    )  # fmt: skip
    books.file("paypal.csv", made.file())
    argv = ("payout", "reconcile", "paypal.csv")
    shown = books.run(*argv, terminal=True).out
    assert "=cmd" in shown
    assert not set("\x1b\u202e") & set(shown)
    assert ",'=cmd|" in books.output_of(*argv, "--csv")
    books.ok(*argv, "--apply", "--yes")
    assert b"cmd|" not in books.ledger.read_bytes()


# --- recording --------------------------------------------------------------------------------


def test_apply_records_once_with_what_proves_it(books: Shell) -> None:
    """The second import, and one of an overlapping file, record nothing."""
    result = reconcile(books, *OURS, "--apply", "--yes")
    assert (result["applied"], result["recorded"], result["replayed"]) == (True, 2, 0)
    payout = books.ok("payout", "show", "PO-1")
    assert (payout["state"], payout["fee"], payout["received"]) == ("paid", "1.00", "41.00")
    assert payout["evidence"]["line"] == 3
    assert payout["evidence"]["row"] == "IN1"
    event = payout["history"][-1]
    assert (event["event"], event["speaker"]) == ("IN1:paid", "expert")
    assert re.fullmatch(r"urn:liveportal:statement:paypal:[0-9a-f]{8,64}", event["source"])
    shown = " ".join(books.run("payout", "show", "PO-1", terminal=True).out.split())
    assert "line 3 (row IN1) of the file with the SHA-256" in shown
    content = (books.folder / "paypal.csv").read_bytes()
    assert payout["evidence"]["file_sha256"] == hashlib.sha256(content).hexdigest()
    before = books.dump()
    again = reconcile(books, *OURS, "--apply", "--yes")
    assert (again["applied"], again["recorded"]) == (True, 0)
    assert short(again) == FOUND[2:]
    assert again["recorded_before"] == ["PO-1", "PO-2"]
    assert again["files"][0]["rows_by_kind"]["duplicate"] == 2
    made = account()
    made.add("purchase", "-1.00", "2026-12-02T09:00:00Z", id="SHOP3")
    books.file("statement.csv", made.file(STATEMENT))
    more = books.ok("payout", "reconcile", "statement.csv", "paypal.csv", *OURS, "--apply", "--yes")
    assert (more["recorded"], short(more)) == (0, FOUND[2:])
    assert books.dump() == before
    assert books.ok("ledger", "verify")["ok"]


def test_apply_needs_a_yes_where_it_cannot_ask(books: Shell) -> None:
    """Exit 7, and nothing is recorded; where there is nothing to record it does not ask."""
    error = books.refuses(7, "payout", "reconcile", "paypal.csv", *OURS, "--apply")
    assert "2 arrivals (102.00 USD: PO-1 and PO-2)" in error["message"]
    reconcile(books, *OURS, "--apply", "--yes")
    assert reconcile(books, *OURS, "--apply")["recorded"] == 0


@pytest.mark.parametrize(("answer", "recorded"), [(b"y\n", True), (b"n\n", False), (b"", False)])
def test_on_a_terminal_the_report_comes_before_the_question(
    books: Shell, monkeypatch: pytest.MonkeyPatch, answer: bytes, *, recorded: bool
) -> None:
    """And "no" leaves the books as they were."""
    monkeypatch.setattr("liveportal.cli.io.prompts.can_ask", lambda: True)
    before = books.dump()
    argv = ("payout", "reconcile", "paypal.csv", *OURS, "--apply")
    ran = books.run(*argv, stdin=answer, terminal=True)
    assert "Arrived (2)" in ran.out
    assert "Record 2 arrivals (102.00 USD: PO-1 and PO-2)? [y/N]" in ran.err
    assert (ran.code, "Recorded 2 arrivals" in ran.out) == ((0, True) if recorded else (7, False))
    assert (books.dump() != before) is recorded
    if not recorded:
        assert ran.err.endswith("Nothing was recorded.\n")


def test_a_dry_run_touches_nothing(books: Shell) -> None:
    """It carries out the transaction, and takes it back."""
    files = sorted(path.name for path in books.folder.rglob("*"))
    content = books.ledger.read_bytes()
    result = reconcile(books, *OURS, "--apply", "--dry-run")
    assert (result["dry_run"], result["recorded"]) == (True, 2)
    assert books.ledger.read_bytes() == content
    assert sorted(path.name for path in books.folder.rglob("*")) == files


def test_a_busy_ledger_is_exit_5(books: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process writes: nothing is recorded, and trying again helps."""
    monkeypatch.setattr("liveportal.ledger.storage.connection.BUSY_MS", 1)
    with closing(driver.Connection(str(books.ledger), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ran = books.run("payout", "reconcile", "paypal.csv", *OURS, "--apply", "--yes", "--json")
        other.execute("ROLLBACK")
    assert ran.code == 5
    assert reconcile(books, *OURS, "--apply", "--yes")["recorded"] == 2


def test_books_that_change_while_the_question_is_open_are_not_recorded_into(
    books: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was agreed to is what is recorded, or nothing."""

    def answer(*_: object, **__: object) -> None:
        books.ok("payout", "paid", "PO-1", "--fee", "0.70")

    monkeypatch.setattr("liveportal.cli.commands.payouts.reconcile.confirm", answer)
    ran = books.run("payout", "reconcile", "paypal.csv", *OURS, "--apply", "--json")
    assert ran.code == 5
    assert json.loads(ran.err)["error"]["code"] == "books_changed"
    assert books.ok("payout", "show", "PO-2")["state"] == "sent"


def test_a_payout_that_was_marked_by_hand_gets_its_fee_once(books: Shell) -> None:
    """As a difference; another fee than the known one is never recorded."""
    books.ok("payout", "paid", "PO-1", "--at", "2026-11-12 09:00")
    assert short(reconcile(books, *OURS, "--apply", "--yes"))[0] == FOUND[0]
    assert books.ok("payout", "show", "PO-1")["fee"] == "1.00"
    assert books.ok("earnings", "--month", "2026-11")["transfer_fees"] == "1.00"
    assert short(reconcile(books, *OURS)) == FOUND[2:]


def test_another_fee_differs(books: Shell) -> None:
    """It is reported with both."""
    books.ok("payout", "paid", "PO-1", "--fee", "0.70")
    finding = reconcile(books, *OURS, "--apply", "--yes")["findings"][0]
    assert (finding["finding"], finding["fee"], finding["recordable"]) == ("differs", "1.00", False)
    assert finding["note"] == "The books have a fee of 0.70 USD."


def test_an_arrival_that_was_taken_back_can_be_recorded_again(books: Shell) -> None:
    """With an id of its own."""
    reconcile(books, *OURS, "--apply", "--yes")
    event = books.ok("payout", "show", "PO-1")["history"][-1]
    shown = " ".join(books.run("payout", "show", "PO-1", terminal=True).out.split())
    command = f"ledger reverse {event['event']} --reason"
    assert f"`liveportal {command} TEXT` takes" in shown
    books.ok(*command.split(), "wrong", "--yes")
    assert books.ok("payout", "show", "PO-1")["state"] == "sent"
    assert short(reconcile(books, *OURS, "--apply", "--yes"))[0] == FOUND[0]
    assert books.ok("payout", "show", "PO-1")["history"][-1]["event"] == "IN1:paid.2"
    assert reconcile(books, *OURS, "--apply", "--yes")["recorded"] == 0
    assert books.ok("ledger", "verify")["ok"]


def test_a_return_is_recorded_with_what_was_debited(books: Shell) -> None:
    """PayPal gave the fee back: 41.00 left the account, 42.00 is owed again."""
    made = account()
    made.add("returned", "-42.00", "2026-11-23T09:00:00Z", fee="-1.00", parent="IN1", id="BACK")
    books.file("paypal.csv", made.file())
    result = reconcile(books, *OURS, "--apply", "--yes")
    assert ("returned", "PO-1", "BACK", None) in short(result)
    assert result["recorded"] == 3
    payout = books.ok("payout", "show", "PO-1")
    assert payout["state"] == "returned"
    assert payout["history"][-1]["data"]["debited"]["amount"] == "41.00"
    assert reconcile(books, *OURS, "--apply", "--yes")["recorded"] == 0


def test_a_return_of_the_same_second_is_recorded_after_its_arrival(books: Shell) -> None:
    """Whatever the order of the rows is."""
    made = account()
    made.add("returned", "-42.00", "2026-11-11T09:00:00Z", fee="-1.00", parent="IN1", id="A")
    books.file("paypal.csv", made.file())
    assert reconcile(books, *OURS, "--apply", "--yes")["recorded"] == 3
    assert books.ok("payout", "show", "PO-1")["state"] == "returned"


# --- what the user says -----------------------------------------------------------------------


def test_without_a_payer_nothing_is_certain_but_a_reference(books: Shell) -> None:
    """The note names --payer; the settings name it once and for all."""
    result = reconcile(books)
    assert short(result)[:2] == [("ambiguous", "PO-1", "IN1", None), FOUND[1]]
    assert "--payer" in result["findings"][0]["note"]
    config = books.folder / "home" / "config" / "liveportal" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[reconcile]\npayers = ["{PLATFORM.upper()}"]\n')
    assert short(reconcile(books)) == FOUND
    config.write_text("[reconcile]\npayer = 7\n")
    error = books.refuses(1, "payout", "reconcile", "paypal.csv")
    assert (error["code"], error["details"]["key"]) == ("invalid_settings", "reconcile.payer")


def test_the_settings_teach_words_and_windows(books: Shell) -> None:
    """A word of the provider, and the days that a payout may take."""
    made = account()
    made.payout("75.00", "2026-11-29T09:00:00Z", id="LATE", kind="deposit")
    books.file("paypal.csv", made.file())
    config = books.folder / "home" / "config" / "liveportal" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        f'[reconcile]\npayers = ["{PLATFORM}"]\n[reconcile.windows]\npaypal = 5\n'
        '[reconcile.kinds]\n"Bank Deposit to PP Account" = "payment"\n'
    )
    assert short(reconcile(books))[2] == ("arrived", "PO-3", "LATE", "0.00")


@pytest.mark.parametrize("row", ["IN1", "paypal.csv:3"])
def test_a_pair_settles_what_is_not_certain(books: Shell, row: str) -> None:
    """By the row's id, or by file and line; the payout by a prefix, too."""
    assert short(reconcile(books, "--pair", f"PO-1={row}"))[0] == FOUND[0]


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("--pair", "PO-9=IN1"), 3),
        (("--pair", "PO-1=IN9"), 3),
        (("--pair", "PO-1=paypal.csv:99"), 3),
        (("--pair", "PO-1=OUT1"), 1),
        (("--pair", "PO-1"), 2),
        (("--pair", "=IN1"), 2),
        (("--pair", "PO-1=IN1", "--pair", "PO-1=IN2"), 2),
        (("--payer", " "), 2),
        (("--dates", "ydm"), 2),
        (("--format", "pdf"), 2),
        (("--timezone", "Mars/Base"), 1),
    ],
)
def test_wrong_options_are_refused(books: Shell, argv: tuple[str, ...], code: int) -> None:
    """What names nothing is exit 3, wrong usage exit 2."""
    books.refuses(code, "payout", "reconcile", "paypal.csv", *argv)


def test_a_smaller_amount_is_a_fee_if_the_user_says_so(books: Shell) -> None:
    """Else it is short, and nothing is recorded."""
    made = account()
    made.payout("74.10", "2026-11-25T09:00:00Z", id="LESS", subject="PO-3")
    books.file("paypal.csv", made.file())
    assert short(reconcile(books, *OURS, "--apply", "--yes"))[2] == ("short", "PO-3", "LESS", None)
    found = short(reconcile(books, *OURS, "--short-is-fee", "--apply", "--yes"))
    assert found == [("arrived", "PO-3", "LESS", "0.90")]
    assert books.ok("payout", "show", "PO-3")["fee"] == "0.90"


# --- money that the books do not know ---------------------------------------------------------


def test_unknown_money_is_recorded_only_if_asked(books: Shell) -> None:
    """As a payout that was sent and arrived; the platform's own report later is the same payout."""
    made = account()
    made.payout("30.00", "2026-11-27T09:00:00Z", fee="0.50", id="NEW")
    books.file("paypal.csv", made.file())
    assert ("unknown", None, "NEW", "0.50") in short(reconcile(books, *OURS, "--apply", "--yes"))
    result = reconcile(books, *OURS, "--record-unknown", "--apply", "--yes")
    assert result["recorded"] == 2
    payout = books.ok("payout", "show", "paypal-NEW")
    assert (payout["state"], payout["amount"], payout["fee"]) == ("paid", "30.00", "0.50")
    assert (payout["method"], payout["reference"]) == ("paypal", "NEW")
    assert [event["event"] for event in payout["history"]] == ["NEW:sent", "NEW:paid"]
    assert reconcile(books, *OURS, "--record-unknown", "--apply", "--yes")["recorded"] == 0
    books.ok("ledger", "reverse", "NEW:paid", "--reason", "wrong", "--yes")
    again = reconcile(books, *OURS, "--record-unknown", "--apply", "--yes")
    assert again["recorded"] == 1
    assert ("arrived", "paypal-NEW", "NEW", "0.50") in short(again)
    feed = line("payout.sent", "11-26 09:00", id="p-9", payout="PP-9", amount=amount("30.00"),
                method="paypal")  # fmt: skip
    assert books.ok("sync", books.file("feed.jsonl", feed))["confirmed"] == 1
    assert books.ok("payout", "show", "PP-9")["id"] == "paypal-NEW"
    assert books.ok("ledger", "verify")["ok"]


def test_unknown_money_beyond_what_is_owed_is_not_recorded(books: Shell) -> None:
    """The note says so, in a dry run and with --apply; the others are recorded."""
    made = account()
    made.payout("300.00", "2026-11-27T09:00:00Z", id="NEW")
    made.payout("90.00", "2026-11-28T09:00:00Z", id="MORE")
    books.file("paypal.csv", made.file())
    for argv, recorded in (((), 0), (("--apply", "--yes"), 2 + 2)):
        result = reconcile(books, *OURS, "--record-unknown", *argv)
        notes = {each["row"]: each["note"] for each in result["findings"]}
        assert notes["NEW"] is None
        assert notes["MORE"].startswith("more_than_owed")
        assert result["recorded"] == recorded
    books.refuses(3, "payout", "show", "paypal-MORE")


# --- several files, and files that are refused ------------------------------------------------


def test_archives_and_several_files_in_any_order(books: Shell) -> None:
    """Two exports that overlap: each row counts once."""
    header, *rows = account().lines()
    parts = {"a.csv": [header, *rows[:3]], "b.csv": [header, *rows[2:]]}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, lines in parts.items():
            text = "\n".join(",".join(f'"{cell}"' for cell in line) for line in lines)
            archive.writestr(name, text)
            books.file(name, text)
    books.file("both.zip", content.getvalue())
    for files in (("a.csv", "b.csv"), ("b.csv", "a.csv"), ("both.zip",)):
        result = books.ok("payout", "reconcile", *files, *OURS, "--dates", "mdy")
        assert short(result) == FOUND
        counted = [sum(file["rows_by_kind"].values()) for file in result["files"]]
        assert sorted(counted) == [3, 3]
        proofs = [proof for file in result["files"] for proof in file["proofs"]]
        assert {"proof": "joins", "rows": 1, "proved": 1} in proofs


def test_a_file_that_is_refused_applies_nothing(books: Shell) -> None:
    """The code, the file and the line are named, and no other file is applied either."""
    good = account().file()
    damaged = good.replace(b'"136.00"', b'"136.01"')
    assert damaged != good
    unknown = account()
    unknown.add("returned", "-42.00", "2026-11-23T09:00:00Z", parent="IN1", id="BACK")
    for content, code, line_number in (
        (b"%PDF-1.7\n", "unknown_format", 1),
        (b"a,b,c\n1,2,3\n", "unknown_format", 1),
        (damaged, "unproved_file", 3),
        (good[: good.rindex(b'"SHOP2') + 4], "malformed_file", 6),
        (good.replace(b"shop@x.example", b"sh\xf6p@x.example"), "bad_encoding", 2),
        (unknown.file().replace(b"Payment Refund", b"Clawback"), "unknown_row", 6),
    ):
        books.file("bad.csv", content)
        argv = ("payout", "reconcile", "paypal.csv", "bad.csv", *OURS, "--apply", "--yes")
        error = books.refuses(1, *argv)
        assert (error["code"], error["details"]["line"]) == (code, line_number)
        assert error["details"]["file"] == "bad.csv"
    books.refuses(3, "payout", "reconcile", "absent.csv")


def test_unproved_goes_on_and_says_what_is_not_proved(books: Shell) -> None:
    """In JSON, and as notes beside the rows."""
    damaged = account().file().replace(b'"136.00"', b'"136.01"')
    books.file("paypal.csv", damaged)
    result = reconcile(books, *OURS, "--unproved")
    assert short(result) == FOUND
    assert result["files"][0]["unproved"]
    ran = books.run("payout", "reconcile", "paypal.csv", *OURS, "--unproved")
    assert ran.err.startswith("note: ")


def test_a_file_without_a_balance_says_what_it_does_not_prove(books: Shell) -> None:
    """A custom download: its sums are proved, and it is used."""
    made = account()
    books.file("paypal.csv", made.file(SMALL))
    result = reconcile(books, *OURS)
    assert short(result)[0] == FOUND[0]
    assert "balance" in result["files"][0]["unproved"][0]


def test_a_ledgers_own_file_is_no_statement(books: Shell) -> None:
    """It is refused before it is read."""
    error = books.refuses(1, "payout", "reconcile", books.ledger)
    assert error["code"] == "ledgers_own_file"


def test_the_output_must_not_replace_a_statement(books: Shell) -> None:
    """The file that is read stays as it is."""
    argv = ("payout", "reconcile", "paypal.csv", "--csv", "-o", "paypal.csv")
    assert books.run(*argv).code == 74
    assert (books.folder / "paypal.csv").read_bytes() == account().file()
