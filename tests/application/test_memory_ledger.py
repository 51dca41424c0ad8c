"""The ledger in memory keeps the same promises as the real one."""

import pytest

from tests.support.clocks import SetClock
from tests.support.ledger_contract import LedgerContract
from tests.support.memory_ledger import MemoryLedger


class TestMemoryLedger(LedgerContract):
    @pytest.fixture
    def clock(self) -> SetClock:
        return SetClock()

    @pytest.fixture
    def ledger(self, clock: SetClock) -> MemoryLedger:
        return MemoryLedger(clock)
