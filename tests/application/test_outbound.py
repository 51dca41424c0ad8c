"""What outsiders are told: exactly this, canonical, nothing about persons; and of all that is announced."""

import ast
import json
from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest

from application.outbound import OUTBOUND_FACTS, Announced, cloud_event
from domain.documents.document import DOCUMENT
from domain.kernel.canonical import canonical_json, sha256_hex
from domain.streams import REGISTRY
from tests.support.facts import DOCUMENT_ID, KEY, SERIES_ID, drafted, issued, numbered
from tests.support.source_tree import modules, parsed

STREAM = DOCUMENT.stream(DOCUMENT_ID)


def announced(fact_type: str = "docs.DocumentIssued") -> Announced:
    """The issue of a document."""
    return Announced(
        position=42,
        event_id=UUID("0d0c3a52-8a3f-5c44-9a53-0f6f8f6b2f01"),
        fact_type=fact_type,
        stream=STREAM,
        recorded_at=datetime(2026, 3, 14, 14, 0, tzinfo=timezone(timedelta(hours=2))),
        state=REGISTRY.fold(STREAM, (drafted(), numbered(), issued())),
    )


def test_an_issued_document_is_told_by_what_anybody_may_know_of_it() -> None:
    assert json.loads(cloud_event(announced(), "urn:test")) == {
        "specversion": "1.0",
        "id": "0d0c3a52-8a3f-5c44-9a53-0f6f8f6b2f01",
        "source": "urn:test",
        "type": "docs.DocumentIssued",
        "subject": f"document/{DOCUMENT_ID}",
        "time": "2026-03-14T12:00:00.000000Z",
        "datacontenttype": "application/json",
        "sequence": "00000000000000000042",
        "data": {
            "documentId": DOCUMENT_ID,
            "documentKey": KEY,
            "documentVersion": 1,
            "docType": "RECEIPT",
            "status": "ISSUED",
            "number": "R-2026-000001",
            "seriesId": SERIES_ID,
            "issuedAt": "2026-03-14T12:00:00.000000Z",
            "issueDate": "2026-03-14",
            "sourceRef": {"type": "ORDER", "id": "o-1"},
            "countryCode": "GB",
            "issuerEntityId": "platform-gb",
            "currencyUomId": "GBP",
            "totals": {
                "itemsSubtotal": 6000,
                "discountTotal": 1000,
                "feeTotal": 440,
                "taxTotal": 1240,
                "grandTotal": 7680,
            },
            "seal": {"sha256Pdf": sha256_hex(b"%PDF"), "sha256Json": sha256_hex(b"{}")},
        },
    }


def test_the_bytes_are_canonical_and_always_the_same() -> None:
    told = cloud_event(announced(), "urn:test")
    assert told == canonical_json(json.loads(told)) == cloud_event(announced(), "urn:test")


def test_a_type_that_is_not_listed_cannot_be_told() -> None:
    with pytest.raises(KeyError):
        cloud_event(announced("docs.SomethingElse"), "urn:test")


def test_whatever_a_handler_announces_can_be_told() -> None:
    announcing = [
        call.args[1]
        for path in modules("application")
        for call in ast.walk(parsed(path))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "announce"
    ]
    assert announcing, "nothing is announced any more"
    assert {ast.literal_eval(fact_type) for fact_type in announcing} <= OUTBOUND_FACTS.keys()
