"""`liveportal dispute`: disputes of refund claims, and the reviews' decisions."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands(
    "Disputes of refund claims: file, show, list, withdraw, rule, evidence, verify.", default="list"
)

app.place("file", "liveportal.cli.commands.disputes.file_rule", "file_")
app.place("list", "liveportal.cli.commands.disputes.list_show", "list_")
app.place("show", "liveportal.cli.commands.disputes.list_show")
app.place("withdraw", "liveportal.cli.commands.disputes.file_rule")
app.place("rule", "liveportal.cli.commands.disputes.file_rule")
app.place("evidence", "liveportal.cli.commands.disputes.evidence")
app.place("verify", "liveportal.cli.commands.disputes.verify")
