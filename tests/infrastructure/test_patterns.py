"""Regular expressions that users write: RE2's syntax, whole matches, linear time."""

import time

import pytest

from infrastructure.patterns import Re2Patterns

PATTERNS = Re2Patterns()


@pytest.mark.parametrize("pattern", ["PO-[0-9]{4,8}", r"\d+", "a|b", r"\p{L}+", "(?i)po.*", "é+", ""])
def test_what_can_be_run(pattern: str) -> None:
    assert PATTERNS.is_valid(pattern)


@pytest.mark.parametrize(
    "pattern", ["(a", "*", r"(a)\1", "(?=a)", "a{1001}", "((a{100}){100}){100}", "[z-a]", "\ud800"]
)
def test_what_cannot_be_run(pattern: str) -> None:
    assert not PATTERNS.is_valid(pattern)
    with pytest.raises(ValueError, match="regular expression"):
        PATTERNS.matches(pattern, "a")


def test_a_match_is_of_the_whole_text() -> None:
    assert PATTERNS.matches("PO-[0-9]+", "PO-17")
    assert not PATTERNS.matches("PO-[0-9]+", "PO-17 ")
    assert not PATTERNS.matches("a|ab", "abc")
    assert PATTERNS.matches("a|ab", "ab")


def test_a_hostile_pattern_cannot_stall() -> None:
    began_at = time.monotonic()
    assert not PATTERNS.matches("(a+)+(a+)+(a|a)*b", "a" * 20_000)
    assert time.monotonic() - began_at < 2
