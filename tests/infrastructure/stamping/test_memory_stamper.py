"""The authority in memory keeps the same promises as the real ones."""

import pytest

from application.stamping import StampRejected, StampTimeout, StampUnavailable
from tests.infrastructure.stamping.stamper_contract import StamperContract
from tests.support.memory_stamper import MemoryStamper, nothing


class _Bench:
    def __init__(self) -> None:
        self.stamper = MemoryStamper()

    def down(self) -> None:
        self.stamper.before = lambda _: StampUnavailable("Down.")

    def well(self) -> None:
        self.stamper.before = self.stamper.after = nothing

    def loses_answers(self) -> None:
        self.stamper.after = lambda _: StampTimeout("Lost.")

    def hangs_up(self) -> None:
        self.stamper.before = lambda _: StampTimeout("Hung up.")

    def rejects(self, code: str) -> None:
        self.stamper.before = lambda _: StampRejected(code)


class TestMemoryStamper(StamperContract):
    @pytest.fixture
    def bench(self) -> _Bench:
        return _Bench()
