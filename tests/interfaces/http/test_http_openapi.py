"""The OpenAPI document tells the truth about every operation of the catalog."""

import json
import re
from typing import Any

import pytest

from application.operations import OPERATIONS
from application.operations.operation import COMMON_ERRORS, Operation
from interfaces.http.problems import MEDIA_TYPE, STATUS_OF_CODE
from tests.support.house import ONE_EVENT, House, paid
from tests.support.problems import NAMES

OPEN_PATHS = {
    *("/health/live", "/health/ready", "/metrics", "/v1/documents/download"),
    *("/v1/billing/artifacts/download", "/billing/artifacts/download"),
}
NOTICES = {f"{mount}/gateways/{{gateway}}/notices" for mount in ("/v1/billing", "/billing")}
"""Open to who signs with the gateway's secret."""

PARAMETERS = {
    "invoices.draft": {"Idempotency-Key"},
    **{
        f"invoices.{verb}": {"invoiceId", "Idempotency-Key"} for verb in ("issue", "void", "credit", "rebill")
    },
    "payments.pay": {"invoiceId", "Idempotency-Key"},
    **{f"payments.{verb}": {"billingPaymentId", "Idempotency-Key"} for verb in ("void", "refund")},
    "payments.get": {"billingPaymentId", "asOf", "asOfPosition", "X-Min-Position"},
    "payments.notify": {"gateway"},
    "receipts.list-by-invoice": {"invoiceId", "X-Min-Position"},
    "receipts.get": {"receiptId", "asOf", "asOfPosition", "X-Min-Position"},
    **{f"receipts.{verb}": {"receiptId", "Idempotency-Key"} for verb in ("deliver", "reprint")},
    "ap-bills.list": {"vendorId", "status", "limit", "cursor", "X-Min-Position"},
    "ap-payments.execute": {"Idempotency-Key"},
    "ap-payments.get": {"billingPaymentId", "asOf", "asOfPosition", "X-Min-Position"},
    "ap-payments.get-by-ref": {"paymentRef", "asOf", "asOfPosition", "X-Min-Position"},
    "invoices.get": {"invoiceId", "asOf", "asOfPosition", "X-Min-Position"},
    "invoices.get-by-workorder": {"workOrderId", "asOf", "asOfPosition", "X-Min-Position"},
    "invoices.list": {
        "accountId",
        "status",
        "workOrderId",
        "issuerEntityId",
        "countryCode",
        "limit",
        "cursor",
        "X-Min-Position",
    },
    "inbound.receive-events": {"Idempotency-Key"},
    "documents.list": {
        "orderId",
        "docType",
        "status",
        "countryCode",
        "issuerEntityId",
        "buyerId",
        "sellerId",
        "issuedFrom",
        "issuedTo",
        "q",
        "limit",
        "cursor",
        "X-Min-Position",
    },
    "documents.get": {"documentId", "asOf", "asOfPosition", "X-Min-Position"},
    "documents.get-by-key": {"documentKey", "asOf", "asOfPosition", "X-Min-Position"},
    "documents.list-events": {"documentId", "limit", "cursor", "X-Min-Position"},
    "documents.verify": {"documentId", "X-Min-Position"},
    "documents.create-download-token": {"documentId", "Idempotency-Key", "X-Min-Position"},
    "documents.download": {"token"},
    "documents.issue": {"Idempotency-Key"},
    **{f"documents.{verb}": {"documentId", "Idempotency-Key"} for verb in ("void", "replace", "credit-note")},
    "number-series.list": {"limit", "cursor", "X-Min-Position"},
    "number-series.open": {"Idempotency-Key"},
    "number-series.get": {"seriesId", "X-Min-Position"},
    "number-series.list-numbers": {"seriesId", "from", "to", "limit", "cursor", "X-Min-Position"},
    "tasks.list": {"limit", "cursor", "X-Min-Position"},
    "notifications.list": {"limit", "cursor", "X-Min-Position"},
    "documents.resend": {"documentId", "Idempotency-Key"},
    "audit.search-events": {
        "from",
        "to",
        "type",
        "actor",
        "stream",
        "orderId",
        "invoiceId",
        "order",
        "limit",
        "cursor",
        "X-Min-Position",
    },
    "billing-rules.get": {"accountId", "asOf", "asOfPosition", "If-None-Match", "X-Min-Position"},
    "billing-rules.upsert": {"accountId", "If-Match", "Idempotency-Key"},
    **{f"policies.get-{kind}": {"accountId", "X-Min-Position"} for kind in ("issuance", "reprint")},
    **{
        f"policies.set-{kind}": {"accountId", "If-Match", "Idempotency-Key"}
        for kind in ("issuance", "reprint")
    },
    **{
        f"meta.list-{name}": {"If-None-Match"}
        for name in (
            "payment-terms",
            "invoice-delivery-methods",
            "invoice-grouping-strategies",
            "po-policies",
        )
    },
    "meta.list-reason-codes": {"category", "If-None-Match"},
    "crm.get-billing-rules": {"partyId", "If-None-Match", "X-Min-Position"},
    "auth.elevate": {"Idempotency-Key"},
    "auth.set-credential": {"Idempotency-Key"},
    "checkout.evaluate": {"checkoutId"},
    "checkout.capture-po": {"checkoutId", "Idempotency-Key"},
    "checkout.override-po": {"checkoutId", "Idempotency-Key"},
    "artifacts.list": {"invoiceId", "includeSignedUrls", "X-Min-Position"},
    "artifacts.create-download-token": {"artifactRefId", "Idempotency-Key", "X-Min-Position"},
    "artifacts.download": {"token"},
    "fiscal-profiles.get": {
        *("ownerType", "ownerId", "countryCode"),
        *("asOf", "asOfPosition", "If-None-Match", "X-Min-Position"),
    },
    "fiscal-profiles.set": {"ownerType", "ownerId", "countryCode", "If-Match", "Idempotency-Key"},
    "audit.get-stream": {"streamType", "streamId", "atVersion", "asOf", "X-Min-Position"},
}


@pytest.fixture(scope="module")
def document(house: House) -> dict[str, Any]:
    with house.client() as anybody:
        answer = anybody.get("/schema/openapi.json")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def _described(document: dict[str, Any], operation: Operation) -> dict[str, Any]:
    path = operation.row()["path"]
    described: dict[str, Any] = document["paths"][path][operation.method.lower()]
    return described


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(_references(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_references(item) for item in value))
    return set()


def test_it_is_a_whole_openapi_3_1_document(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"]["title"] and document["info"]["version"]
    for reference in _references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    ids = [of["operationId"] for item in document["paths"].values() for of in item.values()]
    assert len(ids) == len(set(ids))
    for path, item in document["paths"].items():
        named = set(re.findall(r"{(\w+)}", path))
        for of in item.values():
            in_path = {p["name"] for p in of.get("parameters", []) if p["in"] == "path"}
            assert in_path == named, path
            assert all(p["required"] for p in of.get("parameters", []) if p["in"] == "path")
            assert all(response["description"] for response in of["responses"].values())


def test_it_holds_the_catalog_and_nothing_else_but_health(document: dict[str, Any]) -> None:
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    catalog = {
        (operation.method, re.sub(r":\w+}", "}", path))
        for operation in OPERATIONS
        for path in operation.paths
    }
    health = {("GET", path) for path in OPEN_PATHS - {"/v1/documents/download"}}
    assert described == catalog | health


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_status_of_an_operation_is_described(document: dict[str, Any], operation: Operation) -> None:
    described = _described(document, operation)
    assert described["operationId"] == (operation.openapi_id or operation.name)
    assert described["summary"] == operation.summary
    codes = {*operation.errors, *(COMMON_ERRORS if operation.authenticated else ())}
    expected = {str(status) for status in operation.statuses} | {str(STATUS_OF_CODE[code]) for code in codes}
    assert set(described["responses"]) >= expected | {"500", "503"}
    for status, response in described["responses"].items():
        if int(status) >= 400:
            schema = response["content"][MEDIA_TYPE]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}
            told = set(response["description"].split(", "))
            assert {code for code in codes if str(STATUS_OF_CODE[code]) == status} <= told
        elif int(status) == 304:
            assert not response.get("content")
        elif operation.name not in {"documents.download", "artifacts.download"}:
            assert response["content"]["application/json"]["schema"]
    first = described["responses"][str(operation.statuses[0])]
    assert {"traceparent", "X-Correlation-Id", "X-Ledger-Position"} <= set(first["headers"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_parameters_are_named_as_in_the_contract(document: dict[str, Any], operation: Operation) -> None:
    parameters = {p["name"]: p for p in _described(document, operation).get("parameters", [])}
    assert set(parameters) == PARAMETERS.get(operation.name, set())
    for name, parameter in parameters.items():
        if name in {"X-Min-Position", "Idempotency-Key", "If-Match", "If-None-Match"}:
            assert parameter["in"] == "header"
        needed = parameter["in"] == "path" or name in {"token", "documentKey"}
        needed = needed or (name == "countryCode" and operation.name.startswith("fiscal-profiles."))
        assert parameter["required"] == needed
    assert "null" not in json.dumps([parameter["schema"] for parameter in parameters.values()])
    for name in {"X-Min-Position", "asOfPosition"} & set(parameters):
        schema = parameters[name]["schema"]
        assert (schema["minimum"], schema["maximum"]) == (0, 2**63 - 1)
    if "Idempotency-Key" in parameters:
        assert parameters["Idempotency-Key"]["schema"]["pattern"] == "^[ -~]{1,255}$"
    if "limit" in parameters:
        schema = parameters["limit"]["schema"]
        assert (schema["minimum"], schema["maximum"], schema["default"]) == (1, 200, 50)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_bodies_are_described_strictly(document: dict[str, Any], operation: Operation) -> None:
    described = _described(document, operation)
    assert ("requestBody" in described) == (operation.method in {"POST", "PUT"})
    for media_type, content in described.get("requestBody", {}).get("content", {}).items():
        schema = content["schema"]
        if operation.name == "inbound.receive-events" and media_type == "application/json":
            assert len(schema["oneOf"]) == 2
            schema = schema["oneOf"][1]
        if media_type != ONE_EVENT and schema.get("type") == "array":
            assert schema["maxItems"] == 1000
            schema = schema["items"]
        assert schema["type"] == "object"
        if operation.name == "inbound.receive-events":
            assert set(schema["required"]) == {"specversion", "id", "source", "type", "data"}
            assert schema["properties"]["specversion"]["const"] == "1.0"
            assert schema["additionalProperties"] is True
        elif operation.name == "payments.notify":
            assert schema["additionalProperties"] is True, "a gateway's own words"
        else:
            assert schema["additionalProperties"] is False
    if operation.name == "number-series.open":
        schema = described["requestBody"]["content"]["application/json"]["schema"]
        assert set(schema["required"]) == {"countryCode", "issuerEntityId", "docType"}


def test_files_are_described_by_their_media_types(document: dict[str, Any]) -> None:
    """A document's file is PDF, JSON or what was stamped; an artifact's is of the type that upstream told."""
    described = {
        path: set(document["paths"][path]["get"]["responses"]["200"]["content"])
        for path in OPEN_PATHS
        if path.endswith("/download")
    }
    of_documents = {"application/pdf", "application/json", "application/xml"}
    assert described.pop("/v1/documents/download") == of_documents
    assert set(map(frozenset, described.values())) == {frozenset({"*/*"})}


def test_everything_asks_for_a_bearer_token_but_what_is_open(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path, item in document["paths"].items():
        for of in item.values():
            security = of.get("security", document.get("security"))
            assert not security if path in OPEN_PATHS | NOTICES else security == [{"bearer": []}], path


def test_the_error_envelope_has_the_contracts_names(document: dict[str, Any]) -> None:
    problem = document["components"]["schemas"]["Problem"]
    assert set(problem["properties"]) == NAMES
    assert set(problem["required"]) == set(problem["properties"])


def test_answers_have_the_names_that_are_described(house: House, document: dict[str, Any]) -> None:
    document_id = house.issued(paid("described"))["documentId"]
    schemas = document["components"]["schemas"]
    looks = {
        f"/v1/documents/{document_id}": "DocumentDetail",
        f"/v1/documents/{document_id}/verify": "VerificationAnswer",
        "/v1/documents": "DocumentPage",
        "/v1/number-series": "SeriesPage",
        "/v1/number-series/GB:platform-gb:RECEIPT": "SeriesAnswer",
        "/v1/number-series/GB:platform-gb:RECEIPT/numbers": "NumberPage",
        f"/v1/documents/{document_id}/events": "TimelinePage",
        "/v1/audit/events": "AuditEventPage",
        "/v1/audit/streams/order/described": "StreamAnswer",
    }
    with house.client("SUPER_ADMIN") as admin:
        for path, name in looks.items():
            body = admin.get(path).json()
            assert set(body) == set(schemas[name]["properties"]), path
            items = schemas[name]["properties"].get("items")
            if items is not None:
                item = schemas[items["items"]["$ref"].rpartition("/")[2]]
                assert set(body["items"][0]) == set(item["properties"]), path


def test_a_documents_row_has_the_names_of_the_contract(document: dict[str, Any]) -> None:
    assert set(document["components"]["schemas"]["DocumentDetail"]["properties"]) >= {
        "documentId",
        "orderId",
        "docType",
        "countryCode",
        "issuerEntityId",
        "seriesId",
        "number",
        "status",
        "pdfUrl",
        "jsonUrl",
        "hashSha256",
        "issuedAt",
        "driverVersion",
        "templateVersion",
        "documentKey",
        "replacesDocumentId",
        "replacedByDocumentId",
        "documentVersion",
        "sourceRef",
        "buyerId",
        "sellerId",
        "language",
        "totals",
        "currencyUomId",
        "seal",
        "fiscal",
        "retention",
        "links",
        "linkedDocuments",
        "allowedActions",
    }


def test_the_page_for_people_is_served(house: House) -> None:
    with house.client() as anybody:
        answer = anybody.get("/schema")
    assert answer.status_code == 200 and "text/html" in answer.headers["content-type"]
