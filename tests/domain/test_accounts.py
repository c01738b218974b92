"""The posting table of the event contract, leg by leg; a debit is positive."""

from __future__ import annotations

import pytest

from liveportal.domain import accounts
from liveportal.domain.accounts import ASSETS, Account, Transaction, TransactionKind, Transfer
from tests.kit.books import Book, NewBook
from tests.kit.events import amount, at

PLATFORM = "assets:platform"
HELD = "assets:platform:held"
TRANSIT = "assets:transit"
BANK = "assets:bank"
TRANSFER_FEE = "expenses:transfer-fee"
SESSIONS = "income:sessions"
REFUNDS = "income:refunds"
TIPS = "income:tips"
ADJUSTMENTS = "income:adjustments"
FEE = "expenses:platform-fee"


def test_billed(books: Book) -> None:
    """Billed: platform +42.00, platform-fee +18.00, sessions -60.00."""
    books.live(rate="3.00", when="10-05 09:00")
    seq = books.record("session.ended", "10-05 09:20", session="S-1").seq
    assert books.legs(seq) == [{PLATFORM: "42.00", FEE: "18.00", SESSIONS: "-60.00"}]


def test_logged(books: Book) -> None:
    """A session logged by hand books the same as one that ended."""
    books.log(gross="60.00")
    seq = books.session().agreed_seq
    assert books.legs(seq) == [{PLATFORM: "42.00", FEE: "18.00", SESSIONS: "-60.00"}]


def test_claimed(books: Book) -> None:
    """Claimed: held +42.00, platform -42.00."""
    books.log()
    assert books.legs(books.claim().seq) == [{HELD: "42.00", PLATFORM: "-42.00"}]


@pytest.mark.parametrize("kind", ["refund.denied", "refund.withdrawn", "dispute.accepted"])
def test_released(books: Book, kind: str) -> None:
    """Released: platform +42.00, held -42.00."""
    books.log()
    books.claim()
    if kind.startswith("dispute"):
        books.record("dispute.filed", "10-05 12:00", claim="CL-1", summary="No.")
    seq = books.record(kind, "10-05 13:00", claim="CL-1").seq
    assert books.legs(seq) == [{PLATFORM: "42.00", HELD: "-42.00"}]


@pytest.mark.parametrize("kind", ["refund.conceded", "refund.granted", "dispute.rejected"])
@pytest.mark.parametrize(
    ("deducts", "legs"),
    [
        ("share", {REFUNDS: "60.00", FEE: "-18.00", HELD: "-42.00"}),
        ("gross", {REFUNDS: "60.00", HELD: "-42.00", PLATFORM: "-18.00"}),
    ],
)
def test_deducted(new_book: NewBook, kind: str, deducts: str, legs: dict[str, str]) -> None:
    """Deducted: refunds +60 and held -42; the rest is the fee's (`share`) or ours (`gross`)."""
    books = new_book(refund={"deducts": deducts})
    books.log()
    books.claim()
    if kind.startswith("dispute"):
        books.record("dispute.filed", "10-05 12:00", claim="CL-1", summary="No.")
    seq = books.record(kind, "10-05 13:00", claim="CL-1").seq
    assert books.legs(seq) == [legs]


def test_tip(books: Book) -> None:
    """A tip: platform +x, tips -x; the platform takes no fee."""
    books.log()
    seq = books.record("tip.received", "10-05 10:00", session="S-1", amount=amount("10.00")).seq
    assert books.legs(seq) == [{PLATFORM: "10.00", TIPS: "-10.00"}]


@pytest.mark.parametrize(("signed", "other"), [("7.50", "-7.50"), ("-7.50", "7.50")])
def test_adjustment(books: Book, signed: str, other: str) -> None:
    """An adjustment: platform +x, adjustments -x, for a bonus as for a fee."""
    seq = books.record(
        "adjustment.posted", "10-05 10:00", adjustment="A-1", amount=amount(signed), reason="x"
    ).seq
    assert books.legs(seq) == [{PLATFORM: signed, ADJUSTMENTS: other}]


def test_payout(books: Book) -> None:
    """Sent: platform to transit. Paid: transit to bank. Returned: bank to platform."""
    books.log()
    sent = books.record(
        "payout.sent", "12-30 10:00", payout="PO-1", amount=amount("42.00"), method="paypal"
    )
    paid = books.record("payout.paid", "12-31 10:00", payout="PO-1")
    returned = books.record("payout.returned", "12-31 11:00", payout="PO-1")
    assert books.legs(sent.seq) == [{TRANSIT: "42.00", PLATFORM: "-42.00"}]
    assert books.legs(paid.seq) == [{BANK: "42.00", TRANSIT: "-42.00"}]
    assert books.legs(returned.seq) == [{PLATFORM: "42.00", BANK: "-42.00"}]


def test_payout_failed(books: Book) -> None:
    """Failed: platform +42.00, transit -42.00."""
    books.log()
    books.record(
        "payout.sent", "12-30 10:00", payout="PO-1", amount=amount("42.00"), method="paypal"
    )
    failed = books.record("payout.failed", "12-31 10:00", payout="PO-1")
    assert books.legs(failed.seq) == [{PLATFORM: "42.00", TRANSIT: "-42.00"}]


def test_corrected(books: Book) -> None:
    """A correction reverses the earning exactly and books the right one, in its own month."""
    books.log(gross="60.00")
    seq = books.record(
        "session.corrected", "11-02 10:00", session="S-1", billed=amount("50.00"), reason="typo"
    ).seq
    assert books.legs(seq) == [
        {PLATFORM: "-42.00", FEE: "-18.00", SESSIONS: "60.00"},
        {PLATFORM: "35.00", FEE: "15.00", SESSIONS: "-50.00"},
    ]
    assert books.kinds() == ["earning", "reversal", "correction"]
    assert (books.month("2026-10")["gross"], books.month("2026-11")["gross"]) == ("60.00", "-10.00")


def test_reversed(books: Book) -> None:
    """A reversal is the exact inverse, in the month of its own time."""
    books.log()
    tip = books.record("tip.received", "10-05 10:00", session="S-1", amount=amount("10.00"))
    reference = {"source": tip.event.source, "id": tip.event.id}
    seq = books.record("entry.reversed", "11-02 10:00", event=reference, reason="not mine").seq
    assert books.legs(seq) == [{PLATFORM: "-10.00", TIPS: "10.00"}]
    assert (books.month("2026-10")["tips"], books.month("2026-11")["tips"]) == ("10.00", "-10.00")


def test_a_share_that_rounds_to_nothing_moves_nothing(new_book: NewBook) -> None:
    """A transaction has only the transfers it needs: none if the share rounds to 0."""
    books = new_book(fee={"percent": 100})
    books.log(gross="60.00")
    assert books.legs(books.session().agreed_seq) == [{FEE: "60.00", SESSIONS: "-60.00"}]
    assert books.legs(books.claim().seq) == [{}]
    seq = books.record("refund.granted", "10-05 12:00", claim="CL-1").seq
    assert books.legs(seq) == [{REFUNDS: "60.00", FEE: "-60.00"}]
    assert books.month()["deducted"] == "0.00"


def test_every_transaction_says_what_it_belongs_to(books: Book) -> None:
    """Each transaction names its event, kind, time, month and the entity that it belongs to."""
    books.log()
    seq = books.claim(when="11-01 00:00").seq
    (row,) = books.rows('SELECT * FROM "transaction" WHERE seq = ?', seq)
    assert {name: value for name, value in row.items() if name != "id"} == {
        "seq": seq,
        "kind": "hold",
        "time": "2026-11-01T00:00:00.000000Z",
        "period": "2026-11",
        "session": "S-1",
        "claim": "CL-1",
        "payout": None,
        "adjustment": None,
    }


@pytest.mark.parametrize("minor", [0, -1])
def test_a_transfer_moves_something(minor: int) -> None:
    """A transfer that moves nothing, or less, cannot be built."""
    with pytest.raises(ValueError, match="above zero"):
        Transfer(Account.BANK, Account.TRANSIT, minor)


def test_a_transfer_is_between_two_accounts() -> None:
    """An account cannot pay itself."""
    with pytest.raises(ValueError, match="two different accounts"):
        Transfer(Account.BANK, Account.BANK, 1)


def test_legs_that_move_nothing_are_left_out() -> None:
    """A free part has no transfer; all the rest is of one positive amount."""
    assert accounts.earning(42, 0) == (Transfer(Account.PLATFORM, Account.SESSIONS, 42),)
    assert accounts.hold(0) == ()


def test_a_hold_and_a_cost_that_differ() -> None:
    """The decision closes the hold whole; any difference goes through assets:platform."""
    for cost, held in ((50, 42), (30, 42), (42, 42), (0, 42), (42, 0)):
        legs = accounts.refund(60, cost, held)
        entry = Transaction(TransactionKind.REFUND, at("10-05 10:00"), "2026-10", legs)
        assert entry.effect_on(Account.HELD) == -held
        assert entry.effect_on(Account.REFUNDS) == 60
        assert entry.effect_on(Account.FEE) == cost - 60
        assert entry.effect_on(Account.PLATFORM) == held - cost
        assert entry.net_minor == -cost


def test_reversing_twice_is_nothing() -> None:
    """The inverse of the inverse is the original transaction."""
    legs = accounts.refund(60, 42, 42)
    assert accounts.reverse(accounts.reverse(legs)) == legs
    once = Transaction(TransactionKind.REFUND, at("10-05 10:00"), "2026-10", legs)
    undone = Transaction(
        TransactionKind.REVERSAL, at("10-05 10:00"), "2026-10", accounts.reverse(legs)
    )
    assert all(once.effect_on(account) == -undone.effect_on(account) for account in Account)


def test_assets_are_what_the_expert_has() -> None:
    """Owed, held, in transit and paid out are the assets; nothing else is."""
    assert {str(account) for account in ASSETS} == {PLATFORM, HELD, TRANSIT, BANK}
    assert {str(account) for account in Account if account not in ASSETS} == {
        SESSIONS,
        REFUNDS,
        TIPS,
        ADJUSTMENTS,
        FEE,
        TRANSFER_FEE,
    }
