"""The ledger: what was accepted, and what happened to it."""
