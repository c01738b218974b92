"""`liveportal policy`: the platform's rules as a ledger applies them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.completion import policies
from liveportal.cli.io.answers import Sentence, plural
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.render import render
from liveportal.cli.io.view_model import Detail, Table, shows, shows_result
from liveportal.cli.io.view_model import Row as AnyRow
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.parse.policy_files import load_policy, shipped_policies
from liveportal.cli.read_command import Query, open_reader, reads
from liveportal.cli.write_command import Writer, run_write
from liveportal.cli.write_result import Answer, Recorded
from liveportal.domain.events.types import PolicyAdopted
from liveportal.domain.policy import Policy
from liveportal.domain.row import Row, row
from liveportal.domain.rules import RULES, Rule
from liveportal.ledger.queries.reader import Reader

app = Commands("The platform's rules: list, show, use, check, rules, infer.", default="list")


@row
class PolicyRow(Row):
    """A policy, and whether it is the one in force."""

    name: str
    currency: str
    in_force: bool
    shipped: bool


@row
class SwitchRow(Row):
    """A switch of a policy: its value as in a document, and the rule or text it comes from."""

    switch: str
    value: str | int | bool | list[str] | None
    source: str | None


@row
class ValidPolicy(Row):
    """A policy file without mistakes."""

    name: str
    currency: str
    valid: bool


Which = Annotated[
    str,
    typer.Argument(
        metavar="NAME|FILE", help="A shipped policy, or a TOML file.", autocompletion=policies
    ),
]


@app.command("list")
@reads(PolicyRow, many=True)
def list_() -> Query:
    """List the shipped policies, and the one in force.

    Example: liveportal policy list
    """

    def query(reader: Reader) -> Table:
        in_force, shipped = reader.policy, shipped_policies()
        rows = [_policy_row(policy, in_force, is_shipped=True) for policy in shipped]
        if in_force not in shipped:
            rows.append(_policy_row(in_force, in_force, is_shipped=False))
        return Table(PolicyRow, rows)

    return query


def _policy_row(policy: Policy, in_force: Policy, *, is_shipped: bool) -> PolicyRow:
    return PolicyRow(
        name=policy.name, currency=policy.currency, in_force=policy == in_force, shipped=is_shipped
    )


@app.command("show")
@shows(SwitchRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    policy: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME|FILE]", help="Which; default: the one in force.", autocompletion=policies
        ),
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
            selected = reader.policy
    else:
        selected = load_policy(policy)
    rows = [
        SwitchRow(switch=switch, value=value, source=selected.source.get(switch))
        for switch, value in selected.switches().items()
    ]
    render(Table(SwitchRow, rows, title=f"Policy {selected.name}"), out)


@app.command("use")
@shows_result()
@with_options(LedgerOption, WriteOptions, OutputOptions)
def use(policy: Which, ledger: LedgerOption, write: WriteOptions, out: OutputOptions) -> None:
    """Adopt a policy from now on; what was agreed keeps its own. Asks once there are sessions.

    Examples:
      liveportal policy use quarter-hour
      liveportal policy use winter.toml --yes
    """
    selected = load_policy(policy)

    def adopt(writer: Writer) -> AnyRow:
        (found,) = writer.reader.all("SELECT count(*) AS sessions FROM session")
        if count := found["sessions"]:
            writer.ask(
                f"Adopt the policy {selected.name} in the place of {writer.reader.policy.name}?"
                " It applies to sessions agreed from now on; those agreed before"
                f" ({plural(count, 'session')}) keep their own."
            )
        return writer.record(PolicyAdopted(policy=selected), selected.name, answer=ADOPTED)

    run_write(adopt, ADOPTED, ledger, write, out)


def _adopted(recorded: Recorded) -> Sentence:
    """Say which policy applies, and to what."""
    return Sentence(
        *("Adopted", "adopt", f"the policy {recorded.data.policy.name}"),
        more=("It applies to sessions agreed from now on; those agreed before keep their policy.",),
        next=(("See its switches", "policy show"),),
    )


ADOPTED = Answer(sentence=_adopted)


@app.command("check")
@shows(ValidPolicy)
@with_options(LedgerOption, OutputOptions)
def check(policy: Which, ledger: LedgerOption, out: OutputOptions) -> None:
    """Check a policy file: exit 0 if it is right, else say which switch is wrong.

    Example: liveportal policy check winter.toml
    """
    check_target(out.output, (*ledger.files, Path(policy)))
    selected = load_policy(policy)
    valid = ValidPolicy(name=selected.name, currency=selected.currency, valid=True)
    render(Detail(ValidPolicy, valid), out)


@app.command("rules")
@shows(Rule, many=True)
@with_options(OutputOptions)
def rules(out: OutputOptions) -> None:
    """List the rules that the platform stated, by the codes that other commands name (R8).

    What it left open is a switch of the policy: `liveportal policy show`.

    Example: liveportal policy rules
    """
    render(Table(Rule, RULES), out)


app.place("infer", "liveportal.cli.commands.policy_infer")
