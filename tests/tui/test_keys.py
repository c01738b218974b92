"""The keys of the portal, its palette, and what it notices by itself."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

import pytest

from liveportal.cli.main import main
from liveportal.tui.palette import ENTRIES, STEPS
from tests.kit.shell import PROGRAM

if TYPE_CHECKING:
    from tests.kit.portal_screen import Portal, Screen

STEP_KEYS = [
    ("1", "a", "liveportal requests accept REQ-1012"),
    ("1", "x", "liveportal requests decline REQ-1012"),
    ("2", "p", "liveportal sessions pause S-1011"),
    ("2", "e", "liveportal sessions end S-1011"),
    ("2 j", "s", "liveportal sessions start S-1008"),
    ("2 j", "x", "liveportal sessions cancel S-1008"),
    ("2 j", "n", "liveportal sessions miss S-1008"),
    ("c", "d", "liveportal dispute file --edit S-1009"),
    ("4 v v", "i", "liveportal payout profile set"),
    ("5", "e", "liveportal preferences set --help"),
]


def test_a_step_shows_and_copies_its_command(demo: Portal) -> None:
    """The portal records nothing yet; each command is one that the program has.

    A live session cannot be started, and one without a claim cannot be disputed.
    """

    async def work(screen: Screen) -> list[str]:
        await screen.press("2", "s", "n", "3", "d")
        copied = [screen.app.clipboard]
        for way, key, _ in STEP_KEYS:
            await screen.press(*way.split(), key)
            copied.append(screen.app.clipboard)
        return copied

    commands = [command for _, _, command in STEP_KEYS]
    assert demo.run(work) == ["", *commands]
    for command in commands:
        assert main([*command.split()[1:], "--help"]) == 0


def test_moving_and_copying(demo: Portal) -> None:
    """The cursor moves by letters and arrows, and `y` copies the id of its row."""

    async def work(screen: Screen) -> list[str]:
        copied = []
        for keys in ("3", "j", "down", "k", "G", "g", "pagedown", "home", "end", "up"):
            await screen.press(keys, "y")
            copied.append(screen.app.clipboard)
        return copied

    ids = demo.run(work)
    assert ids == [
        *("S-1008", "S-1011", "S-1009", "S-1011", "S-1001"),
        *("S-1008", "S-1001", "S-1008", "S-1001", "S-1002"),
    ]


def test_the_history_is_filtered_while_words_are_typed(demo: Portal) -> None:
    """Words of the title narrow it; Escape shows all again."""
    *_, found, _, everything = demo.pressed("3", "slash", *"netc", "enter", "escape")
    assert "2 sessions" in found
    assert "9 sessions" in everything


def test_a_click_opens_a_tab_and_a_second_one_on_a_row_opens_it(demo: Portal) -> None:
    """The mouse does what keys do."""

    async def work(screen: Screen) -> tuple[str, str]:
        await screen.pilot.click(offset=(35, 1))
        await screen.settle()
        tab = screen.text
        for _ in range(2):
            await screen.pilot.click(offset=(5, 7))
            await screen.settle()
        return tab, screen.text

    tab, details = demo.run(work)
    assert "[All]" in tab
    assert "S-1009" in details
    assert "CL-2" in details


def test_the_palette_has_the_shell_command_of_each_entry(demo: Portal) -> None:
    """What is found is done; a screenshot is not offered."""

    async def work(screen: Screen) -> tuple[str, str]:
        await screen.press("ctrl+p")
        await screen.pilot.pause(0.3)
        shown = screen.text
        await screen.press(*"history")
        await screen.pilot.pause(0.3)  # The palette searches after a pause of its own.
        return shown, await screen.press("enter")

    palette, history = demo.run(work)
    assert "liveportal requests accept REQ-1012" in palette
    assert "creenshot" not in palette
    assert "[All]" in history
    for _, _, shell in ENTRIES:
        if shell:
            assert main([*shell.removesuffix("--help").split()[1:], "--help"]) == 0
    assert set(STEPS) >= {"accept", "dispute", "profile"}


def test_what_another_process_records_is_shown(demo: Portal) -> None:
    """It is read at the next tick, and the cursor stays on its request."""
    add = ("requests", "add", "--title", "New here", "--rate", "2.00")
    argv = [*PROGRAM, *add, "--customer", "C-9", "--ledger", str(demo.ledger)]

    async def work(screen: Screen) -> tuple[str, str]:
        await screen.press("j", "y")
        subprocess.run(argv, check=True, capture_output=True)  # noqa: ASYNC221
        screen.app.tick()
        await screen.settle()
        await screen.press("y")
        return screen.text, screen.app.clipboard

    text, selected = demo.run(work)
    assert "New here" in text
    assert "Requests (3)" in text
    assert selected == "REQ-1010"


def test_a_ledger_that_cannot_be_read_is_reported_until_it_can(demo: Portal) -> None:
    """The screen keeps what it had, and looks again."""
    away = demo.ledger.with_name("away.db")

    async def work(screen: Screen) -> tuple[str, str]:
        demo.ledger.rename(away)
        screen.app.tick()
        await screen.settle()
        failed = screen.text
        away.rename(demo.ledger)
        screen.app.tick()
        await screen.settle()
        return failed, screen.text

    failed, recovered = demo.run(work)
    assert "!" in failed.splitlines()[0]
    assert "REQ-1012" in failed
    assert "● live" in recovered.splitlines()[0]


def test_an_unexpected_error_shows_no_rows(
    demo: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Textual would print the values of variables; the program's own report has none."""
    monkeypatch.setattr("liveportal.tui.upcoming.Upcoming.show", lambda *_: 1 / 0)

    async def run() -> None:
        async with demo.running() as screen:
            await screen.press("2")

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())
    assert "Lena" not in capsys.readouterr().err
