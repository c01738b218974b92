"""What a stranger sees: each listing and page of a hard ledger on four widths, as stored.

    pytest tests/commands/test_screens.py --update-golden

stores what is shown now. Read the difference before you keep it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.golden.books import fixed_clock
from tests.kit.hard_ledger import FEED, session_id
from tests.kit.shell import SetClock, Shell

STORED = Path(__file__).parent / "screens"
WIDTHS = (60, 80, 100, 140)
SCREENS = (
    *("requests list", "requests show REQ-0199f0a2-4c5e-7d31-9a1f", "sessions list"),
    *("sessions upcoming", f"sessions show {session_id(2)[:10]}", "sessions reviews"),
    *("sessions search netcode", "refunds list", "refunds show CL-fe12a", "dispute show CL-3"),
    *("earnings --month 2026-10", "earnings months", "earnings transactions", "payout preview"),
    *("payout list", "payout show PO-0199f0a2", "payout forecast", "due", "preferences show"),
    *("policy show", "earnings check --all"),
)
NOW = "2026-11-04T12:00Z"


@pytest.fixture(scope="module")
def hard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Give a shell before the hard ledger, on a terminal without colours."""
    folder = tmp_path_factory.mktemp("hard")
    ledger = folder / "ledger.db"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
            patch.setenv(name, str(folder))
        patch.setenv("LIVEPORTAL_KEYRING", "off")
        patch.setenv("LIVEPORTAL_LEDGER", str(ledger))
        patch.setenv("NO_COLOR", "1")
        patch.delenv("TERM", raising=False)
        patch.chdir(folder)
        clock = SetClock()
        shell = Shell(folder, ledger, clock)
        feed = shell.file("feed.jsonl", b"".join(FEED))
        for when, argv in (
            ("2026-10-01T00:00Z", ("init", "--currency", "KWD", "--timezone", "Europe/Paris")),
            ("2026-11-04T11:59Z", ("sync", feed)),
            ("2026-11-04T11:59Z", ("preferences", "set", "--skill", "netcode")),
            ("2026-11-04T11:59Z", ("preferences", "set", "--minimum-rate", "2.750")),
            ("2026-11-04T11:59Z", ("preferences", "set", "--hours", "mon-fri 9:00-18:00")),
        ):
            clock.set(datetime.fromisoformat(when))
            with fixed_clock(when, str(argv)):
                assert shell.run(*argv).code == 0
        clock.set(datetime.fromisoformat(NOW))
        yield shell


def file_name(line: str) -> str:
    """Return the name under which a screen is stored."""
    return f"{re.sub('[^a-z0-9]+', '-', line.lower())}.txt"


@pytest.mark.parametrize("line", SCREENS)
def test_a_screen_is_as_stored(
    hard: Shell, line: str, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """On 60, 80, 100 and 140 columns; nothing is wider, and no number, date or id is broken."""
    shown = []
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        ran = hard.run(*line.split(), terminal=True)
        assert ran.code in (0, 10), ran
        assert max(map(cell_len, ran.out.splitlines())) <= width, ran.out
        shown.append(f"### {width} columns\n{ran.out}{ran.err}")
    text = "\n".join(shown)
    stored = STORED / file_name(line)
    if pytestconfig.getoption("--update-golden"):
        stored.parent.mkdir(exist_ok=True)
        stored.write_bytes(text.encode())
    assert text == stored.read_bytes().decode()


def test_no_screen_is_stored_in_vain() -> None:
    """What is stored for a screen that is gone would never be looked at."""
    assert {path.name for path in STORED.iterdir()} == set(map(file_name, SCREENS))


def test_a_pipe_has_the_columns_of_a_wide_terminal(
    hard: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same columns whatever the rows are, whole values, and all fields if asked for."""
    monkeypatch.setenv("COLUMNS", "60")
    header, first, *_ = hard.run("sessions", "list", "--tsv", "--header").out.splitlines()
    assert header.split("\t") == [
        *("id", "state", "customer_name", "title", "start", "minutes", "gross", "earned"),
        *("refunded", "claim"),
    ]
    values = dict(zip(header.split("\t"), first.split("\t"), strict=True))
    assert values["id"] == session_id(1)
    assert (values["state"], values["refunded"]) == ("ended", "60.000")
    assert values["start"] == "2026-10-05T14:01:00Z"
    none = hard.run("sessions", "list", "--state", "cancelled", "--tsv", "--header").out
    assert none.splitlines() == [header]
    every = hard.run("sessions", "list", "--fields", "all", "--header").out.splitlines()[0]
    assert every.split("\t") == list(hard.ok("sessions", "list")[0])


def test_a_short_id_is_taken_by_every_command(hard: Shell) -> None:
    """What a table shows for a long id names the same thing when it is typed."""
    shown = hard.run("sessions", "list", terminal=True).out
    for number in (1, 2, 20):
        name = session_id(number)
        assert name not in shown
        assert f"\n{name[:10]}  " in shown
        assert hard.ok("sessions", "show", name[:10])["id"] == name
