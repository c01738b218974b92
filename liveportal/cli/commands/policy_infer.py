"""`liveportal policy infer`: the rules that explain the payouts that arrived.

Registered in `liveportal.cli.commands.policy`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from liveportal.cli.io.answers import plural
from liveportal.cli.io.output_file import check_target, open_output
from liveportal.cli.io.progress import progress
from liveportal.cli.io.render import hint, note, render
from liveportal.cli.io.view_model import Detail, Table, shows
from liveportal.cli.io.view_model import Row as AnyRow
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import open_reader
from liveportal.cli.signals import exit_code_of, show_cursor
from liveportal.domain.row import Row, row

if TYPE_CHECKING:
    from liveportal.domain.calculations.inference.facts import Facts
    from liveportal.domain.calculations.inference.readings import Reading
    from liveportal.domain.calculations.inference.search import Search
    from liveportal.domain.policy import Policy
    from liveportal.ledger.queries.policy_inference import PolicyInference

_HUMAN = ("switch", "value", "in_force", "decided", "reading")
_LONGEST_NAME = 55  # With its ending a policy's name has at most 64 characters.


@row
class InferredSwitch(Row):
    """A switch of a reading: its value, the one in force, and whether payouts decide it.

    `decided` is `yes`, `no` (every value explains the same payouts) or `partly` (some values do,
    alone or together with another switch). A reading after the first has only what differs from it.
    """

    reading: int
    explains: int
    of: int
    switch: str
    value: str | int | None
    in_force: str | int | None
    decided: str


Limit = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Show at most N readings.")]


@shows(
    "liveportal.ledger.queries.policy_inference.PolicyInference",
    tables=(InferredSwitch,),
)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def infer(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    limit: Limit = 10,
) -> None:
    """Find the rules that explain your payouts to the cent.

    The search assumes that a payout pays everything that was eligible when it was sent. It tries
    other values of trial.*, billing.*, fee.percent, refund.deducts, period.* and payout.minimum,
    and lists the switches that the payouts do not decide. It keeps the amounts that the platform
    reported as billed. Press Ctrl-C to stop the search and show what was found so far.

    With -o FILE.toml, the best rules are also written as a policy file.

    Examples:
      liveportal policy infer
      liveportal policy infer -o rules.toml
      liveportal policy infer --json
    """
    from liveportal.domain.calculations.inference.search import Search
    from liveportal.ledger.queries.policy_inference import facts, inference_row

    check_target(out.output, ledger.files)
    with open_reader(ledger, read, out) as reader:
        known = facts(reader)
    search = Search(known)
    interruption = _run(search)
    found = search.result(limit)
    result = inference_row(known, found)
    is_policy = out.output is not None and out.output.suffix.lower() == ".toml"
    shown = replace(out, output=None) if is_policy else out
    if out.json or out.jsonl:
        render(Detail(type(result), result), shown)
    else:
        render(_table(result, known), shown)
    if is_policy and out.output:
        if found.readings and found.readings[0].explained:
            _write_policy(out.output, known, found.readings[0])
        else:
            note(f"{out.output} was not written, because no rules explain a payout.")
    _explain(result, written=out.output if is_policy else None)
    if interruption:
        note(
            f"Interrupted after {result.steps_done} of {plural(result.steps, 'step')}: other"
            " rules may explain as many payouts or more."
        )
        raise typer.Exit(exit_code_of(interruption))


def _run(search: Search) -> KeyboardInterrupt | None:
    """Search to the end, or until an interruption, which is returned."""
    try:
        with progress("Searching", search.steps) as advance:
            for steps in search.run():
                advance(steps)
    except KeyboardInterrupt as interruption:
        show_cursor()
        return interruption
    return None


# --- what is shown --------------------------------------------------------------------------------


def _table(result: PolicyInference, known: Facts) -> Table:
    def heading(row: AnyRow) -> str:
        return _heading(result, int(str(row["reading"])))

    return Table(
        InferredSwitch,
        list(_rows(result, known)),
        _HUMAN,
        empty="No payout has arrived yet, so the rules cannot be inferred.",
        section=heading,
    )


def _heading(result: PolicyInference, number: int) -> str:
    """Return what a reading explains, in words."""
    reading, payouts = result.readings[number - 1], plural(result.payouts, "payout")
    if number == 1 and not reading.explains:
        which = "the payout" if result.payouts == 1 else f"any of {payouts}"
        return f"No rules that were tried explain {which}. The rules in force:"
    if number == 1:
        return f"These rules explain {reading.explains} of {payouts}:"
    subject = f"Reading {number}" if reading.changed else "The rules in force"
    verb = "explains" if reading.changed else "explain"
    return f"{subject} {verb} {reading.explains} of {payouts}, with these differences:"


def _rows(result: PolicyInference, known: Facts) -> Iterator[InferredSwitch]:
    from liveportal.domain.calculations.inference.readings import SEARCHED, kept_value

    if not result.readings:
        return
    first = result.readings[0]
    for number, reading in enumerate(result.readings, 1):
        for switch in SEARCHED:
            in_force = kept_value(switch, known)
            value = reading.switches.get(switch, in_force)
            if number > 1 and value == first.switches.get(switch, in_force):
                continue
            yield InferredSwitch(
                reading=number,
                explains=reading.explains,
                of=reading.of,
                switch=switch,
                value=value,
                in_force=in_force,
                decided=_decided(switch, result),
            )


def _decided(switch: str, result: PolicyInference) -> str:
    if switch in result.undecided:
        return "no"
    return "partly" if switch in result.ambiguous else "yes"


def _explain(result: PolicyInference, written: Path | None) -> None:
    """Show a person what the payouts do not decide, and what to do next."""
    if not result.readings:
        return hint("Record payouts with `liveportal payout record`, or from a feed.")
    first = result.readings[0]
    if not first.explains:
        return hint(
            "Perhaps a session, a tip or a fee is missing, or payouts are sent sooner than"
            " payout.due_days_after_month_end says."
        )
    if result.undecided:
        hint(f"The payouts cannot decide: {', '.join(result.undecided)}.")
    if result.ambiguous:
        hint(f"They decide only in part: {', '.join(result.ambiguous)}.")
    for missed in first.unexplained[:3]:
        hint(
            f"{missed.payout} paid {missed.amount} {result.currency}; these rules give"
            f" {missed.expected}."
        )
    if not first.changed:
        return hint("They are the rules in force.")
    if written:
        return hint(f"Adopt them: `liveportal policy use {written}`")
    return hint(
        "Write them to a file and adopt them: `liveportal policy infer -o rules.toml`, then"
        " `liveportal policy use rules.toml`"
    )


# --- the policy file ------------------------------------------------------------------------------


def _write_policy(path: Path, known: Facts, reading: Reading) -> None:
    """Write a reading as a policy that `policy use` accepts.

    The months of a book with transactions are fixed, so `period.*` stays as it is there.
    """
    import tomli_w

    from liveportal.domain.calculations.inference.readings import PERIOD, changed

    fixed = {switch: value for switch, value in reading.changes.items() if switch in PERIOD}
    changes = {switch: value for switch, value in reading.changes.items() if switch not in PERIOD}
    policy = changed(known.adopted, changes)
    document: dict[str, Any] = {
        **policy.document,
        "name": _name(known.adopted),
        "source": {
            **known.adopted.source,
            **dict.fromkeys(changes, "inferred from payouts"),
        },
    }
    explained = plural(len(reading.explained), "payout")
    head = f"# The rules that explain {explained}, by `liveportal policy infer`.\n"
    for switch, value in fixed.items():
        head += f"# {switch} would be {value!r}; a book with transactions keeps its own.\n"
        note(f"{switch} is {value} in these rules, but a book with transactions keeps its own.")
    with open_output(path) as stream:
        stream.write(head + tomli_w.dumps(document))


def _name(adopted: Policy) -> str:
    return f"{adopted.name.removesuffix('-inferred')[:_LONGEST_NAME]}-inferred"
