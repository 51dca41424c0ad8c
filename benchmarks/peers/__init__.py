"""What a user would pick instead, each driven by its own interface from an environment of its own."""
