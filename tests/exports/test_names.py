# ruff: noqa: RUF001 -- Letters of the world look like each other.
"""Names of the world, in every spelling and file type: a redacted pack shows none of them.

Each pack is decoded in every way in which the program can decode, and searched for each part of the
name. The decoders here are the standard library's and the program's readers, not those of the
redaction.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from html.entities import codepoint2name
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from liveportal.domain.case import CaseMessage
from liveportal.exports.comparing import is_blacked_out
from liveportal.exports.evidence import LARGEST_FILE, manifest_fields, pack_entries
from liveportal.exports.exhibits import ExhibitRules
from liveportal.exports.pages import CURRENT, case_redactor
from liveportal.exports.redaction import visible
from liveportal.feeds.transcripts import read
from tests.kit.pack_case import case, file, happened

pytestmark = pytest.mark.slow


NAMES: dict[str, tuple[str, ...]] = {
    "Leo Wang (王小明)": ("Leo", "Wang", "王小明"),
    "王芳 Fiona": ("王芳", "Fiona"),
    "Jürgen Müller": ("Jürgen", "Müller"),
    "François Lefèvre": ("François", "Lefèvre"),
    "Łukasz Żak": ("Łukasz", "Żak"),
    "Øystein Sørbø": ("Øystein", "Sørbø"),
    "Nguyễn Thị Hương": ("Nguyễn", "Thị", "Hương"),
    "Siobhán O'Brien": ("Siobhán", "Brien"),
    "İbrahim Yıldız": ("İbrahim", "Yıldız"),
    "Анна Каренина": ("Анна", "Каренина"),
    "Ανδρέας Παππάς": ("Ανδρέας", "Παππάς"),
    "Դավիթ Սարգսյան": ("Դավիթ", "Սարգսյան"),
    "山田 太郎": ("山田", "太郎"),
    "ジョン・スミス": ("ジョン", "スミス"),
    "김지민": ("김지민", "지민"),
    "محمد علي": ("محمد", "علي"),
    "יוסי כהן": ("יוסי", "כהן"),
    "प्रिया शर्मा": ("प्रिया", "शर्मा"),
    "สมชาย ใจดี": ("สมชาย", "ใจดี"),
    "Ruby Lang": ("Ruby",),  # Both are tags, and one is in every page.
}


def _each(write: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: "".join(map(write, text))


def _between(sign: str) -> Callable[[str], str]:
    return sign.join


def _utf16(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4))


def _wide(character: str) -> str:
    return chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character


def _named(character: str) -> str:
    name = codepoint2name.get(ord(character))
    return f"&{name};" if name and character.isalpha() else character


def _tagged(text: str) -> str:
    return f"{text[:2]}<b>{text[2:3]}</b>{text[3:]}"


def _half_tagged(text: str) -> str:
    return f"<i>{text[:2]}</i>{text[2:]}"


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "NFC": lambda text: unicodedata.normalize("NFC", text),
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "NFKD": lambda text: unicodedata.normalize("NFKD", text),
    "upper": str.upper,
    "folded": str.casefold,
    "full width": _each(_wide),
    "zero width": _between("\u200b"),
    "soft hyphens": _between("\u00ad"),
    "word joiners": _between("\u2060"),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, each letter": _each(_utf16),
    "JSON, zero width": _between("\\u200b"),
    "HTML, named": _each(_named),
    "HTML, decimal": _each(lambda character: f"&#{ord(character)};"),
    "HTML, hexadecimal": _each(lambda character: f"&#x{ord(character):x};"),
    "HTML, soft hyphens": _between("&shy;"),
    "HTML in JSON": lambda text: json.dumps(_each(_named)(text))[1:-1],
    "percent": quote,
    "percent, each byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent in HTML": lambda text: quote(text).replace("%", "&#37;"),
    "tags": _tagged,
    "half in tags": _half_tagged,
    "terminal sequences": _between("\x1b[1m"),
}
JSON_SPELLINGS = {name for name in SPELLINGS if "JSON" in name}


def _in_json(text: str, spelling: str) -> str:
    """Return a text as a JSON string contains it; an escaped text is returned unchanged."""
    return text if spelling in JSON_SPELLINGS else json.dumps(text, ensure_ascii=False)[1:-1]


def files(text: str, spelling: str) -> dict[str, tuple[str, str, str | None]]:
    """Return a file of each type with a text in it: content, kind, media type."""
    link = f"<a href='https://x.example/{text}?q={text}'>{text}</a>"
    page = (
        f"<!doctype html><html><body><ul><li class='x'>hello {link} thanks</li></ul></body></html>"
    )
    record = '{{"from": "{0}", "text": "hello {0} thanks", "ts": 1696500000000}}\n'
    return {
        "a.txt": (f"[00:01:10] Guest: hello {text} thanks\n", "transcript", "text/plain"),
        "b.txt": (f"[00:01:10] {text}: hello\n", "transcript", "text/plain"),
        "c.vtt": (
            f"WEBVTT\n\n1\n00:01.000 --> 00:02.000 align:start\n<v {text}>hello {text} thanks\n",
            *("transcript", "text/vtt"),
        ),
        "d.srt": (
            f"1\n00:00:01,000 --> 00:00:02,000\nhello {text} thanks\n",
            *("transcript", None),
        ),
        "e.jsonl": (record.format(_in_json(text, spelling)) * 2, "transcript", None),
        "f.json": (
            f'{{"messages": [null, 12345678.5, {{"{_in_json(text, spelling)}": true}}]}}',
            *("code", "application/json"),
        ),
        "g.html": (page, "attachment", "text/html"),
        "h.cs": (f'// hello {text}\nvar x = "{text}"; // thanks\n', "code", None),
    }


KINDS = (*files("", ""), "a file's name", "a reason", "a message", "an event's text")


# --- decoding -------------------------------------------------------------------------------------


def _unescaped(text: str) -> str:
    """Return a text with JSON's escapes decoded, whether it is JSON or not."""
    units = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 -- Whatever JSON holds.
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _strings(each)


def _parsed(text: str) -> str:
    """Return the strings of a JSON text, or of one whose lines are JSON."""
    texts: list[str] = []
    for part in (text, *text.splitlines()):
        try:
            texts += _strings(json.loads(part))
        except ValueError:
            continue
    return "\n".join(texts)


@cache
def _transcript(text: str) -> str:
    began = datetime(2026, 10, 5, tzinfo=UTC)
    transcript = [
        read(BytesIO(text.encode()), name, began=began, timezone="UTC")
        for name in ("x.txt", "x.vtt")  # The content decides; entities are WebVTT's.
    ]
    return "\n".join(f"{m.speaker}: {m.text}" for each in transcript for m in each.messages)


def _untagged(text: str) -> str:
    return re.sub(r"<[^<>]*>", "", text)


VOICING = 9
"""The combining classes up to here are a letter's own; accents and points have higher ones."""
_SEQUENCE = re.compile(r"\x1b\[[0-9;]*m")
DECODERS = (_unescaped, _parsed, _transcript, _untagged, html.unescape, unquote)


@cache
def decoded(text: str) -> frozenset[str]:
    """Return all texts that repeated decoding yields."""
    variants, fresh = {text}, {text}
    for _ in range(2):
        fresh = {decode(each) for each in fresh for decode in DECODERS} - variants
        variants |= fresh
    return frozenset(variants)


@cache
def _fold(character: str) -> str:
    """Return a letter without case and accents; an empty string for invisible characters."""
    parts = unicodedata.normalize("NFKD", character).casefold().replace("\u0131", "i")
    return "".join(
        each
        for each in unicodedata.normalize("NFKD", parts)
        if unicodedata.category(each) != "Cf" and unicodedata.combining(each) <= VOICING
    )


def _bare(text: str) -> str:
    """Return the letters by which a name is recognised."""
    return re.sub(r"[^\x00-\x7f]", lambda found: _fold(found[0]), _SEQUENCE.sub("", text).lower())


def is_readable(part: str, text: str) -> bool:
    """Return True if part of a name is readable in a text: as a word, or between other letters."""
    name, seen = _bare(part), _bare(text)
    if unicodedata.category(name[0]) == "Lo":
        return name in re.sub(r"\s", "", seen)
    return _word(name).search(seen) is not None


@cache
def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W\d_]){re.escape(name)}(?![^\W\d_])")


def assert_unreadable(pieces: Iterable[str], text: str, known: set[str], what: object) -> None:
    """No part may be readable in any decoded text; known lines are not decoded again."""
    for each in decoded(text):
        fresh = [line for line in each.splitlines() if line not in known]
        known.update(fresh)
        for piece in pieces:
            assert not is_readable(piece, "\n".join(fresh)), (what, piece, fresh)


# --- the corpus -----------------------------------------------------------------------------------


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag."""
        self.tags.append(tag)


def check_form(name: str, before: str, after: str) -> None:
    """A file keeps its format: times, tags and records are the same, only words differ."""
    if name.endswith((".jsonl", ".json")):
        for line in after.splitlines():
            json.loads(line)
        assert ("1696500000000" in after) is name.endswith(".jsonl")
    if name.endswith((".vtt", ".srt")):
        assert after.startswith(before.split("\n", 1)[0])
        assert re.findall(".*-->.*", after) == re.findall(".*-->.*", before)
    if name.endswith(".html"):
        assert _Tags(after).tags[:5] == ["html", "body", "ul", "li", "a"]
    assert after.count("thanks") == before.count("thanks")
    assert after.count("\n") == before.count("\n")


QUICK = 3
"""So many names are tried each time, and the others by CI."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if i >= QUICK else n for i, n in enumerate(NAMES)],
    ids=ascii,
)
def test_no_part_of_a_name_can_be_read(tmp_path: Path, name: str) -> None:
    """In any spelling, in any place, after any decoding."""
    known: set[str] = set()
    for spelling, write in SPELLINGS.items():
        # The parts by themselves, and glued to letters of another script.
        spelled = " ".join(write(part) for part in NAMES[name])
        contents = files(spelled, spelling)
        kept = [
            file(tmp_path, f"{spelled} {kind}", content.encode(), of, media_type)
            for kind, (content, of, media_type) in contents.items()
        ]
        made = case(
            customer_name=name,
            reason=f"hello {spelled}",
            summary=f"https://x.example/{spelled}",
            messages=(CaseMessage(None, "Ana", f"hello {spelled}"),),
            events=(happened(8, "10-05 15:00", "refund.claimed", reason=spelled),),
            kept=kept,
        )
        redact = case_redactor(CURRENT, made, ("Ana",), ())
        rules = ExhibitRules(
            CURRENT,
            LARGEST_FILE,
            redact,
            lambda content, _: _transcript(content.decode("utf-8", "replace")),
        )
        entries = pack_entries(made, rules)
        packed = [part for part in entries if part.name.startswith("files/")]
        assert len(packed) == len(contents), (spelling, [part.name for part in entries])
        for part, (kind, (content, *_)) in zip(packed, contents.items(), strict=True):
            assert isinstance(part.content, bytes)
            check_form(kind, content, part.content.decode())
            assert is_blacked_out(part.content, visible(content).encode()), (spelling, kind)
        for part in entries:
            assert isinstance(part.content, bytes)
            text = f"{part.name}\n{part.content.decode()}"
            assert_unreadable(NAMES[name], text, known, (spelling, part.name))
        assert_unreadable(NAMES[name], json.dumps(manifest_fields(made, rules)), known, spelling)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_can_be_read(spelling: str) -> None:
    """A spelling that the decoders here could not read would prove nothing."""
    for pieces in NAMES.values():
        for piece in pieces:
            text = SPELLINGS[spelling](piece)
            assert any(is_readable(piece, each) for each in decoded(f"hello {text}, ")), text


def test_the_corpus_is_large() -> None:
    """Names x spellings x kinds of file and text; of the quick ones alone."""
    assert QUICK * len(SPELLINGS) * len(KINDS) >= 500
