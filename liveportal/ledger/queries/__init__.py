"""Read queries over a ledger, one module per subject. Everything they return is derived."""
