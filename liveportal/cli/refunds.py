"""`liveportal refunds`: refund claims, and what became of them."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands("Refund claims: list, show, claim, concede, grant, deny, withdraw.")

app.place("list", "liveportal.cli.refunds_shown", "list_")
app.place("show", "liveportal.cli.refunds_shown")
app.place("claim", "liveportal.cli.refunds_decided")
app.place("concede", "liveportal.cli.refunds_decided")
app.place("grant", "liveportal.cli.refunds_decided")
app.place("deny", "liveportal.cli.refunds_decided")
app.place("withdraw", "liveportal.cli.refunds_decided")
