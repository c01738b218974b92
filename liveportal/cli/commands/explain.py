"""`earnings explain`, `sessions explain` and `payout explain`: the origin of amounts.

Each is registered in its group. A tree is nested in JSON, drawn on a terminal, and one row per node
in other formats, where the row with the `path` `net.1` is a part of `net`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.completion import ids, months
from liveportal.cli.io.output_file import open_output
from liveportal.cli.io.render import for_person, paged, render
from liveportal.cli.io.text import clean
from liveportal.cli.io.view_model import Detail, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, one_id, with_options
from liveportal.cli.parse.times import read_month
from liveportal.cli.read_command import display_zone, open_reader
from liveportal.domain.clock import local_date
from liveportal.domain.money import Money
from liveportal.domain.row import Row, row
from liveportal.ledger.queries import provenance
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from liveportal.domain.calculations.provenance import Node

LONGEST_TEXT = 100
CORRECTED = ", corrected later"
RULES_IN_WORDS = {
    "R1, R4": "the agreed rate",
    "R1, R4, R5, R6": "rate, trial and pauses",
    "R6": "paused time is not charged",
    "R8, R9": "accepted refund claim",
    "R8, refund.deducts": "refund",
    "R11": "your share",
    "R11, fee.percent": "fee",
    "R12, R13": "minimum and dates of payouts",
}
"""The rules of the trees in words: on a terminal no code appears alone."""


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
        str,
        typer.Argument(
            metavar="[MONTH]", help="2026-10, oct, last or this month.", autocompletion=months
        ),
    ] = "this",
) -> None:
    """Explain where a month's money comes from.

    Each amount is the sum of the amounts below it, down to single events, which are named by their
    journal position. The rule or the policy's switch behind each amount is in brackets.

    Examples:
      liveportal earnings explain
      liveportal earnings explain last
      liveportal earnings explain 2026-10 --json
    """
    with open_reader(ledger, read, out) as reader:
        name = read_month(month, local_date(utc_now(), reader.timezone))
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
    """Explain how a session's time became its money.

    A second tree shows where that money is now: owed, held, on its way or paid out.

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
    """Explain which earnings a payout consists of.

    It shows each earning, paid in full or in part, and what was deducted.

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
    """Draw trees: per node the amount, its description, and dimmed its rule and event."""
    from liveportal.cli.io.rich_output import console  # Imports rich: terminals only.

    with paged(out), open_output(None) as stream:
        terminal = console(stream)
        for number, tree in enumerate(trees):
            if number:
                terminal.print()
            terminal.print(tree)


def _build_tree(reader: Reader, node: Node, style: str = "") -> Tree:
    from rich.tree import Tree

    sources = [rule_in_words(node.rule), f"event {node.seq}" if node.seq else ""]
    what = _shorten(_with_short_ids(reader, clean(node.what)))
    tree = Tree(_styled_label(f"{reader.money(node.minor)}  {what}", sources, style))
    for step in node.steps:
        label = f"{_shorten(step.what)}: {step.comes_to}"
        tree.add(_styled_label(label, [rule_in_words(step.rule)]))
    for part in node.parts:
        tree.children.append(_build_tree(reader, part))
    return tree


def _styled_label(text: str, sources: Iterable[str], style: str = "") -> Text:
    from rich.text import Text

    source = "; ".join(filter(None, sources))
    return Text.assemble((clean(text), style), (f"  [{clean(source)}]" if source else "", "dim"))


def _with_short_ids(reader: Reader, text: str) -> str:
    from liveportal.ledger.queries.short_ids import short_ids  # Terminals only.

    for whole, form in short_ids(reader, text.split()).items():
        text = text.replace(whole, form)
    return text


def rule_in_words(rule: str) -> str:
    """Return what a rule says, with its code: `paused time is not charged (R6)`."""
    name, comma, note = rule.partition(CORRECTED)
    words = RULES_IN_WORDS.get(name)
    return f"{words} ({name}){comma}{note}" if words else rule


def _shorten(text: str) -> str:
    """Cut a text to `LONGEST_TEXT` characters: customers' titles have any length."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
