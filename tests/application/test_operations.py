"""The operation catalog: what clients read of it, and the rules that every row keeps."""

import re
from itertools import groupby
from typing import Any

import pytest

from application.operations import OPERATIONS
from application.operations.operation import SHOWN, Operation
from application.roles import PERMISSIONS
from domain.streams import REGISTRY
from tests.support.decisions import decision, rule
from tests.support.golden import OPERATIONS_FILE, golden_operations

SHAPE = {
    "authz": {"permissions", "ownership", "scope"},
    "idempotency": {"required", "source", "replay", "inflight"},
    "audit": {"event"},
}
LISTS_OF_WORDS = ("classification", "redaction", "errors")
READERS = {"docs.read.own", "docs.read.seller", "docs.read.country", "docs.audit.read"}
PERMITTED = {
    "inbound.receive-events": {"billing:inbound:write"},
    "documents.list": READERS,
    "documents.get": READERS,
    "documents.get-by-key": READERS,
    "documents.list-events": READERS,
    "documents.verify": READERS,
    "documents.create-download-token": READERS,
    "documents.download": set(),
    "documents.resend": {"docs.resend"},
    **{"tasks.list": set(), "notifications.list": set()},
    "number-series.list": {"docs.audit.read", "billing:series:manage"},
    "number-series.get": {"docs.audit.read", "billing:series:manage"},
    "number-series.list-numbers": {"docs.audit.read", "billing:series:manage"},
    "number-series.open": {"billing:series:manage"},
    "audit.search-events": {"docs.audit.read"},
    "audit.get-stream": {"docs.audit.read"},
    "billing-rules.get": {"billing:rules:view"},
    "billing-rules.upsert": {"billing:rules:manage"},
    "crm.get-billing-rules": {"billing:rules:view"},
    **{
        f"policies.{act}-{kind}": {"billing:policy:manage"}
        for act in ("get", "set")
        for kind in ("issuance", "reprint")
    },
    "meta.list-payment-terms": set(),
    "meta.list-reason-codes": set(),
    "invoices.draft": {"billing:invoice:create-draft"},
    "invoices.issue": {"billing:invoice:issue"},
    **{f"invoices.{act}": {"billing:invoice:void"} for act in ("void", "credit", "rebill")},
    **{f"invoices.{look}": {"billing:invoice:view"} for look in ("get", "get-by-workorder", "list")},
    "checkout.evaluate": {"billing:checkout:po:capture"},
    "checkout.capture-po": {"billing:checkout:po:capture"},
    "checkout.override-po": {"billing:checkout:po:override"},
    "payments.pay": {"billing:payment:capture"},
    **{f"payments.{act}": {"billing:payment:refund"} for act in ("void", "refund")},
    "payments.get": {"billing:payment:view"},
    "payments.notify": set(),
    **{f"receipts.{look}": {"billing:receipt:view"} for look in ("get", "list-by-invoice")},
    "receipts.deliver": {"billing:receipt:deliver"},
    "receipts.reprint": {"billing:receipt:reprint"},
    "ap-bills.list": {"billing:ap:bill:view"},
    "ap-payments.execute": {"billing:ap:payment:execute"},
    **{f"ap-payments.{look}": {"billing:ap:payment:view"} for look in ("get", "get-by-ref")},
    "operations.list": set(),
}
"""From what each operation's clients were promised."""

NEEDS_A_KEY = {
    "/v1/billing/invoices/{invoiceId}/payments",
    "/v1/billing/payments/{billingPaymentId}/void",
    "/v1/billing/payments/{billingPaymentId}/refund",
    "/v1/billing/receipts/{receiptId}/deliver",
    "/v1/billing/receipts/{receiptId}/reprint",
    "/v1/documents/{documentId}/resend",
}
"""Where a request without `Idempotency-Key` is refused (contract §2)."""

SAME_FOR_EVERYBODY = {
    "operations.list",
    *(f"meta.list-{name}" for name in ("payment-terms", "invoice-delivery-methods", "po-policies")),
    *(f"meta.list-{name}" for name in ("invoice-grouping-strategies", "reason-codes")),
}

QUESTIONS_WITH_A_BODY = {"checkout.evaluate"}
"""Queries that the contract asks by POST."""

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def test_the_catalog_is_the_golden_one() -> None:
    assert golden_operations() == OPERATIONS_FILE.read_text(encoding="utf-8")


@decision("S2", "The catalog tells of each operation its permissions, idempotency, audit and redaction")
@every_operation
def test_a_row_has_what_clients_read(operation: Operation) -> None:
    row: dict[str, Any] = operation.row()
    assert {"name", "kind", "path", "success", "statuses", *SHAPE, *LISTS_OF_WORDS} <= set(row)
    assert row["kind"] in {"command", "query"}
    for part, keys in SHAPE.items():
        assert set(row[part]) == keys
    for part in LISTS_OF_WORDS:
        assert all(isinstance(word, str) for word in row[part])
        assert len(set(row[part])) == len(row[part])
    assert isinstance(row["idempotency"]["required"], bool)
    assert all(200 <= status < 300 for status in row["statuses"])


@every_operation
def test_a_path_is_written_as_in_openapi(operation: Operation) -> None:
    assert re.fullmatch(r"(/([a-z0-9-]+|billingRules|\{[a-z][A-Za-z]*\}))+", operation.row()["path"])


@every_operation
def test_names_are_kebab_words_below_their_room(operation: Operation) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*", operation.name)


@every_operation
def test_permissions_exist(operation: Operation) -> None:
    assert operation.permissions <= PERMISSIONS


@pytest.mark.parametrize("name", sorted(PERMITTED))
def test_an_operation_is_permitted_to_whom_it_was_promised(name: str) -> None:
    (operation,) = (operation for operation in OPERATIONS if operation.name == name)
    assert operation.permissions == PERMITTED[name]


def test_names_and_routes_are_unique() -> None:
    for key in (lambda operation: operation.name, lambda operation: (operation.method, operation.path)):
        ordered = sorted(key(operation) for operation in OPERATIONS)
        assert [value for value, same in groupby(ordered) if len(list(same)) > 1] == []


@rule("IDEM-1")
@decision("S2", "An operation with an external effect is classified so and requires idempotency")
@every_operation
def test_an_external_effect_needs_idempotency_of_a_named_source(operation: Operation) -> None:
    idempotency = operation.idempotency
    if "external_effect" in operation.classification:
        assert idempotency.required
        assert idempotency.source in {"header", "paymentRef", "document_key", "id and version"}
    assert not idempotency.required or idempotency.source != "none"
    assert idempotency.replay and idempotency.inflight
    told_at_once = idempotency.inflight.startswith("409")
    assert told_at_once == ("IDEMPOTENCY_IN_FLIGHT" in operation.errors)


@rule("IDEM-2")
def test_the_header_is_required_where_the_contract_says_so_and_nowhere_else() -> None:
    required = {
        operation.row()["path"]
        for operation in OPERATIONS
        if operation.idempotency.required and operation.idempotency.source == "header"
    }
    assert required == NEEDS_A_KEY & {operation.row()["path"] for operation in OPERATIONS}


@rule("AUDIT-3")
@decision("S2", "What takes effect outside or cannot be taken back names its audit event")
@every_operation
def test_what_cannot_be_taken_back_is_audited(operation: Operation) -> None:
    if operation.classification:
        assert operation.kind == "command"
        assert operation.audit_event is not None


@every_operation
def test_what_needs_no_permission_says_whose_it_is_or_tells_nothing_of_anybody(operation: Operation) -> None:
    if not operation.permissions and operation.name not in SAME_FOR_EVERYBODY:
        assert operation.ownership is not None
    if not operation.authenticated:
        assert operation.idempotency.source in {"token", "none", "id and version"}


@decision("S2", "What counts as success is said of each operation in the catalog")
@every_operation
def test_a_command_says_what_counts_as_its_success(operation: Operation) -> None:
    assert (operation.success == SHOWN) == (operation.kind == "query")
    told = {int(status) for status in re.findall(r"\b2[0-9]{2}\b", operation.success)}
    assert told <= set(operation.statuses)
    assert operation.kind == "query" or len(operation.statuses) == 1 or told


@every_operation
def test_what_requests_hold_of_secrets_is_redacted(operation: Operation) -> None:
    """The names are those of the catalog's redaction lists; logs and errors never hold their values."""
    if operation.kind == "command" and {"ELEVATION_INVALID", "ELEVATION_REFUSED"} & set(operation.errors):
        assert "elevationToken" in operation.redaction
    if not operation.authenticated:
        assert {"token", "signature"} & set(operation.redaction)


@every_operation
def test_queries_change_nothing_and_are_not_audited(operation: Operation) -> None:
    if operation.kind == "query":
        assert (operation.audit_event, operation.classification) == (None, ())
        assert operation.method == "GET" or operation.name in QUESTIONS_WITH_A_BODY


@rule("AUDIT-3")
@every_operation
def test_the_audit_event_is_one_that_is_stored(operation: Operation) -> None:
    if operation.audit_event is not None:
        REGISTRY.by_name(operation.audit_event)


@every_operation
def test_what_takes_an_idempotency_key_says_what_its_reuse_answers(operation: Operation) -> None:
    row = operation.row()
    if row["idempotency"]["replay"] == "stored answer":
        assert "IDEMPOTENCY_KEY_REUSED" in row["errors"]


@every_operation
def test_what_reads_a_projection_may_find_it_behind(operation: Operation) -> None:
    if operation.projections:
        assert "PROJECTION_BEHIND" in operation.errors
