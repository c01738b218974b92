"""Ledgers to damage, and what must be true of them afterwards."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage import driver
from liveportal.ledger.verify.projections import DERIVED
from tests.kit.events import amount, line
from tests.kit.fork_server import Ended, ForkServer, Order
from tests.kit.old_ledgers import make_old
from tests.kit.shell import OCTOBER
from tests.kit.states import FEED, OWN_POLICY, OWN_PREFERENCES
from tests.kit.verified import deeply

MODES = ("WAL", "DELETE")
AT = "2026-11-04 09:00"

IBAN = b"DE89370400440532013000\n"
FILLED = (
    *("payout", "profile", "set", "--name", "Anna Example", "--email", "anna@example.com"),
    *("--country", "DE", "--method", "iban", "--iban", "-", "--anyway", "--key", "k", "--at", AT),
)

Story = list[tuple[Any, ...]]
"""What a ledger tells: its events, without salts, hashes, and when they were recorded."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A command that is disturbed while it runs.

    `before` is the ledger that it starts from; `atomic` means that it does all or nothing (else
    events come one by one, or a batch at a time). `stdin` and `files` are in its folder. `drawn`
    are fields of events that are drawn afresh by each run, and so differ from one to the next.
    `shown` is a command that must show the same afterwards as if nothing had happened.
    """

    name: str
    argv: tuple[str, ...]
    before: str = "states"
    stdin: bytes = b""
    atomic: bool = True
    drawn: frozenset[str] = frozenset()
    files: dict[str, bytes] = field(default_factory=dict)
    code: int = 0
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """A folder with one ledger, whose commands run in the fork_server."""

    fork_server: ForkServer
    folder: Path
    ledger: Path
    stdin: str = "/dev/null"

    def order(self, *argv: str, **more: Any) -> Order:  # noqa: ANN401 -- Fields of an order.
        """Return an order to run a command on this ledger."""
        env = {
            "LIVEPORTAL_LEDGER": str(self.ledger),
            "LIVEPORTAL_KEYRING": "off",
            "HOME": str(self.folder.parent),
            "TZ": "UTC",
        }
        streams = {"stdin": self.stdin, "stdout": "../out", "stderr": "../err"}
        return Order(argv, **{"cwd": str(self.folder), "env": env, **streams, **more})

    def run(self, *argv: str, **more: Any) -> Ended:  # noqa: ANN401
        """Run a command to its end, successful or not."""
        return self.fork_server.run(self.order(*argv, **more))

    def done(self, *argv: str, code: int = 0) -> str:
        """Run a command that succeeds, and return its output."""
        ended = self.run(*argv)
        assert (ended.code, ended.err) == (code, ""), (argv, ended)
        return ended.out


def prepare(fork_server: ForkServer, folder: Path) -> None:
    """Make the ledgers that scenes start from, in both journal modes."""
    more = folder / "more.jsonl"
    more.write_bytes(b"".join([*FEED, *map(_more, range(1, 10))]))
    for mode in MODES:
        (folder / mode).mkdir()
        for name, feeds in {"empty": (), "states": (OCTOBER, more)}.items():
            place = Place(fork_server, folder / mode, folder / mode / name)
            place.done("init")
            for feed in feeds:
                place.done("sync", str(feed))
            with closing(driver.Connection(str(place.ledger), isolation_level=None)) as db:
                db.execute(f"PRAGMA journal_mode = {mode}")
        place = Place(fork_server, folder / mode, folder / mode / "sealed", str(folder / "iban"))
        (folder / "iban").write_bytes(IBAN)
        shutil.copyfile(folder / mode / "states", place.ledger)
        place.done(*FILLED)
        make_old(folder / mode / "old" / "form1", mode)
        (folder / mode / "old" / "form1").rename(folder / mode / "form1")


def set_up(
    fork_server: ForkServer,
    made: Path,
    scene: Scene,
    mode: str,
    folder: Path,
    *,
    before: str | None = None,
) -> Place:
    """Copy a scene's ledger (or another) and files into a new folder."""
    inner, before = folder / "books", before or scene.before
    inner.mkdir(parents=True, mode=0o700, exist_ok=True)
    ledger = inner / "ledger.db"
    if before != "nothing":
        shutil.copyfile(made / mode / before, ledger)
        ledger.chmod(0o600)
        if (key := made / mode / f"{before}.key").exists():
            shutil.copyfile(key, inner / "ledger.db.key")
            (inner / "ledger.db.key").chmod(0o600)
    for name, content in (USUAL | scene.files).items():
        (folder / name).write_bytes(content)
    stdin = folder / "stdin"
    stdin.write_bytes(scene.stdin)
    return Place(fork_server, inner, ledger, str(stdin))


def _more(number: int) -> bytes:
    return line(
        "request.opened",
        f"11-03 10:{number:02}",
        id=f"more-{number}",
        request=f"M-{number}",
        kind="instant",
        customer={"id": "C-31"},
        title="help",
        rate=amount("3.00"),
    )


USUAL = {
    "own.toml": OWN_POLICY.encode(),
    "preferences.toml": OWN_PREFERENCES.encode(),
    "new.jsonl": _more(59),
    "chat.txt": b"[09:00] Anna: hello\n[09:01] Bob: it does not build\n" * 40,
}


# --- what must be true --------------------------------------------------------------------------


def story(ledger: Path, drawn: Iterable[str] = (), *, verified: bool = True) -> Story:
    """Verify a ledger, and return its events; `drawn` are fields that are not looked at."""
    with open_readonly(ledger) as reader:
        if verified:
            deeply(reader.db, ledger)
        return _events(reader, frozenset(drawn))


def _events(reader: Reader, drawn: frozenset[str]) -> Story:
    rows = reader.db.execute(
        "SELECT source, id, type, time, facts, body FROM event LEFT JOIN event_personal USING (seq)"
        " ORDER BY seq"
    ).fetchall()
    names = ("source", "id", "type", "time", "facts", "body")
    return [
        tuple(value for name, value in zip(names, row, strict=True) if name not in drawn)
        for row in rows
    ]


def derived(ledger: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the derived tables of a ledger, and the messages of its transcripts."""
    with open_readonly(ledger) as reader:
        tables = (*DERIVED, "message")
        # The names are the ledger's own.
        return {
            table: sorted(reader.db.execute(f'SELECT * FROM "{table}"').fetchall(), key=repr)  # noqa: S608
            for table in tables
        }


def files_below(folder: Path) -> set[str]:
    """Return all files below a folder, except those that SQLite keeps beside a ledger in use."""
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    return {name for name in names if not name.endswith(("-wal", "-shm", "-journal"))}


def choose_points(count: int, amount: int, seed: str) -> list[int]:
    """Choose this many of the points 1 to `count`: the first, the last, and some between."""
    if count <= amount:
        return [*range(1, count + 1)]
    if amount == 1:
        return [1 + count // 3]
    between = random.Random(seed).sample(range(2, count), max(0, amount - 2))  # noqa: S311
    return sorted({1, count, *between})
