"""A plain model of the whole book: the exact code and flags for each event.

Written from the rulebook and the event contract, case by case; it imports no rule of the program.
Where the rulebook leaves a flag of a payout open, the model is `unsure`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from liveportal.domain.events import types as on
from liveportal.domain.events.envelope import CLI_SOURCE, Event, EventData
from liveportal.domain.money import Money
from tests.properties import arithmetic
from tests.properties.session_model import STEPS, SessionModel, verb
from tests.properties.state import (
    FOREIGN_HOURS,
    Claim,
    Entry,
    Payout,
    RecordedEvent,
    Refusal,
    Session,
    refuse,
)

NAMED = {"name", "email", "method", "address", "tax_form"}
"""What a payout profile must have (R12, R14)."""


@dataclass(frozen=True)
class Verdict:
    """The result of an event that was not refused."""

    status: str
    flags: tuple[str, ...] = ()


ClaimSteps = on.ClaimClosed | on.DisputeFiled | on.DisputeWithdrawn | on.DisputeRuled


class Model(SessionModel):
    """The whole book, with one method that records events."""

    unsure: tuple[str, ...] = ()
    """Flags of the last event that the rulebook leaves open."""

    def record(self, event: Event, *, allow: bool = True, feed: bool = False) -> Verdict:
        """Judge and record an event; raises `Refusal`, and then nothing has changed.

        Without `allow` a caution is a refusal, as for a command. Events from a `feed` are never the
        expert's.
        """
        if feed and event.source == CLI_SOURCE:
            refuse("not_for_feeds")
        name = (event.source, event.id)
        if past := self.recorded.get(name):
            if past.event.data != event.data or past.event.time != event.time:
                refuse("conflict")
            return Verdict("replayed")
        if event.source != CLI_SOURCE and is_the_experts(event.source, event.data):
            refuse("not_for_feeds")
        data = self._with_known_ids(event.data)
        others = self._unconfirmed_assertions(data, event)
        booked = len(self.entries)
        self.flags, self.allow, self.unsure, self.source = [], allow, (), event.source
        same = next((fact for fact in others if not self._contradicts(fact, data)), None)
        if same:
            return self._confirm(same, event, data)
        if isinstance(data, on.ReviewPosted) and any(fact.data.by == data.by for fact in others):
            refuse("conflict")  # Only the source that posted a review may change it.
        left = self._left(data)
        try:
            RULES[data.TYPE](self, data, event.time)
        except Refusal as refusal:
            raise Refusal("conflict") if others and refusal.clashes else refusal from None
        fact = RecordedEvent(event, data, entries=self.entries[booked:], left=left)
        if isinstance(data, on.SessionEnded | on.SessionLogged):
            fact.original_minor = self.session(data.session).gross
        if isinstance(data, on.RefundClaimed):
            fact.original_minor = left if data.amount is None else data.amount.minor
        self.recorded[name] = fact
        return Verdict("recorded", tuple(self.flags))

    def _left(self, data: EventData) -> int:
        """The amount of a claim that names none."""
        session = self.sessions.get(getattr(data, "session", ""))
        return session.gross - session.refunded if session else 0

    def _contradicts(self, fact: RecordedEvent, data: EventData) -> bool:
        """Compare with the first assertion, and with its amount at that time."""
        differing = contradictions(fact.data, data)
        if isinstance(data, on.PayoutPaid | on.PayoutReturned):
            payout = self.payouts[data.payout]
            pairs = (
                (data.fee, payout.fee)
                if isinstance(data, on.PayoutPaid)
                else (data.debited, payout.debited)
            )
            given, known = pairs
            if given and given.currency != self.policy.currency:
                return bool(differing)  # It is refused for its currency.
            if given is not None and known is not None and given.minor != known:
                return True
        if isinstance(data, on.RefundClaimed) and "amount" not in differing:
            currency = data.amount.currency if data.amount else self.policy.currency
            meant = fact.left if data.amount is None else data.amount.minor
            return (
                bool(differing) or meant != fact.original_minor or currency != self.policy.currency
            )
        return bool(differing)

    def _with_known_ids(self, data: EventData) -> EventData:
        """Return the data with the book's ids: the session's own, the fact's first event."""
        if isinstance(data, on.EntryReversed):
            past = self.recorded.get((data.event.source, data.event.id))
            fact = past and (past.confirms or past)
            if fact:
                first = on.EventRef(source=fact.event.source, id=fact.event.id)
                data = replace(data, event=first)
        name = getattr(data, "session", None)
        if name in self.aliases and not isinstance(data, on.RequestAccepted):
            return replace(data, session=self.aliases[name])  # type: ignore[type-var]
        return data

    def _unconfirmed_assertions(self, data: EventData, event: Event) -> list[RecordedEvent]:
        """The same facts as reported by other sources.

        A setting is not a fact, since it can be set back. A command is a step taken now and judged
        as one, where the entity has states.
        """
        source, adds = event.source, adds_details(data)
        if data.TYPE in SETTINGS:
            return []
        if source == CLI_SOURCE and not adds and data.TYPE not in STATELESS:
            return []
        if isinstance(data, on.TipReceived) and data.again:
            return []
        about = [
            fact
            for fact in self.recorded.values()
            if (fact.data.TYPE, fact.data.entity) == (data.TYPE, data.entity)
        ]
        own = [each.confirms or each for each in about if each.event.source == source and not adds]
        facts = [
            each for each in about if not each.confirms and not each.undone and each not in own
        ]
        if isinstance(data, on.ErasureRequested):
            facts = self._asked_after_erasure(data, event, facts)
        return facts

    def _asked_after_erasure(
        self, data: on.ErasureRequested, event: Event, found: list[RecordedEvent]
    ) -> list[RecordedEvent]:
        """A request after an erasure asks for another one: it repeats no request before it."""
        all_facts = list(self.recorded.values())
        erasures = [
            n
            for n, each in enumerate(all_facts)
            if isinstance(each.data, on.CustomerForgotten) and each.data.customer == data.customer
        ]
        if not erasures or event.time <= all_facts[erasures[-1]].event.time:
            return found
        return [each for each in found if all_facts.index(each) > erasures[-1]]

    def _confirm(self, fact: RecordedEvent, event: Event, ours: EventData) -> Verdict:
        """Another id becomes an alias; another bill or a transfer fee is booked."""
        data, first = event.data, fact.data
        if isinstance(data, on.RequestAccepted):
            session = self.sessions[first.session or first.request]
            self.rename(data.session or data.request, session)
        if isinstance(data, on.SessionRescheduled):
            self.rename(data.alias, self.session(data.session))
        if isinstance(data, on.SessionEnded | on.SessionLogged) and data.billed is not None:
            self._billed_again(self.session(data.session), fact, data.billed, event.time)
        if isinstance(data, on.PayoutPaid | on.PayoutReturned):
            self._details_added(fact, data, event.time)
        self.recorded[event.source, event.id] = RecordedEvent(event, ours, confirms=fact)
        return Verdict("confirmed", tuple(self.flags))

    def _details_added(
        self, fact: RecordedEvent, data: on.PayoutPaid | on.PayoutReturned, at: datetime
    ) -> None:
        """A fee, or an amount debited, that was not stated before is booked as a difference."""
        payout = self.payouts[data.payout]
        more = 0
        if isinstance(data, on.PayoutPaid):
            fee = self.transfer_fee(payout, data)
            if fee is not None and payout.fee is None:
                payout.fee = more = fee
        elif data.debited is not None:
            self.check_currency(data.debited.currency)
            if payout.debited is None:
                payout.debited = data.debited.minor
                more = payout.debited - payout.amount
                more -= sum(entry.transfer_fees for entry in fact.entries)
        if more:
            entry = self.book(f"payout_{verb(data)}", at, payout=data.payout)
            entry.transfer_fees = more
            fact.entries.append(entry)

    def transfer_fee(self, payout: Payout, data: on.PayoutPaid) -> int | None:
        """6-interop 4: at most the amount, in the book's currency."""
        if data.fee is None:
            return None
        self.check_currency(data.fee.currency)
        if data.fee.minor > payout.amount:
            refuse("fee_too_large")
        return data.fee.minor

    def _billed_again(
        self, session: Session, fact: RecordedEvent, billed: Money, at: datetime
    ) -> None:
        """Book the difference from the first assertion's amount; no later correction is undone.

        Amounts refunded or claimed must still be covered by the bill.
        """
        self.check_currency(billed.currency)
        followed = (
            session.corrected or session.state != "ended" or session.gross != fact.original_minor
        )
        asked = session.undecided.amount if session.undecided else 0
        if not followed and billed.minor == fact.original_minor:
            session.bill = billed.minor
        elif billed.minor == fact.original_minor:
            return
        elif followed or billed.minor < session.refunded + asked:
            self.flags += ["billed_differs"] if billed.minor != session.gross else []
        else:
            self.correct(session, session, billed, at)

    # --- claims and disputes --------------------------------------------------------------------

    def refund_claimed(self, data: on.RefundClaimed, at: datetime) -> None:
        """R8: the possible cost is held until the claim is decided."""
        if data.claim in self.claims:
            refuse("already_exists")
        session = self.over(data.session, at)
        left = session.gross - session.refunded
        if session.undecided:
            refuse("claim_open")
        if not left:
            refuse("nothing_to_refund")
        amount = left
        if data.amount is not None:
            self.check_currency(data.amount.currency)
            amount = data.amount.minor
        if amount > left:
            refuse("refund_too_large")
        if amount < left and not session.policy.refund.partial:
            refuse("partial_refund")
        window = timedelta(hours=session.policy.refund.window_hours)
        self.caution("late_claim", when=at - session.times[1] > window)
        hold = self._share_of_refund(session, amount)
        claim = Claim(session, amount, hold, at, self.month(at))
        self.claims[data.claim] = session.undecided = claim
        self.book("hold", at, session=session.id, claim=data.claim, held=hold, owed=-hold)

    @staticmethod
    def _share_of_refund(session: Session, amount: int) -> int:
        """Rulebook 4: a difference of two shares, so that parts add up to the whole."""
        before = arithmetic.share(session.refunded, session.policy)
        return arithmetic.share(session.refunded + amount, session.policy) - before

    def claim_stepped(self, data: ClaimSteps, at: datetime) -> None:
        """Rulebook 6: unlisted transitions are refused; a decision ends the hold."""
        claim = self.claims.get(data.claim) or refuse("not_found")
        after = STEPS.get(("claim", claim.state, verb(data)))
        if after is None:
            from_open = ("claim", "open", verb(data)) in STEPS
            refuse("claim_not_open" if from_open else "wrong_state")
        if at < claim.time:
            refuse("impossible_time")
        if after in ("open", "disputed"):
            claim.state = after
            self.disputes += [self.month(at)] if after == "disputed" else []
            return
        session, claim.state = claim.session, after
        session.undecided = None
        about: dict[str, Any] = {"session": session.id, "claim": data.claim, "held": -claim.hold}
        if after in ("denied", "withdrawn", "accepted"):
            self.book("release", at, owed=claim.hold, **about)
            return
        cost = claim.amount
        if session.policy.refund.deducts == "share":
            cost = self._share_of_refund(session, claim.amount)
        session.refunded += claim.amount
        rest = claim.hold - cost
        self.book("refund", at, refunded=claim.amount, deducted=cost, owed=rest, **about)

    # --- other money ----------------------------------------------------------------------------

    def adjustment_posted(self, data: on.AdjustmentPosted, at: datetime) -> None:
        """A bonus or a fee."""
        if data.adjustment in self.adjustments:
            refuse("already_exists")
        self.check_currency(data.amount.currency)
        self.check_room(data.amount)
        self.adjustments.add(data.adjustment)
        amount = data.amount.minor
        self.book("adjustment", at, adjustment=data.adjustment, adjustments=amount, owed=amount)

    def payout_sent(self, data: on.PayoutSent, at: datetime) -> None:
        """Rulebook 8: refused only if it exceeds the amount owed; all else is a flag."""
        known = self.payouts.get(data.payout)
        if known and known.state != "reversed":
            refuse("already_exists")
        self.check_currency(data.amount.currency)
        amount = data.amount.minor
        if amount > self.owed:
            refuse("payout_too_large")
        self.unsure = ("claimable",)
        policy, lines = self.policy, self.lines(amount)
        self.caution("unlisted_method", when=data.method not in policy.payout.methods)
        self.flags += self._payout_flags(amount, lines, at)
        self._settle(self.payouts.setdefault(data.payout, Payout(amount, at)), lines)
        payout = self.payouts[data.payout]
        payout.amount, payout.sent_at, payout.state = amount, at, "sent"
        self.book("payout", at, payout=data.payout, in_transit=amount, owed=-amount)

    def _payout_flags(self, amount: int, lines: list[tuple[Entry, int]], at: datetime) -> list[str]:
        policy = self.policy
        day = arithmetic.local_day(at, policy.period.timezone)
        not_due = sum(
            left
            for item, left in self.items()
            if left > 0 and arithmetic.due_day(item.month, policy) > day
        )
        billed = [session.times[1] for session in self.sessions.values() if session.gross]
        first = arithmetic.local_day(min(billed), policy.period.timezone) if billed else None
        wait = timedelta(days=policy.payout.first_wait_days)
        minimum = arithmetic.minor(policy.payout.minimum, policy.currency)
        flags = {
            "early": amount > self.owed - not_due,
            "below_minimum": self.counted(amount, lines) < minimum,
            "first_payout_wait": first is not None and day < first + wait,
            "profile_incomplete": not self.profile >= NAMED,
        }
        return [flag for flag, raised in flags.items() if raised]

    def counted(self, amount: int, lines: list[tuple[Entry, int]]) -> int:
        """`payout.minimum_counts`: the lines, or the remaining gross, pro rata."""
        if self.policy.payout.minimum_counts == "share":
            return amount
        total = 0
        for entry, part in lines:
            session = self.sessions.get(entry.session or "")
            if session and session.earning is entry:
                left = session.gross - session.refunded
                total += arithmetic.rounded(Fraction(left * part, entry.net))
            elif entry.kind != "refund":  # The refunded part is no longer in that gross.
                total += part
        return total

    def payout_stepped(self, data: on.PayoutStatusChanged, at: datetime) -> None:
        """The payout arrives, or comes back and frees its lines."""
        payout = self.payouts.get(data.payout) or refuse("not_found")
        after = STEPS.get(("payout", payout.state, verb(data))) or refuse("wrong_state")
        if at < payout.sent_at:
            refuse("impossible_time")
        fees = 0
        if isinstance(data, on.PayoutPaid):
            payout.fee = self.transfer_fee(payout, data)
            fees = payout.fee or 0
        if isinstance(data, on.PayoutReturned):
            fees = -(payout.fee or 0)  # By default, what had arrived leaves the account.
            if data.debited is not None:
                self.check_currency(data.debited.currency)
                payout.debited = data.debited.minor
                fees = payout.debited - payout.amount
        payout.state = after
        if payout.state != "paid":
            self._free(payout)
        in_transit, paid_out, owed = {
            "paid": (-payout.amount, payout.amount, 0),
            "failed": (-payout.amount, 0, payout.amount),
            "returned": (0, -payout.amount, payout.amount),
        }[payout.state]
        entry = self.book(f"payout_{payout.state}", at, payout=data.payout, owed=owed)
        entry.in_transit, entry.paid_out, entry.transfer_fees = in_transit, paid_out, fees

    @staticmethod
    def _free(payout: Payout) -> None:
        for entry, part in payout.lines:
            entry.settled -= part

    @staticmethod
    def _settle(payout: Payout, lines: list[tuple[Entry, int]]) -> None:
        payout.lines = lines
        for entry, part in lines:
            entry.settled += part

    def entry_reversed(self, data: on.EntryReversed, at: datetime) -> None:
        """The exact inverse, once; for tips, adjustments and payouts entered by mistake."""
        past = self.recorded.get((data.event.source, data.event.id)) or refuse("not_found")
        kinds = (on.TipReceived, on.AdjustmentPosted, on.PayoutSent, on.PayoutStatusChanged)
        if not isinstance(past.data, kinds) or past.undone:
            refuse("not_reversible")
        if at < past.event.time:
            refuse("impossible_time")
        if isinstance(past.data, on.PayoutSent | on.PayoutStatusChanged):
            self._step_back(self.payouts[past.data.payout], verb(past.data))
        if isinstance(past.data, on.AdjustmentPosted):
            self.adjustments.remove(past.data.adjustment)
        past.undone = True
        for entry in past.entries:
            self.undo(entry, at)

    def _step_back(self, payout: Payout, step: str) -> None:
        """Rulebook 6, reversal: the later step first; a payout sent again gets new lines."""
        if payout.state != step:
            refuse("not_reversible")
        if step in ("failed", "returned"):
            if payout.amount > self.owed:
                refuse("payout_too_large")
            self._settle(payout, self.lines(payout.amount))
        if step == "sent":
            self._free(payout)
        if step == "paid":
            payout.fee = None
        if step == "returned":
            payout.debited = None
        before = {"sent": "reversed", "paid": "sent", "failed": "sent", "returned": "paid"}
        payout.state = before[step]

    # --- the expert and the book ----------------------------------------------------------------

    def preferences_changed(self, data: on.PreferencesChanged, _: datetime) -> None:
        """Fields that are not named keep their values."""
        named = {field.name: getattr(data, field.name) for field in fields(data)}
        given = {name: value for name, value in named.items() if value is not None}
        for rate in (data.minimum_rate, data.direct_rate):
            if rate is not None:
                self.caution_rate(rate)
        if not given:
            refuse("invalid_event")
        self.caution("unreadable_preference", when=data.availability == FOREIGN_HOURS)
        self.preferences |= given

    def payout_profile_changed(self, data: on.PayoutProfileChanged, _: datetime) -> None:
        """Record which fields are filled in."""
        self.profile |= set(data.fields)

    def payout_profile_revealed(self, data: on.PayoutProfileRevealed, _: datetime) -> None:
        """The event has no effect."""

    def customer_erasure_requested(self, data: on.ErasureRequested, _: datetime) -> None:
        """The request is listed; it has no other effect."""
        if data.customer not in self.customers:
            refuse("not_found")

    def customer_forgotten(self, data: on.CustomerForgotten, _: datetime) -> None:
        """The facts stay."""
        if data.customer not in self.customers:
            refuse("not_found")

    def policy_adopted(self, data: on.PolicyAdopted, _: datetime) -> None:
        """Rulebook 3: from now on; months and currency are fixed by the first entry."""
        was, now = self.policy, data.policy
        held = any(
            session.state not in ("cancelled", "missed") for session in self.sessions.values()
        )
        recut = was.period != now.period or was.currency != now.currency
        if recut and (self.entries or (was.currency != now.currency and held)):
            refuse("period_fixed")
        self.policy = now
        for session in self.sessions.values():
            if session.month and recut:
                self.count(session, session.month, -1)
                session.month = self.month_of_session(session)
                self.count(session, session.month)


RULES: dict[str, Callable[[Model, Any, datetime], None]] = {
    "request.opened": Model.request_opened,
    "request.accepted": Model.request_accepted,
    **dict.fromkeys(
        ("request.declined", "request.withdrawn", "request.taken", "request.expired"),
        Model.request_closed,
    ),
    **dict.fromkeys(
        (
            *("session.rescheduled", "session.cancelled", "session.missed", "session.started"),
            *("session.paused", "session.resumed", "session.ended"),
        ),
        Model.session_stepped,
    ),
    "session.logged": Model.session_logged,
    "session.corrected": Model.session_corrected,
    "artifact.added": Model.artifact_added,
    "review.posted": Model.review_posted,
    "tip.received": Model.tip_received,
    "refund.claimed": Model.refund_claimed,
    **dict.fromkeys(
        (
            *("refund.conceded", "refund.granted", "refund.denied", "refund.withdrawn"),
            *("dispute.filed", "dispute.withdrawn", "dispute.accepted", "dispute.rejected"),
        ),
        Model.claim_stepped,
    ),
    "adjustment.posted": Model.adjustment_posted,
    "payout.sent": Model.payout_sent,
    **dict.fromkeys(("payout.paid", "payout.failed", "payout.returned"), Model.payout_stepped),
    "entry.reversed": Model.entry_reversed,
    "preferences.changed": Model.preferences_changed,
    "payout_profile.changed": Model.payout_profile_changed,
    "payout_profile.revealed": Model.payout_profile_revealed,
    "customer.erasure_requested": Model.customer_erasure_requested,
    "customer.forgotten": Model.customer_forgotten,
    "policy.adopted": Model.policy_adopted,
}


SETTINGS = (
    *("preferences.changed", "payout_profile.changed", "payout_profile.revealed"),
    *("customer.forgotten", "policy.adopted"),
)
THE_EXPERTS = (
    *("payout_profile.changed", "payout_profile.revealed", "customer.forgotten", "policy.adopted"),
)
"""What no feed may say."""

STATELESS = ("tip.received", "review.posted", "artifact.added", "entry.reversed")
"""What even a command can only tell, since there is no state to be in."""


def is_the_experts(source: str, data: EventData) -> bool:
    """Return True if only the expert may report this (2-events, "Who may say what")."""
    if isinstance(data, on.PreferencesChanged):
        given = {field.name for field in fields(data) if getattr(data, field.name) is not None}
        return not given <= {"verification", "role"}
    if isinstance(data, on.EntryReversed):
        return data.event.source != source
    return data.TYPE in THE_EXPERTS


WORDS = (
    *("name", "timezone", "language", "title", "description", "skills"),
    *("reason", "text", "summary", "note"),
)
"""The personal fields of the contract. A payout's `reason` is none."""

TOLERATED = {
    "payout.paid": ("fee", "received", "evidence"),
    "payout.returned": ("debited",),
    "request.accepted": ("session",),
    "session.ended": ("billed",),
    "session.logged": ("billed",),
    "session.rescheduled": ("alias",),
    "tip.received": ("again",),
}
"""What may differ between two who tell the same: it then has a meaning of its own."""

DETAILS = {"payout.paid": ("fee", "received", "evidence"), "payout.returned": ("debited",)}
"""What a later report of a payout's step, even of the same source, may add to it."""

ADDED = {
    "session.corrected": ("start", "end", "pauses", "billed"),
    "session.rescheduled": ("minutes",),
    "session.logged": ("pauses",),
}
"""What says something else where the first telling had nothing."""


def adds_details(data: EventData) -> bool:
    """Return True if a report of a payout's step has details."""
    return any(getattr(data, name) is not None for name in DETAILS.get(data.TYPE, ()))


def contradictions(
    first: EventData | on.CustomerInfo, again: EventData | on.CustomerInfo
) -> list[str]:
    """The facts that both give with different values; wording does not matter."""
    words = () if isinstance(again, on.PayoutStatusChanged) else WORDS
    kind = getattr(again, "TYPE", "")
    names = []
    for field in fields(again):  # type: ignore[arg-type]
        old, new = getattr(first, field.name), getattr(again, field.name)
        if field.name in TOLERATED.get(kind, ()) or field.name in words:
            continue
        says_none = new is None or (kind == "session.logged" and new == ())
        if old is None and not says_none and field.name in ADDED.get(kind, ()):
            names.append(field.name)
        if None in (old, new):
            continue
        if field.name == "pauses":
            old, new = sorted(old), sorted(new)
        if isinstance(new, on.CustomerInfo):
            names += contradictions(old, new)
        elif old != new:
            names.append(field.name)
    return names
