"""The programs that docs/auditors.md gives to auditors agree with the service, and find what was altered."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.documents.seal import seal_payload
from infrastructure.eventstore.rows import COLUMNS, EventRow, columns_from_row, leaf_hash_of
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/auditors.md"

ROW = EventRow(
    id=41,
    originator_id="order:order-ü/7",
    originator_version=3,
    topic="order.refund-executed",
    state='{"reason":"Ζωή 山"}'.encode(),
    tenant_id="default",
    schema_version=1,
    transaction_id=UUID("01A1FC36-E9B8-77EC-A8B0-0713B46DDB42"),
    actor="shop",
    role="SYSTEM",
    on_behalf_of="ana",
    operation="inbound.receive-events",
    correlation_id="a9be98610cf2dbc896f7fafc5b6fabd0",
    causation_id=None,
    recorded_at=datetime(2026, 11, 21, 3, 46, 59, 100, tzinfo=UTC),
    leaf_hash=b"",
    hash_version=1,
)


def _recipe(name: str) -> Callable[..., Any]:
    """The function of that name, as an auditor would copy it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.search(rf"<!-- recipe: {name} -->\n```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    recipe: Callable[..., Any] = names[name]
    return recipe


def _as_read(row: EventRow) -> dict[str, Any]:
    return dict(zip(COLUMNS, columns_from_row(row), strict=True))


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        replace(ROW, on_behalf_of=None, causation_id="40"),
        replace(ROW, recorded_at=ROW.recorded_at.astimezone(timezone(timedelta(hours=9)))),
    ],
    ids=["no cause", "nobody else", "read in another zone"],
)
def test_the_leaf_hash_can_be_made_without_this_project(row: EventRow) -> None:
    assert _recipe("leaf_hash")(_as_read(row)) == leaf_hash_of(row)


@pytest.mark.parametrize("column", sorted(set(COLUMNS) - {"leaf_hash"}))
def test_an_altered_column_changes_the_leaf_hash(column: str) -> None:
    read = _as_read(ROW)
    altered: dict[type, Any] = {
        int: 9,
        UUID: UUID(int=9),
        bytes: b"{}",
        datetime: datetime(2030, 1, 1, tzinfo=UTC),
    }
    changed = read | {column: altered.get(type(read[column]), "x")}
    assert _recipe("leaf_hash")(changed) != leaf_hash_of(ROW)


def test_the_seal_can_be_checked_without_this_project(tmp_path: Path) -> None:
    keys = KeyStore.create(tmp_path / "keys")
    identity = {"documentId": "d-1", "documentKey": "o-1:RECEIPT:p:1", "number": "R/Ñ-1"}
    signature = Ed25519Signer(keys.seal).sign(
        seal_payload(
            document_id=identity["documentId"],
            document_key=identity["documentKey"],
            number=identity["number"],
            sha256_pdf="1" * 64,
            sha256_json="2" * 64,
        )
    )
    seal = {"sha256Pdf": "1" * 64, "sha256Json": "2" * 64, "signature": signature.signature_base64}
    key = (tmp_path / "keys" / "seal" / f"{signature.key_id}.pub.pem").read_bytes()
    seal_holds = _recipe("seal_holds")
    assert seal_holds({**identity, "seal": seal}, key)
    assert not seal_holds({**identity, "number": "R/Ñ-2", "seal": seal}, key)
    assert not seal_holds({**identity, "seal": {**seal, "sha256Pdf": "3" * 64}}, key)
