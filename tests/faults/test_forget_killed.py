"""Erasure killed at any point: the next process to open the ledger finishes it."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.domain.policy import Policy
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.storage import connection, ledger_paths
from liveportal.ledger.verify.verify import verify
from liveportal.portal import Portal
from tests.faults.books import Place
from tests.kit.canaries import StoryWriter as Teller
from tests.kit.children import start_child, wait_for
from tests.ledger.test_residue import StoryLedger as Told
from tests.ledger.test_residue import attach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.faults.conftest import Amount
    from tests.kit.fork_server import ForkServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="a kill that nothing can catch"),
]


def _forget_killed(path: Path, module: str, name: str, when: str, count: int) -> int:
    """Forget in a process that is killed at the n-th call of a function; return how it ended."""
    *owners, last = name.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    real: Callable[..., Any] = getattr(owner, last)
    calls = 0

    def killed(*args: Any, **options: Any) -> Any:  # noqa: ANN401
        nonlocal calls
        calls += 1
        if calls == count and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **options)
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    def forget() -> None:
        setattr(owner, last, killed)
        _forget(path)

    return wait_for(start_child(forget))


TRACES, VAULT = "liveportal.ledger.erasure.residue", "liveportal.ledger.attachments.vault"
POINTS = (
    (TRACES, "write_marker", "before", 1),
    (TRACES, "write_marker", "after", 1),
    (TRACES, "finish", "before", 1),
    (TRACES, "empty_log", "after", 1),
    (TRACES, "empty_log", "before", 2),
    (TRACES, "rewrite", "after", 1),
    (VAULT, "Vault.erase", "before", 1),
    (VAULT, "Vault.erase", "after", 1),
    (VAULT, "Vault.erase", "after", 2),
    (TRACES, "_erase_in_copy", "before", 1),
    (TRACES, "rewrite", "before", 2),
    (TRACES, "rewrite", "after", 2),
    (TRACES, "finish", "after", 1),
)


def _made(
    folder: Path,
    journal: str,
    monkeypatch: pytest.MonkeyPatch,
    customers: Sequence[str] = ("C-1", "C-2"),
) -> Told:
    if journal == "delete":
        monkeypatch.setattr(connection, "wal_is_safe", lambda *_: False)
    ledger = Told(folder / "books" / "ledger.db", Teller())
    Portal.create(ledger.path, Policy())
    for customer in customers:
        ledger.sync(ledger.writer.story(customer))
        attach(ledger, customer)
    db = connection.open_file(ledger.path, readonly=True)
    db.execute("VACUUM INTO ?", (str(ledger.path.with_name("ledger.db.form1")),))
    db.close()
    return ledger


class Templates(dict[str, Told]):
    """Ledgers by their journal mode, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, journal: str) -> Told:
        """Make one."""
        with pytest.MonkeyPatch.context() as patched:
            self[journal] = _made(self.folder / journal, journal, patched)
        return self[journal]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Give ledgers to be copied."""
    return Templates(tmp_path_factory.mktemp("told"))


def _check(ledger: Told, others: list[object]) -> None:
    assert not ledger.left("C-1")
    assert not ledger_paths.erasure_marker(ledger.path).exists()
    assert ledger.others("C-1") == others
    with open_readonly(ledger.path) as reader:
        verify(reader.db)


@pytest.mark.parametrize(
    ("module", "name", "when", "count", "journal"),
    [(*point, "wal") for point in POINTS] + [(*POINTS[n], "delete") for n in (1, 2, 5)],
)
def test_killed_at_a_point(
    templates: Templates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    name: str,
    when: str,
    count: int,
    journal: str,
) -> None:
    """Before the commit nothing has happened; after it, the next to open the ledger finishes it."""
    ledger = Told(tmp_path / "books" / "ledger.db", templates[journal].writer)
    shutil.copytree(templates[journal].path.parent, ledger.path.parent)
    if journal == "delete":
        monkeypatch.setattr(connection, "wal_is_safe", lambda *_: False)
    others, left = ledger.others("C-1"), ledger.left("C-1")
    ended = _forget_killed(ledger.path, module, name, when, count)
    assert ended == -signal.SIGKILL, "the point was not reached"
    with open_readonly(ledger.path) as reader:  # The next to open it: a read.
        kinds = [kind for (kind,) in reader.db.execute("SELECT type FROM event")]
    committed = "liveportal.customer.forgotten" in kinds
    assert committed is (name != "write_marker")
    if committed:
        _check(ledger, others)
    else:
        assert {word for _, word in ledger.left("C-1")} == {word for _, word in left}
    with Portal(ledger.path) as portal:  # And another erasure.
        outcome, done = portal.forget("C-1")
    assert outcome.status == ("replayed" if committed else "recorded")
    assert done.rewritten
    _check(ledger, others)


def _forget(path: Path) -> None:
    with Portal(path) as portal:
        portal.forget("C-1")


def test_killed_at_random(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, amount: Amount) -> None:
    """Killed by the system at any moment: forgetting again is enough."""
    ledger = _made(tmp_path, "wal", monkeypatch)
    others = ledger.others("C-1")
    before = {path: path.read_bytes() for path in ledger.path.parent.rglob("*") if path.is_file()}
    kills = amount(quick=4, whole=60)
    for n in range(kills):
        for file in [path for path in ledger.path.parent.rglob("*") if path.is_file()]:
            file.unlink()
        for file, content in before.items():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
        pid = start_child(lambda: _forget(ledger.path))
        time.sleep(0.1 * n / kills)
        os.kill(pid, signal.SIGKILL)
        wait_for(pid)
        with Portal(ledger.path) as portal:
            portal.forget("C-1")
        _check(ledger, others)


def test_many_at_once(
    fork_server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, amount: Amount
) -> None:
    """Concurrent erasures, with readers: each is recorded once, and nothing is left."""
    customers = [f"C-{n}" for n in range(1, amount(quick=4, whole=8))]
    ledger = _made(tmp_path, "wal", monkeypatch, customers)
    place = Place(fork_server, ledger.path.parent, ledger.path)
    orders = [
        place.order(*argv, stdout=f"../out-{n}", stderr=f"../err-{n}")
        for n, argv in enumerate(
            [
                *[("ledger", "forget", customer, "--yes", "--json") for customer in customers],
                *[("ledger", "info", "--field", "events")] * len(customers),
            ]
        )
    ]
    running = [(fork_server.start(order), order) for order in orders]
    ended = [fork_server.wait(pid, order) for pid, order in running]
    assert [each.code for each in ended] == [0] * len(ended), ended
    with Portal(ledger.path) as portal:  # A process that was blocked left its work to this one.
        outcomes = [portal.forget(customer)[0].status for customer in customers]
    assert outcomes == ["replayed"] * len(customers)
    assert not ledger.left(*customers)
    assert not ledger_paths.erasure_marker(ledger.path).exists()
    with open_readonly(ledger.path) as reader:
        verify(reader.db)
