"""Contents of artifacts on their way into the vault, before the command that refers to them (BILL-DEC-005).

An object's name follows from what it is, so the same event again finds it there. One that no command came to
refer to, because a process died or the event was refused, is read by nobody.
"""

import asyncio
import hashlib
from collections.abc import Collection
from typing import Any
from uuid import UUID

from application.erasure import SubjectKeys
from application.intake.artifacts import SentArtifact
from application.ledger import Ledger
from application.ports import Clock, SubjectSecrets
from application.vault import Deposit, SubjectSecret, Vault, VaultError
from domain.accounts.account import ACCOUNT, Account, AccountData
from domain.accounts.names import account_name
from domain.documents.document_facts import Retention
from domain.fiscal.registry import day_there, driver_for
from domain.invoicing.work_order import ArtifactFile, WorkOrderData
from domain.kernel.claim import claim_stream
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId


class VaultArtifactKeeper:
    """`application.intake.intake.ArtifactKeeper` over the vault.

    A signature is its customer's personal data, so contents are sealed under the key of the account's party
    as documents are, and kept as long as the law wants invoices. Where CRM has not told of the account yet,
    nobody knows whose they are, and the vault's own keys alone seal them.
    """

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        vault: Vault,
        keys: SubjectKeys,
        secrets: SubjectSecrets,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._vault = vault
        self._keys = keys
        self._secrets = secrets
        self._clock = clock

    async def keep(
        self, work_order: WorkOrderData, sent: tuple[SentArtifact, ...]
    ) -> tuple[ArtifactFile, ...]:
        """Stores them. What came for somebody who was erased is not stored, and reads as erased.

        Raises `VaultError`, `LedgerUnavailable`.
        """
        key_id = await self._key_of_customer(work_order.customer_account_id)
        secret = None if key_id is None else (await self._secrets.by_id([key_id])).get(key_id)
        files = tuple(_file(work_order.work_order_id, each, key_id) for each in sent)
        if key_id is None or secret is not None:
            retention = self._retention(work_order.billable_scope_snapshot.country_code)
            deposits = [
                _deposit(file, each, retention, secret) for file, each in zip(files, sent, strict=True)
            ]
            for outcome in await asyncio.to_thread(self._vault.put_all, deposits):
                if isinstance(outcome, VaultError):
                    raise outcome
        return files

    async def _key_of_customer(self, name: str) -> UUID | None:
        """The key that seals what is kept for the customer's invoices; None where they have none."""
        account = await self._account(name)
        if account is None:
            return None
        keys = await self._keys.of_subject(f"{AccountData.personal.kind}:{account.party_id}")
        kept_for_law = [key for key in keys if key.retention_class == "FISCAL"]
        # Of a person who asked to be erased the newest key says whether anything was told of them since.
        live = [key for key in kept_for_law if key.erased_at is None and key.erase_after is None]
        newest = (live or kept_for_law)[-1:]
        return newest[0].key_id if newest else None

    async def _account(self, name: str) -> Account | None:
        own, claim = ACCOUNT.stream(account_name(name)), claim_stream("PARTY", account_name(name))
        states = await self._states((own, claim))
        account: Account | None = states.get(own)
        holder = states[claim].holder if account is None and claim in states else None
        follow = account.alias_of if account is not None else holder
        return account if follow is None else await self._account(follow)

    async def _states(self, streams: Collection[StreamId]) -> dict[StreamId, Any]:
        histories = await self._ledger.histories(streams)
        return {
            stream: self._registry.fold(stream, (event.fact for event in events))
            for stream, events in histories.items()
        }

    def _retention(self, country_code: str) -> Retention:
        """An approval belongs to its invoice's records, so it stands as long as one of the day it came."""
        driver = driver_for(country_code)
        today = day_there(country_code, self._clock.now())
        return driver.retention("FISCAL_INVOICE", today)


def _file(work_order_id: str, sent: SentArtifact, key_id: UUID | None) -> ArtifactFile:
    # An upstream id may hold any sign, an object's name may not.
    ref = hashlib.sha256(sent.artifact_ref_id.encode()).hexdigest()[:32]
    # The same bytes under another key are another object.
    sealed = "" if key_id is None else f".{key_id}"
    return ArtifactFile(
        artifact_ref_id=sent.artifact_ref_id,
        sha256=sent.sha256,
        vault_name=f"artifacts/{work_order_id}/{ref}/{sent.sha256}{sealed}",
        sealed_under=None if key_id is None else str(key_id),
    )


def _deposit(
    file: ArtifactFile, sent: SentArtifact, retention: Retention, secret: SubjectSecret | None
) -> Deposit:
    return Deposit(file.vault_name, sent.content, retention.retention_class, retention.until, secret)
