"""`liveportal requests`: what customers ask for, and the expert's answers."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands(
    """Answer the requests of customers, or add those that no feed reports.

    Examples:
      liveportal requests list --matching
      liveportal requests accept REQ-1001
      liveportal requests decline REQ-1002 --reason "not my field"
    """,
    default="list",
)

app.place("list", "liveportal.cli.commands.requests.list_show", "list_")
app.place("show", "liveportal.cli.commands.requests.list_show")
app.place("watch", "liveportal.cli.commands.requests.watch")
app.place("accept", "liveportal.cli.commands.requests.respond")
app.place("decline", "liveportal.cli.commands.requests.respond")
app.place("withdraw", "liveportal.cli.commands.requests.respond")
app.place("add", "liveportal.cli.commands.requests.respond")
