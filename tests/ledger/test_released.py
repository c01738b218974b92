"""Ledgers of released versions, with rows in every table, open in this version.

`kit/fixtures/rich<form>.db.gz` were made by `rich.py` under the last release of each schema
version; the key of the third is next to it, and its vault is made here from the same texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from liveportal.domain import errors
from liveportal.feeds import transcripts
from liveportal.ledger.opening import open_ledger, open_readonly
from liveportal.ledger.queries import claims, earnings, payouts, requests, sessions
from liveportal.ledger.queries.session_search import Where, matching, search
from liveportal.ledger.secrets.encrypted_fields import EncryptedFields
from liveportal.ledger.storage import connection, driver
from liveportal.ledger.storage.connection import SCHEMA_VERSION
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema import migrate
from liveportal.ledger.upgrade import upgrade
from liveportal.ledger.verify.verify import verify
from tests.kit import rich_ledger as rich
from tests.kit.books import plain
from tests.kit.old_ledgers import asked, beside, form, make_released, untouched, whole
from tests.kit.shell import Shell
from tests.ledger.test_verify import tampered

pytestmark = [pytest.mark.slow, pytest.mark.damages]

FORMS = range(1, rich.LATEST)
OLDER = [number for number in FORMS if number < SCHEMA_VERSION]
PINNED = {
    1: "6606dff82a2ab97fa1862e06d8f76c6933c41c0dd037bb80ceda5aa358b3b413",
    2: "c69d4c15616ebf96153f8f315bed3f1b63acb23c65301ac3a20ce71db8156a86",
    3: "2fa0240ef57a058ee908cc18cfb866c8f27bf07dd0293ef3244547ac84f488d3",
}


@pytest.fixture(params=FORMS)
def released(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, Path]:
    """Return a schema version, and a ledger that its last release made."""
    monkeypatch.setenv("LIVEPORTAL_KEYRING", "off")
    path = tmp_path / "books" / "ledger.db"
    make_released(path, request.param)
    return request.param, path


@pytest.fixture(params=OLDER)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a ledger of each schema version before the current one."""
    path = tmp_path / "books" / "ledger.db"
    make_released(path, request.param)
    return path


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Make the same ledgers with this version."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVEPORTAL_KEYRING", "off")
        return {each: rich.make(tmp_path_factory.mktemp("today"), each) for each in FORMS}


def figures(path: Path) -> dict[str, Any]:
    """Return the output that a person sees, without the ids that commands generated."""
    with open_readonly(path) as reader:
        return {
            "months": plain(earnings.months(reader)),
            "sessions": plain(sessions.sessions(reader)),
            "requests": plain(requests.requests(reader, rich.NOW)),
            "claims": plain(claims.claims(reader, rich.NOW)),
            "payouts": plain(payouts.payouts(reader)),
            "transactions": plain(earnings.transactions(reader)),
            "preferences": reader.preferences,
            "lines": reader.all("SELECT * FROM payout_line ORDER BY payout, item"),
            "items": reader.all('SELECT * FROM item ORDER BY "transaction"'),
            "aliases": reader.all("SELECT * FROM session_alias"),
            "reviews": reader.all("SELECT session, by, rating FROM review ORDER BY session, by"),
            "fields": reader.all("SELECT * FROM profile_field ORDER BY name"),
        }


def test_the_fixtures_are_what_was_released(tmp_path: Path) -> None:
    """They have their schema version and are never regenerated: the file would differ."""
    for number, digest in PINNED.items():
        path = tmp_path / str(number) / "ledger.db"
        make_released(path, number)
        assert form(path) == number
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


def test_it_opens_with_the_same_figures(released: tuple[int, Path], today: dict[int, Path]) -> None:
    """The output is that of a ledger made today from the same events."""
    number, path = released
    assert figures(path) == figures(today[number])
    assert form(path) == SCHEMA_VERSION
    kept = {f"ledger.db.form{number}"} if number < SCHEMA_VERSION else set()
    assert kept <= beside(path)


def test_it_verifies(released: tuple[int, Path]) -> None:
    """With its original head, and without rule drift."""
    _, path = released
    (head,) = asked(path, "SELECT lower(hex(hash)) FROM event ORDER BY seq DESC LIMIT 1")[0]
    with closing(open_ledger(path, readonly=True)) as db:
        verified_ledger = verify(db, vault=path, heads=(head,))
    assert verified_ledger.head == head
    assert verified_ledger.rules_changed == ()


def test_its_messages_are_found(released: tuple[int, Path]) -> None:
    """Messages are stored from schema version 2 on, and stay searchable."""
    number, path = released
    with open_readonly(path) as reader:
        finder = matching(["flickers"])
        assert finder
        hits = search(reader, finder, Where())
    assert len([hit for hit in hits if hit["where"] == "message"]) == (number >= 2)
    assert "description" in {hit["where"] for hit in hits}


def test_its_sealed_profile_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile is encrypted from schema version 3 on: its key decrypts it, and it verifies."""
    monkeypatch.setenv("LIVEPORTAL_KEYRING", "off")
    path = tmp_path / "books" / "ledger.db"
    make_released(path, 3)
    with closing(open_ledger(path, readonly=True)) as db:
        seals = EncryptedFields(db, path)
        seals.ready()
        values = seals.values()
        verified_ledger = verify(db, vault=path, deep=True, read=transcripts.read)
    assert values["name"].plain == "Anna Example"
    assert values["email"].plain == "anna@example.org"
    assert verified_ledger.deposit is not None
    assert (
        verified_ledger.deposit.files,
        verified_ledger.deposit.messages,
        verified_ledger.deposit.values,
    ) == (2, 3, 5)


@pytest.mark.usefixtures("tmp_ledger_env")
def test_it_goes_on(released: tuple[int, Path]) -> None:
    """New events are recorded as in any ledger, and the whole verifies."""
    _, path = released
    shell = Shell(path.parent, path)
    feed = path.with_name("again.jsonl")
    feed.write_bytes(rich.feed())
    report = shell.ok("sync", feed, "--ledger", path)
    assert (report["recorded"], report["replayed"]) == (0, len(rich.feed().splitlines()))
    shell.ok(
        "sessions",
        "tip",
        "S-1",
        "2.00",
        "--at",
        "2026-12-09T09:00:00Z",
        "--anyway",
        "--ledger",
        path,
    )
    assert shell.ok("ledger", "verify", "--ledger", path)["ok"] is True


# --- failing --------------------------------------------------------------------------------------


class _Failing:
    """A connection whose n-th statement fails."""

    def __init__(self, db: Connection, number: int, error: BaseException) -> None:
        self._db = db
        self._left = number
        self._error = error

    def execute(self, *statement: Any) -> Any:  # noqa: ANN401 -- As the driver's own.
        """Run a statement, or fail."""
        self._left -= 1
        if not self._left:
            raise self._error
        return self._db.execute(*statement)

    def executemany(self, *statement: Any) -> Any:  # noqa: ANN401
        """Run it with many values."""
        return self._db.executemany(*statement)


def _failing(
    make_tables: Callable[[Connection], None], number: int, error: BaseException, db: Connection
) -> None:
    make_tables(cast("Connection", _Failing(db, number, error)))


FAILURES: dict[str, tuple[Callable[[], BaseException], type[BaseException]]] = {
    "disk": (lambda: driver.DatabaseError("disk I/O error"), errors.DiskFull),
    "damage": (lambda: driver.DatabaseError("no such table: x"), errors.MigrationFailed),
    "interrupt": (KeyboardInterrupt, KeyboardInterrupt),
    "memory": (MemoryError, MemoryError),
}


def test_a_failure_at_any_statement(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure at any statement, the ledger and its folder are as they were.

    The failures take turns, so that with another schema version a statement fails otherwise.
    """
    failures = [*FAILURES.values()]
    real = migrate.make_tables
    number, before, names = form(older), whole(older), beside(older)
    tried = 0
    while True:
        tried += 1
        make, message = failures[(tried + number) % len(failures)]
        error = make()
        with monkeypatch.context() as patch:
            patch.setattr(migrate, "make_tables", partial(_failing, real, tried, error))
            try:
                upgrade(older)
            except message:
                assert (form(older), whole(older), beside(older)) == (number, before, names)
            else:
                break
    assert form(older) == SCHEMA_VERSION
    assert tried > 10, "there are more statements than that"


def test_a_failure_of_the_commit(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that fails is no upgrade, and leaves no copy."""
    real = connection.open_file

    class Uncommitted(_Failing):
        in_transaction = True

        def execute(self, *statement: Any) -> Any:  # noqa: ANN401
            if statement[0] == "COMMIT":
                raise driver.DatabaseError("disk I/O error")
            return self._db.execute(*statement)

        def check_owner(self) -> None:
            self._db.check_owner()

        def close(self) -> None:
            self._db.close()

    def opened(path: Path, *, readonly: bool) -> Any:  # noqa: ANN401
        db = real(path, readonly=readonly)
        return db if readonly else Uncommitted(db, 0, KeyboardInterrupt())

    with untouched(older, form(older)), monkeypatch.context() as patch:
        patch.setattr(connection, "open_file", opened)
        with pytest.raises(errors.DiskFull):
            upgrade(older)
    upgrade(older)
    assert form(older) == SCHEMA_VERSION


TAMPERED = {
    'UPDATE transfer SET amount = amount + 1 WHERE "transaction" = 1 AND n = 1': (
        "the transactions of event 6"
    ),
    "UPDATE session SET gross_minor = 1 WHERE id = 'S-1'": "session S-1 differs from the journal",
    "DELETE FROM event WHERE seq = 60": "event",
    "UPDATE event SET facts = '{}' WHERE seq = 4": "event 4 was changed",
    "DROP TRIGGER event_never_goes": "the trigger event_never_goes is missing",
}


@pytest.mark.parametrize("statement", TAMPERED)
def test_what_does_not_verify_is_not_upgraded(older: Path, statement: str) -> None:
    """An upgrade ends with a verification: the problem is named, and nothing changes."""
    tampered(older, statement) if "TRIGGER" not in statement else asked(older, statement)
    with untouched(older, form(older)), pytest.raises(errors.MigrationFailed) as caught:
        upgrade(older)
    assert TAMPERED[statement] in caught.value.message
    assert "still opens it" in str(caught.value.hint)
