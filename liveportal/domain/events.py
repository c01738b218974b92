"""The events of the contract: everything that changes a book, each once.

An event's `type` on the wire is `liveportal.` and the `TYPE` of its data. Fields marked personal
lie apart in the journal and can be erased; all else is fact. `FEED_FIELDS` declares what a feed may
report; `domain/authority.py` enforces it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from liveportal.domain.codec import (
    BILLED,
    ID,
    INSTANT,
    POSITIVE,
    SIGNED,
    TEXT,
    TRUTH,
    Choice,
    Day,
    Document,
    ListOf,
    Pattern,
    PolicyDocument,
    Record,
    Span,
    Struct,
    Whole,
    of,
)
from liveportal.domain.envelope import EVERY_FIELD, NAME, Data, record
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy

PERSON = Choice("expert", "customer")
MINUTES = Whole(1, 24 * 60)
COUNT = Whole(0, 2**63 - 1)
SHA256 = Pattern(r"[0-9a-f]{64}", "a SHA-256 as 64 hex digits")
PAUSES = ListOf(Span())
LABEL = Pattern(
    r"[^\x00-\x1f\x7f\ud800-\udfff]{1,256}", "1-256 characters, none of them a control character"
)


# --- requests -------------------------------------------------------------------------------------


@record
class Customer(Record):
    """Who asks. The id is a pseudonym and stays; the rest is personal."""

    id: str = of(ID)
    name: str | None = of(TEXT, default=None, personal=True)
    timezone: str | None = of(TEXT, default=None, personal=True)
    language: str | None = of(TEXT, default=None, personal=True)


@record
class Slot(Record):
    """A time that the customer proposes."""

    start: datetime = of(INSTANT)
    minutes: int = of(MINUTES)


class AboutRequest(Data):
    THING = "request"
    FEED_FIELDS = EVERY_FIELD


@record
class RequestOpened(AboutRequest):
    TYPE = "request.opened"
    request: str = of(ID)
    kind: str = of(Choice("instant", "scheduled"))
    direct: bool | None = of(TRUTH, default=None)
    customer: Customer = of(Struct(Customer))
    title: str = of(TEXT, personal=True)
    description: str | None = of(TEXT, default=None, personal=True)
    skills: tuple[str, ...] | None = of(ListOf(TEXT), default=None, personal=True)
    rate: Money = of(POSITIVE)
    slots: tuple[Slot, ...] | None = of(ListOf(Struct(Slot), 1, 10), default=None)
    expires: datetime | None = of(INSTANT, default=None)


@record
class RequestAccepted(AboutRequest):
    TYPE = "request.accepted"
    request: str = of(ID)
    session: str | None = of(ID, default=None)
    slot: int | None = of(Whole(1, 10), default=None)


@record
class RequestClosed(AboutRequest):
    """The four ways in which a request ends without a session share their fields."""

    request: str = of(ID)
    reason: str | None = of(TEXT, default=None, personal=True)


@record
class RequestDeclined(RequestClosed):
    TYPE = "request.declined"


@record
class RequestWithdrawn(RequestClosed):
    TYPE = "request.withdrawn"


@record
class RequestTaken(RequestClosed):
    TYPE = "request.taken"


@record
class RequestExpired(RequestClosed):
    TYPE = "request.expired"


# --- sessions -------------------------------------------------------------------------------------


class AboutSession(Data):
    THING = "session"
    FEED_FIELDS = EVERY_FIELD


@record
class SessionRescheduled(AboutSession):
    TYPE = "session.rescheduled"
    session: str = of(ID)
    start: datetime = of(INSTANT)
    minutes: int | None = of(MINUTES, default=None)
    alias: str | None = of(ID, default=None)


@record
class SessionCancelled(AboutSession):
    TYPE = "session.cancelled"
    session: str = of(ID)
    by: str = of(Choice("expert", "customer", "platform"))
    reason: str | None = of(TEXT, default=None, personal=True)


@record
class SessionMissed(AboutSession):
    TYPE = "session.missed"
    session: str = of(ID)
    by: str = of(PERSON)


@record
class SessionStarted(AboutSession):
    TYPE = "session.started"
    session: str = of(ID)


@record
class SessionPaused(AboutSession):
    TYPE = "session.paused"
    session: str = of(ID)


@record
class SessionResumed(AboutSession):
    TYPE = "session.resumed"
    session: str = of(ID)


@record
class SessionEnded(AboutSession):
    TYPE = "session.ended"
    session: str = of(ID)
    billed: Money | None = of(BILLED, default=None)


@record
class SessionLogged(AboutSession):
    TYPE = "session.logged"
    session: str = of(ID)
    customer: Customer = of(Struct(Customer))
    rate: Money = of(POSITIVE)
    start: datetime = of(INSTANT)
    end: datetime = of(INSTANT)
    pauses: tuple[tuple[datetime, datetime], ...] | None = of(PAUSES, default=None)
    billed: Money | None = of(BILLED, default=None)
    title: str | None = of(TEXT, default=None, personal=True)


@record
class SessionCorrected(AboutSession):
    TYPE = "session.corrected"
    session: str = of(ID)
    start: datetime | None = of(INSTANT, default=None)
    end: datetime | None = of(INSTANT, default=None)
    pauses: tuple[tuple[datetime, datetime], ...] | None = of(PAUSES, default=None)
    billed: Money | None = of(BILLED, default=None)
    reason: str = of(TEXT, personal=True)


@record
class ArtifactAdded(AboutSession):
    TYPE = "artifact.added"
    session: str = of(ID)
    kind: str = of(Choice("transcript", "attachment", "recording", "code"))
    name: str = of(TEXT, personal=True)
    sha256: str = of(SHA256)
    bytes: int = of(COUNT)
    media_type: str | None = of(LABEL, default=None)


@record
class ReviewPosted(AboutSession):
    TYPE = "review.posted"
    session: str = of(ID)
    by: str = of(PERSON)
    rating: int = of(Whole(1, 5))
    text: str | None = of(TEXT, default=None, personal=True)


@record
class TipReceived(AboutSession):
    TYPE = "tip.received"
    session: str = of(ID)
    amount: Money = of(POSITIVE)
    again: bool | None = of(TRUTH, default=None)


# --- claims and disputes --------------------------------------------------------------------------


class AboutClaim(Data):
    THING = "claim"
    FEED_FIELDS = EVERY_FIELD


@record
class RefundClaimed(AboutClaim):
    TYPE = "refund.claimed"
    claim: str = of(ID)
    session: str = of(ID)
    reason: str = of(TEXT, personal=True)
    amount: Money | None = of(POSITIVE, default=None)


@record
class ClaimAnswered(AboutClaim):
    """The four ends of a claim without a dispute share their fields."""

    claim: str = of(ID)
    reason: str | None = of(TEXT, default=None, personal=True)


@record
class RefundConceded(ClaimAnswered):
    TYPE = "refund.conceded"


@record
class RefundGranted(ClaimAnswered):
    TYPE = "refund.granted"


@record
class RefundDenied(ClaimAnswered):
    TYPE = "refund.denied"


@record
class RefundWithdrawn(ClaimAnswered):
    TYPE = "refund.withdrawn"


@record
class DisputeFiled(AboutClaim):
    TYPE = "dispute.filed"
    claim: str = of(ID)
    summary: str = of(TEXT, personal=True)


@record
class DisputeWithdrawn(AboutClaim):
    TYPE = "dispute.withdrawn"
    claim: str = of(ID)


@record
class DisputeRuled(AboutClaim):
    """The two decisions of a review share their fields."""

    claim: str = of(ID)
    note: str | None = of(TEXT, default=None, personal=True)


@record
class DisputeAccepted(DisputeRuled):
    TYPE = "dispute.accepted"


@record
class DisputeRejected(DisputeRuled):
    TYPE = "dispute.rejected"


# --- other money ----------------------------------------------------------------------------------


@record
class AdjustmentPosted(Data):
    TYPE = "adjustment.posted"
    THING = "adjustment"
    FEED_FIELDS = EVERY_FIELD
    adjustment: str = of(ID)
    amount: Money = of(SIGNED)
    reason: str = of(TEXT, personal=True)


class AboutPayout(Data):
    THING = "payout"
    FEED_FIELDS = EVERY_FIELD


@record
class PayoutSent(AboutPayout):
    TYPE = "payout.sent"
    payout: str = of(ID)
    amount: Money = of(POSITIVE)
    method: str = of(Pattern(r"[\x20-\x7e]{1,64}", "1-64 printable characters"))
    reference: str | None = of(LABEL, default=None)


@record
class PayoutMoved(AboutPayout):
    """The three ends of a payout share their fields."""

    payout: str = of(ID)
    reason: str | None = of(TEXT, default=None)


@record
class PayoutPaid(PayoutMoved):
    TYPE = "payout.paid"


@record
class PayoutFailed(PayoutMoved):
    TYPE = "payout.failed"


@record
class PayoutReturned(PayoutMoved):
    TYPE = "payout.returned"


@record
class EventRef(Record):
    """The name of another event."""

    source: str = of(NAME)
    id: str = of(NAME)


@record
class EntryReversed(Data):
    TYPE = "entry.reversed"
    THING = "event"
    FEED_FIELDS = EVERY_FIELD
    OWN_SOURCE_FIELD = "event"
    event: EventRef = of(Struct(EventRef))
    reason: str = of(TEXT, personal=True)

    @property
    def thing(self) -> str:
        """The reversed event; its source and id may hold any character, so both are spelled out."""
        return f"event:{self.event.source} {self.event.id}"


# --- the expert and the book ----------------------------------------------------------------------


class AboutBook(Data):
    """Settings of the book: the type alone says which."""

    THING = "book"

    @property
    def thing(self) -> str:
        """The book itself."""
        return "book"


@record
class Buffers(Record):
    """Minutes to keep free around a scheduled session."""

    before: int | None = of(Whole(0, 24 * 60), default=None)
    after: int | None = of(Whole(0, 24 * 60), default=None)


@record
class Vacation(Record):
    """Days off, the first and the last included, in the expert's zone."""

    start: date = of(Day())
    end: date = of(Day())


@record
class PreferencesChanged(AboutBook):
    TYPE = "preferences.changed"
    FEED_FIELDS = frozenset({"verification", "role"})
    verification: str | None = of(TEXT, default=None)
    role: str | None = of(TEXT, default=None)
    skills: tuple[str, ...] | None = of(ListOf(TEXT), default=None)
    languages: tuple[str, ...] | None = of(ListOf(TEXT), default=None)
    experience_years: int | None = of(Whole(0, 100), default=None)
    minimum_rate: Money | None = of(POSITIVE, default=None)
    direct_rate: Money | None = of(POSITIVE, default=None)
    timezone: str | None = of(TEXT, default=None)
    availability: Any = of(Document(), default=None)
    buffers: Buffers | None = of(Struct(Buffers), default=None)
    vacations: tuple[Vacation, ...] | None = of(ListOf(Struct(Vacation)), default=None)
    auto_decline: Any = of(Document(), default=None)
    notifications: Any = of(Document(), default=None)
    attachment_limit: int | None = of(Whole(1, 2**63 - 1), default=None)


@record
class PayoutProfileChanged(AboutBook):
    TYPE = "payout_profile.changed"
    fields: tuple[str, ...] = of(ListOf(LABEL, 1, 64))
    fingerprints: Any = of(Document(), default=None)


@record
class PayoutProfileRevealed(AboutBook):
    TYPE = "payout_profile.revealed"
    fields: tuple[str, ...] = of(ListOf(LABEL, 1, 64))


@record
class ErasureRequested(Data):
    """A customer asks for the erasure of their personal data; only the expert can carry it out."""

    TYPE = "customer.erasure_requested"
    THING = "customer"
    FEED_FIELDS = EVERY_FIELD
    customer: str = of(ID)
    reason: str | None = of(TEXT, default=None, personal=True)


@record
class CustomerForgotten(Data):
    TYPE = "customer.forgotten"
    THING = "customer"
    customer: str = of(ID)


@record
class PolicyAdopted(AboutBook):
    TYPE = "policy.adopted"
    policy: Policy = of(PolicyDocument())


def _types(base: type[Data]) -> dict[str, type[Data]]:
    found = {base.TYPE: base} if "TYPE" in vars(base) else {}
    for below in base.__subclasses__():
        found |= _types(below)
    return found


TYPES: dict[str, type[Data]] = _types(Data)
"""The data class of each type, by the type without its prefix."""
