"""What refusals say: the state of an entity in words, since when, and what can be done now."""

from __future__ import annotations

from datetime import datetime

from liveportal.domain.clock import to_second
from liveportal.domain.entities import Claim, Payout, Request, Session
from liveportal.domain.errors import AlreadyExists
from liveportal.domain.hint import Hint

StatefulEntity = Request | Session | Claim | Payout

_STATES = {
    ("request", "open"): "is already open",
    ("request", "accepted"): "has already been accepted",
    ("request", "declined"): "has already been declined",
    ("request", "withdrawn"): "was already withdrawn by the customer",
    ("request", "taken"): "was already taken by another expert",
    ("request", "expired"): "has already expired",
    ("session", "upcoming"): "has not started yet",
    ("session", "live"): "is already live",
    ("session", "paused"): "is already paused",
    ("session", "ended"): "has already ended",
    ("session", "cancelled"): "was already cancelled",
    ("session", "missed"): "was already missed",
    ("claim", "open"): "is already open",
    ("claim", "disputed"): "is already disputed",
    ("claim", "conceded"): "was already conceded",
    ("claim", "granted"): "was already granted to the customer",
    ("claim", "denied"): "was already denied by the platform",
    ("claim", "withdrawn"): "was already withdrawn by the customer",
    ("claim", "accepted"): "was already decided for you",
    ("claim", "rejected"): "was already decided against you",
    ("payout", "sent"): "was already sent",
    ("payout", "paid"): "has already arrived",
    ("payout", "failed"): "has already failed",
    ("payout", "returned"): "was already returned",
    ("payout", "reversed"): "was already reversed",
}
_IMPOSSIBLE = {
    "request.taken": "it cannot be taken by another expert",
    "request.expired": "it cannot expire",
    "session.missed": "it cannot be recorded as missed",
    "dispute.filed": "it cannot be disputed",
    "dispute.withdrawn": "its dispute cannot be withdrawn",
    "dispute.accepted": "its dispute cannot be accepted",
    "dispute.rejected": "its dispute cannot be rejected",
    "payout.paid": "it cannot be recorded as paid",
    "payout.failed": "it cannot be recorded as failed",
}
_CLOSED_REQUEST = "A closed request does not change. {The_list_of_requests} shows every request."
_NOT_HELD = "If it took place after all, {logging_it} records it as a session of its own."
_DECIDED_CLAIM = "A decided claim does not change. {The_claim} shows how it was decided."
_OWED_AGAIN = "The money is owed again. If that is a mistake, {the_payout} names the step to undo."
_NEXT_STEPS = {
    ("request", "accepted"): "Its session can be cancelled: {cancelling_the_session}.",
    ("request", "declined"): _CLOSED_REQUEST,
    ("request", "withdrawn"): _CLOSED_REQUEST,
    ("request", "taken"): _CLOSED_REQUEST,
    ("request", "expired"): _CLOSED_REQUEST,
    ("session", "upcoming"): "Start the session first: `{start_it}`.",
    ("session", "live"): "A live session can be paused or ended: {ending_it}.",
    ("session", "paused"): "A paused session can be resumed or ended: {resuming_it}.",
    ("session", "ended"): "An ended session can only be corrected: {correcting_it}.",
    ("session", "cancelled"): _NOT_HELD,
    ("session", "missed"): _NOT_HELD,
    ("claim", "open"): "Dispute the claim first: `{dispute_it}`.",
    ("claim", "disputed"): "Record the platform's ruling, {a_ruling}, or withdraw the dispute:"
    " {withdrawing_the_dispute}.",
    ("claim", "conceded"): _DECIDED_CLAIM,
    ("claim", "granted"): _DECIDED_CLAIM,
    ("claim", "denied"): _DECIDED_CLAIM,
    ("claim", "withdrawn"): _DECIDED_CLAIM,
    ("claim", "accepted"): _DECIDED_CLAIM,
    ("claim", "rejected"): _DECIDED_CLAIM,
    ("payout", "sent"): "Record first that the payout arrived: {its_arrival}.",
    ("payout", "paid"): "A payout that arrived can only be returned: {its_return}.",
    ("payout", "failed"): _OWED_AGAIN,
    ("payout", "returned"): _OWED_AGAIN,
}
_LASTING = ("live", "paused", "disputed")


def already_exists(kind: str, entity_id: str) -> AlreadyExists:
    """Return the refusal of a new entity with an id that is in use."""
    return AlreadyExists(
        f"{kind.capitalize()} {entity_id} already exists.",
        hint=f"Use another id for a new {kind}.",
        kind=kind,
        id=entity_id,
    )


def state_of(entity: StatefulEntity, *, already: bool = False) -> str:
    """Return a clause about the state of an entity: `Session S-1 has ended (2026-10-05 ...)`."""
    kind = _kind_of(entity)
    phrase = _STATES[kind, entity.state]
    if not already:
        phrase = phrase.replace(" already", "")
    since = _since(entity)
    lasting = "since " if entity.state in _LASTING else ""
    return f"{kind.capitalize()} {entity.id} {phrase}" + (
        f" ({lasting}{to_second(since)})" if since else ""
    )


def cannot(entity: StatefulEntity, event_type: str) -> str:
    """Return the sentence that an entity, in its state, cannot take a step."""
    verb = event_type.rpartition(".")[2]
    return f"{state_of(entity)}, so {_IMPOSSIBLE.get(event_type, f'it cannot be {verb}')}."


def next_step(entity: StatefulEntity) -> Hint | None:
    """Return what can be done with an entity in its state; None if nothing is left to do."""
    kind = _kind_of(entity)
    text = _NEXT_STEPS.get((kind, entity.state))
    if text is None:
        return None
    session = entity.session if isinstance(entity, Request) else None
    return Hint(text, **{kind: entity.id}, **({"session": session} if session else {}))


def _kind_of(entity: StatefulEntity) -> str:
    return type(entity).__name__.lower()


def _since(entity: StatefulEntity) -> datetime | None:
    """Return when an entity came into its state; None if it does not say."""
    if isinstance(entity, Request):
        return entity.closed_at
    if isinstance(entity, Session):
        return {"live": entity.start, "paused": entity.paused_since, "ended": entity.end}.get(
            entity.state
        )
    if isinstance(entity, Claim):
        return entity.disputed_at if entity.state == "disputed" else entity.decided_at
    return entity.sent_at if entity.state == "sent" else None
