"""Document policies and occasions for tests; what a test does not say is the same everywhere."""

from datetime import date
from typing import Any

from application.document_policies import document_policies
from domain.documents.policy import DocumentPolicies, Occasion, Ruling

TODAY = date(2026, 11, 21)

RULE = """\
[[rule]]
doc_type = "FISCAL_INVOICE"
sources = ["ORDER"]
"""


def policy_text(
    body: str,
    *,
    name: str = "OWN",
    scope: str = 'country_codes = ["MX"]',
    days: str = "valid_from = 2026-01-01",
) -> str:
    """A policy file: its head, and `body` with its rules and countries."""
    head = f'name = "{name}"\nversion = "2026-11-21#1"\n{days}\ncovers = "An example."\n'
    return f"{head}\n[scope]\n{scope}\n\n{body}"


def invoices(outcome: str, *more: str) -> str:
    """A rule about the fiscal invoices of orders, in which `more` are further lines."""
    return "\n".join((f'{RULE}outcome = "{outcome}"\nreason = "It is so."', *more, ""))


def automatic_where(*conditions: str, otherwise: str = "ON_DEMAND") -> str:
    """A rule that has fiscal invoices issued by themselves where one of `conditions` holds."""
    alternatives = [f"[[rule.when]]\n{condition}" for condition in conditions]
    return invoices("AUTOMATIC", f'otherwise = "{otherwise}"', *alternatives)


def policies(*texts: str) -> DocumentPolicies:
    """The packaged policies and those of the texts."""
    return document_policies({f"own-{number}.toml": text for number, text in enumerate(texts, 1)})


def occasion(**differing: Any) -> Occasion:
    """An order in Mexico that was paid today, and its fiscal invoice, but for what differs."""
    usual: dict[str, Any] = {
        "tenant": "default",
        "country_code": "MX",
        "source": "ORDER",
        "doc_type": "FISCAL_INVOICE",
        "platform_id": "the-platform",
        "seller_id": "the-seller",
        "buyer_type": "B2C",
        "currency_uom_id": "MXN",
        "grand_total": 11_600,
        "line_kinds": frozenset({"GOODS"}),
        "on": TODAY,
    }
    return Occasion(**{**usual, **differing})


def ruling(*texts: str, **differing: Any) -> Ruling:
    """What the packaged policies and those of the texts say of an occasion."""
    return policies(*texts).rule_on(occasion(**differing))
