"""`liveportal payout`: past and expected payouts, and the payout profile."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands(
    "Payouts: what will come, what was sent, and whether it arrived.",
    default="preview",
)

app.place("preview", "liveportal.cli.commands.payouts.list_show")
app.place("list", "liveportal.cli.commands.payouts.list_show", "list_")
app.place("show", "liveportal.cli.commands.payouts.list_show")
app.place("explain", "liveportal.cli.commands.explain", "explain_payout")
app.place("record", "liveportal.cli.commands.payouts.record")
app.place("paid", "liveportal.cli.commands.payouts.record")
app.place("fail", "liveportal.cli.commands.payouts.record")
app.place("return", "liveportal.cli.commands.payouts.record", "return_")
app.place("reconcile", "liveportal.cli.commands.payouts.reconcile")
app.group("profile", "liveportal.cli.commands.payouts.profile", "What is needed to pay you.")
app.place("forecast", "liveportal.cli.commands.payouts.forecast")
app.place("overdue", "liveportal.cli.commands.payouts.forecast")
