"""Compare the installed program with other accounting programs: `make bench`.

    python -m benchmarks [--sizes 10000,100000,1000000] [--rounds 11] [--write]

The wheel is built and installed into an environment of its own under build/bench. The ledgers are
created there once, by the program itself, and reused. `--write` writes the table and the picture to
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
WITHOUT_PEERS = ("month", "months", "writes")
"""The tasks for large ledgers, for which other programs would take minutes or hours."""
TASKS = {
    "month": programs.month,
    "months": programs.months,
    "reads": programs.reads,
    "lists": programs.lists,
    "views": programs.views,
    "unpaid": programs.unpaid,
    "writes": programs.writes,
    "checks": programs.checks,
    "syncs": programs.syncs,
}


def log(text: str) -> None:
    """Report progress on standard error."""
    print(text, file=sys.stderr, flush=True)


def run_quietly(argv: list[str]) -> None:
    """Run a program that must succeed, and discard its output."""
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def install() -> Tools:
    """Build and install the wheel of the checkout, and return the paths of the programs."""
    environment = BUILD / "venv"
    python = environment / "bin" / "python"
    if not python.exists():
        log("making an environment")
        venv.create(environment, with_pip=True)
    log("installing the wheel")
    pip = [str(python), "-m", "pip", "install", "--quiet"]
    wheels = BUILD / "wheel"
    for old_wheel in wheels.glob("*.whl"):
        old_wheel.unlink()
    build = [str(python), "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels)]
    subprocess.run([*build, str(ROOT)], check=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*pip, str(wheel)], check=True)  # Installs missing dependencies.
    subprocess.run([*pip, "--no-deps", "--force-reinstall", str(wheel)], check=True)
    work = BUILD / "work"
    work.mkdir(exist_ok=True)
    return Tools(str(environment / "bin" / "liveportal"), str(python), work)


def make_book(size: int, tools: Tools, *, peers: bool) -> Book:
    """Return the ledger with `size` transactions; create it if it does not exist yet."""
    seed = Path(books.__file__).read_bytes() + str(size).encode()
    folder = BUILD / "books" / f"{size}-{hashlib.sha256(seed).hexdigest()[:8]}"
    names = ("feed.jsonl", "book.db", "book.journal", "book.beancount")
    book = Book(size, *(folder / name for name in names))
    if (folder / "made").exists():
        return export_journals(book, peers=peers)
    folder.mkdir(parents=True, exist_ok=True)
    for old_file in folder.glob("book.db*"):
        old_file.unlink()
    log(f"making a book of {size:,} transactions")
    with book.feed.open("w", encoding="utf-8") as file:
        file.writelines(books.lines(books.events(size)))
    ledger = ["--ledger", str(book.ledger)]
    run_quietly([tools.liveportal, "init", *ledger])
    run_quietly([tools.liveportal, "sync", str(book.feed), *ledger])
    for number in range(books.TRANSCRIPTS):
        transcript_path = folder / f"said-{number}.txt"
        transcript_path.write_text(books.transcript(number), encoding="utf-8")
        attach = [
            tools.liveportal,
            "sessions",
            "attach",
            f"S-{100 + number}",
            str(transcript_path),
            *ledger,
        ]
        run_quietly([*attach, "--kind", "transcript"])
    (folder / "made").touch()
    return export_journals(book, peers=peers)


def export_journals(book: Book, *, peers: bool) -> Book:
    """Export a ledger for the other programs, if they are to be measured with it."""
    if not peers:
        return book._replace(plain=None, beancount=None)
    if book.plain is not None and book.beancount is not None and not book.beancount.exists():
        log(f"exporting a book of {book.size:,} transactions")
        write_journals(book.ledger, book.plain, book.beancount)
    return book


def main() -> None:
    """Run the benchmarks, and print or write the results."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks")
    parser.add_argument("--sizes", default="10000,100000", help="transactions of the books")
    parser.add_argument(
        "--peers-up-to",
        type=int,
        default=100_000,
        help="larger books are ours alone",
    )
    parser.add_argument("--rounds", type=int, default=11, help="how often each program runs")
    parser.add_argument("--only", default=",".join(TASKS), help="tasks to run")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks")
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    BUILD.mkdir(parents=True, exist_ok=True)
    tools = install()
    all_books = [make_book(size, tools, peers=size <= options.peers_up_to) for size in sizes]
    starter = Starter(BUILD)
    log("measuring: starting")
    results = {"start-up": {0: side_by_side(starter, programs.start_up(tools), options.rounds)}}
    for task in options.only.split(","):
        results[task] = {}
        for book in all_books:
            if book.plain is None and task not in WITHOUT_PEERS:
                continue
            log(f"measuring: {task}, {book.size:,} transactions")
            contestants = TASKS[task](tools, book)
            results[task][book.size] = side_by_side(starter, contestants, options.rounds)
        if options.write:  # Keep the finished tasks if the rest is interrupted.
            write_docs(results, sizes)
    starter.close()
    if not options.write:
        print(render_page(results, sizes))


def render_page(results: dict[str, dict[int, list[dict[str, Any]]]], sizes: list[int]) -> str:
    """Return the results as Markdown; with the targets if all tasks were run."""
    missing = programs.missing()
    notes = {
        "command": "make bench",
        "missing": f"not installed, so not measured: {', '.join(missing)}" if missing else "",
    }
    target_rows = targets(results, compared_size(sizes)) if set(TASKS) <= results.keys() else []
    return report.markdown(results, target_rows, notes)


def compared_size(sizes: list[int]) -> int:
    """Return the size of the ledger that is compared with other programs."""
    return 100_000 if 100_000 in sizes else sizes[0]


def write_docs(results: dict[str, dict[int, list[dict[str, Any]]]], sizes: list[int]) -> None:
    """Write the table and, once the checks are measured, the picture."""
    DOCS.mkdir(parents=True, exist_ok=True)
    (DOCS / "README.md").write_text(render_page(results, sizes), encoding="utf-8")
    if "checks" in results:
        svg = report.picture(results, compared_size(sizes))
        (DOCS / "comparison.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
