"""The reads of the golden run: every read command, as a user types it.

`{name}` is replaced by an id of the book: a book's reads are those whose names it has.
"""

from __future__ import annotations

READS: tuple[str, ...] = (
    "requests list --state open,accepted,declined,withdrawn,taken,expired",
    "requests list",
    "requests show {request}",
    "sessions list",
    "sessions list --month {month}",
    "sessions upcoming",
    "sessions show {session}",
    "sessions calendar",
    "sessions check",
    "sessions reviews",
    "sessions search {word}",
    "sessions explain {session}",
    "refunds list",
    "refunds show {claim}",
    "dispute list",
    "dispute show {dispute}",
    "earnings --month {month}",
    "earnings --month {month} --as-known {as_known}",
    "earnings --month {month} --by customer",
    "earnings --month {month} --bounds",
    "earnings months",
    "earnings months --compare-zones",
    "earnings months --as-known {as_known}",
    "earnings sessions",
    "earnings transactions",
    "earnings explain {month}",
    "earnings check --all",
    "earnings diff {as_known}",
    "earnings statement {month} -o statement.csv",
    "earnings statement {month} -o statement.html",
    "payout preview",
    "payout forecast",
    "payout list",
    "payout show {payout}",
    "payout explain {payout}",
    "payout overdue",
    "payout profile show",
    "payout profile check",
    "due",
    "preferences show",
    "preferences export",
    "customers list",
    "customers show {customer}",
    "policy list",
    "policy rules",
    "policy show",
    "policy check winter.policy.toml",
    "ledger info --fields form,currency,timezone,own_timezone,policy,events,transactions,head",
    "ledger verify",
    "ledger export events --without-personal",
)

NAMES: dict[str, dict[str, str]] = {
    "october": {
        "customer": "C-77",
        "request": "REQ-1006",
        "session": "S-1002",
        "claim": "CL-1",
        "dispute": "CL-1",
        "word": "help",
    },
    "states": {
        "request": "REQ-2001",
        "session": "S-LIVE",
        "claim": "CL-2",
        "dispute": "CL-1",
        "payout": "PO-2",
        "word": "help",
    },
    "winter": {"request": "REQ-0", "session": "S-0", "payout": "PO-1", "word": "shader"},
    "rich": {
        "customer": "C-99",
        "request": "REQ-7",
        "session": "S-1",
        "claim": "CL-4",
        "dispute": "CL-1",
        "payout": "PO-1",
        "word": "flickers",
    },
}

NO_READS = {
    *("", "demo", "init", "sync", "doctor", "requests", "requests watch", "sessions", "refunds"),
    *("dispute", "dispute evidence", "dispute verify", "earnings", "payout", "payout profile"),
    *(
        "preferences",
        "policy",
        "customers",
        "ledger",
        "ledger path",
        "ledger backup",
        "ledger restore",
    ),
    *("payout profile rotate-key", "payout reconcile", "ledger export", "ledger import", "schema"),
}
"""Groups, and what is no read of a ledger's content, or shows the machine it runs on."""
