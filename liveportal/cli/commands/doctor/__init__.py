"""`liveportal doctor`: check this installation and its ledger."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import typer

from liveportal import __version__
from liveportal.cli.app import Commands
from liveportal.cli.clock import utc_now
from liveportal.cli.commands.doctor.check import (
    FAILED,
    OK,
    SKIPPED,
    WARNING,
    Check,
    Surroundings,
)
from liveportal.cli.commands.doctor.checks import run_checks
from liveportal.cli.io.render import check_output_possible, render
from liveportal.cli.io.text import no_colour
from liveportal.cli.io.view_model import Coloured, Table, shows
from liveportal.cli.ledger_path import LEDGER_VARIABLE
from liveportal.cli.options import LedgerOption, OutputOptions, with_options
from liveportal.domain.clock import zone
from liveportal.domain.errors import LiveportalError
from liveportal.ledger.health import Health, gather
from liveportal.ledger.secrets import key_store
from liveportal.ledger.storage import connection, driver

app = Commands()

COLOURS = {OK: "green", WARNING: "yellow", FAILED: "bold red", SKIPPED: "dim"}


@app.command("doctor")
@shows(Check, many=True)
@with_options(LedgerOption, OutputOptions)
def doctor(
    ledger: LedgerOption,
    out: OutputOptions,
) -> None:
    """Check this installation and its ledger, and show how to fix problems.

    Nothing is changed, asked or sent. The exit code is 1 if a check failed; warnings do not count.

    Examples:
      liveportal doctor
      liveportal doctor --json | jq '.[] | select(.status != "ok")'
    """
    check_output_possible(Check, out, spared=ledger.files)
    health = gather(ledger.path)
    checks = run_checks(health, surroundings(health, ledger), utc_now())
    rows = [{**check, "status": Coloured(check.status, COLOURS[check.status])} for check in checks]
    render(Table(Check, rows), out)
    if any(check.status == FAILED for check in checks):
        raise typer.Exit(1)


def surroundings(health: Health, ledger: LedgerOption) -> Surroundings:
    """Return the program's environment."""
    implementation, version = platform.python_implementation(), platform.python_version()
    return Surroundings(
        version=__version__,
        python=f"{implementation} {version}",
        system=f"{platform.system()} {platform.machine()}",
        sqlite=driver.SQLITE_VERSION,
        sqlite_from=driver.DRIVER,
        wal_is_safe=connection.wal_is_safe(),
        user=os.geteuid() if os.name == "posix" else None,
        named_ledger=ledger.ledger is not None or LEDGER_VARIABLE in os.environ,
        keyring=key_store.keyring_is_on(),
        keyring_installed=find_spec("keyring") is not None,
        tzdata=_tzdata_version(),
        zone_source=_zone_source(),
        zones=_required_zones(health),
        has_stfolder=any((Path(parent) / ".stfolder").exists() for parent in health.parents),
        is_terminal=sys.stdout is not None and sys.stdout.isatty(),
        encoding=str(getattr(sys.stdout, "encoding", None)),
        width=shutil.get_terminal_size().columns,
        colour=not no_colour(),
    )


def _required_zones(health: Health) -> tuple[tuple[str, str, bool], ...]:
    inside = health.inside.zones if health.inside else ()
    return tuple((whose, name, _is_zone(name)) for whose, name in (*inside, ("contract", "UTC")))


def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except LiveportalError:
        return False
    return True


def _zone_source() -> str:
    """Return the system's first folder with time zones, or `none`."""
    from zoneinfo import TZPATH

    return next((path for path in TZPATH if (Path(path) / "Europe" / "Paris").is_file()), "none")


def _tzdata_version() -> str | None:
    try:
        return metadata.version("tzdata")
    except metadata.PackageNotFoundError:
        return None
