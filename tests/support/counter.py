"""A counter where commands about accounts are handed in, over a ledger in memory."""

from typing import Any

from application.handlers.billing_rules import upsert_rules
from application.handlers.inbound import CloudEvent, Outcome, read_fact, receive_fact
from application.ledger import Answer, Audit, Command
from domain.kernel.recorded import RecordedEvent
from tests.support.account_facts import NOON, account_data, an_upsert
from tests.support.clocks import SetClock
from tests.support.facts import FINGERPRINT
from tests.support.memory_ledger import MemoryLedger

AUDIT = Audit("default", "ana", "SYSTEM", "any-operation", "trace-1")


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
        fact = read_fact(event, FINGERPRINT)
        answer = await self._do(Command(AUDIT, receive_fact(fact), fact.streams))
        outcome: Outcome = answer.body
        return outcome

    async def put_rules(self, name: str, granted: frozenset[str] | None = None, **changes: Any) -> Answer:
        """Ana sets the rules of the account of that name; `changes` replace fields of the body."""
        upsert = an_upsert(name, granted, **changes)
        return await self._do(Command(AUDIT, upsert_rules(upsert), upsert.streams))

    async def _do(self, command: Command) -> Answer:
        head = len(self.ledger.events)
        committed = await self.ledger.commit(command)
        self.recorded = self.ledger.events[head:]
        return committed.answer

    @property
    def names(self) -> list[str]:
        """The names of the last command's events."""
        return [event.name for event in self.recorded]
