"""One module a room of the domain: handlers read states, let deciders decide, append what they return."""
