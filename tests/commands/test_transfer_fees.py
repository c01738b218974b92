"""What a transfer costs, at the shell: recorded, learnt later, shown, exported and imported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.commands.test_transfer import ok, other

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kit.shell import Shell

PAID = ("payout", "paid", "PO-1")
AT = ("--at", "2026-12-02 10:00", "--anyway")


@pytest.fixture
def sent(october: Shell) -> Shell:
    """Give a ledger with a payout of 42.00 on its way."""
    october.ok("payout", "record", "42.00", "--id", "PO-1", "--at", "2026-12-01 10:00", "--anyway")
    return october


def payout(shell: Shell) -> tuple[str | None, ...]:
    """Return the state, the fee, and what was credited."""
    row = shell.ok("payout", "show", "PO-1")
    return row["state"], row["fee"], row["received"], row["received_currency"]


def december(shell: Shell) -> tuple[str, str]:
    """Return the transfer fees of the month, and what was paid out by its end."""
    row = shell.ok("earnings", "--month", "2026-12")
    return row["transfer_fees"], row["balance"]["paid_out"]


def test_an_arrival_has_its_fee(sent: Shell) -> None:
    """In rows and in a sentence; the platform's fee is another field."""
    argv = (*PAID, "--fee", "1", "--received", "38.10 EUR", *AT)
    said = sent.run(*argv, "--dry-run", terminal=True).out
    assert "42.00 USD, less a transfer fee of 1.00 USD; 38.10 EUR was credited" in " ".join(
        said.split()
    )
    assert payout(sent) == ("sent", None, None, None)
    sent.ok(*argv)
    assert payout(sent) == ("paid", "1.00", "38.10", "EUR")
    assert december(sent) == ("1.00", "42.00")
    rows = sent.ok("earnings", "transactions", "--month", "2026-12")
    assert [(row["kind"], row["fee"], row["transfer_fee"], row["amount"]) for row in rows] == [
        ("payout", "0.00", "0.00", "0.00"),
        ("payout_paid", "0.00", "1.00", "0.00"),
    ]
    assert sent.ok("ledger", "verify")["ok"] is True


def test_a_fee_is_added_once(sent: Shell) -> None:
    """To what was recorded as paid; another one is a conflict, the same adds nothing."""
    sent.ok(*PAID, *AT)
    said = sent.run(*PAID, "--fee", "1.00", *AT, "--key", "K", terminal=True).out
    assert "less a transfer fee of 1.00 USD" in said
    assert "Nothing new was recorded" not in said
    assert sent.ok(*PAID, "--fee", "1.00", *AT, "--key", "K")["replayed"] is True
    row = sent.ok(*PAID, "--fee", "1.00", *AT)
    assert row["confirmed"] is True
    assert "Nothing new was recorded" in row["message"]
    assert sent.refuses(4, *PAID, "--fee", "2.00", *AT)["code"] == "conflict"
    assert sent.refuses(4, *PAID, *AT)["code"] == "wrong_state"
    assert december(sent) == ("1.00", "42.00")


def test_wrong_amounts_are_refused(sent: Shell) -> None:
    """Each with a code of its own."""
    assert sent.refuses(4, *PAID, "--fee", "42.01", *AT)["code"] == "fee_too_large"
    assert sent.refuses(4, *PAID, "--fee", "1.00 EUR", *AT)["code"] == "currency_mismatch"
    assert sent.refuses(1, *PAID, "--received", "1.00 \x1b[2J", *AT)["code"] == "invalid_amount"
    assert sent.refuses(1, *PAID, "--fee", "1.001", *AT)["code"] == "invalid_amount"
    assert sent.refuses(1, *PAID, "--fee", "-1.00", *AT)["code"] == "invalid_event"


def test_a_return_debits_what_it_says(sent: Shell) -> None:
    """By default what had arrived; a reversal takes all of it back."""
    sent.ok(*PAID, "--fee", "1.00", *AT)
    back = ("payout", "return", "PO-1", "--debited", "43.50", *AT, "--yes")
    said = " ".join(sent.run(*back, "--dry-run", terminal=True).out.split())
    assert "42.00 USD is owed to you again, and 43.50 USD left your account" in said
    done = sent.ok(*back)
    assert december(sent) == ("2.50", "0.00")
    sent.ok("ledger", "reverse", done["event"], "--reason", "typed", *AT, "--yes")
    assert december(sent) == ("1.00", "42.00")
    assert payout(sent)[:2] == ("paid", "1.00")


@pytest.mark.parametrize("suffix", ["html", "csv", "pdf"])
def test_a_statement_has_the_fees_where_there_are_any(sent: Shell, suffix: str) -> None:
    """A statement from before the first fee has no such figure, and proves itself as ever."""

    def written(name: str) -> Path:
        path = sent.folder / f"{name}.{suffix}"
        sent.ok("earnings", "statement", "2026-12", "-o", path)
        return path

    before = written("before")
    sent.ok(*PAID, "--fee", "1.00", *AT)
    after = written("after")
    if suffix != "pdf":
        words = "transfer_fee" if suffix == "csv" else "Transfer fee"
        assert words not in before.read_text("utf-8")
        assert after.read_text("utf-8").count(words) >= 2
    for path in (before, after):
        assert sent.ok("ledger", "verify", "--statement", path)["statement"] == "2026-12"


def test_an_export_brings_the_fees_back(sent: Shell) -> None:
    """Every field of the events, and every figure."""
    evidence = {"file_sha256": "ab" * 32, "line": 3, "row": "8XK41", "time": "2026-12-02"}
    paid = {
        "specversion": "1.0",
        "id": "paid-1",
        "source": "https://help.example/experts/7",
        "type": "liveportal.payout.paid",
        "time": "2026-12-02T10:00:00Z",
        "data": {
            "payout": "PO-1",
            "fee": {"amount": "1.00", "currency": "USD"},
            "received": {"amount": "41.00", "currency": "USD"},
            "evidence": evidence,
        },
    }
    sent.ok("sync", sent.file("paid.jsonl", json.dumps(paid)))
    path = sent.folder / "book.jsonl"
    sent.ok("ledger", "export", "events", "-o", path)
    copy = other(sent)
    ok(copy, "ledger", "import", path, "--yes")
    for shell in (sent, copy):
        row = ok(shell, "payout", "show", "PO-1")
        assert (row["fee"], row["evidence"]) == ("1.00", evidence)
        month = ok(shell, "earnings", "--month", "2026-12")
        assert (month["transfer_fees"], month["balance"]["paid_out"]) == ("1.00", "42.00")
