"""The windows: what a user sees of a ledger, one module a subject, all of it derived."""
