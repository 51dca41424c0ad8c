"""The bench of the contract at the simulated gateways."""

from typing import Any

from application.gateway import Gateway
from infrastructure.gateways.simulated_gateways import SimulatedGateways
from tests.support.gateways import captures, conditions

SOON = {"pendingSeconds": 0.5}
"""Long enough that a test sees what is pending."""


class SimulatedBench:
    """A gateway over the simulator; `prefix` is what its methods begin with, `joint` between their words."""

    def __init__(self, simulated: SimulatedGateways, gateway: Gateway, prefix: str, joint: str) -> None:
        self.url = simulated.url
        self.gateway = gateway
        self._prefix = prefix
        self._joint = joint
        self.well()

    def method(self, outcome: str) -> str:
        return self._prefix + outcome.replace("_", self._joint)

    def well(self) -> None:
        conditions(self.url, **SOON)

    def fails(self, kind: str, step: str, **more: Any) -> None:
        """A fault at a step of this gateway."""
        conditions(self.url, {"kind": kind, "step": step, "gateway": self.gateway.name, **more}, **SOON)

    def loses_answers(self, step: str) -> None:
        self.fails("LOST", step)

    def hangs_up(self, step: str) -> None:
        self.fails("UNTAKEN", step)

    def time_passes(self) -> None:
        """It does by itself."""

    def captured(self, billing_payment_id: str) -> tuple[int, int]:
        return captures(self.url, billing_payment_id)
