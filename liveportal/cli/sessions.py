"""`liveportal sessions`: upcoming, live and past."""

from __future__ import annotations

from liveportal.cli.app import Commands

app = Commands(
    "Sessions: list, upcoming, show, start, pause, resume, end, cancel, miss, reschedule, log,"
    " correct, tip, review, reviews, attach, search, explain, calendar, check."
)

app.place("list", "liveportal.cli.sessions_history", "list_")
app.place("upcoming", "liveportal.cli.sessions_planned")
app.place("show", "liveportal.cli.sessions_shown")
app.place("calendar", "liveportal.cli.sessions_calendar")
app.place("check", "liveportal.cli.sessions_planned")
app.place("start", "liveportal.cli.sessions_timed")
app.place("pause", "liveportal.cli.sessions_timed")
app.place("resume", "liveportal.cli.sessions_timed")
app.place("end", "liveportal.cli.sessions_timed")
app.place("cancel", "liveportal.cli.sessions_timed")
app.place("miss", "liveportal.cli.sessions_timed")
app.place("reschedule", "liveportal.cli.sessions_timed")
app.place("log", "liveportal.cli.sessions_after")
app.place("correct", "liveportal.cli.sessions_after")
app.place("tip", "liveportal.cli.sessions_after")
app.place("review", "liveportal.cli.sessions_after")
app.place("reviews", "liveportal.cli.sessions_reviews")
app.place("attach", "liveportal.cli.sessions_evidence")
app.place("search", "liveportal.cli.sessions_evidence", words=True)
app.place("explain", "liveportal.cli.explain", "explain_session")
