"""`liveportal refunds`: refund claims and their outcomes."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands(
    """Record refund claims and how they were decided.

    The money that a refund may cost you is held until the claim is decided. To contest a claim, use
    `liveportal dispute`.

    Examples:
      liveportal refunds list --state open
      liveportal refunds show CL-1
      liveportal refunds claim S-1001 --reason "Problem not solved"
    """,
    default="list",
)

app.place("list", "liveportal.cli.commands.refunds.list_show", "list_")
app.place("show", "liveportal.cli.commands.refunds.list_show")
app.place("claim", "liveportal.cli.commands.refunds.decide")
app.place("concede", "liveportal.cli.commands.refunds.decide")
app.place("grant", "liveportal.cli.commands.refunds.decide")
app.place("deny", "liveportal.cli.commands.refunds.decide")
app.place("withdraw", "liveportal.cli.commands.refunds.decide")
