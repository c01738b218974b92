"""Bad lines of a feed that are left out: where they are written, and what errors say about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from liveportal.cli.io.hints import spell
from liveportal.domain.errors import LiveportalError, NotFound, Refused, RejectedLines
from liveportal.feeds.jsonl import Line
from liveportal.services.sync import OnError

_REJECTS = "--rejects"


def rejected_lines(count: int, rejects: Path | None) -> RejectedLines:
    """Return the error that ends a run that went on past bad lines; no file for a dry run."""
    return RejectedLines(
        f"{count} line{'s were' if count != 1 else ' was'} rejected.",
        hint="This was a dry run. Nothing was recorded or written."
        if rejects is None
        else f"The file {rejects} has each with its reason. All other lines were recorded.",
        refused=count,
    )


def mention_rejects(error: LiveportalError) -> None:
    """Mention `--rejects` in the hint of an error about a line of a feed."""
    hint = spell(error.hint) or ""
    if isinstance(error, Refused | NotFound) and "line" in error.details and _REJECTS not in hint:
        advice = f"To leave such lines out, add {_REJECTS} FILE, which gets each with its reason."
        error.hint = f"{hint} {advice}".lstrip()


def reject_writer(stream: TextIO | None) -> OnError:
    """Return a callback that writes a bad line with its reason; a dry run has no stream for it."""

    def reject(line: Line, error: LiveportalError) -> None:
        if stream is not None:
            reason = {
                "code": error.code,
                "message": error.message,
                "field": error.details.get("field"),
            }
            raw = line.raw.decode("utf-8", "replace")
            stream.write(json.dumps({"line": line.number, "error": reason, "raw": raw}) + "\n")

    return reject
