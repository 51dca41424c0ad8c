"""What a measurement finds: a figure, its reference, their ratio over several rounds, and what was wanted."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

PEER = "peer-"
"""How the names of results begin that hold us against what a user would pick instead."""

Rate = Callable[[], float]
"""Runs one round and gives its figure, in the result's unit."""


@dataclass(frozen=True)
class Target:
    """A bound on the ratio, or on the figure itself (`value`)."""

    of: Literal["ratio", "value"]
    sense: Literal["≥", "<"]
    bound: float

    def met_by(self, value: float, ratio: float) -> bool:
        """Whether a figure and its ratio keep to the bound."""
        measured = ratio if self.of == "ratio" else value
        return measured >= self.bound if self.sense == "≥" else measured < self.bound

    def in_words(self, unit: str) -> str:
        """The bound as tables print it."""
        bound = f"{self.bound:,.4g}" if self.bound < 1000 else f"{self.bound:,.0f}"
        return f"{self.sense} {bound}" + ("" if self.of == "ratio" else f" {unit}")


@dataclass(frozen=True)
class Result:
    """One line of the table. `value` and `reference_value` are medians; `ratios` has one for each round.

    Any one of `targets` suffices; none at all is a figure for information.
    """

    name: str
    title: str
    unit: str
    value: float
    reference: str
    reference_value: float
    ratios: tuple[float, ...]
    targets: tuple[Target, ...] = ()
    note: str = ""

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(self.ratios)

    @property
    def met(self) -> bool | None:
        """Whether a target is met; None where there is none."""
        if not self.targets:
            return None
        return any(target.met_by(self.value, self.ratio) for target in self.targets)

    def as_json(self) -> dict[str, Any]:
        """The result as it is kept in the results' file."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def result_from_json(stored: dict[str, Any]) -> Result:
    """The reverse of `Result.as_json`."""
    fields = {name: value for name, value in stored.items() if name not in {"ratio", "met"}}
    fields["ratios"] = tuple(fields["ratios"])
    fields["targets"] = tuple(Target(**target) for target in fields["targets"])
    return Result(**fields)


@dataclass(frozen=True)
class Rounds:
    """The figures of subject and reference, round by round."""

    values: tuple[float, ...]
    reference_values: tuple[float, ...]

    def result(self, name: str, title: str, unit: str, reference: str, **options: Any) -> Result:
        """The result of these rounds; `options` are `targets` and `note`."""
        return Result(
            name=name,
            title=title,
            unit=unit,
            value=statistics.median(self.values),
            reference=reference,
            reference_value=statistics.median(self.reference_values),
            ratios=tuple(
                round(value / reference_value, 4)
                for value, reference_value in zip(self.values, self.reference_values, strict=True)
            ),
            **options,
        )


def side_by_side(subject: Rate, reference: Rate, rounds: int) -> Rounds:
    """Runs both in turns, so that whatever else the machine does meets both; who begins alternates."""
    values: list[float] = []
    reference_values: list[float] = []
    for number in range(rounds):
        turns = [(subject, values), (reference, reference_values)]
        for run, kept in turns if number % 2 else reversed(turns):
            kept.append(run())
    return Rounds(tuple(values), tuple(reference_values))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share (0 to 1) of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def repeats_per_second(run: Callable[[], object], seconds: float) -> float:
    """How often something runs in a second of this process's own processor time."""
    repeats = 0
    started = time.process_time()
    while (spent := time.process_time() - started) < seconds:
        run()
        repeats += 1
    return repeats / spent
