"""One module a measurement: what the service does, run in turns with its reference."""
