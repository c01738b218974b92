"""Write docs/FEED.md and docs/EVENTS.md: every type of event, from its declaration.

The pages are never edited by hand: `make docs` generates them. What they say besides the types is
in `docs/events/*.template.md`; the examples are lines of `docs/events/*.jsonl`, which tests record
in a ledger. With `--check` nothing is written, and the exit code is 1 if a page is out of date.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from liveportal.domain.events.envelope import PREFIX, EventData
from liveportal.domain.events.fields import field_specs, record_schema
from liveportal.domain.events.types import TYPES, SessionStarted
from liveportal.domain.handlers import payouts, refunds, requests, sessions
from liveportal.domain.handlers.dispatch import STATE_AFTER
from liveportal.domain.schedule.auto_decline import DeclineRule
from liveportal.domain.schedule.preferences import Notifications
from liveportal.domain.schedule.working_hours import Availability
from liveportal.feeds.json_schema import meaning_of
from liveportal.feeds.jsonl import LONGEST_LINE

DOCS = Path(__file__).parent
SUBJECTS = {
    "request": "Requests",
    "session": "Sessions",
    "claim": "Refund claims and disputes",
    "adjustment": "Payouts and adjustments",
    "payout": "Payouts and adjustments",
    "event": "Payouts and adjustments",
    "book": "The expert's settings",
    "customer": "Customers",
}
"""The heading under which a type stands, by what its events are about."""

DOCUMENTS: dict[str, type] = {
    "availability": Availability,
    "auto_decline": DeclineRule,
    "notifications": Notifications,
}
"""The records in fields that may hold any JSON, and are parsed by `domain/handlers/preferences`."""

MOVES = [
    move
    for moves in (requests.MOVES_BY_FEED, sessions.MOVES, refunds.MOVES, payouts.MOVES)
    for move in moves
]
"""Each pair of a state and a type that is allowed in it."""
ID = field_specs(SessionStarted)[0][1].schema()
MOST_ENTRIES = 10_000
LARGEST = 2**63 - 1


class FieldRow(NamedTuple):
    """A row of a type's table; `path` is the field's path in `data`, such as `slots[].start`."""

    path: str
    words: str
    required: bool
    personal: bool
    meaning: str


class Page(NamedTuple):
    """A page of documentation: what a feed may say, or what only the expert may."""

    name: str
    of_feeds: bool

    @property
    def target(self) -> Path:
        """The generated file."""
        return DOCS / f"{self.name}.md"

    @property
    def base(self) -> str:
        """The page to which links about times, amounts and ids lead: none if it is this one."""
        return "" if self.of_feeds else "FEED.md"

    def source(self, suffix: str) -> Path:
        """The hand-written file from which the page is made: its template, or its examples."""
        return DOCS / "events" / f"{self.name}.{suffix}"

    def fields(self, kind: type[EventData]) -> list[str]:
        """Return the fields of a type that this page documents; none if the type is not on it."""
        names = [name for name, *_ in field_specs(kind)]
        of_feeds = names if kind.FEED_FIELDS is None else kind.FEED_FIELDS
        return [name for name in names if (name in of_feeds) is self.of_feeds]

    def kinds(self) -> list[type[EventData]]:
        """Return the types on this page, in their order on it."""
        headings = list(dict.fromkeys(SUBJECTS.values()))
        kinds = [kind for kind in TYPES.values() if self.fields(kind)]
        return sorted(kinds, key=lambda kind: headings.index(SUBJECTS[kind.ENTITY]))

    def examples(self) -> list[str]:
        """Return the lines of the story that the examples are taken from."""
        return self.source("jsonl").read_text("utf-8").splitlines()


PAGES = (Page("FEED", of_feeds=True), Page("EVENTS", of_feeds=False))


# --- the fields of a type -------------------------------------------------------------------------


def field_rows(
    kind: type, names: Collection[str], prefix: str = "", *, base: str = ""
) -> Iterator[FieldRow]:
    """Yield these fields of a record class, each followed by the fields of the objects in it."""
    schema = record_schema(kind)["properties"]
    for name, field_type, optional, personal in field_specs(kind):
        if name not in names:
            continue
        is_list, record = _record_in(field_type)
        words = _words(field_type.schema(), base)
        if record is None and name in DOCUMENTS:
            record, is_list = DOCUMENTS[name], name == "auto_decline"
            words = "list of objects" if is_list else "object"
        path = prefix + name
        yield FieldRow(path, words, not optional, personal, schema[name]["description"])
        if record:
            below = [nested for nested, *_ in field_specs(record)]
            below_path = f"{path}[]." if is_list else f"{path}."
            yield from field_rows(record, below, below_path, base=base)


def _record_in(field_type: object) -> tuple[bool, type | None]:
    """Return whether a field is a list, and the class of the object or objects that it holds."""
    inner = getattr(field_type, "_kind", None)
    if inner is None or isinstance(inner, type):
        return False, inner
    return True, _record_in(inner)[1]


def _words(schema: dict[str, Any], base: str) -> str:
    """Return the type of a field in words, with its limits."""
    match schema:
        case {"pattern": pattern} if pattern == ID["pattern"]:
            words = f"[id]({base}#ids-and-text)"
        case {"properties": {"amount": {"pattern": pattern}, "currency": _}}:
            words = f"[amount]({base}#amounts){_sign(pattern)}"
        case {"format": "date-time"}:
            words = f"[time]({base}#order-and-time)"
        case {"type": "array", "items": items, "minItems": lowest, "maxItems": highest}:
            words = f"list of {_length(lowest, highest)}{_plural(_words(items, base))}"
        case {"type": "string", "description": str(form)}:
            words = f"string of {form}" if form[0].isdigit() else form
        case _:
            words = _plain_words(schema)
    return words


def _plain_words(schema: dict[str, Any]) -> str:
    """Return the type of a field that needs no explanation."""
    match schema:
        case {"enum": words}:
            return _alternatives(words)
        case {"type": "integer", "minimum": lowest, "maximum": highest}:
            limits = f"{lowest} or more" if highest == LARGEST else f"{lowest} to {highest}"
            return f"whole number, {limits}"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"format": "date"}:
            return "date, such as `2025-10-05`"
        case {"type": "string"}:
            return "string"
    return "object"


def _length(lowest: int, highest: int) -> str:
    """Return how many entries a list has, if that is limited more than for every list."""
    if (lowest, highest) == (0, MOST_ENTRIES):
        return ""
    if lowest == highest:
        return f"{highest} "
    return f"{lowest} to {highest} " if lowest else f"up to {highest} "


def _plural(words: str) -> str:
    """Return the type of the entries of a list, as a plural."""
    first, *rest = words.split(" ", 1)
    if first == "whole":
        return words.replace("number", "numbers")
    plural = f"{first}s" if first in {"string", "object", "list"} else first.replace("](", "s](")
    return " ".join([plural, *rest])


def _sign(pattern: str) -> str:
    if pattern.startswith("^-?"):
        return ", not zero"
    return " above zero" if "[1-9]" in pattern else ", zero or more"


def _alternatives(words: Collection[str]) -> str:
    *others, last = [f"`{word}`" for word in words]
    return f"{', '.join(others)} or {last}" if others else last


# --- examples -------------------------------------------------------------------------------------


def shown_examples(page: Page, kind: type[EventData]) -> Iterator[str]:
    """Yield the first example of a type, and each later one that has a field not shown before."""
    shown: set[str] = set()
    for line in page.examples():
        event = json.loads(line)
        if event["type"] == PREFIX + kind.TYPE:
            paths = set(value_paths(event["data"]))
            if paths - shown:
                yield line
            shown |= paths


def value_paths(value: object, path: str = "") -> Iterator[str]:
    """Yield the path of each field in the data of an event, such as `slots[].start`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield path + name
            yield from value_paths(inner, f"{path}{name}.")
    elif isinstance(value, list):
        for item in value:
            yield from value_paths(item, f"{path.removesuffix('.')}[].")


# --- the pages ------------------------------------------------------------------------------------


def text_of(page: Page) -> str:
    """Return a whole page as Markdown."""
    parts = {
        "contents": _contents(page),
        "types": "\n".join(_type_sections(page)),
        "longest line": f"{LONGEST_LINE // 1024**2} MiB",
        "most entries": f"{MOST_ENTRIES:,}",
    }
    text = page.source("template.md").read_text("utf-8")
    if "{{adapter}}" in text:
        parts["adapter"] = (DOCS / "events" / "adapter.py").read_text("utf-8").rstrip()
    if "{{error}}" in text:
        parts["error"] = _error_of(wrong_feed(text))
    for name, part in parts.items():
        text = text.replace(f"{{{{{name}}}}}", part)
    return text.rstrip("\n") + "\n"


def wrong_feed(text: str) -> str:
    """Return the feed of a page, its first block of JSON, with a wrong amount in the third line."""
    (feed, *_) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    lines = feed.splitlines()
    amount = '"session":"S-1","amount":{"amount":5.00,"currency":"USD"}'
    lines[2] = lines[2].replace("session.started", "tip.received")
    lines[2] = lines[2].replace('"session":"S-1"', amount)
    return "\n".join(lines)


def _error_of(feed: str) -> str:
    """Return the error that `sync --json` writes about a feed."""
    with tempfile.TemporaryDirectory() as folder:
        program = [sys.executable, "-m", "liveportal", "--ledger", f"{folder}/try.db"]
        own = {"PYTHONPATH": str(DOCS.parent), "HOME": folder, "XDG_STATE_HOME": folder}
        environment = {**os.environ, **own}
        init = [*program, "init", "-o", os.devnull]
        subprocess.run(init, env=environment, check=True)  # noqa: S603 (our own program)
        ran = subprocess.run(  # noqa: S603
            [*program, "sync", "-", "--json"],
            env=environment,
            input=feed,
            capture_output=True,
            text=True,
            check=False,
        )
    return ran.stderr.rstrip("\n")


def _contents(page: Page) -> str:
    """Return the list of the types, each with its first sentence."""
    lines = []
    for heading, kinds in _by_subject(page):
        lines.append(f"- [{heading}](#{_anchor(heading)})")
        for kind in kinds:
            first_sentence = meaning_of(kind).partition(". ")[0].removesuffix(".")
            lines.append(f"  - [`{kind.TYPE}`](#{_anchor(kind.TYPE)}): {first_sentence}.")
    return "\n".join(lines)


def _type_sections(page: Page) -> Iterator[str]:
    for heading, kinds in _by_subject(page):
        yield f"## {heading}\n"
        for kind in kinds:
            yield f"### {kind.TYPE}\n\n{meaning_of(kind)}\n"
            yield f"{_who(page, kind)}{_states(kind)}\n"
            yield "| Field | Type | Required | Personal | Meaning |\n|---|---|---|---|---|"
            for row in field_rows(kind, page.fields(kind), base=page.base):
                required, personal = ("yes" if is_so else "" for is_so in row[2:4])
                yield f"| `{row.path}` | {row.words} | {required} | {personal} | {row.meaning} |"
            yield ""
            for line in shown_examples(page, kind):
                yield f"```json\n{line}\n```\n"


def _by_subject(page: Page) -> list[tuple[str, list[type[EventData]]]]:
    grouped = groupby(page.kinds(), key=lambda kind: SUBJECTS[kind.ENTITY])
    return [(heading, list(kinds)) for heading, kinds in grouped]


def _who(page: Page, kind: type[EventData]) -> str:
    """Return who may report a type (`domain/events/sources.py` enforces it)."""
    if not page.of_feeds:
        return "Who may report it: the expert."
    if kind.FEED_FIELDS is not None:
        return (
            "Who may report it: a feed or the expert. A feed may set these fields only;"
            f" [the others](EVENTS.md#{_anchor(kind.TYPE)}) are the expert's."
        )
    if kind.OWN_SOURCE_FIELD is not None:
        return (
            "Who may report it: a feed or the expert. A feed may name an event of its own `source`"
            " only."
        )
    return "Who may report it: a feed or the expert."


def _states(kind: type[EventData]) -> str:
    """Return a sentence with the states before and after, if the subject of the type has states."""
    if kind.TYPE not in STATE_AFTER:
        return ""
    after = STATE_AFTER[kind.TYPE]
    before = [state for state, moving in MOVES if moving == kind.TYPE]
    if not before:
        return f" Afterwards, the {kind.ENTITY} is `{after}`."
    move = "stays" if before == [after] else "becomes"
    return f" The {kind.ENTITY} must be {_alternatives(before)}, and {move} `{after}`."


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return "".join(
        char for char in heading.lower().replace(" ", "-") if char.isalnum() or char in "-_"
    )


def main() -> int:
    """Write the pages or, with `--check`, check that they are current."""
    stale = []
    for page in PAGES:
        text = text_of(page)
        if not page.target.is_file() or page.target.read_text("utf-8") != text:
            stale.append(f"docs/{page.target.name}")
            if "--check" not in sys.argv[1:]:
                page.target.write_text(text, encoding="utf-8")
    if not stale or "--check" not in sys.argv[1:]:
        return 0
    sys.stderr.write(f"{' and '.join(stale)} is not what the code declares: run `make docs`.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
