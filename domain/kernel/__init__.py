"""Words that every room of the domain shares: money, facts, streams, errors."""
