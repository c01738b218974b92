"""The program at another time: `python -m tests.docs.clocked 2027-08-10T10:00:00+00:00 due`."""

from __future__ import annotations

import sys
from datetime import datetime, tzinfo

from liveportal import portal
from liveportal.cli import times
from liveportal.cli.run import main

NOW = datetime.fromisoformat(sys.argv[1])


class Clocked(datetime):
    """The class, but for what time it is."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        """Return the time that the program is told."""
        return NOW.astimezone(tz)


for module in (portal, times):
    module.datetime = Clocked  # type: ignore[attr-defined, misc]
sys.exit(main(sys.argv[2:]))
