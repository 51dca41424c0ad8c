"""The table of roles, written out by hand from what the service promises its clients."""

import pytest

from application.roles import (
    BILLING_PERMISSIONS,
    COUNTRY_BOUND_ROLES,
    DOCUMENT_PERMISSIONS,
    PERMISSIONS,
    ROLE_PERMISSIONS,
)
from tests.support.decisions import decision

OF_WORKSHOPS = """
    billing:invoice:view billing:invoice:create-draft billing:invoice:issue billing:invoice:void
    billing:traceability:view billing:artifact:list billing:artifact:download
    billing:rules:view billing:rules:manage
    billing:checkout:po:capture billing:checkout:po:override billing:auth:elevate
    billing:receipt:view billing:receipt:deliver billing:receipt:reprint
    billing:ap:bill:view billing:ap:payment:execute billing:ap:payment:view
    billing:posting-error:detail:view
"""

ADDED_TO_THEM = """
    billing:payment:view billing:payment:capture billing:payment:refund
    billing:ap:bill:register billing:inbound:write
    billing:series:manage billing:policy:manage billing:credential:manage
"""

OF_DOCUMENTS = """
    docs.read.own docs.read.seller docs.read.country
    docs.issue docs.resend docs.void_or_replace docs.audit.read
    fiscal_profile.read fiscal_profile.write
"""

HAS = {
    "SUPER_ADMIN": OF_WORKSHOPS + ADDED_TO_THEM + OF_DOCUMENTS,
    "FINANCE_ADMIN": OF_WORKSHOPS
    + """
        billing:payment:view billing:payment:capture billing:payment:refund billing:ap:bill:register
        billing:series:manage billing:policy:manage
        docs.issue docs.void_or_replace docs.audit.read fiscal_profile.read fiscal_profile.write
    """,
    "SYSTEM": "billing:inbound:write billing:rules:view billing:rules:manage docs.issue docs.resend",
    "SUPPORT": "docs.resend docs.read.country",
    "AUDITOR": """
        docs.audit.read
        billing:invoice:view billing:traceability:view billing:rules:view billing:receipt:view
        billing:ap:bill:view billing:ap:payment:view billing:posting-error:detail:view billing:payment:view
    """,
    "COUNTRY_OPS_LEAD": "docs.read.country",
    "BUYER": "docs.read.own fiscal_profile.read fiscal_profile.write",
    "SELLER": "docs.read.seller fiscal_profile.read fiscal_profile.write",
    "SERVICE_ADVISOR": """
        billing:invoice:view billing:invoice:create-draft billing:invoice:issue
        billing:traceability:view billing:artifact:list billing:artifact:download billing:rules:view
        billing:checkout:po:capture billing:payment:view billing:payment:capture
        billing:receipt:view billing:receipt:deliver
    """,
    "BILLING_MANAGER": """
        billing:invoice:view billing:invoice:create-draft billing:invoice:issue billing:invoice:void
        billing:traceability:view billing:artifact:list billing:artifact:download
        billing:rules:view billing:rules:manage
        billing:checkout:po:capture billing:checkout:po:override billing:auth:elevate
        billing:payment:view billing:payment:capture billing:payment:refund
        billing:receipt:view billing:receipt:deliver billing:receipt:reprint
    """,
    "AP_CLERK": """
        billing:ap:bill:view billing:ap:bill:register billing:ap:payment:execute billing:ap:payment:view
    """,
}


@decision("BILL-DEC-008", "There are nineteen canonical permissions, and the contract's own beside them")
def test_there_are_nineteen_eight_and_nine_permissions() -> None:
    assert (len(OF_WORKSHOPS.split()), len(ADDED_TO_THEM.split()), len(OF_DOCUMENTS.split())) == (19, 8, 9)
    assert frozenset((OF_WORKSHOPS + ADDED_TO_THEM).split()) == BILLING_PERMISSIONS
    assert frozenset(OF_DOCUMENTS.split()) == DOCUMENT_PERMISSIONS
    assert PERMISSIONS == BILLING_PERMISSIONS | DOCUMENT_PERMISSIONS


def test_there_are_no_other_roles() -> None:
    assert set(ROLE_PERMISSIONS) == set(HAS)


@pytest.mark.parametrize("role", sorted(HAS))
@decision("BILL-DEC-008", "Each role has exactly its permissions")
def test_the_role_has_exactly_its_permissions(role: str) -> None:
    assert ROLE_PERMISSIONS[role] == set(HAS[role].split())


def test_support_and_country_leads_are_bound_to_countries() -> None:
    assert {"SUPPORT", "COUNTRY_OPS_LEAD"} == COUNTRY_BOUND_ROLES
