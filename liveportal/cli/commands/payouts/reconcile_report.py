"""The report of a reconciliation for a person: the files, each finding, and what to do next.

Pure: lines of plain text for a width, from the rows that every other format has, too.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from liveportal.cli.io.answers import listed, plural
from liveportal.cli.io.errors import NOTHING_RECORDED
from liveportal.cli.io.hints import spell
from liveportal.cli.io.text import clean, display_width
from liveportal.domain.money import Money
from liveportal.services.reconciled import FindingRow, ReconciledRow, StatementFileRow

WIDEST = 80
MOST_CANDIDATES = 5
MOST_COMMANDS = 5

FORMATS = {
    "paypal-activity": "PayPal activity download",
    "paypal-statement": "PayPal statement",
}
"""The formats in words; any other is shown by its name."""

SECTIONS = {
    "arrived": "Arrived",
    "short": "Less than was sent",
    "differs": "Differs from the books",
    "returned": "Came back",
    "partly_returned": "Came back in part",
    "ambiguous": "Not certain",
    "missing": "Missing",
    "unknown": "Unknown to your books",
}
"""The headings of the findings, in this order."""

KINDS = {
    "arrived": ("arrived", "arrived"),
    "short": ("less than was sent", "less than was sent"),
    "differs": ("differs", "differ"),
    "returned": ("came back", "came back"),
    "partly_returned": ("came back in part", "came back in part"),
    "unknown": ("unknown to your books", "unknown to your books"),
    "ambiguous": ("not certain", "not certain"),
    "fee": ("fee of an arrival", "fees of arrivals"),
    "conversion": ("currency conversion", "currency conversions"),
    "hold": ("hold", "holds"),
    "release": ("release of a hold", "releases of holds"),
    "own_transfer": ("own transfer", "own transfers"),
    "other_income": ("other income", "other income"),
    "unrelated": ("unrelated", "unrelated"),
    "unrecognised": ("of an unknown type", "of unknown types"),
    "memo": ("without a movement of money", "without a movement of money"),
    "duplicate": ("seen before", "seen before"),
}
"""What rows are, of one and of several."""

_INDENT = "  "


def report_lines(row: ReconciledRow, width: int) -> Iterator[str]:
    """Yield the lines about the files and the findings; none is wider than `width`."""
    columns = max(min(width, WIDEST), 40)
    for file in row.files:
        yield from _file_lines(file, columns)
    sections = _by_section(row.findings)
    for finding, rows in sections.items():
        yield ""
        yield f"{SECTIONS[finding]} ({len(rows)})"
        yield from _finding_lines(rows, columns, of_one_file=len(row.files) == 1)
    if not sections:
        yield ""
        yield from _wrapped(_nothing_found(row.files), columns)
    others = [each for each in row.findings if each.finding not in SECTIONS]
    if others:
        yield ""
        yield f"All other rows ({len(others)})"
        yield from _finding_lines(others, columns, of_one_file=len(row.files) == 1, is_other=True)


def _by_section(findings: Iterable[FindingRow]) -> dict[str, list[FindingRow]]:
    sections: dict[str, list[FindingRow]] = {name: [] for name in SECTIONS}
    for each in findings:
        if each.finding in sections:
            sections[each.finding].append(each)
    return {name: rows for name, rows in sections.items() if rows}


def _nothing_found(files: Sequence[StatementFileRow]) -> str:
    if seen := sum(file.rows_by_kind.get("duplicate", 0) for file in files):
        return f"Nothing new: {plural(seen, 'row was', 'rows were')} recorded or counted before."
    return "No payout of your books is in these files, and none is missing."


# --- files ----------------------------------------------------------------------------------------


def _file_lines(file: StatementFileRow, width: int) -> Iterator[str]:
    days = f" from {_day(file.first)} to {_day(file.last, year=True)}" if file.first else ""
    what = FORMATS.get(file.format, file.format)
    yield from _wrapped(f"{file.file}: {plural(file.rows, 'row')}{days} ({what})", width)
    if proofs := _proofs(file):
        yield from _wrapped(proofs, width, _INDENT)
    counts = [
        f"{count:,} {KINDS[kind][count != 1] if kind in KINDS else kind}"
        for kind, count in file.rows_by_kind.items()
    ]
    if counts:
        yield from _wrapped(f"{', '.join(counts)}.", width, _INDENT)
    if file.unrecognised_types:
        types = listed([f'"{name}"' for name in file.unrecognised_types])
        yield from _wrapped(f"Unknown types: {types}.", width, _INDENT)
    for sentence in file.unproved:
        yield from _wrapped(f"Not proved: {sentence}", width, _INDENT)


def _proofs(file: StatementFileRow) -> str:
    """Return what the file proves of itself, in words."""
    words = {
        "sums": ("the sum of 1 row", "the sums of {} rows"),
        "balance": ("the running balance over 1 step", "the running balance over {} steps"),
        "groups": ("1 group of rows", "{} groups of rows"),
        "joins": ("that it joins another file", "that it joins {} other files"),
    }
    good = [
        words[each.proof][each.rows != 1].format(f"{each.rows:,}")
        for each in file.proofs
        if each.rows and each.proved == each.rows and each.proof in words
    ]
    return f"Proved: {listed(good, most=len(good))}." if good else ""


# --- findings -------------------------------------------------------------------------------------


def _finding_lines(
    rows: Sequence[FindingRow], width: int, *, of_one_file: bool, is_other: bool = False
) -> Iterator[str]:
    """Yield the rows of a section in columns: the payout, the day, the amount, and the rest."""
    names = [clean(each.payout or (each.finding if is_other else "-")) for each in rows]
    days = [_day(each.date) for each in rows]
    amounts = [f"{each.amount} {each.currency}" for each in rows]
    wide = [max(map(len, column)) for column in (names, days, amounts)]
    for each, name, on, amount in zip(rows, names, days, amounts, strict=True):
        start = f"{_INDENT}{name:{wide[0]}}  {on:>{wide[1]}}  {amount:>{wide[2]}}"
        yield from _after(start, _facts(each, of_one_file=of_one_file), width)
        yield from _below(each, width)


def _after(start: str, text: str, width: int) -> Iterator[str]:
    """Yield a start with a text after it or, where that has little room, below it."""
    room = width - display_width(start) - 2
    if not text:
        yield start
    elif display_width(text) <= room:
        yield f"{start}  {text}"
    else:
        yield start
        yield from _wrapped(text, width, _INDENT * 3)


def _facts(row: FindingRow, *, of_one_file: bool) -> str:
    """Return the fee, the payer and the place of a finding."""
    place = f"line {row.line}" if of_one_file else f"{_base(row.file)}, line {row.line}"
    facts = [
        f"fee {row.fee}" if row.fee else "",
        f"received {row.received}" if row.finding == "short" else "",
        f"debited {row.debited}" if row.debited and row.debited != row.amount else "",
        f"{plural(row.days, 'day')} ago" if row.days is not None else "",
        row.payer or "",
        place if row.line else "",
    ]
    return clean(", ".join(filter(None, facts)))


def _below(row: FindingRow, width: int) -> Iterator[str]:
    """Yield the note of a finding, and what it could be."""
    if row.note is not None:
        yield from _wrapped(spell(row.note) or "", width, _INDENT * 3)
    if row.finding == "ambiguous" and not (row.payout and row.line):
        what = "rows" if row.payout else "payouts"
        shown = listed(row.candidates, MOST_CANDIDATES)
        yield from _wrapped(f"It could be the {what} {shown}.", width, _INDENT * 3)


def _day(day: date | None, *, year: bool = False) -> str:
    return f"{day.day} {day:%b}{f' {day.year}' if year else ''}" if day else ""


def _base(name: str | None) -> str:
    return (name or "").replace("\\", "/").rpartition("/")[2]


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return a text as lines between whose words it is broken; a word is broken if it must."""
    return textwrap.wrap(
        clean(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent or _INDENT,
        break_on_hyphens=False,
    )


# --- what to do next ------------------------------------------------------------------------------


def question(rows: Sequence[FindingRow]) -> str:
    """Return the question whether to record these findings."""
    return f"Record {recorded_words(rows)}?"


def recorded_words(rows: Sequence[FindingRow]) -> str:
    """Return how many findings of each kind there are, with their total and their payouts."""
    words = {
        "arrived": ("arrival", "arrivals"),
        "returned": ("return", "returns"),
        "unknown": ("unknown arrival", "unknown arrivals"),
    }
    parts = []
    for finding, (one, many) in words.items():
        chosen = [each for each in rows if each.finding == finding]
        if chosen:
            total = sum((each.amount for each in chosen), Money(0, chosen[0].amount.currency))
            names = [each.payout for each in chosen if each.payout]
            which = f": {listed(names)}" if names else ""
            count = plural(len(chosen), one, many)
            parts.append(f"{count} ({total} {chosen[0].currency}{which})")
    return listed(parts, most=len(parts))


def answer(row: ReconciledRow) -> list[str]:
    """Return the sentences about what was recorded; none if nothing was to be recorded."""
    if not row.applied:
        return []
    chosen = [each for each in row.findings if each.recordable]
    if not chosen:
        return ["There was nothing new to record."]
    is_tried = row.get("dry_run", False)
    said = f"{'Would record' if is_tried else 'Recorded'} {recorded_words(chosen)}."
    return [f"{said} {NOTHING_RECORDED}" if is_tried else said]


def next_commands(row: ReconciledRow, typed: str) -> list[tuple[str, str]]:
    """Return the commands that help with the findings, each with what it is for.

    `typed` is the command that was typed, without what it records.
    """
    commands: dict[str, str] = {}
    chosen = [each for each in row.findings if each.recordable]
    if chosen and not row.applied:
        what = "it" if len(chosen) == 1 else f"all {len(chosen)}"
        commands[f"Record {what}"] = f"{typed} --apply"
    for each in row.findings:
        if not each.recordable:
            commands.update(_command(each, typed))
    if chosen and row.applied:
        commands["See your payouts"] = "payout list"
    return list(commands.items())[:MOST_COMMANDS]


def _command(row: FindingRow, typed: str) -> dict[str, str]:
    """Return the command that helps with a finding, by what it is for; empty without one."""
    first = next(iter(row.candidates), "")
    label, command = "", ""
    match row.finding:
        case "ambiguous" if row.payout and row.line and row.payer:
            label = "If that payer is the platform"
            command = f"{typed} --payer {shlex.quote(clean(row.payer))}"
        case "ambiguous" if row.payout:
            label = f"Choose for {row.payout}, such as"
            command = f"{typed} --pair {shlex.quote(f'{row.payout}={first}')}"
        case "ambiguous":
            label = f"Choose for line {row.line}, such as"
            command = f"{typed} --pair {shlex.quote(f'{first}={row.row}')}"
        case "short":
            label, command = "If the difference is a fee", f"{typed} --short-is-fee"
        case "missing":
            label, command = "If it failed, and you know it", f"payout fail {row.payout}"
        case "unknown" if row.note is None:
            label = "Record what is unknown, too"
            command = f"{typed} --apply --record-unknown"
    return {label: command} if label else {}
