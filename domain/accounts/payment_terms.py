"""Payment terms: a closed list of codes, and the due date that each leads to (S4, BILL-DEC-007).

A code keeps its meaning for good, for rules and invoices name it; other days are another code.
"""

from datetime import date, timedelta
from typing import Literal

from domain.accounts.choices import Choice

TermsCode = Literal[
    "DUE_ON_RECEIPT", "NET7", "NET10", "NET15", "NET30", "NET45", "NET60", "NET90", "EOM", "NET30_EOM"
]


class PaymentTerms(Choice):
    """`net_days` after the issue date, then, with `end_of_month`, on to the last day of that month."""

    code: TermsCode
    net_days: int
    end_of_month: bool = False


PAYMENT_TERMS: tuple[PaymentTerms, ...] = (
    PaymentTerms(code="DUE_ON_RECEIPT", label="Due on receipt", net_days=0),
    PaymentTerms(code="NET7", label="Within 7 days", net_days=7),
    PaymentTerms(code="NET10", label="Within 10 days", net_days=10),
    PaymentTerms(code="NET15", label="Within 15 days", net_days=15),
    PaymentTerms(code="NET30", label="Within 30 days", net_days=30),
    PaymentTerms(code="NET45", label="Within 45 days", net_days=45),
    PaymentTerms(code="NET60", label="Within 60 days", net_days=60),
    PaymentTerms(code="NET90", label="Within 90 days", net_days=90),
    PaymentTerms(code="EOM", label="At the end of the month", net_days=0, end_of_month=True),
    PaymentTerms(
        code="NET30_EOM", label="30 days, then the end of that month", net_days=30, end_of_month=True
    ),
)
"""In the order in which people choose."""

_BY_CODE = {terms.code: terms for terms in PAYMENT_TERMS}


def due_date(terms_code: TermsCode, issue_date: date) -> date:
    """When an invoice of that issue date (in its issuer's calendar) is due."""
    terms = _BY_CODE[terms_code]
    due = issue_date + timedelta(days=terms.net_days)
    return _last_of_month(due) if terms.end_of_month else due


def _last_of_month(day: date) -> date:
    # The 28th and four days later is always in the next month.
    in_next_month = day.replace(day=28) + timedelta(days=4)
    return in_next_month - timedelta(days=in_next_month.day)
