"""Giving approvers their credentials, and ending them (BILL-DEC-010)."""

from application.ledger import Answer, Handler, Transaction
from domain.accounts.credential import CREDENTIAL, SecretKind
from domain.accounts.elevation import disable_credential, set_credential


def setting_credential(
    credential_id: str, *, username: str, kind: SecretKind, verifier: str, permissions: frozenset[str]
) -> Handler:
    """Sets secret and permissions: 201, or 200 where the person had a credential before."""

    def handle(transaction: Transaction) -> Answer:
        before = transaction.state(CREDENTIAL, credential_id)
        fact = set_credential(
            before,
            credential_id=credential_id,
            username=username,
            kind=kind,
            verifier=verifier,
            permissions=permissions,
        )
        transaction.append(CREDENTIAL.stream(credential_id), (fact,))
        body = {"credentialId": credential_id, "kind": kind, "permissions": list(fact.permissions)}
        return Answer(200 if before is not None and before.verifier is not None else 201, body)

    return handle


def disabling_credential(credential_id: str) -> Handler:
    """Ends a credential: 200, also where that was done before. Raises `NOT_FOUND`."""

    def handle(transaction: Transaction) -> Answer:
        facts = disable_credential(transaction.state(CREDENTIAL, credential_id))
        transaction.append(CREDENTIAL.stream(credential_id), facts)
        return Answer(200, {"credentialId": credential_id})

    return handle
