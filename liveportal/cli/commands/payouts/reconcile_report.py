"""The report of a reconciliation for a person: the files, each finding, and what to do next.

Pure: lines of plain text for a width, from the rows that every other format has, too.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from liveportal.cli.io.answers import listed, plural, spelt
from liveportal.cli.io.errors import NOTHING_RECORDED
from liveportal.cli.io.hints import spell
from liveportal.cli.io.text import clean, display_width
from liveportal.domain.money import Money
from liveportal.services.reconciled import (
    MORE_THAN_OWED,
    FindingRow,
    ReconciledRow,
    StatementFileRow,
)

WIDEST = 80
NARROWEST = 40
MOST_COMMANDS = 5
MOST_NAMES = 8
_KEPT = "\u00a0"
"""A space at which no line is broken."""

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

RECORDED = {
    "arrived": ("arrival", "arrivals"),
    "returned": ("return", "returns"),
    "unknown": ("unknown arrival", "unknown arrivals"),
}
"""The findings that are recorded: one and several."""

_INDENT = "  "


def report_lines(row: ReconciledRow, width: int, formats: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines about the files and the findings, none wider than `width`.

    `formats` are the names of formats in words.
    """
    columns = max(min(width, WIDEST), NARROWEST)
    for file in row.files:
        yield from _file_lines(file, formats.get(file.format, file.format), columns)
    if row.recorded_before:
        names = listed(row.recorded_before, MOST_NAMES)
        yield from _wrapped(f"Recorded earlier, with arrivals in these files: {names}.", columns)
    sections = _by_section(row.findings)
    for finding, rows in sections.items():
        yield ""
        yield f"{SECTIONS[finding]} ({len(rows)})"
        yield from _finding_lines(rows, columns, of_one_file=len(row.files) == 1)
    if not sections:
        yield ""
        yield from _wrapped(_nothing_found(row), columns)
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


def _nothing_found(row: ReconciledRow) -> str:
    if row.recorded_before:
        return "Nothing new."
    return "No payout of your books is in these files, and none is missing."


# --- files ----------------------------------------------------------------------------------------


def _file_lines(file: StatementFileRow, form: str, width: int) -> Iterator[str]:
    days = f" from {_day(file.first)} to {_day(file.last, year=True)}" if file.first else ""
    yield from _wrapped(f"{file.file}: {plural(file.rows, 'row')}{days} ({form})", width)
    if proofs := _proofs(file):
        yield from _wrapped(proofs, width, _INDENT)
    counts = [
        _together(f"{count:,} {KINDS[kind][count != 1] if kind in KINDS else kind}")
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
        _together(words[each.proof][each.rows != 1].format(f"{each.rows:,}"))
        for each in file.proofs
        if each.rows and each.proved == each.rows and each.proof in words
    ]
    return f"Proved: {listed(good, most=len(good))}." if good else ""


# --- findings -------------------------------------------------------------------------------------


def _finding_lines(
    rows: Sequence[FindingRow], width: int, *, of_one_file: bool, is_other: bool = False
) -> Iterator[str]:
    """Yield the rows of a section in columns: the payout, the day, the amount, and the rest."""
    names = [clean(each.payout or (_kind(each) if is_other else "-")) for each in rows]
    days = [f"{'' if each.line else 'sent '}{_day(each.date)}" for each in rows]
    amounts = [f"{each.amount} {each.currency}" for each in rows]
    wide = [max(map(len, column)) for column in (names, days, amounts)]
    for each, name, on, amount in zip(rows, names, days, amounts, strict=True):
        start = f"{_INDENT}{name:{wide[0]}}  {on:>{wide[1]}}  {amount:>{wide[2]}}"
        what = spell(each.note) if is_other and each.row else None
        yield from _after(start, _facts(each, what, of_one_file=of_one_file), width)
        if what is None and each.note is not None:
            yield from _wrapped(spell(each.note) or "", width, _INDENT * 3)


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


def _kind(row: FindingRow) -> str:
    return row.finding.replace("_", " ")


def _facts(row: FindingRow, what: str | None, *, of_one_file: bool) -> str:
    """Return what a row is, the fee, the payer and the place of a finding."""
    place = f"line {row.line}" if of_one_file else f"{_base(row.file)}, line {row.line}"
    facts = [
        what or "",
        f"fee {row.fee}" if row.fee else "",
        f"received {row.received}" if row.finding == "short" else "",
        f"debited {row.debited}" if row.debited and row.debited != row.amount else "",
        row.payer or "",
        place if row.line else "",
    ]
    return clean(", ".join(filter(None, facts)))


def _day(day: date | None, *, year: bool = False) -> str:
    return f"{day.day} {day:%b}{f' {day.year}' if year else ''}" if day else ""


def _base(name: str | None) -> str:
    return (name or "").replace("\\", "/").rpartition("/")[2]


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return a text as lines between whose words it is broken; a word is broken if it must."""
    lines = textwrap.wrap(
        clean(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent or _INDENT,
        break_on_hyphens=False,
    )
    return [line.replace(_KEPT, " ") for line in lines]


def _together(text: str) -> str:
    """Return a text that is not broken."""
    return text.replace(" ", _KEPT)


# --- what to do next ------------------------------------------------------------------------------


def question(rows: Sequence[FindingRow]) -> str:
    """Return the question whether to record these findings."""
    return f"Record {recorded_words(rows)}?"


def recorded_words(rows: Iterable[FindingRow]) -> str:
    """Return how many findings would be recorded, with their totals and their payouts."""
    parts = []
    for words, chosen in _recordable(rows):
        currency = chosen[0].amount.currency
        total = sum((each.amount for each in chosen), Money(0, currency))
        names = [each.payout for each in chosen if each.payout]
        which = f": {listed(names)}" if names else ""
        parts.append(f"{plural(len(chosen), *words)} ({total} {currency}{which})")
    return listed(parts)


def _recordable(rows: Iterable[FindingRow]) -> Iterator[tuple[tuple[str, str], list[FindingRow]]]:
    """Yield the findings that are recorded by their kind, with the words for one and for many."""
    all_rows = list(rows)
    for finding, words in RECORDED.items():
        chosen = [each for each in all_rows if each.recordable and each.finding == finding]
        if chosen:
            yield words, chosen


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
    is_recorded = row.applied and not row.get("dry_run", False)
    if chosen and not is_recorded:
        counts = [plural(len(rows), *words) for words, rows in _recordable(row.findings)]
        commands[f"Record {listed(counts)}"] = f"{typed} --apply"
    for each in row.findings:
        if not each.recordable:
            commands.update(_command(each, typed, row.currency))
    if pairs := _pairs(row.findings):
        commands["Choose, such as"] = f"{typed}{pairs}"
    if chosen and is_recorded:
        commands["See your payouts"] = "payout list"
    return list(commands.items())[:MOST_COMMANDS]


def _pairs(rows: Iterable[FindingRow]) -> str:
    """Return options that pair each payout in doubt with a row, as an example of how to choose."""
    pairs: dict[str, str] = {}
    for row in rows:
        if row.finding != "ambiguous" or (row.payout and row.line):
            continue
        ends = [(row.payout, each) if row.payout else (each, row.row) for each in row.candidates]
        free = [(a, b) for a, b in ends if a not in pairs and b not in pairs.values()]
        if free:
            payout, name = free[0]
            pairs[str(payout)] = str(name)
    return "".join(f" --pair {shlex.quote(f'{payout}={row}')}" for payout, row in pairs.items())


def command_lines(commands: Iterable[tuple[str, str]], ledger: Path | None) -> Iterator[str]:
    """Yield commands, each below what it is for; a command is never broken."""
    for label, command in commands:
        yield f"{_INDENT}{clean(label)}:"
        yield f"{_INDENT * 2}{clean(spelt(command, ledger))}"


def _command(row: FindingRow, typed: str, currency: str) -> dict[str, str]:
    """Return the command that helps with a finding, by what it is for; empty without one."""
    first = next(iter(row.candidates), "")
    label, command = "", ""
    match row.finding:
        case "ambiguous" if row.payout and row.line and row.payer:
            label = "If that payer is the platform"
            command = f"{typed} --payer {shlex.quote(clean(row.payer))}"
        case "short":
            label, command = "If the difference is a fee", f"{typed} --short-is-fee"
        case "missing" if len(row.candidates) == 1:
            label = f"If {row.payout} came with that row"
            command = f"{typed} --pair {shlex.quote(f'{row.payout}={first}')}"
        case "missing":
            label, command = "Ask the platform for it", "payout overdue"
        case "unknown" if row.currency == currency and MORE_THAN_OWED not in str(row.note):
            label = "Record what is unknown, too"
            command = f"{typed} --apply --record-unknown"
    return {label: command} if label else {}
