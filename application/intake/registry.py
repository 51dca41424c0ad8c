"""Which types of upstream facts are taken in, in one explicit table (contract §4)."""

from collections.abc import Mapping

from application.intake.accounting import read_post_failed, read_posted
from application.intake.accounts import read_updated_account
from application.intake.bills import read_approved_bill, read_cancelled_bill
from application.intake.intake import ReadIntake
from application.intake.notifications import read_bounced_email
from application.intake.orders import (
    read_completion,
    read_dispute,
    read_executed_refund,
    read_paid_order,
    read_payout,
)
from application.intake.work_orders import read_work_order

ORDER_PAID = "orders.PAID_IN_ESCROW"
ORDER_COMPLETED = "orders.COMPLETED"
PAYOUT_SENT = "payments.PAYOUT_SENT"
REFUND_EXECUTED = "payments.REFUND_EXECUTED"
DISPUTE_COMPLETED = "payments.DISPUTE_SAGA_COMPLETED"
ACCOUNT_UPDATED = "crm.ACCOUNT_UPDATED"
WORK_ORDER_READY = "workexec.WORK_ORDER_READY"
BILL_APPROVED = "payables.BILL_APPROVED"
BILL_CANCELLED = "payables.BILL_CANCELLED"
GL_POSTED = "accounting.GL_POSTED"
GL_POST_FAILED = "accounting.GL_POST_FAILED"
EMAIL_BOUNCED = "notifications.EMAIL_BOUNCED"

INTAKES: Mapping[str, ReadIntake] = {
    ORDER_PAID: read_paid_order,
    ORDER_COMPLETED: read_completion,
    PAYOUT_SENT: read_payout,
    REFUND_EXECUTED: read_executed_refund,
    DISPUTE_COMPLETED: read_dispute,
    ACCOUNT_UPDATED: read_updated_account,
    WORK_ORDER_READY: read_work_order,
    BILL_APPROVED: read_approved_bill,
    BILL_CANCELLED: read_cancelled_bill,
    GL_POSTED: read_posted,
    GL_POST_FAILED: read_post_failed,
    EMAIL_BOUNCED: read_bounced_email,
}
"""How each type is read."""

ALIASES: Mapping[str, str] = {
    "payments.REFUND": REFUND_EXECUTED,
    "payments.DISPUTE_OUTCOME": DISPUTE_COMPLETED,
}
"""Other names under which upstream sends the same facts."""
