"""Artifacts as clients see them (BILL-DEC-005); upstream's addresses are never shown."""

from application.artifacts import Artifact
from application.downloads import IssuedToken
from domain.kernel.facts import Utc, Value


class ArtifactItem(Value):
    """An artifact. `available` says whether its content can be had, `unavailable_reason` why it cannot."""

    artifact_ref_id: str
    type: str
    created_at: Utc
    display_name: str
    content_type: str
    size_bytes: int
    sha256: str | None = None
    available: bool
    unavailable_reason: str | None = None
    signed_url: str | None = None
    expires_at: Utc | None = None


class ArtifactList(Value):
    """All artifacts of an invoice, in the order in which upstream named them."""

    artifacts: list[ArtifactItem]


class ArtifactToken(Value):
    """A link for one use within a few minutes; never stored, never logged."""

    download_token: str
    expires_at: Utc
    url: str


def artifact_item(artifact: Artifact, issued: IssuedToken | None) -> ArtifactItem:
    """The artifact, with a link where there is a token for it."""
    ref = artifact.ref
    return ArtifactItem(
        artifact_ref_id=ref.artifact_ref_id,
        type=ref.type,
        created_at=ref.created_at,
        display_name=ref.display_name,
        content_type=ref.content_type,
        size_bytes=ref.size_bytes,
        sha256=ref.sha256,
        available=artifact.unavailable is None,
        unavailable_reason=artifact.unavailable,
        signed_url=issued and link(issued),
        expires_at=issued and issued.expires_at,
    )


def link(issued: IssuedToken) -> str:
    """Where the content is had with that token."""
    return f"/v1/billing/artifacts/download?token={issued.token}"
