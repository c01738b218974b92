"""`liveportal dispute`: disputes of refund claims and how the platform decided them."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands(
    """Dispute a refund claim and prove what happened.

    A disputed claim is decided by the platform. File the dispute with a summary, make a pack of
    the evidence, and record the decision when it arrives.

    Examples:
      liveportal dispute file CL-1 --edit
      liveportal dispute evidence CL-1 -o case.zip
      liveportal dispute rule CL-1 --accepted
    """,
    default="list",
)

app.place("file", "liveportal.cli.commands.disputes.file_rule", "file_")
app.place("list", "liveportal.cli.commands.disputes.list_show", "list_")
app.place("show", "liveportal.cli.commands.disputes.list_show")
app.place("withdraw", "liveportal.cli.commands.disputes.file_rule")
app.place("rule", "liveportal.cli.commands.disputes.file_rule")
app.place("evidence", "liveportal.cli.commands.disputes.evidence")
app.place("verify", "liveportal.cli.commands.disputes.verify")
