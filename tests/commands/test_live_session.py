"""`sessions show` before the end: the figures so far, the live view, the history."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from liveportal.cli.commands.sessions.follow_view import format_stopwatch
from liveportal.cli.io.view_model import HumanValue, format_cell, is_number, to_json_value
from tests.kit.events import amount, at, line
from tests.kit.shell import PROGRAM, SetClock, Shell, assert_no_traceback

FIGURES = (
    *("elapsed_seconds", "paused_seconds", "active_seconds", "billable_seconds", "gross_so_far"),
    *("earned_so_far", "trial_ends", "trial_left_seconds", "starts_in_seconds"),
)
COLOUR = re.compile("\x1b\\[[0-9;?]*[a-zA-Z]")
SetNow = Callable[[str], None]


@pytest.fixture
def now(clock: SetClock) -> SetNow:
    """Return a function that sets the clock of the commands."""
    return lambda text: clock.set(at(text))


def shown(shell: Shell, name: str, *options: object) -> dict[str, Any]:
    """Return a session as JSON shows it."""
    row: dict[str, Any] = shell.ok("sessions", "show", name, *options)
    return row


# --- the figures ----------------------------------------------------------------------------------


def test_a_live_session_shows_what_it_comes_to(states: Shell, now: SetNow) -> None:
    """Twenty minutes after the start, at $3.00, 30 % of it the platform's."""
    now("11-02 10:20")
    row = shown(states, "S-LIVE")
    assert {name: row[name] for name in FIGURES} == {
        "elapsed_seconds": 1200,
        "paused_seconds": 0,
        "active_seconds": 1200,
        "billable_seconds": 1200,
        "gross_so_far": "60.00",
        "earned_so_far": "42.00",
        "trial_ends": None,
        "trial_left_seconds": None,
        "starts_in_seconds": None,
    }
    assert tuple(row)[-len(FIGURES) - 1 : -1] == FIGURES
    assert row["gross"] is None
    ended = states.ok("sessions", "end", "S-LIVE", "--at", "2026-11-02 10:20")
    assert (ended["gross"], ended["earned"]) == (row["gross_so_far"], row["earned_so_far"])


def test_the_running_pause_counts_as_paused(states: Shell, now: SetNow) -> None:
    """S-PAUSED has been paused since 11:10, ten minutes after its start."""
    now("11-02 11:25")
    row = shown(states, "S-PAUSED")
    assert [row[name] for name in FIGURES[:4]] == [1500, 900, 600, 600]
    now("11-02 12:25")
    later = shown(states, "S-PAUSED")
    assert [later[name] for name in FIGURES[:4]] == [5100, 4500, 600, 600]
    assert row["earned_so_far"] == later["earned_so_far"] == "21.00"


def test_the_trial_counts_down(states: Shell, now: SetNow) -> None:
    """In it nothing is billed, and its end is an instant."""
    now("11-02 10:03")
    row = shown(states, "S-LIVE")
    assert (row["trial_ends"], row["trial_left_seconds"]) == ("2026-11-02T10:05:00Z", 120)
    assert (row["gross_so_far"], row["billable_seconds"]) == ("0.00", 0)


def test_an_upcoming_session_says_when_it_starts(states: Shell, now: SetNow) -> None:
    """Seconds until the start, negative once overdue; an ended session has no live figures."""
    now("11-05 08:00")
    row = shown(states, "S-UP")
    assert [row[name] for name in FIGURES] == [None] * 8 + [3600]
    now("11-05 09:30")
    assert shown(states, "S-UP")["starts_in_seconds"] == -1800
    assert [shown(states, "S-1002")[name] for name in FIGURES] == [None] * 9


def test_figures_are_of_the_instant_that_is_asked_for(states: Shell, now: SetNow) -> None:
    """With `--as-known` they count up to then."""
    now("2999-01-02T00:00:00Z")
    row = shown(states, "S-LIVE", "--as-known", "2999-01-01T00:00:00Z")
    start = datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert row["elapsed_seconds"] == (datetime(2999, 1, 1, tzinfo=UTC) - start).total_seconds()


def test_what_a_feed_reports_ahead_of_the_clock_is_not_negative(states: Shell, now: SetNow) -> None:
    """A session whose start is still to come has not run at all."""
    now("11-02 09:00")
    row = shown(states, "S-LIVE")
    assert [row[name] for name in FIGURES[:6]] == [0, 0, 0, 0, "0.00", "0.00"]


def test_figures_in_every_format(states: Shell, now: SetNow) -> None:
    """Rows have whole seconds, and a field can be asked for alone."""
    now("11-02 10:20")
    fields = ("--fields", "state,active_seconds,earned_so_far")
    assert states.output_of("sessions", "show", "S-LIVE", *fields) == "live\t1200\t42.00\n"
    text = states.output_of("sessions", "show", "S-LIVE", *fields, "--csv")
    assert text == "state,active_seconds,earned_so_far\nlive,1200,42.00\n"


# --- on a terminal --------------------------------------------------------------------------------


def test_a_person_sees_the_figures_first(
    states: Shell, now: SetNow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a stopwatch shows them, before everything else; a hint names the live view."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "100")
    now("11-02 11:25")
    ran = states.run("sessions", "show", "S-PAUSED", terminal=True)
    names = [row.split("  ")[0].strip() for row in ran.out.splitlines()]
    assert names[1:7] == ["id", "state", "elapsed", "active", "paused", "billable"]
    assert re.search(r"elapsed +0:25:00", ran.out)
    assert re.search(r"pauses +2026-11-02 11:10 to now", ran.out)
    assert "--follow" in ran.err
    over = states.run("sessions", "show", "S-1002", terminal=True)
    assert "--follow" not in over.err
    assert "elapsed" not in over.out


def test_the_history_is_a_line_an_event(states: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happened, when, and its source; JSON has the events themselves."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "160")
    states.ok("sessions", "correct", "S-1002", "--billed", "120", "--reason", "as agreed")
    out = states.run("sessions", "show", "S-1002", terminal=True).out
    lines = out[out.index("history") :].splitlines()
    history = shown(states, "S-1002")["history"]
    assert len(lines) >= len(history) > 3
    assert re.search(r"\n +started at 2026-10-\d\d \d\d:\d\d, reported by the platform *\n", out)
    assert re.search(r"ended at 2026-10-12 \d\d:\d\d \(billed 136\.50\), reported by the", out)
    assert "(billed 120.00; as agreed), recorded by you" in out
    assert history[-1]["data"]["reason"] == "as agreed"
    assert history[-1]["type"] == "session.corrected"


def test_a_history_in_words_is_complete_and_cleaned(
    empty: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every event type has a sentence; untrusted text is cut and cleaned."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "300")
    evil = "\x1b[2J\u202eevil\x00" + "x" * 100_000
    slots = [{"start": "2026-10-06T09:00:00Z", "minutes": 30}]
    feed = (
        line(
            "request.opened",
            "10-05 09:00",
            id="1",
            request="R-1",
            kind="scheduled",
            customer={"id": "C-1", "name": evil},
            title=evil,
            rate=amount("3.00"),
            slots=slots,
        ),
        line("request.accepted", "10-05 09:01", id="2", request="R-1", session="S-1", slot=1),
        line(
            "session.rescheduled",
            "10-05 09:02",
            id="3",
            session="S-1",
            start="2026-10-07T09:00:00Z",
            minutes=45,
        ),
        line("session.cancelled", "10-05 09:03", id="4", session="S-1", by="customer", reason=evil),
        line(
            "session.logged",
            "10-05 12:00",
            id="5",
            session="S-2",
            customer={"id": "C-1"},
            rate=amount("3.00"),
            start="2026-10-05T10:00:00Z",
            end="2026-10-05T11:00:00Z",
            pauses=[["2026-10-05T10:10:00Z", "2026-10-05T10:20:00Z"]],
            title=evil,
        ),
        line("refund.claimed", "10-05 12:30", id="6", claim="CL-1", session="S-2", reason=evil),
        line("review.posted", "10-05 12:31", id="7", session="S-2", by="expert", rating=4),
        line("tip.received", "10-05 12:32", id="8", session="S-2", amount=amount("5.00")),
    )
    empty.ok("sync", empty.file("feed.jsonl", b"".join(feed)))
    first = empty.run("sessions", "show", "S-1", terminal=True).out
    assert "rescheduled at 2026-10-05 09:02 (start 2026-10-07 09:00; 45 min), reported by" in first
    assert "cancelled at 2026-10-05 09:03 (by the customer; evilxxx" in first
    second = empty.run("sessions", "show", "S-2", terminal=True).out
    for output in ("logged at", "paused 2026-10-05 10:10", "refund claimed at", "4 of 5; by you"):
        assert output in second
    assert "5.00 USD" in second
    assert "\x1b" not in first + second
    assert "\u202e" not in first + second
    history = first[first.index("history") :] + second[second.index("history") :]
    assert history.count("xxx…") == 4


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00"), (65, "0:01:05"), (-5, "-0:00:05"), (90_061, "1 d 1:01:01")],
)
def test_a_stopwatch(seconds: int, text: str) -> None:
    """Hours, minutes and seconds; days apart."""
    assert format_stopwatch(timedelta(seconds=seconds)) == text


def test_a_human_value_is_raw_in_other_formats() -> None:
    """Words are for people; machine formats have the raw value."""
    value = HumanValue(timedelta(seconds=90), lambda _now, _local: ["a while"])
    assert (to_json_value(value), format_cell(value), is_number(value)) == (90, "90", True)
    listed = HumanValue([{"a": 1}], lambda _now, _local: ["one"])
    assert (to_json_value(listed), format_cell(listed), is_number(listed)) == (
        [{"a": 1}],
        '[{"a":1}]',
        False,
    )


# --- the view that keeps up -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [(), ("--json",), ("--csv",), ("-o", "x"), ("--fields", "id"), ("--as-known", "now")]
)
def test_follow_needs_a_terminal(states: Shell, options: tuple[str, ...]) -> None:
    """A script, a file or the past is wrong usage."""
    ran = states.run("sessions", "show", "S-LIVE", "--follow", *options)
    assert (ran.code, ran.out) == (2, "")
    assert "--follow" in ran.err
    assert not (states.folder / "x").exists()


def test_a_terminal_that_cannot_be_redrawn_is_none(
    states: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With TERM=dumb every second would be another page; and formats stay formats."""
    monkeypatch.setenv("TERM", "dumb")
    assert states.run("sessions", "show", "S-LIVE", "--follow", terminal=True).code == 2
    monkeypatch.setenv("TERM", "xterm")
    json = states.run("sessions", "show", "S-LIVE", "--follow", "--json", terminal=True)
    assert json.code == 2


def test_following_what_is_over_shows_its_bill_and_ends(
    states: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to wait for; an unknown session is not found."""
    monkeypatch.setenv("TERM", "xterm")
    ran = states.run("sessions", "show", "S-1002", "--follow", terminal=True)
    assert ran.code == 0
    assert re.search(r"gross.*136\.50", ran.out)
    assert states.run("sessions", "show", "nope", "--follow", terminal=True).code == 3


if sys.platform != "win32":
    import pty

    class Follower:
        """`--follow` on a terminal of its own."""

        def __init__(self, shell: Shell, session: str) -> None:
            self.terminal, inner = pty.openpty()
            self.seen = ""
            self.running = subprocess.Popen(
                [*PROGRAM, "sessions", "show", session, "--follow"],
                stdin=inner,
                stdout=inner,
                stderr=inner,
                cwd=shell.folder,
                env=shell.environment(TERM="xterm-256color", COLUMNS="80"),
                start_new_session=True,
            )
            os.close(inner)

        def until(self, said: str) -> None:
            """Read until a text appears in the output since the last read."""
            stop = time.monotonic() + 30
            self.seen = ""
            while time.monotonic() < stop:
                ready, _, _ = select.select([self.terminal], [], [], 1)
                try:
                    chunk = os.read(self.terminal, 65_536) if ready else b" "
                except OSError:
                    chunk = b""
                self.seen += chunk.decode(errors="replace")
                if said and re.search(said, COLOUR.sub("", self.seen)):
                    return
                if not chunk:
                    break
            if said:
                pytest.fail(f"{said!r} was never shown: {self.seen[-2000:]!r}")

        def end(self) -> int:
            """Wait for its end."""
            self.until("")
            code = self.running.wait(timeout=30)
            os.close(self.terminal)
            return code

    def _begin(shell: Shell) -> None:
        shell.ok("requests", "accept", "REQ-2001", "--session", "S-NOW", "--anyway")

    @pytest.mark.slow
    def test_the_view_keeps_up_with_other_shells(states: Shell) -> None:
        """A pause, a resume and the end show at once; the end shows the bill and ends the view.

        The view holds no lock between two reads, so no writer waits for it.
        """
        _begin(states)
        view = Follower(states, "S-NOW")
        view.until(r"state +live")
        view.until(r"elapsed +0:00:0[1-9]")
        states.ok("sessions", "pause", "S-NOW")
        view.until(r"state +paused")
        states.ok("sessions", "resume", "S-NOW")
        view.until(r"state +live")
        in_an_hour = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        bill = states.ok("sessions", "end", "S-NOW", "--at", in_an_hour, "--anyway")
        view.until(rf"state +ended(.|\n|\r)*gross +{re.escape(bill['gross'])}")
        assert view.end() == 0

    def test_an_interrupted_view_ends_quietly(states: Shell) -> None:
        """Ctrl-C says what was earned and how to end it, and the cursor is visible again."""
        _begin(states)
        view = Follower(states, "S-NOW")
        view.until(r"state +live")
        view.running.send_signal(signal.SIGINT)
        view.until(r"is still live.*`liveportal sessions end S-NOW`")
        assert "\x1b[?25h" in view.seen
        assert_no_traceback(view.seen)
        assert view.end() == 0
