"""Discovery: the codes that rules, policies and commands choose from (BILL-DEC-007)."""

from application.operations.operation import ANY_CALLER, Operation


def _list(name: str, summary: str) -> Operation:
    return Operation(
        name=f"meta.list-{name}",
        kind="query",
        method="GET",
        path=f"/v1/billing/meta/{name}",
        summary=summary,
        permissions=ANY_CALLER,
    )


LIST_PAYMENT_TERMS = _list("payment-terms", "Payment terms, with the days that they give")
LIST_DELIVERY_METHODS = _list("invoice-delivery-methods", "How invoices can be delivered")
LIST_GROUPING_STRATEGIES = _list("invoice-grouping-strategies", "How invoices can be grouped")
LIST_PO_POLICIES = _list("po-policies", "How unique purchase order numbers can be asked to be")
LIST_REASON_CODES = _list("reason-codes", "Reason codes, of a category or all")
