"""A payout that was sent and has not arrived: `due` and `payout overdue` say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kit.events import at

if TYPE_CHECKING:
    from tests.kit.shell import Shell


@pytest.mark.parametrize(("method", "days"), [("paypal", 3), ("Wise", 5), ("bank", 7), ("cash", 7)])
def test_a_payout_is_late_after_the_days_of_its_method(
    october: Shell, method: str, days: int
) -> None:
    """Not before, to the second, and no more once it has arrived."""
    sent = ("--method", method, "--at", "2026-11-01 10:00", "--anyway")
    october.ok("payout", "record", "42.00", "--id", "PO-1", *sent)
    last = at("11-01 10:00").replace(day=1 + days)
    october.clock.set(last)
    assert "payout_arrival" not in {row["kind"] for row in october.ok("due")}
    october.clock.set(last.replace(second=1))
    (row,) = [row for row in october.ok("due") if row["kind"] == "payout_arrival"]
    assert (row["id"], row["amount"], row["asks"]) == ("PO-1", "42.00", True)
    assert f"within {days} days" in row["means"]
    assert row["command"] == "liveportal payout reconcile FILE"
    assert october.ok("payout", "overdue", "--on", f"2026-11-{1 + days:02}") == []
    (overdue,) = october.ok("payout", "overdue", "--on", f"2026-11-{2 + days:02}")
    assert [(each["id"], each["days"]) for each in overdue["late"]] == [("PO-1", days)]
    assert "Not arrived: PO-1" in overdue["letter"]
    assert "- PO-1: 42.00 USD, sent on 2026-11-01" in overdue["letter"]
    assert (overdue["amount"], overdue["months"]) == ("0.00", [])
    october.ok("payout", "paid", "PO-1", "--at", "2026-11-03 10:00", "--anyway")
    assert october.ok("payout", "overdue", "--on", f"2026-11-{2 + days:02}") == []
    assert "payout_arrival" not in {row["kind"] for row in october.ok("due")}


def test_a_person_is_told_where_to_look(october: Shell) -> None:
    """Both name the command that reads a statement."""
    sent = ("--at", "2026-11-01 10:00", "--anyway")
    october.ok("payout", "record", "42.00", "--id", "PO-1", *sent)
    october.clock.set(at("11-20 10:00"))
    for command in (("due",), ("payout", "overdue")):
        ran = october.run(*command, terminal=True)
        assert "`liveportal payout reconcile FILE`" in ran.err
        assert "PO-1" in ran.out


def test_what_was_never_sent_and_what_is_late_are_one_letter(october: Shell) -> None:
    """Two parts, each with a subject of its own."""
    october.ok("payout", "record", "42.00", "--id", "PO-1", "--at", "2026-11-01 10:00", "--anyway")
    (row,) = october.ok("payout", "overdue", "--on", "2027-06-01")
    assert row["letter"].count("Subject: ") == 2
    assert row["letter"].index("Payout overdue") < row["letter"].index("Not arrived: PO-1")
