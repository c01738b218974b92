"""The sentences with which commands about payouts answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from liveportal.cli.io.answers import Sentence, amount, listed, moment, plural, with_reason
from liveportal.cli.write_result import Recorded

if TYPE_CHECKING:
    from liveportal.ledger.queries.payouts import PayoutDetail, PayoutLine
    from liveportal.ledger.queries.recorded import PayoutFacts

STATE_WORDS = {"paid": "arrived", "failed": "failed", "returned": "was returned"}


def sent(recorded: Recorded) -> Sentence:
    """Say what was sent, what it pays, and what is still owed."""
    facts: PayoutFacts = recorded.facts
    payout = facts.detail
    reference = f", reference {payout.reference}" if payout.reference else ""
    return Sentence(
        *("Recorded", "record", f"payout {facts.short}"),
        f"{amount(payout.amount)} sent by {payout.method}"
        f" on {moment(payout.sent_at, recorded.zone, recorded.now)}{reference}",
        (_pays(payout.lines), f"The platform still owes you {amount(facts.owed)}."),
        (
            ("When it arrives", f"payout paid {facts.short}"),
            ("If it fails", f"payout fail {facts.short}"),
        ),
    )


def _pays(lines: list[PayoutLine]) -> str:
    """Return what a payout pays: a few sessions by their ids, the others counted."""
    if not lines:
        return "It pays no earnings that are open."
    sessions = list(dict.fromkeys(line.session for line in lines if line.session))
    others = sum(line.session is None for line in lines)
    things = [
        *([f"session{'s' if len(sessions) > 1 else ''} {listed(sessions)}"] if sessions else []),
        *([plural(others, "adjustment")] if others else []),
    ]
    return f"It pays {' and '.join(things)}."


def changed(recorded: Recorded) -> Sentence:
    """Say what became of a payout, and what is owed again."""
    facts: PayoutFacts = recorded.facts
    state = str(recorded.row["state"])
    what = with_reason(f"that payout {facts.short} {STATE_WORDS[state]}", recorded.data.reason)
    how = _arrived(facts.detail) if state == "paid" else " is owed to you again"
    if state == "returned" and recorded.data.debited is not None:
        how += f", and {amount(recorded.data.debited)} left your account"
    return Sentence(
        *("Recorded", "record", what, f"{amount(facts.detail.amount)}{how}"),
        (f"The platform owes you {amount(facts.owed)}.",),
        (("See the month", "earnings"),)
        if state == "paid"
        else (("When it is sent again", f"payout record {facts.detail.amount}"),),
    )


def _arrived(payout: PayoutDetail) -> str:
    """Return what a transfer cost, and what was credited, if it is known."""
    fee = f", less a transfer fee of {amount(payout.fee)}" if payout.fee else ""
    return fee + (f"; {amount(payout.received)} was credited" if payout.received else "")


def adjusted(recorded: Recorded) -> Sentence:
    """Say what was posted, and for what."""
    data = recorded.data
    kind = "a fee of" if data.amount.minor < 0 else "a bonus of"
    return Sentence(
        *("Recorded", "record", f"{kind} {amount(max(data.amount, -data.amount))}", data.reason),
        next=(("See the month", "earnings"),),
    )


def profile_changed(recorded: Recorded) -> Sentence:
    """Say which parts of the payout profile were set and cleared, and what is missing."""
    row = recorded.row
    if row["state"] == "unchanged":
        return Sentence("Nothing changed in", "change nothing in", "the payout profile")
    names = _words(row["fields"])
    # A new method or form clears what belonged to another, set or not.
    what = f"set {names}" if names else f"cleared {_words(row['cleared'])}"
    missing = (
        (f"A payout still needs: {_words(row['missing'])}.",)
        if row["missing"]
        else ("It has all that a payout needs.",)
    )
    return Sentence(
        *("Changed", "change", "the payout profile", what),
        missing,
        (("See what is missing, and why", "payout profile check"),)
        if row["missing"]
        else (("See it, masked", "payout profile show"),),
    )


def _words(names: object) -> str:
    """Return the names of fields in words."""
    words = names if isinstance(names, list) else []
    return listed([str(name).replace("_", " ") for name in words], most=20)


def key_changed(row: Mapping[str, Any]) -> Sentence:
    """Say under which key the profile is sealed, and what older backups need."""
    where = "the keyring" if row["kept_in"] == "keyring" else row["kept_in"]
    old_key, kept = row["old_key"], row["old_key_in"]
    lost = "which is not kept: without your own copy they cannot be read"
    last = f" The last one is {row['last_backup']}." if row["last_backup"] else ""
    return Sentence(
        *("Sealed", "seal", f"{plural(row['values'], 'value')} of the payout profile"),
        f"the new key is {row['key']}" + (f", in {where}" if where else ""),
        (f"Older backups need the old key {old_key}, {f'in {kept}' if kept else lost}.{last}",),
        (("Make a new backup", "ledger backup"),),
        "Nothing was changed.",
    )
