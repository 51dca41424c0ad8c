"""Commands: one module a room; each reads its request, commits, answers."""
