"""Transcripts: each format, its times, and that no text breaks a reader."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from liveportal.domain.clock import zone
from liveportal.feeds import transcripts
from liveportal.feeds.transcripts import CUT, UNREADABLE, Message, Transcript
from tests.kit.work import stopped_if_endless

BEGAN = datetime(2026, 10, 5, 12, 0, 30, tzinfo=UTC)  # 14:00:30 in Paris.
PARIS = "Europe/Paris"


def read(
    content: str | bytes, name: str = "chat.txt", *, began: datetime = BEGAN, timezone: str = PARIS
) -> Transcript:
    """Read a transcript from a file's contents."""
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return transcripts.read(io.BytesIO(data), name, began=began, timezone=timezone)


def said(content: str | bytes, name: str = "chat.txt") -> list[tuple[int | None, str | None, str]]:
    """Return the messages: offset, speaker, text."""
    return [
        (message.offset_ms, message.speaker, message.text)
        for message in read(content, name).messages
    ]


# --- formats --------------------------------------------------------------------------------------


def test_plain_text_by_the_clock() -> None:
    """A clock's time is local; a line without one goes on with the message before."""
    text = "14:02 Mina: hello\nand more\n\n14:05:10 - Joe K: yes\n14:06 no name\n"
    assert said(text) == [
        (90_000, "Mina", "hello\nand more"),
        (280_000, "Joe K", "yes"),
        (330_000, None, "no name"),
    ]


def test_plain_text_by_a_timer() -> None:
    """A time that is nearer to the start as a timer is read as one."""
    assert said("[00:12:31] Mina: hi\n[01:02:03.5] Joe: https://x.y/z\n") == [
        (751_000, "Mina", "hi"),
        (3_723_500, "Joe", "https://x.y/z"),
    ]
    assert said("[0:31] Mina: hi\n[90:00] Joe: late\n") == [
        (31_000, "Mina", "hi"),
        (5_400_000, "Joe", "late"),
    ]


def test_plain_text_without_times() -> None:
    """By speakers, or line by line."""
    assert said("Mina: hello\n\nwith more\nJoe: Note: no\n") == [
        (None, "Mina", "hello\nwith more"),
        (None, "Joe", "Note: no"),
    ]
    assert said("what he said then was: no") == [(None, None, "what he said then was: no")]
    assert said("one\n\ntwo https://x.y\n") == [
        (None, None, "one"),
        (None, None, "two https://x.y"),
    ]


@pytest.mark.parametrize(
    ("line", "offset"),
    [
        ("2:02 PM Mina: hi", 90_000),
        ("02:02:30 p.m. Mina: hi", 120_000),
        ("(14:02) Mina: hi", 90_000),
        ("2026-10-05 14:02:30 Mina: hi", 120_000),
        ("2026-10-05T14:02:30 Mina: hi", 120_000),
        ("13:59 Mina: hi", -90_000),  # Before the start: reported, not adjusted.
        ("14:00 Mina: hi", 0),  # The minute in which the session began.
        ("14:75 Mina: hi", None),  # No clock shows that.
        ("2026-13-45 14:02:30 Mina: hi", None),
        ("2026-10-05 24:02:30 Mina: hi", None),
        ("2020-10-05 14:02:30 Mina: hi", None),  # Of another session, if of any.
        ("0001-01-01 00:00:00 Mina: hi", None),
    ],
)
def test_a_line_and_its_time(line: str, offset: int | None) -> None:
    """Times as people and programs write them."""
    assert said(line) == [(offset, "Mina", "hi")]


def test_words_after_a_time_are_no_half_of_a_day() -> None:
    """There is no 14:02 a.m."""
    assert said("14:02 am I late?") == [(90_000, None, "am I late?")]


WEBVTT = """WEBVTT - a call
Kind: captions

NOTE a remark
of two lines

STYLE
::cue { color: red }

first
00:01.000 --> 00:02.000 align:start
<v Mina>hello &amp; <b>bye</b> &#x1F600;</v>
<v.loud Joe K>yo <00:01.500><c>there</c>

01:00:03.250 --> 01:00:04.000
Mina: hi
and more
Joe: no
"""


def test_webvtt() -> None:
    """Voices, names, tags and entities; text outside of a cue is no message."""
    assert said(WEBVTT, "call.vtt") == [
        (1_000, "Mina", "hello & bye \U0001f600"),
        (1_000, "Joe K", "yo there"),
        (3_603_250, "Mina", "hi\nand more"),
        (3_603_250, "Joe", "no"),
    ]
    assert said(WEBVTT.replace("\n", "\r\n")) == said(WEBVTT.replace("\n", "\r")) == said(WEBVTT)
    assert said(b"\xef\xbb\xbf" + WEBVTT.encode()) == said(WEBVTT)


def test_srt() -> None:
    """With commas; numbers are no words, also if the empty line is missing.

    Text without times belongs to the previous cue, as players show it.
    """
    text = (
        "1\n00:00:01,500 --> 00:00:02,000\nMina: <i>x</i> &amp; {\\an8}y\n"
        "2\n00:00:03,5 --> 00:00:04,0\n- what\n\n3\nno times\n"
    )
    assert said(text, "call.srt") == [
        (1_500, "Mina", "x &amp; y"),
        (3_500, None, "- what\n3\nno times"),
    ]
    assert said(text, "call") == said(text, "call.txt") == said(text, "call.srt")


def test_a_cue_that_no_player_would_show() -> None:
    """An invalid character reference stays as written."""
    digits = "&#" + "9" * 5_000 + ";"
    assert said(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{digits}") == [(1_000, None, digits)]


ZOOM = """14:02:11\t From Mina: the Great to Everyone:
\tline one
\tline two
14:03:00\t From  Joe to go  to  Mina to be(Direct Message):
\thi
"""


def test_zoom() -> None:
    """The newer format, the older one on one line, and that of cloud recordings."""
    assert said(ZOOM) == [
        (101_000, "Mina: the Great", "line one\nline two"),
        (150_000, "Joe to go", "hi"),
    ]
    assert said("14:02:11\t From Mina : text : more\n14:02:12 From Joe to Everyone : yes:\n") == [
        (101_000, "Mina", "text : more"),
        (102_000, "Joe", "yes:"),
    ]
    assert said("2026-10-05 14:02:11 From Mina to Everyone:hi\n") == [(101_000, "Mina", "hi")]
    assert said("14:02:11 From here on: no header before\n") == [
        (101_000, "here on", "no header before")
    ]
    assert said("00:58:04\tAlex:\tDepends\n00:58:20\tWheezy:\tok\nmore\n") == [
        (3_484_000, "Alex", "Depends"),
        (3_500_000, "Wheezy", "ok\nmore"),
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"time": "2026-10-05T12:01:00Z", "speaker": "Mina", "text": "a"}, (30_000, "Mina", "a")),
        ({"timestamp": "2026-10-05T14:01:00", "from": "M", "message": "a"}, (30_000, "M", "a")),
        ({"ts": "1791201660.5", "user": {"name": "M"}, "body": "a"}, (30_500, "M", "a")),
        ({"ts": 1791201660500, "author": {"id": "U1"}, "content": "a"}, (30_500, "U1", "a")),
        ({"at": 12.5, "name": "M", "text": "a"}, (12_500, "M", "a")),
        ({"at": "14:01:00", "name": 7, "text": "a"}, (30_000, None, "a")),
        ({"at": "0:00:07.25", "text": "a"}, (7_250, None, "a")),
        ({"at": "14:99", "text": "a"}, (None, None, "a")),
        ({"at": "soon", "text": "a"}, (None, None, "a")),
        ({"at": True, "text": "a"}, (None, None, "a")),
        ({"at": None, "time": 1, "text": "a"}, (1_000, None, "a")),
        ({"at": 10**400, "text": "a"}, (None, None, "a")),
        ({"at": -(10**12), "text": "a"}, (None, None, "a")),
    ],
)
def test_json_lines(fields: dict[str, object], expected: tuple[object, ...]) -> None:
    """The names that chat tools use; times as they write them."""
    assert said(json.dumps(fields)) == [expected]


def test_json_lines_that_are_not_messages() -> None:
    """A line without text is no message; a line that is not JSON is plain text."""
    deep = '{"text":' * 5_000
    text = '{"text":"a"}\n{"join":1}\n\nbroken\n{"at":1e999,"text":"b"}\n{"text":1}\n' + deep
    assert [text for _, _, text in said(text)] == ["a", "broken", "b", deep]


# --- characters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_encodings(encoding: str) -> None:
    """By the byte order mark, else UTF-8, else the Windows code page for western Europe."""
    assert said("Zoë: café\n".encode(encoding)) == [(None, "Zoë", "café")]


def test_what_cannot_be_stored_is_not() -> None:
    """No NUL and no lone surrogate reaches the ledger, nor the marks of a hit in a snippet."""
    assert said('{"text":"a\\u0000b\\ud800c\\u0002d\\u0003"}') == [(None, None, "ab\ufffdcd")]
    assert said("Mina: a\x00b") == [(None, "Mina", "ab")]


@pytest.mark.parametrize(
    "content",
    [b"", b" \n\t\n", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, b"PK\x03\x04" + bytes(400)],
)
def test_what_is_no_text_is_no_transcript(content: bytes) -> None:
    """It is still evidence, and reported as unreadable."""
    assert read(content) == Transcript((), (UNREADABLE,))


# --- bounds ---------------------------------------------------------------------------------------


def test_a_long_transcript_is_cut_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes, messages and the length of one are bounded."""
    assert read("a\nb").flags == ()
    monkeypatch.setattr(transcripts, "MOST_MESSAGES", 2)
    assert read("a\nb").flags == ()
    assert read("a\nb\nc") == Transcript(
        (Message(None, None, "a"), Message(None, None, "b")), (CUT,)
    )
    monkeypatch.setattr(transcripts, "LONGEST_TEXT", 3)
    assert read("abcd") == Transcript((Message(None, None, "abc"),), (CUT,))
    monkeypatch.setattr(transcripts, "LARGEST_BYTES", 2)
    assert read("ab").flags == ()
    assert read("aé") == Transcript((Message(None, None, "a"),), (CUT,))


LONG = 200_000
HOSTILE = {
    "tags": "WEBVTT\n\n00:00.000 --> 00:01.000\n" + "<" * LONG,
    "voices": "WEBVTT\n\n00:00.000 --> 00:01.000\n" + "<v " * (LONG // 3),
    "blanks": "WEBVTT\n\n00:00.000 --> 00:01.000\n<v" + " " * LONG,
    "styles": "1\n00:00:00,000 --> 00:00:01,000\n" + "{\\" * (LONG // 2),
    "arrows": "-->\n" * (LONG // 5),
    "colons": ":" * LONG,
    "zoom": "14:02:11 From " + "a to " * (LONG // 5),
    "braces": "{" * LONG,
    "nested": '{"text":' * (LONG // 5),
    "spaces": " " * LONG + "x",
    "returns": "\r" * LONG,
    "times": "[12:34] " * (LONG // 8),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_malice_takes_no_time(name: str) -> None:
    """No reader runs over the same text twice."""
    with stopped_if_endless():
        read(HOSTILE[name])


# The characters of the formats, so that generated texts come near to them.
PIECES = st.sampled_from(
    (
        *("WEBVTT", "\n", "\r\n", "\n\n", "00:01.000 --> 00:02.000", "1", "<v Mina>", "</v>", "<"),
        *("&amp;", "14:02", "14:02:11", "[00:12:31]", " From ", " to Everyone", ":", " : ", "\t"),
        *("Mina", "Mina: ", '{"text":"a"', ',"at":', "1e999", "}", "\x00", "\ud800", "\u2028"),
        *("99:99:99", "2026-02-30", "24:00", " PM", "NOTE", "{\\", "é", "0001-01-01 00:00:00 "),
    )
)
TEXTS = st.one_of(
    st.text(), st.lists(PIECES).map("".join), st.lists(st.text() | PIECES).map("".join)
)
NAMES = st.sampled_from(("a.vtt", "a.srt", "a.txt", "a.jsonl", "", "a"))
EDGES = st.sampled_from(
    (
        BEGAN,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 29, 0, 59, tzinfo=UTC),
    )
)


@given(TEXTS | st.binary(), NAMES, EDGES, st.sampled_from((PARIS, "UTC", "Pacific/Apia")))
@example("{", "a.jsonl", BEGAN, PARIS)
@example("14:02 Mina: a\n0:00 b", "", datetime(1, 1, 1, tzinfo=UTC), PARIS)
def test_no_text_breaks_a_reader(
    content: str | bytes, name: str, began: datetime, timezone: str
) -> None:
    """For any text, the messages can be stored and contain only text from the file."""
    transcript = read(content, name, began=began, timezone=timezone)
    assert (UNREADABLE in transcript.flags) is (not transcript.messages)
    for message in transcript.messages:
        assert message.text.strip()
        (message.text + (message.speaker or "")).encode()
        assert not {"\x00", "\x02", "\x03"} & set(message.text + (message.speaker or ""))
        assert message.speaker is None or message.speaker.strip()
        assert message.offset_ms is None or abs(message.offset_ms) <= 366 * 86_400_000


# --- written and read again -----------------------------------------------------------------------


class Spoken(NamedTuple):
    """The messages that a test writes in every format."""

    offset_ms: int
    speaker: str
    text: str


SPEAKERS = st.sampled_from(("Mina", "Joe K", "Zoë", "李", "O'Brien-Smith", "m"))
WORDS = st.text(st.characters(categories=("L", "N", "P", "Zs"), exclude_characters="<>{}&|")).map(
    lambda text: " ".join(text.split())
)
LINES = WORDS.filter(lambda text: text and ":" not in text and "-->" not in text)
SPOKEN = st.lists(
    st.builds(Spoken, st.integers(0, 7_200).map(lambda s: s * 1_000), SPEAKERS, LINES), min_size=1
)


def _stamp(offset_ms: int, point: str = ".") -> str:
    seconds = offset_ms // 1_000
    return f"{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}000"


def _clock(offset_ms: int) -> str:
    moment = BEGAN + timedelta(milliseconds=offset_ms)
    return f"{moment.astimezone(zone(PARIS)):%H:%M:%S}"


@given(SPOKEN)
def test_what_is_written_is_read(spoken: list[Spoken]) -> None:
    """In every format with times and speakers, the whole text is read back."""
    vtt = "WEBVTT\n\n" + "".join(
        f"{_stamp(at)} --> {_stamp(at)}\n<v {who}>{text}</v>\n\n" for at, who, text in spoken
    )
    srt = "".join(
        f"{n}\n{_stamp(at, ',')} --> {_stamp(at, ',')}\n{who}: {text}\n\n"
        for n, (at, who, text) in enumerate(spoken, 1)
    )
    new = "".join(f"{_clock(at)}\t From {who} to Everyone:\n\t{text}\n" for at, who, text in spoken)
    old = "".join(f"{_clock(at)}\t From {who} : {text}\n" for at, who, text in spoken)
    cloud = "".join(f"{_stamp(at)[:-4]}\t{who}:\t{text}\n" for at, who, text in spoken)
    plain = "".join(f"{_clock(at)} {who}: {text}\n" for at, who, text in spoken)
    records = "".join(
        json.dumps({"at": at / 1_000, "speaker": who, "text": text}) + "\n"
        for at, who, text in spoken
    )
    for name, text in {
        "a.vtt": vtt,
        "a.srt": srt,
        "new.txt": new,
        "old.txt": old,
        "cloud.txt": cloud,
        "plain.txt": plain,
        "a.jsonl": records,
    }.items():
        assert said(text, name) == spoken, name


# --- clocks ---------------------------------------------------------------------------------------

STARTS = st.sampled_from(
    (
        (datetime(2026, 3, 29, 0, 40, tzinfo=UTC), PARIS),  # 02:00 becomes 03:00.
        (datetime(2026, 10, 25, 0, 20, tzinfo=UTC), PARIS),  # 03:00 becomes 02:00.
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "America/New_York"),
        (datetime(2026, 10, 5, 21, 58, tzinfo=UTC), PARIS),  # Shortly before midnight.
        (datetime(2011, 12, 30, 9, 30, tzinfo=UTC), "Pacific/Apia"),  # A day that was left out.
        (datetime(2026, 12, 31, 23, 50, tzinfo=UTC), "UTC"),
    )
)


@given(STARTS, st.lists(st.integers(0, 25 * 60), min_size=1, max_size=12))
def test_clocks_are_followed(start: tuple[datetime, str], gaps: list[int]) -> None:
    """Through midnight and through an hour that a zone skips or has twice."""
    began, timezone = start
    offsets = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    moments = [began + timedelta(seconds=offset) for offset in offsets]
    local = [moment.astimezone(zone(timezone)) for moment in moments]
    # A first time on the other side of midnight may be a timer, too.
    assume(local[0].date() == began.astimezone(zone(timezone)).date())
    text = "".join(f"{each:%H:%M:%S} Mina: hi\n" for each in local)
    transcript = read(text, began=began, timezone=timezone)
    assert [message.offset_ms for message in transcript.messages] == [
        offset * 1_000 for offset in offsets
    ]
