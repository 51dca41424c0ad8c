"""What may be done: the operation catalog, the path of a command, reactions and the ports."""
