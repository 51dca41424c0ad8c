"""A payer's reference stands in logs where it is one, and nowhere what somebody wrote in its place."""

import pytest

from application.payment_refs import is_loggable
from tests.support.decisions import rule


@rule("PII-18")
@pytest.mark.parametrize(
    "payment_ref",
    ["run-7/9", "tour/1", "AP_2026.11#4711", "run/5b8e2f14-6a0d-4c57-9e3b-21d7c0a4f602", "INV20261122"],
)
def test_a_reference_may_be_logged(payment_ref: str) -> None:
    assert is_loggable(payment_ref)


@rule("PII-18")
@pytest.mark.parametrize(
    "payment_ref",
    [
        *("", "Wren Finch", "Wren-Finch", "wren@finch.example", "Pier Road 3", "Pfründe-7"),
        *("4111111111111111", "card-4111-1111-1111-1111", "ES9121000418450200051332", "+34-600-123-456"),
        *("600-123-456", "4821", "123-45-6789", "hush0f8fad5bd9cb469fa16570867728950e"),
        *("pm_1NXWPnLkdIwHu7ixfsL8Uv", "run-7/9\n", "run--7", "https://x.example/?token=7"),
    ],
)
def test_what_is_none_may_not(payment_ref: str) -> None:
    assert not is_loggable(payment_ref)
