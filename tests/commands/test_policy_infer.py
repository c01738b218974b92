"""`policy infer`: every output, the policy file, the interrupt, and books that tell little."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from liveportal.cli.signals import Stopped
from liveportal.domain.calculations.inference.readings import SEARCHED
from liveportal.domain.calculations.inference.search import Search
from liveportal.portal import Portal
from tests.kit.events import line
from tests.kit.paid_ledger import NOW, PAYOUTS, RULES, feed
from tests.kit.shell import SetClock, Shell

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = ["switch", "value", "in_force", "decided", "reading"]
TERMINAL = """\
switch                     value          in force       decided  reading
─────────────────────────────────────────────────────────────────────────
These rules explain 3 of 3 payouts:
trial.minutes              5              5              yes            1
trial.billed               after-trial    whole-session  yes            1
trial.boundary             over           over           no             1
billing.rounding           exact          exact          partly         1
billing.increment_seconds  60             60             no             1
billing.minimum_minutes    0              0              partly         1
fee.percent                40             30             yes            1
refund.deducts             share          share          no             1
period.timezone            UTC            UTC            no             1
period.session_month       end            end            no             1
payout.minimum             100.00         100.00         partly         1
payout.minimum_counts      share          share          no             1
The rules in force explain 0 of 3 payouts, with these differences:
trial.billed               whole-session  whole-session  yes            2
fee.percent                30             30             yes            2
"""


@pytest.fixture(autouse=True)
def _later(clock: SetClock) -> None:
    clock.set(datetime.fromisoformat(NOW))


@pytest.fixture
def paid(empty: Shell) -> Shell:
    """Give a shell whose payouts follow other rules than those in force."""
    empty.ok("sync", empty.file("feed.jsonl", b"".join(feed())))
    return empty


def test_json_is_the_contract(paid: Shell) -> None:
    """The best reading is first, the adopted one last; what payouts do not decide is named."""
    found = paid.ok("policy", "infer")
    best, *_, adopted = found["readings"]
    assert found["payouts"] == 3
    assert (best["explains"], best["of"], best["unexplained"]) == (3, 3, [])
    assert sorted(best["changed"]) == sorted(RULES)
    assert {switch: best["switches"][switch] for switch in RULES} == RULES
    assert (adopted["explains"], adopted["of"], adopted["changed"]) == (0, 3, [])
    assert adopted["unexplained"][1] == {"payout": "PO-2", "amount": "168.00", "expected": "213.50"}
    assert "refund.deducts" in found["undecided"]
    assert "fee.percent" not in found["undecided"]
    assert set(found["equal"]) <= set(SEARCHED) - set(found["undecided"])
    assert found["complete"] is True
    assert found["currency"] == "USD"


def test_python_answers_the_same(paid: Shell) -> None:
    """The query of the portal is the JSON."""
    found = paid.ok("policy", "infer")
    with Portal(paid.ledger) as portal:
        assert portal.ledger.infer_policy().as_dict() == found


def test_rows_in_a_pipe(paid: Shell) -> None:
    """One row a switch, the first reading with all of them."""
    rows = [row.split("\t") for row in paid.output_of("policy", "infer", "--header").splitlines()]
    assert rows[0] == COLUMNS
    first = {row[0]: row for row in rows[1:] if row[-1] == "1"}
    assert list(first) == list(SEARCHED)
    assert first["fee.percent"] == ["fee.percent", "40", "30", "yes", "1"]
    assert first["refund.deducts"][-2] == "no"
    assert first["payout.minimum"][-2] == "partly"
    text = paid.output_of("policy", "infer", "--csv")
    table = list(csv.DictReader(io.StringIO(text)))
    assert [[row[name] for name in COLUMNS] for row in table] == rows[1:]
    assert {(row["reading"], row["explains"], row["of"]) for row in table} == {
        ("1", "3", "3"),
        ("2", "0", "3"),
    }
    chosen = paid.output_of("policy", "infer", "--fields", "switch,value", "--limit", "1")
    assert "fee.percent\t40" in chosen.splitlines()


def test_a_terminal_says_what_to_do_next(paid: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which payouts are explained, what is not decided, and how to adopt the rules."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    ran = paid.run("policy", "infer", "--limit", "1", terminal=True)
    assert ran.out == TERMINAL
    assert "The payouts cannot decide: " in ran.err
    assert "`liveportal policy use rules.toml`" in ran.err


def test_the_policy_file_is_one_that_use_accepts(paid: Shell) -> None:
    """What -o FILE.toml holds are the rules in force, with what was found instead."""
    ran = paid.run("policy", "infer", "-o", "rules.toml", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["payouts"] == 3
    paid.ok("policy", "use", "rules.toml", "--yes")
    switches = {row["switch"]: row for row in paid.ok("policy", "show")}
    assert {switch: switches[switch]["value"] for switch in RULES} == RULES
    assert switches["fee.percent"]["source"] == "inferred from payouts"
    assert switches["trial.minutes"]["source"] == "R5"
    # Sessions keep the rules under which they were agreed: only new ones have these.
    again = paid.ok("policy", "infer")
    assert again["readings"][0]["explains"] == 3


def test_another_file_has_the_result(paid: Shell) -> None:
    """Only the ending .toml makes a policy of it."""
    paid.run("policy", "infer", "--json", "-o", "found.json")
    assert json.loads((paid.folder / "found.json").read_text())["payouts"] == 3


def test_months_are_fixed_in_a_book_with_transactions(empty: Shell) -> None:
    """A zone that explains the payouts is named in the file, which keeps the book's own."""
    empty.ok("preferences", "set", "--zone", "Asia/Tokyo")
    lines = [
        line.replace(b"2026-10-20T09:", b"2026-10-31T20:") for line in feed()
    ]  # It is November in Tokyo.
    moved = [
        each.replace(b'"120.00"', b'"45.00"').replace(b'"168.00"', b'"243.00"') for each in lines
    ]
    empty.ok("sync", empty.file("feed.jsonl", b"".join(moved)))
    ran = empty.run("policy", "infer", "--json", "-o", "rules.toml")
    best = json.loads(ran.out)["readings"][0]
    assert best["switches"]["period.timezone"] == "Asia/Tokyo"
    assert "a book with transactions keeps its own" in ran.err
    text = (empty.folder / "rules.toml").read_text()
    assert "# period.timezone would be 'Asia/Tokyo'" in text
    empty.ok("policy", "use", "rules.toml", "--yes")


def test_as_known_before_the_last_payout(paid: Shell) -> None:
    """Only what was recorded by then."""
    assert paid.ok("policy", "infer", "--as-known", "2027-03-09")["payouts"] == 0


def test_a_payout_that_came_back_is_paid_again(paid: Shell) -> None:
    """A failed payout explains nothing; the next one pays the same sessions."""
    more = [
        line("payout.failed", "2027-03-06T10:00:00Z", id="f", payout="PO-3"),
        *feed((("PO-4", "2027-03-09T10:00:00Z", "112.50"),)),
    ]
    paid.ok("sync", paid.file("more.jsonl", b"".join([more[0], more[-1]])))
    found = paid.ok("policy", "infer")
    assert (found["payouts"], found["readings"][0]["explains"]) == (3, 3)


def test_a_book_without_payouts(empty: Shell) -> None:
    """There is nothing to explain, and nothing is decided."""
    found = empty.ok("policy", "infer")
    assert (found["payouts"], found["readings"], found["undecided"]) == (0, [], list(SEARCHED))
    assert found["complete"] is True
    assert empty.output_of("policy", "infer") == ""
    ran = empty.run("policy", "infer", "-o", "rules.toml", terminal=True)
    assert "rules.toml was not written" in ran.err
    assert "No payout has arrived yet" in ran.out
    assert not (empty.folder / "rules.toml").exists()


def test_payouts_that_no_rules_explain(empty: Shell) -> None:
    """The rules in force are listed with what they give, and nothing is decided."""
    odd = (("PO-1", "2026-12-31T10:00:00Z", "1.23"), ("PO-2", "2027-01-31T10:00:00Z", "4.56"))
    empty.ok("sync", empty.file("feed.jsonl", b"".join(feed(odd))))
    found = empty.ok("policy", "infer")
    (reading,) = found["readings"]
    assert (reading["explains"], reading["of"], reading["changed"]) == (0, 2, [])
    assert found["undecided"] == list(SEARCHED)
    ran = empty.run("policy", "infer", "-o", "rules.toml", terminal=True)
    assert "No rules that were tried explain any of 2 payouts" in ran.out
    assert not (empty.folder / "rules.toml").exists()


def test_one_payout_that_differs_leaves_the_others(empty: Shell) -> None:
    """A payout is judged by itself: what the platform kept once explains no other payout less."""
    short = (PAYOUTS[0], ("PO-2", PAYOUTS[1][1], "160.00"), PAYOUTS[2])
    empty.ok("sync", empty.file("feed.jsonl", b"".join(feed(short))))
    best = empty.ok("policy", "infer")["readings"][0]
    assert best["explains"] == 2
    assert {switch: best["switches"][switch] for switch in RULES} == RULES
    assert best["unexplained"] == [{"payout": "PO-2", "amount": "160.00", "expected": "168.00"}]
    assert (
        "PO-2 paid 160.00 USD; these rules give 168.00."
        in empty.run("policy", "infer", terminal=True).err
    )


def _interrupted(after: int, error: type[BaseException]) -> Callable[[Search], Iterator[int]]:
    """Return a search that is interrupted after some steps."""
    real = Search.run

    def run(search: Search) -> Iterator[int]:
        for number, step in enumerate(real(search), 1):
            yield step
            if number == after:
                raise error(15) if error is Stopped else error

    return run


def test_an_interrupt_keeps_what_was_found(paid: Shell) -> None:
    """Ctrl-C shows it, says how far the search came, and ends with 130."""
    with patch.object(Search, "run", _interrupted(1, KeyboardInterrupt)):
        ran = paid.run("policy", "infer", "--json")
    found = json.loads(ran.out)
    assert ran.code == 130
    assert found["readings"][0]["explains"] == 3
    assert (found["complete"], found["steps_done"]) == (False, 1)
    assert f"Interrupted after 1 of {found['steps']} step" in ran.err
    with patch.object(Search, "run", _interrupted(1, Stopped)):
        assert paid.run("policy", "infer").code == 143


def test_an_interrupt_before_anything_was_found(paid: Shell) -> None:
    """The rules in force are compared all the same."""
    with patch.object(Search, "run", side_effect=KeyboardInterrupt):
        ran = paid.run("policy", "infer", "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["steps_done"], found["complete"]) == (130, 0, False)
    assert [reading["explains"] for reading in found["readings"]] == [0]
