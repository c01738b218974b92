"""What is promised of the program's speed, and whether it held: ratios within one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.programs import FLOOR
from benchmarks.report import MIB, Results

Row = Mapping[str, Any]
BARE, IDLE = "Python that does nothing", "Typer that does nothing"
PIPED = ("liveportal requests", "liveportal sessions", "liveportal payout", "liveportal due")


def targets(results: Results, shown: int) -> list[list[str]]:
    """Return each promise with what was measured; `shown` is the size compared with others."""
    found: list[list[str]] = []
    smallest, largest = min(results["month"]), max(results["month"])
    start = _named(results["start-up"][0])
    found.append(_ratio("`--version` to bare Python", start, "liveportal --version", BARE, 2.5))
    helps = ("liveportal --help", "the same in one eager Typer program, --help")
    found.append(_ratio("`--help` to an equal eager Typer program", start, *helps, 1.2))

    month = _named(results["month"][smallest])
    ours = _ours(results["month"][smallest])
    said = f"of a month, {smallest:,} transactions"
    found.append(_ratio(f"`--json` {said}, to idle Typer", month, ours, IDLE, 1.35))
    same = "the same in bare Python"
    found.append(_ratio(f"`--json` {said}, to its query in bare Python", month, ours, same, 3.2))
    for row in results["reads"][smallest]:
        if row["program"].startswith(PIPED):
            rows = _named(results["reads"][smallest])
            name = row["program"].removeprefix("liveportal ")
            found.append(_ratio(f"`{name}` to idle Typer", rows, row["program"], IDLE, 1.35))
    terminal = next(name for name in month if name.endswith("on a terminal"))
    found.append(_ratio(f"on a terminal {said}, to bare Python", month, terminal, BARE, 10))
    if largest > smallest:
        small, large = month[ours]["cpu"], _named(results["month"][largest])[ours]
        growth = f"a month of {largest:,} to one of {smallest:,}"
        found.append(_said(growth, "<= 1.15 x", large["cpu"] / small, large["cpu"] <= 1.15 * small))
        memory = large["rss"] / MIB
        found.append(
            [
                f"peak memory of a month of {largest:,}",
                "<= 25 MiB",
                f"{memory:.1f} MiB",
                _met(memory <= 25),
            ]
        )
    found += _quicker(results["month"].get(shown, ()), shown)
    found += _months(results["months"])
    found += _checks(results.get("checks", {}).get(shown, ()), shown)
    writes = _named(results["writes"][smallest])
    write, floor = "liveportal requests accept", "import pydantic, and one durable commit"
    found.append(_ratio("one event written, to pydantic and a commit", writes, write, floor, 1.5))
    found += _syncs(results.get("syncs", {}))
    return found


def _named(rows: Sequence[Row]) -> dict[str, Row]:
    return {row["program"]: row for row in rows}


def _ours(rows: Sequence[Row]) -> str:
    return str(rows[0]["program"])


def _met(held: bool) -> str:  # noqa: FBT001 -- It says what it is given.
    return "met" if held else "**not met**"


def _said(what: str, promised: str, ratio: float, held: bool) -> list[str]:  # noqa: FBT001
    return [what, promised, f"{ratio:,.2f} x", _met(held)]


def _ratio(what: str, rows: Mapping[str, Row], ours: str, other: str, most: float) -> list[str]:
    ratio = rows[ours]["cpu"] / rows[other]["cpu"]
    return _said(what, f"<= {most} x", ratio, ratio <= most)


def _quicker(rows: Sequence[Row], size: int) -> Iterator[list[str]]:
    for program, least in (("ledger", 10), ("hledger", 60)):
        for row in rows:
            if str(row["program"]).split()[0] == program:
                ratio = row["cpu"] / rows[0]["cpu"]
                what = f"quicker than {program}, a month of {size:,}"
                yield _said(what, f">= {least} x", ratio, ratio >= least)


def _months(sizes: Mapping[int, Sequence[Row]]) -> Iterator[list[str]]:
    """Compare with SQLite's shell what the rows themselves cost: of both, the start is taken out.

    Ours is what the smallest book takes, as long as that is a small part of the largest.
    """
    smallest, largest = min(sizes), max(sizes)
    named = _named(sizes[largest])
    shell = named.get("sqlite3 shell, the same SQL")
    if shell is None or largest < 10 * smallest:
        return
    started = named["sqlite3 shell that does nothing"]["cpu"]
    more = sizes[largest][0]["cpu"] - sizes[smallest][0]["cpu"]
    ratio = more / max(shell["cpu"] - started, 0.0005)
    what = f"all months of {largest:,} to the sqlite3 shell, the start of both taken out"
    yield _said(what, "<= 2 x", ratio, ratio <= 2)


def _checks(rows: Sequence[Row], size: int) -> Iterator[list[str]]:
    for row in rows:
        if str(row["program"]).startswith("hledger"):
            ratio = rows[0]["cpu"] / row["cpu"]
            yield _said(
                f"`ledger verify` of {size:,} to `hledger check`", "< 1 x", ratio, ratio < 1
            )


def _syncs(sizes: Mapping[int, Sequence[Row]]) -> Iterator[list[str]]:
    big = sorted(size for size in sizes if size >= 100_000)
    if len(big) > 1:
        small, large = sizes[big[0]][0], sizes[big[-1]][0]
        ratio = large["rss"] / small["rss"]
        yield _said(
            f"peak memory of a sync of {big[-1]:,} to {big[0]:,}", "<= 1.5 x", ratio, ratio <= 1.5
        )
    for size in big:
        named = _named(sizes[size])
        sync, floor = named["liveportal sync"]["cpu"], named[FLOOR]["cpu"]
        rate = f"a sync of {size:,} ({size / sync:,.0f} a second) to its floor"
        yield _said(rate, "<= 3 x", sync / floor, sync <= 3 * floor)
