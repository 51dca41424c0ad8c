"""What a document's seal signs."""

import json

import pytest

from domain.documents.seal import SEAL_DOMAIN, Seal, seal_payload
from domain.kernel.canonical import sha256_hex

SEALED = {
    "document_id": "0190f5fe-7c00-7a00-8000-000000000001",
    "document_key": "order-1:RECEIPT:issuer-1:1",
    "number": "R-2026-000001",
    "sha256_pdf": sha256_hex(b"pdf"),
    "sha256_json": sha256_hex(b"json"),
    "sha256_fiscal": sha256_hex(b"xml"),
}


def test_the_payload_is_the_domain_word_and_canonical_json_of_identity_and_hashes() -> None:
    assert seal_payload(**SEALED) == (
        b"billing-docs document seal v1\n"
        b'{"documentId":"0190f5fe-7c00-7a00-8000-000000000001",'
        b'"documentKey":"order-1:RECEIPT:issuer-1:1",'
        b'"number":"R-2026-000001",'
        b'"sha256Fiscal":"bf92a04e60b4b2362d45490e5142e47b687c2ebb5898da6bc71b697602016e6e",'
        b'"sha256Json":"02bd175f329720378ce83dd56a1b6b1f5291a60182d6c54b5e0d1e8d248a267a",'
        b'"sha256Pdf":"c35b21d6ca39aa7cc3b79a705d989f1a6e88b99ab43988d74048799e3db926a3"}'
    )


@pytest.mark.parametrize("part", list(SEALED))
def test_every_part_changes_what_is_signed(part: str) -> None:
    assert seal_payload(**{**SEALED, part: "other"}) != seal_payload(**SEALED)


def test_a_document_without_a_fiscal_file_signs_that_it_has_none() -> None:
    payload = seal_payload(**{part: value for part, value in SEALED.items() if part != "sha256_fiscal"})
    assert json.loads(payload.removeprefix(SEAL_DOMAIN))["sha256Fiscal"] is None


def test_a_name_in_any_script_has_one_spelling_in_the_payload() -> None:
    assert "Ünï-发票".encode() in seal_payload(**{**SEALED, "number": "Ünï-发票"})


def test_a_seal_carries_the_names_of_the_contract() -> None:
    seal = Seal(sha256_pdf="p", sha256_json="j", signature="s", key_id="k", algorithm="Ed25519")
    assert seal.model_dump(by_alias=True) == {
        "sha256Pdf": "p",
        "sha256Json": "j",
        "sha256Fiscal": None,
        "signature": "s",
        "keyId": "k",
        "algorithm": "Ed25519",
    }
