"""What upstream facts bring and lead to: one module a kind of sender (contract §4)."""
