"""Which types of upstream facts are taken in, in one explicit table (contract §4)."""

from collections.abc import Mapping

from application.intake.accounting import read_post_failed, read_posted
from application.intake.accounts import read_updated_account
from application.intake.intake import ReadIntake
from application.intake.orders import read_executed_refund, read_paid_order
from application.intake.work_orders import read_work_order

ORDER_PAID = "orders.PAID_IN_ESCROW"
REFUND_EXECUTED = "payments.REFUND_EXECUTED"
ACCOUNT_UPDATED = "crm.ACCOUNT_UPDATED"
WORK_ORDER_READY = "workexec.WORK_ORDER_READY"
GL_POSTED = "accounting.GL_POSTED"
GL_POST_FAILED = "accounting.GL_POST_FAILED"

INTAKES: Mapping[str, ReadIntake] = {
    ORDER_PAID: read_paid_order,
    REFUND_EXECUTED: read_executed_refund,
    ACCOUNT_UPDATED: read_updated_account,
    WORK_ORDER_READY: read_work_order,
    GL_POSTED: read_posted,
    GL_POST_FAILED: read_post_failed,
}
"""How each type is read."""

ALIASES: Mapping[str, str] = {"payments.REFUND": REFUND_EXECUTED}
"""Other names under which upstream sends the same facts."""
