"""The sentences with which commands about payouts answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from liveportal.cli.io.answers import Sentence, amount, listed, moment, plural, with_reason
from liveportal.cli.write_result import Recorded
from liveportal.domain.money import Money

if TYPE_CHECKING:
    from liveportal.ledger.queries.payouts import PayoutDetail, PayoutLine
    from liveportal.ledger.queries.recorded import PayoutFacts

STATE_WORDS = {"paid": "arrived", "failed": "failed", "returned": "was returned"}


def sent(recorded: Recorded) -> Sentence:
    """Answer `payout record`: what was sent, what it pays, and what is still owed."""
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
    """Return what a payout pays: a few sessions by their ids; tips and adjustments counted."""
    paid = [line for line in lines if line.amount.minor > 0]
    if not paid:
        return "It pays none of your open earnings."
    sessions = list(
        dict.fromkeys(line.session for line in paid if line.session and line.kind != "tip")
    )
    tips = sum(line.kind == "tip" for line in paid)
    adjustments = sum(line.session is None for line in paid)
    things = [
        *([f"session{'s' if len(sessions) > 1 else ''} {listed(sessions)}"] if sessions else []),
        *([plural(tips, "tip")] if tips else []),
        *([plural(adjustments, "adjustment")] if adjustments else []),
    ]
    nothing = Money(0, paid[0].amount.currency)
    back = -sum((line.amount for line in lines if line.amount.minor < 0), nothing)
    less = f", less {amount(back)} that is taken back" if back.minor else ""
    return f"It pays {listed(things)}{less}."


def changed(recorded: Recorded) -> Sentence:
    """Answer `payout paid`, `fail` and `return`: the payout's state, and what is owed again."""
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
    """Answer `earnings adjust`."""
    data = recorded.data
    kind = "a fee of" if data.amount.minor < 0 else "a bonus of"
    return Sentence(
        *("Recorded", "record", f"{kind} {amount(max(data.amount, -data.amount))}", data.reason),
        next=(("See the month", "earnings"),),
    )


def profile_changed(recorded: Recorded) -> Sentence:
    """Answer `payout profile set`: what was set and cleared, and what is missing."""
    row = recorded.row
    if row["state"] == "unchanged":
        return Sentence("Nothing changed in", "change nothing in", "your payout profile")
    names = _words(row["fields"])
    # A new method or form clears what belonged to another, set or not.
    what = f"set {names}" if names else f"cleared {_words(row['cleared'])}"
    missing = (
        (f"Still missing for a payout: {_words(row['missing'])}.",)
        if row["missing"]
        else ("It is complete: payouts do not wait for it.",)
    )
    return Sentence(
        *("Changed", "change", "your payout profile", what),
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
    """Answer `payout profile rotate-key`: the new key, and what older backups need."""
    where = "the keyring" if row["kept_in"] == "keyring" else row["kept_in"]
    old_key, kept = row["old_key"], row["old_key_in"]
    lost = "which was not kept: without your own copy, their payout profile cannot be read"
    last = f" The last backup is {row['last_backup']}." if row["last_backup"] else ""
    return Sentence(
        *("Encrypted", "encrypt", f"{plural(row['values'], 'value')} of your payout profile again"),
        f"the new key is {row['key']}" + (f", in {where}" if where else ""),
        (f"Older backups need the old key {old_key}, {f'in {kept}' if kept else lost}.{last}",),
        (("Make a new backup", "ledger backup"),),
        "Nothing was changed.",
    )
