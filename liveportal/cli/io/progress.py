"""A progress bar on a terminal, for long operations."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from liveportal.cli.io.text import clean


@contextmanager
def progress(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the size of each step; draws only on a terminal's stderr."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(clean(name), total=total)
        yield lambda amount: bar.advance(task, amount)
