"""The results as a Markdown table and as an SVG picture."""

from __future__ import annotations

import math
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

MIB = 1024 * 1024
Results = Mapping[str, Mapping[int, Sequence[Mapping[str, Any]]]]
"""By task and size of ledger: the result of each program, ours first."""

TITLES = {
    "start-up": "Starting: a version, and help",
    "month": "One month's earnings",
    "months": "The earnings of each of 120 months",
    "reads": "Other reads",
    "lists": "Writing every row",
    "views": "Other views of one month",
    "unpaid": "What is owed, with everything unpaid",
    "checks": "Checking the whole book",
    "writes": "Recording one event",
    "syncs": "Recording a whole feed",
}


def machine() -> list[str]:
    """Return lines on the machine and the versions of the programs, without host names."""
    cpu = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    lines = [f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"]
    lines.append(f"Python {platform.python_version()}, {', '.join(_packages())}")
    return [*lines, *_programs()]


def _packages() -> Iterator[str]:
    for name in ("liveportal", "typer", "pysqlite3", "beancount"):
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue


def _programs() -> Iterator[str]:
    for program in ("hledger", "ledger", "sqlite3"):
        try:
            output = subprocess.run(
                [program, "--version"], capture_output=True, text=True, check=False
            ).stdout
        except OSError:
            yield f"{program}: not installed, not measured"
        else:
            first_line = output.splitlines()[0].split(",")[0]
            yield (
                first_line
                if program in first_line.lower()
                else f"{program} {' '.join(first_line.split()[:1])}"
            )


def markdown(results: Results, targets: Sequence[Sequence[str]], notes: Mapping[str, str]) -> str:
    """Return the results as a Markdown page."""
    day = datetime.now(UTC).date()
    lines = [
        "# Measurements",
        "",
        f"Made by `{notes['command']}` on {day}. Processor time of whole processes, user and",
        "system: medians of rounds in which one program ran after the other. The ratio is to the",
        "first line of each table. Peak memory is the largest resident set of the process.",
        "",
        *(f"- {line}" for line in machine()),
        *(f"- {notes['missing']}" for _ in [0] if notes["missing"]),
        "",
        "## Promises",
        "",
        "| what | promised | measured | |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in targets),
        "",
    ]
    for task, sizes in results.items():
        lines += [f"## {TITLES[task]}", ""]
        for size, rows in sizes.items():
            lines += _table(size, rows)
    return "\n".join(lines).rstrip() + "\n"


def _table(size: int, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if size:
        yield f"A book of {size:,} transactions:"
        yield ""
    yield "| program | ms | ratio | MiB | rounds |"
    yield "|---|--:|--:|--:|--:|"
    first = rows[0]["cpu"]
    for row in rows:
        yield (
            f"| {row['program']} | {1000 * row['cpu']:,.0f} | {row['cpu'] / first:,.2f}"
            f" | {row['rss'] / MIB:,.0f} | {row['rounds']} |"
        )
    yield ""


# --- the picture ------------------------------------------------------------------------------

COLOURS = {
    "liveportal": "#2a7de1",
    "ledger": "#c98b2b",
    "hledger": "#7a5ba6",
    "beancount": "#4b8b5a",
}
OTHERS = "#9aa3ad"
WIDTH, LEFT, RIGHT, ROW, HEAD = 860, 300, 90, 22, 34


def picture(results: Results, size: int) -> str:
    """Return a bar chart of the times for a month, for all months and for a check.

    The scale is logarithmic: each grid line is ten times the one to its left.
    """
    charts = [
        (task, results[task][size]) for task in ("month", "months", "checks") if task in results
    ]
    longest = max(row["cpu"] for _, rows in charts for row in rows)
    shortest = min(row["cpu"] for _, rows in charts for row in rows)
    low, high = math.floor(math.log10(shortest)), math.ceil(math.log10(longest))
    body: list[str] = []
    y = HEAD + 16
    for task, rows in charts:
        body.append(_text(8, y + 15, f"{TITLES[task]} ({size:,} transactions)", weight="bold"))
        y += ROW + 2
        for row in sorted(rows, key=lambda result: result["cpu"]):
            body += _bar(row, y, low, high)
            y += ROW
        y += 14
    lines = [_line(10.0**power, _x(10.0**power, low, high), y) for power in range(low, high + 1)]
    size_of_it = f'width="{WIDTH}" height="{y + 6}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {size_of_it} viewBox="0 0 {WIDTH} {y + 6}"'
    start += ' font-family="sans-serif" font-size="12">'
    ground = f'<rect {size_of_it} fill="#ffffff"/>'
    return "\n".join([start, ground, *lines, *body, "</svg>", ""])


def _line(seconds: float, x: float, bottom: int) -> str:
    line = f'<line x1="{x:.1f}" y1="{HEAD}" x2="{x:.1f}" y2="{bottom}" stroke="#dddddd"/>'
    return line + _text(x, HEAD - 8, _seconds(seconds), anchor="middle")


def _bar(row: Mapping[str, Any], y: int, low: int, high: int) -> list[str]:
    program = str(row["program"])
    colour = COLOURS.get(program.split(maxsplit=1)[0].rstrip(","), OTHERS)
    end = _x(row["cpu"], low, high)
    width = max(1.0, end - LEFT)
    name = program if len(program) <= 46 else program[:45] + "…"
    return [
        _text(LEFT - 8, y + 14, name, anchor="end"),
        f'<rect x="{LEFT}" y="{y + 3}" width="{width:.1f}" height="15" fill="{colour}"/>',
        _text(end + 6, y + 14, _seconds(row["cpu"])),
    ]


def _x(seconds: float, low: int, high: int) -> float:
    return LEFT + (math.log10(seconds) - low) / max(1, high - low) * (WIDTH - LEFT - RIGHT)


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"'
        f' fill="#222222">{escape(text)}</text>'
    )


def _seconds(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s".replace(".0 s", " s")


if __name__ == "__main__":
    sys.stdout.write("\n".join(machine()) + "\n")
