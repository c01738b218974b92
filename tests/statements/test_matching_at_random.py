"""Round trips at random: books become a provider's files, and exactly what was put in is found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from liveportal.statements.findings import BookPayout, Finding, MatchRules, Reconciliation, plain
from liveportal.statements.matching import reconcile
from liveportal.statements.options import Options
from liveportal.statements.rows import RowKind, StatementFile
from tests.kit import statement_rows
from tests.kit.paypal_files import (
    CUSTOM,
    DEFAULT,
    FULL,
    OLD,
    PLATFORM,
    PayPalAccount,
    Shape,
    Transaction,
    read,
    write,
)
from tests.kit.paypal_locales import LOCALES, Locale
from tests.kit.statement_rows import compare, month, payout, row
from tests.kit.work import calls

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
RULES = MatchRules(payers=frozenset((plain(PLATFORM),)))
STRANGER = "x@y.example"
SHAPES = (DEFAULT, FULL, CUSTOM, OLD)


@dataclass(frozen=True)
class World:
    """An account at PayPal, payouts of the books, and what must be found."""

    account: PayPalAccount
    payouts: list[BookPayout]
    expected: set[tuple[object, ...]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Make payouts of distinct amounts, each with a fate, between rows that concern nobody."""
    count = draw(st.integers(0, 6))
    amounts = draw(st.lists(st.integers(1_00, 900_00), min_size=count, max_size=count, unique=True))
    account = PayPalAccount(opening={"USD": 5_000_00})
    payouts, expected = [], set[tuple[object, ...]]()
    for number, amount in enumerate(amounts):
        day = draw(st.integers(2, 20))
        at = START + timedelta(days=day, minutes=number)
        sent = statement_rows.payout(f"PO-{number}", amount, day + 1)
        fate = draw(st.sampled_from(("payer", "reference", "returned", "euros", "late", "unknown")))
        fee = draw(st.sampled_from((0, -35, -1_00)))
        came = Transaction("payout", at, amount, "USD", f"IN{number}", fee, email=PLATFORM)
        match fate:
            case "payer":
                expected.add(("arrived", sent.id, came.id, -fee))
            case "reference":
                came = replace(came, email=STRANGER, subject=f"Payout {sent.id}!")
                expected.add(("arrived", sent.id, came.id, -fee))
            case "returned":
                back = replace(
                    came, kind="returned", id=f"BACK{number}", parent=came.id, gross=-amount,
                    fee=-fee, at=at + timedelta(days=1), email="",
                )  # fmt: skip
                account.transactions.append(back)
                expected.add(("arrived", sent.id, came.id, -fee))
                expected.add(("returned", sent.id, back.id, None))
            case "euros":
                came = replace(came, currency="EUR", note=sent.id)
                expected.add(("arrived", sent.id, came.id, None))
            case "late":
                expected.add(("missing", sent.id, None, None))
            case "unknown":
                expected.add(("unknown", None, came.id, -fee))
        account.transactions += [came] if fate != "late" else []
        payouts += [sent] if fate != "unknown" else []
    for number in range(draw(st.integers(0, 6))):
        at = START + timedelta(days=draw(st.integers(1, 27)), seconds=number)
        kind = draw(st.sampled_from(("purchase", "withdrawal", "payment", "authorization")))
        gross = draw(st.integers(1, 900)) * (1 if kind in ("payment", "authorization") else -1)
        account.transactions.append(
            Transaction(kind, at, gross, "USD", f"NOISE{number}", email=STRANGER)
        )
    for day, name in ((0, "FIRST"), (28, "LAST")):  # So that the file covers every window.
        at = START + timedelta(days=day)
        account.transactions.append(Transaction("withdrawal", at, -1, "USD", name))
    account.transactions.sort(key=lambda each: each.at)
    return World(account, payouts, expected)


def found(result: Reconciliation) -> set[tuple[object, ...]]:
    """Return findings in the form of `World.expected`, each once."""
    findings = [_short(each) for each in result.findings]
    assert len(findings) == len(set(findings))
    return set(findings)


def _short(each: Finding) -> tuple[object, ...]:
    payout_id = each.payout.id if each.payout else None
    return str(each.finding), payout_id, each.row.row if each.row else None, each.fee


def matched(files: tuple[StatementFile, ...], world: World) -> Reconciliation:
    """Compare files with the books of a world; each row has one kind."""
    result = reconcile(files, world.payouts, (), RULES, "USD")
    assert [len(kinds) for kinds in result.kinds] == [len(file.rows) for file in files]
    return result


@given(worlds(), st.sampled_from(SHAPES), st.sampled_from(LOCALES))
def test_what_was_put_in_is_found(world: World, shape: Shape, locale: Locale) -> None:
    """In every shape and language: each fate, its row and its fee, and nothing else."""
    files = read(world.account.file(shape, locale))
    assert found(matched(files, world)) == world.expected


@given(worlds(), st.data())
def test_overlapping_files_in_any_order_find_the_same(world: World, data: st.DataObject) -> None:
    """Cut into parts that share rows, given in any order: no row is lost or counted twice."""
    header, *lines = world.account.lines()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=2)))
    shared = data.draw(st.integers(0, 3))
    ends = [0, *cuts, len(lines)]
    parts = [lines[max(0, first - shared) : last] for first, last in pairwise(ends)]
    contents = [write([header, *part], DEFAULT) for part in parts if part]
    contents = data.draw(st.permutations(contents))
    result = matched(read(*contents, options=Options(dates="mdy")), world)
    # A gap that no balance closes hides what may be in it, so nothing is missing then.
    assert found(result) <= world.expected
    assert {each for each in world.expected if each[0] != "missing"} <= found(result)
    new = [kind for kinds in result.kinds for kind in kinds if kind != RowKind.DUPLICATE]
    assert len(new) == len(lines)


# --- nothing is guessed -----------------------------------------------------------------------

FEW = st.sampled_from((1_00, 2_00))
DAYS = st.integers(2, 12)


@given(
    st.lists(st.tuples(FEW, DAYS), max_size=5),
    st.lists(st.tuples(FEW, DAYS, st.booleans()), max_size=5),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_only_what_is_unique_both_ways_is_tied(
    sent: list[tuple[int, int]],
    came: list[tuple[int, int, bool]],
    is_named: bool,
    random: object,
) -> None:
    """Compared with every pair that fits; the order of rows and payouts changes nothing."""
    payouts = [payout(f"PO-{n}", amount, day) for n, (amount, day) in enumerate(sent)]
    rows = [
        row(amount, day, row=f"R{n}", names=(statement_rows.PAYER if ours else "Other",))
        for n, (amount, day, ours) in enumerate(came)
    ]
    rules = statement_rows.NAMED if is_named else MatchRules()
    fits = {
        (p.id, r.row)
        for p in payouts
        for r in rows
        if p.amount == r.amount
        and -1 <= (r.day - p.sent_at.date()).days <= 3
        and (r.names[0] == statement_rows.PAYER or not is_named)
    }
    tied = {
        (p, r)
        for p, r in fits
        if is_named
        and sum(p == other for other, _ in fits) == 1
        and sum(r == other for _, other in fits) == 1
    }
    result = compare(month(*rows), *payouts, rules=rules)
    note(str(statement_rows.found(result)))
    arrived = {
        (each.payout.id, each.row.row)
        for each in result.findings
        if each.finding == RowKind.ARRIVED and each.payout and each.row
    }
    assert arrived == tied
    ambiguous = {r for _, r in fits} - {r for _, r in tied}
    kinds = dict(zip((each.row for each in month(*rows).rows), result.kinds[0], strict=True))
    assert {name for name, kind in kinds.items() if kind == RowKind.AMBIGUOUS} == ambiguous
    named = {r.row for r in rows if r.names[0] == statement_rows.PAYER and is_named}
    unknown = {
        each.row.row for each in result.findings if each.finding == RowKind.UNKNOWN and each.row
    }
    assert unknown == named - {r for _, r in fits}
    random.shuffle(payouts)  # type: ignore[attr-defined]
    random.shuffle(rows)  # type: ignore[attr-defined]
    again = compare(month(*rows), *payouts, rules=rules)
    assert set(map(_short, again.findings)) == set(map(_short, result.findings))
    assert {each.candidates for each in again.findings} == {
        each.candidates for each in result.findings
    }


# --- work -------------------------------------------------------------------------------------


@pytest.mark.parametrize("alike", [False, True])
def test_the_work_grows_with_the_rows(*, alike: bool) -> None:
    """Not with their square, also where every row fits every payout."""

    def work(count: int) -> int:
        rows = [row(4200 if alike else n, 10, row=f"R{n}") for n in range(1, count)]
        statement = month(*rows)
        payouts = [payout(f"PO-{n}", 4200 if alike else n, 9) for n in range(1, 6)]
        return calls(lambda: compare(statement, *payouts))

    assert work(800) < 2.2 * work(400)
