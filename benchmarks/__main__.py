"""Measure the installed program beside others that keep books: `make bench`.

    python -m benchmarks [--sizes 10000,100000,1000000] [--rounds 11] [--write]

The wheel is built and installed into an environment of its own under build/bench, as are the books:
they are made once, by the program itself, and kept. `--write` puts the table and the picture into
docs/benchmarks; without it the table goes to standard output.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from benchmarks import books, programs, report
from benchmarks.journals import write_journals
from benchmarks.measure import Starter, side_by_side
from benchmarks.programs import Book, Tools
from benchmarks.targets import targets

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "bench"
DOCS = ROOT / "docs" / "benchmarks"
OF_OURS_ALONE = ("month", "months", "writes")
"""What is measured of books so large that other programs take minutes or hours for them."""
BY_BOOK = {
    "month": programs.month,
    "months": programs.months,
    "reads": programs.reads,
    "writes": programs.writes,
    "checks": programs.checks,
    "syncs": programs.syncs,
}


def say(text: str) -> None:
    """Tell whoever waits what is going on."""
    print(text, file=sys.stderr, flush=True)


def quietly(argv: list[str]) -> None:
    """Run a program that must succeed, and leave what it says."""
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def installed() -> Tools:
    """Install the wheel of the checkout as a user would; return where it is."""
    place = BUILD / "venv"
    python = place / "bin" / "python"
    if not python.exists():
        say("making an environment")
        venv.create(place, with_pip=True)
    say("installing the wheel")
    pip = [str(python), "-m", "pip", "install", "--quiet"]
    wheels = BUILD / "wheel"
    for old in wheels.glob("*.whl"):
        old.unlink()
    build = [str(python), "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels)]
    subprocess.run([*build, str(ROOT)], check=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*pip, str(wheel)], check=True)  # Its dependencies, if they are not there.
    subprocess.run([*pip, "--no-deps", "--force-reinstall", str(wheel)], check=True)
    work = BUILD / "work"
    work.mkdir(exist_ok=True)
    return Tools(str(place / "bin" / "liveportal"), str(python), work)


def made(size: int, tools: Tools, *, peers: bool) -> Book:
    """Return a book of that size, made by the program if it is not there yet."""
    seed = Path(books.__file__).read_bytes() + str(size).encode()
    folder = BUILD / "books" / f"{size}-{hashlib.sha256(seed).hexdigest()[:8]}"
    names = ("feed.jsonl", "book.db", "book.journal", "book.beancount")
    book = Book(size, *(folder / name for name in names))
    if (folder / "made").exists():
        return exported(book, peers=peers)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("book.db*"):
        old.unlink()
    say(f"making a book of {size:,} transactions")
    with book.feed.open("w", encoding="utf-8") as file:
        file.writelines(books.lines(books.events(size)))
    ledger = ["--ledger", str(book.ledger)]
    quietly([tools.liveportal, "init", *ledger])
    quietly([tools.liveportal, "sync", str(book.feed), *ledger])
    for number in range(books.TRANSCRIPTS):
        said = folder / f"said-{number}.txt"
        said.write_text(books.transcript(number), encoding="utf-8")
        attach = [tools.liveportal, "sessions", "attach", f"S-{100 + number}", str(said), *ledger]
        quietly([*attach, "--kind", "transcript"])
    (folder / "made").touch()
    return exported(book, peers=peers)


def exported(book: Book, *, peers: bool) -> Book:
    """Export a book for the other programs, if they are to read it."""
    if not peers:
        return book._replace(plain=None, beancount=None)
    if book.plain is not None and book.beancount is not None and not book.beancount.exists():
        say(f"exporting a book of {book.size:,} transactions")
        write_journals(book.ledger, book.plain, book.beancount)
    return book


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks")
    parser.add_argument("--sizes", default="10000,100000", help="transactions of the books")
    parser.add_argument(
        "--peers-up-to",
        type=int,
        default=100_000,
        help="larger books are ours alone",
    )
    parser.add_argument("--rounds", type=int, default=11, help="how often each program runs")
    parser.add_argument("--only", default=",".join(BY_BOOK), help="tasks to run")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks")
    asked = parser.parse_args()
    sizes = sorted(int(size) for size in asked.sizes.split(","))
    BUILD.mkdir(parents=True, exist_ok=True)
    tools = installed()
    all_books = [made(size, tools, peers=size <= asked.peers_up_to) for size in sizes]
    starter = Starter(BUILD)
    say("measuring: starting")
    results = {"start-up": {0: side_by_side(starter, programs.start_up(tools), asked.rounds)}}
    for task in asked.only.split(","):
        results[task] = {}
        for book in all_books:
            if book.plain is None and task not in OF_OURS_ALONE:
                continue
            say(f"measuring: {task}, {book.size:,} transactions")
            contestants = BY_BOOK[task](tools, book)
            results[task][book.size] = side_by_side(starter, contestants, asked.rounds)
        if asked.write:  # What is done is kept, should the rest be interrupted.
            written(results, sizes)
    starter.close()
    if not asked.write:
        print(page(results, sizes))


def page(results: dict[str, dict[int, list[dict[str, Any]]]], sizes: list[int]) -> str:
    """Return what was measured; what was promised stands there when all tasks are done."""
    absent = programs.missing()
    told = {
        "command": "make bench",
        "missing": f"not installed, so not measured: {', '.join(absent)}" if absent else "",
    }
    held = targets(results, shown_of(sizes)) if set(BY_BOOK) <= results.keys() else []
    return report.markdown(results, held, told)


def shown_of(sizes: list[int]) -> int:
    """Return the size of the book that is compared with other programs."""
    return 100_000 if 100_000 in sizes else sizes[0]


def written(results: dict[str, dict[int, list[dict[str, Any]]]], sizes: list[int]) -> None:
    """Write the table, and the picture when there is something to draw."""
    DOCS.mkdir(parents=True, exist_ok=True)
    (DOCS / "README.md").write_text(page(results, sizes), encoding="utf-8")
    if "checks" in results:
        drawn = report.picture(results, shown_of(sizes))
        (DOCS / "comparison.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
