"""By whose policies documents are planned."""

from dataclasses import dataclass

from domain.documents.policy import DocumentPolicies


@dataclass(frozen=True)
class Desk:
    """The policies that this process was started with, and the tenant whose documents they rule on."""

    policies: DocumentPolicies
    tenant: str
