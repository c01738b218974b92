"""A set of every preference: as typed, as recorded and as shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from liveportal.domain.schedule.working_hours import WEEKDAYS

if TYPE_CHECKING:
    from tests.kit.shell import Shell

SATURDAYS = "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA from 2026-10-03 10:00 for 3h"
ONCE = "FREQ=DAILY;COUNT=1 from 2020-01-01 10:00 for 1h"
EVERYTHING = (
    *("--verification", "verified", "--role", "Shader artist", "--experience-years", 7),
    *("--skill", "urp", "--skill", "shaders", "--language", "en", "--language", "fr"),
    *("--minimum-rate", "2.50", "--direct-rate", "4", "--zone", "Europe/Paris"),
    *("--hours", "mon-fri 9:00-12:30 13:30-18:00", "--hours", "sat 10-14"),
    *(
        "--recurring",
        SATURDAYS,
        "--except",
        "2026-12-24..2026-12-25",
        "--except",
        "2027-01-02 9-12",
    ),
    *("--vacation", "2026-12-28..2026-12-31", "--buffer-before", 10, "--buffer-after", 5),
    *("--auto-decline", "below 2.50 and instant: pays less than I take"),
    *("--auto-decline", "not my skills and shorter than 15: not my field"),
    *("--auto-decline", "customer C-1 C-2: no", "--bell", "--alarm", 15, "--alarm", 60),
    *("--attachment-limit", "500MB"),
)
RULE = {"rrule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", "start": "2026-10-03T10:00", "minutes": 180}
DAYTIME = ["09:00-12:30", "13:30-18:00"]
RECORDED: dict[str, Any] = {
    "verification": "verified",
    "role": "Shader artist",
    "skills": ["urp", "shaders"],
    "languages": ["en", "fr"],
    "experience_years": 7,
    "minimum_rate": "2.50",
    "direct_rate": "4.00",
    "timezone": "Europe/Paris",
    "availability": {
        "weekly": {**dict.fromkeys(WEEKDAYS[:5], DAYTIME), "sat": ["10:00-14:00"]},
        "rules": [RULE],
        "exceptions": [
            {"date": "2026-12-24", "hours": []},
            {"date": "2026-12-25", "hours": []},
            {"date": "2027-01-02", "hours": ["09:00-12:00"]},
        ],
    },
    "buffers": {"before": 10, "after": 5},
    "vacations": [{"start": "2026-12-28", "end": "2026-12-31"}],
    "auto_decline": [
        {
            "reason": "pays less than I take",
            "kind": "instant",
            "below_rate": {"amount": "2.50", "currency": "USD"},
        },
        {"reason": "not my field", "unmatched": True, "shorter_than": 15},
        {"reason": "no", "customers": ["C-1", "C-2"]},
    ],
    "notifications": {"bell": True, "alarms": [15, 60]},
    "attachment_limit": 500_000_000,
}
WORDS = {
    "hours": ["mon-fri 09:00-12:30 13:30-18:00", "sat 10:00-14:00"],
    "exceptions": ["2026-12-24..2026-12-25", "2027-01-02 09:00-12:00"],
    "declines": [
        "below 2.50 USD and instant: pays less than I take",
        "not my skills and shorter than 15: not my field",
        "customer C-1, C-2: no",
    ],
    "unreadable": [],
}


def changes(shell: Shell) -> int:
    """Return how many changes of preferences were recorded."""
    return sum(len(rows) for name, rows in shell.dump() if name == "preferences")
