"""A series' numbers over HTTP: page by page, each with its holder, and no cursor but the list's own."""

from typing import Any

import pytest

from interfaces.http.reading import encode_cursor
from tests.support.house import House, all_items, by_platform, paid
from tests.support.problems import fields_of, problem

ISSUER = "number-pages"
PATH = f"/v1/number-series/GB:{ISSUER}:RECEIPT/numbers"


@pytest.fixture(scope="module")
def documents(house: House) -> list[dict[str, Any]]:
    """Three receipts of one series."""
    parties = by_platform(ISSUER, "buyer-17", "seller-4")
    events = [paid(f"numbered-{index}", orderPartySnapshot=parties) for index in range(3)]
    return [house.issued(event) for event in events]


@pytest.mark.parametrize(
    ("bounds", "expected"), [({}, [1, 2, 3]), ({"from": 2}, [2, 3]), ({"to": 2}, [1, 2])]
)
def test_each_number_is_on_one_page_with_its_holder(
    house: House, documents: list[dict[str, Any]], bounds: dict[str, int], expected: list[int]
) -> None:
    with house.client("AUDITOR") as auditor:
        rows = all_items(auditor, PATH, limit=1, **bounds)
        assert auditor.get(PATH, params=bounds).json()["gaps"] == []
    assert [row["sequence"] for row in rows] == expected
    held = {row["number"]: (row["documentId"], row["status"]) for row in rows}
    issued = {each["number"]: (each["documentId"], "ISSUED") for each in documents}
    assert held.items() <= issued.items()


@pytest.mark.parametrize("last", [17, "17", "2026/", "2026/x", "2026/1/1", "20260/1", f"2026/{10**16}"])
def test_only_a_cursor_that_the_list_gave_is_taken(house: House, last: int | str) -> None:
    with house.client("AUDITOR") as auditor:
        answer = auditor.get(PATH, params={"cursor": encode_cursor(last)})
    assert "cursor" in fields_of(problem(answer, 400, "VALIDATION_FAILED"))
