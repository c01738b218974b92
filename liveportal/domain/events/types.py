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
MINUTES = Integer(1, 24 * 60)
COUNT = Integer(0, 2**63 - 1)
SHA256 = Pattern(r"[0-9a-f]{64}", "a SHA-256 as 64 hex digits")
PAUSES = ListOf(Interval())
LABEL = Pattern(
    r"[^\x00-\x1f\x7f\ud800-\udfff]{1,256}", "1-256 characters, none of them a control character"
)


# --- requests -------------------------------------------------------------------------------------


@event_data
class CustomerInfo(EventRecord):
    """The customer of a request. The id is a pseudonym and is kept; the rest is personal."""

    id: str = of(ID)
    name: str | None = of(TEXT, default=None, personal=True)
    timezone: str | None = of(TEXT, default=None, personal=True)
    language: str | None = of(TEXT, default=None, personal=True)


@event_data
class Slot(EventRecord):
    """A time that the customer proposes."""

    start: datetime = of(INSTANT)
    minutes: int = of(MINUTES)


class RequestEvent(EventData):
    ENTITY = "request"
    FEED_FIELDS = EVERY_FIELD


@event_data
class RequestOpened(RequestEvent):
    TYPE = "request.opened"
    request: str = of(ID)
    kind: str = of(Choice("instant", "scheduled"))
    direct: bool | None = of(BOOLEAN, default=None)
    customer: CustomerInfo = of(Struct(CustomerInfo))
    title: str = of(TEXT, personal=True)
    description: str | None = of(TEXT, default=None, personal=True)
    skills: tuple[str, ...] | None = of(ListOf(TEXT), default=None, personal=True)
    rate: Money = of(POSITIVE)
    slots: tuple[Slot, ...] | None = of(ListOf(Struct(Slot), 1, 10), default=None)
    expires: datetime | None = of(INSTANT, default=None)


@event_data
class RequestAccepted(RequestEvent):
    TYPE = "request.accepted"
    request: str = of(ID)
    session: str | None = of(ID, default=None)
    slot: int | None = of(Integer(1, 10), default=None)


@event_data
class RequestClosed(RequestEvent):
    """Fields of the four events that close a request without a session."""

    request: str = of(ID)
    reason: str | None = of(TEXT, default=None, personal=True)


@event_data
class RequestDeclined(RequestClosed):
    TYPE = "request.declined"


@event_data
class RequestWithdrawn(RequestClosed):
    TYPE = "request.withdrawn"


@event_data
class RequestTaken(RequestClosed):
    TYPE = "request.taken"


@event_data
class RequestExpired(RequestClosed):
    TYPE = "request.expired"


# --- sessions -------------------------------------------------------------------------------------


class SessionEvent(EventData):
    ENTITY = "session"
    FEED_FIELDS = EVERY_FIELD


@event_data
class SessionRescheduled(SessionEvent):
    TYPE = "session.rescheduled"
    session: str = of(ID)
    start: datetime = of(INSTANT)
    minutes: int | None = of(MINUTES, default=None)
    alias: str | None = of(ID, default=None)


@event_data
class SessionCancelled(SessionEvent):
    TYPE = "session.cancelled"
    session: str = of(ID)
    by: str = of(Choice("expert", "customer", "platform"))
    reason: str | None = of(TEXT, default=None, personal=True)


@event_data
class SessionMissed(SessionEvent):
    TYPE = "session.missed"
    session: str = of(ID)
    by: str = of(PERSON)


@event_data
class SessionStarted(SessionEvent):
    TYPE = "session.started"
    session: str = of(ID)


@event_data
class SessionPaused(SessionEvent):
    TYPE = "session.paused"
    session: str = of(ID)


@event_data
class SessionResumed(SessionEvent):
    TYPE = "session.resumed"
    session: str = of(ID)


@event_data
class SessionEnded(SessionEvent):
    TYPE = "session.ended"
    session: str = of(ID)
    billed: Money | None = of(BILLED, default=None)


@event_data
class SessionLogged(SessionEvent):
    TYPE = "session.logged"
    session: str = of(ID)
    customer: CustomerInfo = of(Struct(CustomerInfo))
    rate: Money = of(POSITIVE)
    start: datetime = of(INSTANT)
    end: datetime = of(INSTANT)
    pauses: tuple[tuple[datetime, datetime], ...] | None = of(PAUSES, default=None)
    billed: Money | None = of(BILLED, default=None)
    title: str | None = of(TEXT, default=None, personal=True)


@event_data
class SessionCorrected(SessionEvent):
    TYPE = "session.corrected"
    session: str = of(ID)
    start: datetime | None = of(INSTANT, default=None)
    end: datetime | None = of(INSTANT, default=None)
    pauses: tuple[tuple[datetime, datetime], ...] | None = of(PAUSES, default=None)
    billed: Money | None = of(BILLED, default=None)
    reason: str = of(TEXT, personal=True)


@event_data
class ArtifactAdded(SessionEvent):
    TYPE = "artifact.added"
    session: str = of(ID)
    kind: str = of(Choice("transcript", "attachment", "recording", "code"))
    name: str = of(TEXT, personal=True)
    sha256: str = of(SHA256)
    bytes: int = of(COUNT)
    media_type: str | None = of(LABEL, default=None)


@event_data
class ReviewPosted(SessionEvent):
    TYPE = "review.posted"
    session: str = of(ID)
    by: str = of(PERSON)
    rating: int = of(Integer(1, 5))
    text: str | None = of(TEXT, default=None, personal=True)


@event_data
class TipReceived(SessionEvent):
    TYPE = "tip.received"
    session: str = of(ID)
    amount: Money = of(POSITIVE)
    again: bool | None = of(BOOLEAN, default=None)


# --- claims and disputes --------------------------------------------------------------------------


class ClaimEvent(EventData):
    ENTITY = "claim"
    FEED_FIELDS = EVERY_FIELD


@event_data
class RefundClaimed(ClaimEvent):
    TYPE = "refund.claimed"
    claim: str = of(ID)
    session: str = of(ID)
    reason: str = of(TEXT, personal=True)
    amount: Money | None = of(POSITIVE, default=None)


@event_data
class ClaimClosed(ClaimEvent):
    """Fields of the four events that close a claim without a dispute."""

    claim: str = of(ID)
    reason: str | None = of(TEXT, default=None, personal=True)


@event_data
class RefundConceded(ClaimClosed):
    TYPE = "refund.conceded"


@event_data
class RefundGranted(ClaimClosed):
    TYPE = "refund.granted"


@event_data
class RefundDenied(ClaimClosed):
    TYPE = "refund.denied"


@event_data
class RefundWithdrawn(ClaimClosed):
    TYPE = "refund.withdrawn"


@event_data
class DisputeFiled(ClaimEvent):
    TYPE = "dispute.filed"
    claim: str = of(ID)
    summary: str = of(TEXT, personal=True)


@event_data
class DisputeWithdrawn(ClaimEvent):
    TYPE = "dispute.withdrawn"
    claim: str = of(ID)


@event_data
class DisputeRuled(ClaimEvent):
    """Fields of the two rulings on a dispute."""

    claim: str = of(ID)
    note: str | None = of(TEXT, default=None, personal=True)


@event_data
class DisputeAccepted(DisputeRuled):
    TYPE = "dispute.accepted"


@event_data
class DisputeRejected(DisputeRuled):
    TYPE = "dispute.rejected"


# --- other money ----------------------------------------------------------------------------------


@event_data
class AdjustmentPosted(EventData):
    TYPE = "adjustment.posted"
    ENTITY = "adjustment"
    FEED_FIELDS = EVERY_FIELD
    adjustment: str = of(ID)
    amount: Money = of(SIGNED)
    reason: str = of(TEXT, personal=True)


class PayoutEvent(EventData):
    ENTITY = "payout"
    FEED_FIELDS = EVERY_FIELD


@event_data
class PayoutSent(PayoutEvent):
    TYPE = "payout.sent"
    payout: str = of(ID)
    amount: Money = of(POSITIVE)
    method: str = of(Pattern(r"[\x20-\x7e]{1,64}", "1-64 printable characters"))
    reference: str | None = of(LABEL, default=None)


@event_data
class PayoutStatusChanged(PayoutEvent):
    """Fields of the three events that follow the sending of a payout."""

    payout: str = of(ID)
    reason: str | None = of(TEXT, default=None)


@event_data
class PayoutPaid(PayoutStatusChanged):
    TYPE = "payout.paid"


@event_data
class PayoutFailed(PayoutStatusChanged):
    TYPE = "payout.failed"


@event_data
class PayoutReturned(PayoutStatusChanged):
    TYPE = "payout.returned"


@event_data
class EventRef(EventRecord):
    """A reference to another event."""

    source: str = of(NAME)
    id: str = of(NAME)


@event_data
class EntryReversed(EventData):
    TYPE = "entry.reversed"
    ENTITY = "event"
    FEED_FIELDS = EVERY_FIELD
    OWN_SOURCE_FIELD = "event"
    event: EventRef = of(Struct(EventRef))
    reason: str = of(TEXT, personal=True)

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

    before: int | None = of(Integer(0, 24 * 60), default=None)
    after: int | None = of(Integer(0, 24 * 60), default=None)


@event_data
class Vacation(EventRecord):
    """Days off, first and last included, in the expert's zone."""

    start: date = of(Day())
    end: date = of(Day())


@event_data
class PreferencesChanged(BookEvent):
    TYPE = "preferences.changed"
    FEED_FIELDS = frozenset({"verification", "role"})
    verification: str | None = of(TEXT, default=None)
    role: str | None = of(TEXT, default=None)
    skills: tuple[str, ...] | None = of(ListOf(TEXT), default=None)
    languages: tuple[str, ...] | None = of(ListOf(TEXT), default=None)
    experience_years: int | None = of(Integer(0, 100), default=None)
    minimum_rate: Money | None = of(POSITIVE, default=None)
    direct_rate: Money | None = of(POSITIVE, default=None)
    timezone: str | None = of(TEXT, default=None)
    availability: Any = of(Document(), default=None)
    buffers: Buffers | None = of(Struct(Buffers), default=None)
    vacations: tuple[Vacation, ...] | None = of(ListOf(Struct(Vacation)), default=None)
    auto_decline: Any = of(Document(), default=None)
    notifications: Any = of(Document(), default=None)
    attachment_limit: int | None = of(Integer(1, 2**63 - 1), default=None)


@event_data
class PayoutProfileChanged(BookEvent):
    TYPE = "payout_profile.changed"
    fields: tuple[str, ...] = of(ListOf(LABEL, 1, 64))
    fingerprints: Any = of(Document(), default=None)


@event_data
class PayoutProfileRevealed(BookEvent):
    TYPE = "payout_profile.revealed"
    fields: tuple[str, ...] = of(ListOf(LABEL, 1, 64))


@event_data
class ErasureRequested(EventData):
    """A customer asks for the erasure of their personal data; only the expert can carry it out."""

    TYPE = "customer.erasure_requested"
    ENTITY = "customer"
    FEED_FIELDS = EVERY_FIELD
    customer: str = of(ID)
    reason: str | None = of(TEXT, default=None, personal=True)


@event_data
class CustomerForgotten(EventData):
    TYPE = "customer.forgotten"
    ENTITY = "customer"
    customer: str = of(ID)


@event_data
class PolicyAdopted(BookEvent):
    TYPE = "policy.adopted"
    policy: Policy = of(PolicyDocument())


def _collect_types(base: type[EventData]) -> dict[str, type[EventData]]:
    types = {base.TYPE: base} if "TYPE" in vars(base) else {}
    for subclass in base.__subclasses__():
        types |= _collect_types(subclass)
    return types


TYPES: dict[str, type[EventData]] = _collect_types(EventData)
"""The data class of each event type, keyed by the type without its prefix."""
