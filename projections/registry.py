"""Every projection, in one explicit tuple. To add one: a module with table, fold and queries, a row here."""

from projections.accounts import ACCOUNTS
from projections.ap_payments_due import AP_PAYMENTS_DUE
from projections.bills import BILLS
from projections.deliveries import DELIVERIES
from projections.document_events import DOCUMENT_EVENTS
from projections.documents import DOCUMENTS
from projections.invoice_artifacts import INVOICE_ARTIFACTS
from projections.invoices import INVOICES
from projections.notifications import NOTIFICATIONS
from projections.number_series import SERIES
from projections.payments import PAYMENTS
from projections.subject_streams import SUBJECT_STREAMS
from projections.tasks import TASKS

PROJECTIONS = (
    *(DOCUMENTS, DOCUMENT_EVENTS, SERIES, SUBJECT_STREAMS, TASKS, ACCOUNTS, INVOICES),
    INVOICE_ARTIFACTS,
    *(DELIVERIES, NOTIFICATIONS),
    PAYMENTS,
    *(BILLS, AP_PAYMENTS_DUE),
)

PROJECTIONS_BY_NAME = {projection.name: projection for projection in PROJECTIONS}
