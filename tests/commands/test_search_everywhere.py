"""Searching in every script, by parts of words, and in texts of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.commands.test_evidence import ATTACH
from tests.commands.test_sync import feed
from tests.kit.events import line

if TYPE_CHECKING:
    from tests.commands.conftest import Prepare
    from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

TALK = {
    "zh": "Mina: 画面在闪烁，我想退款",  # noqa: RUF001
    "ja": "Mina: シェーダーがちらつきます。UnityのバグreportはURPだけ",
    "half": "Mina: ﾊﾞｸﾞです ＡＢＣ",  # noqa: RUF001
    "th": "Mina: หน้าจอกะพริบตลอดเวลา",
    "ko": "Mina: 셰이더가 깜박여요, 환불을 받고 싶어요",
    "de": "Mina: Über die Größe reden wir später",
    "ru": "Mina: Шейдер мерцает, верните деньги",
    "en": "Mina: it flickers in JavaScript",
}


@pytest.fixture
def spoken(october: Shell, prepared: Prepare) -> Shell:
    """Give a shell of a session in which many languages were spoken."""
    return prepared("languages", october, _attach_talks)


def _attach_talks(october: Shell) -> None:
    for name, text in TALK.items():
        october.ok(*ATTACH, october.file(f"{name}.txt", text + "\n"))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("退款", "zh"),
        ("闪", "zh"),
        ("画面在闪烁", "zh"),
        ("ちらつき", "ja"),
        ("シェーダー", "ja"),
        ("ｼｪｰﾀﾞｰ", "ja"),
        ("バグ", "ja half"),
        ("urp", "ja"),
        ("unity", "ja"),
        ("report", "ja"),
        ("abc", "half"),
        ("กะพริบ", "th"),
        ("จอ", "th"),
        ("환불", "ko"),
        ("깜박", "ko"),
        ("셰이더", "ko"),
        ("uber", "de"),
        ("ÜBER", "de"),
        ("grosse", "de"),
        ("röß", "de"),
        ("мерца", "ru"),
        ("ШЕЙДЕР", "ru"),
        ("flicker", "en"),
        ("script", "en"),
        ("-画面 退", ""),
        ('"환불"', "ko"),
        ("返金", ""),
    ],
)
def test_every_script(spoken: Shell, word: str, expected: str) -> None:
    """Part of a text is found, however it was typed."""
    hits = spoken.ok("sessions", "search", *word.split())
    output = [hit for hit in hits if hit["where"] == "message"]
    assert sorted(hit["artifact"].removesuffix(".txt") for hit in output) == sorted(
        expected.split()
    )
    for hit in output:
        assert "[" in hit["snippet"]
        assert hit["snippet"].replace("[", "").replace("]", "") == hit["text"]


@pytest.fixture
def written(empty: Shell) -> Shell:
    """Give a shell with a word in each text of its events, and none in a transcript."""
    rate = {"amount": "2.00", "currency": "USD"}
    empty.ok(
        "sync",
        feed(
            empty,
            "feed.jsonl",
            line(
                "request.opened",
                "10-01 09:00",
                id="r",
                request="R-9",
                kind="instant",
                customer={"id": "C-9", "name": "Joe"},
                title="zebra déclined",
                description="A long zebrafish",
                rate=rate,
            ),
            line(
                "session.logged",
                "10-05 10:00",
                id="s",
                session="S-1",
                customer={"id": "C-1", "name": "Zebra Jones"},
                rate=rate,
                start="2026-10-05T09:00:00Z",
                end="2026-10-05T10:00:00Z",
                title="The ZÉBRA session",
            ),
            line(
                "refund.claimed", "10-06 10:00", id="c", claim="CL-1", session="S-1", reason="zebra"
            ),
            line(
                "review.posted",
                "10-06 11:00",
                id="v",
                session="S-1",
                by="customer",
                rating=5,
                text="no zebras here",
            ),
        ),
    )
    empty.ok("dispute", "file", "CL-1", "--summary", "zebra was fixed", "--at", "2026-10-07 10:00Z")
    return empty


def test_texts_of_events(written: Shell) -> None:
    """Titles, descriptions, reasons, summaries and reviews, with their place."""
    hits = written.ok("sessions", "search", "zebra")
    assert {(hit["where"], hit["thing"], hit["session"], hit["customer"]) for hit in hits} == {
        ("title", "request:R-9", None, "C-9"),
        ("description", "request:R-9", None, "C-9"),
        ("title", "session:S-1", "S-1", "C-1"),
        ("reason", "claim:CL-1", "S-1", "C-1"),
        ("text", "session:S-1", "S-1", "C-1"),
        ("summary", "claim:CL-1", "S-1", "C-1"),
    }
    assert {hit["customer_name"] for hit in hits} == {"Joe", "Zebra Jones"}
    assert all(hit["speaker"] is hit["at_seconds"] is hit["artifact"] is None for hit in hits)
    assert hits[0]["text"] == "zebra"  # Short, and nothing else.
    texts = [hit["snippet"] for hit in hits]
    assert "The [ZÉBRA] session" in texts
    assert "A long [zebrafish]" in texts


def test_filters(written: Shell) -> None:
    """By customer, session, time; event texts have no speaker."""

    def matches(*options: str) -> set[str]:
        return {hit["where"] for hit in written.ok("sessions", "search", "zebra", *options)}

    assert matches("--customer", "C-9") == {"title", "description"}
    assert matches("--session", "S-1") == {"title", "reason", "text", "summary"}
    assert matches("--since", "2026-10-06") == {"reason", "text", "summary"}
    assert matches("--speaker", "Zebra") == set()
    assert len(written.ok("sessions", "search", "zebra", "--limit", "2")) == 2


def test_what_is_forgotten_is_not_found(written: Shell) -> None:
    """Nor does it lie in the file."""
    written.ok("ledger", "forget", "C-1", "--yes")
    hits = written.ok("sessions", "search", "zebra")
    assert {hit["customer"] for hit in hits} == {"C-9"}


def test_nothing_says_where_it_looked(spoken: Shell) -> None:
    """On a terminal: how much was searched, and what."""
    out = spoken.run("sessions", "search", "rhubarb", terminal=True).out
    assert "8 messages in 8 transcripts" in out
    assert "titles" in out
    argv = ("sessions", "search", "rhubarb", "--speaker", "Joe")
    assert "titles" not in spoken.run(*argv, terminal=True).out
    argv = ("sessions", "search", "rhubarb", "--session", "S-1003")
    assert "Nothing found in all titles" in spoken.run(*argv, terminal=True).out


SHAPES = {
    "meet": "00:00:00\n\nMina Kovač: it flickers\nJoe Doe: where?\n",
    "teams": "Mina Kovač   0:03\nit flickers\nJoe Doe   0:10\nwhere?\n",
    "otter": "Mina Kovač  0:03  \nit flickers\n\nJoe Doe  0:10  \nwhere?\n",
    "zoom": "22:02:11\t Von Mina Kovač an Alle:\n\tit flickers\n"
    "22:03:11\t Von Joe Doe an Alle:\n\twhere?\n",
}


def test_by_speaker(october: Shell) -> None:
    """The speaker is known for every transcript format."""
    for name, text in SHAPES.items():
        october.ok(*ATTACH, october.file(f"{name}.txt", text))
    hits = october.ok("sessions", "search", "flicker", "--speaker", "kovac")
    assert sorted(hit["artifact"] for hit in hits) == sorted(f"{name}.txt" for name in SHAPES)
    assert {hit["speaker"] for hit in hits} == {"Mina Kovač"}
    assert all(hit["at_seconds"] is not None for hit in hits)
    assert october.ok("sessions", "search", "flicker", "--speaker", "Joe") == []


def test_text_outside_of_cues_is_said(october: Shell) -> None:
    """It is kept and found, and the file is flagged."""
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\none\n\nlost words\n"
    result = october.ok(*ATTACH, october.file("a.vtt", text))
    assert result["flags"] == ["text_outside_cues"]
    assert october.ok("sessions", "search", "lost")[0]["text"] == "lost words"
