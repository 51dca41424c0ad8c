"""The closed lists: each code once, and the same codes that deciders take."""

from typing import get_args

import pytest

from domain.accounts.choices import (
    DELIVERY_METHODS,
    GROUPING_STRATEGIES,
    PO_POLICIES,
    REASON_CODES,
    DeliveryMethod,
    GroupingStrategy,
    PoUniquenessScope,
    ReasonCategory,
    is_reason,
    reason_codes,
)


@pytest.mark.parametrize(
    ("listed", "taken"),
    [
        (DELIVERY_METHODS, DeliveryMethod),
        (GROUPING_STRATEGIES, GroupingStrategy),
        (PO_POLICIES, PoUniquenessScope),
    ],
)
def test_what_is_listed_is_what_is_taken(listed: tuple[object, ...], taken: object) -> None:
    assert tuple(choice.code for choice in listed) == get_args(taken)  # type: ignore[attr-defined]


def test_every_category_has_its_reasons() -> None:
    for category in get_args(ReasonCategory):
        codes = [reason.code for reason in reason_codes(category)]
        assert codes and len(set(codes)) == len(codes)
    assert [reason.code for reason in reason_codes("PO_OVERRIDE")] == [
        "CUSTOMER_URGENT",
        "PO_PENDING",
        "OTHER",
    ]
    for category in ("VOID", "CREDIT"):
        assert [r.code for r in reason_codes(category)] == ["ERROR", "DUPLICATE", "CUSTOMER_REQUEST"]
    assert reason_codes() == REASON_CODES


def test_a_reason_belongs_to_its_category() -> None:
    assert is_reason("VOID", "DUPLICATE")
    assert not is_reason("VOID", "PO_PENDING")
