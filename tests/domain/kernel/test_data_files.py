"""Data files: periods, and on which line of a file a place stands."""

from datetime import date

import pytest
from pydantic import ValidationError

from domain.kernel.data_files import Period, Place, faulty, read_data_file

TEXT = '''\
name = "x"  # 1
told = """
name = "not a field"
[not.a.table]
"""
"quoted name" = 1 # 6

[scope]  # 8
codes = [
    "AA",
]

[sources."a.b"]
url = "x"

[[rule]]
  id = 1  # 17, indented

[[rule.when]]
amount = 1  # 20

[[rule.when]]
amount = { EUR = 2 }  # 23

[[rule]]  # 25
id.part = 2

[rule.table]
id = 3

[[rule.when]]
amount = 4
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("name",), 1),
        (("told",), 2),
        (("quoted name",), 6),
        (("scope",), 8),
        (("scope", "codes"), 9),
        (("scope", "codes", 0), 9),
        (("scope", "missing"), 8),
        (("sources", "a.b", "url"), 14),
        (("rule",), 16),
        (("rule", 0), 16),
        (("rule", 0, "id"), 17),
        (("rule", 0, "missing"), 16),
        (("rule", 0, "when", 0, "amount"), 20),
        (("rule", 0, "when", 1, "amount", "EUR"), 23),
        (("rule", 1), 25),
        (("rule", 1, "id", "part"), 26),
        (("rule", 1, "table", "id"), 29),
        (("rule", 1, "when", 0, "amount"), 32),
        (("rule", 7, "id"), 16),
        (("missing",), 1),
        ((), 1),
    ],
)
def test_a_fault_is_on_its_line_or_that_of_what_holds_it(place: Place, line: int) -> None:
    assert str(faulty("a.toml", TEXT, [(place, "is wrong")])).startswith(f"a.toml:{line}: ")


def test_each_fault_has_a_line_of_its_own() -> None:
    faults = [(("name",), "is wrong"), (("scope", "codes"), "is wrong, too")]
    assert str(faulty("a.toml", TEXT, faults)) == (
        "a.toml:1: name: is wrong\na.toml:9: scope.codes: is wrong, too"
    )


@pytest.mark.parametrize(("text", "line"), [("valid_from = \n", 1), ("\n\nx = [\n", 3), ("", 1)])
def test_a_text_that_is_no_period_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ValueError, match=rf"^a\.toml:{line}: "):
        read_data_file(Period, "a.toml", text)


def test_a_period_holds_from_its_first_to_its_last_day() -> None:
    period = Period(valid_from=date(2026, 1, 2), valid_to=date(2026, 1, 3))
    assert [period.holds(date(2026, 1, day)) for day in (1, 2, 3, 4)] == [False, True, True, False]
    assert Period(valid_from=date(2026, 1, 2)).holds(date.max)
    with pytest.raises(ValidationError, match="valid_to is before valid_from"):
        Period(valid_from=date(2026, 1, 2), valid_to=date(2026, 1, 1))


@pytest.mark.parametrize(
    ("first", "last", "shares"),
    [(1, 4, False), (1, 5, True), (7, 7, True), (9, None, True), (10, None, False)],
)
def test_periods_share_a_day_or_do_not(first: int, last: int | None, *, shares: bool) -> None:
    period = Period(valid_from=date(2026, 1, 5), valid_to=date(2026, 1, 9))
    other = Period(valid_from=date(2026, 1, first), valid_to=last and date(2026, 1, last))
    assert period.shares_a_day_with(other) is shares
    assert other.shares_a_day_with(period) is shares
