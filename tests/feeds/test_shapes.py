"""Each tool's transcripts give their expected messages, and no word of a subtitle is lost."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.feeds import transcripts
from liveportal.feeds.transcripts import Transcript
from liveportal.feeds.transcripts.lines import OUTSIDE, by_speaker, is_name
from tests.feeds.corpus import CORPUS, Case

BEGAN = datetime(2026, 10, 5, 12, 0, 30, tzinfo=UTC)
NAMES = [f"{case.tool}: {case.shape}" for case in CORPUS]
TEXTS = [case for case in CORPUS if isinstance(case.content, str) and "\r" not in case.content]


def read(content: bytes, name: str) -> Transcript:
    """Read a transcript of the corpus's session."""
    return transcripts.read(io.BytesIO(content), name, began=BEGAN, timezone="Europe/Paris")


def reading(content: bytes, name: str) -> object:
    """Return the messages, and the notes about the file."""
    transcript = read(content, name)
    return [
        (message.offset_ms, message.speaker, message.text) for message in transcript.messages
    ], transcript.flags


@pytest.mark.parametrize("case", CORPUS, ids=NAMES)
def test_it_has_its_one_right_reading(case: Case) -> None:
    """Times, speakers and texts as they were written down by hand."""
    content = case.content.encode() if isinstance(case.content, str) else case.content
    assert reading(content, case.name) == (case.reading, case.flags)


def test_the_corpus_has_every_tool() -> None:
    """Several formats of each; no two files are the same."""
    shapes = Counter(case.tool for case in CORPUS)
    assert set(shapes) == {"Google Meet", "Teams", "Otter", "Zoom", "SRT", "WebVTT"}
    assert min(shapes.values()) >= 7
    assert len(set(NAMES)) == len(CORPUS) >= 95


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
def test_how_it_is_stored_makes_no_difference(encoding: str, end: str) -> None:
    """Neither the encoding, nor the line ends, nor the file's name."""
    for case in TEXTS:
        assert isinstance(case.content, str)
        content = case.content.replace("\n", end).encode(encoding)
        assert reading(content, case.name) == (case.reading, case.flags), case
        assert reading(content, "file") == (case.reading, case.flags), case


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:02\nhello there\n14:05\nbye\n", [(90_000, "hello there"), (270_000, "bye")]),
        ("see you at 14:30\nyes\nand then 15:00\n", [(None, "see you at 14:30"), (None, "yes")]),
        ("[14:02] it broke\nsince then\n[14:03] no\n", [(90_000, "it broke\nsince then")]),
        ("14:02 Hello\nhow are you\n14:03 Fine\nthanks\n", [(90_000, "Hello\nhow are you")]),
    ],
)
def test_what_only_looks_like_it(text: str, expected: list[object]) -> None:
    """Notes with times in them have no speakers."""
    transcript = read(text.encode(), "notes.txt").messages
    assert [(each.offset_ms, each.text) for each in transcript][: len(expected)] == expected
    assert {each.speaker for each in transcript} == {None}


@pytest.mark.parametrize(
    ("name", "few", "titled"),
    [
        ("Mina Kovač", True, True),
        ("mina", True, False),
        ("María José de la Cruz Hernández", True, True),
        ("what he said then was", False, False),
        ("Leo W.", True, True),
        ("It works.", False, False),
        ("王小明", True, True),
        ("(Leo) Wang", True, True),
        ("+49 170 1234567", True, True),
        ("", False, False),
        ("a" * 65, False, False),
    ],
)
def test_names(name: str, few: bool, titled: bool) -> None:
    """Few words, or words that begin as names do."""
    assert (is_name(name), is_name(name, titled=True)) == (few, titled)


def test_a_link_has_no_speaker() -> None:
    """Nor has a time, a day or an address; nor is the beginning of a sentence one."""
    for line in (
        *("https://x.y", "C:\\x", "12:30", "see https://x.y", "a:b"),
        *("2026-10-05: done", "192.168.10.101: down"),
        *("我的问题是这样：画面在闪烁", "我的问题是这样:画面"),  # noqa: RUF001
    ):
        assert by_speaker(line) == (None, line)


# --- no word is lost ------------------------------------------------------------------------------

WORDS = st.text(st.sampled_from("abcäß7 42.,'-画面깜กี้ "), min_size=1, max_size=8).filter(str.strip)
LINES = st.lists(WORDS | st.just("") | st.just(" ") | st.just("42"), min_size=1, max_size=4)
CUES = st.lists(LINES, min_size=1, max_size=5)
ENDS = st.sampled_from(("\n", "\r\n", "\r", "\r\r\n"))


def _letters(text: str) -> Counter[str]:
    return Counter(text.replace(" ", "").replace("\n", ""))


def _lost(cues: list[list[str]], found: Transcript) -> Counter[str]:
    there = "".join((message.speaker or "") + message.text for message in found.messages)
    return _letters("".join(map("".join, cues))) - _letters(there)


@given(
    CUES,
    ENDS,
    st.sampled_from(("{n}", "", "{n}\n")),
    st.sampled_from((",5", ".500", "")),
    st.sampled_from(("", "\n", " ")),
    st.booleans(),
)
def test_no_word_of_an_srt_is_lost(
    cues: list[list[str]], end: str, number: str, fraction: str, gap: str, apart: bool
) -> None:
    """All text between its times is in its cue, and nothing more."""
    written = ""
    for n, cue in enumerate(cues, 1):
        head = f"{number.format(n=n)}\n".lstrip("\n")
        times = f"00:00:0{n}{fraction} --> 00:00:0{n}{fraction}\n"
        written += head + times + gap.replace(" ", " \n") + "\n".join(cue) + "\n" + "\n" * apart
    transcript = read(written.replace("\n", end).encode(), "a.srt")
    assert not _lost(cues, transcript)
    assert transcript.flags in ((), ("unreadable_transcript",))
    assert sum(_letters("".join(message.text for message in transcript.messages)).values()) <= sum(
        _letters("".join(map("".join, cues))).values()
    ) + (len(cues) if not apart else 0)


@given(
    CUES,
    ENDS,
    st.sampled_from(("", "{n}\n", "cue {n}\n")),
    st.sampled_from(("", "\n", " \n")),
    st.sampled_from(("\n", "\n\n", "\n \n\n")),
)
def test_no_word_of_a_webvtt_is_lost_without_a_flag(
    cues: list[list[str]], end: str, name: str, gap: str, between: str
) -> None:
    """A word is in its cue, or outside of any and flagged."""
    written = "WEBVTT\n\n" + between.join(
        f"{name.format(n=n)}00:0{n}.000 --> 00:0{n}.500\n{gap}" + "\n".join(cue)
        for n, cue in enumerate(cues, 1)
    )
    transcript = read(written.replace("\n", end).encode(), "a.vtt")
    assert not _lost(cues, transcript)
    timeless = any(message.offset_ms is None for message in transcript.messages)
    assert (OUTSIDE in transcript.flags) is timeless


@given(st.sampled_from(TEXTS), st.data())
def test_no_word_of_a_meeting_is_lost(case: Case, data: st.DataObject) -> None:
    """Also where a line went or came twice: every letter of the texts is in a message."""
    if case.name != "transcript.txt":
        return
    assert isinstance(case.content, str)
    lines = case.content.split("\n")
    place = data.draw(st.integers(0, len(lines) - 1))
    extra = data.draw(st.sampled_from(("unheard words", "Zoe: unheard words", "  unheard words")))
    lines.insert(place, extra)
    transcript = read("\n".join(lines).encode(), case.name)
    assert any("unheard words" in message.text for message in transcript.messages)
