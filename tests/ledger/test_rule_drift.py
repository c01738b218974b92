"""A ledger that was booked under other rules: history is kept, and differences are reported.

The older rules are today's with one of them changed while the ledger is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.calculations.billing import Bill, bill
from liveportal.domain.entities import Session
from liveportal.domain.errors import VerificationFailed, WrongState
from liveportal.domain.events.envelope import Event
from liveportal.domain.handlers import refunds, sessions
from liveportal.domain.handlers.context import Decision, RuleContext
from liveportal.domain.handlers.dispatch import decide
from liveportal.domain.money import Money, share_of
from liveportal.domain.policy import Policy
from liveportal.ledger.journal import journal
from liveportal.ledger.journal.rule_drift import RuleDrift
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.replay.replay import replayed_copy
from liveportal.ledger.storage.connection import open_file
from liveportal.ledger.verify.verify import verify
from liveportal.portal import Portal
from tests.kit import rich_ledger as rich
from tests.kit.events import line
from tests.kit.shell import Shell
from tests.ledger.test_verify import tampered

pytestmark = pytest.mark.slow


def _cent_more(gross_minor: int, percent: Any) -> int:  # noqa: ANN401 -- As the rule's own.
    return sessions_share(gross_minor, percent) + (gross_minor > 0)


def _trial_of_ten(active_us: int, rate: Money, policy: Any) -> Bill:  # noqa: ANN401
    trial = replace(policy.trial, minutes=20)
    return bill(active_us, rate, replace(policy, trial=trial))


def _no_trial(active_us: int, rate: Money, policy: Any) -> Bill:  # noqa: ANN401
    return bill(active_us, rate, replace(policy, trial=replace(policy.trial, billed="none")))


def _other_minutes(active_us: int, rate: Money, policy: Any) -> Bill:  # noqa: ANN401
    billed = bill(active_us, rate, policy)
    return billed._replace(billed_us=billed.billed_us + 1_000_000 * bool(billed.billed_us))


def _anything(session: Session, amount: Money | None, policy: Any) -> int:  # noqa: ANN401
    return 100 if session.id == "S-3" else claimable(session, amount, policy)


def _on_vacation(event: Event, context: RuleContext) -> Decision:
    """Take a session as reported, however late it was rescheduled: today it is refused."""
    try:
        return decide(event, context)
    except WrongState:
        return Decision()


sessions_share, claimable = share_of, refunds.claim_amount_minor
OLDER: dict[str, tuple[Any, str, Any]] = {
    "a cent more": (sessions, "share_of", _cent_more),
    "a longer trial": (sessions, "bill", _trial_of_ten),
    "no trial": (sessions, "bill", _no_trial),
    "other minutes": (sessions, "bill", _other_minutes),
    "claims on free sessions": (refunds, "claim_amount_minor", _anything),
    "whatever is said of a thing": (journal, "decide", _on_vacation),
}
MORE = (
    line("refund.claimed", "10-16 11:00", id="m-1", claim="CL-9", session="S-3", reason="x"),
    line("refund.granted", "10-16 12:00", id="m-2", claim="CL-9"),
    line("refund.claimed", "10-17 11:00", id="m-3", claim="CL-10", session="S-3", reason="x"),
    line("payout.returned", "12-07 12:00", id="m-4", payout="PO-3"),
    line("payout.paid", "12-07 13:00", id="m-5", payout="PO-3"),
    line("session.started", "12-11 09:00", id="m-6", session="S-1"),
)


@contextmanager
def ruled(name: str) -> Iterator[None]:
    """Let an older rule be in force."""
    module, rule, older = OLDER[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, rule, older)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make a ledger under each of the older rules, without events that they refuse."""
    paths = {}
    for name in OLDER:
        path = paths[name] = tmp_path_factory.mktemp("older") / "ledger.db"
        with ruled(name):
            Portal.create(path, Policy())
            with Portal(path) as portal:
                feed = BytesIO(rich.feed() + b"".join(MORE))
                portal.sync(feed, on_error=lambda *_: None)
    return paths


@pytest.fixture(params=sorted(OLDER))
def older(
    request: pytest.FixtureRequest, made: dict[str, Path], tmp_path: Path
) -> tuple[str, Path]:
    """Return the name of an older rule, and a ledger made under it."""
    copy = tmp_path / "ledger.db"
    copy.write_bytes(made[request.param].read_bytes())
    return request.param, copy


def changes(path: Path) -> tuple[RuleDrift, ...]:
    """Return the events that today's rules would judge differently."""
    with closing(open_file(path, readonly=True)) as db:
        return verify(db).rules_changed or ()


NOTED = {
    "a cent more": (
        "liveportal.session.ended",
        "It booked earning of 2026-10 (42.01 from income:sessions to assets:platform, 17.99 from",
    ),
    "a longer trial": (
        "liveportal.session.ended",
        "It booked nothing. Today it would book earning of 2026-10 (",
    ),
    "no trial": ("liveportal.session.ended", "It booked earning of 2026-10 (31.50 from"),
    "other minutes": (
        "liveportal.session.ended",
        "It counted other minutes or sessions than it would today.",
    ),
    "claims on free sessions": (
        "liveportal.refund.claimed",
        "It would be refused today: Session S-3 did not bill anything",
    ),
    "whatever is said of a thing": (
        "liveportal.payout.returned",
        "It would be refused today: Payout PO-3 was sent (",
    ),
}


def test_history_is_kept(older: tuple[str, Path]) -> None:
    """It verifies and reports the differences; under the original rules there are none."""
    name, path = older
    drift = changes(path)
    kind, what = NOTED[name]
    assert drift[0].type == kind
    assert drift[0].what.startswith(what)
    with ruled(name):
        assert changes(path) == ()


def test_booked_amounts_are_reported_as_booked(older: tuple[str, Path]) -> None:
    """After a replay every month has the same money, and the journal the same head."""
    _, path = older
    with open_readonly(path) as reader, closing(replayed_copy(reader.db)) as copy:
        for query in (
            "SELECT * FROM month_money ORDER BY period",
            'SELECT * FROM "transaction" ORDER BY id',
            "SELECT * FROM transfer ORDER BY 1, 2",
            "SELECT * FROM session_count ORDER BY 1, 2",
            "SELECT * FROM event ORDER BY seq",
        ):
            assert copy.execute(query).fetchall() == reader.db.execute(query).fetchall()


@pytest.mark.damages
def test_what_today_s_rules_touch_not_is_held_strictly(older: tuple[str, Path]) -> None:
    """Only differences caused by the rule are tolerated: all else must match the journal."""
    _, path = older
    for statement in (
        "UPDATE request SET rate = 1 WHERE id = 'REQ-8'",
        "UPDATE session SET gross_minor = 7 WHERE id = 'S-7'",
        "UPDATE adjustment SET amount_minor = 1 WHERE id = 'ADJ-1'",
        "UPDATE customer SET described_seq = 2 WHERE id = 'C-12'",
        "DELETE FROM session_alias",
        'UPDATE transfer SET amount = amount + 1 WHERE "transaction" = 1 AND n = 1',
        "UPDATE month_flow SET amount = amount + 1",
    ):
        copy = path.with_name("tampered.db")
        copy.write_bytes(path.read_bytes())
        tampered(copy, statement)
        with pytest.raises(VerificationFailed):
            changes(copy)


@pytest.mark.usefixtures("tmp_ledger_env")
def test_it_is_reported_at_the_shell(older: tuple[str, Path]) -> None:
    """Exit 0, a list in JSON, and on a terminal a word on it for people."""
    _, path = older
    shell = Shell(path.parent, path)
    verified_ledger = shell.ok("ledger", "verify", "--ledger", path)
    assert verified_ledger["ok"] is True
    assert list(verified_ledger["rules_changed"][0]) == ["seq", "type", "what"]
    assert len(verified_ledger["rules_changed"]) == len(changes(path))
    ran = shell.run("ledger", "verify", "--ledger", path, terminal=True)
    assert ran.code == 0
    first = verified_ledger["rules_changed"][0]["seq"]
    assert f"Today's rules would book event {first} (" in ran.err
    assert ran.err.endswith("What was booked does not change.\n")


@pytest.mark.damages
def test_a_difference_without_rule_drift_is_a_failure(
    made: dict[str, Path], tmp_path: Path
) -> None:
    """If every event is judged as before, a different row was not written by the journal."""
    path = tmp_path / "ledger.db"
    path.write_bytes(made["whatever is said of a thing"].read_bytes())
    tampered(path, "UPDATE session SET flags = '[\"overlap\"]' WHERE id = 'S-5'")
    with pytest.raises(VerificationFailed, match="session S-5 differs from the journal in flags"):
        changes(path)
