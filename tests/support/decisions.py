"""Which sentence of which decision, or which rule, a test shows; `docs/conformance.md` lists them."""

import pytest

decision = pytest.mark.decision
"""`@decision("BILL-DEC-002", "what it demands, in our words")`, on a test; more than one may stand there."""

rule = pytest.mark.rule
"""`@rule("IDEM-4")`, on a test that shows that rule of `docs/rules`; more than one may stand there."""

DECISIONS = {
    "BILL-DEC-001": "The life of an invoice",
    "BILL-DEC-002": "Drafts of work orders",
    "BILL-DEC-003": "What must be there before an invoice is issued",
    "BILL-DEC-004": "Where an invoice comes from",
    "BILL-DEC-005": "What invoices refer to, and how it is handed out",
    "BILL-DEC-006": "Billing rules and their versions",
    "BILL-DEC-007": "Lists of codes to choose from",
    "BILL-DEC-008": "Permissions",
    "BILL-DEC-009": "What a checkout asks for, and going on without it",
    "BILL-DEC-010": "A manager's approval",
    "BILL-DEC-011": "Receipts: made, handed over, reprinted",
    "BILL-DEC-013": "Payments to vendors",
    "BILL-DEC-012": "Payments, in part or in full, and what comes of them",
    "BILL-DEC-014": "Posting errors",
    "BILL-DEC-015": "Tracing and logs",
    "BILL-DEC-016": "Links to other domains",
    "S2": "Money that moves once",
    "S4-CONVENTIONS": "What all of the rules' contract has in common",
    "S4-RULES": "Reading and setting billing rules",
    "S4-FACADE": "The rules under CRM's path",
    "S4-GATEWAY": "The gateway's paths",
}
"""The decisions that tests name, with what each is about."""
