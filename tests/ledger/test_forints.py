"""A ledger older than counts and digits: forints without digits, corrected in later months.

`kit/fixtures/huf3.db.gz` was made by `make_huf3.py` under the last release of schema version 3.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.errors import InvalidEvent, MigrationFailed, VerificationFailed
from liveportal.domain.policy import Policy
from liveportal.ledger import backfill
from liveportal.ledger.opening import open_ledger, open_readonly
from liveportal.ledger.queries import earnings, statement
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.verify import Verified, verify
from liveportal.portal import Portal
from tests.kit.events import event
from tests.kit.old_ledgers import FIXTURES, asked
from tests.kit.shell import Shell
from tests.ledger import make_huf3
from tests.ledger.test_verify import tampered

pytestmark = pytest.mark.slow

PINNED = "1eaf58a5ba0a9ee599d4496affe5377481357007f9f62427fd8ca2162182734a"
HEAD = "b0606884ae9efa866d1aed6d9bc9e54a97e8fb3a60ee81adc47df4521d759c68"
MONTHS = {
    # As they ended: 42, 50, 30 and 45 minutes at 500 a minute, and one that was free.
    "2026-10": (4, 1, "167.00", "83500", "25050"),
    # An hour; 50 minutes were 40, and 4 free ones were 10 that are not; another free session.
    "2026-11": (2, 0, "60.00", "30000", "9000"),
    # 30 minutes were free, 45 were 150, and two bills were others for the same time.
    "2026-12": (-1, 1, "75.00", "34502", "10350"),
}


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Return the ledger as the old version made it."""
    path = tmp_path / "ledger.db"
    path.write_bytes(gzip.decompress((FIXTURES / "huf3.db.gz").read_bytes()))
    path.chmod(0o600)
    return path


@pytest.fixture
def shell(book: Path, tmp_ledger_env: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:  # noqa: ARG001
    """Return a shell with this ledger."""
    monkeypatch.setenv("LIVEPORTAL_LEDGER", str(book))
    return Shell(book.parent, book)


@contextmanager
def opened(path: Path) -> Iterator[Connection]:
    """Open it to read, upgraded."""
    with closing(open_ledger(path, readonly=True)) as db:
        yield db


def verified(path: Path) -> Verified:
    """Verify the ledger in its current state."""
    with opened(path) as db:
        return verify(db)


def shown(path: Path) -> dict[str, tuple[Any, ...]]:
    """Return the figures of each month that corrections affect."""
    names = ("sessions", "free_sessions", "minutes", "gross", "platform_fee")
    with open_readonly(path) as reader:
        return {
            str(row["month"]): tuple(
                row[name] if isinstance(row[name], int) else str(row[name]) for name in names
            )
            for row in earnings.months(reader)
        }


def test_the_fixture_is_the_released_file(book: Path) -> None:
    """It is never regenerated: a newer version would make a different file."""
    assert hashlib.sha256(book.read_bytes()).hexdigest() == PINNED


def test_months_that_were_over_are_as_they_were(book: Path) -> None:
    """Minutes match the money in each month; corrections count in the month of their time."""
    assert shown(book) == MONTHS
    verified_ledger = verified(book)
    assert (verified_ledger.head, verified_ledger.rules_changed) == (HEAD, ())
    periods = asked(book, "SELECT period FROM session WHERE id = 'S-5'")
    assert periods == [("2026-10",)], "it stays where it was first billed"


@pytest.mark.parametrize("name", [*MONTHS, "2026"])
def test_its_statements_add_up(book: Path, name: str) -> None:
    """The rows of sessions, corrections among them, come to the summary."""
    with open_readonly(book) as reader:
        document = statement.statement(reader, name)
    summary = document["summary"]
    for column, figure in (("gross", "gross"), ("fee", "platform_fee"), ("earned", "earned")):
        assert sum(int(row[column]) for row in document["sessions"]) == int(summary[figure])
    minutes = sum(round(float(row["minutes"]) * 100) for row in document["sessions"])
    assert minutes == round(float(summary["minutes"]) * 100)
    kinds = {row.get("kind", "earning") for row in document["sessions"]}
    assert kinds == (
        {"earning"} if name == "2026-10" else {"earning", "reversal", "correction"}
    ) or (name == "2026-12" and kinds == {"reversal", "correction"})


def test_its_digits_are_written_down(book: Path) -> None:
    """Made without digits, it keeps them: its amounts do not change."""
    with open_readonly(book) as reader:
        assert str(reader.money(21000)) == "21000"
        assert {row["digits"] for row in digits(book)} == {0}
        assert reader.policy.payout_minimum == reader.money(20000)
    assert verified(book).rules_changed == ()


def digits(path: Path) -> list[dict[str, Any]]:
    """Return the digits stored with each policy."""
    rows = asked(path, "SELECT document ->> 'digits' FROM policy ORDER BY seq")
    return [{"digits": row} for (row,) in rows]


def test_it_goes_on_without_digits(shell: Shell) -> None:
    """Feeds, commands and another policy use whole forints, whatever ISO 4217 says."""
    feed = shell.file("feed.jsonl", make_huf3.feed())
    report = shell.ok("sync", feed)
    assert (report["recorded"], report["replayed"]) == (0, len(make_huf3.feed().splitlines()))
    assert shell.ok("sessions", "show", "S-1")["gross"] == "21000"
    tip = ("sessions", "tip", "S-1", "500", "--at", "2026-12-08T09:00:00Z", "--key", "K")
    shell.ok(*tip, "--anyway")
    again = shell.ok(*tip)
    assert (again["replayed"], again["amount"]) == (True, "500")
    error = shell.refuses(1, "sessions", "tip", "S-1", "500.50")
    assert error["code"] == "invalid_amount"
    shell.ok(
        "policy", "use", shell.file("own.toml", make_huf3.CHEAPER.replace("20", "25")), "--yes"
    )
    assert [digit["digits"] for digit in digits(shell.ledger)] == [0, 0, 0]
    assert shell.ok("earnings", "--month", "2026-12")["tips"] == "500"
    assert shell.ok("requests", "show", "REQ-8")["rate"] == "650"
    assert shell.ok("ledger", "verify")["ok"] is True


READS = (
    *("earnings", "earnings --bounds --month 2026-10", "earnings --by customer --month 2026-11"),
    *("earnings months", "earnings sessions", "earnings transactions", "earnings check --all"),
    *("earnings explain 2026-12", "earnings months --compare-zones", "payout preview"),
    *("payout forecast", "payout list", "payout show PO-1", "payout overdue", "due"),
    *("requests list --all", "requests show REQ-8", "sessions list", "sessions upcoming"),
    *("sessions show S-5", "sessions explain S-2", "sessions check", "refunds list"),
    *("refunds show CL-1", "dispute list", "policy show"),
)


@pytest.mark.parametrize("command", READS)
def test_nothing_shows_it_with_digits(shell: Shell, command: str) -> None:
    """Every amount of every query is a whole number of forints."""
    ran = shell.run(*command.split(), "--json", "--timezone", "UTC")
    if ran.code == 2:
        ran = shell.run(*command.split(), "--json")
    assert ran.code in (0, 10), ran
    wrong = re.findall(r'"(\w+)": "(-?[0-9]+\.[0-9]+)"', ran.out)
    assert [name for name, _ in wrong if "minutes" not in name] == []


def test_a_feed_with_more_digits_than_the_book(book: Path) -> None:
    """Fractions of a forint are refused in their field; whole forints are accepted."""
    with Portal(book) as portal:
        whole = event("tip.received", "12-09 09:00", session="S-1", amount=make_huf3.huf("500.00"))
        assert portal.record([whole], allow=True)[0].status == "recorded"
        finer = event("tip.received", "12-09 10:00", session="S-1", amount=make_huf3.huf("500.50"))
        with pytest.raises(InvalidEvent) as caught:
            portal.record([finer], allow=True)
    assert caught.value.field == "amount"
    assert asked(book, 'SELECT amount FROM transfer ORDER BY "transaction" DESC LIMIT 1') == [
        (500,)
    ]


def test_a_policy_of_the_book_as_a_file(book: Path) -> None:
    """The digits are the book's: a policy file has no say in them."""
    with open_readonly(book) as reader:
        assert "digits" not in reader.policy.document
        assert reader.policy.recorded["digits"] == 0
        assert Policy.from_recorded(reader.policy.recorded) == reader.policy


# --- derived rows against the journal -------------------------------------------------------------

CHANGED = (
    "UPDATE session_count SET billed_us = billed_us + 1 WHERE seq = 5",
    "UPDATE session_count SET period = '2026-10' WHERE seq = 29 AND n = 1",
    "UPDATE session_count SET free_sessions = 0 WHERE seq = 12",
    "DELETE FROM session_count WHERE seq = 12",
    "DELETE FROM session_count WHERE seq = 34",
    (
        "INSERT INTO session_count SELECT 6, n, session, kind, time, period, time, time, 0, 1, 0, 1"
        " FROM session_count WHERE seq = 5"
    ),
)


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.damages
def test_derived_counts_are_verified(book: Path, change: str) -> None:
    """The journal of before has no digest of them: they are held against a replay."""
    verified(book)
    tampered(book, change)
    with pytest.raises(VerificationFailed, match="the minutes or the number of sessions of event"):
        verified(book)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE session SET period = '2026-09' WHERE id = 'S-1'",
        "UPDATE policy SET document = '{' WHERE seq = 1",
        "UPDATE policy SET document = '[]' WHERE seq = 1",
        "UPDATE policy SET document = replace(document, '\"20\"', '\"21\"') WHERE name = 'cheaper'",
    ],
)
@pytest.mark.damages
def test_what_was_changed_before_is_not_repaired(book: Path, change: str) -> None:
    """An upgrade derives only the new columns."""
    tampered(book, change)
    with pytest.raises(MigrationFailed):
        open_ledger(book, readonly=True)


def test_an_upgrade_without_them_is_none(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A book without derived counts does not verify, so it is not upgraded."""
    monkeypatch.setattr(backfill, "_count_sessions", lambda _: None)
    with pytest.raises(MigrationFailed, match="number of sessions"):
        open_ledger(book, readonly=True)
