"""Domain tests as sentences: `given(what happened).when(decide, …).then(what follows)`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact
from domain.kernel.streams import StreamId
from domain.streams import REGISTRY

Decider = Callable[..., Any]
"""A function of a stream's state and what is asked; it returns a fact, facts, or raises a `DomainError`."""


def state_after(*facts: Fact) -> Any:
    """What the facts of one stream fold to; None where there are none."""
    if not facts:
        return None
    stream_types = {REGISTRY.by_fact(fact).name.partition(".")[0] for fact in facts}
    assert len(stream_types) == 1, "the facts of a history belong to one stream"
    return REGISTRY.fold(StreamId(stream_types.pop(), "any"), facts)


@dataclass(frozen=True)
class Decision:
    """Something asked of a state, not decided yet."""

    state: Any
    decide: Decider
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def facts(self) -> tuple[Fact, ...]:
        """What the decider returns."""
        decided: Fact | Iterable[Fact] = self.decide(self.state, *self.arguments, **self.options)
        return (decided,) if isinstance(decided, Fact) else tuple(decided)

    def then(self, *expected: Fact) -> None:
        """Exactly these facts follow, in this order; none where none are given."""
        assert self.facts() == expected

    def then_refused(self, code: str, *fields: str) -> DomainError:
        """The decider refuses with that code, naming these fields and no others; the error is returned."""
        with pytest.raises(DomainError) as refusal:
            self.facts()
        assert refusal.value.code == code
        assert tuple(error.field for error in refusal.value.field_errors) == fields
        return refusal.value


@dataclass(frozen=True)
class Given:
    """A history."""

    facts: tuple[Fact, ...]

    def when(self, decide: Decider, *arguments: Any, **options: Any) -> Decision:
        """Something is asked of the state that the history folds to."""
        return Decision(state_after(*self.facts), decide, arguments, options)


def given(*facts: Fact) -> Given:
    """These facts of one stream have happened."""
    return Given(facts)
