"""Questions: one module a room, answered from read models or the ledger."""
