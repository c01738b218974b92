"""Each screen of the portal as text, at two sizes; `--update-golden` stores them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from liveportal.cli.main import main
from tests.kit.events import amount, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.kit.portal_screen import Portal, Screen

EXPECTED = Path(__file__).parent / "expected"
SCREENS = {
    "requests": ["1"],
    "upcoming": ["2"],
    "history": ["3"],
    "claims": ["c"],
    "details": ["enter"],
    "summary": ["4"],
    "record": ["v", "left_square_bracket"],
    "payout": ["v"],
    "preferences": ["5"],
    "help": ["question_mark"],
}
"""Each screen, and the keys that lead to it from the one before."""
AMOUNT = re.compile(r"\d\.\d\d")


@pytest.mark.parametrize("size", [(80, 24), (100, 30)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_screen(demo: Portal, size: tuple[int, int], request: pytest.FixtureRequest) -> None:
    """Their text is what was looked at and found right; reading changes no byte of the ledger."""
    before = demo.ledger.read_bytes()

    async def work(screen: Screen) -> dict[str, str]:
        return {name: await screen.press(*keys) for name, keys in SCREENS.items()}

    for name, text in demo.run(work, size).items():
        stored = EXPECTED / f"{name}-{size[0]}x{size[1]}.txt"
        if request.config.getoption("--update-golden"):
            stored.write_text(f"{text}\n", "utf-8")
        assert f"{text}\n" == stored.read_text("utf-8"), name
    assert demo.ledger.read_bytes() == before


def test_amounts_can_be_hidden(demo: Portal) -> None:
    """No screen shows one, until the key is pressed again."""
    keys = ("h", "2", "3", "c", "enter", "escape", "4", "v", "v", "5", "1", "h")
    *hidden, shown = demo.pressed(*keys)
    for key, text in zip(keys, hidden, strict=False):
        assert not AMOUNT.search(text), key
    assert AMOUNT.search(shown)


def test_an_empty_ledger(empty: Portal) -> None:
    """Each tab says what could be there."""
    requests, upcoming, history, summary, record, payout, preferences = empty.pressed(
        "1", "2", "3", "4", "v", "v", "5"
    )
    assert "No open requests." in requests
    assert "No sessions are planned." in upcoming
    assert "no sessions" in history
    assert "Earnings for 2026-12" in summary
    assert "No transactions in this month." in record
    assert "Payout preview" in payout
    assert "No preferences are set." in preferences


MARKUP = "[@click=app.quit]x[/]"
HOSTILE = (
    MARKUP,
    "\x1b[31mred\x1b[0m \x9b2J",
    "\u202egnp.exe\u2066 \u200f",
    "x" * 10_000,
    "李小龍" * 40,
    "two\nlines\tand a tab",
)


def test_texts_of_strangers_are_texts(empty: Portal, tmp_path: Path) -> None:
    """No markup, no control characters, no line that is too wide, on any screen."""
    feed = tmp_path / "hostile.jsonl"
    feed.write_bytes(b"".join(_asked(number, text) for number, text in enumerate(HOSTILE)))
    argv = ["sync", str(feed), "--ledger", str(empty.ledger), "-o", str(tmp_path / "out")]
    assert main(argv, lambda: empty.now) == 0

    async def work(screen: Screen) -> Sequence[str]:
        return [await screen.press(key) for key in ("1", *"jjjjj", "2", "3", "enter")]

    screens = empty.run(work)
    assert MARKUP in screens[0]
    for text in screens:
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def _asked(number: int, text: str) -> bytes:
    return line(
        "request.opened",
        "11-30 10:00",
        id=f"h-{number}",
        request=f"R-{number}",
        kind="instant",
        customer={"id": f"C-{number}", "name": text[:100]},
        title=text[:1000],
        rate=amount("3.00"),
        expires="2026-12-20T00:00:00Z",
    )


def test_another_size(demo: Portal) -> None:
    """A wide terminal has whole names, and the request beside the list."""

    async def work(screen: Screen) -> tuple[str, str]:
        await screen.pilot.resize_terminal(140, 40)
        await screen.settle()
        wide = screen.text
        await screen.pilot.resize_terminal(80, 24)
        await screen.settle()
        return wide, screen.text

    wide, narrow = demo.run(work)
    assert "1 New Requests (2)" in wide
    assert "1 Requests (2)" in narrow
    row = next(text for text in wide.splitlines() if "REQ-1012" in text)
    assert "kind" in row  # It is beside the list's heading.
    assert max(map(cell_len, narrow.splitlines())) <= 80


def test_without_colours(demo: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR nothing on the screen has a colour, and the cursor is still marked."""
    monkeypatch.setenv("NO_COLOR", "1")

    async def work(screen: Screen) -> tuple[str, bool]:
        strips = screen.app.screen._compositor.render_strips()  # noqa: SLF001
        styles = [part.style for strip in strips for part in strip if part.style]
        return screen.text, any(
            colour and not colour.is_default
            for style in styles
            for colour in (style.color, style.bgcolor)
        )

    text, has_colour = demo.run(work)
    assert "▸instant" in text
    assert not has_colour
