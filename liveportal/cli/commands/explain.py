"""`earnings explain`, `sessions explain` and `payout explain`: where amounts come from.

Each is registered in its group. A tree is nested in JSON, drawn on a terminal, and one row per node
in other formats, where the row with the `path` `net.1` is a part of `net`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.commands.earnings.span import MONTH_HELP, parse_month
from liveportal.cli.completion import ids, months
from liveportal.cli.io.output_file import open_output
from liveportal.cli.io.render import for_person, paged, render
from liveportal.cli.io.text import clean
from liveportal.cli.io.view_model import Detail, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, one_id, with_options
from liveportal.cli.read_command import display_zone, open_reader
from liveportal.domain.calculations.billing_steps import COUNTS, NO_TRIAL
from liveportal.domain.money import Money
from liveportal.domain.patterns import pattern
from liveportal.domain.row import Row, row
from liveportal.ledger.queries import provenance
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from liveportal.domain.calculations.provenance import Node

LONGEST_TEXT = 100
RULE_WORDS = {
    "R1, R4": "the agreed rate (R4)",
    "R6": "paused time is not charged (R6)",
    "R8, R9": "a refund is deducted (R9)",
    "R11": "your share (R11)",
    "R12, R13": "minimum and date of payouts (R12, R13)",
    COUNTS: "this amount counts",
    NO_TRIAL: "without a free trial",
    # What the text beside it, or the steps below it, say already:
    **dict.fromkeys(("R1, R4, R5, R6", "R8, refund.deducts", "R11, fee.percent"), ""),
    **dict.fromkeys(("corrected amount", "earlier amount, taken back"), ""),
    **dict.fromkeys(("until the claim is decided", "arrived"), ""),
}
"""What a terminal shows instead of the rules of amounts: a code alone says nothing."""
_SWITCH = pattern(r" \(((?:R[0-9]+)?)(?:, )?[a-z]*[.][a-z*_]+\)$", re.ASCII)


@row
class PathRow(Row):
    """A node of a tree, or a step of one (`net.1.s1`), for rows."""

    path: str
    what: str
    amount: Money | None
    comes_to: str | None
    currency: str | None
    rule: str | None
    seq: int | None


@shows(provenance.ExplainedMonth)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def explain_month(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    month: Annotated[
        str | None,
        typer.Argument(
            metavar="[MONTH]", help=f"{MONTH_HELP[:-1]} (default: this).", autocompletion=months
        ),
    ] = None,
    same_month: Annotated[
        str | None, typer.Option("--month", metavar="MONTH", hidden=True, autocompletion=months)
    ] = None,
) -> None:
    """Show where every cent of a month comes from.

    Each amount is the sum of the amounts below it, down to single events of the journal, with the
    rules of the platform that apply. `liveportal policy rules` lists the rules.

    Examples:
      liveportal earnings explain
      liveportal earnings explain last
      liveportal earnings explain 2026-10 --json
    """
    if month is not None and same_month is not None:
        raise typer.BadParameter("name the month once: as the argument or with --month")
    with open_reader(ledger, read, out) as reader:
        name = parse_month(reader, month or same_month or "this")
        net, owed = provenance.month(reader, name)
        explained = partial(provenance.ExplainedMonth, month=name)
        show = _prepare_output(reader, explained, {"net": net, "owed": owed}, read, out)
    show()


@shows(provenance.ExplainedSession)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def explain_session(
    session: Annotated[str, one_id("A session", ids("session"))],
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
) -> None:
    """Show how a session's amount is calculated.

    The steps lead from the timer to your share, with the rules that apply. The second tree shows
    where that money is now: owed, held for a claim, on its way or paid out.

    Example: liveportal sessions explain S-1001
    """
    with open_reader(ledger, read, out) as reader:
        name = reader.resolve_id("session", session)
        net, where = provenance.session(reader, name)
        explained = partial(provenance.ExplainedSession, session=name)
        show = _prepare_output(reader, explained, {"net": net, "where": where}, read, out)
    show()


@shows(provenance.ExplainedPayout)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def explain_payout(
    payout: Annotated[str, one_id("A payout", ids("payout"))],
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
) -> None:
    """Show which earnings a payout paid.

    An earning is paid in full or in part. Refunds and other amounts that were taken back are
    negative.

    Example: liveportal payout explain PO-1
    """
    with open_reader(ledger, read, out) as reader:
        name = reader.resolve_id("payout", payout)
        lines = provenance.payout(reader, name)
        explained = partial(provenance.ExplainedPayout, payout=name)
        show = _prepare_output(reader, explained, {"lines": lines}, read, out)
    show()


def _prepare_output(
    reader: Reader,
    explained: Callable[..., Row],
    trees: Mapping[str, Node],
    read: ReadOptions,
    out: OutputOptions,
) -> Callable[[], None]:
    """Read what the output needs; return a function that shows it once the ledger is closed."""
    if out.json or out.jsonl:
        row = explained(**{name: provenance.nested(reader, tree) for name, tree in trees.items()})
        return lambda: render(Detail(type(row), row), out)
    if for_person(out) and out.columns is None:
        drawings = [_build_tree(reader, tree, "bold") for tree in trees.values()]
        return lambda: _draw_trees(drawings, out)
    rows = [row for name, tree in trees.items() for row in _rows(reader, tree, name)]
    zone = display_zone(reader, read)
    return lambda: render(Table(PathRow, rows), out, zone=zone)


def _rows(reader: Reader, node: Node, path: str) -> Iterator[PathRow]:
    """Yield a node, its steps from time to amount, and its parts."""
    yield PathRow(
        path=path,
        what=node.what,
        amount=reader.money(node.minor),
        comes_to=None,
        currency=reader.currency,
        rule=node.rule or None,
        seq=node.seq,
    )
    for number, step in enumerate(node.steps, 1):
        yield PathRow(
            path=f"{path}.s{number}",
            what=step.what,
            amount=None,
            comes_to=step.comes_to,
            currency=None,
            rule=step.rule or None,
            seq=node.seq,
        )
    for number, part in enumerate(node.parts, 1):
        yield from _rows(reader, part, f"{path}.{number}")


# --- on a terminal --------------------------------------------------------------------------------


def _draw_trees(trees: Iterable[Tree], out: OutputOptions) -> None:
    """Draw trees: for each node the amount, its description, and dimmed its rule and event."""
    from liveportal.cli.io.rich_output import console  # Imports rich: terminals only.

    with paged(out), open_output(None) as stream:
        terminal = console(stream)
        for number, tree in enumerate(trees):
            if number:
                terminal.print()
            terminal.print(tree)


def _build_tree(reader: Reader, node: Node, style: str = "", above: int | None = None) -> Tree:
    """Return a node as a tree; its event is named unless it is the one of the node above."""
    from rich.tree import Tree

    event = f"event {node.seq}" if node.seq not in (None, above) else ""
    what = _shorten(_with_short_ids(reader, clean(node.what)))
    label = f"{reader.money(node.minor)}  {what}"
    tree = Tree(_styled_label(label, [_in_words(node.rule), event], style))
    for step in node.steps:
        tree.add(_styled_label(f"{_shorten(step.what)}: {step.comes_to}", [_in_words(step.rule)]))
    for part in node.parts:
        tree.children.append(_build_tree(reader, part, above=node.seq))
    return tree


def _with_short_ids(reader: Reader, text: str) -> str:
    from liveportal.ledger.queries.short_ids import short_ids  # Terminals only.

    for whole, form in short_ids(reader, text.split()).items():
        text = text.replace(whole, form)
    return text


def _in_words(rule: str) -> str:
    """Return the rule of an amount in words, with its code."""
    name, comma, more = rule.partition(", corrected")
    words = RULE_WORDS.get(name, name)
    words = _SWITCH.sub(lambda found: f" ({found[1]})" if found[1] else "", words)
    return f"{words}; corrected{more}" if comma else words


def _styled_label(text: str, rules: Iterable[str], style: str = "") -> Text:
    from rich.text import Text

    source = "; ".join(rule for rule in rules if rule)
    return Text.assemble((clean(text), style), (f"  [{clean(source)}]" if source else "", "dim"))


def _shorten(text: str) -> str:
    """Cut a text to `LONGEST_TEXT` characters: customers' titles have any length."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
