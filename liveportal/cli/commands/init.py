"""`liveportal init`: create a ledger."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.clock import system_timezone, utc_now
from liveportal.cli.completion import choices, policies, zones
from liveportal.cli.io.answers import Sentence
from liveportal.cli.io.render import check_output_possible, hint, note
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, Yes, with_options
from liveportal.cli.parse.policy_files import load_policy
from liveportal.cli.write_result import show_answer
from liveportal.domain.clock import zone as check_zone
from liveportal.domain.currencies import listed_digits
from liveportal.domain.errors import LedgerExists
from liveportal.domain.events.envelope import EventData
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.policy import DEFAULT_NAME, Policy
from liveportal.domain.row import Row, row
from liveportal.portal import Portal

app = Commands()


@row
class NewLedger(Row):
    """A ledger that was made, or with --dry-run would be: its file, policy, currency and zones."""

    path: str
    policy: str
    currency: str
    timezone: str
    own_timezone: str
    dry_run: bool


@app.command("init")
@shows(NewLedger)
@with_options(LedgerOption, OutputOptions)
def init(
    ledger: LedgerOption,
    out: OutputOptions,
    policy: Annotated[
        str,
        typer.Option(
            "--policy", metavar="NAME|FILE", help="The platform's rules.", autocompletion=policies
        ),
    ] = DEFAULT_NAME,
    currency: Annotated[
        str | None,
        typer.Option(
            "--currency",
            metavar="CODE",
            help="Default: the policy's.",
            autocompletion=choices(sorted(listed_digits())),
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone",
            metavar="ZONE",
            help="Your own, for times you type; else the system's.",
            autocompletion=zones,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be made.")
    ] = False,
    _yes: Yes = False,
) -> None:
    """Make a ledger: one expert, one currency, one file. An existing file is never touched.

    Examples:
      liveportal init
      liveportal init --timezone Europe/Paris
      liveportal init --policy quarter-hour --ledger consulting.db
    """
    check_output_possible(NewLedger, out, spared=ledger.files)
    shipped = load_policy(policy)
    adopted = shipped if currency is None else shipped.in_currency(currency.upper())
    book_timezone = adopted.period.timezone
    own_timezone = (system_timezone() or book_timezone) if timezone is None else timezone
    is_chosen = timezone is not None or own_timezone != book_timezone
    _create(ledger, adopted, own_timezone if is_chosen else None, dry_run=dry_run)
    made = NewLedger(
        path=str(ledger.path),
        policy=adopted.name,
        currency=adopted.currency,
        timezone=book_timezone,
        own_timezone=own_timezone,
        dry_run=dry_run,
    )
    show_answer(Detail(NewLedger, made), _sentence(made), out, ledger=ledger, dry_run=dry_run)
    if adopted.currency != shipped.currency:
        note(
            f"The amounts of {shipped.name} are in {shipped.currency}, so this ledger has no rate"
            " bounds and no payout minimum. `liveportal policy use FILE` sets them."
        )
    if timezone is None:
        whose = "this computer's zone" if system_timezone() else "which the policy has"
        hint(
            f"Times you type are read as {own_timezone}, {whose};"
            " `liveportal preferences set --zone ZONE` changes it."
        )
    hint("Next: `liveportal sync FEED`, or `liveportal requests add`.")


def _sentence(made: NewLedger) -> Sentence:
    """Say where the ledger is, and what it begins with."""
    return Sentence(
        *("Made", "make", f"a ledger at {made.path}"),
        f"amounts in {made.currency}, the policy {made.policy}, your times in {made.own_timezone}",
        next=(("See what waits for you", "due"),),
        nothing="Nothing was made.",
    )


def _create(ledger: LedgerOption, policy: Policy, timezone: str | None, *, dry_run: bool) -> None:
    """Make the ledger, with the time zone as its first preference; a dry run only checks."""
    settings: list[EventData] = []
    if timezone is not None:
        check_zone(timezone)
        settings.append(PreferencesChanged(timezone=timezone))
    if not dry_run:
        Portal.create(ledger.path, policy, settings=settings, now=utc_now)
    elif ledger.path.exists():
        raise LedgerExists(
            f"A file already exists at {ledger.path}.",
            hint="Choose another path with --ledger. An existing file is never changed.",
            path=str(ledger.path),
        )
