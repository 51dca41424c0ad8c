"""Verify proves a document: one flipped byte anywhere fails the right check, and mending it restores it."""

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.house import House, eventually, paid

CHECKS = {"pdf-hash", "json-hash", "seal-signature", "pdf-re-render", "ledger-leaf", "json-from-ledger"}


@pytest.fixture(scope="module")
def document(house: House) -> dict[str, Any]:
    return house.issued(paid("verified"))


def _failing(house: House, document: dict[str, Any]) -> set[str]:
    """The names of the checks that fail; asserts that the answer is 200 and agrees with itself."""
    with house.client("AUDITOR") as auditor:
        answer = auditor.get(f"/v1/documents/{document['documentId']}/verify")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert {check["name"] for check in body["checks"]} >= CHECKS
    assert all(check["detail"] for check in body["checks"])
    failing = {check["name"] for check in body["checks"] if not check["ok"]}
    assert body["valid"] == (not failing)
    return failing


@contextmanager
def _file_changed(path: Path, change: Callable[[bytes], bytes | None]) -> Iterator[None]:
    """A file with other content, or none, for a while."""
    content, mode = path.read_bytes(), path.stat().st_mode
    changed = change(content)
    path.chmod(0o600)
    if changed is None:
        path.unlink()
    else:
        path.write_bytes(changed)
    try:
        yield
    finally:
        path.write_bytes(content)
        path.chmod(mode)


def _flipped(content: bytes, at: float = 0.5) -> bytes:
    index = min(int(len(content) * at), len(content) - 1)
    return content[:index] + bytes([content[index] ^ 1]) + content[index + 1 :]


def _vault_file(house: House, document: dict[str, Any], name: str) -> Path:
    (path,) = (house.data_dir / "vault" / "objects").rglob(f"documents~{document['documentId']}~{name}")
    return path


@contextmanager
def _row_changed(house: House, position: int, column: str, value: Any) -> Iterator[None]:
    """An event row changed behind the triggers, as only the database's superuser can."""
    with house.database() as connection:

        def update(new: Any) -> None:
            with connection.transaction():
                connection.execute("ALTER TABLE ledger.event DISABLE TRIGGER USER")
                statement = f"UPDATE ledger.event SET {column} = %s WHERE position = %s"
                connection.execute(statement, (new, position))
                for trigger in ("event_is_append_only", "event_is_never_truncated"):
                    connection.execute(f"ALTER TABLE ledger.event ENABLE ALWAYS TRIGGER {trigger}")

        query = f"SELECT {column} FROM ledger.event WHERE position = %s"
        (before,) = connection.execute(query, (position,)).fetchone()  # type: ignore[misc]
        update(value(before) if callable(value) else value)
        try:
            yield
        finally:
            update(before)


def _position(house: House, document: dict[str, Any], event_type: str) -> int:
    with house.client("AUDITOR") as auditor:
        parameters = {"orderId": document["orderId"], "type": event_type}
        (event,) = auditor.get("/v1/audit/events", params=parameters).json()["items"]
    return int(event["position"])


def test_an_untouched_document_is_valid(house: House, document: dict[str, Any]) -> None:
    assert _failing(house, document) == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("document.pdf", {"pdf-hash", "pdf-re-render"}), ("document.json", {"json-hash", "json-from-ledger"})],
)
@pytest.mark.parametrize("at", [0.0, 0.03, 0.5, 1.0], ids=["magic", "wrapped key", "middle", "tag"])
def test_a_flipped_byte_in_the_vault_is_found(
    house: House, document: dict[str, Any], name: str, expected: set[str], at: float
) -> None:
    with _file_changed(_vault_file(house, document, name), lambda content: _flipped(content, at)):
        failing = _failing(house, document)
    assert failing >= expected and "ledger-leaf" not in failing and "seal-signature" not in failing
    assert _failing(house, document) == set()


@pytest.mark.parametrize("name", ["document.pdf", "document.json"])
def test_a_file_that_the_vault_lost_is_found(house: House, document: dict[str, Any], name: str) -> None:
    with _file_changed(_vault_file(house, document, name), lambda _: None):
        assert f"{name.rpartition('.')[2]}-hash" in _failing(house, document)
    assert _failing(house, document) == set()


def test_files_of_another_document_do_not_pass_for_this_ones(house: House, document: dict[str, Any]) -> None:
    other = _vault_file(house, house.issued(paid("verified-other")), "document.pdf").read_bytes()
    with _file_changed(_vault_file(house, document, "document.pdf"), lambda _: other):
        assert {"pdf-hash", "pdf-re-render"} <= _failing(house, document)
    assert _failing(house, document) == set()


COLUMNS: dict[str, Any] = {
    "tenant_id": "another",
    "stream_id": "another",
    "version": 99,
    "name": "document.numbered",
    "schema_version": lambda version: version + 1,
    "transaction_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "actor": "somebody-else",
    "role": "SUPER_ADMIN",
    "on_behalf_of": "somebody",
    "operation": "documents.other",
    "correlation_id": "0" * 32,
    "causation_id": "1",
    "recorded_at": "2026-01-01T00:00:00Z",
    "state": lambda state: _flipped(bytes(state)),
    "leaf_hash": lambda leaf: _flipped(bytes(leaf)),
    "hash_version": 2,
}


@pytest.mark.slow
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("event_type", ["document.issued", "document.drafted", "order.paid-in-escrow"])
def test_a_change_in_any_column_of_an_event_is_found(
    house: House, document: dict[str, Any], event_type: str, column: str
) -> None:
    with _row_changed(house, _position(house, document, event_type), column, COLUMNS[column]):
        failing = _failing(house, document)
    if (event_type, column) == ("document.issued", "stream_id"):
        assert failing >= {"pdf-hash", "seal-signature"}, "the history reads as if it had not been issued"
    else:
        assert "ledger-leaf" in failing
    assert _failing(house, document) == set()


@pytest.mark.parametrize("schema_version", [0, -1])
def test_a_schema_version_that_never_was_is_found(
    house: House, document: dict[str, Any], schema_version: int
) -> None:
    position = _position(house, document, "document.issued")
    with _row_changed(house, position, "schema_version", schema_version):
        assert "ledger-leaf" in _failing(house, document)


def test_every_byte_of_the_issued_event_counts(house: House, document: dict[str, Any]) -> None:
    position = _position(house, document, "document.issued")
    for step in range(0, 100, 4):
        change = lambda state, at=step / 100: _flipped(bytes(state), at)  # noqa: E731
        with _row_changed(house, position, "state", change):
            assert "ledger-leaf" in _failing(house, document)
    assert _failing(house, document) == set()


def _changed_seal(name: str) -> Callable[[Any], bytes]:
    def change(state: Any) -> bytes:
        content = json.loads(bytes(state))
        value = content["seal"][name]
        if name == "signature":
            value = base64.b64encode(_flipped(base64.b64decode(value))).decode()
        elif name == "algorithm":
            value = "Ed448"
        else:
            value = ("1" if value[0] == "0" else "0") + value[1:]
        content["seal"][name] = value
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    return change


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sha256Pdf", {"pdf-hash", "seal-signature"}),
        ("sha256Json", {"json-hash", "seal-signature"}),
        ("signature", {"seal-signature"}),
        ("keyId", {"seal-signature"}),
        ("algorithm", {"seal-signature"}),
    ],
)
def test_a_change_in_the_seal_is_found_by_the_seal_itself_too(
    house: House, document: dict[str, Any], name: str, expected: set[str]
) -> None:
    position = _position(house, document, "document.issued")
    with _row_changed(house, position, "state", _changed_seal(name)):
        assert _failing(house, document) == expected | {"ledger-leaf"}
    assert _failing(house, document) == set()


@pytest.mark.parametrize("name", ["../../../etc/passwd", "", "a b", "documents/x/document.pdf", "x" * 300])
def test_a_vault_name_that_was_changed_is_found(house: House, document: dict[str, Any], name: str) -> None:
    def change(state: Any) -> bytes:
        return json.dumps({**json.loads(bytes(state)), "pdfName": name}).encode()

    with _row_changed(house, _position(house, document, "document.issued"), "state", change):
        assert {"ledger-leaf", "pdf-hash"} <= _failing(house, document)


def test_an_amount_changed_with_its_leaf_hash_made_anew_is_found_by_the_content(
    house: House, document: dict[str, Any]
) -> None:
    position = _position(house, document, "order.paid-in-escrow")

    def change(state: Any) -> bytes:
        return bytes(state).replace(b'"opsFee":150', b'"opsFee":151')

    with _row_changed(house, position, "state", change):
        assert {"ledger-leaf", "json-from-ledger"} <= _failing(house, document)
    assert _failing(house, document) == set()


def _keys(house: House, ring: str, pattern: str) -> Path:
    (path,) = (house.data_dir / "keys" / ring).glob(pattern)
    return path


@pytest.mark.parametrize("at", [0.1, 0.5, 0.7])
def test_a_flipped_byte_in_the_public_key_is_found(house: House, document: dict[str, Any], at: float) -> None:
    with _file_changed(_keys(house, "seal", "*.pub.pem"), lambda content: _flipped(content, at)):
        assert _failing(house, document) == {"seal-signature"}
    assert _failing(house, document) == set()


def test_a_flipped_byte_in_the_vaults_key_is_found(house: House, document: dict[str, Any]) -> None:
    with _file_changed(_keys(house, "vault", "*.key"), _flipped):
        failing = _failing(house, document)
    assert failing == {"pdf-hash", "json-hash", "pdf-re-render", "json-from-ledger"}
    assert _failing(house, document) == set()


@pytest.mark.slow
def test_a_flipped_byte_in_the_private_key_parks_new_documents_until_it_is_mended(house: House) -> None:
    # Every worker has started: one that starts with a corrupt key ends at once.
    house.issued(paid("verified-before"))
    path = next(p for p in (house.data_dir / "keys" / "seal").glob("*.pem") if ".pub." not in p.name)
    with ThreadPoolExecutor(1) as pool, house.client("AUDITOR") as auditor:
        with _file_changed(path, _flipped):
            answer = pool.submit(house.post, paid("verified-unsealed"))

            def look() -> dict[str, Any] | None:
                tasks = auditor.get("/v1/tasks", params={"limit": 200}).json()["items"]
                return next((task for task in tasks if task["type"] == "DOCUMENT_PARKED"), None)

            task = eventually(look)
        document_id = answer.result().json()["results"][0]["documents"][0]["documentId"]
    assert task["targetId"] == document_id and task["nextRetryAt"] and task["resumedBy"]
    assert task["attempts"] == 1, "the next attempt waits for its time"
    assert _failing(house, house.wait_for_issue(document_id)) == set()
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        events = auditor.get(f"/v1/documents/{document_id}/events").json()["items"]
    # A link may have gone to the buyer's e-mail address since.
    told = [event["eventType"] for event in events if not event["eventType"].startswith("DELIVER")]
    assert (set(told[:-1]), told[-1]) == ({"ISSUE_FAILED"}, "ISSUED")


def test_verify_needs_no_read_model_of_the_document_to_be_right(
    house: House, document: dict[str, Any]
) -> None:
    pdf = _vault_file(house, document, "document.pdf").read_bytes()
    assert sha256(pdf).hexdigest() != document["seal"]["sha256Pdf"], "it is stored encrypted"
    assert b"%PDF" not in pdf and b"Marigold" not in pdf
