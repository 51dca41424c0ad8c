"""The names under which facts are stored for good."""

import re

import pytest

from domain.kernel.streams import EventType
from domain.streams import REGISTRY, STREAM_TYPES

PROMISED_STREAM_TYPES = frozenset(
    {
        "account",
        "work-order",
        "invoice",
        "billing-rules",
        "policy",
        "checkout",
        "credential",
        "payment",
        "receipt",
        "bill",
        "ap-payment",
        "order",
        "document",
        "document-access",
        "number-series",
        "fiscal-profile",
        "claim",
        "inbound",
    }
)

IRREGULAR_PAST = frozenset(
    {"taken", "sent", "resent", "payout-sent", "delivery-sent", "paid-in-escrow", "po-overridden"}
)


def test_stream_types_are_those_that_auditors_were_promised() -> None:
    assert {stream_type.name for stream_type in STREAM_TYPES} <= PROMISED_STREAM_TYPES


@pytest.mark.parametrize("event_type", REGISTRY.event_types(), ids=lambda event_type: event_type.name)
def test_an_event_is_named_by_its_stream_and_what_happened_in_kebab_case(event_type: EventType) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*", event_type.name)
    stream_type, _, happened = event_type.name.partition(".")
    assert stream_type in PROMISED_STREAM_TYPES
    assert happened in IRREGULAR_PAST or happened.endswith("ed"), "events are named in the past tense"


@pytest.mark.parametrize("event_type", REGISTRY.event_types(), ids=lambda event_type: event_type.name)
def test_a_fact_is_a_closed_immutable_model(event_type: EventType) -> None:
    config = event_type.fact.model_config
    assert (config.get("frozen"), config.get("extra")) == (True, "forbid")
    assert "set[" not in str([field.annotation for field in event_type.fact.model_fields.values()])
