"""The expert's settings: the preferences, and which fields of the payout profile are filled in."""

from __future__ import annotations

import json

from liveportal.domain.entities import Profile
from liveportal.domain.events.fields import decode, in_currency, split
from liveportal.domain.events.types import PreferencesChanged
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.journal.unit_of_work import UnitOfWork

_PREFERENCES = "SELECT document FROM preferences ORDER BY seq DESC LIMIT 1"
_ONLY = 0
"""The key of a setting: there is one of each."""


class Settings:
    """The settings in force, in a unit of work."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit

    def preferences(self, currency: str) -> PreferencesChanged:
        """Return the preferences in force, in the book's currency; at first, none is set."""
        kept = self._unit.kept(PreferencesChanged, _ONLY)
        if kept is None:
            row = self._unit.row(_PREFERENCES)
            stored = decode(PreferencesChanged, json.loads(row[0])) if row else PreferencesChanged()
            kept = in_currency(stored, currency)
            self._unit.keep(kept, _ONLY)
        return kept

    def set_preferences(self, seq: int, preferences: PreferencesChanged) -> None:
        """Put preferences into force, by event `seq`."""
        self._unit.keep(preferences, _ONLY)
        self._unit.append("preferences", (seq, to_json(split(preferences)[0])))

    @property
    def profile(self) -> Profile:
        """The fields of the payout profile that are filled in."""
        kept = self._unit.kept(Profile, _ONLY)
        if kept is None:
            names = self._unit.db.execute("SELECT name FROM profile_field").fetchall()
            kept = Profile(frozenset(name for (name,) in names))
            self._unit.keep(kept, _ONLY)
        return kept

    def set_profile_fields(self, profile: Profile) -> None:
        """Fill in and clear the fields of the payout profile."""
        filled = self.profile.fields
        if cleared := filled - profile.fields:
            self._unit.flush()  # A pending row must be written before it can be deleted.
            names = [(name,) for name in sorted(cleared)]
            self._unit.db.executemany("DELETE FROM profile_field WHERE name = ?", names)
        self._unit.append("profile_field", *((name,) for name in sorted(profile.fields - filled)))
        self._unit.keep(profile, _ONLY)
