"""Backups of a ledger: taken while it is in use, verified, and only then called backups."""

from __future__ import annotations

from liveportal.ledger.remembered import LastBackup, last_backup

__all__ = ["LastBackup", "last_backup"]
