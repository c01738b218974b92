"""What refusals say: the state of an entity in words, since when, and the next step."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

import pytest

from liveportal.cli.io.hints import spell
from liveportal.domain.entities import (
    Claim,
    ClaimState,
    Payout,
    PayoutState,
    Request,
    RequestState,
    Session,
    SessionState,
)
from liveportal.domain.handlers.refusals import (
    StatefulEntity,
    already_exists,
    cannot,
    next_step,
    state_of,
)
from tests.kit.events import at, usd

START = at("10-05 09:00")
END = at("10-05 10:00")


def entity(state: StrEnum) -> StatefulEntity:
    """Return an entity in a state."""
    match state:
        case RequestState():
            closed = None if state is RequestState.OPEN else END
            return Request(
                "X-1",
                "instant",
                False,
                "C-1",
                usd("3.00"),
                state,
                START,
                1,
                session="S-1",
                closed_at=closed,
            )
        case SessionState():
            return Session(
                "X-1",
                "C-1",
                state,
                usd("3.00"),
                1,
                1,
                END,
                start=START,
                end=END,
                paused_since=END,
            )
        case ClaimState():
            return Claim(
                "X-1", "S-1", state, 6000, 4200, START, "2026-10", disputed_at=END, decided_at=END
            )
        case _:
            return Payout("X-1", 4200, "paypal", PayoutState(state), END)


ALL = [*RequestState, *SessionState, *ClaimState, *PayoutState]


@pytest.mark.parametrize("state", ALL, ids=lambda state: f"{type(state).__name__}-{state}")
def test_every_state_is_said_in_words(state: StrEnum) -> None:
    """The clause names the entity by kind and id; what is repeated has "already" in it."""
    thing = entity(state)
    kind = type(thing).__name__
    said = state_of(thing)
    assert said.startswith(f"{kind} X-1 ")
    assert " already" not in said
    again = state_of(thing, already=True)
    assert again.replace(" already", "") == said
    assert (again == said) is (state is SessionState.UPCOMING)


@pytest.mark.parametrize("state", ALL, ids=lambda state: f"{type(state).__name__}-{state}")
def test_every_state_has_a_next_step(state: StrEnum) -> None:
    """It is an exact command, or where to look; an open request can take every step."""
    hint = next_step(entity(state))
    if state is RequestState.OPEN or state is PayoutState.REVERSED:
        assert hint is None
        return
    text = spell(hint) or ""
    assert "liveportal " in text
    assert text.endswith(".")
    assert "{" not in text
    assert str(hint)[0].isupper()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (SessionState.ENDED, "Session X-1 has ended (2026-10-05 10:00 UTC)"),
        (SessionState.LIVE, "Session X-1 is live (since 2026-10-05 09:00 UTC)"),
        (SessionState.PAUSED, "Session X-1 is paused (since 2026-10-05 10:00 UTC)"),
        (SessionState.UPCOMING, "Session X-1 has not started yet"),
        (RequestState.TAKEN, "Request X-1 was taken by another expert (2026-10-05 10:00 UTC)"),
        (ClaimState.DISPUTED, "Claim X-1 is disputed (since 2026-10-05 10:00 UTC)"),
        (ClaimState.REJECTED, "Claim X-1 was decided against you (2026-10-05 10:00 UTC)"),
        (PayoutState.SENT, "Payout X-1 was sent (2026-10-05 10:00 UTC)"),
        (PayoutState.PAID, "Payout X-1 has arrived"),
    ],
)
def test_a_state_says_since_when(state: StrEnum, said: str) -> None:
    """Where the entity has the time; a state that lasts has "since"."""
    assert state_of(entity(state)) == said


@pytest.mark.parametrize(
    ("state", "step", "said"),
    [
        (SessionState.UPCOMING, "session.ended", "so it cannot be ended."),
        (SessionState.ENDED, "session.missed", "so it cannot be recorded as missed."),
        (RequestState.DECLINED, "request.expired", "so it cannot expire."),
        (ClaimState.OPEN, "dispute.withdrawn", "so its dispute cannot be withdrawn."),
        (PayoutState.SENT, "payout.returned", "so it cannot be returned."),
    ],
)
def test_an_impossible_step(state: StrEnum, step: str, said: str) -> None:
    """The sentence ends in what cannot be done."""
    assert cannot(entity(state), step).endswith(said)


def test_a_time_is_shown_to_the_second() -> None:
    """Seconds are shown if they are not zero, microseconds never."""
    moves = {timedelta(seconds=5, microseconds=1): "10:00:05", timedelta(microseconds=1): "10:00"}
    for more, shown in moves.items():
        payout = Payout("X-1", 4200, "paypal", PayoutState.SENT, END + more)
        assert f"(2026-10-05 {shown} UTC)" in state_of(payout)


def test_an_id_in_use() -> None:
    """The refusal names kind and id, and says what to do."""
    error = already_exists("session", "S-1")
    assert (error.code, error.message) == ("already_exists", "Session S-1 already exists.")
    assert error.hint == "Use another id for a new session."
    assert error.details == {"kind": "session", "id": "S-1"}
