"""The front page: bare `liveportal` on a terminal, and `liveportal --json`."""

from __future__ import annotations

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.cli.commands.front_page import Clock, page_lines
from liveportal.cli.io.text import clean, display_width
from liveportal.domain.frozen import replace
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.feeds import jsonl
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.front_page import FrontPage, front_page
from liveportal.ledger.queries.payouts import Blocker
from liveportal.ledger.queries.short_ids import LONGEST_ID
from liveportal.portal import Portal
from tests.commands.front_page_books import BUSY, CROWDED, TWICE
from tests.kit.events import at
from tests.kit.planned_sessions import SetNow, now
from tests.kit.shell import Shell

__all__ = ["now"]

EXPECTED = Path(__file__).parents[1] / "golden" / "front_pages"
MOST_LINES = 30
ADDED = ("--title", "help", "--rate", "3.00")


class Page(NamedTuple):
    """A book and when its front page is looked at; `zone` is the expert's own."""

    feed: bytes = b""
    zone: str | None = None
    when: str = "11-04 12:00"
    forgotten: tuple[str, ...] = ()


PAGES = {
    "empty": Page(),
    "busy": Page(BUSY),
    "crowded": Page(CROWDED, zone="Asia/Kolkata"),
    "forgotten": Page(BUSY, forgotten=("C-140", "C-7", "C-1")),
    "twice": Page(TWICE, zone="Europe/Paris", when="10-24 23:00"),
}


def make(shell: Shell, now: SetNow, page: Page) -> None:
    """Fill the shell's empty ledger, and set the clock."""
    now(page.when)
    if page.feed:
        shell.ok("sync", shell.file("feed.jsonl", page.feed))
    for customer in page.forgotten:
        shell.ok("ledger", "forget", customer, "--yes")
    if page.zone:
        shell.ok("preferences", "set", "--zone", page.zone, "--at", "2026-10-01 00:00")


@pytest.fixture
def columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give terminals 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize("width", [80, 60])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_is_stored(
    empty: Shell,
    now: SetNow,
    name: str,
    width: int,
    monkeypatch: pytest.MonkeyPatch,
    pytestconfig: pytest.Config,
) -> None:
    """Titles are cut to the terminal's width, figures and ids never; nothing hostile gets out."""
    make(empty, now, PAGES[name])
    monkeypatch.setenv("COLUMNS", str(width))
    ran = empty.run(terminal=True)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert [line for line in lines if display_width(line) > width] == []
    assert [line for line in lines if clean(line) != line] == []
    assert len(lines) <= MOST_LINES or width < 80
    stored = EXPECTED / f"{name}-{width}.txt"
    if pytestconfig.getoption("--update-golden"):
        stored.parent.mkdir(exist_ok=True)
        stored.write_text(ran.out, encoding="utf-8")
    assert ran.out == stored.read_text(encoding="utf-8")


def test_every_page_stored_is_looked_at() -> None:
    """What is stored for a page that is gone would never be compared."""
    stored = {path.stem for path in EXPECTED.glob("*.txt")}
    assert stored == {f"{name}-{width}" for name in PAGES for width in (60, 80)}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.usefixtures("columns")
def test_every_command_on_the_page_works(
    empty: Shell, now: SetNow, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands; what would record something with --dry-run."""
    make(empty, now, PAGES[name])
    monkeypatch.setenv("EDITOR", "sh -c 'echo It was fixed at 14:17 > \"$0\"'")
    commands = re.findall(r"liveportal (.+)", empty.run(terminal=True).out)
    assert len(commands) > len(PAGES)
    for command in commands:
        words = shlex.split(command)
        is_read = not {"accept", "start", "end", "resume", "file"} & set(words)
        ran = empty.run(*words[:2], *(() if is_read else ("--dry-run",)), *words[2:])
        assert ran.code in (0, 10), (command, ran)


def test_json_has_every_item_whole(empty: Shell, now: SetNow) -> None:
    """One object, validated against `liveportal schema`; nothing is cut or left out."""
    make(empty, now, PAGES["crowded"])
    page = empty.ok()
    schema = json.loads(empty.output_of("schema"))
    assert list(page) == list(schema["properties"])
    assert schema["title"] == "liveportal"
    assert len(page["requests"]) == 13
    assert page["requests"] == empty.ok("requests", "list", "--state", "open", "--sort", "left")
    assert [row["id"] for row in page["running"]] == ["S-PAUSED", "S-LIVE"]
    assert page["running"][1]["earned_so_far"] == "75.95"  # 31 minutes at 3.50, less 30 %.
    assert [row["id"] for row in page["upcoming"]] == ["S-late", "S-soon", "S-later"]
    assert [row["silence"] for row in page["claims"]] == ["deduct"] * 3
    assert page["last_month"] == {
        name: value
        for name, value in empty.ok("earnings", "--month", "last").items()
        if name != "risk"
    }
    assert page["payout"]["amount"] == empty.ok("payout", "forecast")[0]["carried"]
    assert page["payout"]["blocked"][0]["code"] == "profile_incomplete"
    assert (page["timezone"], page["currency"]) == ("Asia/Kolkata", "USD")


def test_a_pipe_gets_help_as_ever(empty: Shell) -> None:
    """Scripts that rely on it see no change, with a ledger and without one."""
    assert empty.run().out == empty.run("--help").out
    assert empty.run().code == 0
    assert empty.run("--ledger", empty.folder / "none.db").out == empty.run("--help").out


@pytest.mark.usefixtures("columns")
def test_without_a_ledger_it_says_how_to_begin(nothing: Shell) -> None:
    """A few lines that fit any screen; but a path that was typed is an error, as is --json."""
    ran = nothing.run(terminal=True)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"You do not have a ledger yet ({nothing.ledger}). To begin:"
    assert lines[3] == ""
    assert all(name in "\n".join(lines[:3]) for name in ("init", "sync", "requests add", "demo"))
    assert lines[4:] == ["All commands: liveportal --help"]
    assert not nothing.ledger.exists()
    assert nothing.run("--ledger", "typo.db", terminal=True).code == 3
    failed = nothing.run("--json")
    assert (failed.code, failed.out) == (3, "")
    assert json.loads(failed.err)["error"]["code"] == "ledger_not_found"


@pytest.mark.usefixtures("columns")
def test_a_typed_ledger_is_named_for_the_commands(empty: Shell, now: SetNow) -> None:
    """They name none themselves."""
    now("11-04 12:00")
    shown = empty.run("--ledger", empty.ledger, terminal=True).out.splitlines()
    assert shown[0] == f"To use this ledger: export LIVEPORTAL_LEDGER={empty.ledger}"
    assert shown[1:] == empty.run(terminal=True).out.splitlines()


@pytest.mark.usefixtures("columns")
def test_a_past_page_names_its_months(empty: Shell, now: SetNow) -> None:
    """`--as-known` shows a page of then; its months are no longer this one and the last."""
    now("3000-02-15T12:00:00Z")
    shown = empty.run("--as-known", "3000-01-20 12:00", terminal=True).out
    assert (
        "  3000-01: no sessions, 0.00 USD                liveportal earnings --month last" in shown
    )
    assert (
        "  2999-12: no sessions, 0.00 USD             liveportal earnings --month 2999-12" in shown
    )


def test_wrong_options_name_the_program(empty: Shell) -> None:
    """The front page has no name of its own."""
    for argv in (("--nonsense",), ("--header", "--jsonl"), ("--tsv", "requests", "list")):
        ran = empty.run(*argv)
        assert (ran.code, ran.out) == (2, "")
        assert "See 'liveportal --help'." in ran.err


# --- any book at all ------------------------------------------------------------------------------

TEXTS = st.text(max_size=60) | st.sampled_from(
    ["", "\ufe0f" * 9, "👨‍👩‍👧" * 30, "é" * 200, "漢" * 99]
)
BLOCKERS = [
    Blocker(code=code, message=message)
    for code, message in (
        ("profile_incomplete", "The payout profile is incomplete. It needs: address, email, name."),
        ("nothing_eligible", "Nothing is due to be paid out yet."),
        ("below_minimum", "It is below the payout minimum of 100.00 USD (R12)."),
        ("first_payout_wait", "The first payout is not sent before 2026-12-04 (R13)."),
    )
]
IDS = st.text("abcABC019._:-", min_size=1, max_size=LONGEST_ID)
AMOUNTS = st.integers(0, 10**7).map(lambda minor: Money(minor, "USD"))


@pytest.fixture(scope="module")
def busy_page(tmp_path_factory: pytest.TempPathFactory) -> FrontPage:
    """Return a page with rows in every block, whose values the property replaces."""
    path = tmp_path_factory.mktemp("page") / "ledger.db"
    Portal.create(path, Policy())
    with Portal(path) as portal:
        portal.record([jsonl.parse(line) for line in BUSY.splitlines()])
    with open_readonly(path) as reader:
        return front_page(reader, at("11-04 12:00"))


def _many(draw: Any, rows: list[Any], **values: st.SearchStrategy[Any]) -> list[Any]:  # noqa: ANN401
    """Return up to nine copies of the rows, with a few drawn values in turn."""
    drawn = {name: draw(st.lists(value, min_size=1, max_size=4)) for name, value in values.items()}
    return [
        replace(rows[n % len(rows)], **{name: few[n % len(few)] for name, few in drawn.items()})
        for n in range(draw(st.integers(0, 9)))
    ]


@given(st.data())
def test_no_page_is_longer_than_a_screen(busy_page: FrontPage, data: st.DataObject) -> None:
    """Whatever a book holds: at most 30 lines of 80 columns, without a control character."""
    draw = data.draw
    customer = {"customer_name": TEXTS | st.none(), "title": TEXTS | st.none(), "id": IDS}
    page = replace(
        busy_page,
        requests=_many(draw, busy_page.requests, id=IDS, title=TEXTS, rate=AMOUNTS),
        running=_many(draw, busy_page.running, earned_so_far=AMOUNTS | st.none(), **customer),
        upcoming=_many(draw, busy_page.upcoming, **customer),
        claims=_many(draw, busy_page.claims, cost=AMOUNTS, held=AMOUNTS, **customer),
    )
    blocked = draw(st.sampled_from([BLOCKERS[:n] for n in range(5)] + [BLOCKERS[::3]]))
    page = replace(page, payout=replace(page.payout, blocked=blocked))
    lines = list(page_lines(page, 80, "Europe/Paris", {}))
    assert len(lines) < MOST_LINES  # A ledger that was typed has one more.
    for line in lines:
        assert clean(line) == line
        assert display_width(line) <= 80, line
    for line, below in pairwise(lines):  # A command that does not fit has a line of its own.
        assert "liveportal" in line or not line.startswith(" ") or "    liveportal" in below


def test_an_hour_that_comes_twice_has_its_offset() -> None:
    """Of all other hours the zone's name is enough."""
    clock = Clock(at("10-24 23:00"), "Europe/Paris")
    times = ("10-25 00:30", "10-25 01:30", "10-25 09:00", "2027-01-02T09:00:00Z")
    assert [clock.time(at(time)) for time in times] == [
        "today 02:30+02:00",
        "today 02:30+01:00",
        "today 10:00",
        "Sat 2 Jan 2027 10:00",
    ]
