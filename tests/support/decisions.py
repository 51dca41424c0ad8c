"""Which sentence of which decision a test shows; `docs/conformance.md` lists them (see tests/docs)."""

import pytest

decision = pytest.mark.decision
"""`@decision("BILL-DEC-002", "what it demands, in our words")`, on a test; more than one may stand there."""

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
    "BILL-DEC-014": "Posting errors",
    "BILL-DEC-015": "Tracing and logs",
    "BILL-DEC-016": "Links to other domains",
    "S4-CONVENTIONS": "What all of the rules' contract has in common",
    "S4-RULES": "Reading and setting billing rules",
    "S4-FACADE": "The rules under CRM's path",
    "S4-GATEWAY": "The gateway's paths",
}
"""The decisions that tests name, with what each is about."""
