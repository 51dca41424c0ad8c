"""Tax rules as dated data: what a jurisdiction charges on which line, and from when (ADR 0019)."""
