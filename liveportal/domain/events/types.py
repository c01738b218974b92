"""The events of the contract: everything that changes the books, once each.

An event's `type` on the wire is `liveportal.` and the `TYPE` of its data. Personal fields are
stored apart in the journal and can be erased; all others are facts. `FEED_FIELDS` declares what a
feed may report; `domain/events/sources.py` enforces it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from liveportal.domain.events.envelope import EVERY_FIELD, NAME, EventData, event_data
from liveportal.domain.events.field_types import (
    BILLED,
    BOOLEAN,
    ID,
    INSTANT,
    POSITIVE,
    SIGNED,
    TEXT,
    Choice,
    Day,
    Document,
    InstantOrDay,
    Integer,
    Interval,
    ListOf,
    Pattern,
    PolicyDocument,
)
from liveportal.domain.events.fields import EventRecord, Struct, of
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy

PERSON = Choice("expert", "customer")
PARTY = Choice("expert", "customer", "platform")
MINUTES = Integer(1, 24 * 60)
COUNT = Integer(0, 2**63 - 1)
SHA256 = Pattern(r"[0-9a-f]{64}", "a SHA-256 as 64 lower-case hex digits")
PAUSES = ListOf(Interval())
LABEL = Pattern(
    r"[^\x00-\x1f\x7f\ud800-\udfff]{1,256}", "1-256 characters, none of them a control character"
)


# --- requests -------------------------------------------------------------------------------------


@event_data
class CustomerInfo(EventRecord):
    """The customer of a request. The id is a pseudonym and is kept; the rest is personal."""

    id: str = of(
        ID, doc="The customer's id: a pseudonym, which is kept when the customer is erased."
    )
    name: str | None = of(
        TEXT, default=None, personal=True, doc="The customer's name. The latest one is shown."
    )
    timezone: str | None = of(
        TEXT, default=None, personal=True, doc="The customer's time zone, such as `Asia/Seoul`."
    )
    language: str | None = of(
        TEXT, default=None, personal=True, doc="The customer's language, such as `ko`."
    )


@event_data
class Slot(EventRecord):
    """A time that the customer proposes."""

    start: datetime = of(INSTANT, doc="When the session would start.")
    minutes: int = of(MINUTES, doc="How many minutes it would last.")


class RequestEvent(EventData):
    """An event about a request."""

    ENTITY = "request"
    FEED_FIELDS = EVERY_FIELD


@event_data
class RequestOpened(RequestEvent):
    """A customer asks for help, either now (`instant`) or at a proposed time (`scheduled`).

    The rate is fixed here: later changes of the expert's preferences do not change it.
    """

    TYPE = "request.opened"
    request: str = of(ID, doc="A new id for the request.")
    kind: str = of(
        Choice("instant", "scheduled"),
        doc="`instant`: help is needed now. `scheduled`: the customer proposes times.",
    )
    direct: bool | None = of(
        BOOLEAN, default=None, doc="True if the customer booked this expert personally."
    )
    customer: CustomerInfo = of(Struct(CustomerInfo), doc="The customer who asks.")
    title: str = of(TEXT, personal=True, doc="What the customer needs, in a few words.")
    description: str | None = of(
        TEXT, default=None, personal=True, doc="What the customer needs, in full."
    )
    skills: tuple[str, ...] | None = of(
        ListOf(TEXT), default=None, personal=True, doc="The skills that the request needs."
    )
    rate: Money = of(POSITIVE, doc="The price of a minute.")
    slots: tuple[Slot, ...] | None = of(
        ListOf(Struct(Slot), 1, 10),
        default=None,
        doc="The times that the customer proposes: required if scheduled, refused if instant.",
    )
    expires: datetime | None = of(
        INSTANT, default=None, doc="When the request lapses if it is not answered."
    )


@event_data
class RequestAccepted(RequestEvent):
    """The expert accepted the request, which makes a session.

    An instant request gives a session that is live from `time` on; a scheduled one gives a session
    that is upcoming, at the chosen slot.
    """

    TYPE = "request.accepted"
    request: str = of(ID, doc="The request.")
    session: str | None = of(
        ID,
        default=None,
        doc="A new id for the session. By default, the session has the id of its request.",
    )
    slot: int | None = of(
        Integer(1, 10),
        default=None,
        doc="The number of the chosen slot, from 1: required if scheduled, refused if instant.",
    )


@event_data
class RequestClosed(RequestEvent):
    """Fields of the four events that close a request without a session."""

    request: str = of(ID, doc="The request.")
    reason: str | None = of(TEXT, default=None, personal=True, doc="The reason, in words.")


@event_data
class RequestDeclined(RequestClosed):
    """The expert declined the request."""

    TYPE = "request.declined"


@event_data
class RequestWithdrawn(RequestClosed):
    """The customer withdrew the request."""

    TYPE = "request.withdrawn"


@event_data
class RequestTaken(RequestClosed):
    """Another expert got the request.

    If the expert's own accept was recorded first, it came too late, and its session is
    cancelled.
    """

    TYPE = "request.taken"


@event_data
class RequestExpired(RequestClosed):
    """The request lapsed because no one accepted it in time."""

    TYPE = "request.expired"


# --- sessions -------------------------------------------------------------------------------------


class SessionEvent(EventData):
    """An event about a session."""

    ENTITY = "session"
    FEED_FIELDS = EVERY_FIELD


@event_data
class SessionRescheduled(SessionEvent):
    """The upcoming session was moved to another time."""

    TYPE = "session.rescheduled"
    session: str = of(ID, doc="The session.")
    start: datetime = of(INSTANT, doc="The new start.")
    minutes: int | None = of(
        MINUTES,
        default=None,
        doc="The new length in minutes. By default, the length stays as it was.",
    )
    alias: str | None = of(
        ID, default=None, doc="One more id for the session: later events may use either."
    )


@event_data
class SessionCancelled(SessionEvent):
    """The upcoming session was cancelled. Nothing is billed."""

    TYPE = "session.cancelled"
    session: str = of(ID, doc="The session.")
    by: str = of(PARTY, doc="Who cancelled it.")
    reason: str | None = of(TEXT, default=None, personal=True, doc="The reason, in words.")


@event_data
class SessionMissed(SessionEvent):
    """The expert or the customer did not come to the upcoming session. Nothing is billed."""

    TYPE = "session.missed"
    session: str = of(ID, doc="The session.")
    by: str = of(PERSON, doc="Who did not come.")


@event_data
class SessionStarted(SessionEvent):
    """The upcoming session started, and its timer runs.

    The session of an instant request started when the request was accepted; for such a session this
    event is refused.
    """

    TYPE = "session.started"
    session: str = of(ID, doc="The session.")


@event_data
class SessionPaused(SessionEvent):
    """The timer was paused. Paused time is not billed."""

    TYPE = "session.paused"
    session: str = of(ID, doc="The session.")


@event_data
class SessionResumed(SessionEvent):
    """The timer runs again after a pause."""

    TYPE = "session.resumed"
    session: str = of(ID, doc="The session.")


@event_data
class SessionEnded(SessionEvent):
    """The session ended and is billed, which books the expert's earning.

    A session that ends during its trial is free, and so is one that `billed` puts at 0.
    """

    TYPE = "session.ended"
    session: str = of(ID, doc="The session.")
    billed: Money | None = of(
        BILLED,
        default=None,
        doc="What the customer pays for the session. By default, the policy calculates it.",
    )


@event_data
class SessionLogged(SessionEvent):
    """One event for a whole session that is over. It needs no request.

    It is billed like an ended session. It counts in the month of its `end`, not of the
    event's `time`.
    """

    TYPE = "session.logged"
    session: str = of(ID, doc="A new id for the session.")
    customer: CustomerInfo = of(Struct(CustomerInfo), doc="The customer.")
    rate: Money = of(POSITIVE, doc="The price of a minute.")
    start: datetime = of(INSTANT, doc="When the session started.")
    end: datetime = of(INSTANT, doc="When the session ended.")
    pauses: tuple[tuple[datetime, datetime], ...] | None = of(
        PAUSES,
        default=None,
        doc="The pauses, each as `[from, to]`, inside the session and without overlaps.",
    )
    billed: Money | None = of(
        BILLED,
        default=None,
        doc="What the customer pays for the session. By default, the policy calculates it.",
    )
    title: str | None = of(TEXT, default=None, personal=True, doc="What the session was about.")


@event_data
class SessionCorrected(SessionEvent):
    """The times or the bill of an ended session were recorded wrong.

    At least one of `start`, `end`, `pauses` and `billed` is given. The earning is reversed and the
    right one is booked, both in the month of this event's `time`. The event is refused while a
    claim on the session is undecided, and after a refund.
    """

    TYPE = "session.corrected"
    session: str = of(ID, doc="The session.")
    start: datetime | None = of(
        INSTANT, default=None, doc="The right start. By default, the start stays as it was."
    )
    end: datetime | None = of(
        INSTANT, default=None, doc="The right end. By default, the end stays as it was."
    )
    pauses: tuple[tuple[datetime, datetime], ...] | None = of(
        PAUSES,
        default=None,
        doc="All pauses, each as `[from, to]`. By default, the pauses stay as they were.",
    )
    billed: Money | None = of(
        BILLED,
        default=None,
        doc="The right bill. By default, an earlier `billed` stays; else the policy calculates it.",
    )
    reason: str = of(TEXT, personal=True, doc="What was wrong.")


@event_data
class ArtifactAdded(SessionEvent):
    """A file is evidence of what happened in the session. It may come at any time.

    A feed gives the name, the size and the hash of the file, not the file itself.
    """

    TYPE = "artifact.added"
    session: str = of(ID, doc="The session.")
    kind: str = of(Choice("transcript", "attachment", "recording", "code"), doc="What the file is.")
    name: str = of(TEXT, personal=True, doc="The name of the file.")
    sha256: str = of(SHA256, doc="The hash of the file's content.")
    bytes: int = of(COUNT, doc="The size of the file in bytes.")
    media_type: str | None = of(
        LABEL, default=None, doc="The media type of the file, such as `video/mp4`."
    )


@event_data
class ReviewPosted(SessionEvent):
    """One side reviewed the other after the session ended. The latest review counts."""

    TYPE = "review.posted"
    session: str = of(ID, doc="The session.")
    by: str = of(PERSON, doc="Who wrote the review.")
    rating: int = of(Integer(1, 5), doc="The rating, where 5 is the best.")
    text: str | None = of(TEXT, default=None, personal=True, doc="The review, in words.")


@event_data
class TipReceived(SessionEvent):
    """The customer gave a tip after the session ended. The expert gets the whole tip."""

    TYPE = "tip.received"
    session: str = of(ID, doc="The session.")
    amount: Money = of(POSITIVE, doc="The tip.")
    again: bool | None = of(
        BOOLEAN,
        default=None,
        doc="True for one more tip. Otherwise, an equal tip from another source is the same tip.",
    )


# --- claims and disputes --------------------------------------------------------------------------


class ClaimEvent(EventData):
    """An event about a refund claim."""

    ENTITY = "claim"
    FEED_FIELDS = EVERY_FIELD


@event_data
class RefundClaimed(ClaimEvent):
    """The customer claims money back after a session that was billed.

    The expert's share of the amount is held until the claim is decided. A session has at most one
    undecided claim. A claim for less than the whole bill is refused unless the policy allows it.
    """

    TYPE = "refund.claimed"
    claim: str = of(ID, doc="A new id for the claim.")
    session: str = of(ID, doc="The session.")
    reason: str = of(TEXT, personal=True, doc="Why the customer wants money back.")
    amount: Money | None = of(
        POSITIVE,
        default=None,
        doc="How much is claimed. By default, all of the bill that is not refunded yet.",
    )


@event_data
class ClaimClosed(ClaimEvent):
    """Fields of the four events that close a claim without a dispute."""

    claim: str = of(ID, doc="The claim.")
    reason: str | None = of(TEXT, default=None, personal=True, doc="The reason, in words.")


@event_data
class RefundConceded(ClaimClosed):
    """The expert agreed to the claim: the refund is deducted from the earnings."""

    TYPE = "refund.conceded"


@event_data
class RefundGranted(ClaimClosed):
    """The platform granted the claim: the refund is deducted from the earnings."""

    TYPE = "refund.granted"


@event_data
class RefundDenied(ClaimClosed):
    """The platform denied the claim: the held money is released."""

    TYPE = "refund.denied"


@event_data
class RefundWithdrawn(ClaimClosed):
    """The customer withdrew the claim: the held money is released."""

    TYPE = "refund.withdrawn"


@event_data
class DisputeFiled(ClaimEvent):
    """The expert disputed the claim. The money stays held."""

    TYPE = "dispute.filed"
    claim: str = of(ID, doc="The claim.")
    summary: str = of(
        TEXT, personal=True, doc="What happened in the session, in the expert's words."
    )


@event_data
class DisputeWithdrawn(ClaimEvent):
    """The expert withdrew the dispute: the claim is open again."""

    TYPE = "dispute.withdrawn"
    claim: str = of(ID, doc="The claim.")


@event_data
class DisputeRuled(ClaimEvent):
    """Fields of the two rulings on a dispute."""

    claim: str = of(ID, doc="The claim.")
    note: str | None = of(TEXT, default=None, personal=True, doc="The reasons for the ruling.")


@event_data
class DisputeAccepted(DisputeRuled):
    """The platform ruled for the expert: the held money is released."""

    TYPE = "dispute.accepted"


@event_data
class DisputeRejected(DisputeRuled):
    """The platform ruled for the customer: the refund is deducted from the earnings."""

    TYPE = "dispute.rejected"


# --- other money ----------------------------------------------------------------------------------


@event_data
class AdjustmentPosted(EventData):
    """The platform paid the expert a bonus, or charged a fee."""

    TYPE = "adjustment.posted"
    ENTITY = "adjustment"
    FEED_FIELDS = EVERY_FIELD
    adjustment: str = of(ID, doc="A new id for the adjustment.")
    amount: Money = of(SIGNED, doc="A bonus is positive, a fee is negative.")
    reason: str = of(TEXT, personal=True, doc="What it is for.")


class PayoutEvent(EventData):
    """An event about a payout."""

    ENTITY = "payout"
    FEED_FIELDS = EVERY_FIELD


@event_data
class PayoutSent(PayoutEvent):
    """The platform sent money to the expert.

    The event is refused if the amount is more than what is owed to the expert at this line.
    """

    TYPE = "payout.sent"
    payout: str = of(ID, doc="A new id for the payout.")
    amount: Money = of(POSITIVE, doc="The amount that was sent.")
    method: str = of(
        Pattern(r"[\x20-\x7e]{1,64}", "1-64 printable characters"),
        doc="How it was sent, such as `paypal`.",
    )
    reference: str | None = of(
        LABEL, default=None, doc="The number of the payment at the bank or payment service."
    )


@event_data
class PayoutStatusChanged(PayoutEvent):
    """Fields of the three events that follow the sending of a payout."""

    payout: str = of(ID, doc="The payout.")
    reason: str | None = of(TEXT, default=None, doc="The reason, without personal data.")


@event_data
class Evidence(EventRecord):
    """The row of a bank's or payment service's file that shows a payment."""

    file_sha256: str = of(SHA256, doc="The hash of the file's content.")
    line: int = of(Integer(1, 2**63 - 1), doc="The line of the file on which the row begins.")
    row: str = of(LABEL, doc="The id of the row, such as the transaction's id.")
    time: str | None = of(
        InstantOrDay(), default=None, doc="The row's own time, with its offset, or its date."
    )


@event_data
class PayoutPaid(PayoutStatusChanged):
    """The payout arrived, perhaps less a fee.

    The fee is what a bank or payment service took from the amount, not the platform's fee. A fee
    that a later report of the same arrival adds is booked as a difference, in the month of that
    report's own `time`.
    """

    TYPE = "payout.paid"
    fee: Money | None = of(
        BILLED,
        default=None,
        doc="What was charged for the transfer: at most the payout's amount, in its currency.",
    )
    received: Money | None = of(
        BILLED,
        default=None,
        doc="What was credited, in any currency. It is only shown: nothing is booked with it.",
    )
    evidence: Evidence | None = of(
        Struct(Evidence), default=None, doc="Where a file of the bank or service shows the arrival."
    )


@event_data
class PayoutFailed(PayoutStatusChanged):
    """The payout did not arrive: its amount is owed again."""

    TYPE = "payout.failed"


@event_data
class PayoutReturned(PayoutStatusChanged):
    """The payout arrived and came back: its whole amount is owed again.

    A different amount that a later report of the same return states is booked as a difference, in
    the month of that report's own `time`.
    """

    TYPE = "payout.returned"
    debited: Money | None = of(
        BILLED,
        default=None,
        doc="What left the expert's account. By default, what had arrived, as far as it is known.",
    )


@event_data
class EventRef(EventRecord):
    """A reference to another event."""

    source: str = of(NAME, doc="The `source` of that event.")
    id: str = of(NAME, doc="The `id` of that event.")


@event_data
class EntryReversed(EventData):
    """An earlier event was a mistake: what it booked is reversed.

    Tips, adjustments, payouts and the steps of payouts can be reversed, once each; of a payout, the
    last step first. The id of a reversed payout or adjustment may be used again.
    """

    TYPE = "entry.reversed"
    ENTITY = "event"
    FEED_FIELDS = EVERY_FIELD
    OWN_SOURCE_FIELD = "event"
    event: EventRef = of(Struct(EventRef), doc="The event that was a mistake.")
    reason: str = of(TEXT, personal=True, doc="What was wrong.")

    @property
    def entity(self) -> str:
        """The reversed event, named in full: its source and id may hold any character."""
        return f"event:{self.event.source} {self.event.id}"


# --- the expert and the book ----------------------------------------------------------------------


class BookEvent(EventData):
    """Base of the events about the book itself, which need no id."""

    ENTITY = "book"

    @property
    def entity(self) -> str:
        """The book itself."""
        return "book"


@event_data
class Buffers(EventRecord):
    """Minutes to keep free around a scheduled session."""

    before: int | None = of(
        Integer(0, 24 * 60), default=None, doc="Minutes to keep free before a session."
    )
    after: int | None = of(
        Integer(0, 24 * 60), default=None, doc="Minutes to keep free after a session."
    )


@event_data
class Vacation(EventRecord):
    """Days off, first and last included, in the expert's zone."""

    start: date = of(Day(), doc="The first day off.")
    end: date = of(Day(), doc="The last day off.")


@event_data
class PreferencesChanged(BookEvent):
    """The expert's preferences changed. A preference that is left out stays as it was."""

    TYPE = "preferences.changed"
    FEED_FIELDS = frozenset({"verification", "role"})
    verification: str | None = of(
        TEXT, default=None, doc="The expert's verification status on the platform."
    )
    role: str | None = of(TEXT, default=None, doc="The expert's role on the platform.")
    skills: tuple[str, ...] | None = of(
        ListOf(TEXT), default=None, doc="The expert's skills, with which requests are matched."
    )
    languages: tuple[str, ...] | None = of(
        ListOf(TEXT), default=None, doc="The languages that the expert speaks."
    )
    experience_years: int | None = of(
        Integer(0, 100), default=None, doc="The expert's experience in years."
    )
    minimum_rate: Money | None = of(
        POSITIVE, default=None, doc="The lowest rate, a minute, of instant requests."
    )
    direct_rate: Money | None = of(
        POSITIVE,
        default=None,
        doc="The rate, a minute, for customers who book the expert personally.",
    )
    timezone: str | None = of(
        TEXT, default=None, doc="The expert's time zone, such as `Europe/Paris`."
    )
    availability: Any = of(Document(), default=None, doc="The expert's working hours.")
    buffers: Buffers | None = of(
        Struct(Buffers), default=None, doc="Minutes to keep free around a scheduled session."
    )
    vacations: tuple[Vacation, ...] | None = of(
        ListOf(Struct(Vacation)), default=None, doc="Days off, in the expert's time zone."
    )
    auto_decline: Any = of(
        Document(),
        default=None,
        doc="Rules by which requests are declined: the first one with all conditions met applies.",
    )
    notifications: Any = of(Document(), default=None, doc="How the expert is notified.")
    attachment_limit: int | None = of(
        Integer(1, 2**63 - 1),
        default=None,
        doc="The size in bytes of the largest file that can be attached to a session.",
    )


@event_data
class PayoutProfileChanged(BookEvent):
    """Fields of the payout profile were filled in or cleared.

    Their values are not in the event: they are kept encrypted, outside the journal.
    """

    TYPE = "payout_profile.changed"
    fields: tuple[str, ...] = of(ListOf(LABEL, 1, 64), doc="The names of the fields.")
    fingerprints: Any = of(
        Document(),
        default=None,
        doc="A keyed fingerprint of the value of each field; null for a field that was cleared.",
    )


@event_data
class PayoutProfileRevealed(BookEvent):
    """Encrypted fields of the payout profile were shown in full."""

    TYPE = "payout_profile.revealed"
    fields: tuple[str, ...] = of(ListOf(LABEL, 1, 64), doc="The names of the fields.")


@event_data
class ErasureRequested(EventData):
    """A customer asks for the erasure of their personal data.

    Only the expert can carry it out; until then `liveportal due` shows the request.
    """

    TYPE = "customer.erasure_requested"
    ENTITY = "customer"
    FEED_FIELDS = EVERY_FIELD
    customer: str = of(ID, doc="The customer's id.")
    reason: str | None = of(TEXT, default=None, personal=True, doc="The reason, in words.")


@event_data
class CustomerForgotten(EventData):
    """The customer's personal data was erased. Facts and amounts are kept."""

    TYPE = "customer.forgotten"
    ENTITY = "customer"
    customer: str = of(ID, doc="The customer's id.")


@event_data
class PolicyAdopted(BookEvent):
    """A policy applies to all sessions that are agreed from now on.

    Earlier sessions keep the policy under which they were agreed.
    """

    TYPE = "policy.adopted"
    policy: Policy = of(PolicyDocument(), doc="The whole policy, with each of its switches.")


def _collect_types(base: type[EventData]) -> dict[str, type[EventData]]:
    types = {base.TYPE: base} if "TYPE" in vars(base) else {}
    for subclass in base.__subclasses__():
        types |= _collect_types(subclass)
    return types


TYPES: dict[str, type[EventData]] = _collect_types(EventData)
"""The data class of each event type, keyed by the type without its prefix."""
