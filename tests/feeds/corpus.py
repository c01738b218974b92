"""Transcripts in the formats of the tools that write them, each with its expected messages.

All sessions began on 5 October 2026 at 14:00:30 in Paris. The expected messages were written by
hand: offset in milliseconds, speaker, text.
"""

# ruff: noqa: E501, RUF001 -- Files as their tools write them.

from __future__ import annotations

from typing import NamedTuple

from liveportal.feeds.transcripts import GUESSED
from liveportal.feeds.transcripts.lines import OUTSIDE

Reading = list[tuple[int | None, str | None, str]]


class Case(NamedTuple):
    """A file of a tool, and its expected messages."""

    tool: str
    shape: str
    content: str | bytes
    reading: Reading
    name: str = "transcript.txt"
    flags: tuple[str, ...] = ()


HELLO: Reading = [(0, "Mina Kovač", "Hello."), (0, "Joe Doe", "Hi Mina.")]
LATER: Reading = [(300_000, "Mina Kovač", "It flickers again."), (300_000, "Joe Doe", "Bye.")]
HEADING = (
    "Shader help (2026-10-05 14:00 GMT+2) - Transcript\nAttendees\nMina Kovač, Joe Doe\nTranscript"
)
DISCLAIMER = (
    "This editable transcript was computer generated and might contain errors."
    " People can also change the text after it was created."
)

MEET = [
    Case(
        "Google Meet",
        "with heading and end",
        f"{HEADING}\n{DISCLAIMER}\n\n00:00:00\n\nMina Kovač: Hello.\nJoe Doe: Hi Mina.\n\n"
        "00:05:00\n\nMina Kovač: It flickers again.\nJoe Doe: Bye.\n"
        "Meeting ended after 00:06:12 👋\n",
        [
            (None, None, f"{HEADING}\n{DISCLAIMER}"),
            *HELLO,
            *LATER,
            (None, None, "Meeting ended after 00:06:12 👋"),
        ],
    ),
    Case(
        "Google Meet",
        "without heading",
        "00:00:00\n\nMina Kovač: Hello.\nJoe Doe: Hi Mina.\n00:05:00\n"
        "Mina Kovač: It flickers again.\nJoe Doe: Bye.\n",
        [*HELLO, *LATER],
    ),
    Case(
        "Google Meet",
        "disclaimer at the end",
        "00:00:00\nMina Kovač: Hello.\nJoe Doe: Hi Mina.\n"
        f"Meeting ended after 00:00:45 👋\n{DISCLAIMER}\n",
        [
            *HELLO,
            (None, None, "Meeting ended after 00:00:45 👋"),
            (None, None, DISCLAIMER),
        ],
    ),
    Case(
        "Google Meet",
        "Markdown",
        "# Shader help - Transcript\n\n### 00:00:00\n\n**Mina Kovač:** Hello.\n\n"
        "**Joe Doe:** Hi Mina.\n\n### 00:05:00\n\n**Mina Kovač:** It flickers again.\n\n"
        "**Joe Doe:** Bye.\n\n### Meeting ended after 00:06:12 👋\n",
        [
            (None, None, "# Shader help - Transcript"),
            *HELLO,
            *LATER,
            (None, None, "### Meeting ended after 00:06:12 👋"),
        ],
    ),
    Case(
        "Google Meet",
        "CR LF, two blanks, a byte order mark",
        b"\xef\xbb\xbf" + "00:00:00\r\n\r\nMina Kovač:  Hello.\r\nJoe Doe:  Hi Mina.\r\n".encode(),
        HELLO,
    ),
    Case(
        "Google Meet",
        "nothing behind a name, a room as speaker",
        "00:00:00\nMina Kovač: \nA2-2203 (Arastradero, 2): We are here.\nand stay\n",
        [(0, "A2-2203 (Arastradero, 2)", "We are here.\nand stay")],
    ),
    Case(
        "Google Meet",
        "German",
        "Besprechung am 5. Oktober 2026 um 14:00 MESZ - Transkript\n\n00:00:00\n\n"
        "Mina Kovač: Es flackert.\nJörg Groß: Wo?\nBesprechung nach 00:03:10 beendet 👋\n",
        [
            (None, None, "Besprechung am 5. Oktober 2026 um 14:00 MESZ - Transkript"),
            (0, "Mina Kovač", "Es flackert."),
            (0, "Jörg Groß", "Wo?"),
            (None, None, "Besprechung nach 00:03:10 beendet 👋"),
        ],
    ),
    Case(
        "Google Meet",
        "Japanese names and colons",
        "00:00:00\n山田太郎: ちらつきます。\n李小明：你好\n",
        [(0, "山田太郎", "ちらつきます。"), (0, "李小明", "你好")],
    ),
    Case(
        "Google Meet",
        "long names",
        "00:00:00\nAndrés Felipe Urrego Martínez de la Cruz: Hola.\nAdeleke Tolulope: Okay.\n",
        [
            (0, "Andrés Felipe Urrego Martínez de la Cruz", "Hola."),
            (0, "Adeleke Tolulope", "Okay."),
        ],
    ),
    Case(
        "Google Meet",
        "saved chat (SBV)",
        "00:00:03.120,00:00:06.120\nMina Kovač: Hello.\n\n00:01:00.000,00:01:03.000\n"
        "Joe Doe: a link https://x.y\nand more\n",
        [
            (3_120, "Mina Kovač", "Hello."),
            (60_000, "Joe Doe", "a link https://x.y\nand more"),
        ],
        "chat.sbv",
    ),
]

TALK: Reading = [
    (3_000, "Mina Kovač", "Hello, can you hear me?"),
    (10_000, "Joe Doe", "Yes.\nI can."),
    (3_725_000, "Mina Kovač", "Bye."),
]
TITLE = "Shader help-20261005_140030-Meeting Transcript\nOctober 5, 2026, 12:00PM\n1h 2m 6s"

TEAMS = [
    Case(
        "Teams",
        "document, pasted",
        f"{TITLE}\n\nMina Kovač started transcription\n\nMina Kovač   0:03\nHello, can you hear me?\n\n"
        "Joe Doe   0:10\nYes.\nI can.\n\nMina Kovač   1:02:05\nBye.\n\n"
        "Mina Kovač stopped transcription\n",
        [
            (None, None, TITLE),
            (None, None, "Mina Kovač started transcription"),
            *TALK,
            (None, None, "Mina Kovač stopped transcription"),
        ],
    ),
    Case(
        "Teams",
        "document without heading, tabs",
        "Mina Kovač\t0:03\nHello, can you hear me?\nJoe Doe\t0:10\nYes.\nI can.\n"
        "Mina Kovač\t1:02:05\nBye.\n",
        TALK,
    ),
    Case(
        "Teams",
        "document, no-break spaces",
        "Mina Kovač\u00a0\u00a0 0:03\nHello, can you hear me?\nJoe Doe\u00a0\u00a0 0:10\nYes.\nI can.\n"
        "Mina Kovač\u00a0\u00a0 1:02:05\nBye.\n",
        TALK,
    ),
    Case(
        "Teams",
        "older document: times that are not padded",
        "0:0:3.0 --> 0:0:5.120\nMina Kovač\nHello, can you hear me?\n"
        "0:0:10.0 --> 0:0:12.0\nJoe Doe\nYes.\nI can.\n1:2:5.0 --> 1:2:6.0\nMina Kovač\nBye.\n",
        TALK,
    ),
    Case(
        "Teams",
        "older document: padded, an arrow made by the word processor",
        "00:00:03.000 → 00:00:05.120\nMina Kovač\nHello, can you hear me?\n\n"
        "00:00:10.000 → 00:00:12.000\nJoe Doe\nYes.\nI can.\n\n"
        "01:02:05.000 → 01:02:06.000\nMina Kovač\nBye.\n",
        TALK,
    ),
    Case(
        "Teams",
        "WebVTT",
        "WEBVTT\n\n5f2d-11/12-0\n00:00:03.000 --> 00:00:05.120\n"
        "<v Mina Kovač>Hello, can you hear me?</v>\n\n"
        "5f2d-11/12-1\n00:00:10.000 --> 00:00:12.000\n<v Joe Doe>Yes.\nI can.</v>\n\n"
        "5f2d-11/13-0\n01:02:05.000 --> 01:02:06.000\n<v Mina Kovač>Bye.</v>\n",
        TALK,
        "call.vtt",
    ),
    Case(
        "Teams",
        "WebVTT of Stream, with notes",
        'WEBVTT\n\nNOTE duration:"01:02:06"\n\nNOTE language:en-us\n\n'
        "NOTE Confidence: 0.898\n\n6b61\n00:00:03.000 --> 00:00:05.120\nHello, can you hear me?\n",
        [(3_000, None, "Hello, can you hear me?")],
        "call.vtt",
    ),
    Case(
        "Teams",
        "window, copied",
        "Mina Kovač\n0 minutes 3 seconds\n0:03\nHello, can you hear me?\nJoe Doe\n"
        "0 minutes 10 seconds\n0:10\nYes.\nI can.\nMina Kovač\n1 hour 2 minutes 5 seconds\n1:02:05\nBye.\n",
        TALK,
    ),
    Case(
        "Teams",
        "window, copied without the spoken times",
        "Mina Kovač\n0:03\nHello, can you hear me?\n\nJoe Doe\n0:10\nYes.\nI can.\n\n"
        "Mina Kovač\n1:02:05\nBye.\n",
        TALK,
    ),
    Case(
        "Teams",
        "window in German, copied",
        "Jörg Groß\n0 Minuten 3 Sekunden\n0:03\nHallo.\nMina Kovač\n0 Minuten 10 Sekunden\n0:10\nJa.\n",
        [(3_000, "Jörg Groß", "Hallo."), (10_000, "Mina Kovač", "Ja.")],
    ),
    Case(
        "Teams",
        "chat, copied",
        "[14:02] Mina Kovač\nit flickers\n\n[14:03] Joe Doe\nwhere?\nhere\n",
        [(90_000, "Mina Kovač", "it flickers"), (150_000, "Joe Doe", "where?\nhere")],
    ),
    Case(
        "Teams",
        "chat with days, copied",
        "[10/5/2026 2:02 PM] Mina Kovač\nit flickers\n[Yesterday 2:03 PM] Joe Doe\nwhere?\n",
        [(90_000, "Mina Kovač", "it flickers"), (150_000, "Joe Doe", "where?")],
    ),
    Case(
        "Teams",
        "chat on a line",
        "[05.10.2026 14:02] Mina Kovač: it flickers\n[05.10.2026 14:03] Joe Doe: where?\nhere\n",
        [(90_000, "Mina Kovač", "it flickers"), (150_000, "Joe Doe", "where?\nhere")],
    ),
]

SUMMARY = (
    "Shader help\nMon, Oct 05, 2026 2:00PM • 1:02:06\nSUMMARY KEYWORDS\nshader, flicker\n"
    "SPEAKERS\nMina Kovač, Joe Doe"
)

OTTER = [
    Case(
        "Otter",
        "text",
        "Mina Kovač  0:03  \nHello, can you hear me?\n\nJoe Doe  0:10  \nYes.\nI can.\n\n"
        "Mina Kovač  1:02:05  \nBye.\n\nTranscribed by https://otter.ai\n",
        [*TALK, (None, None, "Transcribed by https://otter.ai")],
    ),
    Case(
        "Otter",
        "document with its heading, pasted",
        SUMMARY.replace("\n", "\n\n")
        + "\n\nMina Kovač  00:03\nHello, can you hear me?\n\nJoe Doe  00:10\nYes.\nI can.\n\n"
        "Mina Kovač  1:02:05\nBye.\n",
        [(None, None, SUMMARY), *TALK],
    ),
    Case(
        "Otter",
        "one blank",
        "Mina Kovač 0:03\nHello, can you hear me?\nJoe Doe 0:10\nYes.\nI can.\nMina Kovač 1:02:05\nBye.\n",
        TALK,
    ),
    Case(
        "Otter",
        "speakers without names",
        "Unknown Speaker  0:03\nHello.\n\nSpeaker 1  0:10\nHi, at 0:09 it began.\n",
        [
            (3_000, "Unknown Speaker", "Hello."),
            (10_000, "Speaker 1", "Hi, at 0:09 it began."),
        ],
    ),
    Case(
        "Otter",
        "times without speakers",
        "0:03  \nHello.\n\n0:10  \nYes.\nI can.\n",
        [(3_000, None, "Hello."), (10_000, None, "Yes.\nI can.")],
    ),
    Case(
        "Otter",
        "SRT",
        "1\n00:00:03,000 --> 00:00:05,120\nMina Kovač: Hello, can you hear me?\n\n"
        "2\n00:00:10,000 --> 00:00:12,000\nJoe Doe: Yes.\nI can.\n\n"
        "3\n01:02:05,000 --> 01:02:06,000\nMina Kovač: Bye.\n",
        TALK,
        "talk.srt",
    ),
    Case(
        "Otter",
        "names in two scripts and lower case",
        "leo wang (王小明)  0:03\nhello\n\n王小明  0:10\n你好\n",
        [(3_000, "leo wang (王小明)", "hello"), (10_000, "王小明", "你好")],
    ),
]


def _zoom(header: str, other: str) -> str:
    """Write a chat as Zoom saves it: both names are in the headers."""
    return f"14:02:11\t {header}\n\tit flickers\n\tagain\n14:03:00\t {other}\n\twhere?\n"


CHAT: Reading = [(101_000, "Mina Kovač", "it flickers\nagain"), (150_000, "Joe Doe", "where?")]
HEADERS = {
    "English": ("From Mina Kovač to Everyone:", "From Joe Doe to Mina Kovač(Direct Message):"),
    "German": ("Von Mina Kovač an Alle:", "Von Joe Doe an Mina Kovač(Direktnachricht):"),
    "French": ("De Mina Kovač à Tout le monde:", "De Joe Doe à Mina Kovač(Message direct):"),
    "Spanish": ("De Mina Kovač a Todos:", "De Joe Doe a Mina Kovač(Mensaje directo):"),
    "Spanish, older": ("Desde Mina Kovač hasta Todos:", "Desde Joe Doe hasta Todos:"),
    "Portuguese": ("De Mina Kovač para Todos:", "De Joe Doe para Mina Kovač(Mensagem direta):"),
    "Italian": ("Da Mina Kovač a Tutti:", "Da Joe Doe a Mina Kovač(Messaggio diretto):"),
    "Dutch": ("Van Mina Kovač aan Iedereen:", "Van Joe Doe aan Mina Kovač(Direct bericht):"),
    "Swedish": ("Från Mina Kovač till Alla:", "Från Joe Doe till Mina Kovač:"),
    "Danish": ("Fra Mina Kovač til Alle:", "Fra Joe Doe til Alle:"),
    "Polish": ("Od Mina Kovač do Wszyscy:", "Od Joe Doe do Mina Kovač:"),
    "Russian": ("От Mina Kovač кому Все:", "От Joe Doe для Mina Kovač:"),
    "Ukrainian": ("Від Mina Kovač до Всі:", "Від Joe Doe до Mina Kovač:"),
    "Turkish": ("Mina Kovač kimden Herkes:", "Joe Doe kimden Mina Kovač:"),
    "Vietnamese": ("Từ Mina Kovač đến Mọi người:", "Từ Joe Doe đến Mina Kovač:"),
    "Indonesian": ("Dari Mina Kovač ke Semua orang:", "Dari Joe Doe ke Mina Kovač:"),
    "Japanese": (
        "開始 Mina Kovač 終了 全員:",
        "開始 Joe Doe 終了 Mina Kovač(ダイレクトメッセージ):",
    ),
    "Japanese, sender first": ("送信者 Mina Kovač 宛先 全員:", "送信者 Joe Doe 宛先 Mina Kovač:"),
    "Japanese, particles": ("Mina Kovač から 全員 に:", "Joe Doe から Mina Kovač に:"),
    "Japanese, glued": ("Mina Kovačから全員へ:", "Joe DoeからMina Kovačへ："),
    "Korean": ("시작 Mina Kovač 종료 모두:", "시작 Joe Doe 종료 Mina Kovač:"),
    "Korean, sender first": ("발신자 Mina Kovač 수신자 모두:", "발신자 Joe Doe 수신자 Mina Kovač:"),
    "Korean, particles": ("Mina Kovač 님이 모두에게:", "Joe Doe 님이 Mina Kovač에게:"),
    "Chinese": ("从 Mina Kovač 到 所有人:", "从 Joe Doe 到 Mina Kovač(私信):"),
    "Chinese, newer": ("来自 Mina Kovač 发送至 所有人:", "来自 Joe Doe 发给 Mina Kovač:"),
    "Chinese, traditional": ("從 Mina Kovač 到 每個人：", "從 Joe Doe 到 Mina Kovač（私訊）："),
    "Chinese, written": ("自 Mina Kovač 至 所有人:", "自 Joe Doe 至 Mina Kovač:"),
    "Chinese, between": ("Mina Kovač 对 所有人 说:", "Joe Doe 对 Mina Kovač 说:"),
}

ZOOM = [
    *(Case("Zoom", name, _zoom(*headers), CHAT) for name, headers in HEADERS.items()),
    Case(
        "Zoom",
        "English, older: on a line, two blanks",
        "14:02:11\t From  Mina Kovač  to  Everyone : it flickers\nagain\n"
        "14:03:00\t From  Joe Doe  to  Mina Kovač(Direct Message) : where?\n",
        CHAT,
    ),
    Case(
        "Zoom",
        "German, older: on a line, two blanks",
        "14:02:11\t Von  Mina Kovač  an  Alle : it flickers\nagain\n14:03:00\t Von  Joe Doe : where?\n",
        CHAT,
    ),
    Case(
        "Zoom",
        "French, a name with the word for to",
        "14:02:11\t De Ana a la Mina à Tout le monde:\n\tça scintille\n",
        [(101_000, "Ana a la Mina", "ça scintille")],
    ),
    Case(
        "Zoom",
        "recorded in the cloud",
        "00:12:31\tMina Kovač:\tit flickers\n00:12:40\tJoe Doe:\twhere?\n",
        [(751_000, "Mina Kovač", "it flickers"), (760_000, "Joe Doe", "where?")],
    ),
    Case(
        "Zoom",
        "window, copied",
        "From Mina Kovač to Everyone:  02:02 PM\nit flickers\nFrom Joe Doe to Everyone:  02:03 PM\nwhere?\n",
        [(90_000, "Mina Kovač", "it flickers"), (150_000, "Joe Doe", "where?")],
    ),
    Case(
        "Zoom",
        "window in German, copied",
        "Von Mina Kovač an alle:  14:02\nes flackert\nVon Joe Doe an alle:  14:03\nwo?\n",
        [(90_000, "Mina Kovač", "es flackert"), (150_000, "Joe Doe", "wo?")],
    ),
    Case(
        "Zoom",
        "newer window, copied",
        "Mina Kovač to Everyone 2:02 PM\nit flickers\nJoe Doe to Everyone 2:03 PM\nwhere?\n",
        [(90_000, "Mina Kovač", "it flickers"), (150_000, "Joe Doe", "where?")],
    ),
    Case(
        "Zoom",
        "saved captions",
        "[Mina Kovač] 14:02:11\nit flickers\n\n[Joe Doe] 14:03:00\nwhere?\n",
        [(101_000, "Mina Kovač", "it flickers"), (150_000, "Joe Doe", "where?")],
    ),
    Case(
        "Zoom",
        "WebVTT",
        "WEBVTT\r\n\r\n1\r\n00:00:03.000 --> 00:00:05.120\r\nMina Kovač: Hello, can you hear me?\r\n\r\n"
        "2\r\n00:00:10.000 --> 00:00:12.000\r\nJoe Doe: Yes.\r\nI can.\r\n\r\n"
        "3\r\n01:02:05.000 --> 01:02:06.000\r\nMina Kovač: Bye.\r\n",
        TALK,
        "call.transcript.vtt",
    ),
    Case(
        "Zoom",
        "WebVTT of captions, names before the times",
        'WEBVTT\n\n1 "Mina Kovač" (379548160)\n00:00:03.000 --> 00:00:05.120\nHello: it works\n\n'
        '2 "Joe Doe" (379548161)\n00:00:10.000 --> 00:00:12.000\nYes.\n',
        [(3_000, "Mina Kovač", "Hello: it works"), (10_000, "Joe Doe", "Yes.")],
        "captions.vtt",
    ),
    *(
        Case(
            "Zoom",
            f"WebVTT, {language}",
            f"WEBVTT\n\n1\n00:00:03.000 --> 00:00:05.000\n{line}\n",
            [(3_000, name, text)],
            "call.vtt",
        )
        for language, line, name, text in (
            ("Chinese", "王小明: 你好", "王小明", "你好"),
            ("Chinese, wide colon", "王小明：你好", "王小明", "你好"),
            ("Chinese, no blank", "王小明:你好", "王小明", "你好"),
            ("Japanese", "山田 太郎: ちらつきます", "山田 太郎", "ちらつきます"),
            ("Korean", "김철수: 안녕하세요", "김철수", "안녕하세요"),
            ("Thai", "สมชาย ใจดี: สวัสดี", "สมชาย ใจดี", "สวัสดี"),
            ("French, blank before the colon", "Hélène Roy : ça va", "Hélène Roy", "ça va"),
            ("a telephone", "+1 202-555-0123: hello", "+1 202-555-0123", "hello"),
            ("pronouns", "Sam Lee (they/them): hello", "Sam Lee (they/them)", "hello"),
        )
    ),
]

# --- subtitles that lost words --------------------------------------------------------------------

BROKEN = [
    Case(
        "SRT",
        "text behind an empty line",
        "1\n00:00:01,000 --> 00:00:02,000\nMina: one\n\ntwo\n\n2\n00:00:03,000 --> 00:00:04,000\nthree\n",
        [(1_000, "Mina", "one\ntwo"), (3_000, None, "three")],
        "a.srt",
    ),
    Case(
        "SRT",
        "an empty line behind the times",
        "1\n00:00:01,000 --> 00:00:02,000\n\none\n\n2\n00:00:03,000 --> 00:00:04,000\n\ntwo\n",
        [(1_000, None, "one"), (3_000, None, "two")],
        "a.srt",
    ),
    Case(
        "SRT",
        "CR CR LF",
        "1\r\r\n00:00:01,000 --> 00:00:02,000\r\r\none\r\r\n\r\r\n2\r\r\n"
        "00:00:03,000 --> 00:00:04,000\r\r\ntwo\r\r\n",
        [(1_000, None, "one"), (3_000, None, "two")],
        "a.srt",
    ),
    Case(
        "SRT",
        "without milliseconds",
        "1\n00:00:01 --> 00:00:02\none\n\n2\n00:00:03 --> 00:00:04\ntwo\n",
        [(1_000, None, "one"), (3_000, None, "two")],
        "a.srt",
    ),
    Case(
        "SRT",
        "text behind the times",
        "1\n00:00:01,000 --> 00:00:02,000 one\ntwo\n\n2\n00:00:03,000 --> 00:00:04,000 X1:1 X2:2 Y1:3 Y2:4\nthree\n",
        [(1_000, None, "one\ntwo"), (3_000, None, "three")],
        "a.srt",
    ),
    Case(
        "SRT",
        "numbers that are said",
        "1\n00:00:01,000 --> 00:00:02,000\nhow many?\n\n42\n\n2\n00:00:03,000 --> 00:00:04,000\n7\n"
        "3\n00:00:05,000 --> 00:00:06,000\n8\n",
        [(1_000, None, "how many?\n42"), (3_000, None, "7"), (5_000, None, "8")],
        "a.srt",
    ),
    Case(
        "SRT",
        "no numbers, and one that is said",
        "00:00:01,000 --> 00:00:02,000\nhow many?\n\n42\n00:00:03,000 --> 00:00:04,000\nno\n",
        [(1_000, None, "how many?\n42"), (3_000, None, "no")],
        "a.srt",
    ),
    Case(
        "SRT",
        "text before the first cue",
        "Mina: remember this\n\n1\n00:00:01,000 --> 00:00:02,000\none\n",
        [(None, "Mina", "remember this"), (1_000, None, "one")],
        "a.srt",
        (OUTSIDE,),
    ),
    Case(
        "SRT",
        "in an encoding that cannot be known",
        b"1\n00:00:01,000 --> 00:00:02,000\n" + "画面在闪烁".encode("gbk") * 9,
        [(1_000, None, ("画面在闪烁".encode("gbk") * 9).decode("cp1252", "replace"))],
        "a.srt",
        (GUESSED,),
    ),
    Case(
        "WebVTT",
        "a line of one blank goes on with the cue",
        "WEBVTT\n\n00:01.000 --> 00:02.000\none\n \ntwo\n",
        [(1_000, None, "one\n \ntwo")],
        "a.vtt",
    ),
    Case(
        "WebVTT",
        "text behind an empty line",
        "WEBVTT\n\n00:01.000 --> 00:02.000\none\n\nMina: two\nthree\n\n00:03.000 --> 00:04.000\nfour\n",
        [(1_000, None, "one"), (None, "Mina", "two\nthree"), (3_000, None, "four")],
        "a.vtt",
        (OUTSIDE,),
    ),
    Case(
        "WebVTT",
        "an empty line behind the times",
        "WEBVTT\n\n00:01.000 --> 00:02.000\n\none\n\n00:03.000 --> 00:04.000\n\ntwo\n",
        [(None, None, "one"), (None, None, "two")],
        "a.vtt",
        (OUTSIDE,),
    ),
    Case(
        "WebVTT",
        "an empty line behind the times, and none before the next",
        "WEBVTT\n\n00:01.000 --> 00:02.000\n\none\n00:03.000 --> 00:04.000\ntwo\n",
        [(None, None, "one"), (3_000, None, "two")],
        "a.vtt",
        (OUTSIDE,),
    ),
    Case(
        "WebVTT",
        "more than a name before the times",
        "WEBVTT\n\nlost words\nid\n00:01.000 --> 00:02.000\none\n",
        [(None, None, "lost words"), (1_000, None, "one")],
        "a.vtt",
        (OUTSIDE,),
    ),
    Case(
        "WebVTT",
        "words in the header",
        "WEBVTT - a call\nKind: captions\nhello there\n\n00:01.000 --> 00:02.000\none\n",
        [(None, None, "hello there"), (1_000, None, "one")],
        "a.vtt",
        (OUTSIDE,),
    ),
    Case(
        "WebVTT",
        "CR CR LF",
        "WEBVTT\r\r\n\r\r\n00:01.000 --> 00:02.000\r\r\none\r\r\ntwo\r\r\n",
        [(1_000, None, "one\ntwo")],
        "a.vtt",
    ),
    Case(
        "WebVTT",
        "settings, and text behind the times",
        "WEBVTT\n\n00:01.000 --> 00:02.000 align:start position:0%\none\n\n"
        "00:03.000 --> 00:04.000 two\n",
        [(1_000, None, "one"), (3_000, None, "two")],
        "a.vtt",
    ),
    Case(
        "WebVTT",
        "numbers that are said",
        "WEBVTT\n\n00:01.000 --> 00:02.000\n42\n00:03.000 --> 00:04.000\ntwo\n",
        [(1_000, None, "42"), (3_000, None, "two")],
        "a.vtt",
    ),
]

CORPUS = [*MEET, *TEAMS, *OTTER, *ZOOM, *BROKEN]
