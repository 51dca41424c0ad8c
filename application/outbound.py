"""Outbound facts: what the world outside is told of an event, small and free of personal data (contract §9).

A handler announces an event under one of these names. The relay tells it as a CloudEvent that is made from
the ledger alone, so that it is the same, byte for byte, however often and to whomever it is told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.documents.document import Document
from domain.kernel.canonical import canonical_json
from domain.kernel.facts import rfc3339
from domain.kernel.streams import StreamId

CONTENT_TYPE = "application/cloudevents+json"


@dataclass(frozen=True)
class Announced:
    """An announced event: its place, its moment (UTC), and its stream's state right after it."""

    position: int
    event_id: UUID
    fact_type: str
    stream: StreamId
    recorded_at: datetime
    state: Any


def _document_issued(document_id: str, document: Document) -> dict[str, Any]:
    drafted, numbered, issued = document.drafted, document.numbered, document.issued
    assert numbered is not None and issued is not None, "it is announced when it is issued"
    return {
        "documentId": document_id,
        "documentKey": drafted.document_key,
        "documentVersion": drafted.document_version,
        "docType": drafted.doc_type,
        "status": document.status,
        "number": numbered.number,
        "seriesId": numbered.series_id,
        "issuedAt": rfc3339(numbered.issued_at),
        "issueDate": numbered.issue_date.isoformat(),
        "sourceRef": drafted.source_ref.model_dump(by_alias=True),
        "countryCode": drafted.country_code,
        "issuerEntityId": drafted.issuer_entity_id,
        "currencyUomId": drafted.currency_uom_id,
        "totals": drafted.totals.model_dump(by_alias=True),
        "seal": {"sha256Pdf": issued.seal.sha256_pdf, "sha256Json": issued.seal.sha256_json},
    }


OUTBOUND_FACTS: Mapping[str, Callable[[str, Any], dict[str, Any]]] = {
    "docs.DocumentIssued": _document_issued,
}
"""By type: what the event's `data` holds, of the stream's id and its state."""


def cloud_event(announced: Announced, source: str) -> bytes:
    """The CloudEvent 1.0 in structured JSON (RFC 8785). `source` is a URI that names this installation.

    `sequence` is the ledger position, padded so that it sorts as text. Raises KeyError for a type that
    `OUTBOUND_FACTS` does not list.
    """
    stream = announced.stream
    return canonical_json(
        {
            "specversion": "1.0",
            "id": str(announced.event_id),
            "source": source,
            "type": announced.fact_type,
            "subject": f"{stream.type}/{stream.id}",
            "time": rfc3339(announced.recorded_at),
            "datacontenttype": "application/json",
            "sequence": f"{announced.position:020d}",
            "data": OUTBOUND_FACTS[announced.fact_type](stream.id, announced.state),
        }
    )
