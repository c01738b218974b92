"""Every command that prints, with arguments for a ledger with an entity in every state."""

from __future__ import annotations

ALSO_READ = (
    "--help",
    "--version",
    "sessions list --help",
    "policy check own.toml",
    "ledger verify",
    "ledger path",
    "sessions search hello --header",
    "sessions calendar",
    "earnings explain 2026-10",
    "earnings statement 2026-10 -o october.html",
    "sessions explain S-1002",
    "payout explain PO-1",
    "payout overdue --header",
    "preferences export",
    "requests watch new.jsonl --once",
    "sync feed.jsonl",
    "demo",
)

PRINTS_NOTHING = ("requests watch",)
"""Commands that have nothing to print where there is nothing new."""
