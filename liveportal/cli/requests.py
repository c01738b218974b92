"""`liveportal requests`: what customers ask for, and the expert's answers."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands("Requests for your help: list, show, accept, decline, add, withdraw, watch.")

app.place("list", "liveportal.cli.requests_shown", "list_")
app.place("show", "liveportal.cli.requests_shown")
app.place("watch", "liveportal.cli.requests_watch")
app.place("accept", "liveportal.cli.requests_answered")
app.place("decline", "liveportal.cli.requests_answered")
app.place("withdraw", "liveportal.cli.requests_answered")
app.place("add", "liveportal.cli.requests_answered")
