"""Payment terms: a closed list of codes, and the due date that each leads to (S4, BILL-DEC-007).

A code keeps its meaning for good, for rules and invoices name it; other days are another code.
"""

from datetime import date, timedelta

from domain.accounts.choices import Choice


class PaymentTerms(Choice):
    """`net_days` after the issue date, then, with `end_of_month`, on to the last day of that month."""

    net_days: int
    end_of_month: bool = False


def _net(days: int) -> PaymentTerms:
    return PaymentTerms(code=f"NET{days}", label=f"Within {days} days", net_days=days)


PAYMENT_TERMS: tuple[PaymentTerms, ...] = (
    PaymentTerms(code="DUE_ON_RECEIPT", label="Due on receipt", net_days=0),
    *(_net(days) for days in (7, 10, 15, 30, 45, 60, 90)),
    PaymentTerms(code="EOM", label="At the end of the month", net_days=0, end_of_month=True),
    PaymentTerms(
        code="NET30_EOM", label="30 days, then the end of that month", net_days=30, end_of_month=True
    ),
)
"""In the order in which people choose."""

_BY_CODE = {terms.code: terms for terms in PAYMENT_TERMS}


def is_payment_terms(code: str) -> bool:
    """Whether there are payment terms of that code."""
    return code in _BY_CODE


def due_date(terms_code: str, issue_date: date) -> date:
    """When an invoice of that issue date (in its issuer's calendar) is due. Raises KeyError."""
    terms = _BY_CODE[terms_code]
    due = issue_date + timedelta(days=terms.net_days)
    return _last_of_month(due) if terms.end_of_month else due


def _last_of_month(day: date) -> date:
    # The 28th and four days later is always in the next month.
    in_next_month = day.replace(day=28) + timedelta(days=4)
    return in_next_month - timedelta(days=in_next_month.day)
