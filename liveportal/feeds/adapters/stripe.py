"""Stripe: events as its API and its webhooks have them.

Amounts are whole numbers of minor units, and times are seconds since 1970. The user says which hop
of the money is the platform's payout: `payout` (from the Stripe balance to the bank) or `transfer`
(into the Stripe balance).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from liveportal.domain.errors import InvalidArgument, InvalidEvent
from liveportal.domain.events.envelope import Event
from liveportal.domain.hops import HOPS
from liveportal.domain.money import format_minor
from liveportal.feeds.adapters.calendly import is_time_signed
from liveportal.feeds.adapters.steps import (
    ANY,
    UNKNOWN,
    ByState,
    Ignored,
    Settings,
    Source,
    Step,
    at,
    objects_at,
    optional_text,
    text_at,
)

SIGNATURE = "stripe-signature"
INQUIRY = Ignored("inquiry")
"""A question of the customer's bank before any dispute; no money has moved."""
NEGATIVE = Ignored("negative_payout")
"""Money that Stripe took back from the bank; it is not a payout of the platform."""
_ZERO_DECIMAL = frozenset(
    {
        *("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga"),
        *("pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"),
    }
)
_THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_LATEST = 253_402_300_799  # The last second of the year 9999.


class Stripe:
    """Makes steps of Stripe's events."""

    def steps(self, document: dict[str, Any], settings: Settings) -> Iterator[Step]:
        """Yield the steps of an event; raises `InvalidEvent` and `InvalidArgument`."""
        if settings.hop not in HOPS:
            raise InvalidArgument("hop", f"must be {' or '.join(HOPS)}")
        kind = text_at(document, "type")
        thing = at(document, "data", "object")
        if not isinstance(thing, Mapping):
            raise InvalidEvent("data.object", "must be an object")
        source = Source(f"urn:stripe:{optional_text(document, 'account') or 'own'}")
        time = _instant(document, "created")
        match kind.split("."):
            case ["payout", step] if settings.hop == "payout":
                yield _payout(source, step, thing, time) or Ignored(kind)
            case ["payment", "created"] if settings.hop == "transfer":
                yield from _arrival(source, thing, time)
            case ["charge", "dispute", step]:
                yield from _dispute(source, step, thing, time, settings, kind)
            case ["refund", "created"]:
                yield from _refund(source, thing, time, settings)
            case _:
                yield Ignored(kind)

    def is_signed(self, headers: Mapping[str, str], body: bytes, secret: bytes) -> bool:
        """Return True if the header has the HMAC-SHA256 of its time and the body."""
        return is_time_signed(headers.get(SIGNATURE, ""), body, secret)


# --- payouts --------------------------------------------------------------------------------------


def _payout(source: Source, step: str, payout: Mapping[str, Any], time: datetime) -> Step | None:
    if _whole(payout, "amount") < 0:
        return NEGATIVE
    sent = _sent(source, payout, _instant(payout, "created"))
    name = text_at(payout, "id")
    match step:
        case "created":
            return sent
        case "paid":
            paid = source.event(f"{name}:paid", "payout.paid", time, payout=name)
            return ByState(entities=(), steps={UNKNOWN: (sent, paid)})
        case "failed" | "canceled":
            reason = optional_text(payout, "failure_code") or step
            failed, returned = (
                source.event(f"{name}:{what}", f"payout.{what}", time, payout=name, reason=reason)
                for what in ("failed", "returned")
            )
            return ByState(
                entities=(("payout", name),),
                steps={
                    "payout.paid": (returned,),
                    "payout.returned": (returned,),
                    f"payout.{ANY}": (failed,),
                    UNKNOWN: (sent, failed),
                },
            )
    return None


def _arrival(source: Source, payment: Mapping[str, Any], time: datetime) -> Iterator[Step]:
    """Yield the events of a payment into the Stripe balance: a payout that was sent and arrived."""
    sent = _sent(source, payment, _instant(payment, "created"))
    name = text_at(payment, "id")
    yield sent
    yield source.event(f"{name}:paid", "payout.paid", time, payout=name)


def _sent(source: Source, thing: Mapping[str, Any], time: datetime) -> Event:
    name = text_at(thing, "id")
    return source.event(
        f"{name}:sent",
        "payout.sent",
        time,
        payout=name,
        amount=_amount(thing, "amount"),
        method="stripe",
        reference=name,
    )


# --- claims ---------------------------------------------------------------------------------------


def _dispute(  # noqa: PLR0913, PLR0917 -- What the event states, and what the user does.
    source: Source,
    step: str,
    dispute: Mapping[str, Any],
    time: datetime,
    settings: Settings,
    kind: str,
) -> Iterator[Step]:
    status, claim = text_at(dispute, "status"), text_at(dispute, "id")
    if status.startswith("warning_"):
        yield INQUIRY
        return
    match step:
        case "created":
            yield _claimed(source, dispute, settings)
        case "closed" if status in {"won", "lost"}:
            yield _decided(source, dispute, claim, time, settings, won=status == "won")
        case "funds_withdrawn" | "funds_reinstated" if fee := _fee(dispute, step):
            yield source.event(
                f"{claim}:{step}",
                "adjustment.posted",
                time,
                adjustment=f"{claim}-{step}",
                amount={**_amount(dispute, "amount"), "amount": fee},
                reason=f"Stripe's fee for the dispute {claim}",
            )
        case _:
            yield Ignored(kind)


def _claimed(source: Source, thing: Mapping[str, Any], settings: Settings) -> Event:
    """Return the claim that a dispute or refund makes; raises `InvalidEvent` without a session."""
    claim = text_at(thing, "id")
    return source.event(
        f"{claim}:claimed",
        "refund.claimed",
        _instant(thing, "created"),
        claim=claim,
        session=_session(thing, settings),
        reason=optional_text(thing, "reason") or "not stated",
        amount=_amount(thing, "amount"),
    )


def _decided(  # noqa: PLR0913
    source: Source,
    dispute: Mapping[str, Any],
    claim: str,
    time: datetime,
    settings: Settings,
    *,
    won: bool,
) -> ByState:
    ruled, closed = ("accepted", "denied") if won else ("rejected", "granted")
    dispute_ruled = source.event(f"{claim}:ruled", f"dispute.{ruled}", time, claim=claim)
    claim_closed = source.event(f"{claim}:closed", f"refund.{closed}", time, claim=claim)
    return ByState(
        entities=(("claim", claim),),
        steps={
            "claim.disputed": (dispute_ruled,),
            f"claim.{ANY}": (claim_closed,),
            UNKNOWN: (_claimed(source, dispute, settings), claim_closed),
        },
    )


def _refund(
    source: Source, refund: Mapping[str, Any], time: datetime, settings: Settings
) -> Iterator[Step]:
    if optional_text(refund, "status") not in {"succeeded", "pending"}:
        yield Ignored("refund_failed")
        return
    claim = text_at(refund, "id")
    yield _claimed(source, refund, settings)
    yield source.event(f"{claim}:closed", "refund.granted", time, claim=claim)


def _session(thing: Mapping[str, Any], settings: Settings) -> str:
    """Return the session of a charge, from its metadata or from what the user says."""
    charge = thing.get("charge")
    for place in (thing, charge):
        session = at(place, "metadata", "session") if isinstance(place, Mapping) else None
        if isinstance(session, str) and session:
            return session
    name = charge.get("id") if isinstance(charge, Mapping) else charge
    known = (settings.sessions or {}).get(name) if isinstance(name, str) else None
    if known is None:
        raise InvalidEvent("data.object.charge", f"{str(name)[:64]!r} is not linked to a session")
    return known


def _fee(dispute: Mapping[str, Any], step: str) -> str | None:
    """Return what the dispute's fee adds to the expert's earnings in this step, None for nothing.

    It is in the balance transactions of the account that Stripe charged.
    """
    fees = [_whole(move, "fee") for move in objects_at(dispute, "balance_transactions")]
    minor = -sum(fee for fee in fees if (fee > 0) is (step == "funds_withdrawn"))
    return format_minor(minor, _digits(text_at(dispute, "currency"))) if minor else None


# --- reading --------------------------------------------------------------------------------------


def _amount(thing: Mapping[str, Any], name: str) -> dict[str, str]:
    currency = text_at(thing, "currency")
    minor = _whole(thing, name)
    return {"amount": format_minor(minor, _digits(currency)), "currency": currency.upper()}


def _digits(currency: str) -> int:
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def _whole(thing: Mapping[str, Any], name: str) -> int:
    value = thing.get(name)
    if type(value) is not int:
        raise InvalidEvent(f"data.object.{name}", "must be a whole number of minor units")
    return value


def _instant(thing: Mapping[str, Any], name: str) -> datetime:
    seconds = thing.get(name)
    if type(seconds) is not int or not 0 <= seconds <= _LATEST:
        raise InvalidEvent(name, "must be a time in seconds since 1970")
    return datetime.fromtimestamp(seconds, UTC)
