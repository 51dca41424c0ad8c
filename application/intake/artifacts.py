"""Contents of artifacts that come by value: taken out of the event before anything else is made of it.

No event and no log ever holds such bytes (BILL-DEC-005): the ledger keeps their hash, the vault the rest.
"""

import binascii
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from application.validation import invalid
from domain.invoicing.work_order import ArtifactRef, WorkOrderData
from domain.kernel.errors import FieldError

MOST_CONTENT_BYTES = 5 * 1024 * 1024
"""Of one artifact. A photograph or a signed page fits; a body holds 8 MiB of base64 at most anyway."""

_CONTENT = "contentBase64"


@dataclass(frozen=True)
class SentArtifact:
    """A content that came by value; `sha256` (hex) is of its bytes."""

    artifact_ref_id: str
    sha256: str
    content: bytes = field(repr=False)


def take_contents(data: dict[str, Any]) -> tuple[dict[str, Any], dict[int, bytes]]:
    """The data without its artifacts' contents, and those, decoded, by the artifact's place in the list.

    Raises `VALIDATION_FAILED` for what is not base64 (RFC 4648 §4, padded) or larger than 5 MiB.
    """
    refs = data.get("artifactRefs")
    if not isinstance(refs, list):
        return data, {}
    contents: dict[int, bytes] = {}
    errors: list[FieldError] = []
    kept = []
    for index, ref in enumerate(refs):
        if isinstance(ref, dict) and _CONTENT in ref:
            sent = ref[_CONTENT]
            ref = {name: value for name, value in ref.items() if name != _CONTENT}
            decoded = None if sent is None else _decoded(sent, _field(index, _CONTENT))
            if isinstance(decoded, FieldError):
                errors.append(decoded)
            elif decoded is not None:
                contents[index] = decoded
        kept.append(ref)
    if errors:
        raise invalid(tuple(errors))
    return {**data, "artifactRefs": kept}, contents


def with_contents(
    work_order: WorkOrderData, contents: Mapping[int, bytes]
) -> tuple[WorkOrderData, tuple[SentArtifact, ...]]:
    """The work order with the hashes of the contents that came, and these.

    Raises `VALIDATION_FAILED` where a reference says another size or hash, names an address as well, or is
    there twice: a download asks for it by its id alone.
    """
    refs = work_order.artifact_refs
    errors = list(_repeated(refs))
    sent: list[SentArtifact] = []
    hashed = list(refs)
    for index, content in contents.items():
        ref, sha256 = refs[index], hashlib.sha256(content).hexdigest()
        errors += _disagreements(index, ref, content, sha256)
        hashed[index] = ref.model_copy(update={"sha256": sha256})
        sent.append(SentArtifact(ref.artifact_ref_id, sha256, content))
    if errors:
        raise invalid(tuple(errors))
    return work_order.model_copy(update={"artifact_refs": tuple(hashed)}), tuple(sent)


def _decoded(sent: Any, name: str) -> bytes | FieldError:
    if not isinstance(sent, str):
        return FieldError(name, "STRING_TYPE", "Input should be a string.")
    try:
        content = binascii.a2b_base64(sent, strict_mode=True)
    except ValueError:
        return FieldError(name, "BASE64_INVALID", "Input should be padded base64 without line breaks.")
    if len(content) > MOST_CONTENT_BYTES:
        return FieldError(name, "TOO_LARGE", f"A content has {MOST_CONTENT_BYTES} bytes at most.")
    return content


def _disagreements(index: int, ref: ArtifactRef, content: bytes, sha256: str) -> Iterator[FieldError]:
    if ref.size_bytes != len(content):
        yield FieldError(_field(index, "sizeBytes"), "DIFFERS", "The content that came has another size.")
    if ref.sha256 not in {None, sha256}:
        yield FieldError(_field(index, "sha256"), "DIFFERS", "The content that came has another hash.")
    if ref.uri is not None:
        yield FieldError(_field(index, "uri"), "AMBIGUOUS", "Give the content or its address, not both.")


def _repeated(refs: tuple[ArtifactRef, ...]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, ref in enumerate(refs):
        if ref.artifact_ref_id in seen:
            yield FieldError(_field(index, "artifactRefId"), "REPEATED", "Another artifact has this id.")
        seen.add(ref.artifact_ref_id)


def _field(index: int, name: str) -> str:
    return f"data.artifactRefs.{index}.{name}"
