"""What is true: facts, the rules that make them and the states they fold to. No clock, no ids, no I/O."""
