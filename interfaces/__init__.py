"""How people reach it: HTTP, the command line, the web panel."""
