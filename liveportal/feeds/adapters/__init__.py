"""Adapters: the files and webhooks of other tools, as events. One module each.

To add one, write a module with a class that has the methods of `steps.Adapter`, and add it to
`ADAPTERS`. Nothing else changes: `docs/FEED.md` has an example.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from liveportal.feeds.adapters.steps import Adapter

ADAPTERS = {
    "calcom": ("liveportal.feeds.adapters.calcom", "CalCom"),
    "calendly": ("liveportal.feeds.adapters.calendly", "Calendly"),
    "stripe": ("liveportal.feeds.adapters.stripe", "Stripe"),
}


def load(name: str) -> Adapter:
    """Return the adapter of a format; its module is imported now."""
    module, kind = ADAPTERS[name]
    return cast("Adapter", getattr(import_module(module), kind)())
