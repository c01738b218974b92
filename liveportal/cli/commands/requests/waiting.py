"""Waiting for more of a feed while its requests are watched."""

from __future__ import annotations

import sys
import time
from io import BufferedReader
from typing import Any

from liveportal.cli.options import OutputOptions


def flush() -> None:
    """Pass on what was written to standard output."""
    if sys.stdout is not None:
        sys.stdout.flush()


class Wait:
    """Waits for more of a feed; flushes stdout before, and stops if its reader has gone.

    Without this, `| head -1` would end only at the next request.
    """

    def __init__(self, interval: float, out: OutputOptions) -> None:
        self._interval = interval
        self._output = None if out.output else _descriptor(sys.stdout)

    def __call__(self, stream: BufferedReader | None) -> None:
        """Wait; with a stream that can be waited for, until it has more."""
        flush()
        source = _descriptor(stream)
        if sys.platform == "win32" or self._output is None:
            if stream is None:
                time.sleep(self._interval)
            return  # Reading the stream waits by itself.
        if stream is not None and source is None:
            return
        import select

        poll = select.poll()
        poll.register(self._output, 0)  # No events are requested: only the close is reported.
        if source is not None:
            poll.register(source, select.POLLIN)
        events = poll.poll(None if source is not None else self._interval * 1000)
        if any(descriptor == self._output for descriptor, _ in events):
            raise BrokenPipeError


def _descriptor(stream: Any) -> int | None:  # noqa: ANN401 -- Any kind of stream, or None.
    try:
        return None if stream is None else int(stream.fileno())
    except (OSError, ValueError):  # A test's stream has no descriptor.
        return None
