"""What can be seen: one module a read model."""
