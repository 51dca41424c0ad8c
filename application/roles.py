"""Permissions and the roles that have them (contract §3). Neither namespace is inferred from the other."""

from types import MappingProxyType

BILLING_PERMISSIONS = frozenset(
    {
        "billing:invoice:view",
        "billing:invoice:create-draft",
        "billing:invoice:issue",
        "billing:invoice:void",
        "billing:traceability:view",
        "billing:artifact:list",
        "billing:artifact:download",
        "billing:rules:view",
        "billing:rules:manage",
        "billing:checkout:po:capture",
        "billing:checkout:po:override",
        "billing:auth:elevate",
        "billing:receipt:view",
        "billing:receipt:deliver",
        "billing:receipt:reprint",
        "billing:ap:bill:view",
        "billing:ap:payment:execute",
        "billing:ap:payment:view",
        "billing:posting-error:detail:view",
        "billing:payment:view",
        "billing:payment:capture",
        "billing:payment:refund",
        "billing:ap:bill:register",
        "billing:inbound:write",
        "billing:series:manage",
        "billing:policy:manage",
        "billing:credential:manage",
    }
)
"""S1's nineteen (BILL-DEC-008) and the contract's eight."""

DOCUMENT_PERMISSIONS = frozenset(
    {
        "docs.read.own",
        "docs.read.seller",
        "docs.read.country",
        "docs.issue",
        "docs.resend",
        "docs.void_or_replace",
        "docs.audit.read",
        "fiscal_profile.read",
        "fiscal_profile.write",
    }
)
"""S3 §3.2."""

DOCUMENT_READERS = frozenset({"docs.read.own", "docs.read.seller", "docs.read.country", "docs.audit.read"})
"""Each lets its holder know of some documents."""

PERMISSIONS = BILLING_PERMISSIONS | DOCUMENT_PERMISSIONS

_SERVICE_ADVISOR = frozenset(
    {
        "billing:invoice:view",
        "billing:invoice:create-draft",
        "billing:invoice:issue",
        "billing:traceability:view",
        "billing:artifact:list",
        "billing:artifact:download",
        "billing:rules:view",
        "billing:checkout:po:capture",
        "billing:payment:view",
        "billing:payment:capture",
        "billing:receipt:view",
        "billing:receipt:deliver",
    }
)

_FISCAL_PROFILE = frozenset({"fiscal_profile.read", "fiscal_profile.write"})

ROLE_PERMISSIONS = MappingProxyType(
    {
        "SUPER_ADMIN": PERMISSIONS,
        "FINANCE_ADMIN": (BILLING_PERMISSIONS - {"billing:inbound:write", "billing:credential:manage"})
        | {"docs.issue", "docs.void_or_replace", "docs.audit.read"}
        | _FISCAL_PROFILE,
        "SYSTEM": frozenset(
            {
                "billing:inbound:write",
                "billing:rules:view",
                "billing:rules:manage",
                "docs.issue",
                "docs.resend",
            }
        ),
        "SUPPORT": frozenset({"docs.resend", "docs.read.country"}),
        "AUDITOR": frozenset({"docs.audit.read"})
        | {permission for permission in PERMISSIONS if permission.endswith(":view")},
        "COUNTRY_OPS_LEAD": frozenset({"docs.read.country"}),
        "BUYER": frozenset({"docs.read.own"}) | _FISCAL_PROFILE,
        "SELLER": frozenset({"docs.read.seller"}) | _FISCAL_PROFILE,
        "SERVICE_ADVISOR": _SERVICE_ADVISOR,
        "BILLING_MANAGER": _SERVICE_ADVISOR
        | {
            "billing:invoice:void",
            "billing:rules:manage",
            "billing:checkout:po:override",
            "billing:auth:elevate",
            "billing:payment:refund",
            "billing:receipt:reprint",
        },
        "AP_CLERK": frozenset(
            permission for permission in BILLING_PERMISSIONS if permission.startswith("billing:ap:")
        ),
    }
)
"""Each role's permissions."""

OWNER_BOUND_ROLES = frozenset({"BUYER", "SELLER"})
"""Roles that reach what is their own by the token's `buyer_id` and `seller_id`: nothing without either."""

COUNTRY_BOUND_ROLES = frozenset({"SUPPORT", "COUNTRY_OPS_LEAD"})
"""Roles that see nothing beyond the token's `countries`, and nothing at all without any."""
