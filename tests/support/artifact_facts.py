"""Artifacts as upstream sends them, and a full example of each stored event about them."""

import base64
from hashlib import sha256
from typing import Any

from domain.documents.access import ArtifactDownloaded
from domain.invoicing.work_order import ArtifactFile, WorkOrderArtifactReceived
from domain.kernel.facts import Fact

INVOICE_ID = "0192f0c1-7a00-7000-8000-0000000000c1"
SIGNATURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
"""The bytes of a signature."""


def an_artifact(artifact_ref_id: str = "approval-1", **changes: Any) -> dict[str, Any]:
    """A reference as `workexec.WORK_ORDER_READY` brings it, without a content; None takes a field out."""
    ref = {
        "artifactRefId": artifact_ref_id,
        "type": "APPROVAL_SIGNATURE",
        "displayName": "Approval, signed",
        "contentType": "image/png",
        "sizeBytes": len(SIGNATURE),
        "createdAt": "2026-03-14T11:00:00Z",
        **changes,
    }
    return {name: value for name, value in ref.items() if value is not None}


def by_value(
    artifact_ref_id: str = "approval-1", content: bytes = SIGNATURE, **changes: Any
) -> dict[str, Any]:
    """A reference that brings its content with it."""
    sent = base64.b64encode(content).decode()
    return an_artifact(artifact_ref_id, **{"sizeBytes": len(content), "contentBase64": sent, **changes})


def a_file(artifact_ref_id: str = "approval-1", content: bytes = SIGNATURE, **changes: Any) -> ArtifactFile:
    """Where the content is kept."""
    digest = sha256(content).hexdigest()
    fields = {"artifact_ref_id": artifact_ref_id, "sha256": digest, "vault_name": f"artifacts/{digest}"}
    return ArtifactFile(**{**fields, **changes})


def artifact_examples() -> tuple[Fact, ...]:
    """One full example of every stored event of artifacts, optional fields included."""
    return (
        WorkOrderArtifactReceived(file=a_file(sealed_under="0192f0c1-7a00-7000-8000-0000000000d1")),
        ArtifactDownloaded(
            invoice_id=INVOICE_ID,
            artifact_ref_id="approval-1",
            sha256=sha256(SIGNATURE).hexdigest(),
            caller="ana",
            ip="192.0.2.7",
            device="Mozilla/5.0 (X11)",
        ),
    )
