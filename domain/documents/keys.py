"""A document's key and the id derived from it: the same cause never makes a second document (S3 §5.6)."""

from urllib.parse import quote
from uuid import UUID, uuid5

_NAMESPACE = UUID("c1a4d7b2-52f0-5d5c-8b5d-3a3f1e2d4c10")


def document_key(source_ids: tuple[str, ...], doc_type: str, issuer_entity_id: str, version: int) -> str:
    """`sourceId:docType:issuer:version`; a source and its cause are joined by a slash (contract §6)."""
    source = "/".join(quote(part, safe="") for part in source_ids)
    return f"{source}:{quote(doc_type, safe='')}:{quote(issuer_entity_id, safe='')}:{version}"


def document_id(key: str) -> str:
    """The id of the document with that key; being derived, it makes the document's stream the key's claim."""
    return str(uuid5(_NAMESPACE, key))
