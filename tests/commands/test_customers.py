"""`customers list` and `show`: who asked for help, how often, and what they paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from liveportal.domain.money import Money

if TYPE_CHECKING:
    from tests.kit.shell import Shell


def _by_id(shell: Shell) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in shell.ok("customers", "list")}


def test_what_each_paid(october: Shell) -> None:
    """The gross of their sessions less refunds, and tips; the latest customer first."""
    listed = october.ok("customers", "list")
    assert [(row["id"], row["name"], row["paid"]) for row in listed] == [
        ("C-31", "Zoë", "90.00"),
        ("C-12", "Joe", "146.50"),
        ("C-77", "Mina", "60.00"),
    ]
    assert [row["id"] for row in october.ok("customers", "--limit", "1")] == ["C-31"]
    joe = listed[1]
    assert (joe["requests"], joe["sessions"], joe["minutes"]) == (2, 1, "45.50")
    assert (joe["gross"], joe["refunded"], joe["tips"]) == ("136.50", "0.00", "10.00")
    assert (listed[2]["claims"], listed[2]["refunded"]) == (1, "0.00")
    october.ok("dispute", "rule", "CL-1", "--rejected", "--at", "2026-10-31 09:00")
    mina = _by_id(october)["C-77"]
    assert (mina["refunded"], mina["paid"]) == ("60.00", "0.00")


def test_its_sums_are_those_of_the_month(states: Shell) -> None:
    """All customers together: the gross, refunds and tips of the whole book."""
    year = states.ok("earnings", "--year", "2026")
    for mine, theirs in (("gross", "gross"), ("refunded", "refunded"), ("tips", "tips")):
        paid = [Money.parse(row[mine], "USD").minor for row in _by_id(states).values()]
        assert Money(sum(paid), "USD") == Money.parse(year[theirs], "USD")


def test_one_customer(october: Shell) -> None:
    """What they asked for and which sessions they had, by any unique prefix of the id."""
    shown = october.ok("customers", "show", "C-7")
    listed = _by_id(october)["C-77"]
    assert {name: shown[name] for name in listed} == listed
    assert [row["id"] for row in shown["requests_made"]] == ["REQ-1001", "REQ-1004"]
    assert [(row["id"], row["gross"], row["claim"]) for row in shown["sessions_held"]] == [
        ("S-1001", "60.00", "CL-1"),
        ("S-1004", "0.00", None),
    ]
    assert (shown["timezone"], shown["language"], shown["rating_of_you"]) == (
        *("Asia/Seoul", "ko"),
        "2.00",
    )
    error = october.refuses(3, "customers", "show", "nobody")
    assert "liveportal customers list" in error["hint"]


def test_an_erased_customer_has_no_name(october: Shell) -> None:
    """The figures stay; name, zone and titles are gone."""
    before = _by_id(october)["C-77"]
    october.ok("ledger", "forget", "C-77", "--yes")
    assert _by_id(october)["C-77"] == {**before, "name": None}
    shown = october.ok("customers", "show", "C-77")
    assert (shown["timezone"], shown["language"]) == (None, None)
    assert {row["title"] for row in (*shown["requests_made"], *shown["sessions_held"])} == {None}


def test_a_tip_taken_back_is_not_paid(october: Shell) -> None:
    """A reversal has the opposite sign."""
    tipped = october.ok("sessions", "tip", "S-1001", "5.00", "--at", "2026-10-30 09:00")
    assert _by_id(october)["C-77"]["tips"] == "5.00"
    october.ok("ledger", "reverse", tipped["event"], "--reason", "twice", "--yes")
    assert _by_id(october)["C-77"]["tips"] == "0.00"


@pytest.mark.parametrize("argv", [(), ("--json",)])
def test_the_rules_are_listed_by_their_codes(nothing: Shell, argv: tuple[str, ...]) -> None:
    """R1 to R15, without a ledger; `R8` is the one about claims."""
    ran = nothing.run("policy", "rules", *argv)
    assert ran.code == 0
    rows = nothing.ok("policy", "rules")
    assert [row["rule"] for row in rows] == [f"R{number}" for number in range(1, 16)]
    assert "within 24 hours" in rows[7]["text"]
    assert rows[7]["text"] in ran.out
