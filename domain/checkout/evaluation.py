"""What an account's rules ask of a checkout, and what its credit allows (S1 `BillingRuleEvaluation`)."""

from typing import Literal

from domain.accounts.account import Account, AccountData
from domain.accounts.billing_rules import BillingRules, effective_rules
from domain.accounts.choices import DeliveryMethod, PoUniquenessScope
from domain.checkout.checkout import Checkout
from domain.kernel.errors import DomainError
from domain.kernel.facts import Value
from domain.kernel.money import CurrencyCode, MinorUnits

Severity = Literal["INFO", "WARNING", "ERROR"]
"""ERROR: checkout must not go on. WARNING: it may, but not on the account's credit, or on defaults only."""

_MESSAGES: dict[str, tuple[Severity, str]] = {
    "CHECKOUT_OF_OTHER_ACCOUNT": ("ERROR", "A purchase order or an override stands for another account."),
    "PO_REQUIRED": ("ERROR", "The account's rules ask for a purchase order."),
    "PO_CAPTURED": ("INFO", "The purchase order is recorded."),
    "PO_OVERRIDDEN": ("INFO", "An override of the purchase order is recorded."),
    "ACCOUNT_UNKNOWN": ("WARNING", "CRM has not told of this account; it has no credit."),
    "CHARGE_ACCOUNT_NOT_ELIGIBLE": ("WARNING", "The account may not be charged; it pays at once."),
    "CREDIT_LIMIT_EXCEEDED": ("WARNING", "The order is above the account's credit limit."),
    "CREDIT_LIMIT_NOT_COMPARABLE": ("WARNING", "CRM told of a credit limit, but not of its currency."),
}


class OrderTotal(Value):
    """What the order comes to, in minor units of its currency."""

    amount_minor: MinorUnits
    currency_uom_id: CurrencyCode


class Message(Value):
    """What people should read. `code` is stable."""

    code: str
    severity: Severity
    text: str


class Evaluation(Value):
    """How the rules that apply see the checkout.

    `credit_limit_exceeded` is None where there is no total, or no limit that it could be compared with.
    """

    policy_version: str
    po_required: bool
    po_format_regex: str | None
    po_uniqueness_scope: PoUniquenessScope
    override_allowed: bool
    override_requires_second_approver: bool
    override_reason_code_required: bool
    charge_account_eligible: bool
    credit_limit_exceeded: bool | None
    payment_terms_code: str
    payment_terms_id: str
    invoice_delivery_method: DeliveryMethod
    messages: tuple[Message, ...]


def policy_version(rules: BillingRules | None) -> str:
    """The version of the rules that apply, as decisions record it."""
    return "billing-rules/built-in@1" if rules is None else f"billing-rules/account@{rules.revision}"


def evaluate(
    rules: BillingRules | None,
    account: Account | None,
    checkout: Checkout | None,
    account_id: str,
    total: OrderTotal | None,
) -> Evaluation:
    """Evaluates a checkout for an account. Raises `CURRENCY_MISMATCH`.

    The limit is compared with this order alone; what the account owes already is not counted.
    """
    terms = effective_rules(rules, account)
    data = None if account is None else account.data
    eligible = data is not None and data.charge_account_eligible is True
    exceeded = None if data is None or total is None else _exceeds(data, total)
    elsewhere = checkout is not None and checkout.account_id != account_id
    captured = checkout is not None and not elsewhere and checkout.captured is not None
    overridden = checkout is not None and not elsewhere and checkout.overridden is not None
    applies = {
        "CHECKOUT_OF_OTHER_ACCOUNT": elsewhere,
        "PO_REQUIRED": terms.purchase_order_required and not captured and not overridden,
        "PO_CAPTURED": captured,
        "PO_OVERRIDDEN": overridden,
        "ACCOUNT_UNKNOWN": data is None,
        "CHARGE_ACCOUNT_NOT_ELIGIBLE": data is not None and not eligible,
        "CREDIT_LIMIT_EXCEEDED": exceeded is True,
        "CREDIT_LIMIT_NOT_COMPARABLE": data is not None
        and data.credit_limit is not None
        and data.currency_uom_id is None,
    }
    return Evaluation(
        policy_version=policy_version(rules),
        po_required=terms.purchase_order_required,
        po_format_regex=terms.po_format_regex,
        po_uniqueness_scope=terms.po_uniqueness_scope,
        override_allowed=terms.override_allowed,
        override_requires_second_approver=terms.override_requires_second_approver,
        override_reason_code_required=terms.override_reason_code_required,
        charge_account_eligible=eligible,
        credit_limit_exceeded=exceeded,
        payment_terms_code=terms.payment_terms_code,
        payment_terms_id=terms.payment_terms_code,
        invoice_delivery_method=terms.invoice_delivery_method,
        messages=tuple(_message(code) for code, does in applies.items() if does),
    )


def _exceeds(data: AccountData, total: OrderTotal) -> bool | None:
    if data.credit_limit is None or data.currency_uom_id is None:
        return None
    if data.currency_uom_id != total.currency_uom_id:
        raise DomainError("CURRENCY_MISMATCH", "The account's credit limit is in another currency.")
    return total.amount_minor > data.credit_limit


def _message(code: str) -> Message:
    severity, text = _MESSAGES[code]
    return Message(code=code, severity=severity, text=text)
