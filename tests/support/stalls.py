"""How long things stood still: the longest pause between two signs of life."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass
class Pulse:
    """Signs of life of one thing, as moments of `time.monotonic()`."""

    name: str
    moments: list[float] = field(default_factory=list)

    def beat(self) -> None:
        """The thing is alive now."""
        self.moments.append(time.monotonic())

    def longest_stall(self, start: float, end: float) -> float:
        """The longest pause between two signs within that time, in seconds; its ends count as signs."""
        earlier, later = self.longest_pause(start, end)
        return later - earlier

    def longest_pause(self, start: float, end: float) -> tuple[float, float]:
        """The same, as the moments at which it began and ended."""
        within = [start, *(moment for moment in self.moments if start < moment < end), end]
        return max(pairwise(within), key=lambda pause: pause[1] - pause[0])


def longest_stalls(pulses: Sequence[Pulse], start: float, end: float) -> dict[str, float]:
    """Each thing's longest stall within that time, in seconds."""
    return {pulse.name: round(pulse.longest_stall(start, end), 3) for pulse in pulses}
