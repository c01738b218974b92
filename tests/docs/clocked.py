"""The program at another time: `python -m tests.docs.clocked 2027-08-10T10:00:00+00:00 due`."""

from __future__ import annotations

import sys
from datetime import datetime

import time_machine

from liveportal.cli.main import main

with time_machine.travel(datetime.fromisoformat(sys.argv[1]), tick=False):
    sys.exit(main(sys.argv[2:]))
