"""The page for a reviewer: what a stranger needs to decide, and nothing of the ledger's own."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.case import Case, CaseMessage
from liveportal.domain.clock import FIRST, LAST
from liveportal.domain.entities import ClaimState
from liveportal.domain.money import Money
from liveportal.exports.exhibits import ExhibitRules, exhibit_files
from liveportal.exports.local_time import local_text
from liveportal.exports.pages import PAGES
from liveportal.exports.review import review, review_pages
from tests.exports.test_document import Page
from tests.exports.test_dossier import unescaped
from tests.kit.events import amount, at, policy
from tests.kit.pack_case import EVENTS, MESSAGES, SESSION, case, file, happened

STATED = replace(policy(), source={"refund.window_hours": "R8", "trial.minutes": "R5"})


def pages(made: Case) -> tuple[str, str]:
    """Return the page of a case as a reader sees it in a browser, and as text."""
    exhibits = [each.exhibit for each in exhibit_files(made, ExhibitRules(PAGES[3], 4000))]
    written = review_pages(made, exhibits)
    return " ".join(Page(written["index.html"]).texts), unescaped(written["index.md"])


def said(made: Case) -> str:
    """Return the page as text."""
    return pages(made)[1]


def complete(folder: Path) -> Case:
    """Return a disputed case with three files, two of them in the pack."""
    transcript = replace(file(folder, "chat.txt", b"hi", "transcript", "text/plain"), seq=20)
    added = happened(20, "10-05 14:40", "artifact.added", kind="transcript", name="chat.txt")
    return case(
        state="disputed",
        policy=STATED,
        events=(*EVENTS, added),
        messages=tuple(replace(each, file_seq=20) for each in MESSAGES),
        kept=(
            transcript,
            file(folder, "shot.png", b"\x89PNG", "attachment", "image/png"),
            file(folder, "call.mp4", b"x" * 5000, "recording", None),
        ),
    )


def test_it_speaks_of_the_expert_and_the_customer(tmp_path: Path) -> None:
    """In both files: nobody is addressed, and no position, event id or hash of the journal."""
    made = complete(tmp_path)
    for text in pages(made):
        assert "The expert asks the community manager to accept the dispute." in text
        assert "asked for help, at 3.00 USD a minute" in text
        assert not re.search(r"\b(you|your|we|our|seq|event \d|journal)\b", text, re.IGNORECASE)
        assert made.head not in text
        assert not any(event.id in text or event.hash in text for event in made.events)


def test_both_files_have_the_same_words(tmp_path: Path) -> None:
    """Every word of one is in the other."""
    page, text = pages(complete(tmp_path))
    links = re.sub(r"\(files/[^)]*\)", " ", text)
    words = [set(re.findall(r"[^\W_]+", each)) for each in (page, links)]
    assert words[0] == words[1]


def test_rules_are_spelt_out() -> None:
    """With the code only behind the rule, and only if the policy names it as its source."""
    rule = "The customer may claim a full refund within 24 hours of the end of the session"
    whole = said(case(policy=STATED))
    assert f"{rule} (platform rule R8): until 2026-10-06 16:21:00 (Europe/Paris)." in whole
    assert (
        "The claim was made on 2026-10-05 17:00:00, 39 min 0 s after the end. This was in time."
    ) in whole
    assert re.findall(r"(?<!platform rule )\bR\d", whole) == []
    plain = said(case(policy=replace(policy(refund={"partial": True}), source={})))
    assert f"{rule.replace('a full', 'a')}: until" in plain
    assert "platform rule" not in plain
    late = replace(EVENTS[-1], time=at("10-06 16:22:30.5"))
    text = said(case(late=True, events=(late,)))
    assert "26 h 1 min 30 s after the end. This was too late." in text


@pytest.mark.parametrize("changes", [{"events": ()}, {"session": replace(SESSION, end=None)}])
def test_nothing_is_said_of_a_time_that_is_not_known(changes: dict[str, Any]) -> None:
    """Without the claim's event, or an end of the session."""
    assert "may claim" not in said(case(**changes))


@pytest.mark.parametrize("state", ClaimState)
def test_the_expert_asks_for_what_can_still_be_decided(state: ClaimState) -> None:
    """In every state of a claim, with what a refund costs while it is undecided."""
    text = said(case(state=state.value))
    asks = "asks the community manager" in text
    assert asks is (state in (ClaimState.OPEN, ClaimState.DISPUTED))
    assert asks is ("refund of 60.00 USD, 42.00 USD is deducted" in text)
    assert asks is not ("The claim is closed." in text)


def test_what_a_refund_costs_follows_the_policy() -> None:
    """The expert's share, or the whole refund."""
    assert "earnings: the expert's share of the refund" in said(case())
    gross = case(policy=policy(refund={"deducts": "gross"}), cost=Money(6000, "USD"))
    assert "60.00 USD is deducted from the expert's earnings: the whole refund" in said(gross)


def test_times_are_in_the_platforms_zone_and_in_utc() -> None:
    """To the second; a platform in UTC needs no second line."""
    text = said(case(zone="Europe/Paris"))
    assert "Start of the session (Europe/Paris): 2026-10-05 16:00:00" in text
    assert "End of the session (UTC): 2026-10-05 14:21:00" in text
    assert said(case(zone="UTC")).count("Start of the session") == 1


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "Europe/Paris", "America/New_York"])
@pytest.mark.parametrize(
    "instant", [FIRST, LAST, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)], ids=str
)
def test_any_time_can_be_shown(zone: str, instant: datetime) -> None:
    """Also the ends of the calendar, in any zone."""
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d([+-]\d\d:\d\d)?", local_text(instant, zone)
    )
    events = (happened(1, "10-05 14:00", "session.paused"),)
    session = replace(SESSION, start=FIRST, end=LAST)
    said(case(events=(replace(events[0], time=instant),), session=session, zone=zone))


def test_an_hour_that_comes_twice_has_its_offset() -> None:
    """02:30 is two times on the day on which the clocks go back."""
    assert local_text(at("10-25 00:30"), "Europe/Paris") == "2026-10-25 02:30:00+02:00"
    assert local_text(at("10-25 01:30"), "Europe/Paris") == "2026-10-25 02:30:00+01:00"
    assert local_text(at("10-25 02:30:00.9"), "Europe/Paris") == "2026-10-25 03:30:00"


def test_exhibits_are_numbered_and_referred_to(tmp_path: Path) -> None:
    """In the timeline, at the pictures, and in what the expert asks for."""
    text = said(complete(tmp_path))
    assert "The files are Exhibits 1 to 3." in text
    assert "A transcript was added: \u201cchat.txt\u201d (Exhibit 1)" in text
    assert re.search(r"12:31 \| Ana: \u201cIt is fixed now, mina.\u201d \| Exhibit 1 \|", text)
    assert "![Exhibit 2: shot.png](files/02-shot.png)" in text
    assert "Exhibit 3 | call.mp4 (not in this pack: the file is larger than 4,000 bytes;" in text
    assert "The only file is Exhibit 1." in said(
        replace(complete(tmp_path), kept=complete(tmp_path).kept[:1])
    )
    assert "The session has no files." in said(case())


def test_the_source_of_each_fact_is_named() -> None:
    """A fact that both reported is worth more than one that only the expert recorded."""
    both = replace(EVENTS[0], reported_by=("expert", "platform"))
    odd = replace(EVENTS[1], reported_by=("unknown",))
    text = said(case(events=(both, odd, *EVENTS[2:])))
    assert "| The expert and the platform |" in text
    assert "| Not known |" in text
    assert "\u201cCall me: +33 6 12 34 56 78\u201d | A transcript |" in text


def test_what_happened_is_in_the_order_of_time() -> None:
    """Messages are placed by their time; those without one are at the end."""
    rows = re.findall(r"^\| (\S* ?\S*) \| (\S*) \| ([^|.:]*)", said(case()), re.MULTILINE)
    shown = [text.strip() for time, _, text in rows if "2026" in time or not time.strip()]
    assert shown[:10] == [
        "The customer asked for help, at 3",
        "The expert accepted the request",
        "Mina Harker",
        "The timer was paused",
        "The timer was started again",
        "Ana",
        "The session ended",
        "The customer rated the session with 2 of 5",
        "The customer asked for the whole amount back",
        "\u201cmail mina@example",
    ]


def test_a_session_that_was_logged_afterwards_is_at_its_start() -> None:
    """Not at the time at which it was typed, which is shown beside it."""
    data = {"start": "2026-10-05T14:00:00Z", "end": "2026-10-05T14:21:00Z", "rate": amount("3.00")}
    events = (*EVENTS[1:], happened(9, "10-06 08:00", "session.logged", **data))
    text = said(case(events=events, messages=()))
    row = "| 2026-10-05 16:00:00 | 0:00 | The session took place from 2026-10-05 16:00:00"
    assert text.index(row) < text.index("The timer was paused.")
    assert "This was recorded on 2026-10-06 10:00:00. | The platform |" in text


def test_what_only_repeats_or_was_reversed_is_left_out() -> None:
    """It is in the manifest, not in the account of what happened."""
    quiet = tuple(replace(each, tells=False) for each in EVENTS)
    text = said(case(events=quiet, messages=()))
    assert "No events were recorded." in text


@pytest.mark.parametrize(
    ("when", "clock"),
    [
        *[("10-05 13:59:59.999999", ""), ("10-05 14:00", "0:00"), ("10-05 14:00:59.9", "0:59")],
        *[("10-05 14:09:05", "9:05"), ("10-05 15:00", "1:00:00"), ("10-06 00:00:01", "10:00:01")],
        *[("10-06 14:00:00", "24:00:00"), ("10-06 14:00:00.000001", "")],
    ],
)
def test_how_far_into_the_session(when: str, clock: str) -> None:
    """As a player shows it; both ends included, nothing outside."""
    session = replace(SESSION, end=at("10-06 14:00"))
    events = (happened(4, when, "session.paused"),)
    text = said(case(session=session, events=events, messages=()))
    assert f" | {clock} | The timer was paused." in text


def test_what_was_erased_is_missing() -> None:
    """A forgotten customer's words are gone, and the page is still written."""
    made = case(reason=None, title=None, customer_name=None, summary=None, messages=(), events=())
    text = said(made)
    assert "The customer: customer C-7\n" in text
    assert "The customer's reason: not given\n" in text
    for gone in ("None", "Subject", "The expert's answer", "transcript.txt"):
        assert gone not in text


def test_a_speaker_cannot_pass_for_the_platform() -> None:
    """What was said is in quotation marks, and its source is the transcript."""
    made = case(events=(), messages=(CaseMessage(None, "The platform", "The claim was refused."),))
    row = "| The platform: \u201cThe claim was refused.\u201d | A transcript |"
    assert row in said(made)


def test_how_to_check_the_pack_needs_no_program(tmp_path: Path) -> None:
    """The seal by tools that every system has, or by this program."""
    text = said(complete(tmp_path))
    for step in ("sha256sum", "shasum", "certutil", "liveportal dispute verify FILE"):
        assert step in text
    assert review(case(), ()).title == "Evidence on refund claim CL-1"
