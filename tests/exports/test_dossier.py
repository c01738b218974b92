"""The pages of page formats 1 and 2: the same in both file formats, and no text is ever markup."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.clock import FIRST, LAST
from liveportal.domain.text import clean
from liveportal.exports.dossier import Dossier, Exhibit, Figure, TimelineEntry, html, markdown
from tests.kit.events import at, short

HOSTILE = (
    *("<script>alert(1)</script>", "</td></tr></table><img src=x onerror=alert(1)>", "]]>", "-->"),
    *('"><svg onload=alert(1)>', "' onmouseover='alert(1)", "&lt;b&gt; & &#60;", "</style><b>"),
    *(
        "</title><script>",
        "javascript:alert(1)",
        "\x1b[2J\x1b]0;x\x07",
        "a\u202egnp.exe",
        "\x00\x08",
    ),
    *("\ud800 lone", "a | b | c", "a\nb\r\nc\x0bd\u2028e", "`code` ```", "[x](javascript:y)"),
    *("# not a heading", "- not a list", "1. one", "> quote", "***bold***", "![x](y)", "<!--", "|"),
    *(
        "\\| escaped \\",
        "---",
        "| --- |",
        "<a href='x'>",
        "\ufeff\u200b",
        "x" * 10_000,
        "=cmd|'/c'",
    ),
    *("http://evil.example/?a=1&b=2", "~~gone~~", "a\tb", "$x$", "@everyone"),
)
TAGS = frozenset(
    (
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "dl", "dt", "dd"),
        *("table", "caption", "thead", "tbody", "tr", "th", "td", "code", "time", "a", "br", "em"),
        *("p", "footer", "figure", "figcaption", "img"),
    )
)
EMPTY = frozenset({"meta", "br", "img"})


def dossier(text: str = "a text", **changes: Any) -> Dossier:  # noqa: ANN401 (whatever it has)
    """Return a dossier with this text in every place where text can be."""
    whole = Dossier(
        title=text,
        zone="Europe/Paris",
        facts=((text, text),),
        timeline=(
            TimelineEntry(at("10-05 14:00"), text, text, 3),
            TimelineEntry(at("10-05 14:12:31"), text, None, None),
            TimelineEntry(None, text, text),
        ),
        figures=(Figure(text, text, text),),
        exhibits=(
            Exhibit(
                text, text, text, 7, "ab" * 32, "files/01-x.png", "image/png", at("10-05 15:00")
            ),
            Exhibit(text, text, text, 8, "cd" * 32, why=text),
        ),
        footer=("The end.", text),
        start=at("10-05 14:00"),
        end=at("10-05 14:21"),
    )
    return replace(whole, **changes)


class Page(HTMLParser):
    """Reads a page as a browser does, and is strict where a browser is not."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: dict[str, list[str]] = {}
        self.feed(page)
        self.close()
        assert self.open == [], "every element ends"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, and open the cell that it is."""
        assert tag in TAGS
        self.tags.append((tag, dict(attrs)))
        if tag == "br":
            self.cells[self.open[-1]][-1] += "\n"
        elif tag not in EMPTY:
            self.open.append(tag)
            self.cells.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Add to the text of the innermost element."""
        if self.open:
            self.cells[self.open[-1]][-1] += data

    def handle_comment(self, data: str) -> None:
        """There must be none."""
        raise AssertionError(data)

    unknown_decl = handle_comment
    handle_pi = handle_comment


def one_line(text: str) -> str:
    """Return a text as a cell of a page shows it: clean, its lines below one another."""
    return "\n".join(clean(line) for line in text.splitlines())


def cells(row: str) -> list[str]:
    """Return the cells of a row of a Markdown table, as GitHub splits them."""
    return [each.strip() for each in re.split(r"(?<!\\)\|", row)[1:-1]]


def unescaped(text: str) -> str:
    """Return the text that a Markdown renderer shows for an escaped text."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


# --- as a page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE, ids=short)
def test_no_text_is_ever_more_than_text(text: str) -> None:
    """For any text by a stranger the page has the same elements, and shows the text."""
    page, plain = Page(html(dossier(text))), Page(html(dossier("x")))
    without = [tag for tag, _ in page.tags if tag != "br"]
    assert without == [tag for tag, _ in plain.tags if tag != "br"]
    for tag, attributes in page.tags:
        assert attributes.keys() <= {
            *("lang", "charset", "name", "content", "http-equiv", "class", "scope", "datetime"),
            *("href", "src", "alt"),
        }, tag
        assert not (attributes.get("href") or "files/").startswith(("javascript", "http", "data"))
    assert page.cells["h1"] == [clean(text)]
    assert page.cells["title"] == [clean(text)]
    assert page.cells["dd"] == [one_line(text)]
    assert page.cells["figcaption"] == [clean(text)]
    assert dict(page.tags)["img"]["alt"] == clean(text)


@given(st.text(max_size=60))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    """The text that a browser reads is the text, sanitised."""
    page = Page(html(dossier(text)))
    assert page.cells["h1"] == [clean(text)]
    assert page.cells["dt"] == [clean(text)]
    assert page.cells["dd"] == [one_line(text)]
    assert page.cells["em"] == [clean(text)]


def test_a_page_runs_nothing_and_requests_nothing() -> None:
    """No script, no external style, no request; the page's own policy forbids them."""
    page = html(dossier())
    policy = next(
        attributes["content"]
        for tag, attributes in Page(page).tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy
    rules = dict(each.split(" ", 1) for each in policy.split("; "))
    assert rules == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "'self' file:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert not re.search(r"<script|https?:|\son\w+=|url\(|@import|<link|<iframe", page)
    assert "@media print" in page
    assert page.isascii() or 'charset="utf-8"' in page


def test_the_page_says_when_and_what() -> None:
    """Times are local to the second; how far into the session is shown within it alone."""
    late = TimelineEntry(at("10-05 15:00"), "A claim", None, 9)
    page = Page(html(dossier(timeline=(*dossier().timeline, late))))
    shown = [page.cells["time"][n] for n in range(3)]
    assert shown == ["2026-10-05 16:00:00", "2026-10-05 16:12:31", "2026-10-05 17:00:00"]
    numbers = [
        text
        for (tag, about), text in zip(
            [tag for tag in page.tags if tag[0] == "td"], page.cells["td"], strict=True
        )
        if tag == "td" and about.get("class") == "number"
    ]
    assert numbers[:8] == ["0:00", "3", "12:31", "", "", "", "", "9"]


def test_pictures_are_shown_and_nothing_else_is() -> None:
    """An image is part of the page, if it can be nothing but one; a drawing could run."""
    for media_type, shown in {
        "image/png": 1,
        "image/webp": 1,
        "image/svg+xml": 0,
        "text/html": 0,
        None: 0,
    }.items():
        exhibit = replace(dossier().exhibits[0], media_type=media_type)
        page = html(dossier(exhibits=(exhibit, replace(exhibit, file=None, why="too large"))))
        assert page.count("<img") == shown


def test_nothing_is_said_to_be_nothing() -> None:
    """An empty table is replaced by a word, in both formats."""
    empty = dossier(timeline=(), figures=(), exhibits=())
    assert html(empty).count("<p>None.</p>") == 3
    assert markdown(empty).count("None.") == 3
    Page(html(empty))


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "Europe/Paris", "America/New_York"])
@pytest.mark.parametrize(
    "instant",
    [
        FIRST,
        LAST,
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ],
    ids=str,
)
def test_any_time_can_be_shown(zone: str, instant: datetime) -> None:
    """Also the ends of the calendar, in any zone."""
    made = dossier(zone=zone, timeline=(TimelineEntry(instant, "x"),), start=FIRST, end=LAST)
    assert re.fullmatch(r"\d{1,4}-\d\d-\d\d \d\d:\d\d:\d\d", made.local(instant))
    assert made.into(instant)
    Page(html(made))
    markdown(made)


@pytest.mark.parametrize(
    ("when", "into"),
    [
        *[("10-05 13:59:59.999999", ""), ("10-05 14:00", "0:00"), ("10-05 14:00:59.9", "0:59")],
        *[("10-05 14:09:05", "9:05"), ("10-05 15:00", "1:00:00"), ("10-06 00:00:01", "10:00:01")],
        *[("10-06 14:00:00", "24:00:00"), ("10-06 14:00:00.000001", "")],
    ],
)
def test_how_far_into_the_session(when: str, into: str) -> None:
    """As a player shows it; both ends included, nothing outside."""
    made = dossier(start=at("10-05 14:00"), end=at("10-06 14:00"))
    assert made.into(at(when)) == into


# --- as Markdown ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE, ids=short)
def test_no_text_breaks_out_of_its_cell(text: str) -> None:
    """A row is one line with as many cells as the head, and each shows its text."""
    written = markdown(dossier(text))
    assert written.replace("\n", "").isprintable()
    tables = [
        [line for line in block.splitlines() if line.startswith("|")]
        for block in written.split("\n\n")
        if block.startswith("|")
    ]
    assert [len(table) for table in tables] == [5, 3, 4]
    for table in tables:
        width = len(cells(table[0]))
        assert all(len(cells(row)) == width for row in table)
    assert cells(tables[1][2]) == [_md(text)] * 3
    assert [unescaped(cell) for cell in cells(tables[1][2])] == [clean(text).strip()] * 3
    assert len(written.splitlines()) == len(markdown(dossier("x")).splitlines())


def _md(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|~&])", r"\\\1", clean(text)).strip()


@given(st.text(max_size=60))
def test_any_text_stays_in_its_place(text: str) -> None:
    """The structure of the page does not depend on any text in it."""
    lines = markdown(dossier(text)).splitlines()
    plain = markdown(dossier("x")).splitlines()
    assert len(lines) == len(plain)
    for line, model in zip(lines, plain, strict=True):
        assert line[:2] == model[:2] or model == "x", "nothing else begins a line"
        assert len(cells(line)) == len(cells(model)) or not model.startswith("|")


@given(st.text(alphabet="\\|<>&`*_[]~ab", max_size=30))
def test_what_markdown_knows_is_escaped(text: str) -> None:
    """Every special character of Markdown or HTML is escaped by a backslash."""
    row = next(
        line
        for line in markdown(dossier(text)).splitlines()
        if line.startswith("| ") and "---" not in line and "Step" not in line and "Time" not in line
    )
    for place, mark in enumerate(row):
        if mark in "<>&`*_[]~":
            before = len(row[:place]) - len(row[:place].rstrip("\\"))
            assert before % 2 == 1, row


def test_both_forms_say_the_same() -> None:
    """Each format has all the contents of the other."""
    page, text = html(dossier()), unescaped(markdown(dossier()))
    for said in (
        "2026-10-05 16:12:31",
        "12:31",
        "ab" * 32,
        "cd" * 32,
        "files/01-x.png",
        "Europe/Paris",
    ):
        assert said in page
        assert said in text
