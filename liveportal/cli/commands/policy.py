"""`liveportal policy`: the platform's rules, as a ledger reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.render import render
from liveportal.cli.io.view_model import Detail, Table
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.parse.policy_files import load, shipped
from liveportal.cli.read_command import display_zone, open_reader
from liveportal.cli.write_command import show_result, writing
from liveportal.domain.events.types import PolicyAdopted
from liveportal.domain.policy import Policy

app = Commands("The platform's rules: list, show, use, check.", default="show")

LIST_FIELDS = ("name", "currency", "in_force", "shipped")
SWITCH_FIELDS = ("switch", "value", "source")
Which = Annotated[
    str, typer.Argument(metavar="NAME|FILE", help="A shipped policy, or a TOML file.")
]


@app.command("list")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """List the shipped policies, and the one in force.

    Example: liveportal policy list
    """
    with open_reader(ledger, read, out) as reader:
        force = reader.policy
        zone = display_zone(reader, read)
    rows = [_listed(policy, force, shipped_too=True) for policy in shipped()]
    if force not in shipped():
        rows.append(_listed(force, force, shipped_too=False))
    render(Table(LIST_FIELDS, rows), out, zone=zone)


def _listed(policy: Policy, force: Policy, *, shipped_too: bool) -> dict[str, object]:
    return {
        "name": policy.name,
        "currency": policy.currency,
        "in_force": policy == force,
        "shipped": shipped_too,
    }


@app.command("show")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    policy: Annotated[
        str | None,
        typer.Argument(metavar="[NAME|FILE]", help="Which; default: the one in force."),
    ] = None,
) -> None:
    """Show every switch of a policy, with its value and where that comes from.

    Examples:
      liveportal policy show
      liveportal policy show quarter-hour --json
    """
    check_target(out.output, (*ledger.files, Path(policy or ".")))
    if policy is None:
        with open_reader(ledger, read, out) as reader:
            chosen = reader.policy
    else:
        chosen = load(policy)
    rows = [
        {"switch": switch, "value": value, "source": chosen.source.get(switch)}
        for switch, value in chosen.switches().items()
    ]
    render(Table(SWITCH_FIELDS, rows, title=f"Policy {chosen.name}"), out)


@app.command("use")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def use(policy: Which, ledger: LedgerOption, write: WriteOptions, out: OutputOptions) -> None:
    """Adopt a policy from now on; what was agreed keeps its own. Asks once there are sessions.

    Examples:
      liveportal policy use quarter-hour
      liveportal policy use winter.toml --yes
    """
    chosen = load(policy)
    with writing(ledger, write, out) as writer:
        if writer.reader.one("SELECT 1 AS one FROM session LIMIT 1"):
            question = f"Use the policy {chosen.name} for sessions agreed from now on?"
            writer.ask(question)
        row = writer.record(PolicyAdopted(policy=chosen), chosen.name)
        zone = writer.zone
    show_result(row, (), out, zone=zone)


@app.command("check")
@with_options(LedgerOption, OutputOptions)
def check(policy: Which, ledger: LedgerOption, out: OutputOptions) -> None:
    """Check a policy file: exit 0 if it is right, else say which switch is wrong.

    Example: liveportal policy check winter.toml
    """
    check_target(out.output, (*ledger.files, Path(policy)))
    chosen = load(policy)
    row = {"name": chosen.name, "currency": chosen.currency, "valid": True}
    render(Detail(("name", "currency", "valid"), row), out)
