"""The speed targets of the program, and whether they were met: ratios within one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.programs import AGAIN, FLOOR
from benchmarks.report import MIB, Results

Row = Mapping[str, Any]
BARE, IDLE = "Python that does nothing", "Typer that does nothing"
PIPED = ("liveportal requests", "liveportal sessions", "liveportal payout", "liveportal due")


def targets(results: Results, shown: int) -> list[list[str]]:
    """Return a row per target; `shown` is the size that is compared with other programs."""
    rows_out: list[list[str]] = []
    smallest, largest = min(results["month"]), max(results["month"])
    start = _by_program(results["start-up"][0])
    rows_out.append(_ratio("`--version` to bare Python", start, "liveportal --version", BARE, 2.5))
    helps = ("liveportal --help", "the same in one eager Typer program, --help")
    rows_out.append(_ratio("`--help` to an equal eager Typer program", start, *helps, 1.2))

    month = _by_program(results["month"][smallest])
    ours = _first_program(results["month"][smallest])
    of_month = f"of a month, {smallest:,} transactions"
    rows_out.append(_ratio(f"`--json` {of_month}, to idle Typer", month, ours, IDLE, 1.35))
    same = "the same in bare Python"
    rows_out.append(
        _ratio(f"`--json` {of_month}, to its query in bare Python", month, ours, same, 3.2)
    )
    for row in results["reads"][smallest]:
        if row["program"].startswith(PIPED):
            rows = _by_program(results["reads"][smallest])
            name = row["program"].removeprefix("liveportal ")
            rows_out.append(_ratio(f"`{name}` to idle Typer", rows, row["program"], IDLE, 1.35))
    terminal = next(name for name in month if name.endswith("on a terminal"))
    rows_out.append(_ratio(f"on a terminal {of_month}, to bare Python", month, terminal, BARE, 10))
    if largest > smallest:
        small, large = month[ours]["cpu"], _by_program(results["month"][largest])[ours]
        growth = f"a month of {largest:,} to one of {smallest:,}"
        rows_out.append(
            _row(growth, "<= 1.15 x", large["cpu"] / small, large["cpu"] <= 1.15 * small)
        )
        memory = large["rss"] / MIB
        rows_out.append(
            [
                f"peak memory of a month of {largest:,}",
                "<= 25 MiB",
                f"{memory:.1f} MiB",
                _verdict(memory <= 25),
            ]
        )
    rows_out += _views(results["views"])
    rows_out += _unpaid(results["unpaid"])
    rows_out += _lists(results["lists"])
    rows_out += _faster_than_peers(results["month"].get(shown, ()), shown)
    rows_out += _months_to_shell(results["months"])
    rows_out += _check_to_hledger(results.get("checks", {}).get(shown, ()), shown)
    writes = _by_program(results["writes"][smallest])
    write, floor = "liveportal requests accept", "import pydantic, and one durable commit"
    rows_out.append(
        _ratio("one event written, to pydantic and a commit", writes, write, floor, 1.5)
    )
    rows_out += _sync_to_floor(results.get("syncs", {}))
    return rows_out


def _views(sizes: Mapping[int, Sequence[Row]]) -> Iterator[list[str]]:
    for size, rows in sizes.items():
        bounds, known, month = (row["cpu"] for row in rows[:3])
        yield _row(f"`--as-known` of {size:,}", "<= 2 x a month", known / month, known <= 2 * month)
        if size <= 10_000:
            yield [
                f"`--bounds` of {size:,}",
                "<= 0.5 s",
                f"{bounds:.2f} s",
                _verdict(bounds <= 0.5),
            ]
    bounds = [rows[0]["cpu"] for _, rows in sorted(sizes.items())]
    if len(bounds) > 1:
        ratio = bounds[1] / bounds[0]
        yield _row("`--bounds` of the next size", "<= 5 x", ratio, ratio <= 5)


def _unpaid(sizes: Mapping[int, Sequence[Row]]) -> Iterator[list[str]]:
    for size, rows in sizes.items():
        named = _by_program(rows)
        for name in named:
            if name.startswith(("liveportal payout", "liveportal due")):
                short = name.removeprefix("liveportal ").partition(" --")[0]
                what = f"`{short}` of {size:,}, all unpaid, to idle Typer"
                yield _ratio(what, named, name, IDLE, 3)


def _lists(sizes: Mapping[int, Sequence[Row]]) -> Iterator[list[str]]:
    for row in sizes[max(sizes)]:
        if str(row["program"]).startswith(("liveportal sessions list", "liveportal earnings")):
            memory = row["rss"] / MIB
            what = f"peak memory of `{str(row['program']).removeprefix('liveportal ')}`"
            yield [what, "<= 60 MiB", f"{memory:.1f} MiB", _verdict(memory <= 60)]


def _by_program(rows: Sequence[Row]) -> dict[str, Row]:
    return {row["program"]: row for row in rows}


def _first_program(rows: Sequence[Row]) -> str:
    return str(rows[0]["program"])


def _verdict(held: bool) -> str:  # noqa: FBT001 -- A formatter of its argument.
    return "met" if held else "**not met**"


def _row(what: str, promised: str, ratio: float, held: bool) -> list[str]:  # noqa: FBT001
    return [what, promised, f"{ratio:,.2f} x", _verdict(held)]


def _ratio(what: str, rows: Mapping[str, Row], ours: str, other: str, most: float) -> list[str]:
    ratio = rows[ours]["cpu"] / rows[other]["cpu"]
    return _row(what, f"<= {most} x", ratio, ratio <= most)


def _faster_than_peers(rows: Sequence[Row], size: int) -> Iterator[list[str]]:
    for program, least in (("ledger", 10), ("hledger", 60)):
        for row in rows:
            if str(row["program"]).split()[0] == program:
                ratio = row["cpu"] / rows[0]["cpu"]
                what = f"quicker than {program}, a month of {size:,}"
                yield _row(what, f">= {least} x", ratio, ratio >= least)


def _months_to_shell(sizes: Mapping[int, Sequence[Row]]) -> Iterator[list[str]]:
    """Compare the cost of the rows with the SQLite shell; the start-up of both is subtracted.

    Our start-up is the time for the smallest ledger, if that is much smaller than the largest.
    """
    smallest, largest = min(sizes), max(sizes)
    named = _by_program(sizes[largest])
    shell = named.get("sqlite3 shell, the same SQL")
    if shell is None or largest < 10 * smallest:
        return
    started = named["sqlite3 shell that does nothing"]["cpu"]
    more = sizes[largest][0]["cpu"] - sizes[smallest][0]["cpu"]
    ratio = more / max(shell["cpu"] - started, 0.0005)
    what = f"all months of {largest:,} to the sqlite3 shell, the start of both taken out"
    yield _row(what, "<= 2 x", ratio, ratio <= 2)


def _check_to_hledger(rows: Sequence[Row], size: int) -> Iterator[list[str]]:
    for row in rows:
        if str(row["program"]).startswith("hledger"):
            ratio, quick = (ours["cpu"] / row["cpu"] for ours in rows[:2])
            yield _row(f"`ledger verify` of {size:,} to `hledger check`", "< 1 x", ratio, ratio < 1)
            yield _row(f"`ledger verify --quick` of {size:,}", "<= 0.6 x", quick, quick <= 0.6)


def _sync_to_floor(sizes: Mapping[int, Sequence[Row]]) -> Iterator[list[str]]:
    big = sorted(size for size in sizes if size >= 100_000)
    if len(big) > 1:
        small, large = sizes[big[0]][0], sizes[big[-1]][0]
        ratio = large["rss"] / small["rss"]
        yield _row(
            f"peak memory of a sync of {big[-1]:,} to {big[0]:,}", "<= 1.5 x", ratio, ratio <= 1.5
        )
    for size in big:
        named = _by_program(sizes[size])
        sync, floor = named["liveportal sync"]["cpu"], named[FLOOR]["cpu"]
        again = named[AGAIN]["cpu"]
        yield _row(f"a sync of {size:,} again", "<= 0.3 x", again / sync, again <= 0.3 * sync)
        rate = f"a sync of {size:,} ({size / sync:,.0f} a second) to its floor"
        yield _row(rate, "<= 3 x", sync / floor, sync <= 3 * floor)
