"""The ledger, the attendant and the daemon."""
