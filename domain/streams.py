"""Every stream type of the ledger, in one explicit table."""

from domain.accounts.account import ACCOUNT
from domain.accounts.billing_rules import BILLING_RULES
from domain.accounts.credential import CREDENTIAL
from domain.accounts.fiscal_profile import FISCAL_PROFILE
from domain.accounts.policies import POLICY
from domain.checkout.checkout import CHECKOUT
from domain.documents.access import DOCUMENT_ACCESS
from domain.documents.document import DOCUMENT
from domain.documents.order_state import ORDER
from domain.inbound.inbound import INBOUND
from domain.invoicing.invoice import INVOICE
from domain.invoicing.work_order import WORK_ORDER
from domain.kernel.claim import CLAIM
from domain.kernel.registry import Registry
from domain.numbering.series import NUMBER_SERIES
from domain.payables.ap_payment import AP_PAYMENT
from domain.payables.bill import BILL
from domain.receivables.payment import PAYMENT
from domain.receivables.receipt import RECEIPT

STREAM_TYPES = (
    *(INBOUND, ORDER, CLAIM, DOCUMENT, DOCUMENT_ACCESS, NUMBER_SERIES),
    *(ACCOUNT, BILLING_RULES, POLICY, CREDENTIAL),
    *(WORK_ORDER, INVOICE),
    CHECKOUT,
    FISCAL_PROFILE,
    *(PAYMENT, RECEIPT),
    *(BILL, AP_PAYMENT),
)

REGISTRY = Registry(STREAM_TYPES)
"""The closed registry; adding a stored event means adding it here through its stream type."""
