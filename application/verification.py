"""Proves that a document is what was issued: bytes, seal, template and ledger agree (contract §6)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from application.content import content_streams, document_content, named_profiles
from application.files import DocumentFiles, FileErased
from application.ports import LedgerProof, Proof, Renderer
from application.signing import KeyUnusable, Signature, SignatureInvalid, Signer
from application.vault import VaultError, VaultMissing
from domain.documents.document import DOCUMENT, Document
from domain.documents.document_facts import DocumentIssued
from domain.documents.seal import seal_payload
from domain.kernel.canonical import sha256_hex
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId

_File = bytes | FileErased | VaultError
"""A file of a document, or why it cannot be read."""

_ERASED = "ERASED: the personal data that it was made of is gone, with its key."


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `detail` says what was found, free of personal data."""

    name: str
    ok: bool
    detail: str


def passed(name: str, detail: str) -> Check:
    """A check that holds."""
    return Check(name, ok=True, detail=detail)


def failed(name: str, detail: str) -> Check:
    """A check that does not hold."""
    return Check(name, ok=False, detail=detail)


@dataclass(frozen=True)
class Verification:
    """All checks of a document."""

    checks: tuple[Check, ...]

    @property
    def valid(self) -> bool:
        """Whether every check holds."""
        return all(check.ok for check in self.checks)


class Verifier:
    """Verifies documents from the vault, the ledger's stored rows and the seal's public key."""

    def __init__(
        self,
        proof: LedgerProof,
        registry: Registry,
        files: DocumentFiles,
        signer: Signer,
        renderer: Renderer,
    ) -> None:
        self._proof = proof
        self._registry = registry
        self._files = files
        self._signer = signer
        self._renderer = renderer

    async def verify(self, document_id: str) -> Verification:
        """Runs every check; one that fails never hides another."""
        document_proof = await self._proof.prove(DOCUMENT.stream(document_id))
        document = document_proof.state
        leaf_problems = list(document_proof.problems)
        sources: dict[StreamId, Proof] = {}
        if isinstance(document, Document):
            for stream in sorted(content_streams(document)):
                sources[stream] = await self._proof.prove(stream)
                leaf_problems += sources[stream].problems
        leaf = Check(
            "ledger-leaf",
            not leaf_problems,
            "; ".join(leaf_problems)
            or "Every event of the document and its source has the hash it was recorded with.",
        )
        if not isinstance(document, Document) or document.issued is None or document.numbered is None:
            unreadable = "The ledger holds no readable issued document."
            names = ("pdf-hash", "json-hash", "seal-signature", "pdf-re-render", "json-from-ledger")
            return Verification((*(failed(name, unreadable) for name in names), leaf))
        return Verification((*await self._file_checks(document_id, document, sources), leaf))

    async def _file_checks(
        self, document_id: str, document: Document, sources: Mapping[StreamId, Proof]
    ) -> tuple[Check, ...]:
        issued = document.issued
        assert issued is not None, "verify() hands over issued documents only"
        pdf = await self._stored(issued, issued.pdf_name)
        content = await self._stored(issued, issued.json_name)
        return (
            _hash_check("pdf-hash", pdf, issued.seal.sha256_pdf),
            _hash_check("json-hash", content, issued.seal.sha256_json),
            *await self._fiscal_checks(document, issued),
            await asyncio.to_thread(self._seal_check, document_id, document),
            await _guarded("pdf-re-render", lambda: self._re_render_check(pdf, content)),
            await _guarded(
                "json-from-ledger", lambda: self._content_check(document_id, document, sources, content)
            ),
        )

    async def _fiscal_checks(self, document: Document, issued: DocumentIssued) -> tuple[Check, ...]:
        """Of the stamped file, where there is one or should be."""
        stamp = None if document.stamped is None else document.stamped.stamp
        sealed = issued.seal.sha256_fiscal
        if stamp is None and sealed is None:
            return ()
        if stamp is None or sealed is None:
            return (failed("fiscal-hash", "The seal and the ledger do not agree whether it has a stamp."),)
        return (_hash_check("fiscal-hash", await self._stored(issued, stamp.file_name), sealed),)

    async def _stored(self, issued: DocumentIssued, name: str) -> _File:
        try:
            return await self._files.read(issued, name)
        except (FileErased, VaultError) as error:
            return error
        except ValueError:
            return VaultMissing("The ledger's name for the file is not one of the vault.")

    def _seal_check(self, document_id: str, document: Document) -> Check:
        assert document.issued is not None and document.numbered is not None, "issued documents only"
        seal = document.issued.seal
        payload = seal_payload(
            document_id=document_id,
            document_key=document.drafted.document_key,
            number=document.numbered.number,
            sha256_pdf=seal.sha256_pdf,
            sha256_json=seal.sha256_json,
            sha256_fiscal=seal.sha256_fiscal,
        )
        signature = Signature(key_id=seal.key_id, algorithm=seal.algorithm, signature_base64=seal.signature)
        try:
            self._signer.verify(payload, signature)
        except (SignatureInvalid, KeyUnusable) as error:
            return failed("seal-signature", str(error))
        return passed("seal-signature", f"Signed by key {seal.key_id} ({seal.algorithm}).")

    async def _re_render_check(self, pdf: _File, content: _File) -> Check:
        if isinstance(pdf, FileErased):
            return passed("pdf-re-render", _ERASED)
        if not isinstance(pdf, bytes) or not isinstance(content, bytes):
            return failed("pdf-re-render", "The vault's files cannot be read.")
        again = await self._renderer.render(content)
        if again != pdf:
            return failed("pdf-re-render", "Drawn again from its JSON, the PDF has other bytes.")
        return passed("pdf-re-render", "Drawn again from its JSON, the PDF is the same, byte for byte.")

    async def _content_check(
        self, document_id: str, document: Document, sources: Mapping[StreamId, Proof], content: _File
    ) -> Check:
        erased = any(proof.erased for proof in sources.values())
        if erased and isinstance(content, FileErased):
            return passed("json-from-ledger", _ERASED)
        source = sources[document.drafted.content_ref.stream].state
        if source is None or not isinstance(content, bytes):
            return failed("json-from-ledger", "The document's source or its stored JSON cannot be read.")
        facts = {stream: proof.facts for stream, proof in sources.items()}
        profiles = named_profiles(self._registry, document, facts)
        if document_content(document_id, document, source, profiles) == content:
            return passed("json-from-ledger", "The stored JSON is what the ledger's events say.")
        if erased:
            return passed("json-from-ledger", _ERASED)
        return failed("json-from-ledger", "The stored JSON is not what the ledger's events say.")


def _hash_check(name: str, content: _File, expected: str) -> Check:
    if isinstance(content, FileErased):
        return passed(name, _ERASED)
    if isinstance(content, VaultError):
        return failed(name, str(content))
    if sha256_hex(content) != expected:
        return failed(name, "The SHA-256 of the stored file is not the sealed one.")
    return passed(name, f"SHA-256 {expected}.")


async def _guarded(name: str, check: Callable[[], Awaitable[Check]]) -> Check:
    try:
        return await check()
    except Exception as error:
        # Altered content may break a template anywhere: that is a finding, not a failure of the service.
        return failed(name, f"It could not be done: {type(error).__name__}.")
