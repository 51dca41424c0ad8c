"""A full example of every stored event, optional fields included: golden files and sealing tests go by it."""

from domain.kernel.facts import Fact
from tests.support import (
    checkout_facts,
    credential_facts,
    delivery_facts,
    fiscal_profile_facts,
    order_facts,
    payable_facts,
)
from tests.support.account_facts import account_examples
from tests.support.artifact_facts import artifact_examples
from tests.support.facts import document_examples
from tests.support.invoicing_facts import invoicing_examples
from tests.support.payment_facts import payment_examples
from tests.support.receipt_facts import receipt_examples


def examples() -> tuple[Fact, ...]:
    """One of each."""
    return (
        *document_examples(),
        *order_facts.examples(),
        *account_examples(),
        *credential_facts.examples(),
        *invoicing_examples(),
        *checkout_facts.examples(),
        *artifact_examples(),
        *fiscal_profile_facts.examples(),
        *delivery_facts.examples(),
        *payment_examples(),
        *receipt_examples(),
        *payable_facts.examples(),
    )
