"""A work order is told of again and again; what is billed never differs, the rest may."""

from typing import Any

import pytest

from domain.invoicing.grouping import grouping_of
from domain.invoicing.work_order import WORK_ORDER, WorkOrder, WorkOrderInvoiceDrafted, report, require_ready
from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact
from tests.support.given import given, state_after
from tests.support.invoicing_facts import ACCOUNT_ID, WORK_ORDER_ID, reported, work_order_data

FINGERPRINT = reported().snapshot_fingerprint


def told_of(**changes: Any) -> WorkOrder:
    state: WorkOrder = state_after(reported(**changes))
    return state


def test_what_is_told_is_recorded_once() -> None:
    given().when(report, work_order_data(), FINGERPRINT).then(reported())
    given(reported()).when(report, work_order_data(), FINGERPRINT).then()


def test_status_and_approvals_may_change_and_the_invoices_stay() -> None:
    later = reported(approvalIds=[])
    given(reported()).when(report, later.work_order, FINGERPRINT).then(later)
    state = state_after(reported(), WorkOrderInvoiceDrafted(invoice_id="i-1"), later)
    assert (state.primary_invoice_id, state.data.approval_ids) == ("i-1", ())


def test_another_snapshot_is_refused() -> None:
    given(reported()).when(report, work_order_data(), "other").then_refused("SNAPSHOT_CONFLICT")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"workOrderStatus": "IN_PROGRESS"}, "WORK_ORDER_NOT_COMPLETED"),
        ({"workOrderStatus": "completed"}, "WORK_ORDER_NOT_COMPLETED"),
        ({"invoiceReady": False}, "WORK_ORDER_NOT_INVOICE_READY"),
        ({"workOrderStatus": "OPEN", "invoiceReady": False}, "WORK_ORDER_NOT_COMPLETED"),
    ],
)
def test_an_invoice_needs_a_completed_work_order_that_is_marked_ready(
    changes: dict[str, Any], reason: str
) -> None:
    require_ready(told_of())
    with pytest.raises(DomainError) as refusal:
        require_ready(told_of(**changes))
    assert (refusal.value.code, refusal.value.reason_code) == ("WORK_ORDER_NOT_READY", reason)


def test_the_last_invoice_drafted_is_the_one_that_counts() -> None:
    drafted = [WorkOrderInvoiceDrafted(invoice_id=name) for name in ("i-1", "i-2")]
    assert told_of().primary_invoice_id is None
    assert state_after(reported(), *drafted).primary_invoice_id == "i-2"


def test_invoices_are_grouped_by_work_order_vehicle_or_account() -> None:
    data, without = work_order_data(), work_order_data(vehicleId=None)
    alone = f"work-order:{WORK_ORDER_ID}"
    assert grouping_of("PER_WORKORDER", ACCOUNT_ID, data).key == alone
    assert grouping_of("PER_VEHICLE", ACCOUNT_ID, data).key == f"account:{ACCOUNT_ID}/vehicle:VIN-1"
    assert grouping_of("PER_VEHICLE", ACCOUNT_ID, without).key == alone
    assert grouping_of("SINGLE_INVOICE", ACCOUNT_ID, data).key == f"account:{ACCOUNT_ID}"


def test_an_unknown_fact_is_an_error_and_never_ignored() -> None:
    with pytest.raises(AssertionError):
        WORK_ORDER.evolve(told_of(), Fact())
