"""Matching: what arrived, what is missing, and nothing that is only a guess."""

from __future__ import annotations

import pytest

from liveportal.domain.entities import PayoutState
from liveportal.domain.errors import InvalidValue, UnknownEntity, UnknownRow
from liveportal.domain.frozen import replace
from liveportal.domain.hint import Hint
from liveportal.statements.findings import MatchRules, RecordedRow, Step
from liveportal.statements.rows import Meaning, Proof, RowKind
from tests.kit.statement_rows import (
    NAMED,
    PAYER,
    compare,
    file,
    found,
    month,
    payers,
    payout,
    row,
)

UNNAMED = MatchRules()


def kinds(result: object) -> list[str]:
    """Return the kinds of all rows but those at the ends of `month`."""
    return [str(kind) for of_file in result.kinds for kind in of_file][1:-1]  # type: ignore[attr-defined]


# --- by reference -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "texts",
    [
        {"references": ("PO-1",)},
        {"references": ("Payout PO-1, November",)},
        {"references": ("(PO-1)",)},
        {"references": ("Thank you for PO-1.",)},
        {"row": "8XK41"},
        {"parent": "8XK41"},
        {"references": ("ref=8XK41;",)},
    ],
)
def test_a_reference_or_an_id_ties_a_row_whoever_pays(texts: dict[str, object]) -> None:
    """A whole word of any of the row's texts, without a named payer."""
    arrived = row(4200, 11, fee=-100, names=("Somebody",), **texts)
    result = compare(month(arrived), payout("PO-1", 4200, 10, reference="8XK41"), rules=UNNAMED)
    assert found(result) == [("arrived", "PO-1", arrived.row)]
    (finding,) = result.findings
    assert (finding.fee, finding.received, finding.is_new) == (100, 4100, True)


@pytest.mark.parametrize("text", ["PO-10", "XPO-1", "PO-1-2", "PO", "po_1", "8XK411"])
def test_a_part_of_a_word_ties_nothing(text: str) -> None:
    """`PO-1` is not in `PO-10`."""
    arrived = row(4200, 11, references=(text,), names=("Somebody",))
    result = compare(month(arrived), payout("PO-1", 4200, 10, reference="8XK41"))
    assert found(result)[0][0] == "missing"


def test_a_reference_of_several_words_ties_only_as_a_whole() -> None:
    """The words in their order."""
    sent = payout("PO-1", 4200, 10, reference="Invoice 7 November")
    whole = row(4200, 11, references=("for Invoice 7 November",), names=())
    assert found(compare(month(whole), sent, rules=UNNAMED))[0] == ("arrived", "PO-1", whole.row)
    part = row(4100, 11, references=("Invoice 8 November",), names=())
    assert found(compare(month(part), sent, rules=UNNAMED)) == [("missing", "PO-1", None)]


def test_a_short_reference_needs_the_amount() -> None:
    """`7` is the number of many things."""
    sent = payout("7", 4200, 10)
    other = row(1200, 11, references=("7 apples",), names=())
    assert found(compare(month(other), sent, rules=UNNAMED)) == [("missing", "7", None)]
    same = row(4200, 11, references=("7",), names=())
    assert found(compare(month(same), sent, rules=UNNAMED)) == [("arrived", "7", same.row)]


def test_two_rows_with_one_reference_and_neither_whole_are_not_summed() -> None:
    """Two halves are reported, with both rows as candidates."""
    halves = [row(2100, day, references=("PO-1",)) for day in (11, 12)]
    result = compare(month(*halves), payout("PO-1", 4200, 10))
    assert found(result) == [("ambiguous", "PO-1", None)]
    assert result.findings[0].candidates == tuple(half.row for half in halves)
    assert kinds(result) == ["ambiguous", "ambiguous"]


def test_a_whole_row_wins_over_a_mention() -> None:
    """Of two rows with the reference, the one with the amount is the payout."""
    whole = row(4200, 12, references=("PO-1",))
    mention = row(300, 11, references=("bonus beside PO-1",))
    result = compare(month(whole, mention), payout("PO-1", 4200, 10))
    assert found(result) == [("unknown", None, mention.row), ("arrived", "PO-1", whole.row)]


def test_payouts_that_share_a_reference_are_told_apart_by_amount_and_date() -> None:
    """Some platforms write the same text each month."""
    sent = [payout("PO-1", 4200, 3, reference="HELP7"), payout("PO-2", 4200, 20, reference="HELP7")]
    rows = [row(4200, day, references=("HELP7",)) for day in (4, 21)]
    assert found(compare(month(*rows), *sent)) == [
        ("arrived", "PO-1", rows[0].row),
        ("arrived", "PO-2", rows[1].row),
    ]


# --- by payer, amount and date ----------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [PAYER, PAYER.upper(), "  Unity   Technologies ", "unity technologies"]
)
def test_a_named_payer_with_the_amount_ties_within_the_window(name: str) -> None:
    """From a day before the sending to three days after it, at PayPal."""
    rules = payers(PAYER, "Unity Technologies")
    for arrives, finding in ((8, None), (9, "arrived"), (13, "arrived"), (14, None)):
        arrived = row(4200, arrives, names=("x", name))
        result = compare(month(arrived), payout("PO-1", 4200, 10), rules=rules)
        expected = ("arrived", "PO-1", arrived.row) if finding else ("missing", "PO-1", None)
        assert expected in found(result)


def test_the_window_is_a_setting() -> None:
    """By provider."""
    late = row(4200, 16)
    rules = replace(NAMED, windows={"paypal": 6})
    assert found(compare(month(late), payout("PO-1", 4200, 10), rules=rules)) == [
        ("arrived", "PO-1", late.row)
    ]


def test_without_a_named_payer_amount_and_date_are_ambiguous() -> None:
    """The note names what to do."""
    arrived = row(4200, 11, meaning=Meaning.UNLISTED, type="Geldeingang")
    result = compare(month(arrived), payout("PO-1", 4200, 10), rules=UNNAMED)
    assert found(result) == [("ambiguous", "PO-1", arrived.row)]
    (finding,) = result.findings
    assert isinstance(finding.note, Hint)
    assert "{a_payer}" in finding.note.text
    assert finding.candidates == (arrived.row,)


def test_two_equal_payouts_and_two_equal_rows_are_never_guessed() -> None:
    """Each payout lists both rows; a pair settles both."""
    sent = [payout("PO-1", 4200, 10), payout("PO-2", 4200, 10)]
    rows = [row(4200, 11), row(4200, 12)]
    result = compare(month(*rows), *sent)
    assert found(result) == [("ambiguous", "PO-1", None), ("ambiguous", "PO-2", None)]
    assert {each.candidates for each in result.findings} == {(rows[0].row, rows[1].row)}
    paired = replace(NAMED, pairs=(("PO-2", rows[0].row),))
    assert found(compare(month(*rows), *sent, rules=paired)) == [
        ("arrived", "PO-2", rows[0].row),
        ("arrived", "PO-1", rows[1].row),
    ]


def test_one_row_for_two_payouts_lists_the_payouts() -> None:
    """The finding is about the row."""
    arrived = row(4200, 11)
    result = compare(month(arrived), payout("PO-1", 4200, 10), payout("PO-2", 4200, 9))
    assert found(result) == [("ambiguous", None, arrived.row)]
    assert result.findings[0].candidates == ("PO-2", "PO-1")


def test_a_stranger_with_the_amount_is_mentioned_and_not_tied() -> None:
    """Another payer's equal amount is other income; the missing payout names the line."""
    arrived = row(4200, 11, names=("Grandmother",))
    result = compare(month(arrived), payout("PO-1", 4200, 10))
    assert found(result) == [("missing", "PO-1", None)]
    assert result.findings[0].candidates == (arrived.row,)
    assert "from Grandmother" in str(result.findings[0].note)
    assert kinds(result) == ["other_income"]


def test_another_currency_never_ties_by_amount() -> None:
    """42 euros are not 42 dollars."""
    arrived = row(4200, 11, currency="EUR")
    result = compare(month(arrived), payout("PO-1", 4200, 10))
    assert found(result) == [("missing", "PO-1", None), ("unknown", None, arrived.row)]
    assert not result.findings[1].is_new
    strange = row(4200, 11, currency="QQQ", references=("PO-1",))
    assert found(compare(month(strange), payout("PO-1", 4200, 10))) == [("missing", "PO-1", None)]


# --- how much ---------------------------------------------------------------------------------


def test_a_smaller_amount_is_short_until_the_user_says_that_it_is_a_fee() -> None:
    """A bank shows only what arrived."""
    arrived = row(4100, 11, gross=None, fee=None, net=4100, references=("PO-1",))
    (short,) = compare(month(arrived), payout("PO-1", 4200, 10)).findings
    assert (short.finding, short.fee, short.received, short.is_new) == ("short", None, 4100, False)
    rules = replace(NAMED, short_is_fee=True)
    (fee,) = compare(month(arrived), payout("PO-1", 4200, 10), rules=rules).findings
    assert (fee.finding, fee.fee, fee.received, fee.is_new) == ("arrived", 100, 4100, True)


def test_a_fee_that_is_a_row_of_its_own_belongs_to_its_arrival() -> None:
    """Its kind is fee; one of another row is unrelated."""
    arrived = row(4200, 11, references=("PO-1",))
    fee = row(-100, 11, parent=arrived.row, meaning=Meaning.FEE, type="Fee")
    stray = row(-70, 12, parent="ELSEWHERE", meaning=Meaning.FEE, type="Fee")
    result = compare(month(arrived, fee, stray), payout("PO-1", 4200, 10))
    assert result.findings[0].fee == 100
    assert kinds(result) == ["arrived", "fee", "unrelated"]


def test_more_than_was_sent_differs_and_is_never_recorded() -> None:
    """By its reference."""
    arrived = row(4300, 11, references=("PO-1",))
    (finding,) = compare(month(arrived), payout("PO-1", 4200, 10)).findings
    assert (finding.finding, finding.is_new) == ("differs", False)
    assert "1.00 USD more" in str(finding.note)


def test_an_arrival_in_another_currency_has_no_fee() -> None:
    """What arrived is information."""
    arrived = row(3900, 11, fee=-100, currency="EUR", references=("PO-1",))
    (finding,) = compare(month(arrived), payout("PO-1", 4200, 10)).findings
    assert (finding.finding, finding.fee, finding.is_new) == ("arrived", None, True)
    assert (finding.received, finding.received_currency) == (3800, "EUR")


def test_a_payout_that_is_paid_is_matched_for_its_fee() -> None:
    """The same fee confirms it; another one differs."""
    arrived = row(4200, 11, fee=-100)
    for known, finding in ((None, "arrived"), (100, "arrived"), (70, "differs")):
        paid = payout("PO-1", 4200, 10, state=PayoutState.PAID, fee=known)
        (found_one,) = compare(month(arrived), paid).findings
        assert (found_one.finding, found_one.is_new) == (finding, finding == "arrived")


def test_a_failed_payout_that_arrived_is_reported() -> None:
    """Only by its reference, and nothing is recorded."""
    failed = payout("PO-1", 4200, 10, state=PayoutState.FAILED)
    (finding,) = compare(month(row(4200, 11, references=("PO-1",))), failed).findings
    assert (finding.finding, finding.is_new) == ("differs", False)
    assert found(compare(month(row(4200, 11)), failed))[0][0] == "unknown"


# --- pairs ------------------------------------------------------------------------------------


def test_a_pair_names_a_row_by_id_or_by_file_and_line() -> None:
    """The file by its path or its name."""
    arrived = row(3000, 11, names=())
    statement = month(arrived, name="in box/paypal.csv")
    for text in (arrived.row, "paypal.csv:3", "in box/paypal.csv:3"):
        rules = MatchRules(pairs=(("PO-1", text),))
        result = compare(statement, payout("PO-1", 4200, 10), rules=rules)
        assert found(result) == [("short", "PO-1", arrived.row)]


@pytest.mark.parametrize("pair", [("PO-9", "ROW-A"), ("PO-1", "ROW-Z"), ("PO-1", "paypal.csv:99")])
def test_a_pair_that_names_nothing_is_not_found(pair: tuple[str, str]) -> None:
    """A payout or a row."""
    statement = month(row(4200, 11, row="ROW-A"))
    with pytest.raises(UnknownEntity):
        compare(statement, payout("PO-1", 4200, 10), rules=MatchRules(pairs=(pair,)))


def test_a_pair_that_cannot_be_one_is_refused() -> None:
    """A debit, a payout with two rows, and an arrival that is recorded."""
    rows = [row(-4200, 11, row="OUT"), row(4200, 12, row="IN"), row(4200, 13, row="TOO")]
    sent = [payout("PO-1", 4200, 10), payout("PO-2", 4200, 10)]
    was = RecordedRow("paypal", "IN", Step.PAID, "PO-2")
    for pairs, recorded in (
        ((("PO-1", "OUT"),), ()),
        ((("PO-1", "IN"), ("PO-1", "TOO")), ()),
        ((("PO-1", "IN"), ("PO-2", "IN")), ()),
        ((("PO-1", "IN"),), (was,)),
        ((("PO-2", "TOO"),), (was,)),
    ):
        with pytest.raises(InvalidValue):
            compare(month(*rows), *sent, rules=MatchRules(pairs=pairs), recorded=recorded)


# --- what came back ---------------------------------------------------------------------------


def test_an_arrival_that_came_back_whole_is_returned() -> None:
    """What was debited is the row's net: the provider may keep its fee."""
    arrived = row(4200, 11, fee=-100)
    for fee, debited in ((100, 4100), (0, 4200), (-1500, 5700)):
        back = row(-4200, 15, fee=fee, parent=arrived.row, meaning=Meaning.RETURN)
        result = compare(month(arrived, back), payout("PO-1", 4200, 10))
        assert found(result)[1] == ("returned", "PO-1", back.row)
        assert (result.findings[1].debited, result.findings[1].is_new) == (debited, True)


def test_a_return_follows_an_arrival_of_an_earlier_file() -> None:
    """Recorded from a statement, or by hand with the row's id as the reference."""
    back = row(-4200, 15, parent="IN", meaning=Meaning.RETURN)
    paid = payout("PO-1", 4200, 10, state=PayoutState.PAID)
    was = RecordedRow("paypal", "IN", Step.PAID, "PO-1")
    assert found(compare(month(back), paid, recorded=[was])) == [("returned", "PO-1", back.row)]
    by_hand = replace(paid, reference="IN")
    assert found(compare(month(back), by_hand)) == [("returned", "PO-1", back.row)]
    (finding,) = compare(month(back), replace(by_hand, state=PayoutState.RETURNED)).findings
    assert not finding.is_new


def test_a_part_that_came_back_is_only_reported() -> None:
    """Also where two parts are the whole, and where it came again."""
    arrived = row(4200, 11)
    parts = [row(-2100, day, parent=arrived.row, meaning=Meaning.RETURN) for day in (12, 13)]
    result = compare(month(arrived, *parts), payout("PO-1", 4200, 10))
    assert [each.finding for each in result.findings] == ["arrived", *["partly_returned"] * 2]
    assert not any(each.is_new for each in result.findings[1:])
    back = row(-4200, 12, parent=arrived.row, meaning=Meaning.RETURN)
    again = row(4200, 14, parent=back.row, meaning=Meaning.RETURN)
    result = compare(month(arrived, back, again), payout("PO-1", 4200, 10))
    assert kinds(result) == ["arrived", "partly_returned", "partly_returned"]


def test_a_refund_of_something_else_is_not_a_return() -> None:
    """Without the arrival as its parent."""
    back = row(-4200, 15, parent="ELSEWHERE", meaning=Meaning.RETURN)
    result = compare(month(row(4200, 11), back), payout("PO-1", 4200, 10))
    assert kinds(result) == ["arrived", "unrelated"]


def test_an_unlisted_debit_of_an_arrival_stops_the_file() -> None:
    """Its line and type are named; --unproved goes on."""
    arrived = row(4200, 11)
    strange = row(-4200, 12, parent=arrived.row, meaning=Meaning.UNLISTED, type="Clawback")
    with pytest.raises(UnknownRow) as caught:
        compare(month(arrived, strange), payout("PO-1", 4200, 10))
    assert caught.value.details == {
        "file": "paypal.csv", "line": 4, "type": "Clawback", "payout": "PO-1",
    }  # fmt: skip
    rules = replace(NAMED, unproved=True)
    result = compare(month(arrived, strange), payout("PO-1", 4200, 10), rules=rules)
    assert kinds(result) == ["arrived", "unrecognised"]


def test_unlisted_types_that_touch_no_payout_are_counted() -> None:
    """A credit and a debit."""
    strange = [
        row(amount, 11, meaning=Meaning.UNLISTED, type="Zauberei", names=()) for amount in (7, -7)
    ]
    assert kinds(compare(month(*strange))) == ["unrecognised", "unrecognised"]


# --- what did not come ------------------------------------------------------------------------


def test_missing_only_where_the_files_cover_the_window() -> None:
    """Before the files: nothing is said. Too late in them: pending."""
    statement = month(row(-100, 20))
    sent = [payout("OLD", 4200, -5), payout("PO-1", 4200, 27), payout("NEW", 4200, 28)]
    result = compare(statement, *sent)
    assert found(result) == [("missing", "PO-1", None)]
    assert result.findings[0].days == 3
    assert [each.payout and each.payout.id for each in result.pending] == ["NEW"]


def test_another_method_is_not_missing_in_these_files() -> None:
    """PayPal's file does not show what a bank received."""
    assert found(compare(month(), payout("PO-1", 4200, 10, method="bank"))) == []


def test_a_gap_between_files_hides_what_came_in_it() -> None:
    """Unless their balances join."""
    first = file(row(-100, 1), row(-100, 10), name="a.csv")
    joined = (Proof(proof="joins", rows=1, proved=1),)
    for proofs, finding in (((), []), (joined, [("missing", "PO-1", None)])):
        second = file(row(-100, 20), row(-100, 30), name="b.csv", proofs=proofs)
        assert found(compare([second, first], payout("PO-1", 4200, 12))) == finding


def test_a_payout_that_was_marked_by_hand_is_never_missing() -> None:
    """The books say that it arrived."""
    assert found(compare(month(), payout("PO-1", 4200, 10, state=PayoutState.PAID))) == []


# --- what could explain it --------------------------------------------------------------------


def test_sums_are_mentioned_and_never_recorded() -> None:
    """Two rows that add up to a missing payout, and a row that is two payouts."""
    parts = [row(2000, 11), row(2200, 12)]
    result = compare(month(*parts), payout("PO-1", 4200, 10))
    (missing,) = (each for each in result.findings if each.finding == "missing")
    assert "Lines 3 and 4 add up to it" in str(missing.note)
    assert missing.candidates == tuple(part.row for part in parts)
    both = row(9000, 12)
    sent = [payout("PO-1", 4200, 10), payout("PO-2", 4800, 11)]
    result = compare(month(both), *sent)
    (unknown,) = (each for each in result.findings if each.finding == "unknown")
    assert "the sum of PO-1 and PO-2" in str(unknown.note)
    assert unknown.candidates == ("PO-1", "PO-2")
    assert not any(each.is_new for each in result.findings if each.finding == "missing")


def test_a_slightly_smaller_amount_of_the_payer_is_mentioned() -> None:
    """A platform that deducts its transfer fee before: the note names --pair."""
    less = row(4100, 11)
    result = compare(month(less), payout("PO-1", 4200, 10))
    (missing,) = (each for each in result.findings if each.finding == "missing")
    assert missing.candidates == (less.row,)
    assert isinstance(missing.note, Hint)
    assert "{a_pair}" in missing.note.text
    far = compare(month(row(3000, 11)), payout("PO-1", 4200, 10))
    assert all(not each.candidates for each in far.findings)


# --- rows that were seen before ---------------------------------------------------------------


def test_a_row_of_two_files_is_counted_once() -> None:
    """The reader marks all copies of a row but one; a pair names the one that is used."""
    arrived = row(4200, 11)
    copy = replace(arrived, duplicate=True)
    first, second = month(arrived, name="a.csv"), month(copy, name="bb.csv")
    for rules in (NAMED, replace(NAMED, pairs=(("PO-1", arrived.row),))):
        result = compare([second, first], payout("PO-1", 4200, 10), rules=rules)
        assert found(result) == [("arrived", "PO-1", arrived.row)]
        assert result.findings[0].file == first
        assert result.kinds[0][1] == RowKind.DUPLICATE


def test_a_recorded_row_is_a_duplicate_and_its_payout_is_settled() -> None:
    """Until the arrival was taken back."""
    arrived = row(4200, 11)
    paid = payout("PO-1", 4200, 10, state=PayoutState.PAID, fee=0)
    was = RecordedRow("paypal", arrived.row, Step.PAID, "PO-1")
    result = compare(month(arrived), paid, recorded=[was])
    assert (found(result), kinds(result)) == ([], ["duplicate"])
    sent = replace(paid, state=PayoutState.SENT, fee=None)
    result = compare(month(arrived), sent, recorded=[replace(was, is_live=False)])
    assert found(result) == [("arrived", "PO-1", arrived.row)]


def test_another_row_does_not_take_a_settled_payout() -> None:
    """A second payment of the same amount is unknown, not the payout again."""
    paid = payout("PO-1", 4200, 10, state=PayoutState.PAID)
    was = RecordedRow("paypal", "EARLIER", Step.PAID, "PO-1")
    more = row(4200, 12)
    assert found(compare(month(more), paid, recorded=[was])) == [("unknown", None, more.row)]


# --- what users of importers complain of ------------------------------------------------------


def test_complaint_a_fee_is_negative_and_still_booked() -> None:
    """`if fee > 0` books no fee at all."""
    (finding,) = compare(month(row(4200, 11, fee=-100)), payout("PO-1", 4200, 10)).findings
    assert (finding.fee, finding.received) == (100, 4100)


def test_complaint_one_sale_is_three_rows_and_arrives_once() -> None:
    """The payment, its hold and the release of it, all with the payer's name."""
    arrived = row(4200, 11)
    hold = row(-4200, 11, parent=arrived.row, meaning=Meaning.HOLD, names=(PAYER,))
    release = row(4200, 14, parent=hold.row, meaning=Meaning.RELEASE, names=(PAYER,))
    result = compare(month(arrived, hold, release), payout("PO-1", 4200, 10))
    assert found(result) == [("arrived", "PO-1", arrived.row)]
    assert kinds(result) == ["arrived", "hold", "release"]
    assert result.findings[0].note is None
    held = compare(month(arrived, hold), payout("PO-1", 4200, 10))
    assert "holds it back" in str(held.findings[0].note)


def test_complaint_dollars_are_never_booked_as_euros() -> None:
    """A payment in euros, converted at once: three rows, one arrival without a fee."""
    arrived = row(3900, 11, currency="EUR", references=("PO-1",))
    legs = [
        row(-3900, 11, currency="EUR", parent=arrived.row, meaning=Meaning.CONVERSION),
        row(4150, 11, parent=arrived.row, meaning=Meaning.CONVERSION, names=(PAYER,)),
    ]
    result = compare(month(arrived, *legs), payout("PO-1", 4200, 10))
    assert found(result) == [("arrived", "PO-1", arrived.row)]
    assert result.findings[0].received_currency == "EUR"
    assert kinds(result) == ["arrived", "conversion", "conversion"]


def test_complaint_equal_rows_of_one_file_are_different_rows() -> None:
    """Two payments of the same amount on the same day, from the same payer."""
    twice = [row(4200, 11), row(4200, 11)]
    result = compare(month(*twice), payout("PO-1", 4200, 10))
    assert kinds(result) == ["ambiguous", "ambiguous"]
    with_reference = replace(twice[0], references=("PO-1",))
    result = compare(month(with_reference, twice[1]), payout("PO-1", 4200, 10))
    assert found(result) == [
        ("arrived", "PO-1", twice[0].row), ("unknown", None, twice[1].row),
    ]  # fmt: skip


def test_complaint_a_row_that_was_posted_late_is_not_skipped() -> None:
    """An older row that only a newer export has is matched like any other."""
    early, late = row(4200, 5), row(7700, 3)
    paid = payout("PO-1", 4200, 4, state=PayoutState.PAID)
    was = RecordedRow("paypal", early.row, Step.PAID, "PO-1")
    result = compare(month(early, late), paid, payout("PO-2", 7700, 2), recorded=[was])
    assert found(result) == [("arrived", "PO-2", late.row)]


def test_complaint_every_row_is_accounted_for() -> None:
    """`828 rows reported, 85 imported, no reason given`."""
    rows = [row(amount, 1 + n % 30, meaning=meaning, names=())
            for n, (amount, meaning) in enumerate(
                (amount, meaning) for amount in (-5, 0, 5) for meaning in Meaning)]  # fmt: skip
    result = compare(file(*rows))
    assert len(result.kinds[0]) == len(rows)
    assert set(result.kinds[0]) == {
        *(RowKind.UNRELATED, RowKind.OTHER_INCOME, RowKind.OWN_TRANSFER, RowKind.CONVERSION),
        *(RowKind.HOLD, RowKind.RELEASE, RowKind.MEMO, RowKind.UNRECOGNISED),
    }


def test_complaint_refund_lines_are_kept() -> None:
    """A return is a finding of its own, and each of several parts, too."""
    arrived = row(4200, 11)
    parts = [row(-100, day, parent=arrived.row, meaning=Meaning.RETURN) for day in (12, 13)]
    result = compare(month(arrived, *parts), payout("PO-1", 4200, 10))
    assert kinds(result) == ["arrived", "partly_returned", "partly_returned"]
    assert [each.amount for each in result.findings] == [4200, 100, 100]


def test_complaint_the_order_within_a_day_changes_nothing() -> None:
    """The return stands above its arrival in files that list the newest first."""
    arrived = row(4200, 11)
    back = row(-4200, 11, parent=arrived.row, meaning=Meaning.RETURN)
    for rows in ((arrived, back), (back, arrived)):
        result = compare(month(*rows), payout("PO-1", 4200, 10))
        assert {str(each.finding) for each in result.findings} == {"arrived", "returned"}
