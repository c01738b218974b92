"""The rulebook as a table: all possible outcomes of each event type.

Any event can be recorded, repeated, repeated with other content (`conflict`), or come from a feed
in the expert's name (`not_for_feeds`, as are events of the expert alone). Any but a setting can be
reported by another source (`confirmed`). Codes after the bar refuse a command and only flag a feed.
"""

from __future__ import annotations

from tests.properties.model import SETTINGS

ALWAYS = ("recorded", "replayed", "conflict", "not_for_feeds")

TABLE = """
request.opened       already_exists invalid_event currency_mismatch | rate_out_of_bounds
request.accepted     not_found wrong_state slot_needed already_exists currency_mismatch
request.accepted     | request_expired below_minimum_rate double_booking on_vacation
request.declined     not_found wrong_state
request.withdrawn    not_found wrong_state
request.taken        not_found wrong_state
request.expired      not_found wrong_state
session.rescheduled  not_found wrong_state impossible_time already_exists
session.rescheduled  | double_booking on_vacation
session.cancelled    not_found wrong_state impossible_time
session.missed       not_found wrong_state impossible_time
session.started      not_found wrong_state impossible_time
session.paused       not_found wrong_state impossible_time
session.resumed      not_found wrong_state impossible_time
session.ended        not_found wrong_state impossible_time currency_mismatch
session.logged       already_exists impossible_time currency_mismatch | rate_out_of_bounds
session.corrected    not_found wrong_state correction_refused invalid_event impossible_time
session.corrected    currency_mismatch
artifact.added       not_found
review.posted        not_found wrong_state impossible_time
tip.received         not_found wrong_state impossible_time currency_mismatch amount_too_large
refund.claimed       already_exists not_found wrong_state impossible_time claim_open
refund.claimed       nothing_to_refund currency_mismatch refund_too_large partial_refund
refund.claimed       | late_claim
refund.conceded      not_found claim_not_open impossible_time
refund.granted       not_found claim_not_open impossible_time
refund.denied        not_found claim_not_open impossible_time
refund.withdrawn     not_found claim_not_open impossible_time
dispute.filed        not_found claim_not_open impossible_time
dispute.withdrawn    not_found wrong_state impossible_time
dispute.accepted     not_found wrong_state impossible_time
dispute.rejected     not_found wrong_state impossible_time
adjustment.posted    already_exists currency_mismatch amount_too_large
payout.sent          already_exists currency_mismatch payout_too_large | unlisted_method
payout.paid          not_found wrong_state impossible_time currency_mismatch fee_too_large
payout.failed        not_found wrong_state impossible_time
payout.returned      not_found wrong_state impossible_time currency_mismatch
entry.reversed       not_found not_reversible impossible_time payout_too_large
preferences.changed  invalid_event currency_mismatch
preferences.changed  | rate_out_of_bounds unreadable_preference
payout_profile.changed
payout_profile.revealed
customer.erasure_requested not_found
customer.forgotten   not_found
policy.adopted       period_fixed
"""


def outcomes() -> set[tuple[str, str]]:
    """Return every pair of the table: an event type and an outcome."""
    triples = set()
    for line in TABLE.strip().splitlines():
        kind, *codes = line.replace("|", " ").split()
        triples |= {(kind, code) for code in (*ALWAYS, *codes)}
        if kind not in SETTINGS:
            triples.add((kind, "confirmed"))
    return triples


OUTCOMES = outcomes()
