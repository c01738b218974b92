"""`liveportal dispute`: saying what really happened, and what the review decided."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands("Disputes of refund claims: file, show, list, withdraw, rule, evidence, verify.")

app.place("file", "liveportal.cli.dispute_filed", "file_")
app.place("list", "liveportal.cli.dispute_shown", "list_")
app.place("show", "liveportal.cli.dispute_shown")
app.place("withdraw", "liveportal.cli.dispute_filed")
app.place("rule", "liveportal.cli.dispute_filed")
app.place("evidence", "liveportal.cli.dispute_evidence")
app.place("verify", "liveportal.cli.dispute_verify")
