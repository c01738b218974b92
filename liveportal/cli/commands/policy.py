"""`liveportal policy`: the platform's rules as a ledger applies them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.completion import policies
from liveportal.cli.io.answers import Sentence, plural
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.render import for_person, render
from liveportal.cli.io.view_model import Detail, HumanValue, Table, shows, shows_result
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
from liveportal.domain.patterns import pattern
from liveportal.domain.policy import Policy
from liveportal.domain.row import Row, row
from liveportal.domain.rules import RULES, Rule
from liveportal.ledger.queries.reader import Reader

app = Commands(
    """Show or change the platform's rules that your books follow.

    A policy is a set of switches, for rules that the platform stated, such as its fee, and for
    those that it left open, such as rounding.

    Examples:
      liveportal policy show
      liveportal policy check winter.toml
      liveportal policy use winter.toml
    """,
    default="list",
)


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


_SOURCE = pattern(r"(R[0-9]+|silent)(?:(; reading)?: (.*))?")

Which = Annotated[
    str,
    typer.Argument(
        metavar="NAME|FILE", help="A built-in policy, or a TOML file.", autocompletion=policies
    ),
]


@app.command("list")
@reads(PolicyRow, many=True)
def list_() -> Query:
    """List the built-in policies and the one in force.

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
            metavar="[NAME|FILE]",
            help="A built-in policy, or a TOML file (default: the one in force).",
            autocompletion=policies,
        ),
    ] = None,
) -> None:
    """Show the switches of a policy.

    Each has its value, and the rule or the statement that it comes from.

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
    shown = [_human_row(row) for row in rows] if for_person(out) else rows
    render(Table(SwitchRow, shown, title=f"Policy {selected.name}"), out)


def _human_row(switch: SwitchRow) -> AnyRow:
    """Return a switch's row; a terminal shows the origin of the value in words."""
    source = switch.source and source_in_words(switch.source)
    return {**switch, "source": HumanValue(switch.source, lambda _now, _local: [source or ""])}


def source_in_words(source: str) -> str:
    """Return where a value comes from, with the text of a rule that has only its code.

    `R11` is the rule itself, `R5: TEXT` what it says, and `silent; reading: TEXT` our reading where
    the platform said nothing.
    """
    match = _SOURCE.fullmatch(source)
    if not match:
        return source
    code, reading, text = match.groups()
    if text is None:
        texts = {rule.rule: f"{rule.text.rstrip('.')} ({code})" for rule in RULES}
        return texts.get(code, source)
    text = f"our reading: {text}" if reading else text
    if code == "silent":
        return f"not stated; {text}" if reading else text
    return f"{text} ({code})"


@app.command("use")
@shows_result()
@with_options(LedgerOption, WriteOptions, OutputOptions)
def use(policy: Which, ledger: LedgerOption, write: WriteOptions, out: OutputOptions) -> None:
    """Adopt a policy for sessions agreed from now on.

    Sessions agreed before keep their policy. If there are sessions, the command asks first.

    Examples:
      liveportal policy use quarter-hour
      liveportal policy use winter.toml --yes
    """
    selected = load_policy(policy)

    def adopt(writer: Writer) -> AnyRow:
        (found,) = writer.reader.all("SELECT count(*) AS sessions FROM session")
        if count := found["sessions"]:
            writer.ask(
                f"Replace the policy {writer.reader.policy.name} with {selected.name}?"
                " The new policy applies to sessions agreed from now on; those agreed before"
                f" ({plural(count, 'session')}) keep their policy."
            )
        return writer.record(PolicyAdopted(policy=selected), selected.name, answer=ADOPTED)

    run_write(adopt, ADOPTED, ledger, write, out)


def _adopted(recorded: Recorded) -> Sentence:
    """Name the policy that applies, and to which sessions."""
    return Sentence(
        *("Adopted", "adopt", f"the policy {recorded.data.policy.name}"),
        more=("It applies to sessions agreed from now on. Sessions agreed before keep theirs.",),
        next=(("See its switches", "policy show"),),
    )


ADOPTED = Answer(sentence=_adopted)


@app.command("check")
@shows(ValidPolicy)
@with_options(LedgerOption, OutputOptions)
def check(policy: Which, ledger: LedgerOption, out: OutputOptions) -> None:
    """Check a policy file for mistakes.

    The exit code is 0 if there are no mistakes; otherwise the error names the wrong switch.

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
    """List the rules of the platform with their codes.

    Other commands name these codes, such as R8. Rules that the platform left open are switches of
    the policy: `liveportal policy show`.

    Example: liveportal policy rules
    """
    render(Table(Rule, RULES), out)


app.place("infer", "liveportal.cli.commands.policy_infer")
