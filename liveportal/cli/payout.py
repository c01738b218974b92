"""`liveportal payout`: what is to be paid out, what was, and what is needed for it."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands(
    "Payouts: preview, forecast, overdue, list, show, explain, record, paid, fail, return."
)

app.place("preview", "liveportal.cli.payout_shown")
app.place("list", "liveportal.cli.payout_shown", "list_")
app.place("show", "liveportal.cli.payout_shown")
app.place("explain", "liveportal.cli.explain", "explain_payout")
app.place("record", "liveportal.cli.payout_recorded")
app.place("paid", "liveportal.cli.payout_recorded")
app.place("fail", "liveportal.cli.payout_recorded")
app.place("return", "liveportal.cli.payout_recorded", "return_")
app.group("profile", "liveportal.cli.payout_profile", "What is needed to pay you.")
app.place("forecast", "liveportal.cli.payout_forecast")
app.place("overdue", "liveportal.cli.payout_forecast")
