"""Groups of rows, rows that move no money, ids that appear twice, and files that join."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from liveportal.domain.errors import MalformedFile, UnprovedFile
from liveportal.statements.options import Options
from liveportal.statements.rows import Meaning, Proof, StatementFile
from tests.kit.paypal_files import (
    CUSTOM,
    DEFAULT,
    OLD,
    SMALL,
    STATEMENT,
    PayPalAccount,
    Shape,
    found,
    read,
    write,
)
from tests.kit.paypal_locales import DE, EN
from tests.statements.test_round_trips import some_account


def proof(file: StatementFile, name: str) -> tuple[int, int]:
    """Return how many rows a proof is about and how many it proved."""
    (proof,) = (each for each in file.proofs if each.proof == name)
    return proof.rows, proof.proved


# --- groups ---------------------------------------------------------------------------------------


def test_exchanges_and_holds_are_groups() -> None:
    """A payment on hold and its release are one, the two legs of an exchange another."""
    (file,) = read(some_account().file())
    assert proof(file, "groups") == (2, 2)


def test_an_exchange_without_one_of_its_legs_is_refused() -> None:
    """The last leg of a currency is missed by no balance, but by its other side."""
    account = some_account()
    del account.transactions[9]
    assert account.transactions[8].kind == "conversion"
    with pytest.raises(UnprovedFile, match="1 rows that take money and 0 that add money") as caught:
        read(account.file())
    assert caught.value.details["proof"] == "groups"
    assert (
        caught.value.details["line"]
        == read(account.file(), options=Options(unproved=True))[0].rows[8].line
    )


def test_a_file_of_one_currency_has_one_side_of_each_exchange() -> None:
    """PayPal exports a single currency, too."""
    account = some_account()
    account.transactions = [each for each in account.transactions if each.currency == "USD"]
    assert proof(read(account.file())[0], "groups") == (1, 1)


def test_legs_of_an_exchange_may_name_each_other() -> None:
    """An exchange that the expert started has no payment as its parent."""
    for parents in (("B", "A"), ("", "A"), ("", "")):
        account = PayPalAccount(opening={"USD": 100_00})
        for own, parent, amount, currency in (
            ("A", parents[0], "-10.00", "USD"),
            ("B", parents[1], "9.00", "EUR"),
        ):
            account.add(
                "conversion", amount, "2026-10-15T09:00:00Z",
                id=own, parent=parent, currency=currency,
            )  # fmt: skip
        assert proof(read(account.file())[0], "groups") == (1, 1)


def test_a_release_is_not_larger_than_its_hold() -> None:
    """A hold may be open, or be released in parts; its other half may be in another file."""
    account = PayPalAccount()
    payout = account.payout("10.00", "2026-10-15T09:00:00Z")
    hold = account.add("hold", "-10.00", "2026-10-15T09:00:00Z", parent=payout)
    assert proof(read(account.file())[0], "groups") == (0, 0)
    account.add("release", "10.00", "2026-10-16T09:00:00Z", parent=hold)
    account.add("release", "1.00", "2026-10-17T10:00:00Z", parent="8XK-EARLIER")
    assert proof(read(account.file())[0], "groups") == (1, 1)
    account.add("release", "0.01", "2026-10-18T09:00:00Z", parent=payout)
    assert proof(read(account.file())[0], "groups") == (2, 2)
    account.add("release", "9.99", "2026-10-19T09:00:00Z", parent=payout)
    assert proof(read(account.file())[0], "groups") == (1, 1)
    account.transactions[2] = replace(account.transactions[2], gross=10_01)
    with pytest.raises(UnprovedFile) as caught:
        read(account.file())
    assert caught.value.message == (
        "1.csv, line 4: 10.01 USD are released, but the hold in line 3 is of 10.00."
    )


# --- memos ----------------------------------------------------------------------------------------


def test_the_impact_decides_on_a_memo() -> None:
    """A payout that PayPal lists as Memo did not arrive, whatever its type is."""
    account = PayPalAccount()
    account.payout("1.00", "2026-10-15T09:00:00Z")
    lines = account.lines()
    lines[1][-1] = "Memo"
    (file,) = read(write(lines))
    assert file.rows[0].meaning is Meaning.MEMO


def test_without_the_impact_the_balance_decides_on_a_memo() -> None:
    """Only for types of memos and for unsettled rows: a dropped pair of rows is not one."""
    account = PayPalAccount(opening={"USD": 50_00})
    account.payout("1.00", "2026-10-15T09:00:00Z")
    account.add("authorization", "-3.00", "2026-10-16T09:00:00Z")
    account.payout("2.00", "2026-10-17T09:00:00Z")
    assert found(read(account.file(CUSTOM))[0]) == account.expected(CUSTOM)
    lines = account.lines(CUSTOM)
    at = {name: n for n, name in enumerate(lines[0])}
    # An authorisation that moves the balance is not a memo.
    lines[2][at["Balance"]], lines[3][at["Balance"]] = "48.00", "50.00"
    file = read(write(lines))[0]
    assert [row.meaning for row in file.rows] == [
        Meaning.PAYMENT,
        Meaning.OTHER,
        Meaning.PAYMENT,
    ]
    # A payout that does not move it is one only if it is unsettled.
    lines = account.lines(CUSTOM)
    lines[3][at["Balance"]] = "51.00"
    with pytest.raises(UnprovedFile, match="line 4: the balance"):
        read(write(lines))
    lines[3][at["Status"]] = "Pending"
    assert read(write(lines))[0].rows[2].meaning is Meaning.MEMO


def test_without_impact_and_balance_the_type_decides_on_a_memo() -> None:
    """The file then proves nothing about missing rows, and a sentence says so."""
    account = some_account()
    shape = replace(SMALL, only=SMALL.only.replace(" impact", ""))
    (file,) = read(account.file(shape))
    assert found(file) == account.expected(shape)
    assert file.unproved == (
        "1.csv states no balance after each row, so it does not show whether a row is missing.",
    )


# --- ids ------------------------------------------------------------------------------------------


def test_an_id_twice_counts_twice_only_with_a_balance() -> None:
    """Two different rows of one id are two rows if the balance proves both."""
    account = PayPalAccount()
    account.payout("1.00", "2026-10-15T09:00:00Z", id="SAME")
    account.payout("1.00", "2026-10-16T09:00:00Z", id="SAME")
    (file,) = read(account.file())
    assert [row.row for row in file.rows] == ["SAME", "SAME:2"]
    (file,) = read(account.file(OLD))
    assert [(row.row, row.line) for row in file.rows] == [("SAME", 3), ("SAME:2", 2)]
    with pytest.raises(
        MalformedFile, match="line 3: the row has the id SAME, as the row in line 2"
    ):
        read(account.file(SMALL))


def test_the_very_same_row_twice_is_refused() -> None:
    """A memo that was copied moves no balance; it is noticed all the same."""
    lines = some_account().lines()
    with pytest.raises(MalformedFile, match="line 6: the row has the id"):
        read(write([*lines[:5], lines[4], *lines[5:]]))


# --- several files --------------------------------------------------------------------------------


def _months() -> tuple[PayPalAccount, PayPalAccount, PayPalAccount]:
    """Return an account, and what two exports of it have that overlap by two rows."""
    account = PayPalAccount(opening={"USD": 5_00})
    for n in range(8):
        account.payout("1.00", f"2026-10-{15 + n}T09:00:00Z", fee="0.10")
    first = PayPalAccount(account.transactions[:5], {"USD": 5_00})
    second = PayPalAccount(account.transactions[3:], {"USD": 5_00 + 3 * 90})
    return account, first, second


@pytest.mark.parametrize("shapes", [*itertools.product((DEFAULT, OLD, STATEMENT), repeat=2)])
@pytest.mark.parametrize("turned", [False, True])
def test_rows_of_two_files_count_once(shapes: tuple[Shape, Shape], turned: bool) -> None:
    """In any order and of any shape, each row of the account is there once, and they join."""
    account, first, second = _months()
    one, two = shapes
    contents = [first.file(one), second.file(two)]
    files = read(*(reversed(contents) if turned else contents))
    kept = [row.row for file in files for row in file.rows if not row.duplicate]
    assert sorted(kept) == sorted(each.id for each in account.transactions)
    later = files[0] if turned else files[1]
    assert [file.proofs[-1] for file in files if file is later] == [Proof("joins", 1, 1)]
    assert sum(len(file.proofs) for file in files) == 7
    assert all(not file.unproved for file in files)


def test_of_two_formats_the_fuller_one_is_kept() -> None:
    """The activity has the recipient's address, subject and note; the statement does not."""
    _, first, _ = _months()
    for contents in itertools.permutations((first.file(STATEMENT), first.file())):
        files = read(*contents)
        for file in files:
            is_kept = file.format == "paypal-activity"
            assert all(row.duplicate != is_kept for row in file.rows)


def test_the_same_file_twice_is_all_duplicates() -> None:
    """Nothing is counted twice."""
    content = some_account().file()
    one, two = read(content, content)
    assert not any(row.duplicate for row in one.rows)
    assert all(row.duplicate for row in two.rows)
    assert proof(two, "joins") == (1, 1)


def test_files_that_adjoin_are_proved_by_their_balances() -> None:
    """The later file begins with the balance that the earlier one ended with."""
    account, _, _ = _months()
    first = PayPalAccount(account.transactions[:5], {"USD": 5_00})
    second = PayPalAccount(account.transactions[5:], {"USD": 5_00 + 5 * 90})
    assert proof(read(second.file(OLD), first.file())[0], "joins") == (1, 1)


def test_files_that_do_not_meet_are_read_with_a_sentence() -> None:
    """A week is missing between them."""
    account, first, _ = _months()
    second = PayPalAccount(account.transactions[6:], {"USD": 5_00 + 6 * 90})
    one, two = read(first.file(), second.file())
    assert proof(two, "joins") == (1, 0)
    assert two.unproved == ("1.csv and 2.csv do not join, so rows may be missing between them.",)
    assert not one.unproved


def test_a_row_that_only_one_of_two_overlapping_files_has_is_noticed() -> None:
    """Files without a balance, one of which was edited."""
    account, first, _ = _months()
    middle = PayPalAccount([*account.transactions[1:3], *account.transactions[4:]])
    _, two = read(first.file(SMALL), middle.file(SMALL))
    assert proof(two, "joins") == (1, 0)


def test_a_row_with_another_amount_in_a_second_file_is_refused() -> None:
    """Both lines are named."""
    _, first, second = _months()
    second.transactions[0] = replace(second.transactions[0], gross=1_01)
    with pytest.raises(UnprovedFile) as caught:
        read(first.file(), second.file())
    error = caught.value
    assert (error.details["file"], error.details["line"]) == ("2.csv", 2)
    assert "1.csv, line 5" in error.message


def test_a_pending_row_that_was_completed_later_counts_once() -> None:
    """An earlier export has it as a memo; the money that arrived is the row that counts."""
    account = PayPalAccount()
    account.payout("1.00", "2026-10-15T09:00:00Z")
    account.payout("2.00", "2026-10-16T09:00:00Z")
    early = account.lines()
    early[2][-1], early[2][5] = "Memo", "Pending"
    for contents in itertools.permutations((write(early), account.file())):
        kept = [
            (row.amount, row.meaning)
            for file in read(*contents)
            for row in file.rows
            if not row.duplicate
        ]
        assert sorted(kept) == [(1_00, Meaning.PAYMENT), (2_00, Meaning.PAYMENT)]


def test_files_of_other_languages_join() -> None:
    """An id is the same in every language."""
    account, first, second = _months()
    files = read(first.file(DEFAULT, DE), second.file(DEFAULT, EN))
    assert proof(files[1], "joins") == (1, 1)
    assert sum(not row.duplicate for file in files for row in file.rows) == len(
        account.transactions
    )
