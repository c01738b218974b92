"""`liveportal payout`: payouts, the forecast, and the payout profile."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands(
    """See when you are paid next and what has arrived, and record payouts.

    The platform pays a month's earnings after the month ends, once they reach the payout minimum
    and your payout profile is complete.

    Examples:
      liveportal payout preview
      liveportal payout forecast
      liveportal payout record 168.55 --reference 8XK41
      liveportal payout reconcile Download.CSV
      liveportal payout profile check
    """,
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
app.group(
    "profile",
    "liveportal.cli.commands.payouts.profile",
    "Keep the details that the platform needs to pay you.",
)
app.place("forecast", "liveportal.cli.commands.payouts.forecast")
app.place("overdue", "liveportal.cli.commands.payouts.forecast")
