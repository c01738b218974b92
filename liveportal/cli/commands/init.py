"""`liveportal init`: create a ledger."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.clock import system_timezone, utc_now
from liveportal.cli.completion import choices, policies, zones
from liveportal.cli.io.answers import Sentence
from liveportal.cli.io.render import check_output_possible, note
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
    """A ledger that was created, or with --dry-run would be: file, policy, currency and zones."""

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
            "--policy",
            metavar="NAME|FILE",
            help="The platform's rules: a built-in policy, or a TOML file.",
            autocompletion=policies,
        ),
    ] = DEFAULT_NAME,
    currency: Annotated[
        str | None,
        typer.Option(
            "--currency",
            metavar="CODE",
            help="The currency of all amounts (default: the policy's).",
            autocompletion=choices(sorted(listed_digits())),
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone",
            metavar="ZONE",
            help="Your time zone (default: this computer's).",
            autocompletion=zones,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be created; create nothing.")
    ] = False,
    _yes: Yes = False,
) -> None:
    """Create a ledger.

    A ledger is one file, for one expert and one currency. An existing file is never changed.

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
    sentence = _sentence(made, zone_given=timezone is not None)
    show_answer(Detail(NewLedger, made), sentence, out, ledger=ledger, dry_run=dry_run)
    if adopted.currency != shipped.currency:
        note(
            f"The rate limits and the payout minimum of {shipped.name} are in {shipped.currency},"
            " so this ledger has none. Set them with `liveportal policy use FILE`."
        )


def _sentence(made: NewLedger, *, zone_given: bool) -> Sentence:
    """Return where the ledger is, how it is set up, and what to do next."""
    origin = "" if zone_given else " (this computer's zone)"
    if not zone_given and system_timezone() is None:
        origin = " (the policy's zone)"
    change_zone = (("Change the time zone", "preferences set --zone ZONE"),)
    return Sentence(
        *("Created", "create", f"a ledger at {made.path}"),
        f"amounts in {made.currency}, policy {made.policy}, your times in"
        f" {made.own_timezone}{origin}",
        next=(
            *(() if zone_given else change_zone),
            ("Add a request", "requests add --help"),
            ("Log a past session", "sessions log --help"),
            ("Record a feed", "sync --help"),
        ),
        nothing="Nothing was created.",
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
