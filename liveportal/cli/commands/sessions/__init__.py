"""`liveportal sessions`: upcoming, live and past."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands(
    """Run sessions, record past ones, and see how they were billed.

    Examples:
      liveportal sessions upcoming
      liveportal sessions start S-1002
      liveportal sessions log "yesterday 14:00-14:45" --customer C-77 --rate 3.00
      liveportal sessions explain S-1001
    """,
    default="upcoming",
)

app.place("list", "liveportal.cli.commands.sessions.history", "list_")
app.place("upcoming", "liveportal.cli.commands.sessions.upcoming")
app.place("show", "liveportal.cli.commands.sessions.show")
app.place("calendar", "liveportal.cli.commands.sessions.calendar")
app.place("check", "liveportal.cli.commands.sessions.upcoming")
app.place("start", "liveportal.cli.commands.sessions.timer")
app.place("pause", "liveportal.cli.commands.sessions.timer")
app.place("resume", "liveportal.cli.commands.sessions.timer")
app.place("end", "liveportal.cli.commands.sessions.timer")
app.place("cancel", "liveportal.cli.commands.sessions.timer")
app.place("miss", "liveportal.cli.commands.sessions.timer")
app.place("reschedule", "liveportal.cli.commands.sessions.timer")
app.place("log", "liveportal.cli.commands.sessions.log")
app.place("correct", "liveportal.cli.commands.sessions.log")
app.place("tip", "liveportal.cli.commands.sessions.log")
app.place("review", "liveportal.cli.commands.sessions.log")
app.place("reviews", "liveportal.cli.commands.sessions.reviews")
app.place("attach", "liveportal.cli.commands.sessions.attach")
app.place("search", "liveportal.cli.commands.sessions.search", dash_words=True)
app.place("explain", "liveportal.cli.commands.explain", "explain_session")
