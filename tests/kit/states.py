"""A ledger with an entity in every state, and every command with suitable arguments."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.kit.events import FEED as SOURCE
from tests.kit.events import amount, line


def _opened(name: str, when: str, **data: Any) -> bytes:  # noqa: ANN401 -- As events have it.
    given = {
        "kind": "instant",
        "customer": {"id": "C-31"},
        "title": "help",
        "rate": amount("3.00"),
    }
    return line("request.opened", when, id=f"open-{name}", request=name, **(given | data))


def _accepted(name: str, session: str, when: str, **data: Any) -> bytes:  # noqa: ANN401
    return line("request.accepted", when, id=f"{name}-y", request=name, session=session, **data)


# On top of October: a request of each kind is open, a session upcoming, live and paused, a claim
# open (CL-2; CL-1 is disputed), a payout sent and another paid.
FEED = (
    line("refund.claimed", "10-20 18:00", id="x-1", claim="CL-2", session="S-1003", reason="slow"),
    _opened("REQ-2001", "11-01 10:00"),
    _opened("REQ-2002", "11-02 09:50"),
    _accepted("REQ-2002", "S-LIVE", "11-02 10:00"),
    _opened("REQ-2003", "11-02 10:50"),
    _accepted("REQ-2003", "S-PAUSED", "11-02 11:00"),
    line("session.paused", "11-02 11:10", id="x-2", session="S-PAUSED"),
    _opened(
        "REQ-2004",
        "11-03 09:00",
        kind="scheduled",
        slots=[{"start": "2026-11-05T09:00:00Z", "minutes": 60}],
    ),
    _accepted("REQ-2004", "S-UP", "11-03 10:00", slot=1),
    line(
        "payout.sent", "12-30 09:00", id="x-3", payout="PO-1", amount=amount("20"), method="paypal"
    ),
    line(
        "payout.sent", "12-30 10:00", id="x-4", payout="PO-2", amount=amount("30"), method="paypal"
    ),
    line("payout.paid", "12-31 10:00", id="x-5", payout="PO-2"),
)


OWN_PREFERENCES = 'minimum_rate = "2.75"\n'
OWN_POLICY = 'name = "own"\n[fee]\npercent = 25\n'


def command_of(argv: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a command without its arguments; groups may be nested."""
    words = argv.split() if isinstance(argv, str) else argv
    return tuple(words[: 3 if tuple(words[:2]) == ("payout", "profile") else 2])


class Write(NamedTuple):
    """A command that records something: its arguments, when it happens, and whether it asks."""

    argv: tuple[str, ...]
    at: str
    asks: bool = False

    @property
    def name(self) -> str:
        """The command alone."""
        return " ".join(command_of(self.argv))


def _write(line: str, at: str, *more: str, asks: bool = False) -> Write:
    return Write((*line.split(), *more), f"2026-{at}", asks)


WRITES = (
    _write("requests add --customer C-1 --title Help --rate 3.00", "11-04 09:00"),
    _write("requests accept REQ-2001", "11-04 09:00"),
    _write("requests decline REQ-2001 --reason busy", "11-04 09:00"),
    _write("requests withdraw REQ-2001 --reason solved", "11-04 09:00"),
    _write("sessions start S-UP", "11-05 09:00"),
    _write("sessions pause S-LIVE", "11-02 10:10"),
    _write("sessions resume S-PAUSED", "11-02 11:20"),
    _write("sessions end S-LIVE", "11-02 10:20"),
    _write("sessions cancel S-UP --by customer --reason ill", "11-04 09:00"),
    _write("sessions miss S-UP --by customer", "11-05 09:30"),
    _write("sessions reschedule S-UP --minutes 30 --start", "11-04 09:00", "2026-11-06 09:00"),
    _write(
        "sessions log --customer C-1 --rate 3.00",
        "10-28 12:00",
        "2026-10-28 10:00-10:30, paused 10:10-10:15",
    ),
    _write("sessions correct S-1002 --billed 120.00 --reason agreed", "10-13 09:00"),
    _write("sessions tip S-1002 5.00", "10-13 09:00"),
    _write("sessions review S-1002 5 --by customer --text good", "10-13 09:00"),
    _write("sessions attach S-1002 own.toml --kind attachment", "10-13 09:00"),
    _write("refunds claim S-1002 --reason slow", "10-13 09:00"),
    _write("refunds concede CL-2", "10-21 09:00", asks=True),
    _write("refunds grant CL-2", "10-21 09:00"),
    _write("refunds deny CL-2", "10-21 09:00"),
    _write("refunds withdraw CL-2", "10-21 09:00"),
    _write("dispute file CL-2 --summary", "10-21 09:00", "It was fixed at 16:20."),
    _write("dispute withdraw CL-1", "10-21 09:00", asks=True),
    _write("dispute rule CL-1 --rejected --note late", "10-21 09:00"),
    _write("earnings adjust 25.00 --reason bonus", "10-31 09:00"),
    _write("payout record 10.00 --reference 8XK41 --anyway", "12-31 09:00"),
    _write("payout paid PO-1 --anyway", "12-31 09:00"),
    _write("payout fail PO-1 --reason closed --anyway", "12-31 09:00", asks=True),
    _write("payout return PO-2 --reason wrong --anyway", "12-31 12:00", asks=True),
    _write("payout profile set --email anna@example.com --name", "11-04 09:00", "Anna Example"),
    _write("preferences set --skill urp --minimum-rate 2.50", "11-04 09:00"),
    _write("preferences import preferences.toml", "11-04 09:00"),
    _write("policy use own.toml", "11-04 09:00", asks=True),
    _write("ledger reverse oct-013 --reason twice --source", "11-04 09:00", SOURCE, asks=True),
    _write("ledger forget C-31", "11-04 09:00", asks=True),
)

# The commands that read, with the fields of their JSON in order where the contract fixes them.
READS: dict[str, tuple[str, ...]] = {
    "requests list": (
        *("id", "kind", "state", "direct", "customer", "title", "skills", "rate", "currency"),
        *("slots", "expires", "matches", "conflicts", "opened_at"),
    ),
    "requests show REQ-1006": (),
    "sessions list": (
        *("id", "request", "customer", "state", "start", "end", "minutes", "rate", "gross"),
        *("fee", "earned", "currency", "policy", "claim"),
    ),
    "sessions upcoming": (),
    "sessions check": ("session", "finding", "message", "since", "other", "hint"),
    "sessions reviews": (
        *("customer", "customer_name", "sessions", "minutes", "reviews_of_you", "rating_of_you"),
        *("reviews_by_you", "rating_by_you", "last_session", "last_review"),
    ),
    "sessions show S-1002": (),
    "refunds list": (),
    "refunds show CL-2": (),
    "dispute list": (),
    "dispute show CL-1": (),
    "earnings summary --month 2026-10": (
        *("month", "timezone", "currency", "sessions", "free_sessions", "minutes", "gross"),
        *("platform_fee", "earned", "refund_claims", "disputes", "refunds", "refunded"),
        *("deducted", "tips", "adjustments", "net", "balance"),
    ),
    "earnings months": (
        *("month", "timezone", "currency", "sessions", "free_sessions", "minutes", "gross"),
        *("platform_fee", "earned", "refund_claims", "disputes", "refunds", "refunded"),
        *("deducted", "tips", "adjustments", "net", "balance"),
    ),
    "earnings sessions": (
        *("month", "timezone", "sessions", "free_sessions", "minutes", "refund_claims"),
        *("disputes", "refunds", "refunded", "currency"),
    ),
    "earnings check --all": (
        *("session", "customer", "month", "start", "end", "minutes", "rate", "billed"),
        *("expected", "difference", "currency", "policy", "explained_by"),
    ),
    "earnings diff 2001-01-01": ("month", "currency", "changed", "events"),
    "earnings summary --month 2026-10 --by customer": (
        *("group", "name", "sessions", "free_sessions", "minutes", "gross", "platform_fee"),
        *("earned", "refund_claims", "disputes", "refunds", "refunded", "deducted", "tips"),
        *("adjustments", "net", "currency"),
    ),
    "earnings summary --month 2026-10 --bounds": (
        *("month", "switch", "reading", "net", "difference", "owed", "currency", "lowest"),
        *("highest", "left_out"),
    ),
    "earnings transactions": (
        *("transaction", "time", "period", "kind", "session", "claim", "payout", "gross", "fee"),
        *("amount", "owed", "currency", "memo", "balance"),
    ),
    "payout preview": (
        *("as_of", "eligible", "currency", "minimum", "due_on", "carried", "blocked", "lines"),
    ),
    "payout forecast": ("on", "months", "amount", "total", "carried", "currency", "blocked"),
    "payout list": (),
    "payout show PO-1": (),
    "payout profile show": (
        *("name", "email", "method", "paypal", "iban", "bic", "us_routing", "us_account"),
        *("country", "address", "tax_form", "tax_number", "tax_signed", "tax_expires"),
        *("complete", "missing", "filled", "changed_at", "revealed_at", "revealed"),
        "enter_again",
    ),
    "payout profile check": ("requirement", "state", "blocks", "message", "hint", "until"),
    "preferences show": (),
    "due": (
        *("kind", "id", "due", "left_seconds", "asks", "amount", "currency", "customer"),
        *("customer_name", "title", "means", "command"),
    ),
    "customers list": (
        *("id", "name", "requests", "sessions", "minutes", "gross", "refunded", "tips", "paid"),
        *("currency", "claims", "last_seen"),
    ),
    "customers show C-77": (),
    "policy list": (),
    "policy show": (),
    "ledger info": (),
}
