"""Which source may report what (2-events): the declarations of the event types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.errors import NotForFeeds
from liveportal.domain.events.envelope import CLI_SOURCE, EXPERT_PREFIX, Event, is_experts
from liveportal.domain.events.fields import decode, field_specs
from liveportal.domain.events.sources import Origin, beyond_feeds, check_content, check_source
from liveportal.domain.events.types import TYPES
from tests.kit.event_contract import BEYOND_FEEDS, CONTRACT, full
from tests.kit.events import FEED, OTHER, at

STATEMENT = "urn:liveportal:statement:paypal:00ff"


def said(kind: str, source: str, **data: object) -> Event:
    """Return an event of a type with these fields, or with all of them."""
    return Event(source, "e-1", at("10-05 09:00"), decode(TYPES[kind], data or full(kind)))


@pytest.mark.parametrize("kind", CONTRACT)
def test_every_type_declares_what_a_feed_may_say(kind: str) -> None:
    """The declarations match the table of the contract: each field alone is allowed or refused."""
    names = [name for name, _, optional, _ in field_specs(TYPES[kind]) if optional]
    least = {name: value for name, value in full(kind).items() if name not in names}
    for name in (None, *names):
        data = least | ({name: full(kind)[name]} if name else {})
        if kind == "entry.reversed":
            data["event"] = {"source": FEED, "id": "e-1"}
        if not data:
            continue
        forbidden = beyond_feeds(FEED, decode(TYPES[kind], data))
        refused = BEYOND_FEEDS.get(kind, set()) & {"type", *data}
        assert (forbidden[0] if forbidden else None) == (min(refused) if refused else None)


@pytest.mark.parametrize("kind", CONTRACT)
@pytest.mark.parametrize("source", [CLI_SOURCE, STATEMENT])
def test_the_expert_may_say_everything(kind: str, source: str) -> None:
    """By a command or the package, under any source that begins with the expert's prefix."""
    check_source(said(kind, source), Origin.EXPERT)
    check_content(said(kind, source), Origin.EXPERT)


@pytest.mark.parametrize("kind", CONTRACT)
@pytest.mark.parametrize("source", [CLI_SOURCE, STATEMENT, FEED])
def test_a_journal_may_hold_everything(kind: str, source: str) -> None:
    """Recorded history that is replayed or imported is never refused."""
    check_source(said(kind, source), Origin.JOURNAL)
    check_content(said(kind, source), Origin.JOURNAL)


@pytest.mark.parametrize("kind", CONTRACT)
def test_no_feed_speaks_in_the_experts_name(kind: str) -> None:
    """For every event type; `details` name the field."""
    for source in (CLI_SOURCE, STATEMENT):
        with pytest.raises(NotForFeeds) as caught:
            check_source(said(kind, source), Origin.FEED)
        assert caught.value.details["field"] == "source"
        assert "Remove the line." in str(caught.value.hint)


@pytest.mark.parametrize("origin", [Origin.FEED, Origin.EXPERT])
@pytest.mark.parametrize("kind", BEYOND_FEEDS)
def test_the_source_decides_and_not_the_door(origin: Origin, kind: str) -> None:
    """An event of the platform's may say no more through the package than through `sync`."""
    with pytest.raises(NotForFeeds):
        check_content(said(kind, FEED), origin)


def test_a_feed_reverses_its_own_events_only() -> None:
    """Neither the expert's, nor another feed's, nor its own under another spelling."""
    for other in (CLI_SOURCE, OTHER, FEED.upper()):
        event = said("entry.reversed", FEED, event={"source": other, "id": "e"}, reason="x")
        with pytest.raises(NotForFeeds) as caught:
            check_content(event, Origin.FEED)
        assert caught.value.details["field"] == "event.source"
    event = said("entry.reversed", FEED, event={"source": FEED, "id": "e"}, reason="x")
    check_content(event, Origin.FEED)


@pytest.mark.parametrize(
    "source",
    [
        *(CLI_SOURCE, EXPERT_PREFIX, "URN:liveportal:cli", "urn:LivePortal:CLI"),
        *("urn:liveportal%3Acli", "%75rn:liveportal:cli", "urn%253Aliveportal:cli"),
        *(" urn:liveportal:cli", "urn:liveportal: cli", "urn :liveportal:cli"),
        *("\u200burn:liveportal:cli", "urn:live\u00adportal:cli", "urn\uff1aliveportal:cli"),
        *(
            "\uff35\uff32\uff2e:liveportal:cli",
            "\u2003urn:liveportal:cli",
            "urn:\ufeffliveportal:c",
        ),
    ],
    ids=ascii,
)
def test_the_experts_name_in_any_spelling(source: str) -> None:
    """Case, percent-encoding, spaces, invisible characters and compatibility forms do not help."""
    assert is_experts(source)


@pytest.mark.parametrize(
    "source",
    [
        *(FEED, OTHER, "urn:liveportal", "urn:liveportals:cli", "urn:x:urn:liveportal:cli", "%"),
        *("https://help.example/urn:liveportal:cli", "live%20portal", "caf\u00e9 7", "urn:", "%zz"),
    ],
    ids=ascii,
)
def test_other_names_are_not_the_experts(source: str) -> None:
    """The name inside another, a longer one, and one that only resembles an encoding."""
    assert not is_experts(source)


@given(st.text(max_size=40), st.sampled_from(["", " ", "\u200b", "%20", "\u2060"]))
def test_whatever_follows_the_prefix(rest: str, before: str) -> None:
    """Never raises, and finds the expert's prefix behind invisible characters."""
    assert is_experts(f"{before}{EXPERT_PREFIX}{rest}")
    is_experts(rest)
