"""`liveportal refunds`: refund claims and their outcomes."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands("Refund claims: list, show, claim, concede, grant, deny, withdraw.", default="list")

app.place("list", "liveportal.cli.commands.refunds.list_show", "list_")
app.place("show", "liveportal.cli.commands.refunds.list_show")
app.place("claim", "liveportal.cli.commands.refunds.decide")
app.place("concede", "liveportal.cli.commands.refunds.decide")
app.place("grant", "liveportal.cli.commands.refunds.decide")
app.place("deny", "liveportal.cli.commands.refunds.decide")
app.place("withdraw", "liveportal.cli.commands.refunds.decide")
