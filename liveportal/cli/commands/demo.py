"""`liveportal demo`: a month of a fictional expert that ends now, shown with ordinary commands.

The sample feed has times relative to now. `@-18m` is 18 minutes ago, and `@-9d 14:00` is 14:00 nine
days ago on the clock of this machine's zone. Everything else is as in any feed.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path

import typer

from liveportal.cli.app import Commands
from liveportal.cli.clock import system_timezone, utc_now
from liveportal.cli.io.render import suppress_hints
from liveportal.cli.main import run
from liveportal.cli.options import LedgerOption, with_options
from liveportal.domain.clock import utc_text, zone
from liveportal.domain.errors import LedgerExists, OutputFailed
from liveportal.ledger.secrets.machine_id import state_file

app = Commands()

SAMPLES = files("liveportal") / "samples"
FEED, POLICY = "demo.jsonl", "demo.policy.toml"
SOURCE = "https://help.example/experts/7"

STORY = (
    ("Create a ledger for the rules of a platform, and record what the platform reported.", ""),
    ("", f"init --policy {POLICY}"),
    ("", f"sync {FEED}"),
    ("The sessions, and what each one earned.", "sessions list"),
    (
        "Two customers want their money back. Your share is held meanwhile.",
        "refunds list",
    ),
    ("The months in the books, to the cent.", "earnings months"),
    ("The same for a script.", "earnings months --jsonl --fields month,net"),
    ("The payout for the two oldest sessions is on its way.", "payout list"),
    ("Check every record against the others.", "ledger verify"),
)

_TIME = re.compile(r'"@([+-]\d+)(?:m|d (\d\d:\d\d))"')
LEFT = ("", "-wal", "-shm", ".vault", ".key")
"""What a ledger in a folder of the user's leaves there: it, its log, evidence, and a key."""

DUE = 10
"""The exit code of `due` if something is due."""

MACHINE_ID = """
It also created the random id of this machine that all your ledgers use:
  {path}"""


@app.command("demo")
@with_options(LedgerOption)
def demo(ledger: LedgerOption) -> None:
    """Show a month in the work of a fictional expert, in a separate ledger that you can play with.

    The month ends now: a session is live, and a request and a claim wait for an answer. Your own
    ledger is not touched. The last lines say how to remove what the demo leaves.

    Example: liveportal demo
    """
    had_machine_id = state_file().exists()
    with _place(ledger.typed) as (path, removal), _dated_samples() as folder:
        for sentence, command in STORY:
            if sentence:
                _print(f"\n{sentence}")
            if command:
                _show(path, command, folder)
        _print(_closing(path, removal))
        if not had_machine_id and state_file().exists():
            _print(MACHINE_ID.format(path=state_file()))
        _print("\nTo begin your own: liveportal init. This is what waits for you in the demo:")
        _show(path, "" if sys.stdout.isatty() else "due")


@contextmanager
def _place(typed: Path | None) -> Iterator[tuple[Path, str]]:
    """Give the path of the ledger and the command that removes it; a failure leaves no folder."""
    if typed:
        if typed.exists():
            raise LedgerExists(
                f"A file already exists at {typed}.",
                hint="Choose another path with --ledger.",
                path=str(typed),
            )
        yield typed, shlex.join(["rm", "-rf", *(f"{typed}{suffix}" for suffix in LEFT)])
        return
    folder = Path(tempfile.mkdtemp(prefix="liveportal-demo-"))
    try:
        yield folder / "ledger.db", f"rm -r {shlex.quote(str(folder))}"
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def _dated_samples() -> Iterator[Path]:
    """Write the samples, dated relative to now, into a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="liveportal-feed-") as name:
        folder = Path(name)
        feed = dated((SAMPLES / FEED).read_text("utf-8"), utc_now(), system_timezone() or "UTC")
        (folder / FEED).write_text(feed, "utf-8")
        (folder / POLICY).write_bytes((SAMPLES / POLICY).read_bytes())
        yield folder


def dated(template: str, now: datetime, zone_name: str) -> str:
    """Return the sample feed with its relative times replaced, to the minute.

    Days are those of the zone's calendar, so that an appointment at 17:00 is at 17:00 on the wall.
    """
    minute = now.replace(second=0, microsecond=0)
    tz = zone(zone_name)
    today = minute.astimezone(tz).date()

    def instant(match: re.Match[str]) -> str:
        number, clock = int(match[1]), match[2]
        if clock is None:
            return json.dumps(utc_text(minute + timedelta(minutes=number)))
        day = today + timedelta(days=number)
        local = datetime.combine(day, time.fromisoformat(clock), tz)
        return json.dumps(utc_text(local.astimezone(UTC)))

    lines = (json.loads(_TIME.sub(instant, line)) for line in template.splitlines())
    head = {"specversion": "1.0", "source": SOURCE}
    return "".join(json.dumps(head | line) + "\n" for line in lines)


def _show(path: Path, command: str, folder: Path | None = None) -> None:
    """Show a command as a user types it, and run it; in a pipe, rows have a header."""
    is_write = command.startswith(("init", "sync"))
    if command and not is_write and "--jsonl" not in command and not sys.stdout.isatty():
        command += " --header"
    _print(f"\n$ liveportal {command}".rstrip())
    words = [
        str(folder / word) if folder and word in (FEED, POLICY) else word
        for word in shlex.split(command)
    ]
    with suppress_hints():
        code = run(["--ledger", str(path), *words, *(["--no-pager"] if words else [])])
    if code not in (0, DUE):
        raise typer.Exit(code)


def _closing(path: Path, removal: str) -> str:
    return f"""
This is a ledger to play with. Try:

  export LIVEPORTAL_LEDGER={shlex.quote(str(path))}
  liveportal requests accept REQ-1010 --slot 1
  liveportal sessions end S-1011
  liveportal refunds show CL-2

The demo leaves this ledger. To remove it:

  unset LIVEPORTAL_LEDGER; {removal}"""


def _print(text: str) -> None:
    if sys.stdout is None:
        raise OutputFailed("There is no standard output.")
    print(text)  # noqa: T201 -- It is the result.
    sys.stdout.flush()
