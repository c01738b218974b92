"""`liveportal demo`: a month of a fictional expert, shown with ordinary commands."""

from __future__ import annotations

import shlex
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

import typer

from liveportal.cli.app import Commands
from liveportal.cli.io.render import suppress_hints
from liveportal.cli.main import run
from liveportal.cli.options import LedgerOption, with_options
from liveportal.domain.errors import LedgerExists, OutputFailed

app = Commands()

STORY = (
    ("A ledger is made, and what the platform reported in October goes in.", "init"),
    (None, "sync {feed}"),
    ("What customers asked for. One request waits for an answer.", "requests list"),
    ("The sessions, and what each came to.", "sessions list"),
    ("Mina wants her money back; the dispute is filed, so 42.00 is held.", "dispute list"),
    ("What October earned, to the cent.", "earnings --month 2026-10"),
    ("The same for a script.", "earnings --month 2026-10 --json --fields month,net,balance"),
    ("Every record is held against the others.", "ledger verify"),
)


@app.command("demo")
@with_options(LedgerOption)
def demo(ledger: LedgerOption) -> None:
    """Show a month of a fictional expert in a throw-away ledger, and what to try next.

    Example: liveportal demo
    """
    path = ledger.typed or Path(tempfile.mkdtemp(prefix="liveportal-demo-")) / "ledger.db"
    if path.exists():
        raise LedgerExists(f"there is something at {path} already", path=str(path))
    with as_file(files("liveportal") / "samples" / "october.jsonl") as feed:
        for sentence, line in STORY:
            if sentence:
                _print(f"\n{sentence}")
            _print(f"\n$ liveportal {line.format(feed=feed.name)}")
            argv = shlex.split(line.format(feed=shlex.quote(str(feed))))
            with suppress_hints():
                code = run(["--ledger", str(path), *argv, "--no-pager"])
            if code:
                raise typer.Exit(code)
    _print(f"""
That ledger is yours to play with:

  export LIVEPORTAL_LEDGER={shlex.quote(str(path))}
  liveportal requests accept REQ-1006 --slot 1 --at "2026-10-30 09:00"
  liveportal dispute rule CL-1 --accepted
  liveportal earnings months
  liveportal sessions show S-1002

Then begin your own: `liveportal init`, and `liveportal --help` for the rest.""")


def _print(text: str) -> None:
    if sys.stdout is None:
        raise OutputFailed("there is no standard output")
    print(text)  # noqa: T201 -- It is the result.
    sys.stdout.flush()
