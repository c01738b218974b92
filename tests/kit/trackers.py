"""Months of time trackers, and their exports in the shapes that they have."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Entry(NamedTuple):
    """What was tracked: the start in UTC, the minutes, the customer, the title and the bill."""

    start: datetime
    minutes: int
    customer: str
    title: str = "Fix"
    bill: str = "30.00"

    @property
    def end(self) -> datetime:
        """The end in UTC."""
        return self.start + timedelta(minutes=self.minutes)


def entry(start: str, minutes: int, customer: str = "Acme", **more: str) -> Entry:
    """Return an entry of October 2026, such as `05T09:30`."""
    return Entry(datetime.fromisoformat(f"2026-10-{start}:00+00:00"), minutes, customer, **more)


MONTH = (
    entry("01T09:00", 60),
    entry("02T22:30", 90, "Zoë & Söhne", title='A "quoted" title; with, marks', bill="45.00"),
    entry("05T09:00", 25, bill="12.50"),
    entry("05T09:00", 25, bill="12.50"),
    entry("13T10:00", 60, "=HYPERLINK(1)"),
    entry("13T10:00", 60, "Bolt"),
    entry("25T00:30", 30, bill="15.00"),
    entry("25T01:10", 30, bill="15.00"),
    entry("30T23:30", 120, bill="1060.00"),
)
"""A month with two equal entries, two in the hour that comes twice in Berlin, and midnights."""
GROSS = "1250.00"
"""The sum of its bills."""
MINUTES = 500
BERLIN = "Europe/Berlin"


class Locale(NamedTuple):
    """How a file is written."""

    dates: str = "%Y-%m-%d"
    times: str = "%H:%M:%S"
    delimiter: str = ","
    decimal: str = "."
    currency: str = "USD"
    zone: str = "UTC"
    encoding: str = "utf-8"

    def moment(self, time: datetime) -> tuple[str, str]:
        """Return a local date and time."""
        local = time.astimezone(ZoneInfo(self.zone))
        return local.strftime(self.dates), local.strftime(self.times)

    def amount(self, text: str) -> str:
        """Return an amount with a decimal mark, and thousands if there are any."""
        marks = ",." if self.decimal == "." else ".,"
        return f"{float(text):,.2f}".translate(str.maketrans(",.", marks))

    def table(self, rows: Iterable[dict[str, str]]) -> bytes:
        """Return rows as CSV."""
        text = io.StringIO(newline="")
        every = list(rows)
        writer = csv.DictWriter(text, list(every[0]), delimiter=self.delimiter)
        writer.writeheader()
        writer.writerows(every)
        return text.getvalue().encode(self.encoding)


PLAIN = Locale()
LOCALES = {
    "plain": PLAIN,
    "american": Locale("%m/%d/%Y", "%I:%M:%S %p"),
    "british": Locale("%d/%m/%Y"),
    "german": Locale("%d.%m.%Y", delimiter=";", decimal=",", zone=BERLIN, encoding="utf-8-sig"),
}


def _length(entry: Entry) -> str:
    return f"{entry.minutes // 60:02}:{entry.minutes % 60:02}:00"


def toggl(entries: Sequence[Entry], how: Locale = PLAIN, *, bills: bool = True) -> bytes:
    """Return a detailed report of Toggl; `bills` as in a paid plan."""
    rows = []
    for each in entries:
        (day, time), (end_day, end_time) = how.moment(each.start), how.moment(each.end)
        row = {"User": "Ann", "Email": "ann@example.com", "Client": each.customer}
        row |= {"Project": "Site", "Description": each.title, "Billable": "Yes"}
        row |= {"Start date": day, "Start time": time, "End date": end_day, "End time": end_time}
        row |= {"Duration": _length(each), "Tags": ""}
        if bills:
            row[f"Amount ({how.currency})"] = how.amount(each.bill)
        rows.append(row)
    return how.table(rows)


def clockify(entries: Sequence[Entry], how: Locale = PLAIN, *, bills: bool = True) -> bytes:
    """Return a detailed report of Clockify, with a row that is not billable."""
    rows = []
    for each in (*entries, entries[0]._replace(title="Lunch")):
        (day, time), (end_day, end_time) = how.moment(each.start), how.moment(each.end)
        row = {"Project": "Site", "Client": each.customer, "Description": each.title}
        row |= {"User": "Ann", "Billable": "No" if each.title == "Lunch" else "Yes"}
        row |= {"Start Date": day, "Start Time": time, "End Date": end_day, "End Time": end_time}
        row |= {"Duration (h)": _length(each), "Duration (decimal)": how.amount("1.00")}
        if bills:
            row[f"Billable Rate ({how.currency})"] = how.amount("30.00")
            row[f"Billable Amount ({how.currency})"] = how.amount(each.bill)
        rows.append(row)
    return how.table(rows)


def timewarrior(entries: Sequence[Entry]) -> bytes:
    """Return what `timew export` writes, with an interval that is open."""
    objects = [
        {
            "id": len(entries) - at + 1,
            "start": f"{each.start:%Y%m%dT%H%M%SZ}",
            "end": f"{each.end:%Y%m%dT%H%M%SZ}",
            "tags": [each.customer, each.title],
        }
        for at, each in enumerate(entries)
    ]
    objects.append({"id": 1, "start": f"{datetime(2026, 10, 31, tzinfo=UTC):%Y%m%dT%H%M%SZ}"})
    return ("[\n" + ",\n".join(map(json.dumps, objects)) + "\n]\n").encode()
