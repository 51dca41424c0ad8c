"""The golden documents; `python -m tests.support.golden_documents` rewrites them for review."""

import json

import pytest

from domain.kernel.canonical import sha256_hex
from infrastructure.rendering.pdf import render_pdf
from tests.support.golden_documents import FOLDER, HASHES, golden_documents


@pytest.mark.parametrize("name", sorted(golden_documents()))
def test_the_canonical_json_is_the_golden_one(name: str) -> None:
    assert golden_documents()[name].decode() == (FOLDER / f"{name}.json").read_text()


@pytest.mark.parametrize("name", sorted(golden_documents()))
def test_the_golden_json_is_drawn_as_it_always_was(name: str) -> None:
    content = (FOLDER / f"{name}.json").read_bytes()
    assert sha256_hex(render_pdf(content)) == json.loads(HASHES.read_text())[name]


def test_no_golden_file_is_forgotten() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {*golden_documents(), "hashes"}
