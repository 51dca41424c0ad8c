"""The operation catalog, in one explicit table. `operation.py` says what a row tells.

To add an operation: a row in its module here, its name below, a handler in `application/handlers/`, a few
lines in `interfaces/http/`.
"""

from application.operations.artifacts import CREATE_ARTIFACT_TOKEN, DOWNLOAD_ARTIFACT, LIST_ARTIFACTS
from application.operations.audit import GET_STREAM, SEARCH_EVENTS
from application.operations.auth import ELEVATE, SET_CREDENTIAL
from application.operations.billing_rules import (
    GET_BILLING_RULES,
    GET_PARTY_BILLING_RULES,
    UPSERT_BILLING_RULES,
)
from application.operations.catalog import LIST_OPERATIONS
from application.operations.checkout import CAPTURE_PO, EVALUATE_CHECKOUT, OVERRIDE_PO
from application.operations.documents import (
    CREATE_DOWNLOAD_TOKEN,
    DOWNLOAD_DOCUMENT,
    GET_DOCUMENT,
    GET_DOCUMENT_BY_KEY,
    LIST_DOCUMENT_EVENTS,
    LIST_DOCUMENTS,
    VERIFY_DOCUMENT,
)
from application.operations.fiscal_profiles import GET_FISCAL_PROFILE, SET_FISCAL_PROFILE
from application.operations.inbound import RECEIVE_EVENTS
from application.operations.invoices import (
    CREDIT_INVOICE,
    DRAFT_INVOICE,
    GET_INVOICE,
    GET_INVOICE_BY_WORK_ORDER,
    ISSUE_INVOICE,
    LIST_INVOICES,
    REBILL_INVOICE,
    VOID_INVOICE,
)
from application.operations.meta import (
    LIST_DELIVERY_METHODS,
    LIST_GROUPING_STRATEGIES,
    LIST_PAYMENT_TERMS,
    LIST_PO_POLICIES,
    LIST_REASON_CODES,
)
from application.operations.number_series import GET_SERIES, LIST_NUMBERS, LIST_SERIES, OPEN_SERIES
from application.operations.policies import (
    GET_ISSUANCE_POLICY,
    GET_REPRINT_POLICY,
    SET_ISSUANCE_POLICY,
    SET_REPRINT_POLICY,
)
from application.operations.tasks import LIST_TASKS

OPERATIONS = (
    RECEIVE_EVENTS,
    LIST_DOCUMENTS,
    GET_DOCUMENT_BY_KEY,
    DOWNLOAD_DOCUMENT,
    GET_DOCUMENT,
    LIST_DOCUMENT_EVENTS,
    VERIFY_DOCUMENT,
    CREATE_DOWNLOAD_TOKEN,
    LIST_SERIES,
    OPEN_SERIES,
    GET_SERIES,
    LIST_NUMBERS,
    LIST_TASKS,
    SEARCH_EVENTS,
    GET_STREAM,
    LIST_OPERATIONS,
    *(GET_BILLING_RULES, UPSERT_BILLING_RULES, GET_PARTY_BILLING_RULES),
    ELEVATE,
    SET_CREDENTIAL,
    *(DRAFT_INVOICE, ISSUE_INVOICE, VOID_INVOICE, CREDIT_INVOICE, REBILL_INVOICE),
    *(GET_INVOICE, GET_INVOICE_BY_WORK_ORDER, LIST_INVOICES),
    *(GET_ISSUANCE_POLICY, SET_ISSUANCE_POLICY, GET_REPRINT_POLICY, SET_REPRINT_POLICY),
    *(LIST_PAYMENT_TERMS, LIST_DELIVERY_METHODS, LIST_GROUPING_STRATEGIES),
    *(LIST_PO_POLICIES, LIST_REASON_CODES),
    *(EVALUATE_CHECKOUT, CAPTURE_PO, OVERRIDE_PO),
    *(LIST_ARTIFACTS, CREATE_ARTIFACT_TOKEN, DOWNLOAD_ARTIFACT),
    *(GET_FISCAL_PROFILE, SET_FISCAL_PROFILE),
)
