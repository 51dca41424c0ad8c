"""A counter where commands about accounts are handed in, over a ledger in memory."""

from collections.abc import Callable
from typing import Any, TypeVar

from application.handlers.billing_rules import upsert_rules
from application.handlers.inbound import CloudEvent, Outcome, read_fact, receive_fact
from application.handlers.policies import PolicyChange, change_policy
from application.ledger import Answer, Audit, Command, Transaction
from domain.accounts.policies import PolicyTerms
from domain.kernel.recorded import RecordedEvent
from tests.support.account_facts import MINTED_ID, NOON, account_data, an_upsert
from tests.support.clocks import SetClock
from tests.support.desks import READING
from tests.support.memory_ledger import MemoryLedger

AUDIT = Audit("default", "ana", "SYSTEM", "any-operation", "trace-1")


T = TypeVar("T")


class Counter:
    """Takes commands and tells what each of them recorded."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger(SetClock(NOON))
        self.recorded: list[RecordedEvent] = []
        self._told = 0

    async def crm_tells(self, account_id: str, party_id: str | None, **changes: Any) -> Outcome:
        """CRM tells of an account."""
        self._told += 1
        event = CloudEvent(
            specversion="1.0",
            id=f"crm-{self._told}",
            source="urn:crm",
            type="crm.ACCOUNT_UPDATED",
            data=account_data(account_id, party_id, **changes),
        )
        fact = read_fact(event, READING)
        answer = await self._do(Command(AUDIT, receive_fact(fact), fact.streams))
        outcome: Outcome = answer.body
        return outcome

    async def put_rules(self, name: str, granted: frozenset[str] | None = None, **changes: Any) -> Answer:
        """Ana sets the rules of the account of that name; `changes` replace fields of the body."""
        upsert = an_upsert(name, granted, **changes)
        return await self._do(Command(AUDIT, upsert_rules(upsert), upsert.streams))

    async def set_policy(
        self, name: str, terms: PolicyTerms, granted: frozenset[str] | None = None
    ) -> Answer:
        """Ana sets a policy of the account of that name, or of all (`default`)."""
        change = PolicyChange(
            name=name,
            terms=terms,
            configured_by="ana",
            granted=granted,
            fresh_account_id=MINTED_ID,
            expected_revision=None,
        )
        return await self._do(Command(AUDIT, change_policy(change), change.streams))

    async def ask(self, look: Callable[[Transaction], T]) -> T:
        """What a look at the ledger's states gives."""
        committed = await self.ledger.commit(
            Command(AUDIT, lambda transaction: Answer(200, look(transaction)))
        )
        found: T = committed.answer.body
        return found

    async def _do(self, command: Command) -> Answer:
        head = len(self.ledger.events)
        committed = await self.ledger.commit(command)
        self.recorded = self.ledger.events[head:]
        return committed.answer

    @property
    def names(self) -> list[str]:
        """The names of the last command's events."""
        return [event.name for event in self.recorded]
