"""The seal of a document: which bytes are signed, and what is kept beside the document to check them."""

from domain.kernel.canonical import canonical_json
from domain.kernel.facts import Value

SEAL_DOMAIN = b"billing-docs document seal v1\n"
"""Stands before every sealed payload, so that no other signature of the same key can pass for a seal."""


class Seal(Value):
    """The hashes (hex SHA-256) of a document's files and the signature (base64) over them (contract §6).

    The fields are plain strings: a damaged seal must fail verification with a finding, not fail to load.
    """

    sha256_pdf: str
    sha256_json: str
    sha256_fiscal: str | None = None
    signature: str
    key_id: str
    algorithm: str


def seal_payload(
    *,
    document_id: str,
    document_key: str,
    number: str,
    sha256_pdf: str,
    sha256_json: str,
    sha256_fiscal: str | None = None,
) -> bytes:
    """The bytes that are signed: the domain word, then canonical JSON (RFC 8785) of identity and hashes.

    Identity is signed with the hashes, so a seal cannot be moved to another document, key or number; a
    document without a fiscal file signs that it has none.
    """
    return SEAL_DOMAIN + canonical_json(
        {
            "documentId": document_id,
            "documentKey": document_key,
            "number": number,
            "sha256Fiscal": sha256_fiscal,
            "sha256Json": sha256_json,
            "sha256Pdf": sha256_pdf,
        }
    )
