"""Regular expressions that users wrote, on RE2: linear in the text, with no way to stall the service."""

import re2

_MAX_MEMORY_BYTES = 1 << 20
"""A purchase order's format takes a few kilobytes; repetitions of repetitions are refused when compiled."""


class Re2Patterns:
    """`application.ports.Patterns` on google-re2."""

    def __init__(self) -> None:
        self._options = re2.Options()
        self._options.max_mem = _MAX_MEMORY_BYTES
        # RE2 writes what is wrong with a pattern to stderr, and a pattern is the client's own words.
        self._options.log_errors = False

    def is_valid(self, pattern: str) -> bool:
        """Whether RE2 compiles it within its bound of memory."""
        try:
            re2.compile(pattern, self._options)
        except (re2.error, UnicodeEncodeError):
            return False
        return True

    def matches(self, pattern: str, text: str) -> bool:
        """Whether it matches the whole text. Raises `ValueError` for one that is not valid."""
        if not self.is_valid(pattern):
            raise ValueError("this is no regular expression of RE2")
        return re2.compile(pattern, self._options).fullmatch(text) is not None
