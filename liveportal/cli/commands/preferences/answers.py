"""The sentence with which commands that change preferences answer."""

from __future__ import annotations

from liveportal.cli.io.answers import Sentence, listed
from liveportal.cli.write_result import Recorded
from liveportal.domain.frozen import field_names

MOST_NAMES = 8


def changed(recorded: Recorded) -> Sentence:
    """Name the preferences that were set."""
    if recorded.row["state"] == "unchanged":
        what = "your preferences: they are the same as in the file"
        return Sentence("Nothing changed in", "change nothing in", what)
    data = recorded.data
    names = [name for name in field_names(type(data)) if getattr(data, name) is not None]
    words = listed([name.replace("_", " ") for name in names], MOST_NAMES)
    return Sentence(
        *("Changed", "change", "your preferences", words),
        next=(("See your preferences", "preferences show"),),
    )
