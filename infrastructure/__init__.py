"""How it is done: adapters of the ports."""
