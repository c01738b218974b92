"""Adapters: the files and webhooks of other tools, as events. One module each.

To add one, write a module with a class that has the methods of `steps.Adapter`, and add it to
`ADAPTERS`; one that reads whole tables has those of `steps.TableAdapter`, and is in
`TABLE_ADAPTERS`. Nothing else changes: `docs/FEED.md` has an example. A time tracker needs no code:
a mapping in `liveportal/tables/mappings/`, and its name here.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from liveportal.feeds.adapters.steps import Adapter, TableAdapter

ADAPTERS = {
    "calcom": ("liveportal.feeds.adapters.calcom", "CalCom"),
    "calendly": ("liveportal.feeds.adapters.calendly", "Calendly"),
    "stripe": ("liveportal.feeds.adapters.stripe", "Stripe"),
}

"""Formats of documents, such as the bodies of webhooks: the module and the class of each."""

_HOURS = ("liveportal.feeds.adapters.hours", "Hours")
MAPPED = "csv"
"""The format of any table that a mapping describes."""
TABLE_ADAPTERS = {
    MAPPED: _HOURS,
    "toggl": _HOURS,
    "clockify": _HOURS,
    "timewarrior": _HOURS,
}
"""Formats of files that are read whole. Each but `csv` is the name of a shipped mapping."""
FORMATS = (*ADAPTERS, *TABLE_ADAPTERS)


def load(name: str) -> Adapter:
    """Return the adapter of a format of documents; its module is imported now."""
    return cast("Adapter", _made(*ADAPTERS[name]))


def load_table(name: str) -> TableAdapter:
    """Return the adapter of a format of whole files; its module is imported now."""
    return cast("TableAdapter", _made(*TABLE_ADAPTERS[name]))


def _made(module: str, kind: str) -> object:
    return getattr(import_module(module), kind)()
