"""The closed lists that rules and policies choose from, each code once, with what people read (BILL-DEC-007).

Deciders refuse every other code, and discovery answers these lists as they stand here.
"""

from typing import Literal

from domain.kernel.facts import Value

DeliveryMethod = Literal["EMAIL", "PORTAL", "MAIL"]
GroupingStrategy = Literal["PER_WORKORDER", "PER_VEHICLE", "SINGLE_INVOICE"]
PoUniquenessScope = Literal["NONE", "ACCOUNT", "GLOBAL"]
ReasonCategory = Literal["PO_OVERRIDE", "REPRINT", "VOID", "CREDIT", "REFUND"]


class Choice(Value):
    """A code and its label in English."""

    code: str
    label: str


class ReasonCode(Choice):
    """Why something was done; a code may stand in several categories."""

    category: ReasonCategory


DELIVERY_METHODS: tuple[Choice, ...] = (
    Choice(code="EMAIL", label="By e-mail to the billing contact"),
    Choice(code="PORTAL", label="In the customer portal"),
    Choice(code="MAIL", label="By post to the billing address"),
)

GROUPING_STRATEGIES: tuple[Choice, ...] = (
    Choice(code="PER_WORKORDER", label="One invoice for each work order"),
    Choice(code="PER_VEHICLE", label="Invoices grouped by vehicle"),
    Choice(code="SINGLE_INVOICE", label="All in a single invoice"),
)

PO_POLICIES: tuple[Choice, ...] = (
    Choice(code="NONE", label="A purchase order number may be used any number of times"),
    Choice(code="ACCOUNT", label="A purchase order number may be used once within the account"),
    Choice(code="GLOBAL", label="A purchase order number may be used once by anybody"),
)
"""The values of `poUniquenessScope`; the other settings of a PO policy are yes or no."""

_CORRECTIONS = (
    ("ERROR", "It was made in error"),
    ("DUPLICATE", "It was made twice"),
    ("CUSTOMER_REQUEST", "The customer asked for it"),
)
_REASONS: dict[ReasonCategory, tuple[tuple[str, str], ...]] = {
    "PO_OVERRIDE": (
        ("CUSTOMER_URGENT", "The customer cannot wait for the purchase order"),
        ("PO_PENDING", "The purchase order is on its way"),
        ("OTHER", "Another reason, told in the notes"),
    ),
    "REPRINT": (
        ("LOST", "The receipt was lost"),
        ("DAMAGED", "The receipt is damaged or was printed badly"),
        ("CUSTOMER_REQUEST", "The customer asked for it"),
        ("OTHER", "Another reason, told in the notes"),
    ),
    "VOID": _CORRECTIONS,
    "CREDIT": _CORRECTIONS,
    "REFUND": (*_CORRECTIONS, ("OTHER", "Another reason, told in the notes")),
}

REASON_CODES: tuple[ReasonCode, ...] = tuple(
    ReasonCode(code=code, label=label, category=category)
    for category, reasons in _REASONS.items()
    for code, label in reasons
)
"""Every reason code, by category (contract §5)."""


def reason_codes(category: ReasonCategory | None = None) -> tuple[ReasonCode, ...]:
    """The reason codes of a category, or all of them."""
    return tuple(reason for reason in REASON_CODES if category is None or reason.category == category)


def is_reason(category: ReasonCategory, code: str) -> bool:
    """Whether the code is a reason of that category."""
    return any(reason.code == code for reason in reason_codes(category))
