"""The commands that are disturbed while they run: every kind of write."""

from __future__ import annotations

from tests.faults.books import AT, FILLED, IBAN, Scene
from tests.kit.events import line
from tests.kit.paypal_files import PLATFORM, PayPalAccount
from tests.kit.shell import OCTOBER
from tests.kit.states import FEED

LINES = [*OCTOBER.read_bytes().splitlines(keepends=True), *FEED]
_KEY = ("--key", "k", "--at", AT)


_BAD = [b"{no json\n", line("session.ended", "11-03 12:00", id="bad", session="nobody")]

_SEALED = ("payout", "profile", "show", "--json")


def _statement() -> bytes:
    account = PayPalAccount(opening={"USD": 10_00})
    account.payout("20.00", "2026-12-30T11:00:00Z", fee="0.50", note="PO-1")
    account.payout("30.00", "2026-12-31T11:00:00Z", fee="0.75", note="PO-2")
    account.payout("5.00", "2026-12-31T12:00:00Z")
    return account.file()


INIT = Scene(
    "init",
    ("init", "--timezone", "Europe/Paris"),
    before="nothing",
    drawn=frozenset({"id", "time"}),
)
SYNC = Scene("sync", ("sync", "../feed.jsonl"), "empty", files={"feed.jsonl": b"".join(LINES)})
BATCHES = Scene(
    "sync --batch",
    ("sync", "../feed.jsonl", "--batch", "5"),
    "empty",
    atomic=False,
    files={"feed.jsonl": b"".join(LINES)},
)
REJECTS = Scene(
    "sync --rejects",
    ("sync", "../feed.jsonl", "--rejects", "bad.jsonl"),
    "empty",
    files={"feed.jsonl": b"".join([*LINES[:9], *_BAD, *LINES[9:]])},
    code=1,
)
ACCEPT = Scene("requests accept", ("requests", "accept", "REQ-2001", *_KEY))
IDS = Scene(
    "requests accept -",
    ("requests", "accept", "-", *_KEY, "--anyway", "--overlap"),
    stdin=b"REQ-2001\nM-1\nnobody\nM-2\n",
    atomic=False,
    code=3,
)
CLAIM = Scene(
    "refunds claim",
    ("refunds", "claim", "S-1002", "--id", "CL-9", "--reason", "slow", "--late", *_KEY),
)
ADJUST = Scene(
    "earnings adjust",
    ("earnings", "adjust", "25.00", "--reason", "bonus", "--id", "AD-9", *_KEY),
)
ATTACH = Scene(
    "sessions attach",
    ("sessions", "attach", "S-1002", "../chat.txt", "--kind", "transcript", *_KEY),
)
PROFILE = Scene("payout profile set", FILLED, stdin=IBAN, drawn=frozenset({"facts"}), shown=_SEALED)
ROTATE = Scene(
    "payout profile rotate-key",
    ("payout", "profile", "rotate-key"),
    "sealed",
    drawn=frozenset({"facts"}),
    shown=_SEALED,
)
RECONCILE = Scene(
    "payout reconcile --apply",
    (
        *("payout", "reconcile", "../paypal.csv", "--apply", "--yes"),
        *("--payer", PLATFORM, "--record-unknown"),
    ),
    files={"paypal.csv": _statement()},
    drawn=frozenset({"source"}),
)
UPGRADE = Scene("upgrade", ("earnings", "months"), "form1")
OUTPUT = Scene("output", ("earnings", "transactions", "--csv", "-o", "october.csv"))
READ = Scene("read", ("earnings", "months"))

WRITES = (
    INIT,
    SYNC,
    BATCHES,
    REJECTS,
    ACCEPT,
    IDS,
    CLAIM,
    ADJUST,
    ATTACH,
    PROFILE,
    ROTATE,
    RECONCILE,
    UPGRADE,
    OUTPUT,
)
ALL = (*WRITES, READ)
