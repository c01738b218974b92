"""Columns of results for a person: headings, importance, and which are never broken.

One thing has one name in every command, so names decide. The meanings of fields are in
`field_meanings`. Only terminals, help and schemas use either.
"""

from __future__ import annotations

IDS = frozenset(
    (
        *("id", "session", "request", "claim", "payout", "customer", "customer_id"),
        *("customer.id", "other", "conflicts", "too_close", "group"),
    )
)
"""Fields that have ids, which a table shows in their short form."""

WHOLE = IDS | frozenset(
    (
        *("state", "kind", "status", "finding", "currency", "month", "months", "period"),
        *("minutes", "paused_minutes", "direct", "would_be", "on", "due", "deadline", "start"),
        *("starts_in_seconds", "customer_local", "left_seconds", "transaction", "rating"),
        *("method", "check", "by", "adjustment", "speaker"),
    )
)
"""Fields whose texts are never broken over lines; numbers and times never are anyway."""

WORDED = frozenset(("earns", "rate", "age_seconds", "slots"))
"""Fields to whose numbers and dates a terminal adds words, between which they break."""

CODES = frozenset(
    (
        *("kind", "state", "requirement", "flags", "finding", "blocked", "missing", "filled"),
        "enter_again",
    )
)
"""Fields of codes such as `profile_incomplete`, which a person gets in words."""

IMPORTANCE: tuple[str, ...] = (
    *("id", "month", "due", "on", "group", "switch", "value", "check", "requirement", "file"),
    *("slot", "what", "state", "status", "start", "time", "session", "amount", "asks", "means"),
    *("net", "earned", "finding", "message", "difference", "billed", "deadline", "cost", "earns"),
    *("customer_name", "customer.name", "slots", "age_seconds", "title", "snippet", "kind"),
    *("name", "customer", "customer_id", "gross", "refunded", "fee", "rate", "total"),
    *(
        "owed",
        "transaction",
        "balance",
        "balance.owed",
        "expected",
        "expected_earned",
        "starts_in_seconds",
    ),
    *("sent_at", "method", "rating", "text", "reading", "where", "due_on", "sessions", "claim"),
    *("payout", "conflicts", "explained_by", "deducted", "minutes", "hint", "platform_fee"),
    *("refund_claims", "refunds", "disputes", "tips", "memo", "months", "carried", "blocked"),
    *("reason", "reviews_of_you", "rating_of_you", "last_session", "speaker", "at_seconds"),
    *("left_seconds", "free_sessions", "left_out", "period", "reference", "flags", "currency"),
)
"""Columns from the most to the least important, which a narrow terminal leaves out first.

What is not named is less important than what is.
"""

HEADINGS = {
    "age_seconds": "waiting",
    "answer_by": "answer by",
    "asks": "action needed",
    "at_seconds": "at",
    "balance.held": "balance: held",
    "balance.in_transit": "balance: on its way",
    "balance.owed": "balance: owed",
    "balance.paid_out": "balance: paid out",
    "blocked": "what blocks it",
    "carried": "carried over",
    "claimable": "still claimable",
    "cost": "costs you",
    "customer.id": "customer id",
    "customer_local": "their time",
    "customer.language": "their language",
    "customer.name": "customer",
    "customer.timezone": "their time zone",
    "customer_name": "customer",
    "deadline": "answer by",
    "earlier": "claimed before",
    "earns": "would earn",
    "earns_minutes": "minutes assumed",
    "eligible": "eligible for payout",
    "explained_by": "readings that explain it",
    "expected": "our calculation",
    "expected_earned": "would earn",
    "form": "schema version",
    "helped": "helped before",
    "hint": "what to do",
    "if_silent": "if you do nothing",
    "left_out": "events left out",
    "left_seconds": "time left",
    "means": "if you do nothing",
    "memo": "about",
    "next": "what happens next",
    "overdue": "overdue",
    "own_timezone": "your time zone",
    "period": "month in the books",
    "record": "your disputes so far",
    "risk.as_of": "as of",
    "risk.claimable": "still claimable",
    "risk.final": "final",
    "risk.held": "held",
    "seq": "journal position",
    "shipped": "built-in",
    "slots": "when",
    "silence": "without an answer",
    "starts_in_seconds": "starts",
    "timezone": "time zone",
    "total": "total so far",
    "would_be": "month there",
}
"""Headings that are not the field's own name in words."""

MINUTES = frozenset({"minutes", "paused_minutes"})
"""Numbers that are texts, since they are exact to two digits."""

_RANKS = {name: rank for rank, name in enumerate(IMPORTANCE)}


def heading_of(field: str) -> str:
    """Return a field in words a stranger knows."""
    words = field.removesuffix("_seconds").replace(".", " ").replace("_", " ")
    return HEADINGS.get(field, words)


def in_words(field: str, text: str) -> str:
    """Return the text of a field; if it is a code, in words."""
    if field == "figure":
        return heading_of(text)
    return text.replace("_", " ") if field in CODES else text


def rank_of(field: str) -> int:
    """Return how unimportant a column is: a narrow terminal leaves out the highest rank first."""
    return _RANKS.get(field, len(_RANKS))
